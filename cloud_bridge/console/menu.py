"""The menu: what the account may open, in groups, and where in it a page belongs.

A page belongs to the item whose address its own begins with; `also` names pages elsewhere. An
item that nobody's role may open (`access.PAGES`) is shown to nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from cloud_bridge.console.access import may_open
from cloud_bridge.registry import queries
from cloud_bridge.registry.models import Task

COUNTED = 100  # more open tasks than these are only shown as many


@dataclass(frozen=True, slots=True)
class MenuItem:
    page: str
    words: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MenuGroup:
    words: str
    items: tuple[MenuItem, ...]


MENU = (
    MenuGroup(
        _("Today's work"),
        (
            MenuItem("tasks", _("Tasks")),
            MenuItem("due", _("Due dates")),
            MenuItem("plans", _("Visit plans")),
            MenuItem("helped", _("Helped sessions")),
        ),
    ),
    MenuGroup(
        _("Persons"),
        (
            MenuItem("people", _("Proof of life"), also=("record",)),
            MenuItem("deaths", _("Reports of deaths")),
            MenuItem("imports", _("Imports")),
        ),
    ),
    MenuGroup(
        _("Checks"),
        (
            MenuItem("rechecks", _("Re-checks")),
            MenuItem("deaths-late", _("Late reports of deaths")),
        ),
    ),
    MenuGroup(
        _("Statistics"),
        (
            MenuItem("dashboard", _("Dashboards")),
            MenuItem("opinions", _("Opinions")),
        ),
    ),
    MenuGroup(
        _("Kiosks"),
        (
            MenuItem("devices", _("Kiosks")),
            MenuItem("badges", _("Staff badges")),
            MenuItem("quarantine", _("Quarantine")),
            MenuItem("rehearsals", _("Rehearsal records")),
        ),
    ),
    MenuGroup(
        _("Administration"),
        (
            MenuItem("accounts", _("Accounts")),
            MenuItem("cycles", _("Cycles")),
            MenuItem("api-clients", _("Other systems' keys")),
            MenuItem("webhooks", _("Webhooks")),
            MenuItem("audit", _("Audit log")),
        ),
    ),
)

FIRST = "people"  # S01: after the sign-in comes 生存认证, for everybody who may open it


def menu_of(role: str) -> list[MenuGroup]:
    """The groups with what the role may open in them; none is empty."""
    groups = []
    for group in MENU:
        if items := tuple(item for item in group.items if may_open(role, item.page)):
            groups.append(MenuGroup(group.words, items))
    return groups


def first_page(role: str) -> str:
    if may_open(role, FIRST):
        return FIRST
    return menu_of(role)[0].items[0].page


def item_of(groups: list[MenuGroup], page: str, path: str) -> MenuItem | None:
    """The item that `page` at address `path` belongs to."""
    items = [item for group in groups for item in group.items]
    named = (item for item in items if page in item.also)
    return next(named, None) or max(_above(items, path), key=_address_length, default=None)


def _above(items: list[MenuItem], path: str) -> Iterator[MenuItem]:
    return (item for item in items if path.startswith(reverse(item.page)))


def _address_length(item: MenuItem) -> int:
    return len(reverse(item.page))


def context(request: HttpRequest) -> dict[str, object]:
    """Context processor: the menu of the account that is signed in, and the place in it."""
    role = getattr(request.user, "role", "") if hasattr(request, "user") else ""
    match = request.resolver_match
    page = (match.url_name or "") if match else ""
    groups = [] if getattr(request, "has_duty", False) else menu_of(role)
    here = item_of(groups, page, request.path)
    return {
        "menu": groups,
        "menu_item": here,
        "menu_group": next((group for group in groups if here in group.items), None),
        "page": page,
        "open_tasks": partial(_open_tasks, request, role),
        "idle_minutes": settings.SESSION_COOKIE_AGE // 60,
    }


def _open_tasks(request: HttpRequest, role: str) -> int:
    if not may_open(role, "tasks"):
        return 0
    rows = queries.tasks(request.user).filter(state=Task.State.OPEN)
    return int(rows.order_by()[:COUNTED].count())

"""Who may open which page. What is not listed here is closed to everybody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from cloud_bridge.registry.models import Role

PUBLIC = frozenset({"sign-in", "set_language"})

_ALL = frozenset(Role.values)
_CASES = frozenset({"worker", "supervisor", "county"})
_CHECKERS = frozenset({"supervisor", "county"})
_COUNTY = frozenset({"county"})
_MACHINES = frozenset({"operator"})
_AUDIT = frozenset({"auditor"})

PAGES: Mapping[str, frozenset[str]] = {
    "home": _ALL,
    "sign-out": _ALL,
    "people": _CASES,
    "person": _CASES,
    "reveal": _CASES,
    "record": _CASES,
    "tasks": _CASES,
    "task": _CASES,
    "task-close": _CASES,
    "helped": _CASES,
    "rechecks": _CHECKERS,
    "recheck-done": _CHECKERS,
    "template-withdraw": _CASES,
    "opinions": _CASES,
    "rehearsals": _CASES | _MACHINES,
    "rehearsal": _CASES | _MACHINES,
    "devices": _MACHINES,
    "settings": _MACHINES,
    "settings-back": _MACHINES,
    "badges": _CHECKERS | _MACHINES,
    "badge": _CHECKERS | _MACHINES,
    "badge-reset": _CHECKERS | _MACHINES,
    "badge-revoke": _CHECKERS | _MACHINES,
    "quarantine": _MACHINES,
    "audit": _AUDIT,
}


@dataclass(frozen=True, slots=True)
class MenuItem:
    page: str
    words: str
    part_of: frozenset[str]


MENU = (
    MenuItem("people", _("Proof of life"), frozenset({"people", "person", "reveal", "record"})),
    MenuItem("tasks", _("Tasks"), frozenset({"tasks", "task", "task-close"})),
    MenuItem("helped", _("Helped sessions"), frozenset({"helped"})),
    MenuItem("rechecks", _("Re-checks"), frozenset({"rechecks", "recheck-done"})),
    MenuItem("opinions", _("Opinions"), frozenset({"opinions"})),
    MenuItem("rehearsals", _("Rehearsal records"), frozenset({"rehearsals", "rehearsal"})),
    MenuItem("devices", _("Kiosks"), frozenset({"devices", "settings", "settings-back"})),
    MenuItem(
        "badges",
        _("Staff badges"),
        frozenset({"badges", "badge", "badge-reset", "badge-revoke"}),
    ),
    MenuItem("quarantine", _("Quarantine"), frozenset({"quarantine"})),
    MenuItem("audit", _("Audit log"), frozenset({"audit"})),
)


def may_open(role: str, page: str | None) -> bool:
    return role in PAGES.get(page or "", frozenset())


def pages_of(role: str) -> list[MenuItem]:
    return [item for item in MENU if may_open(role, item.page)]


def menu(request: HttpRequest) -> dict[str, object]:
    """Context processor: the menu of the account that is signed in."""
    role = getattr(request.user, "role", "") if hasattr(request, "user") else ""
    match = request.resolver_match
    return {"menu": pages_of(role), "page": match.url_name if match else ""}

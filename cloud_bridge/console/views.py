"""The console's pages. Roles are checked before any view runs (`access`), regions in `queries`."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from cloud_bridge.console import menu
from cloud_bridge.registry import audit as audit_log
from cloud_bridge.registry import helpers, queries, times
from cloud_bridge.registry.helpers import Helper
from cloud_bridge.registry.keyring import vault
from cloud_bridge.registry.models import Person
from cloud_bridge.registry.vault import VaultError
from edge.domain.people import mask_id_number, mask_name

log = logging.getLogger(__name__)

PER_PAGE = 20


def home(request: HttpRequest) -> HttpResponse:
    """The first page of the menu."""
    return redirect(menu.first_page(request.user.role))


# --- numbers


def _masked(sealed: bytes, owner: str) -> str:
    return mask_id_number(number) if (number := _opened(sealed, owner)) else _("cannot be read")


def _opened(sealed: bytes, owner: str) -> str:
    """A number out of the vault, or nothing: one damaged row must not close a whole page."""
    try:
        return vault().open(sealed, owner)
    except VaultError:
        log.error("damaged row owner=%s", owner)
        return ""


# --- records


@require_safe
def record(request: HttpRequest, record_id: str) -> HttpResponse:
    row = queries.certifications(request.user).filter(pk=record_id).first()
    if row is None:
        raise Http404
    place = row.person.region_id if row.person else row.device.site.region_id
    _audit(request, "record.view", ("record", row.pk), region_code=place)
    if row.person:
        _audit_person(request, "record.view", row.person)
    return render(request, "console/record.html", _record_context(row, simulated=False))


@require_safe
def rehearsals(request: HttpRequest) -> HttpResponse:
    page = _page(request, queries.rehearsals(request.user))
    rows = [{"record": row, "name": mask_name(row.subject_name)} for row in page]
    context = {"page_rows": page, "rows": rows, "query": ""}
    return render(request, "console/rehearsals.html", context)


@require_safe
def rehearsal(request: HttpRequest, record_id: str) -> HttpResponse:
    row = queries.rehearsals(request.user).filter(pk=record_id).first()
    if row is None:
        raise Http404
    place = row.device.site.region_id
    _audit(request, "rehearsal.view", ("rehearsal", row.pk), region_code=place)
    return render(request, "console/record.html", _record_context(row, simulated=True))


def _record_context(row: Any, *, simulated: bool) -> dict[str, Any]:
    return {
        "record": row,
        "simulated": simulated,
        "name": mask_name(row.subject_name) if simulated else row.subject_name,
        "number": _masked(row.subject_sealed, row.record_id),
        "helper": _helper(row),
        "helper_masked": _masked_helper(row),
        "started": _moment(row.started),
        "finished": _moment(row.finished),
        "span": times.span_of(row),
        "seconds": (row.liveness or {}).get("seconds"),
    }


def _helper(row: Any) -> Helper | None:
    try:
        return helpers.of(row, vault())
    except VaultError:
        log.error("damaged row owner=%s", row.record_id)
        return Helper(_("cannot be read"), "", "", ())


def _masked_helper(row: Any) -> str:
    helper = _helper(row)
    return f"{mask_name(helper.name)} {mask_id_number(helper.id_number)}" if helper else ""


def _moment(stamp: dict[str, Any]) -> dict[str, Any]:
    return {"at": datetime.fromisoformat(stamp["utc"]), "trust": stamp.get("trust", "")}


# --- lists


@require_safe
def devices(request: HttpRequest) -> HttpResponse:
    context = {"rows": queries.devices(request.user)}
    return render(request, "console/devices.html", context)


@require_safe
def opinions(request: HttpRequest) -> HttpResponse:
    page = _page(request, queries.opinions(request.user))
    _audit(request, "opinions.view", ("opinions", ""), reason=f"page {page.number}")
    return render(request, "console/opinions.html", {"page_rows": page, "query": ""})


@require_safe
def quarantine(request: HttpRequest) -> HttpResponse:
    page = _page(request, queries.quarantine(request.user))
    return render(request, "console/quarantine.html", {"page_rows": page, "query": ""})


@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    rows = queries.audit_entries(request.user)
    filters = {name: request.GET.get(name, "").strip()[:64] for name in ("who", "object_id")}
    for name, value in filters.items():
        if value:
            rows = rows.filter(**{name: value})
    page = _page(request, rows)
    context = {"page_rows": page, "filters": filters, "query": _query_without_page(request)}
    return render(request, "console/audit.html", context)


def _page(request: HttpRequest, rows: Any) -> Any:
    return Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))


def _query_without_page(request: HttpRequest) -> str:
    values = request.GET.copy()
    values.pop("page", None)
    return str(values.urlencode())


# --- audit and errors


def _audit(
    request: HttpRequest,
    action: str,
    target: tuple[str, str],
    *,
    region_code: str = "",
    reason: str = "",
) -> None:
    account = request.user
    place = region_code or account.region_id
    audit_log.write(vault(), account.username, action, target, reason=reason, region_code=place)


def _audit_person(request: HttpRequest, action: str, row: Person, reason: str = "") -> None:
    audit_log.write(
        vault(),
        request.user.username,
        action,
        ("person", row.pk),
        reason=reason,
        region_code=row.region_id,
    )


# Django asks for the parameter `exception` by its name.
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    return _plain(request, 404, _("There is no such page, or it is not yours to see."))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    return _plain(request, 403, _("Your account may not open this page."))


def csrf_failed(request: HttpRequest, **_why: object) -> HttpResponse:
    return _plain(request, 403, _("The page was open too long. Please go back and try again."))


def failed(request: HttpRequest) -> HttpResponse:
    return _plain(request, 500, _("Something went wrong here. It has been noted."))


def _plain(request: HttpRequest, status: int, words: str) -> HttpResponse:
    return render(request, "console/plain.html", {"words": words}, status=status)

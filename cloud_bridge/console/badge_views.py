"""Badges for the kiosks' service screen: issued, printed, given a new PIN, revoked."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from cloud_bridge.console.forms import BadgeForm
from cloud_bridge.console.qr import drawing
from cloud_bridge.registry import audit as audit_log
from cloud_bridge.registry import badges, queries
from cloud_bridge.registry.badges import BadgeRefused, Issued, NewBadge
from cloud_bridge.registry.keyring import vault
from cloud_bridge.registry.models import Badge, StaffDeed

DEEDS_SHOWN = 20


def badge_list(request: HttpRequest) -> HttpResponse:
    """Everybody's badges, and the form for another one."""
    today = timezone.localdate()
    places = queries.badge_regions(request.user)
    last, account = badges.latest(today), request.user
    form = BadgeForm(request.POST or None, account=account, places=places, last=last, today=today)
    if request.method == "POST" and form.is_valid():
        try:
            return _shown(request, _issue(request, form.cleaned_data))
        except BadgeRefused as refused:
            form.add_error(*_why(str(refused)))
    audit_log.write(
        vault(), account.username, "badges.view", ("badges", ""), region_code=account.region_id
    )
    context = {"form": form, "rows": badges.seen_by(account), "today": today}
    return render(request, "console/badges.html", context)


def _why(word: str) -> tuple[str, str]:
    """The field at fault, and what is shown beside it."""
    if word == "full":
        return "region", _("A kiosk there has as many badges as it can hold; revoke some first.")
    return "name", _("This person has a badge there already; give a new PIN.")


def _issue(request: HttpRequest, values: dict[str, Any]) -> Issued:
    new = NewBadge(values["name"], values["role"], values["region"], values["valid_until"])
    return badges.issue(new, vault(), request.user.username, timezone.now())


@require_safe
def badge(request: HttpRequest, number: str) -> HttpResponse:
    return render(request, "console/badge.html", _context(request, _find(request, number)))


@require_POST
def reset_badge(request: HttpRequest, number: str) -> HttpResponse:
    row = _find(request, number)
    if not badges.may_give(request.user, row.role):
        raise PermissionDenied
    try:
        return _shown(request, badges.reset(row, vault(), request.user.username))
    except BadgeRefused:
        messages.warning(request, _("A revoked badge gets no new PIN; issue another badge."))
        return redirect("badge", number=row.number)


@require_POST
def revoke_badge(request: HttpRequest, number: str) -> HttpResponse:
    row = _find(request, number)
    if badges.revoke(row, vault(), request.user.username, timezone.now()):
        messages.success(request, _("The badge is revoked; connected kiosks learn it at once."))
    return redirect("badge", number=row.number)


def _shown(request: HttpRequest, issued: Issued) -> HttpResponse:
    """The one answer in which a PIN stands; no cache keeps it."""
    context = _context(request, issued.badge) | {"pin": f"{issued.pin[:3]} {issued.pin[3:]}"}
    return render(request, "console/badge.html", context)


def _find(request: HttpRequest, number: str) -> Badge:
    row: Badge | None = badges.seen_by(request.user).filter(pk=number).first()
    if row is None:
        raise Http404
    return row


def _context(request: HttpRequest, row: Badge) -> dict[str, Any]:
    deeds = StaffDeed.objects.filter(badge=row.number).select_related("device__site")
    return {
        "badge": row,
        "may_reset": badges.may_give(request.user, row.role),
        "code": drawing(badges.code_of(row)),
        "spoken_number": f"{row.number[:3]} {row.number[3:]}",
        "kiosks": badges.kiosks_of(row).order_by("kiosk_id"),
        "deeds": deeds.defer("envelope").order_by("-at")[:DEEDS_SHOWN],
        "over": row.valid_until < timezone.localdate(),
    }

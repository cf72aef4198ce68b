"""One kiosk's settings: what is wanted here beside what the kiosk says, changed, and taken back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from cloud_bridge.console.forms import SettingsForm
from cloud_bridge.registry import kiosk_settings, queries
from cloud_bridge.registry.keyring import vault
from cloud_bridge.registry.kiosk_settings import Change, SettingsRefused, UnknownVersion
from cloud_bridge.registry.models import Device, KioskSettings
from edge.domain.settings import SETTINGS

VERSIONS_SHOWN = 50


def settings(request: HttpRequest, kiosk_id: str) -> HttpResponse:
    """The page, and the form on it."""
    device = _find(request, kiosk_id)
    wanted = kiosk_settings.wanted(device)
    newest = _newest(device)
    form = SettingsForm(request.POST or None, wanted=wanted, version=newest)
    if request.method == "POST" and form.is_valid():
        if form.cleaned_data["version"] != newest:
            messages.warning(request, _("Somebody else has changed them meanwhile; look again."))
            return redirect("settings", kiosk_id=kiosk_id)
        if _changed(request, device, form):
            return redirect("settings", kiosk_id=kiosk_id)
    return render(request, "console/settings.html", _context(device, form))


def _changed(request: HttpRequest, device: Device, form: SettingsForm) -> bool:
    """False: something was refused, and each field says why."""
    change = Change(form.put(), form.drop())
    who = request.user.username
    try:
        made = kiosk_settings.apply([device], change, vault(), who, timezone.now())
    except SettingsRefused as error:
        for why in error.refused:
            form.add_error(why.key, why.detail)
        return False
    _tell(request, bool(made))
    return True


@require_POST
def go_back(request: HttpRequest, kiosk_id: str) -> HttpResponse:
    """An older version's values again, the last one's if none is named; the history only grows."""
    device = _find(request, kiosk_id)
    version = request.POST.get("version", str(kiosk_settings.previous_version(device)))
    try:
        number = int(version) if version.isdecimal() and len(version) < 16 else -1
        made = kiosk_settings.go_back(
            device, number, vault(), request.user.username, timezone.now()
        )
    except UnknownVersion as error:
        raise Http404 from error
    _tell(request, bool(made))
    return redirect("settings", kiosk_id=kiosk_id)


def _tell(request: HttpRequest, changed: bool) -> None:
    if changed:
        words = _("Changed. The kiosk takes it over when nobody is being served there.")
        messages.success(request, words)
    else:
        messages.warning(request, _("Nothing was different; nothing was changed."))


def _find(request: HttpRequest, kiosk_id: str) -> Device:
    device: Device | None = queries.devices(request.user).filter(pk=kiosk_id).first()
    if device is None:
        raise Http404
    return device


def _newest(device: Device) -> int:
    row = kiosk_settings.history(device).values_list("version", flat=True).first()
    return int(row or 0)


def _context(device: Device, form: SettingsForm) -> dict[str, Any]:
    row = KioskSettings.objects.filter(device=device).first()
    rows = kiosk_settings.history(device)[:VERSIONS_SHOWN]
    lines = kiosk_settings.lines(device)
    return {
        "device": device,
        "row": row,
        "report": row.report if row else {},
        "form": form,
        "lines": [(line, SETTINGS[line.key], form[line.key]) for line in lines if _known(line)],
        "strangers": [line for line in lines if not _known(line)],
        "refused": [line for line in lines if line.refused],
        "versions": rows,
        "newest": _newest(device),
        "previous": kiosk_settings.previous_version(device),
    }


def _known(line: kiosk_settings.Line) -> bool:
    return line.key in SETTINGS

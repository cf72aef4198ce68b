"""Pages for everybody: whether a receipt is genuine, where a kiosk is, when somebody is due.

No cookie, no script, nothing kept of who asks. The code of a receipt comes by POST, so that it
stands in no address and no log.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from cloud_bridge.console.addresses import address_of
from cloud_bridge.registry import keyring, limits, places, receipts
from cloud_bridge.registry.limits import Limit
from cloud_bridge.registry.models import Region
from cloud_bridge.registry.receipts import Seen

FROM_ONE_ADDRESS = Limit(burst=10, every_s=6)
WRONG_FROM_ALL = Limit(burst=600, every_s=0.5)
"""Codes that were not confirmed, from everybody together."""
KEPT_S = 30
"""The list of kiosks is made so seldom, however many ask."""


def in_language(request: HttpRequest, template: str, values: dict[str, Any]) -> HttpResponse:
    """A page in the language that its address asks for; no cookie remembers it."""
    asked = request.GET.get("lang", "")
    known = [code for code, _name in settings.LANGUAGES]
    language = asked if asked in known else translation.get_language()
    with translation.override(language):
        response = render(request, template, values | {"tongues": _tongues(request)})
    response["Content-Language"] = language
    return response


def _tongues(request: HttpRequest) -> list[tuple[str, str, str]]:
    """Code, own name and address of this page in each language."""
    told = []
    for code, name in settings.LANGUAGES:
        query = request.GET.copy()
        query["lang"] = code
        told.append((code, name, f"?{query.urlencode()}"))
    return told


# The form changes nothing and there is no session to ride on: a token would need a cookie.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def receipt(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return in_language(request, "console/public_receipt.html", {})
    now = timezone.now()
    wait = _may_try(request, now)
    if wait:
        response = in_language(request, "console/public_receipt.html", {"wait": wait})
        response.status_code, response["Retry-After"] = 429, str(wait)
        return response
    seen = _checked(request.POST.get("code", ""), now)
    values = {"asked": True, "seen": seen}
    return in_language(request, "console/public_receipt.html", values)


def _may_try(request: HttpRequest, now: datetime) -> int:
    """Seconds to wait; 0 counts as a try from this address."""
    from_all = limits.wait_s("receipts", WRONG_FROM_ALL, now)
    return from_all or limits.take(f"receipts {address_of(request)}", FROM_ONE_ADDRESS, now)


def _checked(text: str, now: datetime) -> Seen | None:
    seen = receipts.check(text.strip(), keyring.sign_pub())
    if seen is None:
        limits.take("receipts", WRONG_FROM_ALL, now)
    return seen


@require_safe
def published_key(_request: HttpRequest) -> HttpResponse:
    """With it anybody checks receipts without a network and without us."""
    response = HttpResponse(keyring.published(), content_type="text/plain")
    response["Content-Disposition"] = 'attachment; filename="registry-sign.pub"'
    return response


@require_safe
def kiosks(request: HttpRequest) -> HttpResponse:
    counties = cache.get_or_set("public-counties", places.counties, KEPT_S)
    code = request.GET.get("region", "")
    chosen = next((region for region in counties if region.code == code), None)
    if chosen is None and len(counties) == 1:
        chosen = counties[0]
    found = _near(chosen) if chosen else []
    values = {"counties": counties, "chosen": chosen, "places": found}
    return in_language(request, "console/public_kiosks.html", values)


def _near(region: Region) -> list[places.Place]:
    found: list[places.Place] = cache.get_or_set(
        f"public-kiosks-{region.code}", lambda: places.near(region), KEPT_S
    )
    return found


@require_safe
def due(request: HttpRequest) -> HttpResponse:
    return in_language(request, "console/public_due.html", {})

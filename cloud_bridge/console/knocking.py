"""Who is at the door, and how often they were wrong.

A try counts against three things. The account: after five wrong ones it is locked for a
quarter of an hour. The address: beyond a number of wrong ones it has to wait between two tries.
And a browser in which somebody has signed in to this account before carries a signed cookie and
is counted by itself: neither of the two others stops it, so nobody locks an office out of its
own work by being wrong in its name.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core import signing
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from cloud_bridge.console.addresses import address_of
from cloud_bridge.registry import audit, limits
from cloud_bridge.registry.keyring import vault
from cloud_bridge.registry.limits import Limit
from cloud_bridge.registry.models import Account

FROM_ONE_ADDRESS = Limit(burst=20, every_s=10)
IN_ONE_BROWSER = Limit(burst=5, every_s=180)
COOKIE = "jianzai_browser"
COOKIE_DAYS = 180
KNOWN_ACCOUNTS = 8  # of one browser: an office's machine has several clerks
_SALT = "jianzai known browser"


def wait_s(request: HttpRequest, account: Account | None) -> int:
    """Seconds until another try is looked at; 0 if it is now."""
    now = timezone.now()
    if account is not None and _known(request, account):
        return limits.wait_s(_browser_key(request, account), IN_ONE_BROWSER, now)
    return limits.wait_s(_address_key(request), FROM_ONE_ADDRESS, now)


def is_locked(request: HttpRequest, account: Account) -> bool:
    if _known(request, account):
        return wait_s(request, account) > 0
    return bool(account.locked_until and account.locked_until > timezone.now())


def was_wrong(request: HttpRequest, account: Account | None) -> None:
    """Count a wrong password or code."""
    now = timezone.now()
    if account is None:
        limits.take(_address_key(request), FROM_ONE_ADDRESS, now)
        return
    _write(account, "sign-in.failed")
    if _known(request, account):
        limits.take(_browser_key(request, account), IN_ONE_BROWSER, now)
        return
    limits.take(_address_key(request), FROM_ONE_ADDRESS, now)
    _count(account)


def was_right(account: Account) -> None:
    """Password and second factor: what went before is forgotten."""
    Account.objects.filter(pk=account.pk).update(failed_tries=0, locked_until=None)


def remember(request: HttpRequest, response: HttpResponse, account: Account) -> None:
    """Let this browser be known: it opens nothing, it is only counted by itself."""
    said = _said(request)
    known = {str(account.pk): account.door_stamp}
    others = {pk: stamp for pk, stamp in said.get("known", {}).items() if pk not in known}
    kept = dict(list(others.items())[-(KNOWN_ACCOUNTS - 1) :])
    value = {"browser": said.get("browser") or secrets.token_hex(16), "known": kept | known}
    response.set_cookie(
        COOKIE,
        signing.dumps(value, salt=_SALT),
        max_age=timedelta(days=COOKIE_DAYS),
        httponly=True,
        samesite="Strict",
        secure=bool(settings.SESSION_COOKIE_SECURE),
    )


def _count(account: Account) -> None:
    Account.objects.filter(pk=account.pk).update(failed_tries=F("failed_tries") + 1)
    account.refresh_from_db()
    if account.failed_tries >= settings.LOCKOUT_TRIES:
        until = timezone.now() + timedelta(minutes=settings.LOCKOUT_MINUTES)
        Account.objects.filter(pk=account.pk).update(failed_tries=0, locked_until=until)
        _write(account, "sign-in.locked")


def _write(account: Account, action: str) -> None:
    target = ("account", account.username)
    audit.write(vault(), account.username, action, target, region_code=account.region_id)


def _known(request: HttpRequest, account: Account) -> bool:
    """Until the account's sessions were ended: a password that was reset starts afresh."""
    return bool(_said(request).get("known", {}).get(str(account.pk)) == account.door_stamp)


def _said(request: HttpRequest) -> dict[str, Any]:
    try:
        value: dict[str, Any] = signing.loads(
            request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=timedelta(days=COOKIE_DAYS)
        )
    except signing.BadSignature:
        return {}
    return value


def _browser_key(request: HttpRequest, account: Account) -> str:
    return f"browser {_said(request)['browser']} {account.pk}"


def _address_key(request: HttpRequest) -> str:
    return f"door {address_of(request)}"

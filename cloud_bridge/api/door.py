"""Who may ask what. An operation that names no scope is closed to everybody."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import unquote

from django.http import HttpRequest
from django.utils import timezone
from ninja.errors import AuthorizationError, HttpError, Throttled
from ninja.security import HttpBearer

from cloud_bridge.console.addresses import address_of
from cloud_bridge.registry import api_clients, audit
from cloud_bridge.registry.keyring import vault
from cloud_bridge.registry.limits import Limit, take, wait_s
from cloud_bridge.registry.models import ApiClient

ANY = ""
"""Scope of an operation that every client may use."""
WRONG_KEYS = Limit(burst=10, every_s=30)
"""From one address. A key has 256 random bits: this only keeps the noise away."""
CALLS = Limit(burst=120, every_s=0.2)
LOOKUPS = Limit(burst=60, every_s=2)
"""Questions with an id number: each is a try whether a number is known here."""
_REASON_CHARACTERS = range(4, 201)


class Key(HttpBearer):
    """`Authorization: Bearer jz_…`; the answer is the `ApiClient`."""

    def __init__(self, scope: str | None) -> None:
        super().__init__()
        self.scope = scope

    def __call__(self, request: HttpRequest) -> ApiClient | None:
        """A wrong, a revoked and a missing key are told alike, and counted alike."""
        now = timezone.now()
        tries = f"api key {address_of(request)}"
        if wait := wait_s(tries, WRONG_KEYS, now):
            raise Throttled(wait)
        client = super().__call__(request)
        if client is None:
            take(tries, WRONG_KEYS, now)
            return None
        return self._let_in(client)

    def authenticate(self, _request: HttpRequest, token: str) -> ApiClient | None:
        return api_clients.by_key(token)

    def _let_in(self, client: ApiClient) -> ApiClient:
        now = timezone.now()
        if wait := take(f"api calls {client.pk}", CALLS, now):
            raise Throttled(wait)
        if self.scope is None or (self.scope and self.scope not in client.scopes):
            raise AuthorizationError(message=f"this key lacks the scope {self.scope or '?'}")
        if client.used_at is None or client.used_at < now - timedelta(minutes=1):
            ApiClient.objects.filter(pk=client.pk).update(used_at=now)
        return client


def count_lookup(client: ApiClient) -> None:
    if wait := take(f"api lookups {client.pk}", LOOKUPS, timezone.now()):
        raise Throttled(wait)


def reason_of(request: HttpRequest) -> str:
    """The header `X-Reason`, percent-encoded UTF-8; empty if there is none."""
    if "X-Reason" not in request.headers:
        return ""
    reason = unquote(request.headers["X-Reason"]).strip()
    if len(reason) not in _REASON_CHARACTERS or not reason.isprintable():
        raise HttpError(400, "X-Reason: 4 to 200 printable characters, percent-encoded UTF-8")
    return reason


def write(
    client: ApiClient, action: str, target: tuple[str, str], region_code: str = "", reason: str = ""
) -> None:
    """Into the audit log, in the client's name."""
    place = region_code or client.region_id
    audit.write(vault(), f"api {client.name}", action, target, reason=reason, region_code=place)

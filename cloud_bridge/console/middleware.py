"""Around every answer: a strict content policy, the door, and how long one may stay inside."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from cloud_bridge.console import access
from cloud_bridge.console.apps import SIGNED_IN_AT
from cloud_bridge.registry import second_factor
from cloud_bridge.registry.models import Account

GetResponse = Callable[[HttpRequest], HttpResponse]

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def content_policy(get_response: GetResponse) -> GetResponse:
    """Nothing inline, nothing from elsewhere; pages stay in no cache."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response["Content-Security-Policy"] = CONTENT_POLICY
        response["X-Frame-Options"] = "DENY"  # for browsers that do not know frame-ancestors
        response["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
        if "Cache-Control" not in response:
            response["Cache-Control"] = "no-store"
        return response

    return middleware


class AccessMiddleware:
    """Asks `access.PAGES` before any view runs.

    A session ends after `SESSION_LONGEST_S` whatever is clicked. Whoever still has to choose a
    password or a phone opens nothing else.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_view(self, request: HttpRequest, *_view: object) -> HttpResponse | None:
        page = request.resolver_match.view_name
        if request.resolver_match.namespace in access.OWN_DOORS:
            return None
        if page in access.PUBLIC:
            return None
        if request.user.is_authenticated and _too_long(request):
            auth.logout(request)
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not access.may_open(request.user.role, page):
            raise PermissionDenied
        duty = _duty(request.user)
        if duty and page not in (duty, "sign-out"):
            return redirect(duty)
        request.has_duty = bool(duty)
        return None


def _too_long(request: HttpRequest) -> bool:
    since = request.session.get(SIGNED_IN_AT, 0)
    return bool(timezone.now().timestamp() - since > settings.SESSION_LONGEST_S)


def _duty(account: Account) -> str:
    """The page that has to be dealt with before any other."""
    if account.must_change:
        return "own-password"
    if settings.SECOND_FACTOR_REQUIRED and not second_factor.has(account):
        return "own-factor"
    return ""

"""Somebody registered as dead stood before a kiosk: told on every page, without loading it anew."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from cloud_bridge.console.access import may_open
from cloud_bridge.registry import queries
from cloud_bridge.registry.models import Task

SHOWN = 3
EVERY_S = 20
"""How often an open page asks."""


@require_safe
def alerts(request: HttpRequest) -> HttpResponse:
    """The words that stand above every page; asking for them is no sign of anybody's presence."""
    response = render(request, "console/alerts.html", {"alerts": _alerts(request)})
    response.asked_by_itself = True
    return response


def context(request: HttpRequest) -> dict[str, Callable[[], Any] | int]:
    """Context processor; the question is only put where a page shows the answer."""
    return {"alerts": partial(_alerts, request), "alerts_every_s": EVERY_S}


def _alerts(request: HttpRequest) -> dict[str, Any] | None:
    """None for those who are not asked; else the newest tasks, and how many there are."""
    if not may_open(getattr(getattr(request, "user", None), "role", ""), "alerts"):
        return None
    urgent = queries.tasks(request.user).filter(state=Task.State.OPEN, urgent=True)  # few
    rows = urgent.filter(kind=Task.Kind.ALIVE)
    newest = list(rows.order_by("-created_at", "-pk")[: SHOWN + 1])
    return {"tasks": newest[:SHOWN], "more": len(newest) > SHOWN}


class QuietSessionMiddleware(SessionMiddleware):
    """What a page asks by itself does not keep its session alive."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if getattr(response, "asked_by_itself", False):
            return response
        return super().process_response(request, response)

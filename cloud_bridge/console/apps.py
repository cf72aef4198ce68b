from __future__ import annotations

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest
from django.utils import timezone

SIGNED_IN_AT = "signed_in_at"


class ConsoleConfig(AppConfig):
    name = "cloud_bridge.console"

    def ready(self) -> None:
        user_logged_in.connect(_note_the_hour)


def _note_the_hour(request: HttpRequest, **_details: object) -> None:
    """Every session knows when it began, however it came about."""
    request.session[SIGNED_IN_AT] = timezone.now().timestamp()

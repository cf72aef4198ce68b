"""Files that people send: kept in memory, and no larger than their page can use."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import HttpRequest

_FORM_BYTES = 64 * 1024
"""What a form holds besides its files."""


class InMemory(MemoryFileUploadHandler):
    """Names and numbers are never written to a disk before they are sealed."""

    def handle_raw_input(self, *_args: Any, **_details: Any) -> None:
        self.activated = True


def take(request: HttpRequest, most_bytes: int) -> bool:
    """To be called before the form is read; False if it is too large to be read at all."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > most_bytes + _FORM_BYTES:
        request.upload_handlers = []
        return False
    request.upload_handlers = [InMemory(request)]
    return True

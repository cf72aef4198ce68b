"""The tree over the broker, by way of the sync process and its socket (`edge.sync.courier`)."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from edge.update.fetch import FetchError, NotThere

ANSWER_S = 45.0
"""A little longer than the sync process itself waits."""
_LINE_BYTES = 400


class _Both(Protocol):
    """A socket as a file, both ways."""

    def readline(self, limit: int, /) -> bytes: ...

    def read(self, count: int, /) -> bytes: ...

    def write(self, line: bytes, /) -> int: ...

    def flush(self) -> None: ...


class BrokerTree:
    """One question at a time; slow, and enough by itself."""

    name = "mqtt"

    def __init__(self, path: Path) -> None:
        self._path = path

    def fetch(self, path: str, offset: int = 0) -> Iterator[bytes]:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                line.settimeout(ANSWER_S)
                line.connect(str(self._path))
                with line.makefile("rwb") as both:
                    yield from _pieces(both, path, offset)
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise FetchError(f"the sync process does not answer ({why})") from error


def _pieces(both: _Both, path: str, offset: int) -> Iterator[bytes]:
    while True:
        both.write(json.dumps({"path": path, "offset": offset}).encode() + b"\n")
        both.flush()
        head = _head(both)
        if "failed" in head:
            raise FetchError(f"{path}: {head['failed']}")
        if not head["there"]:
            raise NotThere(path)
        content = both.read(head["length"])
        if len(content) != head["length"]:
            raise FetchError(f"{path}: the sync process hung up")
        offset += len(content)
        yield content
        if head["end"] or not content:
            return


def _head(both: _Both) -> dict[str, Any]:
    try:
        found = json.loads(both.readline(_LINE_BYTES))
    except ValueError as error:
        raise FetchError("the sync process hung up") from error
    if not isinstance(found, dict):
        raise FetchError("the sync process says something odd")
    return found

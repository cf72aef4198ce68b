"""Fetches pieces of releases for the update process, which has no line of its own to the broker.

One broker certificate makes one connection, and that one carries records. So the updater asks
over a Unix socket in the kiosk's run folder, one piece at a time, and this passes the question on
whenever no record waits. The socket's file mode says who may ask.

    → {"path": "targets/app/…", "offset": 0}\n
    ← {"there": true, "end": false, "length": 98304}\n and so many bytes
    ← {"failed": "no link"}\n
"""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edge.domain.errors import WireError
from edge.wire.fetching import Chunk, Fetch, fetch_body, is_path, parse_chunk

_log = logging.getLogger(__name__)

ANSWER_S = 30.0
"""How long one piece may take; then the updater is told that there is no link."""
EXPIRES_S = 30
LINE_BYTES = 400


@dataclass(slots=True)
class Errand:
    """One piece that was asked for."""

    question: bytes
    errand_id: bytes = field(default_factory=lambda: uuid.uuid4().hex.encode())
    sent: bool = False
    chunk: Chunk | None = None
    done: threading.Event = field(default_factory=threading.Event)


class Courier:
    """`errand` and `answered` are for the sync loop; a thread of its own serves the socket."""

    def __init__(self, path: Path, answer_s: float = ANSWER_S) -> None:
        self._path = path
        self._answer_s = answer_s
        self._lock = threading.Lock()
        self._open: Errand | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="courier", daemon=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    def start(self) -> None:
        self._path.unlink(missing_ok=True)
        self._socket.bind(str(self._path))
        os.chmod(self._path, 0o660)
        self._socket.listen(1)
        self._socket.settimeout(0.2)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        errand = self._open
        if errand is not None:
            errand.done.set()
        self._thread.join()
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def errand(self) -> Errand | None:
        """What is to be asked now, if anything."""
        with self._lock:
            return self._open if self._open and not self._open.sent else None

    def lost(self) -> None:
        """The connection is gone and with it the question: it is asked again on the next one."""
        with self._lock:
            if self._open:
                self._open.sent = False

    def answered(self, errand_id: bytes, payload: bytes) -> bool:
        """Whether it was asked for. Raises `WireError` if it is no chunk."""
        chunk = parse_chunk(payload)
        with self._lock:
            errand = self._open
            if errand is None or errand.errand_id != errand_id:
                return False
            errand.chunk = chunk
        errand.done.set()
        return True

    # --- the socket's thread

    def _serve(self) -> None:
        while not self._stop.is_set():
            try:
                client, _ = self._socket.accept()
            except TimeoutError:
                continue
            with client:
                client.settimeout(self._answer_s)
                try:
                    self._talk(client)
                except OSError as error:
                    _log.info("courier=hung_up reason=%s", type(error).__name__)

    def _talk(self, client: socket.socket) -> None:
        with client.makefile("rb") as lines:
            while not self._stop.is_set() and (line := lines.readline(LINE_BYTES)):
                client.sendall(self._answer(line))

    def _answer(self, line: bytes) -> bytes:
        try:
            wanted = json.loads(line)
            path, offset = wanted["path"], wanted["offset"]
            if not (isinstance(path, str) and is_path(path) and type(offset) is int):
                raise WireError("socket", "not a question of ours")
        except (ValueError, KeyError, TypeError, WireError):
            return _line({"failed": "not understood"})
        chunk = self._run(Errand(fetch_body(Fetch(path, offset))))
        if chunk is None:
            return _line({"failed": "no link"})
        head = {"there": chunk.there, "end": chunk.end, "length": len(chunk.content)}
        return _line(head) + chunk.content

    def _run(self, errand: Errand) -> Chunk | None:
        with self._lock:
            self._open = errand
        errand.done.wait(self._answer_s)
        with self._lock:
            self._open = None
        return errand.chunk


def _line(fields: Mapping[str, object]) -> bytes:
    return json.dumps(fields).encode() + b"\n"

"""Between the update process and the broker: assignments in, states and questions out.

The two processes share one folder: `assignment.bin` is written here and read there, `state.json`
the other way round, each as a whole; pieces of releases go over the courier's socket.
"""

from __future__ import annotations

import os
from pathlib import Path

from edge.domain.errors import StoreError, WireError
from edge.sync.courier import Courier, Errand
from edge.wire.releases import parse_assignment
from edge.wire.updates import parse_state, state_body

ASSIGNMENT, STATE, SOCKET = "assignment.bin", "state.json", "fetch.sock"
MAX_STATE_BYTES = 1000
BUSY_S = 1.0


class UpdateExchange:
    """One folder; the sync loop's thread uses it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._courier = Courier(folder / SOCKET)
        self._read_at_ns = -1
        self._state = b""
        self._asked_s = -BUSY_S

    def start(self) -> None:
        self._courier.start()

    def stop(self) -> None:
        self._courier.stop()

    def take(self, body: bytes, payload: bytes) -> None:
        """Keep an assignment as it was signed. Raises `WireError`, `StoreError`."""
        parse_assignment(body)
        draft = self._folder / f".{ASSIGNMENT}.new"
        try:
            with draft.open("wb") as file:
                file.write(payload)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._folder / ASSIGNMENT)
        except OSError as error:
            raise StoreError(f"{ASSIGNMENT}: {error.strerror}") from error

    def state(self) -> bytes:
        """What the updater last said, as it goes out; nothing if it said nothing sound."""
        path = self._folder / STATE
        try:
            changed_ns = path.stat().st_mtime_ns
            if changed_ns != self._read_at_ns:
                self._read_at_ns = changed_ns
                self._state = state_body(parse_state(path.read_bytes()[:MAX_STATE_BYTES]))
        except (OSError, WireError):
            self._state = b""
        return self._state

    def errand(self) -> Errand | None:
        return self._courier.errand()

    def answered(self, errand_id: bytes, payload: bytes) -> bool:
        return self._courier.answered(errand_id, payload)

    def asked(self, now_s: float) -> None:
        """A piece was asked for just now."""
        self._asked_s = now_s

    def is_busy(self, now_s: float) -> bool:
        """Whether the next piece is likely to be asked for at once."""
        return now_s - self._asked_s < BUSY_S

    def link_lost(self) -> None:
        self._courier.lost()

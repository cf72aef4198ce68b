"""The loop of the sync process: send what is due, file what comes, say how the link is."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.domain.errors import StoreError
from edge.domain.health import DeviceState
from edge.domain.timebase import NS_PER_S, TimeSource
from edge.ports import Link, Outbox, OutboxRow
from edge.sync.publisher import Pace, Window, resend_after_s
from edge.sync.receiver import Inbox, Receiver
from edge.wire import messages, topics

_log = logging.getLogger(__name__)

TICK_S = 0.5
"""How long a new record may lie before it is looked for."""


@dataclass(frozen=True, slots=True)
class SyncSettings:
    """All the sync process needs; no private key but the one of its TLS certificate."""

    kiosk_id: str
    database: Path
    host: str
    port: int
    ca: Path
    cert: Path
    key: Path
    registry_verify_key: Path
    software: str


class LinkNote(Protocol):
    """Where the kiosk process reads whether the link is up."""

    def link_seen(self) -> None: ...

    def link_lost(self) -> None: ...


def _spread() -> float:
    return random.uniform(0.5, 1.5)


class SyncService:
    """One thread drives it; tests call `step` and bring their own link, times and spread."""

    def __init__(
        self,
        outbox: Outbox,
        inbox: Inbox,
        state: LinkNote,
        link: Link,
        registry_key: Ed25519PublicKey,
        kiosk_id: str,
        times: TimeSource,
        *,
        pace: Pace | None = None,
        spread: Callable[[], float] = _spread,
        health: Callable[[], Sequence[DeviceState]] = tuple,
    ) -> None:
        self._outbox = outbox
        self._state = state
        self._link = link
        self._times = times
        self._pace = pace or Pace()
        self._spread = spread
        self._receiver = Receiver(kiosk_id, registry_key, outbox, inbox)
        self._topic = topics.topic(kiosk_id, topics.RECORD)
        self._health = health
        self._health_topic = topics.topic(kiosk_id, topics.HEALTH)
        self._health_told = b""  # on this connection
        self._window = Window(self._pace.window)
        self._noted_s: float | None = None  # when the link was last noted as up
        self._disk_ok = True

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set. The disk may fail meanwhile; that is logged once and tried again."""
        self._link.start()
        try:
            while not stop.is_set():
                self._guarded_step(stop)
        finally:
            self._link.stop()
            self._note_link()

    def step(self, wait_s: float) -> None:
        """Send what may be sent, then wait for one message and file it. Raises `StoreError`."""
        self._note_link()
        self._tell_health()
        self._send_due()
        message = self._link.incoming(wait_s)
        if message is not None:
            for record_id in self._receiver.take(message):
                self._window.answered(record_id)

    def _guarded_step(self, stop: threading.Event) -> None:
        try:
            self.step(TICK_S)
        except StoreError as error:
            if self._disk_ok:
                _log.error("disk=failing reason=%s", error)
            self._disk_ok = False
            stop.wait(TICK_S)
        else:
            if not self._disk_ok:
                _log.info("disk=working")
            self._disk_ok = True

    def _send_due(self) -> None:
        room = self._window.room(self._now_s()) if self._link.connected() else 0
        for row in self._outbox.due(room) if room else ():
            if not self._send(row):
                return

    def _send(self, row: OutboxRow) -> bool:
        if not self._link.publish(self._topic, row.payload):
            return False
        wait_s = resend_after_s(row.attempts, self._pace, self._spread())
        self._window.sent(row.record_id, self._now_s() + wait_s)
        self._outbox.tried(row.record_id, wait_s)
        _log.info("sent=%s attempt=%d", row.record_id, row.attempts + 1)
        return True

    def _tell_health(self) -> None:
        """Once on each connection and once per change; nothing before any device was heard of."""
        if not self._link.connected():
            self._health_told = b""
            return
        states = self._health()
        body = messages.health_body(states)
        if not states or body == self._health_told:
            return
        if self._link.publish(self._health_topic, body, retain=True):
            self._health_told = body

    def _note_link(self) -> None:
        """Renewed now and then only: every note is a write to the card."""
        if self._link.connected():
            now_s = self._now_s()
            if self._noted_s is None or now_s - self._noted_s >= self._pace.link_note_s:
                self._state.link_seen()
                self._noted_s = now_s
        elif self._noted_s is not None:
            self._state.link_lost()
            self._noted_s = None

    def _now_s(self) -> float:
        return self._times.mono_ns() / NS_PER_S

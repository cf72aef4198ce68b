"""The loop of the sync process: send what is due, file what comes, say how the link is."""

from __future__ import annotations

import logging
import math
import random
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.domain.errors import StoreError
from edge.domain.health import DeviceState
from edge.domain.record import RecordId
from edge.domain.timebase import NS_PER_S, TimeSource
from edge.ports import Incoming, Link, Outbox, OutboxRow
from edge.sync.publisher import Pace, Window, resend_after_s
from edge.sync.receiver import Inbox, Letters, Receiver
from edge.sync.settings import SettingsKeeper
from edge.sync.updates import UpdateExchange
from edge.wire import messages, topics

_log = logging.getLogger(__name__)

TICK_S = 0.5
"""How long a new record may lie before it is looked for."""
SHORT_S = 0.01
"""How long the broker may take to confirm some of a full window."""
MESSAGES_AT_ONCE = 50


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
    keepalive_s: int
    updates: Path | None = None  # the folder shared with the update process


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
        letters: Letters | None = None,
        settings: SettingsKeeper | None = None,
        is_replaced: Callable[[], bool] = bool,
        updates: UpdateExchange | None = None,
    ) -> None:
        self._outbox = outbox
        self._state = state
        self._link = link
        self._times = times
        self._pace = pace or Pace()
        self._spread = spread
        self._receiver = Receiver(kiosk_id, registry_key, outbox, inbox, letters, settings, updates)
        self._settings = settings
        self._is_replaced = is_replaced  # the database: what was subscribed to went with it
        self._settings_topic = topics.topic(kiosk_id, topics.REPORTED)
        self._settings_told = b""  # on this connection
        self.start_again = False
        """True when settings have changed that only a new start of this process takes over."""
        self._letters = letters
        self._updates = updates
        self._update_topic = topics.topic(kiosk_id, topics.UPDATE)
        self._fetch_topic = topics.topic(kiosk_id, topics.FETCH)
        self._update_told = b""  # on this connection
        self._kiosk_id = kiosk_id
        self._topic = topics.topic(kiosk_id, topics.RECORD)
        self._health = health
        self._health_topic = topics.topic(kiosk_id, topics.HEALTH)
        self._health_told = b""  # on this connection
        self._window = Window(self._pace.window)
        self._noted_s: float | None = None  # when the link was last noted as up
        self._up = False
        self._backlog_to = 0  # place in the chain up to which rows are backlog, those above live
        self._unfiled: Incoming | None = None
        self._disk_ok = True
        self._bug = ""

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set. The disk may fail meanwhile; that is logged once and tried again."""
        self._link.start()
        if self._updates is not None:
            self._updates.start()
        try:
            while not (stop.is_set() or self.start_again or self._is_replaced()):
                self._guarded_step(stop)
        finally:
            self._link.stop()
            self._note_link()
            if self._updates is not None:
                self._updates.stop()

    def step(self, wait_s: float) -> None:
        """Send what may be sent, then wait for messages and file them. Raises `StoreError`."""
        self._note_link()
        self._divide_lanes()
        self._tell_health()
        self._tell_settings()
        self._send_letters()
        more = self._send_due()
        if not more:
            self._about_updates()
        fetching = self._updates is not None and self._updates.is_busy(self._now_s())
        self._take_in(SHORT_S if more or fetching else wait_s)

    def _take_in(self, wait_s: float) -> None:
        """Wait for a message and file it and those behind it; one that the disk did not take
        stays for the next step, because the broker will not send it again."""
        for _ in range(MESSAGES_AT_ONCE):
            self._unfiled = self._unfiled or self._link.incoming(wait_s)
            if self._unfiled is None:
                return
            for record_id in self._receiver.take(self._unfiled):
                self._window.answered(record_id)
            self._unfiled, wait_s = None, 0

    def _guarded_step(self, stop: threading.Event) -> None:
        try:
            self.step(TICK_S)
        except StoreError as error:
            if self._disk_ok:
                _log.error("disk=failing reason=%s", error)
            self._disk_ok = False
            stop.wait(TICK_S)
        except Exception as error:  # noqa: BLE001  top of the thread: a bug must not end it
            self._unfiled = None  # it may be what the bug is about
            self._tell_bug(error)
            stop.wait(TICK_S)
        else:
            if not self._disk_ok:
                _log.info("disk=working")
            self._disk_ok = True

    def _tell_bug(self, error: Exception) -> None:
        """By type and place; the message stays out, it may quote somebody. Once in a row."""
        where = traceback.extract_tb(error.__traceback__)[-1]
        bug = f"type={type(error).__name__} at={where.name}:{where.lineno}"
        if bug != self._bug:
            _log.error("sync=error %s", bug)
        self._bug = bug

    def _divide_lanes(self) -> None:
        """When the link comes: more than a window of rows is a backlog, what follows is live."""
        up, self._up = self._up, self._link.connected()
        if self._up and not up and self._outbox.waiting(self._backlog_to) > self._pace.window:
            self._backlog_to = self._outbox.newest()

    def _due(self) -> Sequence[OutboxRow]:
        """Live rows, then the oldest of the backlog; the reserve is not for those."""
        room = self._window.room(self._now_s()) if self._up else 0
        if not room:
            return ()
        live = self._outbox.due(room, after=self._backlog_to)
        room -= len(live) + self._pace.reserve
        if room <= 0:
            return live
        rows = {row.record_id: row for row in (*live, *self._outbox.due(room))}
        return tuple(rows.values())

    def _send_due(self) -> bool:
        """Whether rows are left that the link had no room for just now."""
        waits_s: dict[RecordId, float] = {}
        rows = self._due()
        for row in rows:
            if not self._link.publish(self._topic, row.payload):
                break
            waits_s[row.record_id] = resend_after_s(row.attempts, self._pace, self._spread())
            _log.info("sent=%s attempt=%d", row.record_id, row.attempts + 1)
        if waits_s:
            self._note_sent(waits_s)
        return len(waits_s) < len(rows)

    def _note_sent(self, waits_s: Mapping[RecordId, float]) -> None:
        now_s = self._now_s()
        for record_id, wait_s in waits_s.items():
            self._window.sent(record_id, now_s + min(wait_s, self._pace.answer_s))
        with self._outbox.at_once():
            for record_id, wait_s in waits_s.items():
                self._outbox.tried(record_id, wait_s)

    def _send_letters(self) -> None:
        if not self._up or self._letters is None:
            return
        for letter in self._letters.unsent():
            topic = topics.topic(self._kiosk_id, letter.leaf)
            expires_s = math.ceil(letter.left_s)
            correlation = letter.letter_id.encode()
            if not self._link.request(topic, letter.payload, correlation, expires_s):
                return
            self._letters.sent(letter.letter_id)
            _log.info("letter=%s leaf=%s", letter.letter_id, letter.leaf)

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

    def _tell_settings(self) -> None:
        """Once on each connection and once per change."""
        if self._settings is None:
            return
        self.start_again = self._settings.turn()
        report = self._settings.report
        if not self._link.connected():
            self._settings_told = b""
            return
        if not report or report == self._settings_told:
            return
        if self._link.publish(self._settings_topic, report, retain=True):
            self._settings_told = report

    def _about_updates(self) -> None:
        """After the records: what the updater says, and the piece it asks for."""
        if self._updates is None:
            return
        if not self._link.connected():
            self._update_told = b""
            self._updates.link_lost()
            return
        state = self._updates.state()
        news = state and state != self._update_told
        if news and self._link.publish(self._update_topic, state, retain=True):
            self._update_told = state
        errand = self._updates.errand()
        if errand and self._link.request(
            self._fetch_topic, errand.question, errand.errand_id, messages.FETCH_S
        ):
            errand.sent = True
            self._updates.asked(self._now_s())

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

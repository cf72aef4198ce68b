"""What is done about a clock that was not believed: said later, in a signed record of its own.

A record that was signed is never written again. When the clock is set by the network in the
same boot, one more record says what time it really was: the time since boot, which every
record has, leads from there to all the others of that boot.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Protocol

from edge.app.ids import new_record_id
from edge.app.seal import DeviceSeal
from edge.domain.timebase import ClockTrust, Stamp, TimeSource
from edge.ports import Journal
from edge.store.database import Database
from edge.wire import messages
from edge.wire.notices import ClockCorrection, notice_body

log = logging.getLogger("edge.clock")

ERR_MS = 1000
"""How far off a clock may be that was set over a bad line; timesyncd is mostly far better."""

_SET = (ClockTrust.NTP, ClockTrust.SIGNED)
_NS_PER_MS = 1_000_000


class Chain(Journal, Protocol):
    """Where corrections go, and the file in which is noted that one is owed."""

    database: Database


class TimeKeeper:
    """The session thread alone uses this. All methods raise `StoreError`."""

    def __init__(self, disk: Chain, times: TimeSource, seal: DeviceSeal) -> None:
        self._disk = disk
        self._times = times
        self._seal = seal

    def note(self, stamp: Stamp) -> None:
        """A record was written with this time; if it is not sure, a correction is owed."""
        if stamp.trust not in _SET and self._owed() is None:
            value = json.dumps([stamp.boot_id, _base_ms(stamp)])
            self._put("clock_owed", value)

    def correct(self) -> None:
        """Write the correction that is owed, if the clock is right by now."""
        owed = self._owed()
        now = self._times.now()
        if owed is None or (owed[0] == now.boot_id and now.trust not in _SET):
            return
        if owed[0] == now.boot_id:
            self._write(now, _base_ms(now) - owed[1])
        self._put("clock_owed", "")  # of an earlier boot nothing will ever be known

    def floor(self) -> datetime | None:
        """A time that has certainly passed, from an earlier boot."""
        value = self._get("time_floor")
        return datetime.fromisoformat(value) if value else None

    def note_floor(self, now: Stamp) -> None:
        """Only what the network said: a wrong clock in the future would never be got rid of."""
        if now.trust in _SET:
            self._put("time_floor", now.utc.astimezone(UTC).isoformat())

    def _write(self, now: Stamp, offset_ms: int) -> None:
        record_id = new_record_id()
        correction = ClockCorrection(
            now.boot_id, now.boot_ns, now.iso, now.trust.value, offset_ms, ERR_MS
        )
        body = notice_body(correction)
        self._disk.commit(
            record_id,
            messages.CLOCK,
            lambda position: self._seal.notice(messages.CLOCK, record_id, body, position),
        )
        log.info("clock=corrected offset_ms=%d", offset_ms)

    def _owed(self) -> tuple[str, int] | None:
        value = self._get("clock_owed")
        if not value:
            return None
        boot_id, base_ms = json.loads(value)
        return str(boot_id), int(base_ms)

    def _get(self, name: str) -> str:
        row = self._disk.database.row("SELECT value FROM state WHERE name = ?", [name])
        return str(row[0]) if row else ""

    def _put(self, name: str, value: str) -> None:
        with self._disk.database.write() as db:
            db.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", [name, value])


def _base_ms(stamp: Stamp) -> int:
    """When this boot began, by the clock of this moment: changes only when the clock is set."""
    return int(stamp.utc.timestamp() * 1000) - stamp.boot_ns // _NS_PER_MS

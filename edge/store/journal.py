"""The kiosk process's disk: what was promised on paper is in here first.

Every record carries the hash of the one before it and a number without gaps,
so a lost, added or changed record shows here (`verify_chain`) and at the
registry, which sees the same chain inside the signed envelopes.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.domain.health import DeviceState
from edge.domain.people import CardKey, RosterEntry
from edge.domain.record import RecordId
from edge.domain.timebase import TimeSource
from edge.ports import OutboxRow, Position
from edge.store.database import Database
from edge.store.health import HealthTable
from edge.store.inbox import Inbox
from edge.store.roster import SealedRoster
from edge.store.state import SyncState

_log = logging.getLogger(__name__)

FIRST_PREV_SHA256 = ""
"""What the first record of an epoch has in place of a hash."""

ROSTER_KIND = "jianzai.roster"
"""The sync process files messages under their schema, see `edge.wire.messages`."""


@dataclass(frozen=True, slots=True)
class BrokenEntry:
    """The first place where the chain of records does not hold."""

    seq: int
    why: str


class SqliteJournal:
    """Implements `edge.ports.Journal`."""

    def __init__(self, path: Path, data_key: bytes, times: TimeSource) -> None:
        self.database = Database(path)
        self.roster = SealedRoster(self.database, data_key)
        self._inbox = Inbox(self.database)
        self._health = HealthTable(self.database)
        self._offered = ""
        self._state = SyncState(self.database, times)

    def close(self) -> None:
        self.database.close()

    @property
    def epoch(self) -> str:
        """32 hex digits made at random with the file."""
        row = self.database.row("SELECT value FROM state WHERE name = 'epoch'")
        assert row is not None
        return str(row[0])

    def commit(
        self, record_id: RecordId, kind: str, build: Callable[[Position], bytes]
    ) -> OutboxRow:
        with self.database.write() as db:
            known = self._written(record_id)
            if known is not None:
                return known
            position = self._next_position()
            payload = build(position)
            sha256 = hashlib.sha256(payload).hexdigest()
            db.execute(
                "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?)",
                [position.seq, record_id, kind, position.prev_sha256, sha256, payload],
            )
            db.execute("INSERT INTO outbox (seq) VALUES (?)", [position.seq])
        return OutboxRow(record_id, kind, payload, sha256, attempts=0)

    def find(self, key: CardKey) -> RosterEntry | None:
        return self.roster.find(key)

    def link_is_up(self) -> bool:
        return self._state.link_is_up()

    def waiting_roster(self) -> bytes | None:
        """A sealed roster that arrived and was neither swapped in nor refused yet."""
        waiting = self._inbox.peek(ROSTER_KIND)
        if waiting is None:
            return None
        self._offered = waiting[0]
        return waiting[1]

    def refuse_roster(self) -> None:
        """Forget the waiting roster, unless a newer one has come meanwhile."""
        self._inbox.done(ROSTER_KIND, self._offered)

    def replace_roster(self, version: int, entries: Iterable[RosterEntry]) -> None:
        """Swap in the roster just taken, unless it is older than the one in force."""
        with self.database.write():
            if not self.roster.replace(version, entries):
                _log.warning("roster=kept refused_version=%d", version)
            self._inbox.done(ROSTER_KIND, self._offered)

    def count(self, name: str) -> None:
        """Count something that leaves no record, such as an abandoned session."""
        with self.database.write() as db:
            db.execute(
                "INSERT INTO counters VALUES (?, 1) ON CONFLICT DO UPDATE SET count = count + 1",
                [name],
            )

    def note_health(self, state: DeviceState) -> None:
        """How a device is from now on."""
        self._health.put(state)

    def forget_health(self) -> None:
        self._health.clear()

    def counts(self) -> Mapping[str, int]:
        return dict(self.database.rows("SELECT name, count FROM counters ORDER BY name"))

    def verify_chain(self) -> BrokenEntry | None:
        """Read everything; the first entry that is missing, changed or out of place, if any."""
        seq, prev = 0, FIRST_PREV_SHA256
        for row_seq, row_prev, sha256, payload in self._entries():
            seq += 1
            if row_seq != seq:
                return BrokenEntry(seq, "missing")
            if row_prev != prev:
                return BrokenEntry(seq, "does not follow the entry before it")
            if hashlib.sha256(payload).hexdigest() != sha256:
                return BrokenEntry(seq, "changed")
            prev = sha256
        return BrokenEntry(seq + 1, "missing") if seq < self._last_seq() else None

    def _entries(self) -> Iterator[tuple[int, str, str, bytes]]:
        """All records in order, a few at a time."""
        sql = "SELECT seq, prev_sha256, sha256, payload FROM records WHERE seq > ? ORDER BY seq"
        seq = -1
        while rows := self.database.rows(sql + " LIMIT 200", [seq]):
            yield from rows
            seq = rows[-1][0]

    def _written(self, record_id: RecordId) -> OutboxRow | None:
        row = self.database.row(
            "SELECT record_id, kind, payload, sha256, coalesce(attempts, 0) "
            "FROM records LEFT JOIN outbox USING (seq) WHERE record_id = ?",
            [record_id],
        )
        return OutboxRow(*row) if row else None

    def _next_position(self) -> Position:
        last = self.database.row("SELECT sha256 FROM records ORDER BY seq DESC LIMIT 1")
        prev = str(last[0]) if last else FIRST_PREV_SHA256
        return Position(self.epoch, self._last_seq() + 1, prev)

    def _last_seq(self) -> int:
        """The highest number ever given, even if that record was taken away since."""
        row = self.database.row("SELECT seq FROM sqlite_sequence WHERE name = 'records'")
        return int(row[0]) if row else 0

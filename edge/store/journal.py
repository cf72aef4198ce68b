"""The kiosk process's disk: what was promised on paper is in here first.

Every record carries the hash of the one before it and a number without gaps,
so a lost, added or changed record shows here (`edge.store.audit`) and at the
registry, which sees the same chain inside the signed envelopes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from edge.domain.errors import StoreError
from edge.domain.health import DeviceState
from edge.domain.people import CardKey, RosterEntry
from edge.domain.record import RecordId
from edge.domain.timebase import TimeSource
from edge.ports import OutboxRow, Position
from edge.store import audit
from edge.store.audit import BrokenEntry
from edge.store.database import Database
from edge.store.health import HealthTable
from edge.store.inbox import Inbox
from edge.store.ledger import Copy, Ledger
from edge.store.letters import Letters
from edge.store.proofs import is_pruned
from edge.store.records import Records
from edge.store.roster import SealedRoster
from edge.store.seal import Seal
from edge.store.state import SyncState

_log = logging.getLogger(__name__)

ASK_KIND = "jianzai.ask"
ROSTER_KIND = "jianzai.roster"
"""The sync process files messages under their schema, see `edge.wire.messages`."""

_QUEUE = (
    "INSERT INTO outbox (seq) VALUES (?) ON CONFLICT DO UPDATE "
    "SET quarantined = 0, attempts = 0, due_boot_id = '' WHERE quarantined"
)


class SqliteJournal:
    """Implements `edge.ports.Journal`. With a `ledger`, every record is also copied there."""

    def __init__(
        self,
        where: Path | Database,
        data_key: bytes,
        times: TimeSource,
        ledger: Ledger | None = None,
    ) -> None:
        self.database = where if isinstance(where, Database) else Database(where)
        self.records = Records(self.database)
        self.roster = SealedRoster(self.database, data_key)
        self._ledger = ledger
        self.ledger_is_whole = True
        self.letters = Letters(self.database, times)
        self._inbox = Inbox(self.database)
        self._health = HealthTable(self.database)
        self._offered = ""
        self._state = SyncState(self.database, times)

    def close(self) -> None:
        self.database.close()
        if self._ledger is not None:
            self._ledger.close()

    @property
    def epoch(self) -> str:
        return self.records.epoch

    def commit(
        self, record_id: RecordId, kind: str, build: Callable[[Position], bytes]
    ) -> OutboxRow:
        row = self.records.add(record_id, kind, build)
        self._copy(Copy(record_id, kind, row.payload))
        return row

    def complete_ledger(self) -> None:
        """Copy every record that is not there yet. Raises `StoreError`."""
        if self._ledger is None:
            return
        there = {copy.record_id for copy in self._ledger.read()}
        missing = (row for row in self.records.all() if row.record_id not in there)
        self._ledger.append(Copy(row.record_id, row.kind, row.payload) for row in missing)
        self.ledger_is_whole = True

    def _copy(self, copy: Copy) -> None:
        """The record stands without its copy; what could not be copied is made up for later."""
        if self._ledger is None or self.database.in_transaction():
            return
        try:
            if self.ledger_is_whole:
                self._ledger.append([copy])
            else:
                self.complete_ledger()
        except StoreError as error:
            if self.ledger_is_whole:
                _log.error("ledger=behind error=%s", error)
            self.ledger_is_whole = False

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

    def waiting_ask(self) -> bytes | None:
        """The registry's newest question for missing records, if it is not dealt with."""
        waiting = self._inbox.peek(ASK_KIND)
        return waiting[1] if waiting else None

    def ask_done(self) -> None:
        waiting = self._inbox.peek(ASK_KIND)
        if waiting is not None:
            self._inbox.done(ASK_KIND, waiting[0])

    def count(self, name: str) -> None:
        """Count something that leaves no record, such as an abandoned session."""
        with self.database.write() as db:
            db.execute(
                "INSERT INTO counters VALUES (?, 1) ON CONFLICT DO UPDATE SET count = count + 1",
                [name],
            )

    def send_again(self, epoch: str, seqs: Sequence[int]) -> tuple[list[int], list[int]]:
        """Put records back into the outbox; returns the places that are gone and those unknown.

        A place that still waits stays as it is, so the same question twice changes nothing;
        one that the registry had put aside and asks for after all is sent anew.
        """
        gone: list[int] = []
        unknown: list[int] = []
        with self.database.write() as db:
            for place in seqs:
                seq = self._seq_at(epoch, place)
                if seq is not None:
                    db.execute(_QUEUE, [seq])
                else:
                    (gone if self._is_gone(epoch, place) else unknown).append(place)
        return gone, unknown

    def _seq_at(self, epoch: str, place: int) -> int | None:
        """Where the record of that place stands now; of an older chain, where it was saved to."""
        if epoch == self.epoch:
            found = self.database.row("SELECT seq FROM records WHERE seq = ?", [place])
        else:
            sql = "SELECT seq FROM origins WHERE epoch = ? AND place = ?"
            found = self.database.row(sql, [epoch, place])
        return int(found[0]) if found else None

    def _is_gone(self, epoch: str, place: int) -> bool:
        if epoch == self.epoch:
            return place <= self.records.last_seq()
        return is_pruned(self.database, epoch, place)

    def note_health(self, state: DeviceState) -> None:
        """How a device is from now on."""
        self._health.put(state)

    def forget_health(self) -> None:
        self._health.clear()

    def counts(self) -> Mapping[str, int]:
        return dict(self.database.rows("SELECT name, count FROM counters ORDER BY name"))

    def verify_chain(self, seal: Seal | None = None) -> BrokenEntry | None:
        """Read everything; the first entry that is missing, changed or out of place, if any."""
        return audit.verify(self.database, seal)

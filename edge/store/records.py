"""The table of records: what is in it is never changed, and each names the one before."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from edge.domain.record import RecordId
from edge.ports import OutboxRow, Position
from edge.store.database import Database

FIRST_PREV_SHA256 = ""
"""What the first record of an epoch has in place of a hash."""


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """One row. `seq` is below 0 for a record that was saved from a damaged file."""

    seq: int
    record_id: RecordId
    kind: str
    prev_sha256: str
    sha256: str
    payload: bytes = field(repr=False)


class Records:
    """Rows in, rows out; the order is that of `seq`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def epoch(self) -> str:
        """32 hex digits made at random with the file."""
        row = self._database.row("SELECT value FROM state WHERE name = 'epoch'")
        assert row is not None
        return str(row[0])

    def add(self, record_id: RecordId, kind: str, build: Callable[[Position], bytes]) -> OutboxRow:
        """Append a record with its outbox row, both or neither; once only for each id."""
        with self._database.write() as db:
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

    def put_back(self, seq: int, record_id: RecordId, kind: str, prev: str, payload: bytes) -> None:
        """A record that was there before, to be sent again; its bytes stay what they were."""
        sha256 = hashlib.sha256(payload).hexdigest()
        with self._database.write() as db:
            row = [seq, record_id, kind, prev, sha256, payload]
            db.execute("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?)", row)
            db.execute("INSERT INTO outbox (seq) VALUES (?)", [seq])

    def all(self) -> Iterator[StoredRecord]:
        """A few at a time, so that memory stays small and nobody is held up."""
        sql = (
            "SELECT seq, record_id, kind, prev_sha256, sha256, payload FROM records "
            "WHERE seq > ? ORDER BY seq LIMIT 200"
        )
        seq = -(2**62)
        while rows := self._database.rows(sql, [seq]):
            for row in rows:
                yield StoredRecord(*row)
            seq = rows[-1][0]

    def ids(self) -> set[RecordId]:
        return {RecordId(row[0]) for row in self._database.rows("SELECT record_id FROM records")}

    def count(self) -> int:
        [(count,)] = self._database.rows("SELECT count(*) FROM records")
        return int(count)

    def last_seq(self) -> int:
        """The highest number ever given, even if that record was taken away since."""
        row = self._database.row("SELECT seq FROM sqlite_sequence WHERE name = 'records'")
        return max(0, int(row[0])) if row else 0

    def sha256_at(self, seq: int) -> str | None:
        row = self._database.row("SELECT sha256 FROM records WHERE seq = ?", [seq])
        return str(row[0]) if row else None

    def _next_position(self) -> Position:
        seq = self.last_seq()
        prev = (self.sha256_at(seq) or self._pruned_sha256()) if seq else FIRST_PREV_SHA256
        return Position(self.epoch, seq + 1, prev)

    def _pruned_sha256(self) -> str:
        """Retention notes the hash of the newest record it took away."""
        row = self._database.row("SELECT value FROM state WHERE name = 'pruned_sha256'")
        return str(row[0]) if row else FIRST_PREV_SHA256

    def _written(self, record_id: RecordId) -> OutboxRow | None:
        row = self._database.row(
            "SELECT record_id, kind, payload, sha256, coalesce(attempts, 0) "
            "FROM records LEFT JOIN outbox USING (seq) WHERE record_id = ?",
            [record_id],
        )
        return OutboxRow(*row) if row else None

"""The sync process's disk: what still has to reach the registry.

A row goes on the registry's signed word alone. The broker's own confirmation
(PUBACK) is worth nothing here: mosquitto forgot 500 of 500 confirmed messages
when it was killed.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

from edge.domain.record import RecordId
from edge.domain.timebase import NS_PER_S, Stamp, TimeSource
from edge.ports import OutboxRow
from edge.store.database import Database

_LOWEST = -(2**62)
_SEQ_OF = "(SELECT seq FROM records WHERE record_id = ?)"


class SqliteOutbox:
    """Implements `edge.ports.Outbox`.

    Waiting times count from boot; after a reboot every row is due at once,
    because a wall clock that may be wrong is no ground for waiting.
    """

    def __init__(self, database: Database, times: TimeSource) -> None:
        self._database = database
        self._times = times

    def due(self, limit: int, *, after: int | None = None) -> Sequence[OutboxRow]:
        """Rows never tried before rows tried in vain, each kind oldest first.

        Two questions, because one that sorts would read the whole outbox each time.
        """
        now = self._times.now()
        above = _LOWEST if after is None else after
        fresh = self._due("attempts = 0", above, now, limit)
        left = limit - len(fresh)
        return fresh + (self._due("attempts > 0", above, now, left) if left else [])

    def _due(self, condition: str, after: int, now: Stamp, limit: int) -> list[OutboxRow]:
        rows = self._database.rows(
            "SELECT record_id, kind, payload, sha256, attempts "
            "FROM outbox JOIN records USING (seq) "
            f"WHERE {condition} AND seq > ? AND NOT quarantined "
            "AND (due_boot_id <> ? OR due_ns <= ?) ORDER BY seq LIMIT ?",
            [after, now.boot_id, now.boot_ns, limit],
        )
        return [OutboxRow(*row) for row in rows]

    def newest(self) -> int:
        """Place of the newest row in the chain; 0 for an empty outbox."""
        row = self._database.row("SELECT max(seq) FROM outbox WHERE NOT quarantined")
        return int(row[0] or 0) if row else 0

    def waiting(self, after: int) -> int:
        """Rows above a place in the chain that wait for the registry's word."""
        return self._count(f"NOT quarantined AND seq > {after:d}")

    def at_once(self) -> AbstractContextManager[object]:
        """Everything written inside is one transaction."""
        return self._database.write()

    def tried(self, record_id: RecordId, retry_after_s: float) -> None:
        now = self._times.now()
        due_ns = now.boot_ns + int(retry_after_s * NS_PER_S)
        with self._database.write() as db:
            db.execute(
                "UPDATE outbox SET attempts = attempts + 1, due_boot_id = ?, due_ns = ? "
                f"WHERE seq = {_SEQ_OF}",
                [now.boot_id, due_ns, record_id],
            )

    def acknowledged(self, record_id: RecordId, sha256: str) -> bool:
        if not self._is_ours(record_id, sha256):
            return False
        with self._database.write() as db:
            db.execute(f"DELETE FROM outbox WHERE seq = {_SEQ_OF}", [record_id])
        return True

    def quarantined(self, record_id: RecordId, sha256: str) -> bool:
        """Keep the row, unsent until the registry asks for it; an acknowledgement drops it."""
        if not self._is_ours(record_id, sha256):
            return False
        with self._database.write() as db:
            db.execute(f"UPDATE outbox SET quarantined = 1 WHERE seq = {_SEQ_OF}", [record_id])
        return True

    def depth(self) -> int:
        """Rows that still wait for the registry's word."""
        return self._count("NOT quarantined")

    def oldest(self) -> RecordId | None:
        """The record that has waited longest."""
        sql = "SELECT record_id FROM outbox JOIN records USING (seq) WHERE NOT quarantined"
        row = self._database.row(f"{sql} ORDER BY seq LIMIT 1")
        return RecordId(row[0]) if row else None

    def held(self) -> int:
        """Rows the registry put aside for its staff."""
        return self._count("quarantined")

    def _count(self, condition: str) -> int:
        row = self._database.row(f"SELECT count(*) FROM outbox WHERE {condition}")
        return int(row[0]) if row else 0

    def _is_ours(self, record_id: RecordId, sha256: str) -> bool:
        """Records never change, so looking and writing need not be one transaction."""
        sql = "SELECT 1 FROM records WHERE record_id = ? AND sha256 = ?"
        return self._database.row(sql, [record_id, sha256]) is not None

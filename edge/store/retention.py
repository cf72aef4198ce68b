"""What is taken away, when, and the signed word that stays in its place (`docs/store.md`).

    records     `days` after the day on which they were seen to be acknowledged; oldest first
    receipts    `days` after they were printed
    quarantine  damaged databases, `days` after they were first seen set aside
    counters    begun anew every `days`

Days are counted by a clock that is believed; on any other nothing is taken away. First
the copies in the ledger go, then the rows: whatever a power cut leaves half done is
finished the next day. Deleted rows are overwritten (`secure_delete`) and the
write-ahead log, which has older pages, is emptied.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from edge.domain.errors import StoreError
from edge.domain.record import RecordId
from edge.store.database import Database
from edge.store.ledger import Ledger
from edge.store.proofs import Gone, Proofs
from edge.store.records import Records
from edge.store.recovery import COMPANIONS, set_aside
from edge.store.seal import Seal

_log = logging.getLogger(__name__)

MAX_DAYS = 30

PROVED = "proved"
"""Of a damaged database in place of a day: its destruction is signed, but perhaps not finished."""


class Retention:
    """Deletes nothing for which there is no proof, and proves what it deletes."""

    def __init__(
        self, database: Database, ledger: Ledger | None, seal: Seal, days: int = MAX_DAYS
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._proofs = Proofs(database, seal)
        self._keep = timedelta(days=min(days, MAX_DAYS))
        self._records = Records(database)

    def run(self, today: date) -> list[Gone]:
        """Take away what is old; `today` by a clock that is believed. Raises `StoreError`."""
        until = today - self._keep
        self._note_settled(today)
        gone = [*self._prune(until), *self._old_receipts(today, until)]
        gone += self._old_counters(today, until)
        if gone and not self._database.forget_deleted():
            self._set("wal_unforgotten", "1")
        elif self._get("wal_unforgotten") and self._database.forget_deleted():
            self._set("wal_unforgotten", "")
        gone += self._old_files(today, until)  # last: it may fail for what the card does
        self._set("retention_day", today.isoformat())
        for each in gone:
            _log.info("retention=%s count=%d until=%s", each.what, each.count, each.until)
        return gone

    def is_due(self, today: date) -> bool:
        """Once a day, and again until the write-ahead log could be emptied."""
        return self._get("retention_day") != today.isoformat() or bool(self._get("wal_unforgotten"))

    # --- records ---

    def _note_settled(self, today: date) -> None:
        """A record that is no longer in the outbox was acknowledged, today at the latest."""
        with self._database.write() as db:
            # One that was asked for again waits again.
            db.execute("DELETE FROM settled WHERE seq IN (SELECT seq FROM outbox)")
            db.execute(
                "INSERT INTO settled SELECT seq, ? FROM records "
                "WHERE seq NOT IN (SELECT seq FROM outbox) "
                "AND seq NOT IN (SELECT seq FROM settled)",
                [today.isoformat()],
            )

    def _prune(self, until: date) -> list[Gone]:
        old = self._database.rows(
            "SELECT seq, record_id, sha256 FROM records JOIN settled USING (seq) "
            "WHERE day < ? ORDER BY seq",
            [until.isoformat()],
        )
        if not old:
            return []
        ids = {RecordId(row[1]) for row in old}
        if self._ledger is not None:
            self._ledger.keep(lambda copy: copy.record_id not in ids)
        runs = [_gone(run, until) for run in _runs([(row[0], row[1], row[2]) for row in old])]
        with self._database.write():
            for run in runs:
                self._take_away_run(run)
        return runs

    def _take_away_run(self, run: Gone) -> None:
        self._proofs.add(run)
        self._prove_origins(run)
        with self._database.write() as db:
            db.execute("DELETE FROM records WHERE seq BETWEEN ? AND ?", [run.first, run.last])
        if run.last == self._records.last_seq():
            self._set("pruned_sha256", run.sha256)

    def _prove_origins(self, run: Gone) -> None:
        """Saved records once more by the places they were signed for: should a copy of one turn
        up, only these tell that it was taken away."""
        sql = (
            "SELECT place, epoch, sha256 FROM origins JOIN records USING (seq) "
            "WHERE seq BETWEEN ? AND ? ORDER BY epoch, place"
        )
        rows = self._database.rows(sql, [run.first, run.last])
        for epoch, places in groupby(rows, itemgetter(1)):
            for each in _runs(list(places)):
                self._proofs.add(_gone(each, run.until), epoch)

    # --- the rest ---

    def _old_receipts(self, today: date, until: date) -> list[Gone]:
        """Printed while no clock was believed: today, at the latest."""
        with self._database.write() as db:
            db.execute("UPDATE receipts SET day = ? WHERE day = ''", [today.isoformat()])
        return self._old_rows("receipts", "day < ?", until)

    def _old_counters(self, today: date, until: date) -> list[Gone]:
        since = self._get("counters_since")
        if since and date.fromisoformat(since) >= until:
            return []
        self._set("counters_since", today.isoformat())
        return self._old_rows("counters", "? <> ''", until) if since else []

    def _old_rows(self, table: str, condition: str, until: date) -> list[Gone]:
        with self._database.write() as db:
            day = [until.isoformat()]
            [(count,)] = self._database.rows(f"SELECT count(*) FROM {table} WHERE {condition}", day)
            if not count:
                return []
            gone = Gone(table, int(count), until)
            self._proofs.add(gone)
            db.execute(f"DELETE FROM {table} WHERE {condition}", day)
        return [gone]

    def _old_files(self, today: date, until: date) -> list[Gone]:
        """One after the other, and each word before its deed: no file is gone without one."""
        gone = []
        for path in set_aside(self._database.path):
            name = f"aside {path.name}"
            since = self._get(name) or today.isoformat()
            if since != PROVED and date.fromisoformat(since) >= until:
                self._set(name, since)
                continue
            if since != PROVED:
                gone.append(self._prove_file(name, until))
            _destroy(path)
            with self._database.write() as db:
                db.execute("DELETE FROM state WHERE name = ?", [name])
        return gone

    def _prove_file(self, name: str, until: date) -> Gone:
        gone = Gone("quarantine", 1, until)
        with self._database.write():
            self._proofs.add(gone)
            self._set(name, PROVED)
        return gone

    def _get(self, name: str) -> str:
        row = self._database.row("SELECT value FROM state WHERE name = ?", [name])
        return str(row[0]) if row else ""

    def _set(self, name: str, value: str) -> None:
        with self._database.write() as db:
            db.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", [name, value])


Numbered = tuple[int, str, str]


def _gone(run: list[Numbered], until: date) -> Gone:
    return Gone("records", len(run), until, run[0][0], run[-1][0], run[-1][2])


def _runs(rows: Sequence[Numbered]) -> Iterator[list[Numbered]]:
    """Rows whose numbers follow each other; a run never reaches over 0, where the chain begins."""
    run: list[Numbered] = []
    for row in rows:
        if run and (row[0] != run[-1][0] + 1 or row[0] == 1):
            yield run
            run = []
        run.append(row)
    yield run


def _destroy(path: Path) -> None:
    """Overwritten before it is unlinked; what a flash card keeps is beyond any program.

    The database last: as long as it is there, what is left beside it is found again.
    """
    try:
        for suffix in reversed(COMPANIONS):
            part = Path(f"{path}{suffix}")
            if part.exists():
                with part.open("r+b") as file:
                    file.write(bytes(part.stat().st_size))
                    file.flush()
                    os.fsync(file.fileno())
                part.unlink()
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error

"""Write `tests/fixtures/databases/`: a small database as each released program left it.

python -m tests.tools.old_databases

A file that is there is never written again: it is what that program wrote.
"""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from edge.store.database import Database
from edge.store.schema import STEPS

FOLDER = Path(__file__).parents[1] / "fixtures" / "databases"
EPOCH = "5c" * 16
RECORDS = 3


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for number, (name, _) in enumerate(STEPS, start=1):
        path = FOLDER / f"{name}.sql"
        if not path.exists():
            path.write_text(dump_of(number), encoding="utf-8")


def dump_of(steps: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        with closing(Database(path, STEPS[:steps])) as database:
            _fill(database, steps)
        with closing(sqlite3.connect(path)) as plain:
            return "\n".join(plain.iterdump()) + "\n"


def _fill(database: Database, steps: int) -> None:
    with database.write() as db:
        db.execute("UPDATE state SET value = ? WHERE name = 'epoch'", [EPOCH])
        db.execute("INSERT INTO state VALUES ('boot_seq', '12')")
        db.execute("INSERT INTO counters VALUES ('abandoned', 4)")
        db.execute("INSERT INTO roster VALUES (7, 'ab', x'00ff')")
        db.execute("INSERT INTO inbox VALUES ('jianzai.roster', 'cd', NULL)")
        prev = ""
        for seq in range(1, RECORDS + 1):
            payload = f"envelope {seq} after {prev}".encode()
            sha256 = hashlib.sha256(payload).hexdigest()
            row = [seq, f"record-{seq}", "record", prev, sha256, payload]
            db.execute("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?)", row)
            prev = sha256
        db.execute("INSERT INTO outbox (seq, attempts) VALUES (3, 2)")
        if steps >= 2:
            db.execute("INSERT INTO health VALUES ('camera', 'ok', '', '2026-11-01T00:00:00Z')")


if __name__ == "__main__":
    main()

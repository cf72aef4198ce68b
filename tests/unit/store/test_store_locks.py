"""Several connections of one process, while another process comes and goes."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

from edge.store.database import Database

_OTHER = """\
import sys
from pathlib import Path
from edge.store.database import Database
database = Database(Path(sys.argv[1]))
database.rows("SELECT 1")
database.close()
"""


def test_opening_the_file_a_second_time_loses_no_locks(tmp_path: Path) -> None:
    """Else the other process, believing itself alone, deletes the write-ahead log behind us."""
    path = tmp_path / "journal.db"
    with closing(Database(path)) as first, closing(Database(path)) as second:
        for number, database in enumerate((first, second)):
            subprocess.run([sys.executable, "-c", _OTHER, str(path)], check=True, timeout=60)
            with database.write() as db:
                db.execute("INSERT INTO counters VALUES (?, 1)", [f"after {number}"])
        assert (tmp_path / "journal.db-wal").exists()
    with closing(Database(path)) as again:
        names = again.rows("SELECT name FROM counters ORDER BY name")
    assert names == [("after 0",), ("after 1",)]

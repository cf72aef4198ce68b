"""Opening, settings, transactions and migrations."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from edge.domain.errors import StoreError
from edge.store.database import PRAGMAS, Database
from edge.store.schema import STEPS


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    with closing(Database(path)) as opened:
        yield opened


def settings(database: Database) -> dict[str, object]:
    return {name: database.rows(f"PRAGMA {name}")[0][0] for name, _, _ in PRAGMAS}


def expected() -> dict[str, object]:
    return {name: answer for name, _, answer in PRAGMAS}


def test_settings_hold_on_every_thread(database: Database) -> None:
    with ThreadPoolExecutor(1) as other:
        assert other.submit(settings, database).result() == settings(database) == expected()
    assert expected()["synchronous"] == 2  # FULL: a receipt promises what was committed
    assert expected()["journal_mode"] == "wal"


def test_a_setting_that_does_not_hold_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.store.database.PRAGMAS", [("journal_mode", "DELETE", "wal")])
    with pytest.raises(StoreError, match="journal_mode is 'delete', must be 'wal'"):
        Database(path)


def test_both_processes_may_write_what_one_of_them_made(path: Path) -> None:
    before = os.umask(0o007)  # as in the units
    try:
        with closing(Database(path)) as database, database.write() as db:
            db.execute("INSERT INTO counters VALUES ('a', 1)")
            modes = {file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert modes == {0o660}


def test_write_takes_the_lock_before_anything_is_read(database: Database, path: Path) -> None:
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
        with database.write(), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")


def test_two_writers_that_read_first_both_get_through(path: Path, database: Database) -> None:
    """A plain BEGIN would fail one of them at once with SQLITE_BUSY_SNAPSHOT."""

    def count_up(other: Database) -> None:
        for _ in range(50):
            with other.write() as db:
                row = other.row("SELECT value FROM state WHERE name = 'n'")
                value = str(int(row[0]) + 1) if row else "1"
                db.execute("INSERT OR REPLACE INTO state VALUES ('n', ?)", [value])

    with closing(Database(path)) as second, ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(count_up, database), pool.submit(count_up, second)]:
            done.result()
    assert database.row("SELECT value FROM state WHERE name = 'n'") == ("100",)


def count_then_fail(database: Database, name: str) -> None:
    with database.write() as db:
        db.execute("INSERT INTO counters VALUES (?, 1)", [name])
        raise RuntimeError


def test_an_exception_undoes_everything(database: Database) -> None:
    with pytest.raises(RuntimeError):
        count_then_fail(database, "a")
    assert database.rows("SELECT * FROM counters") == []


def test_a_block_inside_a_block_is_a_savepoint(database: Database) -> None:
    with database.write() as db:
        db.execute("INSERT INTO counters VALUES ('outer', 1)")
        with pytest.raises(RuntimeError):
            count_then_fail(database, "inner")
        with database.write() as inner:
            inner.execute("INSERT INTO counters VALUES ('second', 1)")
    assert database.rows("SELECT name FROM counters ORDER BY name") == [("outer",), ("second",)]


def test_what_sqlite_complains_about_is_a_store_error(database: Database, path: Path) -> None:
    with pytest.raises(StoreError, match="no such table"):
        database.rows("SELECT * FROM nowhere")
    with pytest.raises(StoreError, match=str(path)), database.write() as db:
        db.execute("INSERT INTO outbox (seq) VALUES (7)")  # no such record: foreign key


def test_a_full_disk_is_a_store_error_and_leaves_nothing(database: Database) -> None:
    pages = database.rows("PRAGMA page_count")[0][0]
    database.rows(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="full"), database.write() as db:
        db.execute("INSERT INTO state VALUES ('big', ?)", ["x" * 100_000])
    assert database.row("SELECT * FROM state WHERE name = 'big'") is None


def test_a_newer_database_is_refused_with_what_to_do(path: Path) -> None:
    Database(path, [*STEPS, ("999_future", ["CREATE TABLE later (x)"])]).close()
    with pytest.raises(StoreError, match=r"newer program \(version 999_future.*install"):
        Database(path)


def test_an_older_database_is_brought_forward_and_keeps_its_rows(path: Path) -> None:
    with closing(Database(path)) as old, old.write() as db:
        db.execute("INSERT INTO counters VALUES ('kept', 3)")
    later = [*STEPS, ("002_later", ["ALTER TABLE counters ADD COLUMN note TEXT"])]
    with closing(Database(path, later)) as new:
        assert new.rows("SELECT * FROM counters") == [("kept", 3, None)]


def test_a_step_that_fails_leaves_no_trace(path: Path) -> None:
    Database(path).close()
    broken = [*STEPS, ("002_broken", ["CREATE TABLE half (x)", "CREATE TABLE half (x)"])]
    with pytest.raises(StoreError, match="already exists"):
        Database(path, broken)
    with closing(Database(path)) as database:
        assert database.rows("SELECT 1 FROM sqlite_master WHERE name = 'half'") == []


def test_many_may_open_a_new_file_at_the_same_time(path: Path) -> None:
    together = threading.Barrier(8)

    def open_it(_: int) -> None:
        together.wait()
        Database(path).close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(open_it, range(8)))


@pytest.mark.parametrize("where", [0, 4096 * 3 + 1])
def test_a_damaged_file_is_noticed_at_the_start(path: Path, where: int) -> None:
    with closing(Database(path)) as database, database.write() as db:
        db.execute("INSERT INTO state VALUES ('big', ?)", ["x" * 20_000])
    content = bytearray(path.read_bytes())
    content[where : where + 4000] = os.urandom(4000)
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"damaged|not a database|malformed"):
        Database(path)


def test_close_leaves_no_file_open_and_may_be_called_twice(path: Path) -> None:
    def open_files() -> set[str]:
        found = (os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd"))
        return {name for name in found if name.startswith(str(path))}

    database = Database(path)
    with ThreadPoolExecutor(1) as other:
        other.submit(database.rows, "SELECT 1").result()
    assert open_files()
    database.close()
    database.close()
    assert not open_files()

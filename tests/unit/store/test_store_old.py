"""Databases as earlier programs left them, opened by today's."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edge.domain.record import RecordId
from edge.store.database import Database
from edge.store.health import HealthTable
from edge.store.journal import SqliteJournal
from edge.store.outbox import SqliteOutbox
from edge.store.schema import STEPS
from tests.helpers_sync import HandTurnedTime
from tests.tools.old_databases import EPOCH, FOLDER, RECORDS, dump_of

OLD = sorted(FOLDER.glob("*.sql"))


def restore(dump: Path, path: Path) -> None:
    with closing(sqlite3.connect(path)) as plain:
        plain.executescript(dump.read_text(encoding="utf-8"))


def schema(path: Path) -> dict[str, str]:
    """Tables and triggers as SQLite keeps them; what SQLite names itself is left out."""
    with closing(Database(path)) as database:
        rows = database.rows("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")
    return {name: sql.replace('"', "") for name, sql in rows if sql}


def test_there_is_one_of_every_step() -> None:
    assert [dump.stem for dump in OLD] == [name for name, _ in STEPS]


@pytest.mark.parametrize("dump", OLD, ids=lambda dump: dump.stem)
def test_an_old_database_comes_forward_with_all_it_holds(dump: Path, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    restore(dump, path)
    times = HandTurnedTime()
    with closing(SqliteJournal(path, b"d" * 32, times)) as journal:
        assert journal.epoch == EPOCH
        assert journal.verify_chain() is None
        assert journal.records.count() == RECORDS
        assert journal.counts() == {"abandoned": 4}
        assert journal.roster.version() == 0
        assert [row.record_id for row in SqliteOutbox(journal.database, times).due(9)] == [
            f"record-{RECORDS}"
        ]
        assert len(HealthTable(journal.database).all()) == int(dump.stem >= "002")
        journal.commit(RecordId("new"), "record", lambda place: repr(place).encode())
        assert journal.verify_chain() is None
        assert journal.records.last_seq() == RECORDS + 1


@pytest.mark.parametrize("dump", OLD, ids=lambda dump: dump.stem)
def test_it_ends_in_the_same_form_as_a_new_one(dump: Path, tmp_path: Path) -> None:
    restore(dump, tmp_path / "old.db")
    assert schema(tmp_path / "old.db") == schema(tmp_path / "new.db")


@pytest.mark.parametrize("number", range(1, len(STEPS) + 1))
def test_a_step_that_was_released_was_never_edited(number: int, tmp_path: Path) -> None:
    """What it makes today is what it made then."""
    then = (FOLDER / f"{STEPS[number - 1][0]}.sql").read_text(encoding="utf-8")
    made = [line for line in dump_of(number).splitlines() if "_sqlite_migrations" not in line]
    assert made == [line for line in then.splitlines() if "_sqlite_migrations" not in line]

"""The list of badges and the wrong tries at them: kept through restarts, unreadable on the disk."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.domain.errors import StoreError
from edge.domain.staff import Tries
from edge.store.database import Database
from edge.store.inbox import Inbox
from edge.store.staff import KIND, StaffStore
from edge.wire import messages

KEY = b"k" * 32
BODY = b'{"badge":"204816"}'


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "journal.db")
    yield opened
    opened.close()


def test_it_listens_for_the_message_of_the_wire() -> None:
    assert KIND == messages.STAFF


def test_the_newest_list_counts(database: Database) -> None:
    store = StaffStore(database, KEY)
    assert store.held() is None
    assert store.replace(7, BODY, "boot", 5)
    assert not store.replace(7, b"other", "boot", 6)
    assert not store.replace(6, b"other", "boot", 6)
    assert StaffStore(database, KEY).held() == (7, BODY, "boot", 5)
    assert store.replace(8, b"newer", "boot-2", 1)
    assert store.held() == (8, b"newer", "boot-2", 1)


def test_what_waits_is_taken_once(database: Database) -> None:
    store, inbox = StaffStore(database, KEY), Inbox(database)
    assert store.waiting() is None
    inbox.put(KIND, b"first")
    assert store.waiting() == b"first"
    inbox.put(KIND, b"second")  # while the first is looked at
    store.done()
    assert store.waiting() == b"second"
    store.replace(1, BODY, "boot", 5)
    assert store.waiting() is None


def test_tries_outlive_the_process_and_a_right_pin_clears_them(tmp_path: Path) -> None:
    until = datetime(2026, 11, 24, tzinfo=UTC)
    for number, tries in enumerate((Tries(7, 5, until), Tries(7, 2))):
        database = Database(tmp_path / "journal.db")
        StaffStore(database, KEY).note_tries(f"20481{number}", tries)
        database.close()
    database = Database(tmp_path / "journal.db")
    store = StaffStore(database, KEY)
    assert store.tries("204810") == Tries(7, 5, until)
    assert store.tries("204811") == Tries(7, 2)
    store.note_tries("204810", None)
    assert store.tries("204810") is None
    assert store.tries("204811") == Tries(7, 2)
    database.close()


def test_nothing_of_it_can_be_read_on_the_disk(tmp_path: Path) -> None:
    database = Database(tmp_path / "journal.db")
    store = StaffStore(database, KEY)
    store.replace(7, BODY, "boot", 5)
    store.note_tries("204816", Tries(7, 1))
    database.close()
    for path in tmp_path.iterdir():
        assert b"204816" not in path.read_bytes(), path
    other = Database(tmp_path / "journal.db")
    with pytest.raises(StoreError):
        StaffStore(other, b"x" * 32).held()
    other.close()


@pytest.mark.parametrize("name", ["list", "came"])
def test_a_list_that_no_longer_opens_gives_way_to_the_next(database: Database, name: str) -> None:
    store = StaffStore(database, KEY)
    store.replace(7, BODY, "boot", 5)
    spoil(database, name)
    with pytest.raises(StoreError):
        store.held()
    Inbox(database).put(KIND, b"sealed")
    assert store.waiting() == b"sealed"
    assert store.replace(8, b"newer", "boot", 6)
    assert store.held() == (8, b"newer", "boot", 6)
    assert store.waiting() is None


def test_tries_that_no_longer_open_are_counted_anew(database: Database) -> None:
    store = StaffStore(database, KEY)
    store.note_tries("204816", Tries(7, 3))
    spoil(database, "tries")
    assert store.tries("204816") is None
    store.note_tries("204816", Tries(7, 1))
    assert StaffStore(database, KEY).tries("204816") == Tries(7, 1)


def spoil(database: Database, name: str) -> None:
    with database.write() as db:
        db.execute("UPDATE staff SET sealed = zeroblob(60) WHERE name = ?", [name])

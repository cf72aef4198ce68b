"""The chain of records, the counters and the roster in the kiosk's hands."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from edge.domain.errors import StoreError
from edge.domain.people import CardKey
from edge.ports import Position
from edge.store.audit import BrokenEntry
from edge.store.inbox import Inbox
from edge.store.journal import ROSTER_KIND, SqliteJournal
from edge.store.outbox import SqliteOutbox
from edge.store.records import FIRST_PREV_SHA256
from edge.store.state import SyncState
from edge.wire import messages
from tests.helpers_sync import HandTurnedTime, entry, record_id

DATA_KEY = b"d" * 32


@pytest.fixture
def times() -> HandTurnedTime:
    return HandTurnedTime()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def journal(path: Path, times: HandTurnedTime) -> Iterator[SqliteJournal]:
    with closing(SqliteJournal(path, DATA_KEY, times)) as opened:
        yield opened


def build(position: Position) -> bytes:
    return repr(position).encode()


def commit(journal: SqliteJournal, *numbers: int) -> None:
    for number in numbers:
        journal.commit(record_id(number), "record", build)


def test_a_record_is_committed_with_its_outbox_row(
    journal: SqliteJournal, times: HandTurnedTime
) -> None:
    row = journal.commit(record_id(1), "record", build)
    assert row.sha256 == hashlib.sha256(row.payload).hexdigest()
    assert list(SqliteOutbox(journal.database, times).due(9)) == [row]


def test_positions_form_a_chain_without_gaps(journal: SqliteJournal) -> None:
    seen: list[Position] = []

    def remember(position: Position) -> bytes:
        seen.append(position)
        return build(position)

    rows = [journal.commit(record_id(n), "record", remember) for n in range(3)]
    hashes = [FIRST_PREV_SHA256, rows[0].sha256, rows[1].sha256]
    assert seen == [Position(journal.epoch, n, h) for n, h in enumerate(hashes, start=1)]
    assert journal.verify_chain() is None


def test_the_same_record_again_is_what_was_written_first(journal: SqliteJournal) -> None:
    first = journal.commit(record_id(1), "record", build)
    again = journal.commit(record_id(1), "other", lambda _: pytest.fail("built twice"))
    assert again == first
    assert journal.database.rows("SELECT count(*) FROM records") == [(1,)]


def test_a_build_that_fails_leaves_nothing_and_uses_no_number(journal: SqliteJournal) -> None:
    def fail(_: Position) -> bytes:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        journal.commit(record_id(1), "record", fail)
    assert journal.database.rows("SELECT * FROM records") == []
    commit(journal, 2)
    assert journal.database.rows("SELECT seq FROM records") == [(1,)]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE records SET payload = x'00'",
        "DELETE FROM records",
        "INSERT OR REPLACE INTO records SELECT seq, record_id, kind, '', '', x'' FROM records",
    ],
)
def test_records_are_append_only(journal: SqliteJournal, sql: str) -> None:
    commit(journal, 1)
    with pytest.raises(StoreError, match="append-only"), journal.database.write() as db:
        db.execute(sql)
    assert journal.verify_chain() is None


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("UPDATE records SET payload = x'00' WHERE seq = 2", BrokenEntry(2, "changed")),
        ("DELETE FROM records WHERE seq = 1", BrokenEntry(1, "missing")),
        ("DELETE FROM records WHERE seq = 2", BrokenEntry(2, "missing")),
        ("DELETE FROM records WHERE seq = 3", BrokenEntry(3, "missing")),
        ("DELETE FROM records", BrokenEntry(1, "missing")),
        (
            "UPDATE records SET prev_sha256 = 'f' WHERE seq = 3",
            BrokenEntry(3, "does not follow the entry before it"),
        ),
    ],
)
def test_tampering_names_the_first_broken_entry(
    journal: SqliteJournal, path: Path, sql: str, found: BrokenEntry
) -> None:
    commit(journal, 1, 2, 3)
    with closing(sqlite3.connect(path)) as intruder:
        intruder.execute("DROP TRIGGER records_never_change")
        intruder.execute("DROP TRIGGER records_never_go")
        intruder.execute(sql)
        intruder.commit()
    assert journal.verify_chain() == found


def test_a_long_chain_is_read_in_pieces(journal: SqliteJournal) -> None:
    with journal.database.write():
        commit(journal, *range(450))
    assert journal.verify_chain() is None


def test_the_epoch_is_born_with_the_file(
    journal: SqliteJournal, path: Path, times: HandTurnedTime, tmp_path: Path
) -> None:
    assert len(journal.epoch) == 32
    with (
        closing(SqliteJournal(path, DATA_KEY, times)) as again,
        closing(SqliteJournal(tmp_path / "other.db", DATA_KEY, times)) as other,
    ):
        assert again.epoch == journal.epoch
        assert other.epoch != journal.epoch


def test_the_link_is_up_only_on_fresh_word_from_this_boot(
    journal: SqliteJournal, times: HandTurnedTime
) -> None:
    sync = SyncState(journal.database, times)
    assert not journal.link_is_up()
    sync.link_seen()
    times.boot_s += 90
    assert journal.link_is_up()
    times.boot_s += 1
    assert not journal.link_is_up()
    sync.link_seen()
    sync.link_lost()
    assert not journal.link_is_up()
    sync.link_seen()
    times.boot_id = "boot-2"
    assert not journal.link_is_up()
    times.boot_id, times.boot_s = "boot-1", 5.0  # a clock that went back proves nothing
    assert not journal.link_is_up()


def test_boot_seq_counts_starts(journal: SqliteJournal, times: HandTurnedTime) -> None:
    sync = SyncState(journal.database, times)
    assert [sync.next_boot_seq() for _ in range(3)] == [1, 2, 3]


def test_counters_know_how_often_and_nothing_else(journal: SqliteJournal) -> None:
    for name in ("abandoned", "declined", "abandoned"):
        journal.count(name)
    assert journal.counts() == {"abandoned": 2, "declined": 1}


def test_a_roster_that_arrived_is_offered_until_it_is_swapped_in(
    journal: SqliteJournal, path: Path, times: HandTurnedTime
) -> None:
    assert ROSTER_KIND == messages.ROSTER
    inbox = Inbox(journal.database)
    assert journal.waiting_roster() is None
    inbox.put(ROSTER_KIND, b"sealed 1")
    assert journal.waiting_roster() == b"sealed 1"
    assert journal.waiting_roster() == b"sealed 1"
    with closing(SqliteJournal(path, DATA_KEY, times)) as restarted:
        assert restarted.waiting_roster() == b"sealed 1"
        restarted.replace_roster(1, [entry(1)])
    assert journal.find(entry(1).key) == entry(1)
    with closing(SqliteJournal(path, DATA_KEY, times)) as restarted:
        assert restarted.waiting_roster() is None


def test_a_refused_roster_is_forgotten_and_a_newer_one_is_not(journal: SqliteJournal) -> None:
    inbox = Inbox(journal.database)
    inbox.put(ROSTER_KIND, b"sealed 1")
    journal.waiting_roster()
    inbox.put(ROSTER_KIND, b"sealed 2")
    journal.refuse_roster()
    assert journal.waiting_roster() == b"sealed 2"
    journal.refuse_roster()
    assert journal.waiting_roster() is None


def test_a_roster_that_arrives_meanwhile_is_not_forgotten(journal: SqliteJournal) -> None:
    inbox = Inbox(journal.database)
    inbox.put(ROSTER_KIND, b"sealed 1")
    journal.waiting_roster()
    inbox.put(ROSTER_KIND, b"sealed 2")
    journal.replace_roster(1, [entry(1)])
    assert journal.waiting_roster() == b"sealed 2"


def test_the_roster_is_swapped_as_a_whole_and_never_back(journal: SqliteJournal) -> None:
    roster = journal.roster
    assert roster.replace(3, [entry(1), entry(2)])
    assert roster.find(entry(2).key) == entry(2)
    assert roster.replace(5, [entry(2, "李*")])
    assert roster.find(entry(1).key) is None
    assert roster.find(entry(2).key) == entry(2, "李*")
    for older in (5, 4, 3):
        assert not roster.replace(older, [entry(9)])
    assert roster.version() == 5
    kept = journal.database.rows("SELECT DISTINCT version FROM roster ORDER BY version")
    assert kept == [(3,), (5,)]
    assert roster.replace(6, [])
    assert journal.database.rows("SELECT DISTINCT version FROM roster") == [(5,)]


def test_a_roster_that_fails_half_way_changes_nothing(journal: SqliteJournal) -> None:
    journal.roster.replace(1, [entry(1)])
    with pytest.raises(StoreError, match="UNIQUE"):
        journal.roster.replace(2, [entry(1, "新*"), entry(2), entry(2)])
    assert journal.roster.find(entry(1).key) == entry(1)
    assert journal.roster.find(entry(2).key) is None


def test_roster_rows_are_unreadable_and_cannot_be_swapped(
    journal: SqliteJournal, path: Path, times: HandTurnedTime
) -> None:
    journal.roster.replace(1, [replace(entry(1), masked_name="欧阳*云"), entry(2)])
    files = b"".join(file.read_bytes() for file in path.parent.iterdir())
    for secret in ("欧阳", "person-1", "城镇职工"):
        assert secret.encode() not in files
    with journal.database.write() as db:
        db.execute(
            "UPDATE roster SET sealed = (SELECT sealed FROM roster WHERE card_key = ?) "
            "WHERE card_key = ?",
            [entry(1).key, entry(2).key],
        )
    with pytest.raises(StoreError, match="does not open"):
        journal.find(entry(2).key)
    with (
        closing(SqliteJournal(path, b"x" * 32, times)) as thief,
        pytest.raises(StoreError, match="does not open"),
    ):
        thief.find(entry(1).key)
    assert journal.find(CardKey("0" * 64)) is None

"""What still has to reach the registry, and what takes it away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edge.store.database import Database
from edge.store.inbox import Inbox
from edge.store.journal import SqliteJournal
from edge.store.outbox import SqliteOutbox
from tests.helpers_sync import HandTurnedTime, record_id


@pytest.fixture
def times() -> HandTurnedTime:
    return HandTurnedTime()


@pytest.fixture
def journal(tmp_path: Path, times: HandTurnedTime) -> Iterator[SqliteJournal]:
    with closing(SqliteJournal(tmp_path / "journal.db", b"d" * 32, times)) as opened:
        for number in range(4):
            opened.commit(record_id(number), "record", lambda p: repr(p).encode())
        yield opened


@pytest.fixture
def outbox(journal: SqliteJournal, times: HandTurnedTime) -> SqliteOutbox:
    return SqliteOutbox(journal.database, times)


def due(outbox: SqliteOutbox, limit: int = 9) -> list[int]:
    return [int(row.record_id.rpartition("-")[2]) for row in outbox.due(limit)]


def test_never_tried_rows_go_before_the_backlog(
    journal: SqliteJournal, outbox: SqliteOutbox
) -> None:
    assert due(outbox) == [0, 1, 2, 3]
    assert due(outbox, 2) == [0, 1]
    for number in (2, 0, 1):
        outbox.tried(record_id(number), 0)
    assert due(outbox) == [3, 0, 1, 2]
    assert [row.attempts for row in outbox.due(9)] == [0, 1, 1, 1]


def test_a_lane_begins_above_a_place(outbox: SqliteOutbox) -> None:
    assert [row.record_id for row in outbox.due(9, after=2)] == [record_id(2), record_id(3)]
    assert (outbox.newest(), outbox.waiting(1), outbox.waiting(4)) == (4, 3, 0)


def test_what_the_registry_misses_is_sent_again(
    journal: SqliteJournal, outbox: SqliteOutbox
) -> None:
    for row in outbox.due(9):
        outbox.acknowledged(row.record_id, row.sha256)
    for _ in range(2):  # asked twice, queued once
        assert journal.send_again(journal.epoch, [2, 3, 7]) == ([], [7])
        assert due(outbox) == [1, 2]
    assert journal.send_again("another epoch", [1]) == ([], [1])
    assert due(outbox) == [1, 2]


def test_a_record_that_waits_is_not_sent_twice_for_being_asked_for(
    journal: SqliteJournal, outbox: SqliteOutbox
) -> None:
    outbox.tried(record_id(0), 600)
    journal.send_again(journal.epoch, [1])
    assert due(outbox) == [1, 2, 3]


def test_a_record_that_was_put_aside_is_sent_anew_when_it_is_asked_for(
    journal: SqliteJournal, outbox: SqliteOutbox
) -> None:
    row = outbox.due(1)[0]
    outbox.tried(row.record_id, 600)
    assert outbox.quarantined(row.record_id, row.sha256)
    assert journal.send_again(journal.epoch, [1]) == ([], [])
    assert (outbox.depth(), outbox.held()) == (4, 0)
    assert due(outbox) == [0, 1, 2, 3]
    assert outbox.due(1)[0].attempts == 0


def test_a_tried_row_waits(outbox: SqliteOutbox, times: HandTurnedTime) -> None:
    outbox.tried(record_id(0), 30)
    times.boot_s += 29.9
    assert due(outbox) == [1, 2, 3]
    times.boot_s += 0.2
    assert due(outbox) == [1, 2, 3, 0]


def test_after_a_reboot_everything_is_due(outbox: SqliteOutbox, times: HandTurnedTime) -> None:
    outbox.tried(record_id(0), 600)
    times.reboot()
    assert due(outbox) == [1, 2, 3, 0]


def test_only_the_right_hash_drops_a_row(outbox: SqliteOutbox) -> None:
    row = outbox.due(1)[0]
    assert not outbox.acknowledged(row.record_id, "0" * 64)
    assert not outbox.acknowledged(record_id(1), row.sha256)
    assert not outbox.acknowledged(record_id(77), row.sha256)
    assert outbox.depth() == 4
    assert outbox.acknowledged(row.record_id, row.sha256)
    assert due(outbox) == [1, 2, 3]
    assert outbox.acknowledged(row.record_id, row.sha256)  # a second copy changes nothing
    assert outbox.depth() == 3


def test_an_acknowledgement_touches_nothing_but_its_row(
    journal: SqliteJournal, outbox: SqliteOutbox
) -> None:
    before = journal.database.rows("SELECT * FROM records")
    row = outbox.due(1)[0]
    outbox.acknowledged(row.record_id, row.sha256)
    assert journal.database.rows("SELECT * FROM records") == before
    assert journal.commit(row.record_id, "record", lambda _: b"new").payload == row.payload
    assert outbox.depth() == 3


def test_a_quarantined_row_stays_and_is_not_sent(outbox: SqliteOutbox) -> None:
    row = outbox.due(1)[0]
    assert not outbox.quarantined(row.record_id, "0" * 64)
    assert due(outbox) == [0, 1, 2, 3]
    assert outbox.quarantined(row.record_id, row.sha256)
    assert due(outbox) == [1, 2, 3]
    assert (outbox.depth(), outbox.held()) == (3, 1)
    assert outbox.acknowledged(row.record_id, row.sha256)  # staff let it pass
    assert (outbox.depth(), outbox.held()) == (3, 0)


def test_the_inbox_holds_the_newest_and_does_not_wear_the_card(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "journal.db")) as database:
        inbox = Inbox(database)
        assert inbox.peek("a") is None
        assert inbox.put("a", b"1")
        assert inbox.put("b", b"other")
        assert inbox.put("a", b"2")
        assert not inbox.put("a", b"2")
        waiting = inbox.peek("a")
        assert waiting is not None
        assert waiting[1] == b"2"
        inbox.done("a", "something else")
        assert inbox.peek("a") == waiting
        inbox.done("a", waiting[0])
        assert inbox.peek("a") is None
        assert not inbox.put("a", b"2")  # retained, it comes again with every connect
        assert inbox.peek("a") is None
        assert inbox.put("a", b"3")

"""The loop with a link in memory: what is sent, what an answer changes, what cannot change it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.domain.errors import StoreError
from edge.domain.health import Condition, DeviceState
from edge.ports import Incoming, OutboxRow
from edge.store.health import HealthTable
from edge.store.inbox import Inbox
from edge.store.journal import SqliteJournal
from edge.store.letters import Letters
from edge.store.outbox import SqliteOutbox
from edge.store.state import SyncState
from edge.sync.publisher import Pace
from edge.sync.service import SyncService
from edge.wire import messages, topics
from edge.wire.envelope import Header, sign
from edge.wire.messages import Ack, AckStatus
from tests.helpers_sync import (
    KIOSK,
    HandTurnedTime,
    MemoryLink,
    SignedKiosk,
    SmallRegistry,
    ack_of,
    record_id,
)


class Bench:
    """A kiosk's disk, its sync service and a registry on a table."""

    def __init__(self, path: Path, link: MemoryLink | None = None) -> None:
        self.times = HandTurnedTime()
        self.journal = SqliteJournal(path, b"d" * 32, self.times)
        self.outbox = SqliteOutbox(self.journal.database, self.times)
        self.inbox = Inbox(self.journal.database)
        self.link = link or MemoryLink()
        self.kiosk = SignedKiosk()
        self.registry = SmallRegistry()
        self.service = SyncService(
            self.outbox,
            self.inbox,
            SyncState(self.journal.database, self.times),
            self.link,
            self.registry.public_key,
            KIOSK,
            self.times,
            pace=Pace(window=3, reserve=0),
            letters=Letters(self.journal.database, self.times),
            spread=lambda: 1.0,
            health=HealthTable(self.journal.database).all,
        )

    def commit(self, *numbers: int) -> list[OutboxRow]:
        return [
            self.journal.commit(record_id(n), "record", self.kiosk.build(record_id(n)))
            for n in numbers
        ]

    def deliver(self, message: Incoming) -> None:
        self.link.coming.append(message)
        self.service.step(0)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "journal.db")
    with closing(made.journal):
        yield made


def test_a_record_goes_up_and_its_answer_empties_the_outbox(bench: Bench) -> None:
    [row] = bench.commit(1)
    bench.service.step(0)
    assert bench.link.sent == [Incoming(topics.topic(KIOSK, topics.RECORD), row.payload)]
    bench.deliver(bench.registry.take(row.payload, bench.kiosk.key.public_key()))
    assert bench.outbox.depth() == 0


def test_a_row_without_an_answer_stays_and_is_sent_again(bench: Bench) -> None:
    """The broker's own confirmation never reaches the outbox: `Link` cannot even say it."""
    bench.commit(1)
    for after_s, sent in ((0, 1), (29, 1), (1, 2), (59, 2), (1, 3)):
        bench.times.boot_s += after_s
        bench.service.step(0)
        assert len(bench.link.sent) == sent
    assert bench.outbox.depth() == 1


def test_no_more_than_the_window_is_under_way(bench: Bench) -> None:
    rows = bench.commit(*range(5))
    for _ in range(3):
        bench.service.step(0)
    assert [message.payload for message in bench.link.sent] == [r.payload for r in rows[:3]]
    bench.deliver(bench.registry.answer([ack_of(rows[1])]))
    bench.service.step(0)
    assert [message.payload for message in bench.link.sent] == [r.payload for r in rows[:4]]


def test_nothing_is_counted_as_tried_when_the_link_does_not_take_it(bench: Bench) -> None:
    bench.commit(1, 2)
    bench.link.room = 1
    bench.service.step(0)
    assert sorted(row[0] for row in bench.journal.database.rows("SELECT attempts FROM outbox")) == [
        0,
        1,
    ]
    bench.link.up = False
    bench.service.step(0)
    assert len(bench.link.sent) == 1


def other_than_the_registry_says(bench: Bench, row: OutboxRow) -> dict[str, Incoming]:
    """Answers that must change nothing, by what is wrong with them."""
    good = bench.registry.answer([ack_of(row)])
    stranger = SmallRegistry()
    kiosk_signed = SmallRegistry(bench.kiosk.key)
    wrong_hash = Ack(row.record_id, "0" * 64, AckStatus.FILED)
    schema = Header(messages.ROSTER, "x", messages.REGISTRY, KIOSK)
    as_bridge = Header(messages.ACK, "x", "bridge", KIOSK)
    body = messages.acks_body([ack_of(row)])
    return {
        "hash": bench.registry.answer([wrong_hash]),
        "signature": stranger.answer([ack_of(row)]),
        "kiosk's own signature": kiosk_signed.answer([ack_of(row)]),
        "recipient": Incoming(good.topic, bench.registry.answer([ack_of(row)], "k-002").payload),
        "schema": Incoming(good.topic, sign(schema, body, bench.registry.key)),
        "sender": Incoming(good.topic, sign(as_bridge, body, bench.registry.key)),
        "topic": Incoming(topics.topic("k-002", topics.ACK), good.payload),
        "leaf": Incoming(topics.topic(KIOSK, "dn/cmd"), good.payload),
        "other topic": Incoming("$SYS/broker", good.payload),
        "two lines": Incoming("x\nERROR edge disk=failing" + "x" * 60_000, good.payload),
        "one bit": Incoming(good.topic, good.payload.replace(b'"v":1', b'"v":2')),
        "empty": Incoming(good.topic, b""),
        "no text": Incoming(good.topic, b"\xff\xfe"),
        "deep": Incoming(good.topic, b"[" * 100_000),
        "body": Incoming(good.topic, sign(schema_ack(), b"[1]", bench.registry.key)),
        "huge": Incoming(good.topic, b"x" * 600_000),
    }


def schema_ack() -> Header:
    return Header(messages.ACK, "x", messages.REGISTRY, KIOSK)


def test_what_is_not_the_registrys_word_on_our_bytes_changes_nothing(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "edge.sync")
    [row] = bench.commit(1)
    bench.service.step(0)
    for what, message in other_than_the_registry_says(bench, row).items():
        caplog.clear()
        bench.deliver(message)
        assert bench.outbox.depth() == 1, what
        assert [r.levelname for r in caplog.records] == ["WARNING"], what
        (line,) = caplog.messages
        assert "\n" not in line, what
        assert len(line) < 200, what
    bench.deliver(bench.registry.answer([ack_of(row)]))
    assert bench.outbox.depth() == 0


def test_a_quarantined_record_is_kept_and_not_sent_again(bench: Bench) -> None:
    [row] = bench.commit(1)
    bench.service.step(0)
    bench.deliver(bench.registry.answer([ack_of(row, AckStatus.QUARANTINED)]))
    bench.times.boot_s += 10_000
    bench.service.step(0)
    assert len(bench.link.sent) == 1
    assert (bench.outbox.depth(), bench.outbox.held()) == (0, 1)


def test_a_roster_goes_to_the_inbox_unopened_if_the_registry_signed_it(bench: Bench) -> None:
    topic = topics.topic(KIOSK, topics.ROSTER)
    header = Header(messages.ROSTER, "roster-1", messages.REGISTRY, KIOSK)
    forged = sign(header, b"sealed", Ed25519PrivateKey.generate())
    bench.deliver(Incoming(topic, forged))
    assert bench.journal.waiting_roster() is None
    good = sign(header, b"sealed", bench.registry.key)
    bench.deliver(Incoming(topic, good))
    assert bench.journal.waiting_roster() == good


def test_the_kiosk_process_hears_how_the_link_is(bench: Bench) -> None:
    bench.service.step(0)
    assert bench.journal.link_is_up()
    for _ in range(20):
        bench.times.boot_s += 29
        bench.service.step(0)
        assert bench.journal.link_is_up()
    bench.link.up = False
    bench.service.step(0)
    assert not bench.journal.link_is_up()


class IdleLink(MemoryLink):
    """Calls `idle` as soon as nothing more comes."""

    def __init__(self, idle: Callable[[], None]) -> None:
        super().__init__()
        self._idle = idle

    def incoming(self, timeout_s: float) -> Incoming | None:
        message = super().incoming(timeout_s)
        if message is None:
            self._idle()
        return message


def test_run_ends_when_told_and_says_that_the_link_is_gone(tmp_path: Path) -> None:
    stop = threading.Event()
    bench = Bench(tmp_path / "journal.db", IdleLink(stop.set))
    with closing(bench.journal):
        [row] = bench.commit(1)
        bench.link.coming.append(bench.registry.answer([ack_of(row)]))
        bench.service.run(stop)
        assert bench.link.started
        assert bench.link.stopped
        assert bench.outbox.depth() == 0
        assert not bench.journal.link_is_up()


def test_a_failing_disk_is_told_once_and_survived(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "edge.sync")
    stop = FailingDisk(bench, failures=3)
    bench.commit(1)
    bench.service.run(stop)  # type: ignore[arg-type]
    told = [r.getMessage() for r in caplog.records if "disk=" in r.getMessage()]
    assert len(told) == 2
    assert told[0].startswith("disk=failing")
    assert told[1] == "disk=working"
    assert len(bench.link.sent) == 1


class FailingDisk:
    """A stop event that also makes the first few looks into the outbox fail."""

    def __init__(self, bench: Bench, failures: int, error: Exception | None = None) -> None:
        self._steps = 0
        self._error = error or StoreError("disk I/O error")
        self._due = bench.outbox.due
        self._failures = failures
        bench.outbox.due = self._look  # type: ignore[method-assign,assignment]

    def _look(self, limit: int, *, after: int = 0) -> list[OutboxRow]:
        if self._steps <= self._failures:
            raise self._error
        return list(self._due(limit, after=after))

    def is_set(self) -> bool:
        self._steps += 1
        return self._steps > self._failures + 2

    def wait(self, _: float) -> None:
        """A disk that fails gives the loop a rest; a test needs none."""


def test_a_message_the_disk_did_not_take_is_filed_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    [row] = bench.commit(1)
    bench.service.step(0)
    bench.link.coming.append(bench.registry.answer([ack_of(row)]))
    with monkeypatch.context() as full:
        full.setattr(bench.outbox, "acknowledged", _raise_store_error)
        with pytest.raises(StoreError):
            bench.service.step(0)
    bench.service.step(0)
    assert bench.outbox.depth() == 0


def _raise_store_error(*_: object) -> bool:
    raise StoreError("disk is full")


def test_a_bug_in_the_loop_is_told_once_and_ends_nothing(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    stop = FailingDisk(bench, failures=3, error=ZeroDivisionError("a name"))
    bench.commit(1)
    bench.service.run(stop)  # type: ignore[arg-type]
    [told] = [r.getMessage() for r in caplog.records if "sync=error" in r.getMessage()]
    assert told.startswith("sync=error type=ZeroDivisionError at=_look:")
    assert len(bench.link.sent) == 1


def test_a_live_record_does_not_wait_for_the_backlog(bench: Bench) -> None:
    """Five rows are more than a window: two places for them, oldest first, one kept free."""
    bench.service._pace = Pace(window=3, reserve=1)
    backlog = bench.commit(*range(5))
    bench.service.step(0)
    [live] = bench.commit(5)
    bench.service.step(0)
    sent = [message.payload for message in bench.link.sent]
    assert sent == [row.payload for row in (*backlog[:2], live)]
    bench.deliver(bench.registry.answer([ack_of(row) for row in (backlog[0], live)]))
    bench.service.step(0)
    assert [message.payload for message in bench.link.sent[3:]] == [backlog[2].payload]


def test_a_short_break_makes_no_backlog_of_what_is_live(bench: Bench) -> None:
    bench.service._pace = Pace(window=3, reserve=1)
    bench.commit(*range(5))
    bench.service.step(0)
    bench.link.up = False
    [live] = bench.commit(5)
    bench.service.step(0)
    bench.link.up = True
    bench.service.step(0)
    assert bench.link.sent[-1].payload == live.payload


def test_a_row_nobody_answers_does_not_keep_its_place(bench: Bench) -> None:
    rows = bench.commit(*range(4))
    bench.service.step(0)
    bench.times.boot_s += 11
    bench.service.step(0)
    assert bench.link.sent[-1].payload == rows[3].payload


def test_letters_go_up_once_and_answers_wait_for_the_kiosk_process(bench: Bench) -> None:
    letters = Letters(bench.journal.database, bench.times)
    letters.put("l-1", topics.LOOKUP, b"sealed", 4.2)
    for _ in range(2):
        bench.service.step(0)
    asked = (topics.topic(KIOSK, topics.LOOKUP), b"l-1", 5)
    assert bench.link.asked == [asked]
    header = Header(messages.ANSWER, "l-1", messages.REGISTRY, KIOSK)
    payload = sign(header, b"sealed", bench.registry.key)
    topic = topics.topic(KIOSK, topics.ANSWER)
    bench.deliver(Incoming(topic, payload, b"l-2"))  # the broker mixed something up
    assert letters.answer("l-1") is None
    bench.deliver(Incoming(topic, payload, b"l-1"))
    assert letters.answer("l-1") == payload


def told(bench: Bench) -> list[list[tuple[str, str]]]:
    """What went up about the devices, one list per message."""
    bodies = [m.payload for m in bench.link.sent if m.topic.endswith(topics.HEALTH)]
    return [[(row.device, row.word) for row in messages.parse_health(b)] for b in bodies]


def test_n15_health_goes_up_once_per_change_and_on_each_connection(bench: Bench) -> None:
    since = "2026-11-23T02:00:00.000Z"
    bench.service.step(0)
    assert told(bench) == []  # nothing was heard of any device yet
    bench.journal.note_health(DeviceState("printer", Condition.ABSENT, "no /dev/secret", since))
    bench.journal.note_health(DeviceState("camera", Condition.OK, "", since))
    for _ in range(3):
        bench.service.step(0)
    assert told(bench) == [[("camera", "ok"), ("printer", "absent")]]
    assert b"secret" not in bench.link.sent[0].payload
    assert bench.link.retained == {topics.topic(KIOSK, topics.HEALTH)}
    bench.journal.note_health(DeviceState("printer", Condition.OK, "", since))
    bench.service.step(0)
    assert told(bench)[1:] == [[("camera", "ok"), ("printer", "ok")]]
    for up in (False, True):
        bench.link.up = up
        bench.service.step(0)
        bench.service.step(0)
    assert told(bench)[2:] == [[("camera", "ok"), ("printer", "ok")]]


def test_health_the_link_did_not_take_is_tried_again(bench: Bench) -> None:
    bench.journal.note_health(DeviceState("camera", Condition.OK, "", "2026-11-23T02:00:00Z"))
    bench.link.room = 0
    bench.service.step(0)
    bench.link.room = 1
    bench.service.step(0)
    assert told(bench) == [[("camera", "ok")]]

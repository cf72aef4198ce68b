"""The bridge's loop around an in-memory link: order of promises, locked database, rosters."""

from __future__ import annotations

import sqlite3
import threading
import uuid
from collections import deque
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, OperationalError, connection

from cloud_bridge import demo
from cloud_bridge.bridge import quarantine
from cloud_bridge.bridge import worker as worker_module
from cloud_bridge.bridge.mqtt_link import Incoming, Published
from cloud_bridge.bridge.opening import Arrival
from cloud_bridge.bridge.throttle import Cost
from cloud_bridge.bridge.worker import Clock, Worker
from cloud_bridge.registry import gaps, id_number, keyring, people_import
from cloud_bridge.registry.models import (
    AuditEntry,
    Certification,
    ChainState,
    Device,
    OwedAck,
    Person,
    Quarantine,
    Rehearsal,
    Site,
)
from cloud_bridge.registry.people_import import NewPerson, add_people
from edge.domain.cycles import Cycle
from edge.domain.health import Condition, DeviceState
from edge.domain.people import CardKey, PersonId, RosterEntry
from edge.wire import desired, envelope, keys, messages, questions, topics
from edge.wire.desired import Reported, SettingsState
from edge.wire.envelope import Header
from edge.wire.messages import Ack, AckStatus, Presence
from tests.fixtures_cloud import NOW, POSTGRESQL, TODAY, TestKiosk, TestRegistry, unpack

SQLITE = pytest.mark.skipif(POSTGRESQL, reason="locks and fills the file itself")


class MemoryLink:
    """A broker of one client: what was sent, and in which order things were promised."""

    def __init__(self) -> None:
        self.queue: deque[Incoming] = deque()
        self.log: list[str] = []
        self.sent: list[tuple[str, bytes, bool]] = []
        self.told: list[tuple[str, bytes, int, bytes]] = []
        self.connected = True
        self.takes = True
        self.connection = 1
        self.closed = False
        self.leading = False
        self.on_empty = lambda: None

    def bring(self, topic: str, payload: bytes) -> None:
        self.queue.append(Incoming(topic, payload, (1, len(self.log), 1)))

    def lead(self, leading: bool) -> None:
        self.leading = leading

    def poll(self, timeout_s: float, limit: int) -> list[Incoming]:
        if not self.queue:
            self.on_empty()
        return [self.queue.popleft() for _ in range(min(limit, len(self.queue)))]

    def done(self, message: Incoming) -> None:
        self.log.append(f"done, {Certification.objects.count()} filed")

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> Published | None:
        if not self.connected:
            return None
        self.log.append(f"published {topic.rsplit('/', 1)[1]}")
        self.sent.append((topic, payload, retain))
        connection = self.connection
        return Published(
            arrived=lambda: self.takes and connection == self.connection,
            lost=lambda: connection != self.connection,
        )

    def tell(self, topic: str, payload: bytes, expires_s: int, correlation: bytes = b"") -> None:
        self.told.append((topic, payload, expires_s, correlation))

    def close(self) -> None:
        self.closed = True


class Bench:
    def __init__(self, registry: TestRegistry) -> None:
        self.link = MemoryLink()
        self.mono_s = 0.0
        self.now = NOW
        self.stop = threading.Event()
        clock = Clock(now=lambda: self.now, mono_s=lambda: self.mono_s)
        self.sign_key = keyring.sign_key()
        self.worker = Worker(self.link, registry.ingest, registry.vault, self.sign_key, clock)

    def turn(self) -> None:
        self.mono_s += 10
        self.worker.turn(self.stop)

    def opened(self, leaf: str) -> list[envelope.Envelope]:
        public = self.sign_key.public_key()
        return [
            envelope.verify(payload, {messages.REGISTRY: public}.get)
            for topic, payload, _ in self.link.sent
            if topic.endswith(leaf)
        ]


@pytest.fixture
def bench(registry: TestRegistry) -> Bench:
    return Bench(registry)


def rec(kiosk: TestKiosk) -> str:
    return topics.topic(kiosk.kiosk_id, topics.RECORD)


def quiet() -> None:
    """No rosters and no lists of staff in tests about records."""
    Device.objects.update(roster_due=False, roster_day=TODAY, roster_sent_at=NOW)
    Device.objects.update(staff_due=False, staff_day=TODAY)


def test_commit_comes_before_answer_and_answer_before_the_brokers(
    registry: TestRegistry, bench: Bench
) -> None:
    kiosk = registry.kiosk()
    quiet()
    bench.link.bring(rec(kiosk), kiosk.record())
    bench.link.bring(rec(kiosk), kiosk.record())
    bench.turn()
    assert bench.link.log == ["published ack", "done, 2 filed", "done, 2 filed"]


def test_the_answer_is_signed_and_names_the_kiosk(registry: TestRegistry, bench: Bench) -> None:
    kiosk = registry.kiosk()
    payload = kiosk.record()
    bench.link.bring(rec(kiosk), payload)
    bench.turn()
    [ack] = bench.opened(topics.ACK)
    assert (ack.header.sender, ack.header.recipient) == ("registry", "k-001")
    [answer] = messages.parse_acks(ack.body)
    assert answer.status is AckStatus.FILED
    assert answer.sha256 == envelope.sha256_hex(payload)


@SQLITE
def test_a_locked_database_is_waited_for_and_nothing_is_promised(
    registry: TestRegistry, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    kiosk = registry.kiosk()
    quiet()
    bench.link.bring(rec(kiosk), kiosk.record())
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 0")
    other = sqlite3.connect(str(connection.settings_dict["NAME"]), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    tries = []

    def unlock_after_two(_timeout_s: float) -> bool:
        tries.append(list(bench.link.log))
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 0")
        if len(tries) == 2:
            other.execute("ROLLBACK")
        return False

    monkeypatch.setattr(bench.stop, "wait", unlock_after_two)
    bench.turn()
    other.close()
    assert tries == [[], []]
    assert bench.link.log == ["published ack", "done, 1 filed"]


@SQLITE
def test_stop_while_the_database_is_locked_acknowledges_nothing(
    registry: TestRegistry, bench: Bench
) -> None:
    kiosk = registry.kiosk()
    quiet()
    bench.link.bring(rec(kiosk), kiosk.record())
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 0")
    other = sqlite3.connect(str(connection.settings_dict["NAME"]), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    bench.stop.set()
    bench.worker.turn(bench.stop)
    other.execute("ROLLBACK")
    other.close()
    assert bench.link.log == []


def test_run_ends_on_stop_and_closes_the_link(registry: TestRegistry, bench: Bench) -> None:
    bench.link.on_empty = bench.stop.set
    bench.worker.run(bench.stop)
    assert bench.link.closed


def test_odd_topics_and_presence_are_no_reason_to_fall_over(
    registry: TestRegistry, bench: Bench
) -> None:
    registry.kiosk()
    bench.link.bring("something/else", b"x")
    presence = topics.topic("k-001", topics.PRESENCE)
    for payload in (b"\xff", b"[]", b'{"online":true,"boot_seq":1e9,"software":"x"}'):
        bench.link.bring(presence, payload)
    for boot_seq, software in ((2**70, "x"), (-1, "x"), (1, "\ud800"), (1, "a\0b")):
        text = f'{{"online":true,"boot_seq":{boot_seq},"software":{_json(software)}}}'
        bench.link.bring(presence, text.encode())
    bench.turn()
    assert not Device.objects.get().online


@pytest.mark.parametrize("error", [AttributeError, RecursionError, ValueError, IntegrityError])
def test_one_message_beyond_all_that_was_thought_of_stops_nobody(
    registry: TestRegistry,
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: type[Exception],
) -> None:
    hostile, other = registry.kiosk("k-001"), registry.kiosk("k-002")
    quiet()

    def half_done(kiosk_id: str, *_rest: object) -> None:
        Device.objects.filter(pk=kiosk_id).update(health=[{"half": "done"}])
        raise error("contents of the message")

    monkeypatch.setattr(worker_module, "store_health", half_done)
    charged: list[tuple[str, float]] = []
    charge = bench.worker._throttle.charge

    def charge_and_note(kiosk_id: str, tokens: float, now_s: float) -> None:
        charged.append((kiosk_id, tokens))
        charge(kiosk_id, tokens, now_s)

    monkeypatch.setattr(bench.worker._throttle, "charge", charge_and_note)
    presence = messages.presence_body(Presence(True, 7, "jianzai 0.1.0"))
    bench.link.bring(topics.topic(hostile.kiosk_id, topics.HEALTH), b"[]")
    bench.link.bring(topics.topic(other.kiosk_id, topics.PRESENCE), presence)
    bench.link.bring(rec(other), other.record())
    bench.turn()
    assert not Device.objects.get(pk="k-001").health, "whole or not at all"
    assert Device.objects.get(pk="k-002").online
    assert ("k-001", Cost.REFUSED.value) in charged
    assert bench.link.log == ["published ack", *["done, 1 filed"] * 3]
    assert bench.opened(topics.ACK)[0].header.recipient == "k-002"
    assert f"error={error.__name__}" in caplog.text
    assert "contents" not in caplog.text


def test_a_database_that_goes_away_at_a_message_is_waited_for(
    registry: TestRegistry, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.kiosk()
    quiet()
    tries: list[str] = []

    def away_once(kiosk_id: str, *_rest: object) -> None:
        tries.append(kiosk_id)
        if len(tries) == 1:
            raise OperationalError("away")

    monkeypatch.setattr(worker_module, "store_health", away_once)
    monkeypatch.setattr(bench.stop, "wait", lambda _timeout_s: False)
    bench.link.bring(topics.topic("k-001", topics.HEALTH), b"[]")
    bench.turn()
    assert tries == ["k-001", "k-001"]
    assert bench.link.log == ["done, 0 filed"]


def _json(text: str) -> str:
    import json

    return json.dumps(text)


def filed_from_quarantine(registry: TestRegistry, kiosk: TestKiosk, payload: bytes) -> None:
    registry.ingest.ingest([Arrival(kiosk.kiosk_id, payload)], NOW)
    Device.objects.update(simulated_only=False)
    row = Quarantine.objects.get()
    assert quarantine.refile(row, registry.ingest, registry.vault, "test", NOW) == ""


def test_a_kiosk_is_told_when_staff_file_what_was_put_aside(
    registry: TestRegistry, bench: Bench
) -> None:
    """It sends such a record no more, so without a word it would keep it for ever."""
    kiosk = registry.kiosk(demo=True)
    quiet()
    payload = kiosk.record()
    filed_from_quarantine(registry, kiosk, payload)
    bench.turn()
    assert not bench.opened(topics.ACK), "it is switched off; the broker would forget in a week"
    Device.objects.update(online=True)
    bench.link.takes = False
    bench.turn()
    bench.turn()
    assert len(bench.opened(topics.ACK)) == 1, "once, while it is under way"
    bench.link.connection += 1
    bench.turn()
    bench.link.takes = True
    bench.turn()
    bench.turn()
    first, again = bench.opened(topics.ACK)
    assert first.header.recipient == again.header.recipient == kiosk.kiosk_id
    assert first.body == again.body, "lost with its connection, so sent again"
    [answer] = messages.parse_acks(first.body)
    assert answer == Ack(unpack(payload)["id"], envelope.sha256_hex(payload), AckStatus.FILED)
    assert not OwedAck.objects.exists()


def test_an_answer_is_owed_even_if_the_broker_is_away(registry: TestRegistry, bench: Bench) -> None:
    kiosk = registry.kiosk(demo=True)
    quiet()
    filed_from_quarantine(registry, kiosk, kiosk.record())
    Device.objects.update(online=True)
    bench.link.connected = False
    bench.turn()
    assert OwedAck.objects.count() == 1
    restarted = Bench(registry)
    restarted.turn()
    restarted.turn()
    assert len(restarted.opened(topics.ACK)) == 1
    assert not OwedAck.objects.exists()


def test_an_old_will_does_not_win(registry: TestRegistry, bench: Bench) -> None:
    registry.kiosk()
    presence = topics.topic("k-001", topics.PRESENCE)
    for online, boot_seq in ((True, 7), (False, 6)):
        body = messages.presence_body(Presence(online, boot_seq, "jianzai 0.1.0"))
        bench.link.bring(presence, body)
    bench.turn()
    device = Device.objects.get()
    assert (device.online, device.boot_seq, device.software) == (True, 7, "jianzai 0.1.0")
    assert device.seen_at == NOW


def the_roster(kiosk: TestKiosk, sealed: envelope.Envelope) -> messages.Roster:
    plain = envelope.unseal(sealed.body, sealed.header, kiosk.open_key)
    return messages.parse_roster(plain)


def test_a_roster_is_sealed_retained_and_sent_once(registry: TestRegistry, bench: Bench) -> None:
    kiosk = registry.kiosk()
    bench.turn()
    bench.turn()
    bench.turn()
    [sealed] = bench.opened(topics.ROSTER)
    assert bench.link.sent[0][2], "retained"
    assert demo.DEMO_NAME.encode() not in bench.link.sent[0][1]
    roster = the_roster(kiosk, sealed)
    covered = [row for row in demo.PEOPLE if row[5].startswith("100101") and row[4]]
    assert len(roster.entries) == len(covered)
    key = keys.card_key(demo.DEMO_NUMBER, keys.decode_key(kiosk.card_text))
    [entry] = [entry for entry in roster.entries if entry.key == CardKey(key)]
    assert entry.masked_name == "王*华"
    assert entry.category == "retired"
    assert entry.due_by == date(2026, 12, 31)
    assert (entry.certified_on, entry.past) == (None, ())
    assert not Device.objects.get().roster_due


def test_a_roster_knows_earlier_certifications(registry: TestRegistry, bench: Bench) -> None:
    kiosk = registry.kiosk()
    quiet()
    bench.link.bring(rec(kiosk), kiosk.record())
    bench.link.bring(rec(kiosk), kiosk.record(provenance="simulated"))
    bench.turn()
    Device.objects.update(roster_due=True)
    bench.turn()
    roster = the_roster(kiosk, bench.opened(topics.ROSTER)[0])
    [entry] = [entry for entry in roster.entries if entry.certified_on]
    assert entry.certified_on == TODAY
    assert entry.due_by == date(2027, 11, 23)
    assert [(proof.day, proof.method) for proof in entry.past] == [(TODAY, "kiosk")]


def entry_of(kiosk: TestKiosk, number: str, sealed: envelope.Envelope) -> RosterEntry:
    key = keys.card_key(number, keys.decode_key(kiosk.card_text))
    entries = the_roster(kiosk, sealed).entries
    return next(entry for entry in entries if entry.key == CardKey(key))


def test_every_day_has_a_roster_of_its_own_also_after_a_restart(
    registry: TestRegistry, bench: Bench
) -> None:
    registry.kiosk()
    for _ in range(3):
        bench.turn()
    assert len(bench.opened(topics.ROSTER)) == 1
    bench.now = datetime(2026, 11, 23, 15, 59, tzinfo=UTC)  # 23:59 in China
    bench.turn()
    assert len(bench.opened(topics.ROSTER)) == 1
    bench.now += timedelta(minutes=1)
    for _ in range(3):
        bench.turn()
    assert len(bench.opened(topics.ROSTER)) == 2
    again = Bench(registry)
    again.now = bench.now
    again.turn()
    assert again.opened(topics.ROSTER) == [], "the day's roster was sent before the restart"


def test_e04_a_new_year_takes_last_years_done_off_the_roster(
    registry: TestRegistry, bench: Bench
) -> None:
    kiosk = registry.kiosk()
    name, birth, serial, *_ = demo.PEOPLE[3]  # by calendar year
    number = id_number.make(demo.NUMBER_REGION, birth, serial)
    bench.link.bring(rec(kiosk), kiosk.record(name=name, id_number=number))
    bench.turn()
    assert entry_of(kiosk, number, bench.opened(topics.ROSTER)[-1]).certified_on == TODAY
    bench.now = datetime(2026, 12, 31, 17, 0, tzinfo=UTC)  # 1 January in China
    bench.turn()
    entry = entry_of(kiosk, number, bench.opened(topics.ROSTER)[-1])
    assert (entry.certified_on, entry.due_by) == (None, date(2027, 12, 31))


def test_certifications_are_on_the_roster_soon_but_not_one_by_one(
    registry: TestRegistry, bench: Bench
) -> None:
    kiosk = registry.kiosk()
    bench.turn()
    bench.turn()
    for _ in range(5):
        bench.link.bring(rec(kiosk), kiosk.record())
        bench.turn()
    assert len(bench.opened(topics.ROSTER)) == 1, "the last one is not ten minutes old"
    bench.now += timedelta(minutes=10)
    for _ in range(3):
        bench.turn()
    first, second = bench.opened(topics.ROSTER)
    assert entry_of(kiosk, demo.DEMO_NUMBER, first).certified_on is None
    assert entry_of(kiosk, demo.DEMO_NUMBER, second).certified_on == TODAY


def test_a_certification_while_a_roster_is_on_its_way_is_not_forgotten(
    registry: TestRegistry, bench: Bench
) -> None:
    kiosk = registry.kiosk()
    bench.link.takes = False
    bench.turn()
    bench.link.bring(rec(kiosk), kiosk.record())
    bench.turn()
    bench.link.takes = True
    bench.turn()
    bench.now += timedelta(minutes=10)
    bench.turn()
    sealed = bench.opened(topics.ROSTER)[-1]
    assert entry_of(kiosk, demo.DEMO_NUMBER, sealed).certified_on == TODAY


def test_records_that_certify_nobody_send_no_roster(registry: TestRegistry, bench: Bench) -> None:
    kiosk = registry.kiosk()
    quiet()
    bench.link.bring(rec(kiosk), kiosk.record(outcome="needs_review"))
    bench.link.bring(rec(kiosk), kiosk.record(provenance="simulated"))
    bench.turn()
    assert not Device.objects.get().roster_stale


def test_an_import_sends_the_rosters_of_the_kiosks_it_concerns(
    registry: TestRegistry, bench: Bench
) -> None:
    kiosk = registry.kiosk()
    elsewhere = registry.kiosk("k-002")
    Device.objects.filter(pk="k-002").update(site=other_site())
    quiet()
    number = id_number.make(demo.NUMBER_REGION, date(1950, 1, 1), 500)
    new = NewPerson("丁一", number, "dibao", True, "100101001001")
    add_people([new], registry.vault, "test")
    bench.turn()
    [sealed] = bench.opened(topics.ROSTER)
    assert entry_of(kiosk, number, sealed).masked_name == "丁*"
    assert elsewhere.kiosk_id != sealed.header.recipient


def other_site() -> Site:
    return Site.objects.create(name="临水", region_id="100102000000")


def test_retired_people_may_renew_before_they_are_overdue(
    registry: TestRegistry, bench: Bench
) -> None:
    kiosk = registry.kiosk()
    bench.link.bring(rec(kiosk), kiosk.record())
    bench.turn()
    told = {}
    for day in (datetime(2027, 9, 23, tzinfo=UTC), datetime(2027, 9, 24, tzinfo=UTC)):
        bench.now = day
        bench.turn()
        told[day.day] = entry_of(kiosk, demo.DEMO_NUMBER, bench.opened(topics.ROSTER)[-1])
        assert Person.objects.get(name=demo.DEMO_NAME).is_certified(day.date())
        bench.turn()
    assert (told[23].certified_on, told[24].certified_on) == (TODAY, None)
    assert told[24].due_by == date(2027, 11, 23)


def test_at_midnight_records_do_not_wait_for_the_whole_fleet(
    registry: TestRegistry, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "ROSTERS_AT_ONCE", 2)
    for number in range(5):
        registry.kiosk(f"k-{number}")
    sent = []
    for _ in range(4):
        bench.turn()
        sent.append(len(bench.opened(topics.ROSTER)))
    assert sent == [2, 4, 5, 5]


def test_roster_versions_only_grow_and_a_lost_one_is_sent_again(
    registry: TestRegistry, bench: Bench
) -> None:
    kiosk = registry.kiosk()
    bench.link.connected = False
    bench.turn()
    bench.link.connected, bench.link.takes = True, False
    bench.turn()
    bench.link.connected = False
    bench.turn()
    assert Device.objects.get().roster_due
    bench.link.connected, bench.link.takes = True, True
    bench.turn()
    bench.turn()
    versions = [the_roster(kiosk, sealed).version for sealed in bench.opened(topics.ROSTER)]
    assert versions == sorted(set(versions))
    assert len(versions) == 2
    assert not Device.objects.get().roster_due


def test_a_reconnect_between_two_turns_does_not_hold_a_roster_for_ever(
    registry: TestRegistry, bench: Bench
) -> None:
    registry.kiosk()
    bench.link.takes = False
    bench.turn()
    bench.link.connection, bench.link.takes = 2, True  # away and back before anybody looked
    bench.turn()
    bench.turn()
    assert len(bench.opened(topics.ROSTER)) == 2
    assert not Device.objects.get().roster_due


def test_a_restored_registry_does_not_count_below_what_the_kiosk_has(
    registry: TestRegistry, bench: Bench
) -> None:
    kiosk = registry.kiosk()
    bench.turn()
    bench.turn()
    backup = Device.objects.values("roster_version", "roster_due").get()
    for minutes in (20, 40):
        bench.now = NOW + timedelta(minutes=minutes)
        Device.objects.update(roster_due=True)
        bench.turn()
        bench.turn()
    Device.objects.update(**backup | {"roster_version": 0})
    bench.now += timedelta(minutes=20)
    Device.objects.update(roster_due=True)
    bench.turn()
    versions = [the_roster(kiosk, sealed).version for sealed in bench.opened(topics.ROSTER)]
    assert versions == sorted(set(versions))
    assert len(versions) == 4


def test_a_roster_asked_for_again_on_the_way_is_sent_again(
    registry: TestRegistry, bench: Bench
) -> None:
    from cloud_bridge.cli import main

    registry.kiosk()
    bench.turn()
    assert main(["--config", str(registry.config), "roster", "push", "--device", "k-001"]) == 0
    bench.turn()
    bench.turn()
    assert len(bench.opened(topics.ROSTER)) == 2


def test_a_roster_too_large_is_said_and_not_sent(
    registry: TestRegistry, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.kiosk()
    monkeypatch.setattr(worker_module.dispatch, "MAX_ENVELOPE_BYTES", 1000)
    bench.turn()
    device = Device.objects.get()
    assert bench.opened(topics.ROSTER) == []
    assert device.roster_alarm == ("too_large", "9")
    assert not device.roster_due


def test_a_damaged_person_is_left_out_and_named_by_id(registry: TestRegistry, bench: Bench) -> None:
    kiosk = registry.kiosk()
    Person.objects.filter(name="张建国").update(number_sealed=b"\0" * 40)
    hurt = Person.objects.get(name="张建国").person_id
    bench.turn()
    bench.turn()
    roster = the_roster(kiosk, bench.opened(topics.ROSTER)[0])
    assert len(roster.entries) == 8
    assert hurt not in {entry.person_id for entry in roster.entries}
    assert Device.objects.get().roster_alarm == ("damaged_person", f"{hurt} (1)")
    assert not Device.objects.get().roster_due


@pytest.mark.parametrize("harm", [{"card_secret_sealed": b"\0" * 40}, {"open_pub": "no key"}])
def test_a_damaged_kiosk_does_not_stop_the_others(
    registry: TestRegistry, bench: Bench, harm: dict[str, object]
) -> None:
    for kiosk_id in ("k-001", "k-002"):
        registry.kiosk(kiosk_id)
    Device.objects.filter(pk="k-001").update(**harm)
    bench.turn()
    bench.turn()
    assert [sealed.header.recipient for sealed in bench.opened(topics.ROSTER)] == ["k-002"]
    assert Device.objects.get(pk="k-001").roster_alarm == ("damaged_kiosk", "")


def health(*rows: tuple[str, Condition, str]) -> bytes:
    return messages.health_body([DeviceState(name, how, "x", since) for name, how, since in rows])


def test_health_is_kept_with_the_time_of_its_change(registry: TestRegistry, bench: Bench) -> None:
    registry.kiosk()
    topic = topics.topic("k-001", topics.HEALTH)
    lost = ("printer", Condition.ABSENT, "2026-11-23T02:00:00.000Z")
    bench.link.bring(topic, health(lost))
    bench.turn()
    device = Device.objects.get()
    assert device.health == [
        {"device": "printer", "works": False, "word": "absent", "since": lost[2]}
    ]
    assert device.health_at == NOW
    Device.objects.update(health_at=None)
    bench.link.bring(topic, health(lost))  # the broker hands a retained message out again
    bench.turn()
    assert Device.objects.get().health_at is None
    bench.link.bring(topic, health(("printer", Condition.OK, "2026-11-23T02:01:00.000Z")))
    bench.turn()
    assert Device.objects.get().unwell == []
    assert Device.objects.get().health_at == NOW


def test_health_that_cannot_be_shown_changes_nothing(registry: TestRegistry, bench: Bench) -> None:
    registry.kiosk()
    good = {"device": "printer", "works": False, "word": "absent", "since": "2026-11-23T02:00:00Z"}
    odd: list[object] = [
        [good | {"device": "<b>王建华</b>"}],
        [good | {"word": "x" * 31}],
        [good | {"since": "yesterday"}],
        [good | {"since": "2026-13-23T02:00:00Z"}],
        [good | {"since": "2026-11-23T02:00:00"}],
        [good | {"since": "2026-11-23T02:00:00Z\n"}],
        [good | {"works": 1}],
        [good | {"works": None}],
        [{"device": "printer"}],
        [good] * 21,
        {"printer": good},
        "printer",
        None,
    ]
    for told in odd:
        bench.link.bring(topics.topic("k-001", topics.HEALTH), envelope.canonical(told))
    bench.link.bring(topics.topic("k-001", topics.HEALTH), b"\xff")
    bench.link.bring(topics.topic("nobody", topics.HEALTH), envelope.canonical([good]))
    bench.turn()
    assert Device.objects.get().health == []


def lookup(kiosk: TestKiosk, number: str, name: str = "", **changes: object) -> bytes:
    """A kiosk's signed question about a person; `changes` are of the header."""
    fields = {"recipient": messages.REGISTRY, "sender": kiosk.kiosk_id, **changes}
    header = Header(messages.LOOKUP, name or str(uuid.uuid4()), **fields)  # type: ignore[arg-type]
    sealed = envelope.seal(questions.lookup_body(number), header, kiosk.registry_seal)
    return envelope.sign(header, sealed, kiosk.sign_key)


def asks(bench: Bench, kiosk: TestKiosk, *payloads: bytes) -> None:
    for payload in payloads:
        bench.link.bring(topics.topic(kiosk.kiosk_id, topics.LOOKUP), payload)
        bench.turn()


def answers(bench: Bench, kiosk: TestKiosk) -> list[RosterEntry | None]:
    """Every answer the kiosk could open, checked as the kiosk checks it."""
    found = []
    for topic, payload, expires_s, correlation in bench.link.told:
        assert topic == topics.topic(kiosk.kiosk_id, topics.ANSWER)
        assert expires_s == messages.LOOKUP_S
        checked = envelope.verify(payload, {messages.REGISTRY: bench.sign_key.public_key()}.get)
        assert checked.header.message_id.encode() == correlation
        plain = envelope.unseal(checked.body, checked.header, kiosk.open_key)
        found.append(questions.parse_answer(plain).entry)
    return found


FAR_NUMBER = id_number.make(demo.NUMBER_REGION, date(1945, 8, 15), 77)


def add_somebody_far() -> None:
    """Invented, and of another province than any kiosk of these tests."""
    vault = keyring.vault()
    people_import.add_regions([("900000000000", "远方省")], vault, "test")
    new = NewPerson("远方客", FAR_NUMBER, "retired", True, "900000000000")
    add_people([new], vault, "test")


def test_somebody_from_another_place_is_found_and_the_look_is_written_down(
    registry: TestRegistry, bench: Bench
) -> None:
    kiosk = registry.kiosk()
    quiet()
    add_somebody_far()
    asks(bench, kiosk, lookup(kiosk, FAR_NUMBER, "q-1"), lookup(kiosk, demo.DEMO_NUMBER[:-1] + "A"))
    found, nobody = answers(bench, kiosk)
    assert nobody is None
    person = Person.objects.get(name="远方客")
    assert found == RosterEntry(
        key=keys.card_key(FAR_NUMBER, keys.decode_key(kiosk.card_text)),
        person_id=PersonId(person.person_id),
        masked_name="远*客",
        category="retired",
        due_by=person.due_by(TODAY),
        cycle=Cycle.ROLLING,
        early_days=60,
    )
    looks = AuditEntry.objects.filter(action="person.lookup").order_by("number")
    assert [(row.who, row.object_kind, row.object_id, row.reason) for row in looks] == [
        ("kiosk k-001", "person", person.person_id, "found"),
        ("kiosk k-001", "device", "k-001", "not found"),
    ]
    assert looks[0].region_code == "900000000000"
    assert FAR_NUMBER not in repr(list(AuditEntry.objects.values()))


def test_nothing_is_told_before_it_is_written_down(
    registry: TestRegistry, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that goes away in the middle of a batch takes the audit entry with it."""
    kiosk = registry.kiosk()
    quiet()
    told: list[int] = []

    def away_once(*_rest: object) -> None:
        told.append(len(bench.link.told))
        if len(told) == 1:
            raise OperationalError("away")

    monkeypatch.setattr(worker_module, "store_health", away_once)
    monkeypatch.setattr(bench.stop, "wait", lambda _timeout_s: False)
    report = Reported(5, 5, SettingsState.TRIAL, (), {}, "0.1.0", "ab", ask="00ff")
    up = (topics.REPORTED, desired.reported_body(report)), (topics.HEALTH, b"[]")
    for leaf, payload in ((topics.LOOKUP, lookup(kiosk, demo.DEMO_NUMBER)), *up):
        bench.link.bring(topics.topic(kiosk.kiosk_id, leaf), payload)
    bench.turn()
    assert told == [0, 0]
    leaves = [topic.rpartition("/")[2] for topic, *_ in bench.link.told]
    assert leaves == ["answer", "heard"], "once each"
    assert AuditEntry.objects.filter(action="person.lookup").count() == 1


def test_a_kiosk_may_not_ask_for_one_number_after_the_other(
    registry: TestRegistry, bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    kiosk, other = registry.kiosk(), registry.kiosk("k-002")
    quiet()
    bench.turn = lambda: bench.worker.turn(bench.stop)  # type: ignore[method-assign]
    asks(bench, kiosk, *(lookup(kiosk, FAR_NUMBER) for _ in range(25)))
    assert len(bench.link.told) == 20
    assert AuditEntry.objects.filter(action="person.lookup").count() == 20
    assert "reason=rate" in caplog.text
    asks(bench, other, lookup(other, FAR_NUMBER))
    assert len(bench.link.told) == 21
    bench.mono_s += 60  # two more are allowed after a minute
    asks(bench, kiosk, *(lookup(kiosk, FAR_NUMBER) for _ in range(5)))
    assert len(bench.link.told) == 23


def test_odd_questions_get_no_answer_and_leave_no_look(
    registry: TestRegistry, bench: Bench
) -> None:
    kiosk, other = registry.kiosk(), registry.kiosk("k-002")
    quiet()
    asks(
        bench,
        kiosk,
        lookup(other, FAR_NUMBER),  # signed by another kiosk
        lookup(kiosk, FAR_NUMBER, recipient="k-002"),
        lookup(kiosk, FAR_NUMBER, version=2),
        lookup(kiosk, FAR_NUMBER, sender="k-002"),
        lookup(kiosk, "no number"),
        kiosk.record(),
        b"\xff",
    )
    assert bench.link.told == []
    assert not AuditEntry.objects.filter(action="person.lookup").exists()


def gap(registry: TestRegistry, bench: Bench) -> tuple[TestKiosk, list[bytes]]:
    """A kiosk of whose five records the second and third never came."""
    kiosk = registry.kiosk()
    quiet()
    payloads = [kiosk.record(provenance="simulated") for _ in range(5)]
    for payload in (payloads[0], *payloads[3:]):
        bench.link.bring(rec(kiosk), payload)
    bench.turn()
    return kiosk, payloads


def asked(bench: Bench) -> list[questions.Ask]:
    told = [(topic, payload) for topic, payload, *_ in bench.link.told if topic.endswith("dn/ask")]
    public = {messages.REGISTRY: bench.sign_key.public_key()}.get
    return [questions.parse_ask(envelope.verify(payload, public).body) for _, payload in told]


def test_missing_records_are_asked_for_seldom_and_until_they_came(
    registry: TestRegistry, bench: Bench
) -> None:
    kiosk, payloads = gap(registry, bench)
    for _ in range(11):
        bench.turn()
    assert asked(bench) == []  # records overtake each other
    for _ in range(20):
        bench.turn()
    assert asked(bench) == [questions.Ask(kiosk.epoch, ((2, 3),))]
    bench.mono_s += messages.ASK_S
    bench.turn()
    assert len(asked(bench)) == 2
    for payload in payloads[1:3]:
        bench.link.bring(rec(kiosk), payload)
    bench.mono_s += messages.ASK_S
    bench.turn()
    bench.turn()
    assert len(asked(bench)) == 2
    assert ChainState.objects.get().missing == []


def test_a_chain_full_of_holes_is_not_written_down_for_ever(
    registry: TestRegistry, bench: Bench
) -> None:
    """Somebody with a kiosk's keys opens one huge gap, then gives up every third place."""
    kiosk = registry.kiosk()
    plain = kiosk.body(provenance="simulated")
    bench.link.bring(rec(kiosk), kiosk.wrap(plain, chain=envelope.Chain(kiosk.epoch, 2**61, "")))
    bench.turn()
    for start in range(0, 1200, 300):
        holes = tuple((seq, seq) for seq in range(start + 1, start + 300, 3))
        header = Header(messages.TOLD, f"t-{start}", kiosk.kiosk_id, messages.REGISTRY)
        body = questions.told_body(questions.Told(kiosk.epoch, holes))
        payload = envelope.sign(header, body, kiosk.sign_key)
        bench.link.bring(topics.topic(kiosk.kiosk_id, topics.TOLD), payload)
        bench.turn()
    assert len(ChainState.objects.get().gone) == gaps.MAX_RANGES


def test_what_the_kiosk_says_is_gone_is_not_asked_for_again(
    registry: TestRegistry, bench: Bench
) -> None:
    kiosk, _ = gap(registry, bench)
    told = questions.Told(kiosk.epoch, pruned=((2, 2),), unknown=((9, 9),))
    header = Header(messages.TOLD, "t-1", kiosk.kiosk_id, messages.REGISTRY)
    topic = topics.topic(kiosk.kiosk_id, topics.TOLD)
    forged = envelope.sign(header, questions.told_body(told), registry.kiosk("k-002").sign_key)
    quiet()
    bench.link.bring(topic, forged)
    bench.turn()
    assert ChainState.objects.get().gone == []
    for _ in range(2):
        bench.link.bring(topic, envelope.sign(header, questions.told_body(told), kiosk.sign_key))
        bench.turn()
    chain = ChainState.objects.get()
    assert (chain.gone, chain.missing_count, chain.gone_count) == ([[2, 2]], 2, 1)
    bench.mono_s += messages.ASK_S
    bench.turn()
    bench.mono_s += messages.ASK_S
    bench.turn()
    assert asked(bench)[-1].spans == ((3, 3),)


def test_a_kiosk_that_sends_garbage_is_shut_out_and_nobody_else(
    registry: TestRegistry, bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    noisy, good = registry.kiosk(), registry.kiosk("k-002")
    quiet()
    kept = noisy.record(provenance="simulated")
    bench.turn = lambda: bench.worker.turn(bench.stop)  # type: ignore[method-assign]
    for _ in range(10):
        for _ in range(49):
            bench.link.bring(rec(noisy), b"garbage")
        bench.link.bring(rec(good), good.record(provenance="simulated"))
        bench.turn()
    bench.link.bring(rec(noisy), kept)
    bench.turn()
    assert Rehearsal.objects.filter(device="k-002").count() == 10
    assert Rehearsal.objects.filter(device="k-001").count() == 0
    bench.mono_s += 200
    bench.turn()
    told = [r.getMessage() for r in caplog.records if r.getMessage().startswith("throttled")]
    shut_out = Device.objects.get(pk="k-001")
    assert [line.split(" dropped")[0] for line in told] == ["throttled kiosk=k-001"]
    assert 300 < shut_out.throttled < 490
    assert shut_out.throttled_at is not None
    assert Device.objects.get(pk="k-002").throttled == 0
    bench.link.bring(rec(noisy), kept)  # the kiosk's outbox still has it
    bench.turn()
    assert Rehearsal.objects.filter(device="k-001").count() == 1


def test_a_years_backlog_runs_through(registry: TestRegistry, bench: Bench) -> None:
    """Without a second passing: 5,000 new records cost less than 30 pieces of garbage."""
    kiosk = registry.kiosk()
    quiet()
    bench.turn = lambda: bench.worker.turn(bench.stop)  # type: ignore[method-assign]
    throttle = bench.worker._throttle
    payload = kiosk.record(provenance="simulated")
    bench.link.bring(rec(kiosk), payload)
    bench.turn()
    spent = 1000 - throttle._bucket("k-001", bench.mono_s).tokens
    assert spent * 5000 < 30 * 10


@SQLITE
def test_a_full_registry_promises_nothing_and_loses_nothing(
    registry: TestRegistry, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    kiosk = registry.kiosk()
    quiet()
    payloads = [kiosk.record(provenance="simulated") for _ in range(30)]
    pages(1)  # SQLite takes what there is: from now on it cannot grow
    tries: list[list[str]] = []

    def room_after_two(_timeout_s: float) -> bool:
        tries.append(list(bench.link.log))
        pages(1 if len(tries) < 2 else 1_000_000)
        return False

    monkeypatch.setattr(bench.stop, "wait", room_after_two)
    for payload in payloads:
        bench.link.bring(rec(kiosk), payload)
    bench.turn()
    assert tries == [[], []]
    assert Rehearsal.objects.count() == 30
    [ack] = bench.opened(topics.ACK)
    assert len(messages.parse_acks(ack.body)) == 30


def pages(limit: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
        cursor.execute(f"PRAGMA max_page_count = {limit}")

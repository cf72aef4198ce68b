"""Several bridge workers at once: nothing twice, nothing lost, one of them leads."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection

from cloud_bridge import config
from cloud_bridge.bridge.mqtt_link import MqttLink
from cloud_bridge.bridge.opening import Arrival
from cloud_bridge.bridge.worker import Clock, Worker
from cloud_bridge.registry import audit, keyring, lease
from cloud_bridge.registry.models import (
    AuditCheckpoint,
    Certification,
    ChainState,
    Device,
    Person,
    Proof,
    Quarantine,
)
from edge.wire import topics
from edge.wire.messages import AckStatus
from tests.chaos import mqtt_raw
from tests.fixtures_broker import KIOSKS, Broker
from tests.fixtures_cloud import NOW, TestRegistry
from tests.integration.test_cloud_worker import MemoryLink

pytestmark = pytest.mark.engine
RECORDS = 24


def at_once(*works: Callable[[], object]) -> None:
    """Threads that begin together, each with a connection of its own."""
    together = threading.Barrier(len(works), timeout=20)
    errors: list[BaseException] = []

    def one(work: Callable[[], object]) -> None:
        try:
            together.wait()
            work()
        except BaseException as error:  # noqa: BLE001  told below
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []


def test_records_that_reach_several_workers_are_filed_once(registry: TestRegistry) -> None:
    """Each record comes to two of three workers, neighbours of a chain to different ones, all
    about the same person, in another order each time."""
    kiosks = [registry.kiosk(f"k-{number:03d}") for number in range(3)]
    every = [Arrival(it.kiosk_id, it.record()) for it in kiosks for _ in range(RECORDS)]
    chance = random.Random(5)
    shares: list[list[Arrival]] = [[], [], []]
    for number, arrival in enumerate(every):
        shares[number % 3].append(arrival)
        shares[(number + 1 + number // 7 % 2) % 3].append(arrival)
    told: Counter[AckStatus] = Counter()
    ingest = registry.ingest

    def work(share: list[Arrival]) -> None:
        chance.shuffle(share)
        for at in range(0, len(share), 8):
            told.update(reply.ack.status for reply in ingest.ingest(share[at : at + 8], NOW))

    at_once(*(lambda share=share: work(share) for share in shares))
    assert told == {AckStatus.FILED: len(every), AckStatus.KNOWN: len(every)}
    assert Certification.objects.count() == Proof.objects.count() == len(every)
    assert not Quarantine.objects.exists()
    states = ChainState.objects.values_list("highest", "tip_seq", "missing")
    assert set(map(str, states)) == {str((RECORDS, RECORDS, []))}
    latest = Proof.objects.latest("on")
    assert Person.objects.get(pk=latest.person_id).last_pass_on == latest.on
    assert audit.first_broken(registry.vault) is None


def test_a_chains_row_from_before_finds_out_where_it_stands(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    first, second, third, fourth = (Arrival("k-001", kiosk.record()) for _ in range(4))
    registry.ingest.ingest([first, second], NOW)
    ChainState.objects.update(tip_seq=None, tip_sha256="", sure_seq=None, sure_at=None)
    [reply] = registry.ingest.ingest([third], NOW)
    assert reply.ack.status is AckStatus.FILED
    state = ChainState.objects.get()
    assert (state.tip_seq, state.sure_seq) == (3, 3)
    ChainState.objects.update(tip_sha256="0" * 64)
    [reply] = registry.ingest.ingest([fourth], NOW)
    assert reply.ack.status is AckStatus.QUARANTINED, "the tip's hash is what it is judged by"


def test_one_holds_the_lease_until_it_leaves_or_is_silent(registry: TestRegistry) -> None:
    assert lease.hold("bridge", NOW)
    assert not lease.hold("bridge-2", NOW)
    assert lease.hold("bridge", NOW + timedelta(seconds=8))
    assert not lease.hold("bridge-2", NOW + timedelta(seconds=17))
    assert lease.hold("bridge-2", NOW + timedelta(seconds=19))
    lease.leave("bridge")
    assert not lease.hold("bridge", NOW + timedelta(seconds=19)), "left what it no longer had"
    lease.leave("bridge-2")
    assert lease.hold("bridge", NOW + timedelta(seconds=19))


def test_a_lease_from_a_clock_that_was_years_ahead_binds_nobody(registry: TestRegistry) -> None:
    assert lease.hold("bridge", NOW + timedelta(days=4000))
    assert lease.hold("bridge-2", NOW)


class Two:
    """Two workers over one registry, on clocks turned by hand."""

    def __init__(self, registry: TestRegistry) -> None:
        self.now, self.mono_s, self.stop = NOW, 0.0, threading.Event()
        clock = Clock(now=lambda: self.now, mono_s=lambda: self.mono_s)
        self.links = [MemoryLink(), MemoryLink()]
        self.workers = [
            Worker(link, registry.ingest, registry.vault, keyring.sign_key(), clock, name)
            for link, name in zip(self.links, ("bridge", "bridge-2"), strict=True)
        ]

    def turn(self, *numbers: int, later_s: float = 3.0) -> None:
        self.now += timedelta(seconds=later_s)
        self.mono_s += later_s
        for number in numbers:
            self.workers[number].turn(self.stop)

    def rosters(self, number: int) -> int:
        return sum(topic.endswith(topics.ROSTER) for topic, _, _ in self.links[number].sent)


def test_only_the_leader_sends_and_the_other_follows_it(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    two = Two(registry)
    two.turn(0, 1)
    assert (two.links[0].leading, two.links[1].leading) == (True, False)
    assert (two.rosters(0), two.rosters(1)) == (1, 0)
    assert AuditCheckpoint.objects.count() == 1, "the leader seals the log"
    two.links[1].bring(topics.topic("k-001", topics.RECORD), kiosk.record())
    two.turn(1)
    assert Certification.objects.count() == 1, "records are everybody's"
    Device.objects.update(roster_due=True)
    two.turn(1, later_s=20.0)  # the first is silent: killed, perhaps
    assert two.links[1].leading
    assert two.rosters(1) == 1
    two.turn(0, 1)
    assert (two.links[0].leading, two.links[1].leading) == (False, True)


def test_who_stops_leaves_the_lead_at_once(registry: TestRegistry) -> None:
    two = Two(registry)
    two.turn(0, 1)
    two.links[0].on_empty = two.stop.set
    two.workers[0].run(two.stop)
    two.stop.clear()
    two.turn(1)
    assert two.links[1].leading


@contextmanager
def listening(broker: Broker, *groups: str) -> Iterator[mqtt_raw.Peer]:
    """A kiosk that joins groups it has no business in."""
    with mqtt_raw.Peer(broker.port, broker.site.kiosk(KIOSKS[1]), "tls") as peer:
        peer.send(mqtt_raw.connect(KIOSKS[1].encode()))
        assert peer.receive(10)
        for group in groups:
            peer.send(mqtt_raw.subscribe(f"$share/{group}/{topics.RECORD_FILTER}".encode()))
            assert peer.receive(10)
        yield peer


def arriving(broker: Broker, link: MqttLink, count: int) -> int:
    """Of so many records that a kiosk publishes, how many the link is given."""
    with mqtt_raw.Peer(broker.port, broker.site.kiosk(KIOSKS[0]), "tls") as kiosk:
        kiosk.send(mqtt_raw.connect(KIOSKS[0].encode()))
        assert kiosk.receive(10)
        topic = topics.topic(KIOSKS[0], topics.RECORD).encode()
        for number in range(count):
            kiosk.send(mqtt_raw.publish(topic, b"%d" % number, mid=number + 1))
            answer = kiosk.receive(10)
            assert answer is not None
            assert answer.kind == mqtt_raw.PUBACK
    got = 0
    while batch := link.poll(1.0, count):
        got += len(batch)
        for message in batch:
            link.done(message)
    return got


@pytest.mark.broker
def test_a_kiosk_that_joins_the_workers_takes_nothing_from_them(broker: Broker) -> None:
    settings = config.load(broker.site.registry / "registry.toml").broker
    link = MqttLink(settings.of_worker(2), "a secret of the registry", "bridge-2")
    try:
        while not link.connected:
            link.poll(0.1, 1)
        link.poll(0.2, 1)
        with listening(broker, "bridge", "g", "jz"):
            assert arriving(broker, link, 30) == 30
        # Why the group's name is a secret: the broker gives a member its share, and then
        # finds that it may not read it.
        with listening(broker, "a secret of the registry"):
            assert arriving(broker, link, 30) < 30
    finally:
        link.close()

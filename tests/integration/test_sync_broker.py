"""Store and sync against a real mosquitto with mutual TLS."""

from __future__ import annotations

import json
import logging
import os
import queue
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import client as mqtt

from cloud_bridge import config as registry_config
from cloud_bridge.bridge.mqtt_link import MqttLink as BridgeLink
from edge.app.clock import SystemTime
from edge.ports import Incoming, OutboxRow
from edge.store.inbox import Inbox
from edge.store.journal import SqliteJournal
from edge.store.letters import Letters
from edge.store.outbox import SqliteOutbox
from edge.store.state import SyncState
from edge.sync import mqtt_link
from edge.sync.mqtt_link import Endpoint, MqttLink
from edge.sync.publisher import Pace
from edge.sync.service import SyncService
from edge.wire import keys, messages, topics
from edge.wire.envelope import Header, sign
from edge.wire.messages import Presence
from provisioning.site import make_site, revoke
from tests.fixtures_broker import Broker
from tests.helpers_sync import KIOSK, SignedKiosk, SmallRegistry, record_id

pytestmark = pytest.mark.broker
OTHER = "k-002"
PATIENCE_S = 15.0


def leaf(topic: str) -> str:
    return topics.split(topic)[1]


class Clock:
    """Real time, except that pauses between two tries to connect are skipped."""

    def __init__(self) -> None:
        self._skipped_s = 0.0

    def monotonic_s(self) -> float:
        return time.monotonic() + self._skipped_s

    def pause(self, seconds: float) -> None:
        self._skipped_s += seconds


class Peer:
    """Any other client of the broker: the bridge, or a kiosk with bad intentions."""

    def __init__(self, folder: Path, stem: str, port: int, client_id: str) -> None:
        self._heard: dict[str, queue.Queue[bytes]] = defaultdict(queue.Queue)
        self._events: queue.Queue[Any] = queue.Queue()
        self._client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id, protocol=mqtt.MQTTv5
        )
        self._client.tls_set(folder / "ca.crt", folder / f"{stem}.crt", folder / f"{stem}.key")
        self._client.on_connect = lambda *told: self._events.put(told[3])
        self._client.on_subscribe = lambda *told: self._events.put(told[3])
        self._client.on_publish = lambda *told: self._events.put(told[3])
        self._client.on_message = self._hear
        self.properties: dict[str, Any] = {}
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert not self._events.get(timeout=PATIENCE_S).is_failure

    def subscribe(self, topic: str) -> None:
        self._client.subscribe(topic, qos=1)
        self._events.get(timeout=PATIENCE_S)

    def _hear(self, _client: Any, _data: Any, message: Any) -> None:
        self.properties[leaf(message.topic)] = message.properties
        self._heard[leaf(message.topic)].put(message.payload)

    def publish(self, message: Incoming, *, retain: bool = False) -> int:
        """The broker's reason code: 0 and 16 are good, 135 is "not authorised"."""
        self._client.publish(message.topic, message.payload, qos=1, retain=retain)
        return int(self._events.get(timeout=PATIENCE_S).value)

    def has(self, leaf: str) -> bool:
        """Whether a message on such a topic waits to be heard."""
        return not self._heard[leaf].empty()

    def hears(self, leaf: str) -> bytes:
        return self._heard[leaf].get(timeout=PATIENCE_S)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class Kiosk:
    """One kiosk's disk and sync service, driven by the test."""

    def __init__(self, broker: Broker, link_class: type[MqttLink] = MqttLink) -> None:
        folder = broker.site.kiosk(KIOSK)
        times, clock = SystemTime(), Clock()
        data_key = keys.decode_key((folder / "data.key").read_text())
        self.journal = SqliteJournal(folder / "data" / "journal.db", data_key, times)
        self.outbox = SqliteOutbox(self.journal.database, times)
        self.signer = SignedKiosk(KIOSK, keys.signing_key((folder / "sign.key").read_text()))
        self.link = link_class(
            endpoint(broker),
            Presence(True, 7, "test"),
            monotonic_s=clock.monotonic_s,
            pause=clock.pause,
        )
        self.service = SyncService(
            self.outbox,
            Inbox(self.journal.database),
            SyncState(self.journal.database, times),
            self.link,
            keys.verifying_key((folder / "registry-sign.pub").read_text()),
            KIOSK,
            times,
            pace=Pace(resend_s=0.2, resend_max_s=0.5),
            letters=Letters(self.journal.database, times),
        )
        self.link.start()

    def commit(self, number: int) -> OutboxRow:
        name = record_id(number)
        return self.journal.commit(name, "record", self.signer.build(name))

    def turn_until(self, happened: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while not happened():
            assert time.monotonic() < deadline_s, f"link trouble: {self.link.trouble!r}"
            self.service.step(0.05)

    def close(self) -> None:
        self.link.stop()
        self.journal.close()


class Registry:
    """The bridge's end: files what comes up and answers it."""

    def __init__(self, broker: Broker, kiosk: Kiosk) -> None:
        key = keys.signing_key((broker.site.registry / "sign.key").read_text())
        self.key = key
        self._book = SmallRegistry(key)
        self._kiosk_key = kiosk.signer.key.public_key()
        self._broker = broker
        self.peer = self._peer()

    def _peer(self) -> Peer:
        peer = Peer(self._broker.site.registry, "bridge", self._broker.port, "bridge")
        peer.subscribe(topics.BRIDGE_FILTER)
        return peer

    @property
    def filed(self) -> dict[str, str]:
        return self._book.filed

    def renew(self) -> None:
        """Another connection, after the broker forgot us."""
        self.peer.close()
        self.peer = self._peer()

    def take(self, payload: bytes) -> Incoming:
        """File it; the answer to it."""
        return self._book.take(payload, self._kiosk_key)

    def answer(self, payload: bytes) -> None:
        assert self.peer.publish(self.take(payload)) == 0

    def answer_all(self) -> None:
        while self.peer.has(topics.RECORD):
            self.answer(self.peer.hears(topics.RECORD))

    def close(self) -> None:
        self.peer.close()


def endpoint(broker: Broker) -> Endpoint:
    folder = broker.site.kiosk(KIOSK)
    return Endpoint(
        KIOSK,
        "127.0.0.1",
        broker.port,
        folder / "ca.crt",
        folder / "tls.crt",
        folder / "tls.key",
    )


def stranger(broker: Broker, client_id: str = OTHER) -> Peer:
    return Peer(broker.site.kiosk(OTHER), "tls", broker.port, client_id)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def kiosk(broker: Broker, stack: ExitStack) -> Kiosk:
    return stack.enter_context(closing(Kiosk(broker)))


@pytest.fixture
def registry(broker: Broker, kiosk: Kiosk, stack: ExitStack) -> Registry:
    return stack.enter_context(closing(Registry(broker, kiosk)))


def test_a_record_goes_up_and_the_answer_empties_the_outbox(
    kiosk: Kiosk, registry: Registry
) -> None:
    row = kiosk.commit(1)
    kiosk.turn_until(lambda: registry.peer.has(topics.RECORD))
    assert registry.peer.hears(topics.RECORD) == row.payload
    assert kiosk.outbox.depth() == 1
    registry.answer(row.payload)
    kiosk.turn_until(lambda: kiosk.outbox.depth() == 0)
    assert registry.filed == {row.record_id: row.sha256}
    assert kiosk.journal.link_is_up()


def test_the_brokers_confirmation_alone_deletes_nothing(
    broker: Broker, kiosk: Kiosk, registry: Registry
) -> None:
    kiosk.commit(1)
    kiosk.turn_until(lambda: broker.log.read_text().count("Sending PUBACK to k-001") >= 4)
    assert kiosk.outbox.depth() == 1
    assert registry.peer.has(topics.RECORD)


def test_a_broker_killed_and_started_again_costs_no_record(
    broker: Broker, kiosk: Kiosk, stack: ExitStack
) -> None:
    kiosk.turn_until(kiosk.link.connected)
    first = kiosk.commit(1)
    kiosk.service.step(0)
    broker.kill()
    second = kiosk.commit(2)
    kiosk.turn_until(lambda: not kiosk.link.connected())
    kiosk.service.step(0)
    assert not kiosk.journal.link_is_up()
    broker.start()
    registry = stack.enter_context(closing(Registry(broker, kiosk)))

    def done() -> bool:
        registry.answer_all()
        return kiosk.outbox.depth() == 0

    kiosk.turn_until(done)
    assert registry.filed == {first.record_id: first.sha256, second.record_id: second.sha256}


def test_an_answer_given_while_the_kiosk_is_off_is_waiting_for_it(
    broker: Broker, kiosk: Kiosk, registry: Registry, stack: ExitStack
) -> None:
    row = kiosk.commit(1)
    kiosk.turn_until(lambda: registry.peer.has(topics.RECORD))
    kiosk.close()
    registry.answer(row.payload)
    again = stack.enter_context(closing(Kiosk(broker)))
    again.turn_until(lambda: again.outbox.depth() == 0)


def test_another_kiosk_can_neither_speak_for_us_nor_listen(
    broker: Broker, kiosk: Kiosk, registry: Registry, stack: ExitStack
) -> None:
    kiosk.turn_until(kiosk.link.connected)
    spy = stack.enter_context(closing(stranger(broker)))
    for topic in (topics.down_filter(KIOSK), f"{topics.ROOT}/#", "#", topics.down_filter(OTHER)):
        spy.subscribe(topic)  # granted, whatever it is; what counts is what is delivered
    for leaf in (topics.RECORD, topics.PRESENCE, topics.ACK):
        assert spy.publish(Incoming(topics.topic(KIOSK, leaf), b"forged")) == 135
    assert spy.publish(Incoming(topics.topic(OTHER, topics.ACK), b"self-made")) == 135
    registry.peer.publish(Incoming(topics.topic(KIOSK, topics.ACK), b"not for the spy"))
    row = kiosk.commit(1)
    kiosk.turn_until(lambda: registry.peer.has(topics.RECORD))
    registry.peer.publish(Incoming(topics.topic(OTHER, topics.ACK), b"end"))
    assert spy.hears(topics.ACK) == b"end"
    assert registry.peer.hears(topics.RECORD) == row.payload
    assert not registry.peer.has(topics.ACK)


def test_a_stolen_client_id_evicts_nobody(
    broker: Broker, kiosk: Kiosk, registry: Registry, stack: ExitStack
) -> None:
    kiosk.turn_until(kiosk.link.connected)
    thief = stack.enter_context(closing(stranger(broker, client_id=KIOSK)))
    thief.subscribe(topics.down_filter(KIOSK))
    row = kiosk.commit(1)
    kiosk.turn_until(lambda: registry.peer.has(topics.RECORD))
    registry.answer(row.payload)
    kiosk.turn_until(lambda: kiosk.outbox.depth() == 0)
    assert broker.log.read_text().count("as k-001 ") == 1
    assert not thief.has(topics.ACK)


def test_the_bridge_cannot_speak_as_a_kiosk(registry: Registry) -> None:
    assert registry.peer.publish(Incoming(topics.topic(KIOSK, topics.RECORD), b"x")) == 135


CALLBACKS = ("_on_connect", "_on_subscribe", "_on_publish", "_on_message", "_on_disconnect")


def stumbling(callback: str) -> type[MqttLink]:
    """A link with a bug in one callback that shows twice."""
    bugs = iter((True, True))

    def stumble(self: MqttLink, *told: Any) -> None:
        if next(bugs, False):
            raise ZeroDivisionError
        getattr(MqttLink, callback)(self, *told)

    return type("Stumbling", (MqttLink,), {callback: stumble, "bugs": bugs})


@pytest.mark.parametrize("callback", CALLBACKS)
def test_a_bug_in_any_callback_costs_connections_and_no_record(
    broker: Broker, stack: ExitStack, caplog: pytest.LogCaptureFixture, callback: str
) -> None:
    """There is no thread that could die unseen: what a callback raises comes out of `step`."""
    caplog.set_level(logging.INFO, "edge.sync")
    link_class = stumbling(callback)
    kiosk = stack.enter_context(closing(Kiosk(broker, link_class)))
    rows = [kiosk.commit(number) for number in range(3)]
    kiosk.turn_until(kiosk.link.connected)
    broker.kill()
    kiosk.turn_until(lambda: not kiosk.link.connected())
    broker.start()
    kiosk.turn_until(kiosk.link.connected)
    registry = stack.enter_context(closing(Registry(broker, kiosk)))
    rows += [kiosk.commit(number) for number in range(3, 6)]

    def done() -> bool:
        registry.answer_all()
        if callback == "_on_disconnect" and broken() < 2 and kiosk.link.connected():
            broker.kill()
            broker.start()
            registry.renew()
        return kiosk.outbox.depth() == 0 and broken() == 2 and kiosk.link.connected()

    def broken() -> int:
        return sum("type=ZeroDivisionError" in r.getMessage() for r in caplog.records)

    kiosk.turn_until(done)
    assert registry.filed == {row.record_id: row.sha256 for row in rows}


def test_presence_says_when_the_kiosk_comes_and_goes(
    kiosk: Kiosk, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt_link, "WILL_DELAY_S", 0)
    kiosk.turn_until(kiosk.link.connected)
    online = json.loads(registry.peer.hears(topics.PRESENCE))
    assert online == {"online": True, "boot_seq": 7, "software": "test"}
    kiosk.link.stop()
    offline = json.loads(registry.peer.hears(topics.PRESENCE))
    assert offline == online | {"online": False}


def test_presence_is_withdrawn_when_the_process_dies(
    kiosk: Kiosk, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt_link, "WILL_DELAY_S", 0)
    kiosk.turn_until(kiosk.link.connected)
    assert json.loads(registry.peer.hears(topics.PRESENCE))["online"]
    kiosk.link._client.socket().close()
    assert not json.loads(registry.peer.hears(topics.PRESENCE))["online"]


def test_a_short_break_is_not_told(kiosk: Kiosk, registry: Registry) -> None:
    """The will waits for half a minute; who is back before that was never away."""
    kiosk.turn_until(kiosk.link.connected)
    assert json.loads(registry.peer.hears(topics.PRESENCE))["online"]
    kiosk.link._client.socket().close()
    kiosk.turn_until(lambda: not kiosk.link.connected())
    kiosk.turn_until(kiosk.link.connected)
    assert json.loads(registry.peer.hears(topics.PRESENCE))["online"]
    assert not registry.peer.has(topics.PRESENCE)


def test_a_question_has_its_id_beside_it_and_does_not_outlive_its_time(
    broker: Broker, kiosk: Kiosk, registry: Registry
) -> None:
    letters = Letters(kiosk.journal.database, SystemTime())
    kiosk.turn_until(kiosk.link.connected)
    letters.put("q-1", topics.LOOKUP, b"sealed", 5)
    kiosk.turn_until(lambda: registry.peer.has(topics.LOOKUP))
    told = registry.peer.properties[topics.LOOKUP]
    assert told.CorrelationData == b"q-1"
    assert told.ResponseTopic == topics.topic(KIOSK, topics.ANSWER)
    assert 0 < told.MessageExpiryInterval <= 5


def test_the_broker_keeps_rosters_and_sessions_over_a_restart(
    broker: Broker, kiosk: Kiosk, registry: Registry
) -> None:
    kiosk.turn_until(kiosk.link.connected)
    roster = sign(Header(messages.ROSTER, "roster-1", "registry", KIOSK), b"x", registry.key)
    kiosk.link.stop()
    registry.peer.publish(Incoming(topics.topic(KIOSK, topics.ROSTER), roster), retain=True)
    broker.stop()
    broker.start()
    kiosk.link.start()
    kiosk.turn_until(lambda: kiosk.journal.waiting_roster() == roster)


def test_a_message_no_kiosk_can_have_costs_its_sender_the_connection(
    broker: Broker, kiosk: Kiosk, stack: ExitStack
) -> None:
    kiosk.turn_until(kiosk.link.connected)
    noisy = stack.enter_context(closing(stranger(broker)))
    gone: queue.Queue[Any] = queue.Queue()
    noisy._client.on_disconnect = lambda *told: gone.put(told[3])
    noisy._client.publish(topics.topic(OTHER, topics.RECORD), b"x" * 600_000, qos=1)
    assert gone.get(timeout=PATIENCE_S).is_failure
    kiosk.service.step(0.05)
    assert kiosk.link.connected()


def test_a_revoked_certificate_gets_nobody_in(
    broker: Broker, kiosk: Kiosk, stack: ExitStack
) -> None:
    stack.enter_context(closing(stranger(broker)))
    revoke(broker.site.root, OTHER)
    broker.stop()
    broker.start()
    folder = broker.site.kiosk(OTHER)
    context = ssl.create_default_context(cafile=folder / "ca.crt")
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    with pytest.raises(OSError, match=r"(?i)revoked|closed|reset|EOF"):
        talk(broker, context)
    kiosk.turn_until(kiosk.link.connected)


def test_a_list_read_again_keeps_out_who_comes(broker: Broker, kiosk: Kiosk) -> None:
    kiosk.turn_until(kiosk.link.connected)
    revoke(broker.site.root, KIOSK)
    broker.reload()
    kiosk.turn_until(lambda: "Reloading config" in broker.log.read_text())
    kiosk.service.step(0.05)
    assert kiosk.link.connected()  # as `revoke` says: who is connected stays
    kiosk.link._client.socket().close()
    refused = "peer did not return|certificate verify failed|revoked"
    kiosk.turn_until(lambda: re.search(refused, broker.log.read_text()) is not None)
    assert not kiosk.link.connected()


def test_the_link_takes_no_more_than_its_window(kiosk: Kiosk) -> None:
    kiosk.turn_until(kiosk.link.connected)
    topic = topics.topic(KIOSK, topics.RECORD)
    taken = [kiosk.link.publish(topic, b"x") for _ in range(mqtt_link.WINDOW + 1)]
    assert taken == [True] * mqtt_link.WINDOW + [False]
    assert kiosk.link.connected()
    kiosk.turn_until(lambda: kiosk.link.publish(topic, b"x"))


def test_access_rules_that_shut_us_out_are_told_once(
    broker: Broker, kiosk: Kiosk, caplog: pytest.LogCaptureFixture
) -> None:
    """A plain MQTT 3 client would see its messages confirmed and thrown away."""
    broker.stop()
    broker.site.broker_conf.with_name("acl").write_text("user nobody\ntopic read x\n")
    broker.start()
    caplog.set_level(logging.INFO, "edge.sync")
    kiosk.commit(1)
    kiosk.turn_until(lambda: broker.log.read_text().count("rc135") >= 3)
    kiosk.turn_until(lambda: "Not authorized" in kiosk.link.trouble)
    assert not kiosk.link.connected()
    assert not kiosk.journal.link_is_up()
    assert [r.levelname for r in caplog.records] == ["WARNING"]
    assert kiosk.outbox.depth() == 1


def test_a_broker_of_another_authority_gets_nothing(
    broker: Broker, kiosk: Kiosk, tmp_path: Path
) -> None:
    broker.stop()
    false = make_site(tmp_path / "false", [KIOSK], broker_port=broker.port)
    right, broker.site = broker.site, false
    broker.start()
    broker.site = right
    kiosk.turn_until(lambda: "certificate verify failed" in kiosk.link.trouble)
    assert not kiosk.link.connected()


def talk(broker: Broker, context: ssl.SSLContext) -> bytes:
    """First byte of the answer to a CONNECT; raises `OSError` when there is none."""
    with (
        socket.create_connection(("127.0.0.1", broker.port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        tls.sendall(b"\x10\x10\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x03k-9")
        answer = tls.recv(1)
        if not answer:
            raise ConnectionResetError("closed without a word")
        return answer


def test_only_a_certificate_and_new_tls_get_in(broker: Broker) -> None:
    folder = broker.site.kiosk(KIOSK)
    context = ssl.create_default_context(cafile=folder / "ca.crt")
    with pytest.raises(OSError, match=r"(?i)certificate required|closed|reset|EOF"):
        talk(broker, context)
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    assert talk(broker, context) == b"\x20"
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(OSError, match=r"(?i)alert protocol version|closed|reset|EOF"):
        talk(broker, context)


def test_the_sync_process_serves_until_sigterm_and_exits_with_0(
    broker: Broker, kiosk: Kiosk, registry: Registry
) -> None:
    folder = broker.site.kiosk(KIOSK)
    for name in ("sign.key", "open.key", "data.key", "card.key"):
        (folder / name).unlink()  # it has to do without
    row = kiosk.commit(1)
    code = (
        "import sys; from pathlib import Path; from edge.app import config, sync_process\n"
        "loaded = config.load(Path(sys.argv[1]))\n"
        "sys.exit(sync_process.main(sync_process.settings(loaded, 'test')))"
    )
    root = Path(__file__).parent.parent.parent
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder / "site.toml")], cwd=root, env=os.environ
    ) as process:
        try:
            assert registry.peer.hears(topics.RECORD) == row.payload
            assert kiosk.journal.link_is_up()
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 0
        finally:
            process.kill()
    assert not kiosk.journal.link_is_up()


def test_what_the_broker_has_no_room_for_comes_again(
    broker: Broker, kiosk: Kiosk, registry: Registry
) -> None:
    """The bridge is away, its queue at the broker is full: the broker confirms and forgets."""
    rules = broker.site.broker_conf.read_text()
    registry.peer.close()
    broker.stop()
    tight = rules.replace("max_queued_messages 10000", "max_queued_messages 5")
    broker.site.broker_conf.write_text(tight)
    broker.start()
    settings = registry_config.load(broker.site.registry / "registry.toml")
    bridge = BridgeLink(settings.broker, "group")
    until_connected(bridge)
    bridge.close()
    rows = [kiosk.commit(number) for number in range(40)]
    kiosk.turn_until(lambda: "Outgoing messages are being dropped" in broker.log.read_text())
    try:
        until_connected(bridge)

        def done() -> bool:
            for message in bridge.poll(0.05, 50):
                if leaf(message.topic) == topics.RECORD:
                    told = registry.take(message.payload)
                    bridge.publish(told.topic, told.payload)
                bridge.done(message)
            return kiosk.outbox.depth() == 0

        kiosk.turn_until(done)
    finally:
        bridge.close()
    assert registry.filed == {row.record_id: row.sha256 for row in rows}


def until_connected(bridge: BridgeLink) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not bridge.connected:
        assert time.monotonic() < deadline_s
        bridge.poll(0.05, 1)
    bridge.poll(0.1, 1)  # the subscription, too

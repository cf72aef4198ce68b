"""Store and sync against a real mosquitto with mutual TLS."""

from __future__ import annotations

import json
import logging
import os
import queue
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
from edge.wire import keys, topics
from edge.wire.messages import Presence
from provisioning.site import make_site
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
        self._client.on_message = lambda _c, _d, m: self._heard[leaf(m.topic)].put(m.payload)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert not self._events.get(timeout=PATIENCE_S).is_failure

    def subscribe(self, topic: str) -> None:
        self._client.subscribe(topic, qos=1)
        self._events.get(timeout=PATIENCE_S)

    def publish(self, message: Incoming) -> int:
        """The broker's reason code: 0 and 16 are good, 135 is "not authorised"."""
        self._client.publish(message.topic, message.payload, qos=1)
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
        self._book = SmallRegistry(key)
        self._kiosk_key = kiosk.signer.key.public_key()
        self.peer = Peer(broker.site.registry, "bridge", broker.port, "bridge")
        self.peer.subscribe(topics.BRIDGE_FILTER)

    @property
    def filed(self) -> dict[str, str]:
        return self._book.filed

    def answer(self, payload: bytes) -> None:
        assert self.peer.publish(self._book.take(payload, self._kiosk_key)) == 0

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


class Stumbling(MqttLink):
    """Has a bug in a callback that shows once."""

    stumbles = 1

    def _on_message(self, *told: Any) -> None:
        if self.stumbles:
            self.stumbles -= 1
            raise ZeroDivisionError
        super()._on_message(*told)


def test_a_bug_in_a_callback_costs_one_connection_and_no_message(
    broker: Broker, stack: ExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    kiosk = stack.enter_context(closing(Kiosk(broker, Stumbling)))
    registry = stack.enter_context(closing(Registry(broker, kiosk)))
    row = kiosk.commit(1)
    kiosk.turn_until(lambda: registry.peer.has(topics.RECORD))
    registry.answer(row.payload)
    kiosk.turn_until(lambda: kiosk.outbox.depth() == 0)
    kiosk.turn_until(kiosk.link.connected)
    assert [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR] == [
        f"link=error type=ZeroDivisionError at=_on_message:{line_of_the_bug()}"
    ]


def line_of_the_bug() -> int:
    return Stumbling._on_message.__code__.co_firstlineno + 3


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
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
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

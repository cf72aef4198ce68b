"""The bridge against a real mosquitto: TLS, session, acknowledgements, broker loss."""

from __future__ import annotations

import contextlib
import json
import queue
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from cloud_bridge import config, demo
from cloud_bridge.bridge.mqtt_link import MqttLink
from edge.wire import envelope, keys, messages, topics
from edge.wire.messages import AckStatus
from tests.fixtures_broker import KIOSKS, Broker
from tests.fixtures_cloud import TestKiosk

pytestmark = pytest.mark.broker
WAIT_S = 20.0
RESEND_S = 2.0


def bridge_command(broker: Broker, *arguments: str) -> list[str]:
    config = str(broker.site.registry / "registry.toml")
    return [sys.executable, "-m", "cloud_bridge", "--config", config, *arguments]


def run(broker: Broker, *arguments: str, code: int = 0) -> str:
    done = subprocess.run(
        bridge_command(broker, *arguments), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == code, done.stderr
    return done.stdout


@contextlib.contextmanager
def bridge(broker: Broker) -> Iterator[subprocess.Popen[bytes]]:
    """A running bridge process; has to obey SIGTERM at the end, unless it was killed before."""
    process = subprocess.Popen(bridge_command(broker, "bridge"), stderr=subprocess.DEVNULL)
    try:
        yield process
        killed = process.poll() is not None
        process.terminate()
        assert killed or process.wait(10) == 0
    finally:
        process.kill()
        process.wait(10)


class Kiosk:
    """A kiosk's network side, written with paho alone."""

    def __init__(self, broker: Broker, kiosk_id: str) -> None:
        folder = broker.site.kiosk(kiosk_id)
        self.keys = _keys_of(folder, kiosk_id)
        self._registry = keys.verifying_key((folder / "registry-sign.pub").read_text())
        self._got: queue.Queue[mqtt.MQTTMessage] = queue.Queue()
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=kiosk_id, protocol=mqtt.MQTTv5
        )
        context = ssl.create_default_context(cafile=folder / "ca.crt")
        context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
        self._client.tls_set_context(context)
        self._client.on_connect = self._subscribe
        self._client.on_message = lambda _c, _d, message: self._got.put(message)
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()

    def _subscribe(self, client: mqtt.Client, *_rest: object) -> None:
        client.subscribe(topics.down_filter(self.keys.kiosk_id), qos=1)

    def send(self, payload: bytes) -> None:
        self._client.publish(topics.topic(self.keys.kiosk_id, topics.RECORD), payload, qos=1)

    def wait_for(self, leaf: str, timeout_s: float = WAIT_S) -> envelope.Envelope:
        while True:
            message = self._got.get(timeout=timeout_s)
            if message.topic.endswith(leaf):
                return envelope.verify(message.payload, {messages.REGISTRY: self._registry}.get)

    def deliver(self, *payloads: bytes) -> dict[str, AckStatus]:
        """Send, and again what stays unanswered, as an outbox does; first answers by hash."""
        answers: dict[str, AckStatus] = {}
        for _ in range(int(WAIT_S / RESEND_S)):
            for payload in payloads:
                if envelope.sha256_hex(payload) not in answers:
                    self.send(payload)
            with contextlib.suppress(queue.Empty):
                while len(answers) < len(payloads):
                    self._collect(answers)
                return answers
        raise AssertionError(f"{len(answers)} of {len(payloads)} answered")

    def _collect(self, answers: dict[str, AckStatus]) -> None:
        for ack in messages.parse_acks(self.wait_for(topics.ACK, RESEND_S).body):
            answers.setdefault(ack.sha256, ack.status)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def _keys_of(folder: Path, kiosk_id: str) -> TestKiosk:
    return TestKiosk(
        kiosk_id,
        keys.sealing_key((folder / "registry-seal.pub").read_text()),
        sign_text=(folder / "sign.key").read_text(),
        open_text=(folder / "open.key").read_text(),
        card_text=(folder / "card.key").read_text(),
    )


@pytest.fixture
def ready(broker: Broker) -> Broker:
    """A broker, and a registry that knows the invented people and the first kiosk."""
    run(broker, "migrate")
    run(broker, "demo-data")
    folder = str(broker.site.kiosk(KIOSKS[0]))
    run(broker, "device", "add", "--id", KIOSKS[0], "--site", "示例", "--keys", folder)
    return broker


@pytest.fixture
def kiosk(ready: Broker) -> Iterator[Kiosk]:
    running = Kiosk(ready, KIOSKS[0])
    yield running
    running.close()


def test_records_rosters_and_a_broker_that_dies(ready: Broker, kiosk: Kiosk) -> None:
    first, second, third = (kiosk.keys.record(provenance="simulated") for _ in range(3))
    with bridge(ready):
        sealed = kiosk.wait_for(topics.ROSTER)
        plain = envelope.unseal(sealed.body, sealed.header, kiosk.keys.open_key)
        assert len(messages.parse_roster(plain).entries) == sum(row[4] for row in demo.PEOPLE)
        assert list(kiosk.deliver(first).values()) == [AckStatus.FILED]
        ready.kill()
        ready.start()
        answers = kiosk.deliver(first, second)
        assert answers[envelope.sha256_hex(first)] is AckStatus.KNOWN
    kiosk.send(third)  # nobody is there: the broker keeps it for the bridge's session
    with bridge(ready):
        kiosk.wait_for(topics.ACK)
    record_id = json.loads(third)["id"]
    assert '"simulated"' in run(ready, "records", "show", record_id, "--json")
    run(ready, "records", "show", "nobody", code=3)
    assert "whole" in run(ready, "audit", "verify")


def test_what_a_lost_connection_carried_is_lost(broker: Broker) -> None:
    link = MqttLink(config.load(broker.site.registry / "registry.toml").broker, "group")
    try:
        _poll_until(link, lambda: link.connected)
        sent = link.publish(topics.topic(KIOSKS[0], topics.ROSTER), b"x")
        assert sent
        _poll_until(link, sent.arrived)
        assert not sent.lost()
        broker.kill()
        broker.start()
        _poll_until(link, sent.lost)
        assert not sent.arrived()
    finally:
        link.close()


@pytest.mark.parametrize("callback", ["_on_connect", "_on_disconnect", "_on_message"])
def test_a_bug_in_any_callback_costs_the_bridge_connections_and_no_message(
    broker: Broker, callback: str, caplog: pytest.LogCaptureFixture
) -> None:
    bugs = iter((True, True))

    def stumble(self: MqttLink, *told: object) -> None:
        if next(bugs, False):
            raise ZeroDivisionError
        getattr(MqttLink, callback)(self, *told)

    link_class = type("Stumbling", (MqttLink,), {callback: stumble})
    link: MqttLink = link_class(config.load(broker.site.registry / "registry.toml").broker, "group")
    kiosk = Kiosk(broker, KIOSKS[0])
    got: set[bytes] = set()
    stumbled = "link error type=ZeroDivisionError"

    def turn() -> bool:
        link._next_try = 0.0  # no pause between two tries
        for message in link.poll(0.1, 10):
            got.add(message.payload)
            link.done(message)
        return link.connected

    try:
        _until(turn)
        for payload in (b"1", b"2"):
            kiosk.send(payload)
            _until(lambda: turn() and payload in got)  # noqa: B023
            broker.stop()
            _until(lambda: not turn())
            broker.start()
            _until(turn)
        kiosk.send(b"3")
        _until(lambda: turn() and {b"1", b"2", b"3"} <= got)
        assert sum(stumbled in r.getMessage() for r in caplog.records) == 2
    finally:
        kiosk.close()
        link.close()


def _until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not reached():
        assert time.monotonic() < deadline


def _poll_until(link: MqttLink, reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not reached():
        assert time.monotonic() < deadline
        link.poll(0.1, 1)


def test_a_killed_bridge_loses_nothing(ready: Broker, kiosk: Kiosk) -> None:
    payloads = [kiosk.keys.record(provenance="simulated") for _ in range(60)]
    with bridge(ready) as process:
        kiosk.wait_for(topics.ROSTER)
        for payload in payloads:
            kiosk.send(payload)
        kiosk.wait_for(topics.ACK)
        process.kill()
        process.wait(10)
    with bridge(ready):
        kiosk.deliver(*payloads)
    assert run(ready, "records", "list", "--json").count('"filed"') == 60


def test_a_kiosk_that_floods_is_throttled_and_nobody_waits_for_it(
    ready: Broker, kiosk: Kiosk
) -> None:
    other = str(ready.site.kiosk(KIOSKS[1]))
    run(ready, "device", "add", "--id", KIOSKS[1], "--site", "示例", "--keys", other)
    noisy = Kiosk(ready, KIOSKS[1])
    stop = threading.Event()

    def flood() -> None:
        while not stop.is_set():
            for _ in range(20):
                noisy.send(b"x" * 300)
            stop.wait(0.01)

    thread = threading.Thread(target=flood, name="flood")
    waited_s = []
    try:
        with bridge(ready):
            kiosk.wait_for(topics.ROSTER)
            thread.start()
            for _ in range(15):
                start_s = time.monotonic()
                kiosk.deliver(kiosk.keys.record(provenance="simulated"))
                waited_s.append(time.monotonic() - start_s)
            shut_out = f"SELECT throttled FROM registry_device WHERE kiosk_id = '{KIOSKS[1]}'"
            _until(lambda: _cell(ready, shut_out) > 100)
    finally:
        stop.set()
        thread.join()
        noisy.close()
    assert max(waited_s) < 5


def _cell(broker: Broker, sql: str) -> int:
    database = broker.site.registry / "registry.sqlite3"
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        return int(db.execute(sql).fetchone()[0])

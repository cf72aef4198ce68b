"""Hostile messages on both sides, a hostile broker, and a kiosk that floods.

To the kiosk: the sync process's receiver with real stores, and whatever the kiosk process
opens, under the registry's own signature too. To the centre: the real worker on its real
database. To both links: a broker with the right certificate that talks anything but MQTT.
Over a real broker: one kiosk floods while another one's records have to go through.
What counts as an error is whatever would have ended a thread or a process.
"""

from __future__ import annotations

import json
import logging
import os
import random
import subprocess
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path

import cloud_bridge.bridge.mqtt_link as bridge_link
from cloud_bridge.config import Broker as BrokerSettings
from edge.sync.mqtt_link import Endpoint, MqttLink
from edge.wire import keys, messages, topics
from edge.wire.messages import Presence
from provisioning.site import Site
from tests.chaos import hostile, samples
from tests.chaos import mqtt_raw as mqtt
from tests.chaos.campaign import Progress, Section, Size
from tests.chaos.ends import (
    ROOT,
    Centre,
    KioskEnd,
    SkippingClock,
    keys_of,
    scratch,
    tls_of,
    until,
)
from tests.chaos.false_broker import FalseBroker
from tests.chaos.kiosk_fuzz import KioskFuzz
from tests.chaos.mqtt_raw import Peer
from tests.fixtures_broker import KIOSKS, Broker

HONEST, HOSTILE = KIOSKS
BRIDGE_FUZZ = Path(__file__).parents[1] / "bridge_fuzz.py"
SLOWEST_S = 5.0
"""An honest record is answered within this long, flood or not."""


def run(size: Size, progress: Progress) -> Section:
    to_kiosk, to_centre = size.of(4000, 110_000), size.of(2000, 100_000)
    strange, flood = size.of(40, 400), (size.of(12, 60), size.of(1500, 20_000))
    progress.expect(to_kiosk + to_centre + 2 * strange + flood[0])
    with scratch() as root, ExitStack() as stack, _silence():
        broker = Broker(root)
        centre = stack.enter_context(Centre(broker.site, root / "logs", KIOSKS))
        found: Section = {
            "kiosk": _kiosk(broker.site, to_kiosk, size.seed, progress),
            "centre": _centre(broker.site, to_centre, size.seed, progress),
            "links": _links(broker.site, strange, size.seed, progress),
        }
        broker.start()
        stack.callback(broker.stop)
        found["flood"] = _flood(broker, centre, flood, size.seed, progress)
    total = found["kiosk"]["messages"] + found["centre"]["messages"] + flood[1]
    errors = sum(len(found[part]["errors"]) for part in ("kiosk", "centre", "links"))
    return {"messages": total, "errors": errors} | found | {"broken": _broken(found)}


def _broken(found: Section) -> list[str]:
    centre, flood = found["centre"], found["flood"]
    errors = [
        f"{count} times: {words}"
        for part in ("kiosk", "centre", "links")
        for words, count in found[part]["errors"].items()
    ]
    rules = (
        (not found["kiosk"]["kinds_without_sample"], "a message to the kiosk is not tried"),
        (not centre["kinds_without_sample"], "a message to the centre is not tried"),
        (found["kiosk"]["opened"] > 0, "nothing was ever opened: only the doors were tried"),
        (centre["honest_filed"] == centre["honest_sent"], "honest records are missing"),
        (centre["flood"]["dropped"] > 0, "the flood was not throttled"),
        (flood["honest_missing"] == 0, "honest records are missing after the flood"),
        (flood["bridge_alive"], "the bridge ended"),
        (flood["slowest_s"] <= SLOWEST_S, "honest records waited too long behind the flood"),
        (flood["throttled"] > 0, "the flood over the broker was not throttled"),
    )
    return errors + [words for holds, words in rules if not holds]


@contextmanager
def _silence() -> Iterator[None]:
    """Each message refused has a line of its own."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _kiosk(site: Site, count: int, seed: int, progress: Progress) -> Section:
    registry = keys.signing_key((site.registry / "sign.key").read_text())
    fuzz = KioskFuzz(site, HONEST, registry, seed)
    fuzz.run(count, progress.step)
    return {
        "messages": fuzz.taken,
        "opened": fuzz.opened,
        "by_way": fuzz.forge.made,
        "kinds_without_sample": hostile.missing_kinds(fuzz.kinds, up=False),
        "errors": dict(fuzz.errors),
    }


def _centre(site: Site, count: int, seed: int, progress: Progress) -> Section:
    """In a process of its own, because Django is set up once in a process."""
    line = [
        sys.executable, str(BRIDGE_FUZZ), "--config", str(site.registry / "registry.toml"),
        "--kiosks", str(site.root / "kiosks"), "--count", str(count), "--seed", str(seed),
    ]  # fmt: skip
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    told: Section = {}
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout is not None
        for text in process.stdout:
            told = json.loads(text)
            progress.step(told.get("done", 0))
    if process.returncode:
        return {"messages": 0, "errors": {"the fuzzer itself ended": 1}} | told
    return told


def _links(site: Site, count: int, seed: int, progress: Progress) -> Section:
    """Both real links against a broker that talks nonsense, until it was connected to often."""
    errors: Counter[str] = Counter()
    packets = 0
    for link in (_kiosk_link, _bridge_link):
        with FalseBroker(site.root / "broker", seed) as false, _impatient_bridge():
            act, close = link(site, false.port)
            deadline_s = time.monotonic() + 30 + count
            told = 0
            while false.connections < count and time.monotonic() < deadline_s:
                _guarded(act, errors)
                progress.step(false.connections - told)
                told = false.connections
            close()
            packets += false.packets
    return {"connections": 2 * count, "packets": packets, "errors": dict(errors)}


@contextmanager
def _impatient_bridge() -> Iterator[None]:
    """Its pauses between two tries are real time; here they are short."""
    usual = bridge_link.FIRST_BACKOFF_S, bridge_link.LAST_BACKOFF_S
    bridge_link.FIRST_BACKOFF_S = bridge_link.LAST_BACKOFF_S = 0.01
    try:
        yield
    finally:
        bridge_link.FIRST_BACKOFF_S, bridge_link.LAST_BACKOFF_S = usual


def _kiosk_link(site: Site, port: int) -> tuple[Callable[[], object], Callable[[], None]]:
    clock = SkippingClock()
    at = Endpoint(HONEST, "127.0.0.1", port, *tls_of(site.kiosk(HONEST)))
    link = MqttLink(at, Presence(True, 1, "chaos"), monotonic_s=clock.monotonic_s, pause=clock.skip)
    link.start()
    return lambda: link.incoming(0.2), link.stop


def _bridge_link(site: Site, port: int) -> tuple[Callable[[], object], Callable[[], None]]:
    folder = site.registry
    settings = BrokerSettings(
        "127.0.0.1", port, folder / "ca.crt", folder / "bridge.crt", folder / "bridge.key"
    )
    link = bridge_link.MqttLink(settings, "group")
    return lambda: link.poll(0.2, 50), link.close


def _guarded(act: Callable[[], object], errors: Counter[str]) -> None:
    try:
        act()
    except Exception as error:  # noqa: BLE001  each would have ended a process
        frames = traceback.extract_tb(error.__traceback__)
        ours = [f for f in frames if "mqtt_link" in f.filename][-1]
        errors[f"{type(error).__name__} at {Path(ours.filename).parent.name}:{ours.name}"] += 1


def _flood(
    broker: Broker, centre: Centre, counts: tuple[int, int], seed: int, progress: Progress
) -> Section:
    """Real broker, real bridge: how long do honest records wait meanwhile?"""
    records, hostiles = counts
    throttled = f"SELECT throttled FROM registry_device WHERE kiosk_id = '{HOSTILE}'"
    before = centre.rows(throttled)[0][0]
    centre.start()
    enemy = keys_of(broker.site.kiosk(HOSTILE), HOSTILE)
    party = hostile.Party(HOSTILE, "registry", enemy.sign_key, enemy.registry_seal)
    forge = islice(hostile.Forge(samples.up(enemy), party, random.Random(seed)), hostiles)
    waits: list[float] = []
    with KioskEnd(broker.site, HONEST, broker.port) as honest, _Flood(broker, forge) as flood:
        while len(waits) < records or not flood.over():
            started_s = time.monotonic()
            honest.commit()
            until(lambda: not honest.waiting(), 2 * SLOWEST_S, every_s=0.01)
            waits.append(time.monotonic() - started_s)
            progress.step(len(waits) <= records)
        missing = honest.committed().keys() - centre.filed().keys()
    until(lambda: centre.rows(throttled)[0][0] > before, 40)
    return {
        "messages": hostiles,
        "seconds": round(flood.seconds, 1),
        "honest_sent": len(waits),
        "honest_missing": len(missing),
        "slowest_s": round(max(waits), 2),
        "median_s": round(sorted(waits)[len(waits) // 2], 2),
        "throttled": int(centre.rows(throttled)[0][0] - before),
        "bridge_alive": centre.alive(),
    }


class _Flood:
    """As fast as the broker takes it, without waiting for any confirmation."""

    def __init__(self, broker: Broker, supply: Iterable[tuple[str, bytes]]) -> None:
        self._broker = broker
        self._supply = supply
        self._thread = threading.Thread(target=self._run, name="flood")
        self.seconds = 0.0

    def __enter__(self) -> _Flood:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    def over(self) -> bool:
        return not self._thread.is_alive()

    def _run(self) -> None:
        started_s = time.monotonic()
        peer = self._connected()
        for leaf, payload in self._supply:
            try:
                peer.send(mqtt.publish(_allowed(leaf), payload, qos=0))
            except OSError:  # thrown out: no reason to stop
                peer.close()
                peer = self._connected()
        peer.close()
        self.seconds = time.monotonic() - started_s

    def _connected(self) -> Peer:
        peer = Peer(self._broker.port, self._broker.site.kiosk(HOSTILE), "tls")
        peer.send(mqtt.connect(HOSTILE.encode()))
        peer.receive(5)
        return peer


def _allowed(leaf: str) -> bytes:
    """On a topic that the broker lets through."""
    good = any(leaf == message.leaf for message in messages.MESSAGES if message.goes_up)
    return topics.topic(HOSTILE, leaf if good else topics.RECORD).encode()

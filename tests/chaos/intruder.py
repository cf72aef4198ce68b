"""A kiosk with a valid certificate and bad intentions, and the honest ends it is up against."""

from __future__ import annotations

import random
import threading
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path

from edge.wire import topics
from edge.wire.envelope import Chain
from provisioning.site import Site
from tests.chaos import mqtt_raw as mqtt
from tests.chaos.mqtt_raw import Packet, Peer, Will
from tests.fixtures_broker import KIOSKS
from tests.fixtures_cloud import TestKiosk

VICTIM, ATTACKER = KIOSKS
BRIDGE = "bridge"
MARK = b"attack "
OWN = f"{topics.ROOT}/{ATTACKER}/dn/"
PATIENCE_S = 10.0
PEEK_S = 0.01

FOREIGN_TOPICS = (
    *(topics.topic(VICTIM, leaf) for leaf in ("up/rec", "up/presence", "up/health", "up/x/y")),
    *(topics.topic(VICTIM, leaf) for leaf in ("dn/ack", "dn/roster", "dn/desired")),
    *(topics.topic(ATTACKER, leaf) for leaf in ("dn/ack", "dn/roster")),
    *(topics.topic(ATTACKER, leaf) for leaf in ("up/made-up", "up/rec/1", "up")),
    topics.topic(BRIDGE, "up/rec"),
    topics.topic(VICTIM.upper(), "up/rec"),
    topics.topic(VICTIM + " ", "up/rec"),
    topics.topic("k‑001", "up/rec"),
    topics.topic("", "up/rec"),
    f"{topics.ROOT}/{ATTACKER}/../{VICTIM}/up/rec",
    f"/{topics.ROOT}/{VICTIM}/up/rec",
    f"{topics.ROOT}/{ATTACKER}",
    "jz/v1/g/all/announce",
    "jz/v2/d/k-001/up/rec",
    "$SYS/broker/clients/connected",
    f"$share/g/{topics.ROOT}/{VICTIM}/up/rec",
)
IMPOSSIBLE_TOPICS = (f"{topics.ROOT}/+/up/rec", f"{topics.ROOT}/{VICTIM}/#", "#", "")
FOREIGN_FILTERS = (
    "#", "+/#", "jz/#", f"{topics.ROOT}/#", topics.BRIDGE_FILTER, f"{topics.ROOT}/+/dn/#",
    topics.down_filter(VICTIM), topics.topic(VICTIM, topics.ACK), "+/+/+/+/+/+", "$SYS/#",
    f"$share/g/{topics.down_filter(VICTIM)}", f"$share/bridge/{topics.BRIDGE_FILTER}",
    "$share/g/#", f"{topics.ROOT}/{VICTIM}/+/+", topics.topic(VICTIM, topics.PRESENCE),
)  # fmt: skip

IN_THE_LOG = {
    "publish": rf"Denied PUBLISH from {ATTACKER} ",
    "subscribe": r"\t\S+ \(QoS [012]\)",
    "will": r"Will message specified \(\d+ bytes\)",
    "connect": rf"New client connected from \S+ as {ATTACKER} ",
    "malformed": rf"Client {ATTACKER} disconnected due to (?:protocol error|malformed packet)",
}
"""How the broker's log shows each kind of attempt. A claimed client id is not in it: the
connection appears under the name in the certificate."""


class Listener:
    """An honest end that stays connected; its thread alone touches the socket."""

    def __init__(self, peer: Peer, name: str, listens_to: str) -> None:
        self.name = name
        self.heard: list[tuple[str, bytes]] = []
        self.evicted = 0
        self.confirmed = 0
        self._peer = peer
        self._out: deque[bytes] = deque()
        self._mid = 0
        self._closing = threading.Event()
        peer.send(mqtt.connect(name.encode(), clean=False, expiry_s=600))
        peer.send(mqtt.subscribe(listens_to.encode(), mid=65_535))
        self._thread = threading.Thread(target=self._run, name=f"listener-{name}")
        self._thread.start()

    def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self._mid = self._mid % 60_000 + 1
        self._out.append(mqtt.publish(topic.encode(), payload, mid=self._mid, retain=retain))

    def close(self) -> None:
        self._closing.set()
        self._thread.join()
        self._peer.close()

    def _run(self) -> None:
        while not self._closing.is_set() and not self.evicted:
            try:
                self._turn()
            except OSError:
                self._peer.ended = True
            self.evicted += self._peer.ended

    def _turn(self) -> None:
        while self._out:
            self._peer.send(self._out.popleft())
        got = self._peer.receive(0.05)
        if got is None:
            return
        if got.kind == mqtt.PUBLISH:
            topic, payload, mid = mqtt.message(got)
            self.heard.append((topic, payload))
            self._peer.send(mqtt.puback(mid) if mid else b"")
        self.confirmed += got.kind == mqtt.PUBACK
        self._peer.ended |= got.kind == mqtt.DISCONNECT


def honest_kiosk(site: Site, port: int) -> Listener:
    return _kiosk(site, port, VICTIM)


def as_attacker(site: Site, port: int) -> Listener:
    """The attacker where it behaves like a kiosk."""
    return _kiosk(site, port, ATTACKER)


def honest_bridge(site: Site, port: int) -> Listener:
    return Listener(Peer(port, site.registry, BRIDGE), BRIDGE, topics.BRIDGE_FILTER)


def _kiosk(site: Site, port: int, kiosk_id: str) -> Listener:
    return Listener(Peer(port, site.kiosk(kiosk_id), "tls"), kiosk_id, topics.down_filter(kiosk_id))


class Stage:
    """Victim, bridge and the attacker's connections; counts who heard what."""

    def __init__(self, site: Site, port: int, chance: random.Random) -> None:
        self.tries: Counter[str] = Counter()
        self.expected: Counter[str] = Counter()
        self.refused = 0
        self.honest_sent = 0
        self._stolen: list[tuple[str, bytes]] = []
        self._folder: Path = site.kiosk(ATTACKER)
        self._site, self._port, self._chance = site, port, chance
        self._victim, self._bridge = self.honest_ends()
        self._thrown_out: list[Listener] = []
        self._main: Peer | None = None
        self._open = True

    def honest_ends(self) -> tuple[Listener, Listener]:
        return honest_kiosk(self._site, self._port), honest_bridge(self._site, self._port)

    def close(self) -> None:
        if self._open:
            self._victim.close()
            self._bridge.close()
            self._drop_main()
        self._open = False

    def attempt(self, number: int) -> None:
        if number % 10 == 0:
            self._say_something_worth_stealing(number)
        name, act = self._chance.choice(self._acts())
        self.tries[name] += 1
        act(MARK + b"%d" % number)

    def honest_heard(self) -> int:
        return sum(b"honest" in payload for payload in self._heard())

    def evictions(self) -> int:
        return len(self._thrown_out) + self._victim.evicted + self._bridge.evicted

    def misdelivered(self) -> int:
        foreign = sum(not topic.startswith(OWN) for topic, _ in self._stolen)
        return foreign + sum(MARK in payload for payload in self._heard())

    def _heard(self) -> list[bytes]:
        ends = (*self._thrown_out, self._victim, self._bridge)
        return [payload for end in ends for _, payload in end.heard]

    def _come_back(self) -> None:
        """As honest clients do who were thrown out."""
        if self._victim.evicted:
            self._thrown_out.append(self._victim)
            self._victim.close()
            self._victim = honest_kiosk(self._site, self._port)
        if self._bridge.evicted:
            self._thrown_out.append(self._bridge)
            self._bridge.close()
            self._bridge = honest_bridge(self._site, self._port)

    def _say_something_worth_stealing(self, number: int) -> None:
        self._come_back()
        words = b"honest %d" % number
        self._victim.say(topics.topic(VICTIM, topics.RECORD), words)
        self._victim.say(topics.topic(VICTIM, topics.PRESENCE), words, retain=True)
        self._bridge.say(topics.topic(VICTIM, topics.ACK), words)
        self._bridge.say(topics.topic(VICTIM, topics.ROSTER), words, retain=True)
        self.honest_sent += 4

    def _acts(self) -> tuple[tuple[str, Callable[[bytes], None]], ...]:
        return (
            ("publish", self._publish),
            ("publish", self._publish),
            ("subscribe", self._subscribe),
            ("retain", lambda load: self._publish(load, retain=True)),
            ("alias", self._alias),
            ("malformed", self._malformed),
            ("will", self._will),
            ("client_id", self._theft),
        )

    # --- what it tries ---

    def _publish(self, load: bytes, *, retain: bool = False) -> None:
        qos = self._chance.choice((0, 1, 1, 2))
        topic = self._chance.choice(FOREIGN_TOPICS).encode()
        self._send(mqtt.publish(topic, load, qos=qos, retain=retain))
        self.expected["publish"] += 1
        if qos:
            answer = self._answer(self._attacker(), mqtt.PUBACK, mqtt.PUBREC)
            self.refused += answer is not None and mqtt.reason(answer) == mqtt.NOT_AUTHORISED

    def _subscribe(self, _load: bytes) -> None:
        words = self._chance.choice(FOREIGN_FILTERS)
        self._send(mqtt.subscribe(words.encode(), qos=self._chance.choice((0, 1, 2))))
        self.expected["subscribe"] += 1
        self._answer(self._attacker(), mqtt.SUBACK)

    def _alias(self, load: bytes) -> None:
        """A topic that was refused, remembered under a number and used by that."""
        topic = self._chance.choice(FOREIGN_TOPICS).encode()
        for name in (topic, b""):
            self._send(mqtt.publish(name, load, alias=self._chance.randrange(1, 10)))
            answer = self._answer(self._attacker(), mqtt.PUBACK)
            if answer is None or answer.kind == mqtt.DISCONNECT:
                self._drop_main()
                return
        # Counted once: the second part may be refused or end the connection.
        self.expected["publish"] += 1

    def _malformed(self, load: bytes) -> None:
        topic = self._chance.choice(IMPOSSIBLE_TOPICS).encode()
        self._send(mqtt.publish(topic, load, qos=self._chance.choice((0, 1))))
        self.expected["malformed"] += 1
        self._answer(self._attacker(), mqtt.DISCONNECT)
        self._drop_main()

    def _will(self, load: bytes) -> None:
        """Left with a foreign topic, by dying; with any client id."""
        topic = self._chance.choice(FOREIGN_TOPICS[:11]).encode()
        self.expected["will"] += 1
        with self._connected(will=Will(topic, load, self._chance.random() < 0.5)):
            pass

    def _theft(self, _load: bytes) -> None:
        """Another's client id and user name, another's session, another's queue."""
        stolen = self._chance.choice((VICTIM, BRIDGE)).encode()
        user = self._chance.choice((b"", stolen))
        with self._connected(stolen, user=user, clean=False, expiry_s=60) as peer:
            peer.send(mqtt.subscribe(topics.down_filter(VICTIM).encode()))
            self.expected["subscribe"] += 1
            self._answer(peer, mqtt.SUBACK)
            self._peek(peer)

    # --- the attacker's connections ---

    def _connected(self, client_id: bytes = b"", **more: object) -> Peer:
        """Ends the attacker's other connection, as both have the same name in the certificate."""
        ids = (ATTACKER, VICTIM, BRIDGE, "somebody")
        name = client_id or self._chance.choice(ids).encode()
        peer = Peer(self._port, self._folder, "tls")
        peer.send(mqtt.connect(name, **more))  # type: ignore[arg-type]
        self._answer(peer, mqtt.CONNACK)
        self.expected["connect"] += 1
        self._drop_main()
        return peer

    def _attacker(self) -> Peer:
        """The standing connection, made anew if it was lost; listens to everything."""
        if self._main is None:
            self._main = self._connected(ATTACKER.encode())
            self._main.send(mqtt.subscribe(b"#"))
            self.expected["subscribe"] += 1
            self._answer(self._main, mqtt.SUBACK)
        return self._main

    def _drop_main(self) -> None:
        if self._main is not None:
            self._peek(self._main)
            self._main.close()
        self._main = None

    def _send(self, raw: bytes) -> None:
        try:
            self._attacker().send(raw)
        except OSError:  # thrown out for the attempt before
            self._main = None
            self._attacker().send(raw)

    def _answer(self, peer: Peer, *kinds: int) -> Packet | None:
        """The next packet of these kinds or the broker's farewell; messages are loot."""
        while got := peer.receive(PATIENCE_S):
            self._loot(peer, got)
            if got.kind in (*kinds, mqtt.DISCONNECT):
                return got
        return None

    def _peek(self, peer: Peer) -> None:
        while got := peer.receive(PEEK_S):
            self._loot(peer, got)

    def _loot(self, peer: Peer, got: Packet) -> None:
        if got.kind == mqtt.PUBLISH:
            topic, payload, _ = mqtt.message(got)
            self._stolen.append((topic, payload))


def forged(victim: TestKiosk, attacker: TestKiosk, honest: bytes, chance: random.Random) -> bytes:
    """An envelope on the attacker's topic that claims to be about the victim's session."""
    how = chance.randrange(4)
    if how == 0:
        return honest  # replayed as it was
    if how == 1:
        return attacker.wrap(attacker.body(kiosk_id=VICTIM, provenance="simulated"))
    chain = Chain("epoch-1", chance.randrange(1, 50), "")
    if how == 2:
        return attacker.wrap(attacker.body(provenance="simulated"), sender=VICTIM, chain=chain)
    return attacker.wrap(victim.body(provenance="simulated"), sender=VICTIM, chain=chain)

"""Many kiosks in one thread: records made beforehand, sent, and sent again until they are answered.

    centre = prepare(root, kiosks=20, records=6000)   # broker's site, payloads, a filled registry
    with Fleet(port, centre) as fleet:
        fleet.run(until=...)                           # fleet.answers: status by record id

The far end of the wire, written against the contract alone; no queue, no disk.
"""

from __future__ import annotations

import base64
import json
import random
import select
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from cloud_bridge.registry import id_number
from edge.domain.timebase import CHINA
from edge.wire import topics
from tests.chaos import mqtt_raw
from tests.chaos.ends import keys_of
from tests.fixtures_cloud import TestKiosk

REGION = "100000"
SITE = "东风街道便民服务中心"
NAMES = ("王建华", "李秀英", "张桂兰", "刘玉珍", "陈志强", "杨淑芬")
OUTCOMES = ("passed",) * 9 + ("needs_review",)


@dataclass(frozen=True, slots=True)
class Resident:
    name: str
    number: str


@dataclass(slots=True)
class Load:
    """One kiosk's records, in the order of its chain: ids and finished envelopes."""

    kiosk_id: str
    folder: Path
    records: list[tuple[str, bytes]] = field(repr=False)


def residents(count: int) -> list[Resident]:
    first = date(1930, 1, 1)
    return [
        Resident(
            NAMES[n % len(NAMES)],
            id_number.make(REGION, first + timedelta(days=n % 9000), 1 + n // 9000),
        )
        for n in range(count)
    ]


def loads(
    kiosks: dict[str, Path], people: Sequence[Resident], records: int, seed: int = 1,
    tick: Callable[[], None] = lambda: None,
) -> list[Load]:  # fmt: skip
    """`records` in all, spread evenly over the kiosks (id and folder of keys)."""
    chance = random.Random(seed)
    made = []
    for kiosk_id, folder in kiosks.items():
        keys = keys_of(folder, kiosk_id)
        rows = []
        for _ in range(records // len(kiosks)):
            body = _body(keys, chance.choice(people), chance)
            rows.append((str(body["record_id"]), keys.wrap(body)))
            tick()
        made.append(Load(kiosk_id, folder, rows))
    return made


def _body(kiosk: TestKiosk, person: Resident, chance: random.Random) -> dict[str, Any]:
    now = datetime.now(UTC)
    finished = {"utc": now.isoformat(), "boot_ns": 1, "boot_id": "b-1", "trust": "ntp"}
    started = finished | {"utc": (now - timedelta(seconds=40)).isoformat()}
    return kiosk.body(
        record_id=str(uuid.uuid4()), name=person.name, id_number=person.number, site=SITE,
        outcome=chance.choice(OUTCOMES), started=started, finished=finished,
    )  # fmt: skip


def fill_registry(kiosks: dict[str, Path], people: Sequence[Resident]) -> None:
    """In a process with Django set up and an empty, migrated database."""
    from cloud_bridge import demo
    from cloud_bridge.registry import keyring, people_import, staff
    from cloud_bridge.registry.models import Device, Person, new_person_id

    vault = keyring.vault()
    people_import.add_regions(demo.REGIONS, vault, "bench")
    homes = [
        code
        for code, _ in demo.REGIONS
        if code[9:] != "000" and code.startswith(demo.SITE_REGION[:6])
    ]
    rows = []
    for number, person in enumerate(people):
        person_id = new_person_id()
        rows.append(Person(
            person_id=person_id, name=person.name, sex="f", category="dibao",
            number_key=vault.lookup(person.number),
            number_sealed=vault.seal(person.number, person_id),
            region_id=homes[number % len(homes)],
        ))  # fmt: skip
    Person.objects.bulk_create(rows)
    for kiosk_id, folder in kiosks.items():
        new = staff.NewDevice(kiosk_id, SITE, folder, demo.SITE_REGION, demo=False, live=True)
        staff.set_device(new, vault, "bench")
    today = datetime.now(CHINA).date()  # as on any day but the first: rosters were sent
    Device.objects.update(roster_due=False, roster_day=today, roster_sent_at=datetime.now(UTC))
    Device.objects.update(staff_due=False, staff_day=today)


class _Kiosk:
    def __init__(self, port: int, load: Load, window: int, resend_s: float) -> None:
        self.load = load
        self._window, self._resend_s = window, resend_s
        self._todo = deque(load.records)
        self._waiting: dict[str, tuple[float, bytes]] = {}
        self._mid = 0
        self._topic = topics.topic(load.kiosk_id, topics.RECORD).encode()
        self.peer = mqtt_raw.Peer(port, load.folder, "tls")
        self.peer.send(mqtt_raw.connect(load.kiosk_id.encode()))
        assert self.peer.receive(10) is not None
        self.peer.send(mqtt_raw.subscribe(topics.down_filter(load.kiosk_id).encode()))
        assert self.peer.receive(10) is not None
        self.again = 0

    @property
    def done(self) -> bool:
        return not self._todo and not self._waiting

    def pump(self, now_s: float, released: int) -> None:
        """Send what there is room for, of the first `released` of its records."""
        kept_back = len(self.load.records) - released
        while len(self._todo) > max(kept_back, 0) and len(self._waiting) < self._window:
            self._send(*self._todo.popleft(), now_s)
        for record_id, (at_s, payload) in list(self._waiting.items()):
            if now_s - at_s >= self._resend_s:
                self.again += 1
                self._send(record_id, payload, now_s)

    def _send(self, record_id: str, payload: bytes, now_s: float) -> None:
        self._mid = self._mid % 60_000 + 1
        self._waiting[record_id] = (now_s, payload)
        self.peer.send(mqtt_raw.publish(self._topic, payload, mid=self._mid))

    def take(self) -> Iterator[tuple[str, str]]:
        """What has arrived: record ids and the registry's words on them."""
        while (arrived := self.peer.receive(0.0005)) is not None:
            if arrived.kind != mqtt_raw.PUBLISH:
                continue
            topic, payload, mid = mqtt_raw.message(arrived)
            if mid:
                self.peer.send(mqtt_raw.puback(mid))
            if topic.endswith(topics.ACK):
                for ack in json.loads(base64.b64decode(json.loads(payload)["body"])):
                    if self._waiting.pop(ack["id"], None):
                        yield ack["id"], ack["status"]
        assert not self.peer.ended, f"{self.load.kiosk_id}: the broker hung up"


class Fleet:
    """`answers`: the registry's word by record id. `again`: how many were sent once more.

    `each_per_s`: so many records become due at every kiosk."""

    def __init__(
        self, port: int, every: Sequence[Load], *, window: int = 20, resend_s: float = 30.0,
        each_per_s: float = 1e9,
    ) -> None:  # fmt: skip
        self._each_per_s = each_per_s
        self._began_s = time.monotonic()
        self._kiosks = [_Kiosk(port, load, window, resend_s) for load in every]
        self.answers: dict[str, str] = {}

    def __enter__(self) -> Fleet:
        return self

    def __exit__(self, *_: object) -> None:
        for kiosk in self._kiosks:
            kiosk.peer.close()

    @property
    def done(self) -> bool:
        return all(kiosk.done for kiosk in self._kiosks)

    @property
    def again(self) -> int:
        return sum(kiosk.again for kiosk in self._kiosks)

    def turn(self) -> None:
        now_s = time.monotonic()
        for kiosk in self._kiosks:
            kiosk.pump(now_s, int((now_s - self._began_s) * self._each_per_s) + 1)
        sockets = {kiosk.peer._socket: kiosk for kiosk in self._kiosks}
        ready, _, _ = select.select(list(sockets), [], [], 0.05)
        for one in ready:
            self.answers.update(sockets[one].take())

    def run(self, timeout_s: float, tick: Callable[[int], None] = lambda _n: None) -> bool:
        """Until everything is answered; False if time is up before."""
        end_s = time.monotonic() + timeout_s
        while not self.done:
            if time.monotonic() > end_s:
                return False
            self.turn()
            tick(len(self.answers))
        return True

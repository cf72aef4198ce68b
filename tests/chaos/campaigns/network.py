"""Bad lines: bytes cut, stalled, doubled and spoilt, messages dropped, doubled and reordered.

Every kiosk and the bridge reach the broker through a line of their own (`tests.chaos.proxy`);
on top of it messages are lost, doubled and swapped on both ends. When the weather is calm
again, messages still being lost and swapped, the registry must come to hold exactly what the
kiosks committed, and every outbox be empty.

The control: a kiosk that takes the broker's confirmation for the registry's word loses.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from edge.domain.record import RecordId
from edge.store.outbox import SqliteOutbox
from tests.chaos import proxy
from tests.chaos.campaign import Progress, Section, Size
from tests.chaos.ends import Centre, KioskEnd, differences, more_kiosks, scratch, until
from tests.chaos.proxy import Proxy
from tests.chaos.worse_link import WorseLink
from tests.fixtures_broker import Broker

KIOSKS = ("k-001", "k-002")
FORGETFUL = "k-003"
BRIDGE_FAULTS = {"drop": 0.12, "duplicate": 0.12, "delay": 0.12, "reorder": 0.3}
CALM_S = 400.0

WEATHERS: tuple[Mapping[str, Any], ...] = (
    {"delay_s": 0.05},
    {"bytes_per_s": 30_000},
    {"duplicate": 0.2},
    {"spoil": 0.2},
    {"reorder": 0.2},
    {"cut": 0.2},
    {"stalled": True},
    {"away": True},
)


class Forgetful(SqliteOutbox):
    """Drops a row as soon as the broker has it: what everybody writes first."""

    def tried(self, record_id: RecordId, retry_after_s: float) -> None:
        found = self._database.row("SELECT sha256 FROM records WHERE record_id = ?", [record_id])
        assert found is not None
        self.acknowledged(record_id, str(found[0]))


def run(size: Size, progress: Progress) -> Section:
    records, weathers = size.of(100, 3000), size.of(20, 600)
    progress.expect(records + weathers)
    with scratch() as root, ExitStack() as stack:
        world = _World(root, stack, size.seed)
        storm = _storm(world, records, weathers, progress, random.Random(size.seed))
        control = _control(world)
    return storm | {"control": control, "broken": _broken(storm, control)}


class _World:
    """Broker, bridge, kiosks, and a bad line for each of them."""

    def __init__(self, root: Path, stack: ExitStack, seed: int) -> None:
        self.broker = Broker(root)
        site = self.site = more_kiosks(self.broker, (*KIOSKS, FORGETFUL))
        self.broker.start()
        stack.callback(self.broker.stop)
        kiosks = (*KIOSKS, FORGETFUL)
        self.centre = stack.enter_context(Centre(site, root / "logs", kiosks))
        self.lines = {
            name: stack.enter_context(Proxy(self.broker.port, seed=seed + at))
            for at, name in enumerate(("bridge", *KIOSKS))
        }
        self.centre.start(port=self.lines["bridge"].port, faults=BRIDGE_FAULTS | {"seed": seed})
        self.links: list[WorseLink] = []
        self.ends = [stack.enter_context(self._end(name, seed)) for name in KIOSKS]
        self._stack = stack

    def _end(self, name: str, seed: int) -> KioskEnd:
        def wrap(link: Any) -> WorseLink:
            self.links.append(WorseLink(link, seed))
            return self.links[-1]

        return KioskEnd(self.site, name, self.lines[name].port, wrap=wrap)

    def forgetful(self) -> KioskEnd:
        end = KioskEnd(self.site, FORGETFUL, self.broker.port, outbox_class=Forgetful)
        return self._stack.enter_context(end)

    def message_faults(self) -> Counter[str]:
        return sum((link.faults for link in self.links), Counter())


def _storm(
    world: _World, records: int, weathers: int, progress: Progress, chance: random.Random
) -> Section:
    """Commit while the weather changes; then calm, and what is left of it."""
    started_s = time.monotonic()
    for number in range(weathers):
        line = chance.choice(list(world.lines.values()))
        _change(line, chance)
        due = records * (number + 1) // weathers - records * number // weathers
        for _ in range(due):
            chance.choice(world.ends).commit()
            time.sleep(chance.uniform(0, 0.02))
        time.sleep(chance.uniform(0.0, 0.25))
        line.calm()
        progress.step(due + 1)
    for line in world.lines.values():
        line.calm()
    calm_s = time.monotonic()
    until(lambda: not any(end.waiting() for end in world.ends), CALM_S)
    return differences(world.centre, world.ends) | {
        "weathers": weathers,
        "line_faults": proxy.faults_of(world.lines),
        "message_faults": dict(world.message_faults()),
        "connections": sum(line.counts.connections for line in world.lines.values()),
        "storm_s": round(calm_s - started_s, 1),
        "drained_after_s": round(time.monotonic() - calm_s, 1),
        "throttled": world.centre.rows("SELECT sum(throttled) FROM registry_device")[0][0],
        "threads_died": sum(end.died is not None for end in world.ends),
    }


def _change(line: Proxy, chance: random.Random) -> None:
    if chance.random() < 0.4:
        line.cut_all()
    line.change(**chance.choice(WEATHERS))
    if line.weather.away:
        line.cut_all()


def _control(world: _World) -> dict[str, int]:
    """Lost by a kiosk that believes the broker, at the moment its outbox is empty."""
    end = world.forgetful()
    for _ in range(60):
        end.commit()
    until(lambda: not end.waiting(), 30)
    time.sleep(1.0)  # what is under way may arrive; what was dropped will not
    filed = world.centre.filed()
    return {"committed": 60, "lost": sum(name not in filed for name in end.committed())}


def _broken(storm: Section, control: dict[str, int]) -> list[str]:
    words = {
        "lost": "records are missing at the registry",
        "doubled": "records are twice at the registry",
        "invented": "the registry has records that nobody committed",
        "waiting": "records were still in an outbox",
        "put_aside": "records were put aside by the registry",
        "threads_died": "a sync thread ended",
    }
    found = [f"{storm[name]}: {text}" for name, text in words.items() if storm[name]]
    if not control["lost"]:
        found.append("the control lost nothing: the faults do not bite")
    return found

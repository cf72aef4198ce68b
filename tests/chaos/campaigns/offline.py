"""Three days without a network, the power gone again and again: every certification arrives.

The real runner serves one person after the other on a disk that loses what was not synced
(`tests.chaos.cuts`), while a campaign's clock runs through 72 hours. Half of the cuts fall
into a visit, at any write or between two; whoever was not certified then comes again. When
the network is back, the real sync process sends to the real bridge, and the registry must
hold exactly what was certified, each once, with the time it really happened.

Camera checks are recorded ones.
"""

from __future__ import annotations

import random
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from edge.app.config import Config, load
from edge.session.events import Event
from edge.session.machine import Transition
from edge.session.states import Finished, Storing
from edge.store.database import Database
from edge.store.journal import SqliteJournal
from edge.store.state import SyncState
from provisioning.processes import Processes
from tests.chaos.campaign import Progress, Section, Size
from tests.chaos.cuts import Card, read_folder, write_folder
from tests.chaos.disk import Event as DiskEvent
from tests.chaos.disk import Said, recorded
from tests.chaos.ends import ROOT, Centre, scratch
from tests.chaos.kiosk import QuickKiosk
from tests.chaos.times import KioskTime, World
from tests.fixtures_broker import KIOSKS, Broker

KIOSK = KIOSKS[0]
ARRIVE_S = 60.0


def run(size: Size, progress: Progress) -> Section:
    hours, people, cuts = size.of(24, 72), size.of(8, 50), size.of(4, 20)
    progress.expect(people + cuts - cuts // 2 + 1)
    with scratch() as root:
        hall = Hall(root, random.Random(size.seed))
        try:
            hall.online_once()
            days = Days(hall, World(datetime.now(UTC) - timedelta(hours=hours)), progress)
            days.live(hours, people, cuts)
            filed = hall.online_again()
            progress.step()
        finally:
            hall.close()
    return _section(hours, people, days, filed, hall.waiting)


def _section(hours: int, people: int, days: Days, filed: dict[str, Any], waiting: int) -> Section:
    truth = days.certified
    section: Section = {
        "hours": hours, "certifications": len(truth), "registry": len(filed),
        "power_cuts": days.cuts, "cuts_in_a_visit": days.cut_visits, "came_again": days.again,
        "verdicts": "recorded from real sessions",
    }  # fmt: skip
    times = [name for name in truth if filed.get(name) not in (None, truth[name])]
    broken = [
        (len(truth) != people, f"{len(truth)} of {people} people were certified"),
        (set(truth) - set(filed), f"{len(set(truth) - set(filed))} did not arrive"),
        (set(filed) - set(truth), f"{len(set(filed) - set(truth))} that nobody made"),
        (waiting, f"{waiting} still wait {ARRIVE_S:.0f} s after the network came back"),
        (times, f"{len(times)} arrived with another time"),
        (days.unkept, f"{days.unkept} that a screen had called done were gone after a cut"),
    ]
    return section | {"broken": [words for found, words in broken if found]}


class Hall:
    """One kiosk's site, and the world it is cut off from."""

    def __init__(self, root: Path, chance: random.Random) -> None:
        self.chance = chance
        self.broker = Broker(root)
        self.site_file = self.broker.site.kiosk(KIOSK) / "site.toml"
        self.config: Config = replace(load(self.site_file), models="unused")
        self.data = self.config.database.parent
        self.data.mkdir(parents=True, exist_ok=True)
        self.centre = Centre(self.broker.site, root / "logs", [KIOSK])
        self._processes = Processes(root / "logs")
        self.waiting = 0

    def online_once(self) -> None:
        """The kiosk gets its roster, and the network goes away."""
        SqliteJournal(self.config.database, b"d" * 32, KioskTime(World(datetime.now(UTC)))).close()
        self._connect()
        self.centre.command("roster", "push")
        assert self._until(lambda: self._rows("SELECT 1 FROM inbox")), "no roster came"
        self._disconnect()

    def online_again(self) -> dict[str, Any]:
        """Finish of every record at the registry, by id."""
        self._connect()
        self._until(lambda: not self._rows("SELECT 1 FROM outbox"))
        self.waiting = len(self._rows("SELECT 1 FROM outbox"))
        self._disconnect()
        rows = self.centre.rows(
            "SELECT record_id, json_extract(finished, '$.utc'), "
            "json_extract(finished, '$.boot_id') FROM registry_rehearsal"
        )
        return {name: (utc, boot) for name, utc, boot in rows}

    def close(self) -> None:
        for processes in (self._processes, self.centre):
            processes.__exit__(None, None, None)
        self.broker.stop()

    def _connect(self) -> None:
        self.broker.start()
        self.centre.start()
        sync = [sys.executable, "-m", "edge", "sync", "--site", str(self.site_file)]
        self._processes.start("sync", sync, {"PYTHONPATH": str(ROOT)})

    def _disconnect(self) -> None:
        self._processes.stop("sync")
        self.centre.stop()
        self.broker.stop()

    def _until(self, ready: Callable[[], Any]) -> bool:
        deadline_s = time.monotonic() + ARRIVE_S
        while not ready() and time.monotonic() < deadline_s:
            time.sleep(0.1)
        return bool(ready())

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.config.database)) as db:
            return db.execute(sql).fetchall()


class Days:
    """What happens while nobody is connected. `certified`: (time, boot) of each by its id."""

    def __init__(self, hall: Hall, world: World, progress: Progress) -> None:
        self._hall, self._world, self._progress = hall, world, progress
        self._chance = hall.chance
        self.certified: dict[str, tuple[str, str]] = {}
        self.cuts = self.cut_visits = self.again = self.unkept = 0
        self._made: dict[str, tuple[str, str]] = {}
        self._events: list[DiskEvent] = []

    def live(self, hours: int, people: int, cuts: int) -> None:
        """Visits and power cuts at random moments; half of the cuts fall into a visit."""
        in_visits = cuts // 2
        deeds = [self._cut_visit] * in_visits + [self._visit] * (people - in_visits)
        deeds += [self._power_cut] * (cuts - in_visits)
        self._chance.shuffle(deeds)
        moments = sorted(self._chance.uniform(0, hours * 3600) for _ in deeds)
        begun = self._world.now()
        with recorded(self._hall.data) as self._disk:
            self._boot()
            for at_s, deed in zip(moments, deeds, strict=True):
                left = begun + timedelta(seconds=at_s) - self._world.now()
                self._world.skip(max(timedelta(), left))
                deed()
                self._progress.step()
            self._kiosk.__exit__()
        self._world.skip(max(timedelta(), begun + timedelta(hours=hours) - self._world.now()))

    def _boot(self) -> None:
        """The machine starts: other clocks, the sync process in vain, the kiosk."""
        self._before = read_folder(self._hall.data)
        self._disk.events = self._events = []
        times = KioskTime(self._world)
        self._kiosk = QuickKiosk(self._hall.config, times, self._watch)
        SyncState(self._database, times).next_boot_seq()
        self._kiosk.__enter__()

    def _watch(self, _event: Event | None, transition: Transition) -> None:
        match transition.session.state:
            case Storing(record=record):
                self._made[record.record_id] = record.finished.iso, record.finished.boot_id
            case Finished(record=record):
                self._disk.say("done", record.record_id)

    def _visit(self) -> None:
        """A person comes and is certified."""
        if not self._kiosk.visit():
            raise RuntimeError(f"a visit hangs on {self._kiosk.screen}")
        self._certify()

    def _cut_visit(self) -> None:
        """The power goes somewhere in a visit; who has no record afterwards comes again."""
        first = len(self._events)
        self._kiosk.visit()
        self.cut_visits += 1
        self._power_cut(self._chance.randint(first, len(self._events)))
        if not self._certify():
            self.again += 1
            self._visit()

    def _power_cut(self, moment: int | None = None) -> None:
        """What was written after this moment has never been; of the rest, what the card kept."""
        self.cuts += 1
        self._kiosk.__exit__()
        card, told = Card(self._before), set()
        for event in self._events[:moment]:
            card.take(event)
            if isinstance(event, Said):
                told.add(event.name)
        write_folder(self._hall.data, card.cut(self._chance), self._hall.data)
        self._boot()
        self.unkept += len(told - self._on_disk())

    def _certify(self) -> bool:
        """Take what is new on the disk; False if nothing is."""
        new = self._on_disk() - set(self.certified)
        self.certified |= {name: self._made[name] for name in new}
        return bool(new)

    @property
    def _database(self) -> Database:
        database: Database = self._kiosk.parts.disk.database  # type: ignore[attr-defined]
        return database

    def _on_disk(self) -> set[str]:
        return {
            name
            for (name,) in self._database.rows(
                "SELECT record_id FROM records WHERE kind = 'record'"
            )
        }

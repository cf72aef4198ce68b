"""The kiosk as it is delivered, with its window and its models, killed between and in visits.

Every run is a process `python -m edge simulate` with Kivy (off screen), the real watcher
and its models, beside a real sync process, bridge and broker. Runs take turns in who is
killed and when; at the end the registry must hold what the kiosk's disk holds, each once.
"""

from __future__ import annotations

import json
import random
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.models import build
from edge.store.journal import SqliteJournal
from provisioning.processes import Processes
from tests.chaos.campaign import Progress, Section, Size
from tests.chaos.ends import Centre, scratch
from tests.fixtures_broker import KIOSKS, Broker
from tests.helpers_sync import HandTurnedTime

KIOSK = KIOSKS[0]
VISIT_S = 90.0
DRAIN_S = 120.0
"""Rows that a dead process had sent are sent again after half a minute."""


@dataclass(frozen=True, slots=True)
class Kill:
    """`victim` dies when the kiosk's log says `after`, or `within_s` seconds from its start."""

    victim: str
    after: str = ""
    within_s: tuple[float, float] = (0.0, 0.0)


TURNS = (
    Kill("nobody"),
    Kill("kiosk", within_s=(1.0, 14.0)),
    Kill("sync", within_s=(1.0, 14.0)),
    Kill("kiosk", after="stored record="),
    Kill("bridge", after="stored record="),
    Kill("broker", within_s=(1.0, 14.0)),
    Kill("sync", after="stored record="),
)


def run(size: Size, progress: Progress) -> Section:
    runs = size.of(0, 20)
    progress.expect(runs)
    if not runs:  # `make demo` and its test play one of these each time
        return {"runs": 0, "why": "half a minute each: only in the full form"}
    chance = random.Random(size.seed)
    with scratch() as root, Hall(root, chance) as hall:
        for number in range(runs):
            hall.visit(TURNS[number % len(TURNS)])
            progress.step()
        hall.drain()
        return _section(hall, runs)


def _section(hall: Hall, runs: int) -> Section:
    on_disk, filed = hall.on_disk(), hall.centre.filed()
    lost = {*on_disk, *hall.told} - set(filed)
    doubled = hall.centre.doubled()
    section: Section = {
        "runs": runs, "kills": sum(hall.kills.values()), "victims": dict(hall.kills),
        "finished": hall.finished, "records": len(on_disk), "lost": len(lost), "doubled": doubled,
    }  # fmt: skip
    broken = [
        (lost, f"{len(lost)} records are not at the registry"),
        (doubled, f"{doubled} records are there twice"),
        (hall.told - set(on_disk), "a finished visit left no record on the disk"),
        (hall.undone, f"visits that nobody disturbed did not finish: {hall.undone}"),
    ]
    return section | {"broken": [words for found, words in broken if found]}


class Hall:
    """Broker, bridge, sync process and one kiosk after the other."""

    def __init__(self, root: Path, chance: random.Random) -> None:
        self._root, self._chance = root, chance
        self._broker = Broker(root)
        folder = self._broker.site.kiosk(KIOSK)
        self._settings = folder / "site.toml"
        self._database = folder / "data" / "journal.db"
        self.centre = Centre(self._broker.site, root / "logs", [KIOSK])
        self._processes = Processes(root / "logs")
        self.kills: Counter[str] = Counter()
        self.told: set[str] = set()
        self.finished = self.undone = 0

    def __enter__(self) -> Hall:
        models = f"models = {json.dumps(str(build.build()))}\n"
        self._settings.write_text(models + self._settings.read_text("utf-8"), "utf-8")
        self._database.parent.mkdir(parents=True, exist_ok=True)
        SqliteJournal(self._database, b"d" * 32, HandTurnedTime()).close()
        self._broker.start()
        self.centre.start()
        self.centre.command("roster", "push")
        self._start_sync()
        self._until(lambda: self._rows("SELECT 1 FROM inbox"), "the roster", DRAIN_S)
        return self

    def __exit__(self, *about: object) -> None:
        self._processes.__exit__(*about)
        self.centre.__exit__(*about)
        self._broker.stop()

    def visit(self, kill: Kill) -> None:
        out = self._root / "out"
        out.mkdir(exist_ok=True)
        (out / "kiosk.json").unlink(missing_ok=True)
        log = self._root / "logs" / "kiosk.log"
        begins = log.stat().st_size if log.exists() else 0
        command = ["simulate", "--scenario", "good-day", "--out", str(out)]
        env = {"SDL_VIDEODRIVER": "offscreen", "TMPDIR": str(out)}  # what the killed leave, goes
        self._processes.start("kiosk", self._edge(*command), env)
        if kill.victim != "nobody":
            self._wait_for(kill, lambda: log.read_bytes()[begins:].decode(errors="replace"))
            self._kill(kill.victim)
        if kill.victim == "kiosk":
            return
        if self._processes.wait("kiosk", VISIT_S) == 0:
            self.finished += 1
            self.told.add(json.loads((out / "kiosk.json").read_text("utf-8"))["record_id"])
        else:
            self.undone += 1
        self._processes.stop("kiosk")

    def _wait_for(self, kill: Kill, said: Callable[[], str]) -> None:
        if kill.after:
            self._until(lambda: kill.after in said(), kill.after, VISIT_S)
        else:
            time.sleep(self._chance.uniform(*kill.within_s))  # the moment itself is what varies

    def _kill(self, victim: str) -> None:
        self.kills[victim] += 1
        match victim:
            case "broker":
                self._broker.kill()
                self._broker.start()
            case "bridge":
                self.centre.kill()
                self.centre.start()
            case "sync":
                self._processes.kill("sync")
                self._start_sync()
            case _:
                self._processes.kill(victim)

    def drain(self) -> None:
        self._until(lambda: not self._rows("SELECT 1 FROM outbox"), "an empty outbox", DRAIN_S)

    def on_disk(self) -> set[str]:
        return {
            name for (name,) in self._rows("SELECT record_id FROM records WHERE kind = 'record'")
        }

    def _start_sync(self) -> None:
        self._processes.start("sync", self._edge("sync"))

    def _edge(self, command: str, *more: str) -> list[str]:
        return [sys.executable, "-m", "edge", command, "--site", str(self._settings), *more]

    def _until(self, ready: Callable[[], Any], what: str, within_s: float) -> None:
        deadline_s = time.monotonic() + within_s
        while not ready():
            if time.monotonic() > deadline_s:
                raise RuntimeError(f"{what}: not within {within_s:.0f} s")
            time.sleep(0.02)

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self._database)) as db:
            return db.execute(sql).fetchall()

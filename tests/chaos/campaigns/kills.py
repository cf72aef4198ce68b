"""Kiosk, sync, bridge and broker are killed at named points: no record lost, none doubled.

Four lanes of real processes over a real broker. Every process of a lane is born with one
point of `tests.chaos.points` armed, dies there of SIGKILL in the middle of its ordinary
work, and the next one takes its place. At the end everything is left to run: the registry
must hold exactly what the kiosk's disk holds, each once, and whatever a screen called done
is among it.

Camera checks are recorded ones; pauses before something is tried again are cut to 0.3 s.
"""

from __future__ import annotations

import json
import os
import queue
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from edge.store.journal import SqliteJournal
from tests.chaos.campaign import Progress, Section, Size
from tests.chaos.ends import ROOT, Centre, scratch
from tests.chaos.points import POINTS
from tests.fixtures_broker import KIOSKS, Broker
from tests.helpers_sync import HandTurnedTime

KIOSK = KIOSKS[0]
TIMES = {"kiosk": 24, "sync": 18, "bridge": 16, "broker": 10}
"""How often each point of a process is used in the full form; once in the short one."""
PATIENCE_S = 25.0
"""A process that has not come to its point by then is replaced."""
DRAIN_S = 60.0


def run(size: Size, progress: Progress) -> Section:
    plan = [name for name, point in POINTS.items() for _ in range(size.of(1, TIMES[point.dies]))]
    random.Random(size.seed).shuffle(plan)
    progress.expect(len(plan))
    with scratch() as root, ExitStack() as stack:
        hall = stack.enter_context(Hall(root))
        hall.play(plan, progress, size.of(100, 600))
        hall.drain()
        return _section(hall, plan)


def _section(hall: Hall, plan: list[str]) -> Section:
    filed, on_disk, told = hall.centre.filed(), hall.on_disk(), hall.told()
    lost = {*on_disk, *told} - set(filed)
    doubled = hall.centre.doubled()
    aside = hall.centre.rows("SELECT count(*) FROM registry_quarantine")[0][0]
    unused = sorted(set(plan) - set(hall.kills))
    kills = sum(hall.kills.values())
    section: Section = {
        "points": len(hall.kills), "kills": kills, "lost": len(lost), "doubled": doubled,
        "records": len(on_disk), "called_done": len(told), "quarantined": aside,
        "missed": sum(hall.missed.values()), "per_point": dict(sorted(hall.kills.items())),
    }  # fmt: skip
    broken = [
        (lost, f"{len(lost)} records are not at the registry"),
        (hall.waiting, f"{hall.waiting} records still wait after {DRAIN_S:.0f} s of peace"),
        (doubled, f"{doubled} records are there twice"),
        (aside, f"{aside} arrivals were put aside"),
        (told - set(on_disk), "a screen said done without a record on the disk"),
        (set(filed) - set(on_disk), "the registry holds records that the kiosk does not"),
        (unused, f"never reached: {', '.join(unused)}"),
        (hall.chain(), f"chain of records: {hall.chain()}"),
        (kills < len(plan), f"only {kills} of {len(plan)} kills in the time given"),
    ]
    return section | {"broken": [words for found, words in broken if found]}


class Victim(Broker):
    """A broker that may die and is there again."""

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def is_dead(self) -> bool:
        return self._process is None or self._process.poll() is not None


class Nursery:
    """Orders to `tests.chaos.nursery`, and its news."""

    def __init__(self, config: Path, scratch_folder: Path) -> None:
        scratch_folder.mkdir()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.nursery", str(config)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
            env={**os.environ, "TMPDIR": str(scratch_folder)},
        )  # fmt: skip
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self._deaths: queue.Queue[dict[str, Any]] = queue.Queue()
        self._thread = threading.Thread(target=self._listen, name="nursery", daemon=True)
        self._thread.start()

    def order(self, **what: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        return self._answers.get(timeout=30)

    def death(self, wait_s: float) -> dict[str, Any] | None:
        try:
            return self._deaths.get(timeout=wait_s)
        except queue.Empty:
            return None

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._thread.join(5)
        self._process.stdout.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            news = json.loads(line)
            (self._deaths if "dead" in news else self._answers).put(news)


class Hall:
    """One kiosk, its sync process, the bridge and the broker; each lane's process may die."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.broker = Victim(root)
        site = self.broker.site
        self._settings = site.kiosk(KIOSK) / "site.toml"
        self._database = site.kiosk(KIOSK) / "data" / "journal.db"
        self._database.parent.mkdir(parents=True, exist_ok=True)
        self._told = root / "told.txt"
        self.centre = Centre(site, root / "logs", [KIOSK])
        self.nursery = Nursery(site.registry / "registry.toml", root / "tmp")
        self.kills: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()
        self.waiting = 0
        self._lanes: dict[str, tuple[int, str, float]] = {}

    def __enter__(self) -> Hall:
        self.broker.start()
        self._open().close()  # the kiosk process makes the database
        self.centre.command("roster", "push")
        self._born("bridge", "")
        self._born("sync", "")
        assert self._until(lambda: self._rows("SELECT 1 FROM inbox")), "no roster came"
        for process in ("bridge", "sync"):
            self._kill(process)
        return self

    def __exit__(self, *_: object) -> None:
        self.nursery.close()
        self.broker.stop()

    # --- killing ---

    def play(self, plan: list[str], progress: Progress, at_most_s: float) -> None:
        """Kill until each place of the plan had its turn, or time is up."""
        left = {process: [name for name in plan if POINTS[name].process == process]
                for process in ("kiosk", "sync", "bridge")}  # fmt: skip
        deadline_s = time.monotonic() + at_most_s
        while any(left.values()) and time.monotonic() < deadline_s:
            for process, names in left.items():
                if process not in self._lanes:
                    self._born(process, self._choose(names))
            for name in self._reap():
                if name in left[POINTS[name].process]:
                    left[POINTS[name].process].remove(name)
                    progress.step()
        for process in list(self._lanes):
            self._kill(process)

    def _choose(self, names: list[str]) -> str:
        """The next point; one that kills the broker only if no other lane does."""
        busy = any(point and POINTS[point].victim for _, point, _ in self._lanes.values())
        return next((name for name in names if not (busy and POINTS[name].victim)), "")

    def _reap(self) -> list[str]:
        """Points at which somebody has just been killed; who stays away is replaced."""
        killed = []
        if self.broker.is_dead():
            self.broker.stop()
            self.broker.start()
            killed += [self._count(process) for process, (_, point, _) in [*self._lanes.items()]
                       if point and POINTS[point].victim]  # fmt: skip
        death = self.nursery.death(0.02)
        while death is not None:
            killed += self._buried(death)
            death = self.nursery.death(0)
        for process, (_, point, since_s) in [*self._lanes.items()]:
            if time.monotonic() - since_s > PATIENCE_S:
                self.missed[point] += bool(point)
                self._kill(process)
        return killed

    def _count(self, process: str) -> str:
        """The broker died of this process's point; the process itself is replaced, too."""
        point = self._lanes[process][1]
        self.kills[point] += 1
        self._kill(process)
        return point

    def _buried(self, death: dict[str, Any]) -> list[str]:
        for process, (pid, point, _) in [*self._lanes.items()]:
            if pid == death["dead"]:
                del self._lanes[process]
                if death["code"] == -9 and point:
                    self.kills[point] += 1
                    return [point]
                self.missed[point] += bool(point)
        return []

    def _born(self, process: str, point: str) -> None:
        victim = self.broker.pid if point and POINTS[point].victim else 0
        folder = self._settings.parent if process != "bridge" else self.broker.site.registry
        news = self.nursery.order(
            process=process, site=str(self._settings), point=point, victim=victim,
            folder=str(folder), told=str(self._told), log=str(self._root / f"{process}.log"),
        )  # fmt: skip
        self._lanes[process] = news["born"], point, time.monotonic()

    def _kill(self, process: str) -> None:
        pid, _, _ = self._lanes.pop(process)
        self.nursery.order(kill=pid)
        death = self.nursery.death(10)
        while death is not None and death["dead"] != pid:
            self._buried(death)
            death = self.nursery.death(10)

    # --- the end ---

    def drain(self) -> None:
        """Everything runs undisturbed until the kiosk has nothing left to send."""
        self._born("bridge", "")
        self._born("sync", "")
        self._until(lambda: not self._rows("SELECT 1 FROM outbox"))
        self.waiting = len(self._rows("SELECT 1 FROM outbox"))
        for process in ("sync", "bridge"):
            self._kill(process)

    def on_disk(self) -> list[str]:
        return [
            name for (name,) in self._rows("SELECT record_id FROM records WHERE kind = 'record'")
        ]

    def told(self) -> set[str]:
        return set(self._told.read_text(encoding="ascii").split()) if self._told.exists() else set()

    def chain(self) -> str:
        with closing(self._open()) as journal:
            found = journal.verify_chain()
        return f"entry {found.seq} {found.why}" if found else ""

    def _open(self) -> SqliteJournal:
        return SqliteJournal(self._database, b"d" * 32, HandTurnedTime())

    def _until(self, ready: Callable[[], Any]) -> bool:
        deadline_s = time.monotonic() + DRAIN_S
        while not ready() and time.monotonic() < deadline_s:
            time.sleep(0.1)
        return bool(ready())

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        if not self._database.exists():
            return []
        try:
            with closing(sqlite3.connect(self._database)) as db:
                return db.execute(sql).fetchall()
        except sqlite3.OperationalError:  # not migrated yet
            return []

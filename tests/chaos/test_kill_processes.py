"""Any process of the product is killed at any moment: each visit leaves one record or none."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from provisioning.processes import Processes
from tests.fixtures_broker import KIOSKS, Broker

ROOT = Path(__file__).parents[2]
VISITS = 12
KIOSK = KIOSKS[0]

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]


class Hall:
    """A kiosk, its sync process, a bridge and a broker, each a process that may die."""

    def __init__(self, broker: Broker, models: Path, processes: Processes) -> None:
        self.broker = broker
        self.models = models
        self.processes = processes
        self.site_file = broker.site.kiosk(KIOSK) / "site.toml"
        self.database = broker.site.kiosk(KIOSK) / "data" / "journal.db"

    def cloud(self, *arguments: str) -> list[str]:
        config = str(self.broker.site.registry / "registry.toml")
        return [sys.executable, "-m", "cloud_bridge", "--config", config, *arguments]

    def cloud_output(self, *arguments: str) -> str:
        return subprocess.run(
            self.cloud(*arguments), check=True, capture_output=True, text=True
        ).stdout

    def set_up(self) -> None:
        self.cloud_output("migrate")
        self.cloud_output("demo-data")
        keys = str(self.broker.site.kiosk(KIOSK))
        self.cloud_output("device", "add", "--id", KIOSK, "--site", "测试网点", "--keys", keys)
        self.cloud_output("roster", "push")
        self.start("bridge")
        make_disk = ("simulate", "--make-disk", "--site", str(self.site_file))
        subprocess.run([sys.executable, "-m", "edge", *make_disk], check=True, cwd=ROOT)
        self.start("sync")
        self.processes.until(self.has_roster, "sync", "the roster", 30)

    def start(self, name: str) -> None:
        sync = [sys.executable, "-m", "edge", "sync", "--site", str(self.site_file)]
        self.processes.start(name, self.cloud("bridge") if name == "bridge" else sync)

    def has_roster(self) -> bool:
        return bool(self.rows("SELECT 1 FROM inbox"))

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        if not self.database.exists():
            return []
        try:
            with sqlite3.connect(self.database) as db:
                return db.execute(sql).fetchall()
        except sqlite3.OperationalError:  # not migrated yet
            return []

    def visit(self) -> subprocess.Popen[str]:
        script = str(ROOT / "tests" / "tools" / "visit.py")
        return subprocess.Popen(
            [sys.executable, script, str(self.site_file), str(self.models), "no-consent"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    def kill(self, victim: str, visit: subprocess.Popen[str]) -> None:
        if victim == "kiosk":
            visit.send_signal(signal.SIGKILL)
        elif victim == "broker":
            self.broker.kill()
            self.broker.start()
        else:
            self.processes.kill(victim)
            self.start(victim)

    def on_the_kiosk(self) -> list[str]:
        return [str(row[0]) for row in self.rows("SELECT record_id FROM records ORDER BY seq")]

    def at_the_registry(self) -> list[str]:
        rows = json.loads(self.cloud_output("records", "list", "--json"))
        return [row["record_id"] for row in rows]


@pytest.fixture
def hall(broker: Broker, models_dir: Path, tmp_path: Path):  # type: ignore[no-untyped-def]
    with Processes(tmp_path / "logs") as processes:
        hall = Hall(broker, models_dir, processes)
        hall.set_up()
        yield hall


MOMENTS = ("Consenting", "Storing", "Storing", "Finished")
"""States at whose beginning something dies; a few milliseconds later the disk is being written."""


def reaches(visit: subprocess.Popen[str], state: str) -> bool:
    """Read what the kiosk tells until it enters `state`; False if it ends before."""
    assert visit.stdout is not None
    return any(line.strip() == state for line in visit.stdout)


def test_f01_e14_killing_any_process_at_any_moment_leaves_one_record_or_none(hall: Hall) -> None:
    rng = random.Random(20261123)
    promised: list[str] = []
    for number in range(VISITS):
        before = hall.on_the_kiosk()
        victim = ("kiosk", "sync", "kiosk", "bridge", "kiosk", "broker")[number % 6]
        with hall.visit() as visit:
            assert reaches(visit, MOMENTS[number % len(MOMENTS)])
            time.sleep(rng.uniform(0.0, 0.02))  # the moment itself is what varies
            hall.kill(victim, visit)
            visit.communicate(timeout=60)
        new = hall.on_the_kiosk()[len(before) :]
        assert len(new) <= 1, f"visit {number}, {victim} killed"
        assert new or victim == "kiosk", f"visit {number} lost its record to the loss of {victim}"
        promised += new
    assert 6 <= len(promised) < VISITS, "no visit was hit before or after its commit"
    deadline = time.monotonic() + 60
    while hall.rows("SELECT 1 FROM outbox") and time.monotonic() < deadline:
        time.sleep(0.2)
    assert hall.rows("SELECT 1 FROM outbox") == []
    assert sorted(hall.at_the_registry()) == sorted(promised)

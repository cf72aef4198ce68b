"""Bridge workers that are killed again and again lose nothing and file nothing twice.

    python -m tests.tools.kill_workers [--seconds 120] [--every 5] [--json docs/reports/…]

A real mosquitto, PostgreSQL that flushes, three workers under `bridge --workers 3`. Every few
seconds one of them, the leader too, is ended with SIGKILL in the middle of its work; whoever is
killed is started again. Kiosks send all the while and send again what is not answered. At the
end the registry must hold exactly what the kiosks made: every record once, one proof for each that
certifies, chains without gaps, nothing in quarantine, and an audit log that is whole.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from rich.progress import Progress

from provisioning.site import make_site
from tests.light_fleet import Fleet, Load, loads, residents
from tests.postgres import Cluster
from tests.tools import bench_ingest
from tests.tools.bench_ingest import Made, call, command

ROOT = Path(__file__).parents[2]
WORKERS = 3
KIOSKS = 10
REST_S = 600.0
"""So long it may take until the last record is answered."""


@dataclass
class Report:
    """Counts at the end; `ok` if nothing was lost, doubled or put aside."""

    at: str
    seconds: float
    every_s: float
    workers: int = WORKERS
    kiosks: int = KIOSKS
    cores: int = field(default_factory=lambda: os.cpu_count() or 0)
    load: float = field(default_factory=lambda: round(os.getloadavg()[0], 1))
    sent: int = 0
    sent_again: int = 0
    answered: dict[str, int] = field(default_factory=dict)
    kills: int = 0
    leaders_killed: int = 0
    rest_s: float = 0.0
    filed: int = 0
    lost: int = 0
    doubled: int = 0
    proofs_missing: int = 0
    proofs_doubled: int = 0
    quarantined: int = 0
    chains_with_gaps: int = 0
    throttled: int = 0
    audit: str = ""

    @property
    def ok(self) -> bool:
        wrong = (self.lost, self.doubled, self.proofs_missing, self.proofs_doubled)
        whole = "whole" in self.audit and not self.quarantined and not self.chains_with_gaps
        return whole and not any(wrong) and self.kills > 0


class Campaign:
    """`per_s`: records of all kiosks together."""

    def __init__(self, root: Path, cluster: Cluster, report: Report, per_s: float) -> None:
        self.report = report
        self._cluster, self._per_s = cluster, per_s
        self.broker = bench_ingest.QuietBroker(root)
        names = [f"w-{number:03d}" for number in range(KIOSKS)]
        site = make_site(self.broker.site.root, names, broker_port=self.broker.port,
                         mode="production")  # fmt: skip
        people = residents(500)
        count = int(report.seconds * per_s)
        self.every: list[Load] = loads({it: site.kiosk(it) for it in names}, people, count)
        report.sent = sum(len(load.records) for load in self.every)
        cluster.create("registry")
        own = site.registry / "registry.toml"
        own.write_text(own.read_text().replace("registry.sqlite3", cluster.url("registry")))
        self.toml = own
        file = root / "made.pickle"
        file.write_bytes(pickle.dumps(Made(self.every, people)))
        command(self.toml, "migrate")
        call(self.toml, "fill", file)

    def run(self, tick: Any, seed: int = 1) -> None:
        chance = random.Random(seed)
        line = [sys.executable, "-m", "cloud_bridge", "--config", str(self.toml), "bridge"]
        self.broker.start()
        with (self.toml.parent / "bridge.log").open("wb") as log:
            bridge = subprocess.Popen([*line, "--workers", str(WORKERS)], stderr=log, cwd=ROOT)
        try:
            per_s = self._per_s / KIOSKS
            with Fleet(self.broker.port, self.every, resend_s=5.0, each_per_s=per_s) as fleet:
                self._harass(fleet, bridge, chance, tick)
                began_s = time.monotonic()
                fleet.run(REST_S)
                self.report.rest_s = round(time.monotonic() - began_s, 1)
                self.report.answered = dict(Counter(fleet.answers.values()))
                self.report.sent_again = fleet.again
        finally:
            bridge.terminate()
            bridge.wait(30)
            self.broker.stop()

    def _harass(
        self, fleet: Fleet, bridge: subprocess.Popen[bytes], chance: random.Random, tick: Any
    ) -> None:
        end_s = time.monotonic() + self.report.seconds
        next_s = time.monotonic() + self.report.every_s
        while (now_s := time.monotonic()) < end_s:
            fleet.turn()
            tick(completed=self.report.seconds - (end_s - now_s))
            if now_s >= next_s:
                next_s += self.report.every_s
                self._kill_one(bridge, chance)

    def _kill_one(self, bridge: subprocess.Popen[bytes], chance: random.Random) -> None:
        workers = psutil.Process(bridge.pid).children()
        if not workers:
            return
        leader = self._one("SELECT coalesce(max(holder), '') FROM registry_lease")
        victim = chance.choice(workers)
        with suppress(psutil.NoSuchProcess):
            number = victim.cmdline()[-1]
            victim.send_signal(signal.SIGKILL)
            self.report.kills += 1
            own = "bridge" if number == "1" else f"bridge-{number}"
            self.report.leaders_killed += own == leader

    def count(self) -> None:
        """What the registry holds, beside what the kiosks made."""
        report = self.report
        made = {record_id for load in self.every for record_id, _ in load.records}
        filed = Counter(self._column("SELECT record_id FROM registry_certification"))
        report.filed = len(filed)
        report.lost = len(made - filed.keys())
        report.doubled = sum(times - 1 for times in filed.values())
        certify = set(self._column(
            "SELECT record_id FROM registry_certification"
            " WHERE outcome = 'passed' AND doubts = '[]' AND person_id IS NOT NULL"
        ))  # fmt: skip
        proven = Counter(self._column("SELECT record_id FROM registry_proof"))
        report.proofs_missing = len(certify - proven.keys())
        report.proofs_doubled = sum(proven.values()) - len(certify & proven.keys())
        report.quarantined = self._one("SELECT count(*) FROM registry_quarantine")
        report.throttled = self._one("SELECT sum(throttled)::bigint FROM registry_device")
        whole = f"highest = {len(self.every[0].records)} AND missing = '[]'"
        report.chains_with_gaps = KIOSKS - self._one(
            f"SELECT count(*) FROM registry_chainstate WHERE {whole}"
        )
        line = [sys.executable, "-m", "cloud_bridge", "--config", str(self.toml), "audit", "verify"]
        done = subprocess.run(line, capture_output=True, text=True, check=False, cwd=ROOT)
        report.audit = (done.stdout + done.stderr).strip()

    def _column(self, statement: str) -> list[Any]:
        import psycopg

        with psycopg.connect(self._cluster.url("registry")) as connection:
            return [row[0] for row in connection.execute(statement).fetchall()]

    def _one(self, statement: str) -> Any:
        return self._column(statement)[0]


def run(seconds: float, every_s: float, per_s: float, tick: Any, seed: int = 1) -> Report:
    at = datetime.now(UTC).isoformat(timespec="seconds")
    report = Report(at, seconds, every_s)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="kill-workers-"))
        cluster = stack.enter_context(Cluster(durable=True))
        campaign = Campaign(Path(folder), cluster, report, per_s)
        campaign.run(tick, seed)
        campaign.count()
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--every", type=float, default=5.0)
    parser.add_argument("--per-s", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with Progress() as bar:
        task = bar.add_task("killing workers", total=options.seconds)
        report = run(
            options.seconds, options.every, options.per_s,
            lambda completed: bar.update(task, completed=completed), options.seed,
        )  # fmt: skip
    plain = asdict(report) | {"ok": report.ok}
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(plain, indent=2) + "\n")
    print(json.dumps(plain, indent=2))
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())

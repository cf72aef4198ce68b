"""How many records the registry files in a second, on SQLite and on PostgreSQL.

    python -m tests.tools.bench_ingest [--records 6000] [--kiosks 20] [--json bench/ingest.json]

Three figures for either database, from the same records in one run:

* `floor`: a raw driver's loop that verifies, opens and inserts them, in transactions as large;
* `ingest`: the registry's own `Ingest`, with proofs, tasks, chains and the audit log;
* `end_to_end`: kiosks over TLS, a real mosquitto, the bridge as it runs in production, until the
  last kiosk has the registry's word. Two cores carry all of it.

Goals (issue 7): ingest at least half of the floor, end to end at least 600 records a second.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from rich.progress import Progress

from provisioning.site import make_site
from tests.fixtures_broker import Broker
from tests.light_fleet import Fleet, Load, Resident, fill_registry, loads, residents
from tests.postgres import Cluster

ROOT = Path(__file__).parents[2]
BATCH = 200
CONNECTED = "broker connected"
ENGINES = ("sqlite", "postgresql")
SHARE, PER_S = 0.5, 600.0


class QuietBroker(Broker):
    OPTIONS = ()


@dataclass(frozen=True, slots=True)
class Made:
    """What all figures of a run have in common."""

    every: list[Load]
    people: list[Resident]

    @property
    def kiosks(self) -> dict[str, Path]:
        return {load.kiosk_id: load.folder for load in self.every}

    @property
    def arrivals(self) -> list[tuple[str, bytes]]:
        """As they would come: everybody's first, everybody's second …"""
        columns = zip(*(load.records for load in self.every), strict=True)
        return [
            (load.kiosk_id, payload)
            for row in columns
            for load, (_, payload) in zip(self.every, row, strict=True)
        ]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, default=6000)
    parser.add_argument("--people", type=int, default=5000)
    parser.add_argument("--kiosks", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=ENGINES)
    parser.add_argument("--json", type=Path, default=Path("bench/ingest.json"))
    parser.add_argument("--child", nargs=2, metavar=("WHAT", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return _child(*options.child)
    report = run(options)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))
    return 0 if report["ok"] else 1


def run(options: argparse.Namespace) -> dict[str, Any]:
    report: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"), "records": options.records,
        "kiosks": options.kiosks, "people": options.people, "batch": BATCH,
        "workers": options.workers, "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 1), "goals": {"share": SHARE, "per_s": PER_S},
    }  # fmt: skip
    with ExitStack() as stack:
        bar = stack.enter_context(Progress())
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-ingest-")))
        broker = QuietBroker(root)
        made = _make(broker, options, bar)
        file = root / "made.pickle"
        file.write_bytes(pickle.dumps(made))
        broker.start()
        stack.callback(broker.stop)
        for engine in options.engines:
            report[engine] = _engine(engine, broker, made, file, options, bar)
    figures = [report[engine] for engine in options.engines]
    report["ok"] = all(it["share"] >= SHARE and it["end_to_end_per_s"] >= PER_S for it in figures)
    return report


def _make(broker: Broker, options: argparse.Namespace, bar: Progress) -> Made:
    names = [f"b-{number:03d}" for number in range(options.kiosks)]
    site = make_site(broker.site.root, names, broker_port=broker.port, mode="production")
    people = residents(options.people)
    task = bar.add_task("signing and sealing records", total=options.records)
    folders = {name: site.kiosk(name) for name in names}
    every = loads(folders, people, options.records, tick=lambda: bar.advance(task))
    return Made(every, people)


def _engine(
    engine: str, broker: Broker, made: Made, file: Path, options: argparse.Namespace, bar: Progress
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with ExitStack() as stack:
        cluster = stack.enter_context(Cluster(durable=True)) if engine == "postgresql" else None
        for what in ("floor", "ingest", "end_to_end"):
            task = bar.add_task(f"{engine}: {what}", total=options.records)
            tick = partial(bar.update, task)
            toml = _registry(broker, cluster, what)
            command(toml, "migrate")
            call(toml, "fill", file)
            if what == "end_to_end":
                found |= _end_to_end(toml, broker, made, options, tick)
            else:
                found |= call(toml, what, file)
            bar.update(task, completed=options.records)
    found["share"] = round(found["ingest_per_s"] / found["floor_per_s"], 2)
    return found


def _registry(broker: Broker, cluster: Cluster | None, what: str) -> Path:
    """A configuration like the site's own, with a database of its own."""
    own = broker.site.registry / "registry.toml"
    if cluster is not None:
        cluster.create(what)
    database = cluster.url(what) if cluster else f"{what}.sqlite3"
    toml = own.with_name(f"{what}.toml")
    toml.write_text(own.read_text().replace("registry.sqlite3", database))
    return toml


def command(toml: Path, *arguments: str) -> None:
    line = [sys.executable, "-m", "cloud_bridge", "--config", str(toml), *arguments]
    subprocess.run(line, check=True, capture_output=True, cwd=ROOT)


def call(toml: Path, what: str, file: Path) -> dict[str, Any]:
    """A figure from a process of its own: Django knows one database."""
    line = [sys.executable, "-m", "tests.tools.bench_ingest", "--child", what, str(file)]
    env = {**os.environ, "CLOUD_BRIDGE_CONFIG": str(toml)}
    done = subprocess.run(line, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=env)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _end_to_end(
    toml: Path, broker: Broker, made: Made, options: argparse.Namespace, tick: Any
) -> dict[str, Any]:
    line = [sys.executable, "-m", "cloud_bridge", "--config", str(toml), "bridge"]
    with (toml.parent / "bridge.log").open("wb") as log:
        bridge = subprocess.Popen([*line, "--workers", str(options.workers)], stderr=log, cwd=ROOT)
    try:
        log_file = toml.parent / "bridge.log"
        deadline_s = time.monotonic() + 60
        while log_file.read_text().count(CONNECTED) < options.workers:
            assert bridge.poll() is None, "the bridge ended"
            assert time.monotonic() < deadline_s, "the workers do not connect"
            time.sleep(0.1)
        with Fleet(broker.port, made.every, window=20) as fleet:
            began_s = time.monotonic()
            assert fleet.run(600, lambda done: tick(completed=done)), "not everything was answered"
            took_s = time.monotonic() - began_s
            words = list(fleet.answers.values())
            told = {word: words.count(word) for word in set(words)}
            per_s = round(len(words) / took_s, 1)
            return {"end_to_end_per_s": per_s, "answers": told, "sent_again": fleet.again}
    finally:
        bridge.terminate()
        bridge.wait(30)


def _child(what: str, file: str) -> int:
    os.environ["DJANGO_SETTINGS_MODULE"] = "cloud_bridge.settings"
    import django

    django.setup()
    made: Made = pickle.loads(Path(file).read_bytes())
    if what == "fill":
        fill_registry(made.kiosks, made.people)
        print("{}")
    else:
        print(json.dumps({"floor": _floor, "ingest": _ingest}[what](made)))
    return 0


def _batches(rows: list[Any]) -> list[list[Any]]:
    return [rows[at : at + BATCH] for at in range(0, len(rows), BATCH)]


def _ingest(made: Made) -> dict[str, Any]:
    import logging

    from cloud_bridge.bridge.ingest import Ingest
    from cloud_bridge.bridge.opening import Arrival
    from cloud_bridge.registry import keyring

    logging.disable(logging.WARNING)
    ingest = Ingest(keyring.seal_key(), keyring.vault())
    batches = _batches([Arrival(*row) for row in made.arrivals])
    profile = os.environ.get("PROFILE")
    if profile:
        import cProfile

        watch = cProfile.Profile()
        watch.enable()
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    replies = [reply for batch in batches for reply in ingest.ingest(batch, datetime.now(UTC))]
    took_s = time.monotonic() - began_s
    cpu_s = time.process_time() - began_cpu_s
    if profile:
        watch.disable()
        watch.dump_stats(profile)
    assert all(reply.ack.status.value == "filed" for reply in replies)
    return {
        "ingest_per_s": round(len(replies) / took_s, 1),
        "ingest_cpu_us": round(cpu_s / len(replies) * 1e6),
    }


def _floor(made: Made) -> dict[str, Any]:
    """As little as could be done: no look at what is there, one row a record."""
    from django.conf import settings

    from cloud_bridge.registry import keyring
    from edge.wire import keys

    sign = {
        kiosk: keys.signing_key((folder / "sign.key").read_text()).public_key()
        for kiosk, folder in made.kiosks.items()
    }
    seal, vault = keyring.seal_key(), keyring.vault()
    database = settings.DATABASES["default"]
    columns, mark = _columns(), "?"
    if "postgresql" in database["ENGINE"]:
        import psycopg

        url = {"host": database["HOST"], "port": database["PORT"], "dbname": database["NAME"]}
        login = {"user": database["USER"], "password": database["PASSWORD"]}
        connection: Any = psycopg.connect(**url, **login)
        mark = "%s"
    else:
        import sqlite3

        connection = sqlite3.connect(database["NAME"])
        connection.executescript(database["OPTIONS"]["init_command"])
    names = ", ".join(f'"{name}"' for name in columns)
    insert = (
        f"INSERT INTO registry_certification ({names}) VALUES ({', '.join([mark] * len(columns))})"
    )
    batches = _batches(made.arrivals)
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    with closing(connection):
        for batch in batches:
            rows = [_row(sign[kiosk], seal, vault, kiosk, payload) for kiosk, payload in batch]
            connection.cursor().executemany(insert, rows)
            connection.commit()
    took_s, cpu_s = time.monotonic() - began_s, time.process_time() - began_cpu_s
    return {
        "floor_per_s": round(len(made.arrivals) / took_s, 1),
        "floor_cpu_us": round(cpu_s / len(made.arrivals) * 1e6),
    }


def _columns() -> list[str]:
    from cloud_bridge.registry.models import Certification

    return [one.column for one in Certification._meta.concrete_fields]


def _row(sign: Any, seal: Any, vault: Any, kiosk: str, payload: bytes) -> list[Any]:
    from edge.wire import envelope

    checked = envelope.verify(payload, {kiosk: sign}.get)
    body = json.loads(envelope.unseal(checked.body, checked.header, seal))
    chain, now = checked.header.chain, datetime.now(UTC)
    assert chain is not None
    values = {
        "record_id": body["record_id"], "device_id": kiosk, "site_name": body["site"],
        "subject_name": body["name"], "subject_key": vault.lookup(body["id_number"]),
        "subject_sealed": vault.seal(body["id_number"], body["record_id"]), "helper_key": "",
        "helper_sealed": b"", "named_by": "card", "ticket": "", "witness": "",
        "assisted_reason": "", "card_kind": body["card_kind"], "flags": json.dumps(body["flags"]),
        "method": body["method"], "outcome": body["outcome"],
        "reasons": json.dumps(body["reasons"]), "attempts": body["attempts"],
        "receipt_no": body["receipt_no"], "reader_id": body["reader_id"],
        "consent": json.dumps(body["consent"]), "liveness": json.dumps(body["liveness"]),
        "started": json.dumps(body["started"]), "finished": json.dumps(body["finished"]),
        "finished_at": body["finished"]["utc"], "certified_on": now.date().isoformat(),
        "clock_unsure": False, "software": body["software"], "epoch": chain.epoch,
        "seq": chain.seq, "prev_sha256": chain.prev_sha256, "envelope": payload,
        "sha256": envelope.sha256_hex(payload), "filed_at": now.isoformat(), "person_id": None,
        "doubts": "[]",
    }  # fmt: skip
    return [values[name] for name in _columns_once()]


_COLUMNS: list[str] = []


def _columns_once() -> list[str]:
    if not _COLUMNS:
        _COLUMNS.extend(_columns())
    return _COLUMNS


if __name__ == "__main__":
    sys.exit(main())

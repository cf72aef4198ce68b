"""How fast a backlog drains beside what broker and registry can do alone, how late a live record
is meanwhile, what the sync process weighs and what silence costs.

    python -m tests.tools.bench_drain [--records 10000] [--idle-minutes 10] [--out drain.json]

Three figures of one run on one machine, over loopback with mutual TLS and the shipped settings:

* `paho`: a bare paho loop that publishes the same payloads at QoS 1 with the same window and
  waits for the broker's confirmation of each;
* `ingest`: the registry's own `Ingest` filing them, in batches as large as the bridge's, with
  no network;
* `drain`: `edge sync`, mosquitto and the bridge as the three processes they are, from the
  moment the link is up until the last row of the outbox has the registry's word.

The first two are taken before and after the third, and their mean counts: other work on the
machine comes and goes.

While it drains, a record is committed every half second as a person would make one; `live`
is how long each waited for the registry's word.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from edge.app.clock import SystemTime
from edge.domain.record import RecordId
from edge.store.journal import SqliteJournal
from edge.store.outbox import SqliteOutbox
from edge.sync import mqtt_link
from edge.wire import keys, topics
from provisioning.processes import Processes
from tests.chaos.ends import keys_of, sealed
from tests.fixtures_broker import KIOSKS, Broker

ROOT = Path(__file__).parents[2]
LIVE_EVERY_S = 0.5
DAY_S = 86_400
KIOSK, OTHER = KIOSKS
Tick = Callable[[str, int, int], None]
"""Tells the bar: what, how much of it, of how much."""


@dataclass
class Report:
    """Rates are records a second; `share` is drain by the slower of the other two."""

    records: int
    payload_bytes: int
    window: int
    paho_per_s: float = 0.0
    ingest_per_s: float = 0.0
    drain_per_s: float = 0.0
    share: float = 0.0
    live_records: int = 0
    live_p95_s: float = 0.0
    live_max_s: float = 0.0
    sync_peak_mb: float = 0.0
    idle_minutes: float = 0.0
    connect_bytes: int = 0
    idle_bytes: int = 0
    idle_packets: int = 0
    idle_kb_a_day: float = 0.0
    idle_kb_a_day_with_headers: float = 0.0


class Bench:
    """A broker, a registry and a kiosk whose outbox is full."""

    def __init__(self, root: Path, tick: Tick) -> None:
        self.broker = Broker(root)
        self.site = self.broker.site
        self.folder = self.site.kiosk(KIOSK)
        self.toml = self.site.registry / "registry.toml"
        self.processes = Processes(root / "logs")
        self._tick = tick
        data_key = keys.decode_key((self.folder / "data.key").read_text())
        self.journal = SqliteJournal(self.folder / "data" / "journal.db", data_key, SystemTime())
        self.outbox = SqliteOutbox(self.journal.database, SystemTime())
        self._keys = keys_of(self.folder, KIOSK)

    def registry(self) -> None:
        """A registry that knows the kiosk."""
        self._command("migrate")
        self._command("demo-data")
        device = ("device", "add", "--id", KIOSK, "--site", "测试网点", "--keys", str(self.folder))
        self._command(*device)

    def _command(self, *arguments: str) -> None:
        line = [sys.executable, "-m", "cloud_bridge", "--config", str(self.toml), *arguments]
        subprocess.run(line, check=True, capture_output=True, cwd=ROOT)

    def commit(self) -> RecordId:
        now = {"utc": datetime.now(UTC).isoformat(), "boot_id": "b", "boot_ns": 1, "trust": "ntp"}
        name = str(uuid.uuid4())
        body = self._keys.body(provenance="simulated", record_id=name, started=now, finished=now)
        self.journal.commit(RecordId(name), "record", lambda at: sealed(self._keys, body, at))
        return RecordId(name)

    def fill(self, records: int) -> list[bytes]:
        """The backlog, and its payloads."""
        with self.journal.database.write():
            for number in range(records):
                self.commit()
                self._tick("sealing", number + 1, records)
        rows = self.journal.database.rows("SELECT payload FROM records ORDER BY seq")
        return [bytes(row[0]) for row in rows]

    def waits(self, name: RecordId) -> bool:
        sql = "SELECT 1 FROM outbox JOIN records USING (seq) WHERE record_id = ?"
        return self.journal.database.row(sql, [name]) is not None

    def start(self, name: str, *command: str) -> None:
        self.processes.start(name, [sys.executable, *command], {"PYTHONPATH": str(ROOT)})

    def start_bridge(self) -> None:
        self.start("bridge", "-m", "cloud_bridge", "--config", str(self.toml), "bridge")

    def start_sync(self) -> int:
        """Starts it as systemd does; returns its process id."""
        self.start("sync", "-m", "edge", "sync", "--site", str(self.folder / "site.toml"))
        return self.processes._running["sync"].pid

    def close(self) -> None:
        self.processes.__exit__(None, None, None)
        self.journal.close()
        self.broker.stop()


@contextmanager
def bench(root: Path, tick: Tick) -> Iterator[Bench]:
    made = Bench(root, tick)
    made.broker.start()
    try:
        yield made
    finally:
        made.close()


def peak_mb(pid: int) -> float:
    """The most memory a process ever had resident."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


# --- the two floors -------------------------------------------------------------


def paho_alone(made: Bench, payloads: list[bytes], tick: Tick) -> float:
    """Publishes a second: one client, one thread, nothing but paho's loop."""
    folder = made.site.kiosk(OTHER)
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, OTHER, protocol=mqtt.MQTTv5)
    context = ssl.create_default_context(cafile=folder / "ca.crt")
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    client.tls_set_context(context)
    client.max_inflight_messages_set(mqtt_link.WINDOW)
    confirmed: list[int] = []
    client.on_publish = lambda _c, _d, mid, *_: confirmed.append(mid)
    client.connect("127.0.0.1", made.broker.port)
    while not client.is_connected():
        client.loop(0.1)
    topic, sent, start_s = topics.topic(OTHER, topics.RECORD), 0, time.perf_counter()
    while len(confirmed) < len(payloads):
        while sent < len(payloads) and sent - len(confirmed) < mqtt_link.WINDOW:
            client.publish(topic, payloads[sent], qos=1)
            sent += 1
        client.loop(0.1)
        tick("bare paho", len(confirmed), len(payloads))
    rate = len(payloads) / (time.perf_counter() - start_s)
    client.disconnect()
    client.loop(0.1)
    return rate


INGEST = """
import sys, time, pickle
from datetime import UTC, datetime
from pathlib import Path
from cloud_bridge import cli
cli._set_up_django(Path(sys.argv[1]))
from cloud_bridge.bridge.ingest import Ingest
from cloud_bridge.bridge.opening import Arrival
from cloud_bridge.bridge.worker import BATCH
from cloud_bridge.registry import keyring
payloads = pickle.loads(Path(sys.argv[3]).read_bytes())
ingest = Ingest(keyring.seal_key(), keyring.vault())
start_s = time.perf_counter()
for first in range(0, len(payloads), BATCH):
    batch = [Arrival(sys.argv[2], p) for p in payloads[first : first + BATCH]]
    answers = ingest.ingest(batch, datetime.now(UTC))
    assert len(answers) == len(batch)
    print(first + len(batch), flush=True)
print(len(payloads) / (time.perf_counter() - start_s))
"""


def ingest_alone(made: Bench, payloads: list[bytes], tick: Tick) -> float:
    """Records a second, filed by a process of its own into a registry without a bridge."""
    import pickle

    path = made.site.root / "payloads"
    path.write_bytes(pickle.dumps(payloads))
    line = [sys.executable, "-c", INGEST, str(made.toml), KIOSK, str(path)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        last = ""
        for last in process.stdout:
            tick("ingest alone", min(len(payloads), int(float(last))), len(payloads))
    if process.returncode:
        raise RuntimeError("the registry's ingest failed")
    return float(last)


def floors(made: Bench, payloads: list[bytes], tick: Tick) -> tuple[float, float]:
    """Both; the registry is as new before and after."""
    _forget(made)
    rates = paho_alone(made, payloads, tick), ingest_alone(made, payloads, tick)
    _forget(made)
    return rates


# --- the drain --------------------------------------------------------------------


class Live:
    """Commits a record now and then, and notes how long each waited."""

    def __init__(self, made: Bench) -> None:
        self._made = made
        self._since_s: dict[RecordId, float] = {}
        self._next_s = 0.0
        self.waited_s: list[float] = []

    def turn(self) -> None:
        now_s = time.perf_counter()
        for name in [name for name in self._since_s if not self._made.waits(name)]:
            self.waited_s.append(now_s - self._since_s.pop(name))
        if now_s >= self._next_s:
            self._next_s = now_s + LIVE_EVERY_S
            self._since_s[self._made.commit()] = time.perf_counter()


def drain(made: Bench, report: Report, tick: Tick) -> None:
    made.start_bridge()
    pid = made.start_sync()
    made.processes.until(made.journal.link_is_up, "sync", "its link", 60)
    live, start_s, backlog = Live(made), time.perf_counter(), report.records
    while backlog:
        live.turn()
        backlog = made.outbox.depth() - made.outbox.waiting(report.records)
        tick("drain", report.records - backlog, report.records)
        time.sleep(0.05)
    report.drain_per_s = report.records / (time.perf_counter() - start_s)
    report.live_records = len(live.waited_s)
    waited_s = sorted(live.waited_s)
    report.live_max_s = waited_s[-1]
    report.live_p95_s = waited_s[math.ceil(0.95 * len(waited_s)) - 1]
    report.sync_peak_mb = peak_mb(pid)


# --- silence ----------------------------------------------------------------------


class Counter:
    """A proxy on loopback that counts bytes and pieces, both ways."""

    def __init__(self, port: int) -> None:
        import socket

        self._to = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self.bytes = self.pieces = 0
        self._sockets: list[Any] = [self._server]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        import socket

        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._to))
            self._sockets += [near, far]
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(a, b), daemon=True).start()

    def _pump(self, one: Any, other: Any) -> None:
        try:
            while piece := one.recv(65_536):
                self.bytes += len(piece)
                self.pieces += 1
                other.sendall(piece)
        except OSError:
            return

    def close(self) -> None:
        for item in self._sockets:
            item.close()


HEADER_BYTES = 2 * 52
"""IPv4 and TCP with time stamps, of a piece and of its acknowledgement."""


def silence(made: Bench, report: Report, minutes: float, tick: Tick) -> None:
    """What a kiosk that has nothing to say still sends and gets."""
    toml = made.folder / "site.toml"
    with closing(Counter(made.broker.port)) as counter:
        text = toml.read_text()
        toml.write_text(text.replace(f"port = {made.broker.port}", f"port = {counter.port}"))
        made.start_bridge()
        made.start_sync()
        made.processes.until(lambda: counter.pieces > 0, "sync", "its link", 60)
        time.sleep(5)
        report.connect_bytes, before = counter.bytes, (counter.bytes, counter.pieces)
        for second in range(int(minutes * 60)):
            time.sleep(1)
            tick("silence", second + 1, int(minutes * 60))
        report.idle_minutes = minutes
        report.idle_bytes = counter.bytes - before[0]
        report.idle_packets = counter.pieces - before[1]
        made.processes.stop("sync")
    scale = DAY_S / (minutes * 60)
    whole = report.idle_bytes + report.idle_packets * HEADER_BYTES
    report.idle_kb_a_day = report.idle_bytes * scale / 1000
    report.idle_kb_a_day_with_headers = whole * scale / 1000


# --- all of it --------------------------------------------------------------------


def run(records: int, idle_minutes: float, tick: Tick) -> Report:
    with tempfile.TemporaryDirectory(prefix="drain-") as name, ExitStack() as stack:
        made = stack.enter_context(bench(Path(name), tick))
        payloads = made.fill(records)
        size = round(statistics.mean(map(len, payloads)))
        report = Report(records, size, mqtt_link.WINDOW)
        before = floors(made, payloads, tick)
        drain(made, report, tick)
        made.processes.stop("sync")
        made.processes.stop("bridge")
        after = floors(made, payloads, tick)
        report.paho_per_s, report.ingest_per_s = (
            sum(two) / 2 for two in zip(before, after, strict=True)
        )
        report.share = report.drain_per_s / min(report.paho_per_s, report.ingest_per_s)
        if idle_minutes:
            silence(made, report, idle_minutes, tick)
    return report


def _forget(made: Bench) -> None:
    """The registry as it was before anything was filed."""
    for path in made.site.registry.glob("registry.sqlite3*"):
        path.unlink()
    made.registry()
    made.broker.stop()
    for path in (made.site.root / "broker" / "data").iterdir():
        path.unlink()  # what nobody fetched
    made.broker.start()


def table(report: Report) -> Table:
    shown = Table("figure", "value", title=f"{report.records} records of {report.payload_bytes} B")
    for name, value in asdict(report).items():
        shown.add_row(name, f"{value:.2f}" if isinstance(value, float) else str(value))
    return shown


def main() -> int:
    words = argparse.ArgumentParser(prog="python -m tests.tools.bench_drain")
    words.add_argument("--records", type=int, default=10_000)
    words.add_argument("--idle-minutes", type=float, default=10.0)
    words.add_argument("--out", type=Path, default=Path("fuzz/drain.json"))
    args = words.parse_args()
    with Progress() as bar:
        tasks: dict[str, Any] = {}

        def tick(what: str, done: int, of: int) -> None:
            task = tasks.get(what)
            if task is None:
                task = tasks[what] = bar.add_task(what, total=of)
            bar.update(task, completed=done)

        report = run(args.records, args.idle_minutes, tick)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(asdict(report) | {"cpus": os.cpu_count()}, indent=1) + "\n")
    Console().print(table(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())

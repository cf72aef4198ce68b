"""Both ends of the wire for the network campaigns: kiosks' disks with the real sync service,
and the real bridge as a process with a registry of its own.
"""

from __future__ import annotations

import json
import math
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from edge.app.clock import SystemTime
from edge.domain.record import RecordId
from edge.ports import Link, OutboxRow, Position
from edge.store.inbox import Inbox
from edge.store.journal import SqliteJournal
from edge.store.outbox import SqliteOutbox
from edge.store.state import SyncState
from edge.sync.mqtt_link import Endpoint, MqttLink
from edge.sync.publisher import Pace
from edge.sync.service import SyncService
from edge.wire import envelope, keys, messages
from edge.wire.envelope import Chain, Header
from edge.wire.messages import Presence
from provisioning.processes import Processes
from provisioning.site import Site, make_site
from tests.fixtures_broker import Broker
from tests.fixtures_cloud import TestKiosk

ROOT = Path(__file__).parents[2]
BRIDGE_CHILD = Path(__file__).with_name("bridge_child.py")
TABLES = ("registry_certification", "registry_rehearsal")
LONGEST_PAUSE_S = 0.2
CONNECTED = "broker connected"
PACE = Pace(window=10, reserve=2, answer_s=2.0, resend_s=1.0, resend_max_s=4.0)
"""Quicker than a kiosk's, but with a smaller window: a kiosk that repeats more than the bridge's
throttle allows is not listened to, and rightly."""


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for one campaign, gone at its end."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        yield Path(name)


def more_kiosks(broker: Broker, kiosks: Iterable[str]) -> Site:
    """The broker's site with these kiosks, besides those it was made with."""
    return make_site(broker.site.root, list(kiosks), broker_port=broker.port)


class Centre:
    """The registry of a site: its bridge as a process, its database to look into."""

    def __init__(self, site: Site, logs: Path, kiosks: Iterable[str]) -> None:
        self._logs = logs
        self._config = site.registry / "registry.toml"
        self.database = site.registry / "registry.sqlite3"
        self._processes = Processes(logs)
        self.command("migrate")
        self.command("demo-data")
        for kiosk in kiosks:
            folder = str(site.kiosk(kiosk))
            self.command("device", "add", "--id", kiosk, "--site", "测试网点", "--keys", folder)

    def __enter__(self) -> Centre:
        return self

    def __exit__(self, *about: object) -> None:
        self._processes.__exit__(*about)

    def command(self, *arguments: str) -> str:
        done = subprocess.run(
            self._line("-m", "cloud_bridge", *arguments),
            capture_output=True, text=True, check=False, cwd=ROOT,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{arguments}: {done.stderr[-2000:]}")
        return done.stdout

    def _line(self, *what: str) -> list[str]:
        at = 2 if what[0] == "-m" else 1
        return [sys.executable, *what[:at], "--config", str(self._config), *what[at:]]

    def start(self, *, port: int = 0, faults: dict[str, Any] | None = None) -> None:
        """Start the bridge; over a proxy's `port`, and with faults in its link, if given."""
        settings = {"port": port, "faults": faults or {}}
        line = self._line(str(BRIDGE_CHILD), "--settings", json.dumps(settings))
        before = self.log().count(CONNECTED)
        self._processes.start("bridge", line, {"PYTHONPATH": str(ROOT)})
        up = lambda: self.log().count(CONNECTED) > before  # noqa: E731
        self._processes.until(up, "bridge", "its connection", 30)

    def stop(self) -> None:
        self._processes.stop("bridge")

    def kill(self) -> None:
        self._processes.kill("bridge")

    def alive(self) -> bool:
        return self._processes.runs("bridge")

    def log(self) -> str:
        path = self._logs / "bridge.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return rows(self.database, sql)

    def filed(self) -> dict[str, str]:
        """Hash by record id, of everything filed."""
        return filed(self.database)

    def doubled(self) -> int:
        return doubled(self.database)


def rows(database: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        return db.execute(sql).fetchall()


def filed(registry: Path) -> dict[str, str]:
    both = " UNION ALL ".join(f"SELECT record_id, sha256 FROM {name}" for name in TABLES)
    return dict(rows(registry, both))


def doubled(registry: Path) -> int:
    """Rows beyond the first with the same id, hash or place in a chain."""
    both = " UNION ALL ".join(
        f"SELECT record_id, sha256, device_id || epoch || seq FROM {name}" for name in TABLES
    )
    found = rows(registry, both)
    return sum(len(found) - len(set(column)) for column in zip(*found, strict=True))


class SkippingClock:
    """Real time in which the long pauses between two tries to connect are cut short."""

    def __init__(self, longest_s: float = LONGEST_PAUSE_S) -> None:
        self._longest_s = longest_s
        self._skipped_s = 0.0

    def monotonic_s(self) -> float:
        return time.monotonic() + self._skipped_s

    def pause(self, seconds: float) -> None:
        short_s = min(seconds, self._longest_s)
        time.sleep(short_s)
        self._skipped_s += seconds - short_s

    def skip(self, seconds: float) -> None:
        """Not even that."""
        self._skipped_s += seconds


class KioskEnd:
    """One kiosk's disk, and its sync service in a thread of its own.

    `patient`: it waits between two tries to connect as long as a kiosk does. `wrap` puts
    something between service and link; `outbox_class` is for seeing a campaign fail with a
    worse one.
    """

    def __init__(
        self,
        site: Site,
        kiosk_id: str,
        port: int,
        *,
        patient: bool = False,
        wrap: Callable[[Link], Link] = lambda link: link,
        outbox_class: type[SqliteOutbox] = SqliteOutbox,
    ) -> None:
        folder = site.kiosk(kiosk_id)
        times = SystemTime()
        data_key = keys.decode_key((folder / "data.key").read_text())
        self.kiosk_id = kiosk_id
        self.keys = keys_of(folder, kiosk_id)
        self.journal = SqliteJournal(folder / "data" / "journal.db", data_key, times)
        self.outbox = outbox_class(self.journal.database, times)
        clock = SkippingClock(math.inf if patient else LONGEST_PAUSE_S)
        at = Endpoint(kiosk_id, "127.0.0.1", port, *tls_of(folder))
        self.link = MqttLink(
            at, Presence(True, 1, "chaos"), monotonic_s=clock.monotonic_s, pause=clock.pause
        )
        self.service = SyncService(
            self.outbox,
            Inbox(self.journal.database),
            SyncState(self.journal.database, times),
            wrap(self.link),
            keys.verifying_key((folder / "registry-sign.pub").read_text()),
            kiosk_id,
            times,
            pace=PACE,
        )
        self.died: BaseException | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"sync-{kiosk_id}")

    def __enter__(self) -> KioskEnd:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)
        self.journal.close()

    def commit(self, **changes: Any) -> OutboxRow:
        body = self.keys.body(provenance="simulated", **changes)
        name = RecordId(body["record_id"])
        return self.journal.commit(name, "record", lambda at: sealed(self.keys, body, at))

    def committed(self) -> dict[str, str]:
        return dict(self.journal.database.rows("SELECT record_id, sha256 FROM records"))

    def waiting(self) -> int:
        return self.outbox.depth()

    def _run(self) -> None:
        try:
            self.service.run(self._stop)
        except BaseException as error:
            self.died = error
            raise


def sealed(kiosk: TestKiosk, body: dict[str, Any], at: Position) -> bytes:
    """A record's envelope at its place in the chain, as the kiosk process makes it."""
    header = Header(
        messages.RECORD,
        body["record_id"],
        kiosk.kiosk_id,
        messages.REGISTRY,
        chain=Chain(at.epoch, at.seq, at.prev_sha256),
    )
    inside = envelope.seal(envelope.canonical(body), header, kiosk.registry_seal)
    return envelope.sign(header, inside, kiosk.sign_key)


def keys_of(folder: Path, kiosk_id: str) -> TestKiosk:
    return TestKiosk(
        kiosk_id,
        keys.sealing_key((folder / "registry-seal.pub").read_text()),
        sign_text=(folder / "sign.key").read_text(),
        open_text=(folder / "open.key").read_text(),
        card_text=(folder / "card.key").read_text(),
    )


def tls_of(folder: Path) -> tuple[Path, Path, Path]:
    return folder / "ca.crt", folder / "tls.crt", folder / "tls.key"


def until(reached: Callable[[], bool], timeout_s: float, every_s: float = 0.1) -> bool:
    """Whether it came true in time."""
    deadline_s = time.monotonic() + timeout_s
    while not reached():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(every_s)
    return True


def differences(centre: Centre, ends: Iterable[KioskEnd]) -> dict[str, int]:
    """What the kiosks promised against what the registry has."""
    ends = tuple(ends)
    promised: dict[str, str] = {}
    for end in ends:
        promised |= end.committed()
    return compared(promised, centre.database) | {
        "waiting": sum(end.waiting() for end in ends),
        "put_aside": sum(end.outbox.held() for end in ends),
    }


def compared(promised: Mapping[str, str], registry: Path) -> dict[str, int]:
    at_registry = filed(registry)
    return {
        "committed": len(promised),
        "filed": len(at_registry),
        "lost": sum(at_registry.get(name) != sha256 for name, sha256 in promised.items()),
        "doubled": doubled(registry),
        "invented": len(at_registry.keys() - promised.keys()),
    }

"""Planted names, numbers, addresses, pictures and templates, and a search for them everywhere.

Whole visits on the real runner, models, store, sync process, broker and bridge. Searched are
all files that kiosk, broker and registry leave (databases, write-ahead logs, logs, the
broker's own store, temporary files), every packet on the wire, the MQTT as an operator of the
broker reads it (his key on a proxy), what Python says of every state on the way, and the
command lines and environments of all processes. One place may hold the name: the registry's
own database, by which staff search. The controls plant leaks, which have to be found.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack, closing
from pathlib import Path

from edge.app.clock import SystemTime
from edge.models import build
from edge.store.journal import SqliteJournal
from edge.wire import keys
from provisioning.processes import Processes
from tests.chaos import canaries
from tests.chaos.campaign import Progress, Section, Size
from tests.chaos.canaries import Canary, Scanner
from tests.chaos.canary_visit import ADDRESS, NAME, NUMBER
from tests.chaos.ends import ROOT, Centre, scratch, until
from tests.chaos.packets import PacketCapture
from tests.chaos.proxy import Proxy, operator_tls
from tests.fixtures_broker import KIOSKS, Broker

KIOSK = KIOSKS[0]
VISIT = Path(__file__).parents[1] / "canary_visit.py"
SHORT = (("good-day", "main"),)
FULL = (
    *SHORT, ("no-consent", "printer"), ("good-day", ""), ("wrong-face", ""),
    ("first-visit", ""), ("printed-photo", ""), ("paper-out", ""), ("no-consent", "reader"),
    ("no-consent", "main"), ("good-day", "printer"),
)  # fmt: skip
PEOPLE = "name,id_number,category,covered,region_code,household\n{},{},retired,yes,100101001001,\n"
TEXTS = (
    canaries.of_text("name", NAME),
    canaries.of_text("number", NUMBER),
    canaries.of_text("address", ADDRESS),
)


def run(size: Size, progress: Progress) -> Section:
    visits = FULL if size.full else SHORT
    progress.expect(len(visits) + 2)
    with scratch() as root, scratch() as aside, ExitStack() as stack:
        hall = _Hall(root, aside, stack)
        for scenario, breaks in visits:
            hall.visit(scenario, *(["--break", breaks] if breaks else []))
            progress.step()
        hall.drain()
        found = hall.search()
        progress.step()
        hall.visit("no-consent", "--leak")
        hall.refused()
        leaked = hall.search()
        progress.step()
    found["controls"] = {
        "spellings_planted": _planted(),
        "spellings_found": _found_again(),
        "unsealed_record": {name: leaked[name] - found[name] for name in ("disk", "operator")},
    }
    return found | {"broken": _broken(found, len(visits))}


def _broken(found: Section, visits: int) -> list[str]:
    controls = found["controls"]
    leaks = [f"{found[name]} hits: {name}" for name in _PLACES if found[name]]
    rules = (
        (found["visits_filed"] >= (visits + 1) // 2, "visits left no record at the registry"),
        (found["planted"] == 6, "not every kind of canary was planted"),
        (found["wire_bytes"] > 0 and found["operator_bytes"] > 0, "nothing was recorded"),
        (found["registry_names"] > 0, "the search does not even find the name at the registry"),
        (controls["spellings_found"] == controls["spellings_planted"], "a spelling is not found"),
        (controls["unsealed_record"]["disk"] > 0, "an unsealed record is not found on the disk"),
        (controls["unsealed_record"]["operator"] > 0, "an unsealed record is not found in MQTT"),
    )
    return leaks + [words for holds, words in rules if not holds]


_PLACES = ("hits", "disk", "registry", "wire", "operator", "processes")


class _Hall:
    """One kiosk, its sync process, two recorded lines, a broker and a registry."""

    def __init__(self, root: Path, aside: Path, stack: ExitStack) -> None:
        self._root, self._aside = root, aside
        self._models = str(build.build())
        self._visits = 0
        self._broker = Broker(root)
        self._site = self._broker.site
        self._database = self._site.kiosk(KIOSK) / "data" / "journal.db"
        self._temporary = root / "tmp"
        self._temporary.mkdir()
        self._broker.start()
        stack.callback(self._broker.stop)
        self._operator = bytearray()
        self._wire = bytearray()
        kiosk = self._line(stack, self._site.kiosk(KIOSK), "tls")
        bridge = self._line(stack, self._site.registry, "bridge")
        ports = {self._broker.port, kiosk.port, bridge.port}
        self._packets = stack.enter_context(PacketCapture(ports))
        self._told = stack.enter_context(_ToldToAll())
        self._centre = stack.enter_context(Centre(self._site, root / "logs", (KIOSK,)))
        self._import_person()
        self._centre.start(port=bridge.port)
        self._settings = self._site.kiosk(KIOSK) / "site.toml"
        text = self._settings.read_text("utf-8")
        at = f"port = {self._broker.port}"
        assert at in text
        self._settings.write_text(text.replace(at, f"port = {kiosk.port}"), "utf-8")
        self._processes = stack.enter_context(Processes(root / "logs"))
        self._start_sync()

    def _line(self, stack: ExitStack, client: Path, stem: str) -> Proxy:
        """Client → recorded TLS → operator of the broker, who reads all → broker."""
        tls = operator_tls(self._site.root / "broker", client, stem)
        inner = Proxy(self._broker.port, terminate=tls, record=self._operator.extend)
        stack.callback(inner.close)
        return stack.enter_context(Proxy(inner.port, record=self._wire.extend))

    def _import_person(self) -> None:
        people = self._aside / "people.csv"
        people.write_text(PEOPLE.format(NAME, NUMBER), "utf-8")
        self._centre.command("people", "import", str(people))
        self._centre.command("roster", "push")

    def _start_sync(self) -> None:
        data_key = keys.decode_key((self._site.kiosk(KIOSK) / "data.key").read_text())
        SqliteJournal(self._database, data_key, SystemTime()).close()
        line = [sys.executable, "-m", "edge", "sync", "--site", str(self._settings)]
        self._processes.start("sync", line, self._environment())
        came = lambda: bool(_rows(self._database, "SELECT 1 FROM inbox"))  # noqa: E731
        self._processes.until(came, "sync", "the roster", 30)

    def _environment(self) -> dict[str, str]:
        return {"PYTHONPATH": str(ROOT), "TMPDIR": str(self._temporary)}

    def visit(self, scenario: str, *more: str) -> None:
        self._visits += 1
        secrets = self._aside / f"secrets-{self._visits}.json"
        reprs = self._root / "logs" / "reprs.txt"
        line = [
            sys.executable, str(VISIT), str(self._settings), self._models, scenario,
            "--secrets", str(secrets), "--reprs", str(reprs), *more,
        ]  # fmt: skip
        with (self._root / "logs" / "visit.log").open("ab") as log:
            subprocess.run(
                line, check=False, stdout=log, stderr=log, timeout=150,
                env={**os.environ, **self._environment()},
            )  # fmt: skip

    def drain(self) -> None:
        until(lambda: not _rows(self._database, "SELECT 1 FROM outbox WHERE NOT quarantined"), 20)
        until(lambda: bool(self._centre.rows("SELECT 1 FROM registry_rehearsal")), 5)

    def refused(self) -> None:
        """Wait until the registry has put something aside."""
        until(lambda: bool(self._centre.rows("SELECT 1 FROM registry_quarantine")), 20)

    def search(self) -> Section:
        scanner, planted = self._scanner()
        registry = self._site.registry / "registry.sqlite3"
        mine = [path for path in self._root.rglob("*") if path.is_file()]
        theirs = [path for path in mine if path.name.startswith(registry.name)]
        rest = [path for path in mine if path not in theirs]
        disk = _sum(scanner.find_in_file(path) for path in rest)
        at_registry = _sum(scanner.find_in_file(path) for path in theirs)
        names = at_registry.pop("name", 0)
        wire = _sum(scanner.find(data) for data in (bytes(self._wire), *self._packets.streams()))
        operator = scanner.find(bytes(self._operator))
        told = scanner.find(self._told.text())
        total = disk + at_registry + wire + operator + told
        return {
            "visits": self._visits,
            "visits_filed": len(self._centre.filed()),
            "planted": planted,
            "hits": sum(total.values()),
            "hits_by_canary": dict(total),
            "disk": sum(disk.values()),
            "registry": sum(at_registry.values()),
            "registry_names": names,
            "wire": sum(wire.values()),
            "operator": sum(operator.values()),
            "processes": sum(told.values()),
            "files": len(mine),
            "file_bytes": sum(map(_size, mine)),
            "wire_bytes": len(self._wire),
            "operator_bytes": len(self._operator),
            "packet_capture": self._packets.allowed,
            "packets": self._packets.packets,
            "processes_seen": self._told.seen,
        }

    def _scanner(self) -> tuple[Scanner, int]:
        """All canaries there are by now, and of how many kinds."""
        found: list[Canary] = list(TEXTS)
        for path in self._aside.glob("secrets-*.json"):
            for kind, pieces in json.loads(path.read_text()).items():
                found += [canaries.of_bytes(kind, bytes.fromhex(piece)) for piece in pieces]
        return Scanner(found), len({canary.name for canary in found})


class _ToldToAll:
    """Command lines and environments: what every user of the machine, or root, can list."""

    def __init__(self) -> None:
        self.seen = 0
        self._texts: set[bytes] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ps")

    def __enter__(self) -> _ToldToAll:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def text(self) -> bytes:
        return b"\n".join(self._texts)

    def _run(self) -> None:
        while not self._stop.wait(0.2):
            for pid in _descendants(os.getpid()):
                self._look_at(pid)

    def _look_at(self, pid: int) -> None:
        for name in ("cmdline", "environ"):
            try:
                self._texts.add(Path(f"/proc/{pid}/{name}").read_bytes())
            except OSError:  # it has ended
                return
        self.seen = len(self._texts)


def _descendants(pid: int) -> Iterable[int]:
    """Children, their children, and so on; a process that has ended has none."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return
    for child in map(int, text.split()):
        yield child
        yield from _descendants(child)


def _rows(database: Path, sql: str) -> list[tuple[object, ...]]:
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
            return db.execute(sql).fetchall()
    except sqlite3.OperationalError:  # not migrated yet
        return []


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _sum(parts: Iterable[Counter[str]]) -> Counter[str]:
    return sum(parts, Counter())


def _planted() -> int:
    return sum(len(canary.forms) for canary in TEXTS)


def _found_again() -> int:
    """Every spelling, each in a heap of other bytes, alone and packed once more."""
    scanner = Scanner(TEXTS)
    return sum(
        bool(scanner.find(b"\0other" + form + b"bytes\xff"))
        for canary in TEXTS
        for form in canary.forms.values()
    )

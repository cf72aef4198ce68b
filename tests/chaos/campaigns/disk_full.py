"""The disk is full or fails at every single write: nothing half-done, no false word on a screen.

The disk refuses from outside (`tests.chaos.disk`): no space, a write that fails, a sync
that fails, a truncation that fails; once, or from then on. First the store alone, at every
operation of every kind of transaction: it says no or it did it, never half of it, and goes
on when the disk does. Then the whole kiosk: the screen says done only when the record is
on the disk, and the next person is served once there is room again. At last a process of
its own under a real limit (`RLIMIT_FSIZE`), in place of a full file system: mounting one
needs rights that tests do not have.
"""

from __future__ import annotations

import itertools
import os
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from edge.domain.errors import StoreError
from edge.domain.record import RecordId
from edge.drivers.sim.scenario import WISHES
from edge.session.events import Event
from edge.session.machine import Transition
from edge.session.states import Storing
from edge.store.database import Database
from edge.store.journal import SqliteJournal
from edge.store.outbox import SqliteOutbox
from tests.chaos.campaign import Progress, Section, Size
from tests.chaos.disk import FULL, IOERR_FSYNC, IOERR_TRUNCATE, IOERR_WRITE, OK, Disk, recorded
from tests.chaos.ends import ROOT
from tests.chaos.kiosk import QuickKiosk
from tests.headless import make_config
from tests.helpers_sync import HandTurnedTime, entry

KINDS = {
    "no space": ("write", FULL),
    "write fails": ("write", IOERR_WRITE),
    "sync fails": ("sync", IOERR_FSYNC),
    "truncate fails": ("truncate", IOERR_TRUNCATE),
}
DATA_KEY = b"d" * 32
LIMITED_COMMITS = 2_000
LIMIT_BYTES = 1024 * 1024
LEAVES = tuple(wish for wish in WISHES if wish != "找工作人员办理")
"""Who cannot be stored goes away; calling a person would try to store that, too."""
WRITES = 12
"""As many writes as storing one record may take."""


@dataclass(slots=True)
class Tally:
    """`refused`: the store said no; the others must stay zero."""

    faults: int = 0
    refused: int = 0
    half: int = 0
    untrue: int = 0
    stuck: int = 0
    why: list[str] = field(default_factory=list)

    def note(self, what: str, words: str) -> None:
        setattr(self, what, getattr(self, what) + 1)
        self.why.append(words)


def run(size: Size, progress: Progress) -> Section:
    rounds, visits = size.of(1, 8), size.of(4, 40)
    progress.expect(rounds * len(KINDS) * 2 + visits + 1)
    store, screens = Tally(), Tally()
    for number in range(rounds):
        _store(random.Random(f"{size.seed} {number}"), store, progress)
    _kiosk(visits, random.Random(size.seed), screens, progress)
    limited = _limited(progress)
    section: Section = {
        "store_faults": store.faults, "store_refusals": store.refused,
        "kiosk_faults": screens.faults, "kiosk_refusals": screens.refused,
        "half_done": store.half + screens.half, "untrue": store.untrue + screens.untrue,
        "stuck": store.stuck + screens.stuck, "limited": limited,
        "stands_in": "VFS errors and RLIMIT_FSIZE for full and failing file systems",
    }  # fmt: skip
    broken = [*dict.fromkeys(store.why + screens.why)][:8]
    if not (store.refused and screens.refused and limited["refused"]):
        broken.append("no fault was ever felt")
    return section | {"broken": broken + limited.pop("broken")}


# --- the store alone ---


def _store(chance: random.Random, tally: Tally, progress: Progress) -> None:
    for (kind, (operation, code)), lasts in itertools.product(KINDS.items(), (False, True)):
        with tempfile.TemporaryDirectory(prefix="full-") as name, recorded(Path(name)) as disk:
            disk.events = None
            bench = Bench(Path(name), disk, chance, tally, kind)
            for deed in (bench.commit, bench.sent, bench.acknowledged, bench.roster, bench.opened):
                bench.at_every_operation(deed, operation, code, lasts)
        progress.step()


class Bench:
    """One store, failed again and again."""

    def __init__(
        self, folder: Path, disk: Disk, chance: random.Random, tally: Tally, kind: str
    ) -> None:
        self._path = folder / "journal.db"
        self._disk, self._chance, self._tally, self._kind = disk, chance, tally, kind
        self._names = (f"record-{number}" for number in itertools.count())
        self._versions = itertools.count(1)
        self._promised: set[str] = set()
        self.commit()

    def at_every_operation(
        self, deed: Callable[[], None], operation: str, code: int, lasts: bool
    ) -> None:
        """Let the first, the second … operation of `deed` fail until it needs no more of them."""
        for number in itertools.count(1):
            felt = refused = False
            with failing(self._disk, operation, code, number, lasts) as failed:
                try:
                    deed()
                except StoreError:
                    refused = True
                felt = failed()
            self._tally.faults += felt
            self._tally.refused += refused
            self._look(f"{self._kind} at {operation} {number} of {deed.__name__}")
            if not felt:
                return

    def commit(self) -> None:
        with closing(self._journal()) as journal:
            name = next(self._names)
            journal.commit(RecordId(name), "record", lambda _: self._chance.randbytes(3_000))
            self._promised.add(name)

    def sent(self) -> None:
        with closing(Database(self._path)) as database:
            outbox = SqliteOutbox(database, HandTurnedTime())
            outbox.tried(outbox.due(1)[0].record_id, 1.0)

    def acknowledged(self) -> None:
        with closing(Database(self._path)) as database:
            outbox = SqliteOutbox(database, HandTurnedTime())
            row = outbox.due(1)[0]
            outbox.acknowledged(row.record_id, row.sha256)

    def roster(self) -> None:
        with closing(self._journal()) as journal:
            journal.roster.replace(next(self._versions), [entry(number) for number in range(30)])

    def opened(self) -> None:
        self._journal().close()

    def _look(self, where: str) -> None:
        """The disk works again: everything is whole, and one more record goes in."""
        try:
            with closing(self._journal()) as journal:
                words = _half(journal, self._promised)
            self.commit()
        except StoreError as error:
            self._tally.note("stuck", f"{where}: does not go on: {error.args[0][-60:]}")
            return
        if words:
            self._tally.note("half", f"{where}: {words}")

    def _journal(self) -> SqliteJournal:
        return SqliteJournal(self._path, DATA_KEY, HandTurnedTime())


def _half(journal: SqliteJournal, promised: set[str]) -> str:
    """What is there in part only; empty if all is whole."""
    rows = journal.database.rows("SELECT record_id FROM records")
    if promised - {name for (name,) in rows}:
        return "a committed record is gone"
    orphans = "SELECT count(*) FROM outbox LEFT JOIN records USING (seq) WHERE record_id IS NULL"
    if journal.database.row(orphans) != (0,):
        return "an outbox row without its record"
    people = journal.database.rows("SELECT count(*) FROM roster GROUP BY version")
    if any(count != 30 for (count,) in people):
        return "half a roster"
    broken = journal.verify_chain()
    return f"chain {broken.why}" if broken else ""


@contextmanager
def failing(
    disk: Disk, operation: str, code: int, number: int, lasts: bool
) -> Iterator[Callable[[], bool]]:
    """Operations of this kind fail from the `number`-th on, or that one alone.

    What it yields says whether one did.
    """
    seen = itertools.count(1)
    felt: list[int] = []

    def fault(asked: str, path: str) -> int:
        if asked != operation or path.endswith("-shm"):
            return OK
        now = next(seen)
        if now == number or (lasts and now > number):
            felt.append(now)
            return code
        return OK

    disk.fault = fault
    try:
        yield lambda: bool(felt)
    finally:
        disk.fault = lambda operation, path: OK


# --- the whole kiosk ---


def _kiosk(visits: int, chance: random.Random, tally: Tally, progress: Progress) -> None:
    """Each fault hits the storing of one visit; the visit after it must go well."""
    plan = [*itertools.product(("no space", "write fails"), range(1, WRITES + 1), (False, True))]
    plan += [("sync fails", 1, False), ("sync fails", 1, True)]
    with ExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="full-"))
        config = make_config(Path(name), Path("unused"))
        disk = stack.enter_context(recorded(config.database.parent))
        disk.events = None
        fault = AtStoring(disk)
        kiosk = stack.enter_context(QuickKiosk(config, observe=fault.watch))
        for kind, number, lasts in chance.sample(plan, visits):
            where = f"{kind} at {number} of storing"
            with fault.aimed(*KINDS[kind], number, lasts) as failed:
                _one_visit(kiosk, tally, where)
                tally.faults += failed()
            before = len(kiosk.done)
            kiosk.visit()
            if len(kiosk.done) == before:
                tally.note("stuck", f"{where}: the next person was not served")
            progress.step()


class AtStoring:
    """A fault that waits until somebody's record is about to be stored."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._armed: Callable[[], None] = lambda: None

    def watch(self, _event: Event | None, transition: Transition) -> None:
        if isinstance(transition.session.state, Storing):
            self._armed()

    @contextmanager
    def aimed(
        self, operation: str, code: int, number: int, lasts: bool
    ) -> Iterator[Callable[[], bool]]:
        with ExitStack() as stack:
            answers: list[Callable[[], bool]] = []
            fault = failing(self._disk, operation, code, number, lasts)
            self._armed = lambda: (
                answers.append(stack.enter_context(fault)) if not answers else None
            )
            try:
                yield lambda: any(answer() for answer in answers)
            finally:
                self._armed = lambda: None


def _one_visit(kiosk: QuickKiosk, tally: Tally, where: str) -> None:
    """A screen may say done only of a record that is on the disk, and must say no otherwise."""
    begun, done, kiosk.turned = len(kiosk.begun), len(kiosk.done), None
    kiosk.visit(LEAVES)
    database: Database = kiosk.parts.disk.database  # type: ignore[attr-defined]
    there = {name for (name,) in database.rows("SELECT record_id FROM records")}
    if set(kiosk.done[done:]) - there:
        tally.note("untrue", f"{where}: the screen says done, the disk knows nothing")
    if len(kiosk.done) == done and len(kiosk.begun) > begun:
        tally.refused += 1
        if kiosk.turned is None:
            tally.note("untrue", f"{where}: not stored, and nobody was called")


# --- a real limit ---


def _limited(progress: Progress) -> Section:
    """A process that may not let a file grow commits until the system says no."""
    with tempfile.TemporaryDirectory(prefix="full-") as name:
        path = Path(name) / "journal.db"
        told = subprocess.run(
            [sys.executable, "-m", "tests.chaos.campaigns.disk_full", str(path)],
            capture_output=True, text=True, check=True, cwd=ROOT, env=os.environ,
        )  # fmt: skip
        done, refused = told.stdout.split()[:-1], told.stdout.split()[-1] == "refused"
        with closing(SqliteJournal(path, DATA_KEY, HandTurnedTime())) as journal:
            words = _half(journal, set(done))
            journal.commit(RecordId("after"), "record", lambda _: b"there is room again")
    progress.step()
    broken = [f"RLIMIT_FSIZE: {words}"] if words else []
    return {"committed": len(done), "refused": int(refused), "broken": broken}


def _limited_process(path: Path) -> None:
    with closing(SqliteJournal(path, DATA_KEY, HandTurnedTime())) as journal:
        size = LIMIT_BYTES
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        try:
            for number in range(LIMITED_COMMITS):
                journal.commit(RecordId(f"r{number}"), "record", lambda _: bytes(3_000))
                print(f"r{number}", flush=True)
        except StoreError:
            print("refused", flush=True)


if __name__ == "__main__":
    _limited_process(Path(sys.argv[1]))

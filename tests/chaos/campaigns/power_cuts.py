"""The power goes at any moment of the store's life: no damage, nothing acknowledged is lost.

The real `edge.store` works on a recorded disk (`tests.chaos.disk`): records are
committed, sent, answered, rosters swapped, things counted, by two processes' connections
in turn. Any moment of that life, from opening to closing, is cut off several times, each
time with another choice of what the card still held (`tests.chaos.cuts`). The real code
opens what is left and must find every record it had promised and every row it still has
to send; then one of these remains lives on and is cut again.

Controls show that the campaign can fail: with `synchronous=NORMAL` records are lost, with
OFF the file is damaged, and so it is on a card that confirms a sync too early. With the
whole disk of the kiosk (`edge.app.disk`) on such a card, damage has to be found and the
records saved from what is left of the database and of the second file.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.app.disk import KioskDisk
from edge.app.seal import DeviceSeal
from edge.domain.errors import StoreError
from edge.domain.health import Condition, DeviceState
from edge.domain.record import RecordId
from edge.ports import Position
from edge.store import database
from edge.store.database import Database
from edge.store.inbox import Inbox
from edge.store.journal import SqliteJournal
from edge.store.outbox import SqliteOutbox
from edge.store.state import SyncState
from edge.wire import messages
from tests.chaos.campaign import Progress, Section, Size
from tests.chaos.cuts import Card, read_folder, write_folder
from tests.chaos.disk import Disk, Event, Said, recorded
from tests.helpers_sync import HandTurnedTime, entry

CUTS_PER_LIFE = 10
LIVES = 25
"""As many in a row before the next kiosk starts with an empty card."""
DATA_KEY = b"d" * 32
SEAL = DeviceSeal("K-TEST", Ed25519PrivateKey.from_private_bytes(b"s" * 32))
SAVED_SHARE = 0.99
OLD_RECORDS = 100
"""On a lying card before it is cut: some two days of a busy kiosk's."""
LYING = 8
"""Changes that a lying card still loses after it confirmed them."""


@dataclass(slots=True)
class Told:
    """What the world had been told when the power went."""

    begun: list[str] = field(default_factory=list)
    promised: set[str] = field(default_factory=set)
    released: set[str] = field(default_factory=set)  # the registry has them

    def copy(self) -> Told:
        return Told([*self.begun], {*self.promised}, {*self.released})

    def hear(self, said: Said) -> None:
        match said.what:
            case "begun":
                self.begun.append(said.name)
            case "promised":
                self.promised.add(said.name)
            case "released":
                self.released.add(said.name)


@dataclass(slots=True)
class Tally:
    """`lost`: cuts after which a promised record, or its outbox row, was missing.

    `silent`: those among them where the kiosk found nothing wrong with its disk.
    """

    cuts: int = 0
    corrupt: int = 0
    lost: int = 0
    silent: int = 0
    records_lost: int = 0
    kept: int = 0
    worst: int = 0  # records lost by one cut
    why: Counter[str] = field(default_factory=Counter)


def run(size: Size, progress: Progress) -> Section:
    cuts, control = size.of(2_000, 20_000), size.of(240, 1_000)
    progress.expect(cuts + (len(ARMS) + 1) * control + control // 2)
    shipped = campaign(cuts, size.seed, progress, SHIPPED)
    whole = campaign(control, size.seed, progress, WHOLE)
    liar = campaign(control // 2, size.seed, progress, SALVAGE)
    controls = {
        name: _short(campaign(control, size.seed, progress, arm)) for name, arm in ARMS.items()
    }
    saved = round(liar.kept / (liar.kept + liar.records_lost), 4)
    salvage = {**_short(liar), "silent": liar.silent, "worst": liar.worst,
               "records": liar.kept + liar.records_lost, "saved_share": saved}  # fmt: skip
    section: Section = {
        "cuts": shipped.cuts + whole.cuts, "corrupt": shipped.corrupt + whole.corrupt,
        "lost": shipped.lost + whole.lost, "records_checked": shipped.kept + whole.kept,
        "with_the_whole_disk": _short(whole), "controls": controls, "salvage": salvage,
    }  # fmt: skip
    broken = [*_broken(shipped), *_broken(whole), *_blind(controls)]
    if saved < SAVED_SHARE:
        broken.append(f"only {saved:.2%} of the records came back from a lying card")
    return section | {"broken": broken}


def _short(tally: Tally) -> dict[str, int]:
    return {"cuts": tally.cuts, "corrupt": tally.corrupt, "lost": tally.lost}


def _broken(tally: Tally) -> list[str]:
    broken = []
    if tally.corrupt:
        broken.append(f"{tally.corrupt} of {tally.cuts} power cuts damaged the store")
    if tally.lost:
        broken.append(f"{tally.lost} of {tally.cuts} power cuts lost a promised record")
    return broken + [f"{count} x {words}" for words, count in tally.why.most_common(5)]


def _blind(controls: dict[str, dict[str, int]]) -> list[str]:
    """A campaign that finds nothing with weakened settings proves nothing with ours."""
    needs = {"synchronous_normal": "lost", "synchronous_off": "corrupt", "lying_card": "corrupt"}
    return [f"control {name} found nothing {need}" for name, need in needs.items()
            if not controls[name][need]]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Arm:
    """How the store is set, what the card is like, and whether the store may mend itself."""

    synchronous: str = "FULL"
    volatile: int = 0
    mends: bool = False

    def open(self, folder: Path) -> SqliteJournal:
        path, times = folder / "journal.db", HandTurnedTime()
        if self.mends:
            return KioskDisk(path, DATA_KEY, times, SEAL)
        return SqliteJournal(path, DATA_KEY, times)


SHIPPED = Arm()
WHOLE = Arm(mends=True)
SALVAGE = Arm(volatile=LYING, mends=True)
ARMS = {
    "synchronous_normal": Arm("NORMAL"),
    "synchronous_off": Arm("OFF"),
    "lying_card": Arm(volatile=LYING),
}


def campaign(cuts: int, seed: int, progress: Progress, arm: Arm) -> Tally:
    """`cuts` power cuts in as many lives as that takes."""
    tally = Tally()
    with (
        weakened(arm.synchronous),
        tempfile.TemporaryDirectory(prefix="cuts-") as name,
        recorded(Path(name)) as disk,
    ):
        kiosk = 0
        while tally.cuts < cuts:
            chance = random.Random(f"{seed} {kiosk}")
            Kiosk(disk, Path(name), chance, arm, tally).live(cuts, progress)
            kiosk += 1
    return tally


@contextmanager
def weakened(synchronous: str) -> Iterator[None]:
    """The store's settings with another `synchronous`."""
    shipped = database.PRAGMAS
    answer = {"OFF": 0, "NORMAL": 1, "FULL": 2}[synchronous]
    database.PRAGMAS = tuple(
        (name, synchronous, answer) if name == "synchronous" else (name, value, expected)
        for name, value, expected in shipped
    )
    try:
        yield
    finally:
        database.PRAGMAS = shipped


class Kiosk:
    """One card's lives, one after the other, until it is thrown away."""

    def __init__(
        self, disk: Disk, root: Path, chance: random.Random, arm: Arm, tally: Tally
    ) -> None:
        self._disk, self._chance, self._arm, self._tally = disk, chance, arm, tally
        self._folder, self._remains = root / "life", root / "remains"
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        self._told = Told()
        self._missed: set[str] = set()
        self._work = Work(chance, arm)
        if arm.mends and arm.volatile:
            self._fill()

    def _fill(self) -> None:
        """The card has served a while before it begins to lie."""
        self._disk.events = []
        self._work.commit_some(self._folder, self._disk, OLD_RECORDS)
        for event in self._disk.events:
            if isinstance(event, Said):
                self._told.hear(event)

    def live(self, cuts: int, progress: Progress) -> None:
        for _ in range(LIVES):
            if self._tally.cuts >= cuts:
                return
            before = read_folder(self._folder)
            events = self._one_life()
            moments = sorted(self._chance.randrange(len(events) + 1) for _ in range(CUTS_PER_LIFE))
            so_far = self._tally.cuts
            goes_on = self._cut(before, events, moments)
            progress.step(self._tally.cuts - so_far)
            if not goes_on:
                return

    def _one_life(self) -> list[Event]:
        self._disk.events = []
        self._work.live(self._folder, self._disk)
        events, self._disk.events = self._disk.events, None
        return events

    def _cut(
        self, before: dict[str, bytes], events: Sequence[Event], moments: Sequence[int]
    ) -> bool:
        """Cut at each of these moments; one of them is what the next life starts from."""
        card, told, at = Card(before, self._arm.volatile), self._told.copy(), 0
        goes_on = self._chance.randrange(len(moments))
        for number, moment in enumerate(moments):
            for event in events[at:moment]:
                card.take(event)
                if isinstance(event, Said):
                    told.hear(event)
            at = moment
            files = card.cut(self._chance)
            write_folder(self._remains, files, self._folder)
            sound = self._look(told)
            if number != goes_on:
                continue
            if self._arm.mends:
                files = self._mended()
            elif not sound:
                return False
            write_folder(self._folder, files, self._folder)
            self._told = told.copy()
            self._told.promised -= self._missed  # lost once, counted once
        return True

    def _mended(self) -> dict[str, bytes]:
        """What the kiosk made of the remains, under the names of the next life."""
        return {
            str(self._folder / Path(name).relative_to(self._remains)): data
            for name, data in read_folder(self._remains).items()
        }

    def _look(self, told: Told) -> bool:
        """Open what is left with the real code and count what is wrong with it."""
        self._tally.cuts += 1
        missing: set[str] = set()
        try:
            with closing(self._arm.open(self._remains)) as journal:
                damage = _damage(journal, told)
                missing = _missing(journal, told)
        except StoreError as error:
            damage = str(error).split(": ", 1)[-1]
        self._missed = missing
        self._tally.corrupt += bool(damage)
        self._tally.lost += bool(missing)
        self._tally.silent += bool(missing) and not damage
        self._tally.records_lost += len(missing)
        self._tally.worst = max(self._tally.worst, len(missing))
        self._tally.kept += len(told.promised) - len(missing)
        if damage:
            self._tally.why[damage] += 1
        return not damage and not missing


def _damage(journal: SqliteJournal, told: Told) -> str:
    """What is wrong with the file, beyond something missing at its end; empty if nothing."""
    if isinstance(journal, KioskDisk) and journal.recovery is not None:
        return f"made anew: {journal.recovery.reason}"
    rows = journal.database.rows(
        "SELECT record_id, outbox.seq FROM records LEFT JOIN outbox USING (seq) "
        "WHERE kind = 'record' ORDER BY records.seq"
    )
    names = [name for name, _ in rows]
    if names != [name for name in told.begun if name in set(names)]:
        return "records nobody made, or out of order"
    if any(seq is None and name not in told.released for name, seq in rows):
        return "a record without its outbox row"
    broken = journal.verify_chain()
    return f"chain {broken.why}" if broken else ""


def _missing(journal: SqliteJournal, told: Told) -> set[str]:
    """Promised and not there; all of them if the file was begun anew."""
    rows = journal.database.rows("SELECT record_id FROM records")
    return told.promised - {str(name) for (name,) in rows}


class Work:
    """What two processes do with one database, a few steps at random in each life."""

    def __init__(self, chance: random.Random, arm: Arm) -> None:
        self._chance, self._arm = chance, arm
        self._number = 0
        self._roster = 0
        self._steps: dict[Callable[[], None], int] = {
            self._commit: 10,
            self._give_up: 1,
            self._send: 4,
            self._answered: 5,
            self._count: 2,
            self._health: 1,
            self._roster_comes: 1,
            self._link: 2,
        }

    def live(self, folder: Path, disk: Disk) -> None:
        """Open, work, close; whatever is promised on the way is told to `disk`."""
        times = HandTurnedTime()
        self._disk = disk
        with (
            closing(self._arm.open(folder)) as self._journal,
            closing(Database(folder / "journal.db")) as base,
        ):
            self._outbox, self._inbox = SqliteOutbox(base, times), Inbox(base)
            self._state = SyncState(base, times)
            for _ in range(self._chance.randint(1, 12)):
                self._chance.choices(list(self._steps), list(self._steps.values()))[0]()

    def commit_some(self, folder: Path, disk: Disk, number: int) -> None:
        self._disk = disk
        with closing(self._arm.open(folder)) as self._journal:
            for _ in range(number):
                self._commit()

    def _commit(self) -> None:
        self._number += 1
        name = f"record-{self._number}"
        body = self._chance.randbytes(self._chance.choice((900, 2_500, 2_500, 4_000, 12_000)))

        def build(position: Position) -> bytes:
            return SEAL.notice(messages.RECORD, RecordId(name), body, position)

        self._disk.say("begun", name)
        self._journal.commit(RecordId(name), "record", build)
        self._disk.say("promised", name)

    def _give_up(self) -> None:
        """A transaction that ends badly half-way."""

        def build(position: Position) -> bytes:
            raise StoreError(f"no bytes for {position.seq}")

        try:
            self._journal.commit(RecordId("never"), "record", build)
        except StoreError:
            return

    def _send(self) -> None:
        for row in self._outbox.due(3):
            self._outbox.tried(row.record_id, self._chance.uniform(1, 60))

    def _answered(self) -> None:
        for row in self._outbox.due(2):
            self._disk.say("released", row.record_id)
            self._outbox.acknowledged(row.record_id, row.sha256)

    def _count(self) -> None:
        self._journal.count(self._chance.choice(("left", "refused", "timed_out")))

    def _health(self) -> None:
        condition = self._chance.choice(list(Condition))
        state = DeviceState("printer", condition, "", HandTurnedTime().now().iso)
        self._journal.note_health(state)

    def _roster_comes(self) -> None:
        self._inbox.put("jianzai.roster", self._chance.randbytes(3_000))
        self._roster += 1
        people = [entry(number) for number in range(self._chance.randint(1, 40))]
        self._journal.waiting_roster()
        self._journal.replace_roster(self._roster, people)

    def _link(self) -> None:
        self._state.link_seen()

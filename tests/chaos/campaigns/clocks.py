"""Clocks without a battery, years off, jumping: a record's true time is known, or said not to be.

Random histories of a machine's clocks: switched on without a battery clock (at 1970, at the
day the program was built, at the moment it was switched off), with one that drifts, with one
whose battery is dead and that is years off in either direction; set by the network during
that boot, or never; set by hand on the way; over ends of months, leap days and New Year.
Each leaves records in the real store with the real time keeping beside them. What the chain
says is then read as the registry can read it, and every interval that follows must hold the
true time. Then whole visits of the real runner in which the clock jumps at every screen. Last,
`tests.chaos.faketime`: the kiosk as a process whose machine's own wall clock is wrong.
"""

from __future__ import annotations

import json
import random
import tempfile
from collections import Counter
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.app.disk import KioskDisk
from edge.app.ids import new_record_id
from edge.app.seal import DeviceSeal
from edge.domain.timebase import ClockTrust, Stamp
from edge.ports import Position
from edge.session.events import Event
from edge.session.machine import Transition
from edge.session.states import Consenting, Finished, Reviewing, Storing, Watching
from edge.wire import messages
from edge.wire.envelope import verify
from edge.wire.notices import ClockCorrection, parse_correction
from tests.chaos import faketime
from tests.chaos.campaign import Progress, Section, Size
from tests.chaos.disk import recorded
from tests.chaos.kiosk import QuickKiosk
from tests.chaos.times import KioskTime, World
from tests.chaos.told_times import SURE_WITHIN, stamp_of, verdict
from tests.headless import make_config

KIOSK = "K-TEST"
STARTS = (
    datetime(2026, 11, 30, 23, 30, tzinfo=UTC),
    datetime(2026, 12, 31, 22, 0, tzinfo=UTC),
    datetime(2028, 2, 28, 20, 0, tzinfo=UTC),
    datetime(2028, 2, 29, 23, 0, tzinfo=UTC),
    datetime(2027, 3, 27, 23, 0, tzinfo=UTC),  # Europe's clocks change, China's do not
    datetime(2038, 1, 19, 3, 0, tzinfo=UTC),
)
JUMPS = (
    *(timedelta(days=days) for days in (-20_000, -3_650, -365, -31, -1, 1, 31, 365, 3_650)),
    *(timedelta(seconds=seconds) for seconds in (-3_600, -61, 3_600)),
)
SET_WITHIN = timedelta(milliseconds=300)
"""How far from the truth a clock may be that the network has just set."""
RECORDS_PER_HISTORY = 50
SCREENS = (Consenting, Watching, Reviewing, Storing, Finished)


def run(size: Size, progress: Progress) -> Section:
    histories, visits = size.of(8, 200), size.of(3, 24)
    progress.expect(histories + visits)
    tally: Counter[str] = Counter()
    for number in range(histories):
        chance = random.Random(f"{size.seed} {number}")
        with tempfile.TemporaryDirectory(prefix="clock-") as name, recorded(Path(name)) as disk:
            disk.events = None
            History(Path(name), chance, tally).live()
        progress.step()
    served = _visits(visits, random.Random(size.seed), progress)
    matrix = faketime.play(size, progress)
    section: Section = {
        "records": tally["records"], "known": tally["known"], "at_least": tally["at_least"],
        "said_unsure": tally["said_unsure"], "false": tally["false"], "wide": tally["wide"],
        "corrections": tally["corrections"], "visits_with_jumps": visits, "served": served,
        "clock": "injected; libfaketime's in the matrix",
    }  # fmt: skip
    broken = [
        (tally["false"], f"{tally['false']} records say a time that was not"),
        (tally["wide"], f"{tally['wide']} intervals wider than {SURE_WITHIN}"),
        (not tally["corrections"], "no clock was ever corrected"),
        (served < visits, f"{visits - served} visits were upset by a clock"),
    ]
    section["broken"] = [words for found, words in broken if found] + matrix.pop("broken")
    section["not_run"] = [matrix["not_run"]] if "not_run" in matrix else []
    return section | {"faketime": matrix}


class History:
    """One kiosk's boots, and the truth about each of its records."""

    def __init__(self, folder: Path, chance: random.Random, tally: Counter[str]) -> None:
        self._path = folder / "journal.db"
        self._chance, self._tally = chance, tally
        self._world = World(chance.choice(STARTS))
        self._key = Ed25519PrivateKey.generate()
        self._truth: dict[str, datetime] = {}
        self._off_wall = self._world.now()

    def live(self) -> None:
        while len(self._truth) < RECORDS_PER_HISTORY:
            times = self._boot()
            seal = DeviceSeal(KIOSK, self._key)
            with closing(KioskDisk(self._path, b"d" * 32, times, seal)) as disk:
                times.raise_floor(disk.clock.floor())
                for _ in range(self._chance.randint(1, 12)):
                    self._pass_time(times)
                    disk.clock.correct()  # as the runner does between residents
                    disk.keep_house()
                    self._record(disk, times)
                if self._chance.random() < 0.7:
                    self._set_by_network(times)
                    disk.clock.correct()
                self._off_wall = times.now().utc
            self._world.skip(timedelta(hours=self._chance.uniform(0.1, 72)))
        self._judge()

    def _boot(self) -> KioskTime:
        """What the wall clock says after switching on, and how much it is believed."""
        truth = self._world.now()
        kind = self._chance.choice(("off", "1970", "built", "drifts", "dead"))
        wall = {
            "off": self._off_wall,
            "1970": datetime(1970, 1, 1, tzinfo=UTC),
            "built": datetime(2026, 11, 1, tzinfo=UTC),
            "drifts": truth + timedelta(seconds=self._chance.uniform(-40, 40)),
            "dead": truth + self._chance.choice(JUMPS),
        }[kind]
        trust = ClockTrust.RTC if kind in ("drifts", "dead") else ClockTrust.UNKNOWN
        return KioskTime(self._world, trust, wall - truth)

    def _pass_time(self, times: KioskTime) -> None:
        self._world.skip(timedelta(seconds=self._chance.expovariate(1 / 1_800)))
        what = self._chance.random()
        if what < 0.08:
            self._set_by_network(times)
        elif what < 0.16 and times.trust is not ClockTrust.NTP:
            times.wrong += self._chance.choice(JUMPS)  # by hand

    def _set_by_network(self, times: KioskTime) -> None:
        times.trust = ClockTrust.NTP
        times.wrong = self._chance.uniform(-1, 1) * SET_WITHIN

    def _record(self, disk: KioskDisk, times: KioskTime) -> None:
        stamp, record_id = times.now(), new_record_id()
        body = json.dumps({**asdict(stamp), "utc": stamp.iso, "trust": stamp.trust.value}).encode()
        seal = DeviceSeal(KIOSK, self._key)

        def build(position: Position) -> bytes:
            return seal.notice(messages.RECORD, record_id, body, position)

        disk.commit(record_id, "record", build)
        disk.clock.note(stamp)
        self._truth[record_id] = self._world.now()

    # --- reading ---

    def _judge(self) -> None:
        """What the chain says about each record, against the truth."""
        stamps, corrections = self._read()
        self._tally["corrections"] += len(corrections)
        for record_id, truth in self._truth.items():
            self._tally["records"] += 1
            self._tally[verdict(stamps[record_id], corrections, truth)] += 1

    def _read(self) -> tuple[dict[str, Stamp], dict[str, ClockCorrection]]:
        stamps: dict[str, Stamp] = {}
        corrections: dict[str, ClockCorrection] = {}
        seal = DeviceSeal(KIOSK, self._key)
        times = KioskTime(self._world)
        with closing(KioskDisk(self._path, b"d" * 32, times, seal)) as disk:
            rows = disk.database.rows("SELECT payload FROM records ORDER BY seq")
        for (payload,) in rows:
            envelope = verify(payload, lambda _: self._key.public_key())
            if envelope.header.schema == messages.CLOCK:
                correction = parse_correction(envelope.body)
                corrections[correction.boot_id] = correction
            elif envelope.header.schema == messages.RECORD:
                stamps[envelope.header.message_id] = stamp_of(json.loads(envelope.body))
        return stamps, corrections


# --- visits ---


def _visits(visits: int, chance: random.Random, progress: Progress) -> int:
    """How many were served though the clock jumped at one of their screens."""
    served = 0
    with tempfile.TemporaryDirectory(prefix="clock-") as name:
        config = make_config(Path(name), Path("unused"))
        times = KioskTime(World(datetime.now(UTC)))
        jumper = Jumper(times)
        with recorded(config.database.parent) as disk, \
                QuickKiosk(config, times, jumper.watch) as kiosk:  # fmt: skip
            disk.events = None
            for number in range(visits):
                jumper.jump_at(SCREENS[number % len(SCREENS)], chance.choice(JUMPS))
                before = len(kiosk.done)
                served += kiosk.visit() and len(kiosk.done) == before + 1 and jumper.jumped
                progress.step()
    return served


class Jumper:
    """Sets the clock once when a screen appears."""

    def __init__(self, times: KioskTime) -> None:
        self._times = times
        self._screen: type | None = None
        self._jump = timedelta()

    @property
    def jumped(self) -> bool:
        return self._screen is None

    def jump_at(self, screen: type, jump: timedelta) -> None:
        self._times.wrong = timedelta()
        self._screen, self._jump = screen, jump

    def watch(self, _event: Event | None, transition: Transition) -> None:
        if self._screen is not None and isinstance(transition.session.state, self._screen):
            self._times.wrong += self._jump
            self._screen = None

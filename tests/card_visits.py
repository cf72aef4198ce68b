"""People who come and go at a card reader with which everything goes wrong.

`Visits` play on a bench, on a clock that a test moves. `LineVisits` play over a
pseudo-terminal in real time, at the speed of the wire.
"""

from __future__ import annotations

import random
import time
from contextlib import suppress

from edge.domain.errors import DeviceError
from edge.domain.people import CardIdentity
from edge.domain.timebase import MonoNs
from edge.drivers.idcard_serial import SerialCardReader
from edge.drivers.sim.idcard import FAULTS, SamMachine, SimCard, SimSam
from tests.idcard_bench import Bench, crowd

ORDERS = ("", "11FF", "12FF", "2001", "2002", "3001", "3003", "10FF")
STATUSES = (0x10, 0x11, 0x21, 0x23, 0x24, 0x31, 0x32, 0x33, 0x34, 0x3F, 0x40, 0x41, 0x47,
            0x50, 0x60, 0x61, 0x66, 0x77, 0x80, 0x81, 0x91)  # fmt: skip
PEOPLE = crowd(200)
TRIES = 10
WEDGED_S = 60.0


class WrongPerson(Exception):
    """Somebody else's data were handed out."""


def fault_value(name: str, chance: random.Random, late_s: float) -> float:
    return {
        "late": chance.uniform(0.1, late_s),
        "short": chance.randrange(1, 1294),
        "sw3": chance.choice(STATUSES),
    }.get(name, 0)


def check(card: CardIdentity, lay_here: set[str]) -> None:
    names = {person.number: person.name for person in PEOPLE}
    if card.id_number not in lay_here or card.name != names[card.id_number]:
        raise WrongPerson


class Visits:
    """One bench, many people. Remembers who lay on the reader since the last READ began."""

    def __init__(self, seed: int, profile: str) -> None:
        self.chance = random.Random(seed)
        self.bench = Bench(SamMachine(profile=profile, work_s={"3001": 0.9}, baud=115200))
        self.bench.reader.open()
        self.lying: SimCard | None = None
        self.lay_here: set[str] = set()
        self.read_well = 0

    def cycle(self) -> bool:
        """One bad visit, then whether a good one goes well. Raises `WrongPerson`."""
        self.go_wrong()
        self.lay(self.chance.choice(PEOPLE))
        if self.attempt():
            with suppress(DeviceError):
                self.bench.reader.wait_for_removal(2)
        self.clear()
        started_s = self.bench.clock.now_s
        return self.visit_goes_well() and self.bench.clock.now_s - started_s < WEDGED_S

    def lay(self, card: SimCard | None) -> None:
        self.lying = card
        if card:
            self.bench.sam.present(card)
            self.lay_here.add(card.number)
        else:
            self.bench.sam.lift()

    def go_wrong(self) -> None:
        chance, clock = self.chance, self.bench.clock
        for _ in range(chance.randrange(4)):
            name = chance.choice(FAULTS)
            value = fault_value(name, chance, late_s=9)
            times = chance.choice((1, 1, 2, 5))
            self.bench.sam.fault(name, times=times, on=chance.choice(ORDERS), value=value)
        if chance.random() < 0.3:
            clock.after(chance.uniform(0, 4), lambda: self.lay(None))
        if chance.random() < 0.3:
            clock.after(chance.uniform(0, 4), lambda: self.lay(chance.choice(PEOPLE)))
        if chance.random() < 0.1:
            clock.after(chance.uniform(0, 4), self.bench.unplug)

    def attempt(self) -> CardIdentity | None:
        """As the kiosk does it; every `DeviceError` is allowed, every other exception is not."""
        with suppress(DeviceError):
            if self.bench.reader.wait_for_card(6):
                return self.read()
        return None

    def read(self) -> CardIdentity:
        self.lay_here = {self.lying.number} if self.lying else set()
        card = self.bench.reader.read()
        check(card, self.lay_here)
        self.read_well += 1
        return card

    def clear(self) -> None:
        self.bench.sam.clear_faults()
        self.bench.clock.forget_plans()
        self.bench.plug_in()
        self.lay(None)

    def visit_goes_well(self) -> bool:
        """No wedge: with nothing wrong any more, the next card is read within a minute."""
        person = self.chance.choice(PEOPLE)
        for _ in range(TRIES):
            self.lay(person)
            card = self.attempt()
            self.lay(None)
            if card:
                return card.id_number == person.number
            with suppress(DeviceError):
                self.bench.reader.wait_for_removal(2)
        return False


class LineVisits:
    """The same people at a pseudo-terminal paced like 115,200 baud, in real time."""

    def __init__(self, seed: int, profile: str) -> None:
        self._chance = random.Random(seed)
        self._sam = SimSam(pace=True, profile=profile)
        self._reader = SerialCardReader(self._sam.port, mono_ns=lambda: MonoNs(time.monotonic_ns()))
        self._reader.open()
        self.read_well = 0

    def close(self) -> None:
        self._reader.close()
        self._sam.close()

    def cycle(self) -> bool:
        """One visit with at most one fault, then whether a good one goes well."""
        chance = self._chance
        if chance.random() < 0.6:
            name = chance.choice(FAULTS)
            value = fault_value(name, chance, late_s=2)
            self._sam.fault(name, on=chance.choice(ORDERS), value=value)
        if chance.random() < 0.1:
            self._sam.vanish()
            self._sam.come_back()
        self._visit(chance.choice(PEOPLE))
        self._sam.clear_faults()
        started_s = time.monotonic()
        person = chance.choice(PEOPLE)
        well = any(self._visit(person) for _ in range(TRIES))
        return well and time.monotonic() - started_s < WEDGED_S

    def _visit(self, person: SimCard) -> bool:
        """Whether the card was read; it is gone afterwards."""
        read = False
        with suppress(DeviceError):
            self._sam.present(person)
            if self._reader.wait_for_card(2):
                check(self._reader.read(), {person.number})
                self.read_well += 1
                read = True
        self._sam.lift()
        with suppress(DeviceError):
            self._reader.wait_for_removal(2)
        return read

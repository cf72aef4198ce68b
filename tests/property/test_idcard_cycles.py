"""Hundreds of card visits with everything going wrong at random: nobody is taken for another."""

from __future__ import annotations

import os
import random
from contextlib import suppress

import pytest

from edge.domain.errors import DeviceError
from edge.domain.people import CardIdentity
from edge.drivers.sim.idcard import FAULTS, SamMachine, SimCard, SimSam
from tests.idcard_bench import Bench, crowd
from tests.unit.idcard.test_driver_lines import hasty_reader

ORDERS = ("", "11FF", "12FF", "2001", "2002", "3001", "3003", "10FF")
STATUSES = (0x10, 0x11, 0x21, 0x23, 0x24, 0x31, 0x32, 0x33, 0x34, 0x3F, 0x40, 0x41, 0x47,
            0x50, 0x60, 0x61, 0x66, 0x77, 0x80, 0x81, 0x91)  # fmt: skip
PEOPLE = crowd(200)


class Visits:
    """One bench, many people. Remembers who lay on the reader since the last READ began."""

    def __init__(self, seed: int, profile: str) -> None:
        self.chance = random.Random(seed)
        self.bench = Bench(SamMachine(profile=profile, work_s={"3001": 0.9}, baud=115200))
        self.bench.reader.open()
        self.lying: SimCard | None = None
        self.lay_here: set[str] = set()
        self.read_well = 0

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
            value = {
                "late": chance.uniform(0.1, 9),
                "short": chance.randrange(1, 1294),
                "sw3": chance.choice(STATUSES),
            }.get(name, 0)
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
        assert card.id_number in self.lay_here, "somebody else's data"
        assert card.name == next(p.name for p in PEOPLE if p.number == card.id_number)
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
        for _ in range(10):
            self.lay(person)
            card = self.attempt()
            self.lay(None)
            if card:
                return card.id_number == person.number
            with suppress(DeviceError):
                self.bench.reader.wait_for_removal(2)
        return False


@pytest.mark.parametrize("profile", ["a", "b"])
@pytest.mark.parametrize("seed", range(4))
def test_hundreds_of_visits_on_a_bad_day(seed: int, profile: str) -> None:
    visits = Visits(seed, profile)
    for _ in range(100):
        visits.go_wrong()
        visits.lay(visits.chance.choice(PEOPLE))
        if visits.attempt():
            with suppress(DeviceError):
                visits.bench.reader.wait_for_removal(2)
        visits.clear()
        started_s = visits.bench.clock.now_s
        assert visits.visit_goes_well()
        assert visits.bench.clock.now_s - started_s < 60
    visits.bench.reader.close()
    assert all(line.closed for line in visits.bench.lines)
    assert visits.read_well > 100
    assert set(visits.bench.sam.log) <= {"10FF", "11FF", "12FF", "2001", "2002", "3001", "3003"}


@pytest.mark.parametrize("tcp", [False, True])
def test_a_bad_day_leaves_no_descriptor_behind(tcp: bool) -> None:
    chance = random.Random(3)
    with SimSam(tcp=tcp) as sam:
        before = len(os.listdir("/proc/self/fd"))
        reader = hasty_reader(sam.port)
        for _ in range(12):
            name = chance.choice(FAULTS)
            sam.fault(name, on=chance.choice(ORDERS), value=0x41 if name == "sw3" else 3)
            person = chance.choice(PEOPLE)
            sam.present(person)
            with suppress(DeviceError):
                reader.open()
                if reader.wait_for_card(1):
                    assert reader.read().id_number == person.number
            sam.clear_faults()
            if chance.random() < 0.3:
                sam.vanish()
                sam.come_back()
            reader.close()
        assert len(os.listdir("/proc/self/fd")) - before in (0, 1), "a client's far end at most"

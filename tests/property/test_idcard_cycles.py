"""Hundreds of card visits with everything going wrong at random: nobody is taken for another.

The ten thousand are `make cycles`.
"""

from __future__ import annotations

import random
from contextlib import suppress

import pytest

from edge.domain.errors import DeviceError
from edge.drivers import idcard_serial
from edge.drivers.idcard_text import parse
from edge.drivers.sim.idcard import FAULTS, SimSam
from tests.card_visits import ORDERS, PEOPLE, Visits
from tests.leftovers import open_files
from tests.tools.card_cycles import campaign
from tests.unit.idcard.test_driver_lines import hasty_reader


def test_a_small_campaign_finds_nothing() -> None:
    found = campaign(cycles=1_000, at_line_rate=2, seed=7)
    assert not found.bad, found
    assert (found.cycles, found.at_line_rate) == (1_000, 2)
    assert found.cards_read > 1_000


def test_only_these_are_ever_asked() -> None:
    visits = Visits(3, "a")
    for _ in range(100):
        assert visits.cycle()
    assert set(visits.bench.sam.log) <= {"10FF", "11FF", "12FF", "2001", "2002", "3001", "3003"}


def test_the_campaign_finds_a_driver_that_remembers_a_card(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    remembered = parse(PEOPLE[0].text_block())
    monkeypatch.setattr(idcard_serial, "parse", lambda *blocks: remembered)
    assert campaign(cycles=30, at_line_rate=0, seed=5).wrong_person > 0


def test_the_campaign_finds_a_driver_that_leaves_lines_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(idcard_serial._Talk, "close", lambda talk: None)
    assert campaign(cycles=30, at_line_rate=0, seed=5).lines_left_open > 0


def test_the_campaign_finds_a_driver_that_hangs_on_to_a_lost_port(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(idcard_serial.SerialCardReader, "_drop", lambda reader, words: None)
    assert campaign(cycles=60, at_line_rate=0, seed=5).wedged > 0


@pytest.mark.parametrize("tcp", [False, True])
def test_a_bad_day_leaves_no_descriptor_behind(tcp: bool) -> None:
    chance = random.Random(3)
    with SimSam(tcp=tcp) as sam:
        before = open_files()
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
        assert open_files() - before in (0, 1), "a client's far end at most"

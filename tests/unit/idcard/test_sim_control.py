"""The simulator worked from outside, as a shell or another program would do it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from edge.domain.errors import DeviceError, Fault
from edge.domain.idnumber import card_flags
from edge.domain.people import CardFlag, CardKind
from edge.drivers.idcard_text import parse
from edge.drivers.sim.idcard import FAULTS, SimSam
from edge.drivers.sim.idcard_cards import CATALOGUE
from edge.drivers.sim.idcard_control import SimControl
from tests.idcard_bench import Bench
from tests.leftovers import open_files
from tests.unit.idcard.test_driver_lines import plain_reader


class Desk:
    """Somebody with a line to the control port."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._line = socket.create_connection(address, timeout=5)
        self._answers = self._line.makefile("rb")

    def say(self, raw: bytes) -> dict[str, Any]:
        self._line.sendall(raw)
        return dict(json.loads(self._answers.readline()))

    def ask(self, do: str, **more: object) -> dict[str, Any]:
        return self.say(json.dumps({"do": do, **more}).encode() + b"\n")

    def do(self, do: str, **more: object) -> None:
        assert self.ask(do, **more) == {"ok": True}

    def close(self) -> None:
        self._answers.close()
        self._line.close()


@pytest.fixture
def sam() -> Iterator[SimSam]:
    with SimSam() as sim:
        yield sim


@pytest.fixture
def desk(sam: SimSam) -> Iterator[Desk]:
    with SimControl(sam) as control:
        end = Desk(control.address)
        yield end
        end.close()


def test_a_visit_directed_from_outside(sam: SimSam, desk: Desk) -> None:
    reader = plain_reader(sam.port)
    reader.open()
    desk.do("present", card="resident_x")
    assert reader.wait_for_card(2)
    assert reader.read().name == "测试·乙"
    desk.do("present", card=0)
    assert reader.wait_for_removal(2), "a different card between two reads"
    desk.do("lift")
    assert not reader.wait_for_card(0)
    assert desk.ask("log")["log"][:5] == ["11FF", "12FF", "2001", "2002", "3001"]
    assert desk.ask("log", **{"from": 4})["log"][0] == "3001"
    reader.close()


def test_everything_can_be_switched_while_a_client_is_connected(sam: SimSam, desk: Desk) -> None:
    reader = plain_reader(sam.port)
    reader.open()
    desk.do("present", card="resident")
    desk.do("fault", name="stuck_80", times=None)
    assert not reader.wait_for_card(0.4)
    desk.do("clear")
    assert reader.wait_for_card(1)
    desk.do("fault", name="lifted", on="3001")
    with pytest.raises(DeviceError) as call:
        reader.read()
    assert call.value.fault is Fault.GARBLED
    desk.do("profile", **{"is": "b"})
    desk.do("present", card="resident")
    for _ in range(2):
        assert reader.wait_for_card(1), "profile b finds a card that was read"
        reader.read()
    desk.do("out_of_turn", sw3=0x34)
    desk.do("unplug")
    with pytest.raises(DeviceError) as call:
        reader.wait_for_card(1)
    assert call.value.fault is Fault.ABSENT
    desk.do("plug_in")
    assert reader.wait_for_card(1)
    reader.close()


def test_every_fault_and_every_card_is_on_offer(desk: Desk) -> None:
    assert desk.ask("faults")["faults"] == list(FAULTS)
    for name in FAULTS:
        desk.do("fault", name=name)
    assert desk.ask("cards")["cards"] == list(CATALOGUE)
    for name in CATALOGUE:
        desk.do("present", card=name)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"\n", "JSONDecodeError"),
        (b"[]\n", "TypeError"),
        (b"\xff\xfe\n", "DecodeError"),
        (b"[" * 4000 + b"\n", ""),
        (b'{"do": "dance"}\n', "no order is called dance"),
        (b'{"do": "fault"}\n', "KeyError: 'name'"),
        (b'{"do": "fault", "name": "smoke"}\n', "no fault is called smoke"),
        (b'{"do": "fault", "name": "sw3", "value": 256}\n', "sw3 cannot be 256"),
        (b'{"do": "fault", "name": "late", "value": NaN}\n', "late cannot be nan"),
        (b'{"do": "fault", "name": "late", "times": "often"}\n', "ValueError"),
        (b'{"do": "out_of_turn", "sw3": -1}\n', "one byte"),
        (b'{"do": "profile", "is": "c"}\n', "profile is a or b"),
        (b'{"do": "present", "card": "credit"}\n', "KeyError"),
        (b'{"do": "present", "card": 99}\n', "IndexError"),
        (b'{"do": "log", "from": "now"}\n', "TypeError"),
    ],
)
def test_what_cannot_be_done_is_said_and_harms_nothing(desk: Desk, line: bytes, why: str) -> None:
    answer = desk.say(line)
    assert answer["ok"] is False
    assert why in answer["why"]
    assert desk.ask("log") == {"ok": True, "log": []}


def test_orders_in_pieces_and_several_at_once(desk: Desk) -> None:
    desk._line.sendall(b'{"do": ')
    desk._line.sendall(b'"lift"}\n{"do": "clear"}\n')
    assert [desk._answers.readline() for _ in range(2)] == [b'{"ok": true}\n'] * 2


def test_an_endless_line_ends_the_connection(sam: SimSam) -> None:
    with SimControl(sam) as control:
        end = Desk(control.address)
        end._line.sendall(b"x" * 5000)
        assert end._answers.readline() == b""
        end.close()


def test_it_leaves_nothing_behind_even_with_people_connected(sam: SimSam) -> None:
    before = open_files(), threading.active_count()
    control = SimControl(sam)
    desks = [Desk(control.address) for _ in range(2)]
    assert all(desk.ask("cards")["ok"] for desk in desks)
    control.close()
    control.close()
    for desk in desks:
        desk.close()
    assert (open_files(), threading.active_count()) == before


def test_on_its_own_it_says_where_it_is_and_ends_when_told() -> None:
    command = [sys.executable, "-m", "edge.drivers.sim.idcard_control", "--profile", "b"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as alone:
        assert alone.stdout is not None
        where = json.loads(alone.stdout.readline())
        host, _, port = where["control"].partition(":")
        desk = Desk((host, int(port)))
        desk.do("present", card="resident")
        reader = plain_reader(where["reader"])
        reader.open()
        assert reader.wait_for_card(2)
        assert reader.read().name == "测试甲"
        reader.close()
        desk.close()
        alone.send_signal(signal.SIGTERM)
        assert alone.wait(5) == 0
    assert not Path(where["reader"]).parent.exists()


# --- the box of cards -----------------------------------------------------------------

TODAY = date(2026, 11, 23)
FLAGS = {
    "permit": {CardFlag.EXPIRED},
    "expired": {CardFlag.EXPIRED},
    "not_yet_valid": {CardFlag.NOT_YET_VALID},
    "ends_before_it_starts": {CardFlag.EXPIRED, CardFlag.DATES_REVERSED},
    "no_such_day": {CardFlag.BIRTH_MISMATCH},
    "bad_checksum": {CardFlag.BAD_CHECK_DIGIT},
    "other_birthday": {CardFlag.BIRTH_MISMATCH},
    "other_sex": {CardFlag.SEX_MISMATCH},
}
NO_CARD = {"no_number", "blank"}
NAMES = {
    "rare_private": "测\ue863甲",
    "rare_pair": "测\U00030edd甲",
    "rare_cut": "买买提艾力吐尔逊阿卜杜热西提\ufffd",
    "english_only": "SPECIMEN-OF-A-LONG-NAME, WITH FIRST AND SECOND",
}


@pytest.mark.parametrize("name", sorted(set(CATALOGUE) - NO_CARD))
def test_each_card_is_read_with_its_flags_and_never_refused(name: str) -> None:
    bench = Bench()
    bench.reader.open()
    card = bench.read_card(CATALOGUE[name])
    assert set(card_flags(card, TODAY)) == FLAGS.get(name, set())
    assert card.name == NAMES.get(name, CATALOGUE[name].name)
    assert card.id_number == CATALOGUE[name].number
    assert len(CATALOGUE[name].text_block()) == 256


@pytest.mark.parametrize("name", sorted(NO_CARD))
def test_a_card_without_a_number_is_to_be_laid_down_again(name: str) -> None:
    bench = Bench()
    bench.reader.open()
    with pytest.raises(DeviceError) as call:
        bench.read_card(CATALOGUE[name])
    assert call.value.fault is Fault.GARBLED


def test_the_box_holds_what_the_description_asks_for() -> None:
    read = {name: parse(card.text_block()) for name, card in CATALOGUE.items()}
    assert {card.kind for card in read.values()} == set(CardKind)
    assert read["resident"].valid_to is None, "长期"
    assert read["resident_x"].valid_from == date(2024, 2, 29)
    assert read["leap_day"].birth == date(1944, 2, 29)
    assert read["no_such_day"].birth is None
    assert b"\0\0" * 12 in CATALOGUE["nul_padding"].text_block()
    assert bytes.fromhex("AAAAAA9669") in CATALOGUE["preamble_in_photo"].photo_block
    assert len(CATALOGUE["preamble_in_photo"].photo_block) == 1024

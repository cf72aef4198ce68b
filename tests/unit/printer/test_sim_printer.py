"""The simulated printer on its own: bytes written to its port by hand."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from edge.drivers.sim.printer import Fault, SimPrinter


class Cable:
    def __init__(self, sim: SimPrinter) -> None:
        self.sim = sim
        self.fd = os.open(sim.port, os.O_RDWR | os.O_NOCTTY)

    def send(self, code: str) -> None:
        os.write(self.fd, bytes.fromhex(code))

    def hear(self, timeout_s: float = 1.0) -> bytes:
        return os.read(self.fd, 16) if select.select([self.fd], [], [], timeout_s)[0] else b""

    def done(self) -> None:
        """Everything sent so far is printed once the buffered report is answered."""
        self.send("1D7201")
        assert self.hear() == b"\x00"


@pytest.fixture
def cable() -> Iterator[Cable]:
    sim = SimPrinter()
    at = Cable(sim)
    yield at
    os.close(at.fd)
    sim.close()


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("1B40 1C26 D6D0CEC40A", "中文"),
        ("1B40 D6D0 0A", "╓╨"),  # without FS & the firmware is Western
        ("1C26 8139EF31 41 0A", "\ufffd9\ufffd"),  # a four-byte code is rubbish
        (
            "1B7400 1C26 d6d0cec4a3acb2e2cad4a3bacdf5a1a4c3f720a3a43520a2e3 0A",
            "中文，测试：王·明 ￥5 €",
        ),
        ("1D763000 0200 0300 8000 0000 0001", "[16 x 3 dots]"),
    ],
)
def test_stream_to_paper(cable: Cable, code: str, text: str) -> None:
    cable.send(code)
    if "8139EF31" in code:  # EF31 is no pair either: rubbish, then the digit
        text = "\ufffd9\ufffd1A"
    cable.done()
    assert cable.sim.text == text


@pytest.mark.parametrize(
    ("fault", "answers"),
    [
        (None, "12 12 12 12"),
        (Fault.NEAR_END, "12 12 12 1E"),
        (Fault.PAPER_OUT, "1A 32 12 7E"),
        (Fault.COVER_OPEN, "1A 16 12 12"),
        (Fault.CUTTER_JAM, "1A 52 1A 12"),
        (Fault.HOT, "1A 52 52 12"),
    ],
)
def test_status(cable: Cable, fault: Fault | None, answers: str) -> None:
    if fault:
        cable.sim.add(fault)
    for n, answer in enumerate(bytes.fromhex(answers), 1):
        cable.send(f"1004{n:02x}")
        assert cable.hear() == bytes((answer,))


def test_a_printer_without_paper_answers_status_but_not_its_buffer(cable: Cable) -> None:
    cable.sim.add(Fault.PAPER_OUT)
    cable.send("41 0A 1D7201 100401")
    assert cable.hear() == b"\x1a"
    cable.sim.clear(Fault.PAPER_OUT)
    assert cable.hear() == b"\x00"
    assert cable.sim.text == "A"


def test_status_is_answered_inside_a_picture(cable: Cable) -> None:
    cable.send("1D763000 0100 0400 00 100401")
    assert cable.hear() == b"\x12"
    cable.done()
    assert cable.sim.text == "[8 x 4 dots]"


def test_long_lines_and_unknown_commands_are_noticed(cable: Cable) -> None:
    cable.send("41" * 33 + "0A 1B7F")
    cable.done()
    assert cable.sim.oddities == ("line too long before 'A'", "unknown command 1b7f")


def test_two_sheets_and_a_torn_one(cable: Cable, tmp_path: Path) -> None:
    cable.send("41 0A 1B6405 1D5601 42 0A 1B6405")
    cable.done()
    cable.sim.tear()
    cable.send("43 0A")
    cable.done()
    assert cable.sim.sheets == ("A", "B", "C")
    cable.sim.save_png(tmp_path / "torn.png")
    with Image.open(tmp_path / "torn.png") as picture:
        dark = min(picture.crop((28, 200, picture.width - 28, picture.height - 60)).tobytes())
    assert dark < 80


def test_feeding_too_little_cuts_the_last_line_off(cable: Cable, tmp_path: Path) -> None:
    heights = []
    for feed in ("00", "05"):
        cable.send(f"41 0A 1B64{feed} 1D5601")
        cable.done()
        cable.sim.save_png(tmp_path / "sheet.png")
        with Image.open(tmp_path / "sheet.png") as picture:
            heights.append(picture.height)
    assert heights == [2 * 30 + 56, 2 * (30 + 150) + 56]


def test_close_twice_and_after_vanishing() -> None:
    sim = SimPrinter()
    sim.vanish()
    sim.vanish()
    assert not Path(sim.port).exists()
    sim.reconnect()
    assert Path(sim.port).exists()
    sim.close()
    sim.close()

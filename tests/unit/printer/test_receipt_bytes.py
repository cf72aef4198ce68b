"""ESC/POS bytes against the vectors of the protocol notes; expected bytes are written out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.domain.errors import Fault
from edge.drivers import receipt_bytes as wire
from edge.drivers.receipt_picture import draw_line
from edge.ports import Line, ReceiptItem, Rule
from tests.paper_bench import record, slip

OK = {1: 0x12, 2: 0x12, 3: 0x12, 4: 0x12}


@pytest.mark.parametrize(
    ("char", "code"),
    [
        ("中", "D6D0"),
        ("文", "CEC4"),
        ("，", "A3AC"),
        ("。", "A1A3"),
        ("：", "A3BA"),
        ("·", "A1A4"),
        ("￥", "A3A4"),
        ("¥", "A3A4"),  # alone it would be four bytes
        ("€", "A2E3"),
        ("〇", "A996"),
        ("①", "A2D9"),
        ("龥", "FD9B"),
        ("王", "CDF5"),
        ("（", "A3A8"),
        ("）", "A3A9"),
        ("“", "A1B0"),
        ("”", "A1B1"),
        ("—", "A1AA"),
        ("…", "A1AD"),
        ("A", "41"),
        ("中文，测试：王·明 ￥5 €", "d6d0cec4a3acb2e2cad4a3bacdf5a1a4c3f720a3a43520a2e3"),
    ],
)
def test_vectors(char: str, code: str) -> None:
    assert wire.encode_text(char) == bytes.fromhex(code)


@pytest.mark.parametrize("text", ["㐂", "王㐂", "𠮷", "\ue5e5", "ñ", "😀", "ǹ"])
def test_what_the_font_lacks_is_not_text(text: str) -> None:
    assert wire.encode_text(text) is None


@given(st.text())
def test_text_bytes_are_letters_or_pairs_never_commands(text: str) -> None:
    job = wire.receipt([Line(text)], 32, cutter=False, draw=lambda line: (1, b""))
    code = wire.encode_text("".join(char for char in text if char.isalnum()))
    assert job.startswith(bytes.fromhex("1B40 1C26"))
    assert not code or min(code) >= 0x20


def test_a_job_byte_by_byte() -> None:
    items: list[ReceiptItem] = [Line("王", big=True, bold=True, centred=True), Rule(), Line("ok")]
    job = wire.receipt(items, 32, cutter=True, draw=draw_line)
    small = "1D2100 1C2100 1B331E"
    expected = (
        "1B40 1C26 1D6100"
        "1B4A06 1B6101 1B4501 1D2111 1C210C 1B333C CDF5 0A"
        f"1B6100 1B4500 {small} {'2D' * 32} 0A"
        f"1B6100 1B4500 {small} 6F6B 0A"
        "1B6405 1D5601"
    )
    assert job == bytes.fromhex(expected)
    assert wire.receipt(items, 32, cutter=False, draw=draw_line).endswith(b"ok\n\x1bd\x06")


def test_raster_vector() -> None:
    expected = bytes.fromhex("1D763000 0200 0300 8000 0000 0001")
    assert wire.raster(2, bytes.fromhex("8000 0000 0001")) == expected


def test_raster_is_sent_in_bands() -> None:
    code = wire.raster(48, bytes(48 * 70))
    heights = [30, 30, 10]
    at = 0
    for height in heights:
        assert code[at : at + 8] == bytes((0x1D, 0x76, 0x30, 0, 48, 0, height, 0))
        at += 8 + 48 * height
    assert at == len(code)


@given(st.binary(min_size=8, max_size=64).map(lambda dots: dots[: len(dots) // 4 * 4]))
def test_no_picture_holds_a_real_time_command(dots: bytes) -> None:
    for second in (0x04, 0x05, 0x14):
        code = wire.raster(4, dots + bytes((0x10, second, 1, 0)))
        assert bytes((0x10, second)) not in code


def test_only_the_line_with_the_rare_character_is_a_picture() -> None:
    items = slip(record(name="㐂𠮷"))
    job = wire.receipt(items, 32, cutter=True, draw=draw_line)
    assert job.count(b"\x1dv0") == 1
    drawn = wire.receipt(items, 32, cutter=True, draw=draw_line, pictures=True)
    assert drawn.count(b"\x1dv0") >= len(items)


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("text", ["㐂", "", "A", "王㐂明𠮷"])
def test_a_picture_is_as_wide_as_its_text(text: str, big: bool) -> None:
    row_bytes, rows = draw_line(Line(text, big=big))
    scale = 2 if big else 1
    columns = sum(1 if char < "\x80" else 2 for char in text)
    assert row_bytes == max(1, -(-columns * 12 * scale // 8))
    assert len(rows) == row_bytes * 30 * scale
    assert any(rows) == bool(text)


def test_status_request() -> None:
    assert [wire.ask(n) for n in (1, 4)] == [b"\x10\x04\x01", b"\x10\x04\x04"]


@pytest.mark.parametrize("byte", range(256))
def test_answers_are_told_apart(byte: int) -> None:
    assert wire.is_status(byte) == (byte % 4 == 2 and byte // 16 % 2 == 1 and byte < 128)
    assert wire.is_end_mark(byte) == (byte // 16 % 2 == 0 and byte < 128)
    assert not (wire.is_status(byte) and wire.is_end_mark(byte))
    if byte in (0x11, 0x13):  # XON and XOFF
        assert not wire.is_status(byte)
        assert not wire.is_end_mark(byte)


@pytest.mark.parametrize(
    ("n", "byte", "fault", "words"),
    [
        (1, 0x1A, Fault.REFUSED, "offline"),
        (2, 0x16, Fault.REFUSED, "cover"),
        (2, 0x32, Fault.EMPTY, "paper"),
        (2, 0x52, Fault.REFUSED, "error"),
        (2, 0x1A, Fault.REFUSED, "by hand"),
        (3, 0x1A, Fault.REFUSED, "cutter"),
        (3, 0x32, Fault.REFUSED, "unrecoverable"),
        (3, 0x52, Fault.REFUSED, "hot"),
        (3, 0x16, Fault.REFUSED, "mechanical"),
        (4, 0x72, Fault.EMPTY, "paper"),
        (4, 0x7E, Fault.EMPTY, "paper"),
        (4, 0x32, Fault.EMPTY, "paper"),  # one bit of the pair
        (4, 0x52, Fault.EMPTY, "paper"),  # the other
    ],
)
def test_troubles(n: int, byte: int, fault: Fault, words: str) -> None:
    found = wire.trouble(OK | {n: byte})
    assert found is not None
    assert found.fault is fault
    assert words in found.words


@pytest.mark.parametrize(("n", "byte"), [(1, 0x12), (1, 0x16), (4, 0x1E), (4, 0x16), (4, 0x1A)])
def test_no_trouble(n: int, byte: int) -> None:
    assert wire.trouble(OK | {n: byte}) is None


@pytest.mark.parametrize(
    ("byte", "near"), [(0x12, False), (0x1E, True), (0x16, True), (0x1A, True)]
)
def test_near_end_by_either_bit(byte: int, near: bool) -> None:
    assert wire.near_end(OK | {4: byte}) is near


def test_an_open_cover_is_named_before_the_paper_it_hides() -> None:
    found = wire.trouble({1: 0x1A, 2: 0x36, 3: 0x12, 4: 0x7E})
    assert found is not None
    assert "cover" in found.words

"""The bytes of the module's description, and of §4.1's rules, one by one."""

from __future__ import annotations

import pytest

from edge.domain.timebase import MonoNs
from edge.drivers.scan_lines import ACCEPTED, IDLE_NS, MAX_CODE, TRIGGER, Lines, decode, gm65
from edge.drivers.sim.scanner import checksum

FRAMES = {
    "look now": (TRIGGER, "7E 00 08 01 00 02 01 02 DA"),
    "save": (gm65(9, 0, b"\0"), "7E 00 09 01 00 00 00 DE C8"),
    "ask baud": (gm65(7, 0x2A, b"\2"), "7E 00 07 01 00 2A 02 D8 0F"),
}


@pytest.mark.parametrize("name", FRAMES)
def test_control_frames_are_those_of_the_description(name: str) -> None:
    frame, expected = FRAMES[name]
    assert frame == bytes.fromhex(expected)
    assert frame[-2:] == checksum(frame[2:-2]), "two people computed the same checksum"


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("健在".encode(), "健在"),
        ("健在".encode("gb18030"), "健在"),
        ("𠮷".encode("gb18030"), "𠮷"),
        (b"K-1", "K-1"),
        (b"\xff\x80", None),
    ],
)
def test_utf_8_first_then_gb18030(line: bytes, text: str | None) -> None:
    assert decode(line) == text


def fed(*pieces: bytes) -> list[bytes]:
    lines, found = Lines(), []
    for piece in pieces:
        lines.push(piece, MonoNs(0))
        while (line := lines.pop()) is not None:
            found.append(line)
    return found


def test_cr_lf_and_both_end_a_line_and_empty_lines_are_nothing() -> None:
    assert fed(b"\r\n\r\nA\rB\nC\r", b"\nD\r\n\n") == [b"A", b"B", b"C", b"D"]


def test_the_largest_qr_code_fits_and_one_byte_more_does_not() -> None:
    assert fed(b"x" * MAX_CODE + b"\r") == [b"x" * MAX_CODE]
    assert fed(b"x" * (MAX_CODE + 1) + b"\rA\r") == [b"A"]
    assert fed(b"x" * MAX_CODE + ACCEPTED[:3], ACCEPTED[3:] + b"\r") == [b"x" * MAX_CODE]


def test_an_endless_line_is_forgotten_as_it_comes() -> None:
    lines = Lines()
    for _ in range(1000):
        lines.push(b"x" * 100, MonoNs(0))
        assert lines.pop() is None
    assert not lines.inside_code
    lines.push(b"tail\rA\r", MonoNs(0))
    assert lines.pop() == b"A"


def test_half_a_line_is_dropped_after_200_ms() -> None:
    lines = Lines()
    lines.push(b"hal", MonoNs(0))
    lines.quiet(MonoNs(IDLE_NS - 1))
    assert lines.inside_code
    lines.quiet(MonoNs(IDLE_NS))
    assert not lines.inside_code
    lines.push(b"A\r", MonoNs(IDLE_NS))
    assert lines.pop() == b"A"


def test_quiet_also_ends_the_line_that_is_skipped() -> None:
    lines = Lines()
    lines.push(b"x", MonoNs(0))
    lines.skip()
    lines.quiet(MonoNs(IDLE_NS))
    lines.push(b"A\r", MonoNs(IDLE_NS))
    assert lines.pop() == b"A"

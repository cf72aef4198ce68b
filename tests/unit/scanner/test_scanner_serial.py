"""The scanner's driver in invented time, byte by byte, and on a pseudo-terminal."""

from __future__ import annotations

import errno
from bisect import bisect_right
from collections.abc import Iterator

import pytest

from edge.domain.errors import DeviceError
from edge.domain.timebase import NS_PER_S
from edge.drivers.scan_lines import ACCEPTED, MAX_CODE, TRIGGER
from edge.drivers.scanner_serial import SLICE_S, SerialScanner
from edge.drivers.sim.scanner import SimScanner
from tests.scanner_bench import wait_until
from tests.sim_clock import HandClock

BYTE_S = 10 / 9600


class TimedLine:
    """A line on which bytes arrive at given seconds; reading passes the time."""

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self.written: list[tuple[float, bytes]] = []
        self.gone = False
        self._coming: list[tuple[float, int]] = []

    @property
    def now_s(self) -> float:
        return self.clock.now_ns / NS_PER_S

    def send(self, at_s: float, data: bytes) -> float:
        """At line rate, from `at_s` on; returns when the last byte is there."""
        for byte in data:
            self._coming.append((at_s, byte))
            at_s += BYTE_S
        self._coming.sort()
        return at_s

    @property
    def in_waiting(self) -> int:
        if self.gone:
            raise OSError(errno.EIO, "gone")
        return bisect_right(self._coming, (self.now_s, 255))

    def read(self, size: int = 1) -> bytes:
        end_s = self.now_s + SLICE_S
        while self.in_waiting < size and self.now_s < end_s:
            self.clock.advance(BYTE_S / 2)
        count = min(size, self.in_waiting)
        taken, self._coming = self._coming[:count], self._coming[count:]
        return bytes(byte for _, byte in taken)

    def write(self, data: bytes) -> int:
        self.written.append((self.now_s, data))
        return len(data)

    def close(self) -> None:
        pass


class Desk:
    def __init__(self, *, trigger: bool = False) -> None:
        self.clock = HandClock()
        self.line = TimedLine(self.clock)
        self.scanner = SerialScanner(
            "desk", mono_ns=self.clock, trigger=trigger, open_line=lambda _: self.line
        )
        self.scanner.open()
        self.now_s = self.line.now_s


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.scanner.close()


def test_what_comes_while_nobody_waits_is_dropped(desk: Desk) -> None:
    desk.line.send(desk.now_s, b"early\r")
    desk.clock.advance(1)
    assert desk.scanner.wait_for_code(1) is None


def test_a_code_half_gone_when_the_wait_begins_is_no_code(desk: Desk) -> None:
    end_s = desk.line.send(desk.now_s, b"0123456789\r")
    desk.clock.advance(5 * BYTE_S)
    desk.line.send(end_s + 0.05, b"next\r")
    assert desk.scanner.wait_for_code(1) == "next"


def test_waits_that_follow_closely_cut_no_code_in_two(desk: Desk) -> None:
    """300 bytes take a third of a second; the waits are shorter."""
    code = "x" * 300
    desk.line.send(desk.now_s + 0.15, code.encode() + b"\r")
    found = []
    for _ in range(20):
        found.append(desk.scanner.wait_for_code(0.1))
        desk.clock.advance(0.05)
    assert [code for code in found if code] == [code]


def test_two_codes_at_once_come_one_by_one(desk: Desk) -> None:
    desk.line.send(desk.now_s + 0.1, b"A\rB\r")
    assert [desk.scanner.wait_for_code(0.5) for _ in range(3)] == ["A", "B", None]


def test_a_thread_that_slept_cuts_no_code(desk: Desk) -> None:
    """Its clock jumps over a second in the middle of a code that comes nearly without a pause."""
    end_s = desk.line.send(desk.now_s + 0.01, b"01234")
    desk.line.send(end_s + 0.08, b"56789\r")
    read = desk.line.read

    def slow_read(size: int = 1) -> bytes:
        data = read(size)
        if size and not data:
            desk.clock.advance(1.0)
        return data

    desk.line.read = slow_read  # type: ignore[method-assign]
    assert desk.scanner.wait_for_code(3) == "0123456789"


def test_a_code_that_is_coming_in_at_the_limit_is_still_taken(desk: Desk) -> None:
    desk.line.send(desk.now_s + 0.15, b"x" * 300 + b"\r")
    assert desk.scanner.wait_for_code(0.2) == "x" * 300


def test_half_a_code_is_dropped_after_200_ms_idle(desk: Desk) -> None:
    end_s = desk.line.send(desk.now_s + 0.1, b"half")
    desk.line.send(end_s + 0.3, b"whole\r")
    assert desk.scanner.wait_for_code(2) == "whole"


def test_a_short_pause_is_no_end(desk: Desk) -> None:
    end_s = desk.line.send(desk.now_s + 0.1, b"who")
    desk.line.send(end_s + 0.15, b"le\r")
    assert desk.scanner.wait_for_code(2) == "whole"


def test_the_wait_outlasts_its_limit_by_one_code_and_no_more(desk: Desk) -> None:
    desk.line.send(desk.now_s + 0.1, b"x" * 20_000)
    start_ns = desk.clock.now_ns
    assert desk.scanner.wait_for_code(0.2) is None
    limit_s = 0.2 + MAX_CODE * BYTE_S + 0.2
    assert (desk.clock.now_ns - start_ns) / NS_PER_S < limit_s


def test_the_same_code_again_after_two_seconds_is_a_second_scan(desk: Desk) -> None:
    for at_s in (0.1, 0.6, 1.1, 5.0):
        desk.line.send(desk.now_s + at_s, b"A\r")
    assert desk.scanner.wait_for_code(1) == "A"
    start_ns = desk.clock.now_ns
    assert desk.scanner.wait_for_code(10) == "A"
    assert desk.clock.now_ns - start_ns > 4 * NS_PER_S


def test_the_module_is_told_to_look_now_and_again() -> None:
    desk = Desk(trigger=True)
    assert desk.scanner.wait_for_code(7) is None
    times = [round(at_s - desk.now_s) for at_s, data in desk.line.written if data == TRIGGER]
    assert times == [0, 3, 6]
    desk.scanner.close()


def test_without_trigger_nothing_is_sent(desk: Desk) -> None:
    assert desk.scanner.wait_for_code(7) is None
    assert desk.line.written == []


def test_an_answer_alone_is_no_code_and_does_not_stick(desk: Desk) -> None:
    end_s = desk.line.send(desk.now_s, ACCEPTED)
    desk.line.send(end_s + 1, b"A\r")
    assert desk.scanner.wait_for_code(2) == "A"


def test_a_lost_port_is_opened_again_by_the_next_wait(desk: Desk) -> None:
    desk.line.gone = True
    with pytest.raises(DeviceError):
        desk.scanner.wait_for_code(1)
    assert not desk.scanner.health().ok
    desk.line.gone = False
    desk.line.send(desk.now_s + 0.5, b"A\r")
    assert desk.scanner.wait_for_code(1) == "A"
    assert desk.scanner.health().ok


def test_nothing_personal_is_shown_or_logged(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    desk.line.send(desk.now_s + 0.1, b"\xff secret\r")
    desk.line.send(desk.now_s + 0.2, b"secret\r")
    assert desk.scanner.wait_for_code(1) == "secret"
    assert "secret" not in caplog.text + repr(desk.scanner) + str(desk.scanner.health())


def test_what_lay_in_the_real_buffer_is_dropped_too() -> None:
    sim = SimScanner()
    clock = HandClock()
    scanner = SerialScanner(sim.port, mono_ns=clock)
    scanner.open()
    sim.show("early")
    assert wait_until(lambda: sim.unread() == len(b"early\r"))
    assert scanner.wait_for_code(0) is None
    assert sim.unread() == 0
    scanner.close()
    sim.close()

"""The driver over real descriptors: pseudo-terminals and sockets, threads and plugs."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import pytest

from edge.domain.errors import DeviceError, Fault
from edge.domain.timebase import MonoNs
from edge.drivers.idcard_serial import RATES, SerialCardReader
from edge.drivers.sim.idcard import SimSam
from tests.idcard_bench import CARDS
from tests.leftovers import open_files
from tests.tools.bench_reader import FOUND_MS, measure_found

HASTE = 4  # this clock runs so much faster than the real one


def hasty_ns() -> MonoNs:
    return MonoNs(time.monotonic_ns() * HASTE)


def hasty_sleep(seconds: float) -> None:
    time.sleep(seconds / HASTE)


def hasty_reader(port: str) -> SerialCardReader:
    return SerialCardReader(port, mono_ns=hasty_ns, sleep=hasty_sleep)


def plain_reader(port: str) -> SerialCardReader:
    return SerialCardReader(port, mono_ns=lambda: MonoNs(time.monotonic_ns()))


@pytest.fixture(params=["terminal", "tcp"])
def sam(request: pytest.FixtureRequest) -> Iterator[SimSam]:
    with SimSam(tcp=request.param == "tcp") as sim:
        yield sim


@pytest.mark.parametrize("rate", RATES)
def test_the_rate_is_found(rate: int) -> None:
    with SimSam(rate=rate, pace=True) as sam:
        reader = hasty_reader(sam.port)
        reader.open()
        assert f"{rate} baud" in reader.health().words
        reader.close()


@pytest.mark.parametrize("blocked_in", ["wait_for_card", "wait_for_removal", "read"])
def test_close_from_another_thread_ends_any_call_within_half_a_second(
    sam: SimSam, blocked_in: str
) -> None:
    reader = plain_reader(sam.port)
    reader.open()
    if blocked_in != "wait_for_card":
        sam.present(CARDS["R"])
        assert reader.wait_for_card(2)
    sam.fault("silence", on="3001", times=None)
    calls = {
        "wait_for_card": lambda: reader.wait_for_card(60),
        "wait_for_removal": lambda: reader.wait_for_removal(60),
        "read": reader.read,
    }
    ended: list[object] = []
    ended_s: list[float] = []

    def block() -> None:
        try:
            ended.append(calls[blocked_in]())
        except DeviceError as error:
            ended.append(error.fault)
        ended_s.append(time.monotonic())

    asked = {"wait_for_card": "2001", "wait_for_removal": "3003", "read": "3001"}[blocked_in]
    thread = threading.Thread(target=block)
    mark = len(sam.log)
    thread.start()
    until(lambda: asked in sam.log[mark:])
    start_s = time.monotonic()
    reader.close()
    thread.join(5)
    assert ended_s[0] - start_s < 0.5
    assert ended == [Fault.ABSENT if blocked_in == "read" else False]


def until(happened: object, limit_s: float = 5.0) -> None:
    """Yield the processor until the other thread got there."""
    end_s = time.monotonic() + limit_s
    while not happened():  # type: ignore[operator]
        assert time.monotonic() < end_s, "it never happened"
        os.sched_yield()


def test_a_plug_that_goes_and_comes_back(sam: SimSam) -> None:
    reader = plain_reader(sam.port)
    reader.open()
    before = open_files()
    for _ in range(3):
        sam.vanish()
        for _ in range(2):
            with pytest.raises(DeviceError) as call:
                reader.wait_for_card(5)
            assert call.value.fault is Fault.ABSENT
        sam.come_back()
        sam.present(CARDS["R"])
        assert reader.wait_for_card(5)
        assert reader.read().name == "测试甲"
    assert open_files() == before
    reader.close()


def test_nobody_there_leaves_nothing_open(sam: SimSam) -> None:
    sam.fault("silence", times=None)
    before = open_files()
    reader = hasty_reader(sam.port)
    with pytest.raises(DeviceError) as call:
        reader.open()
    assert call.value.fault is Fault.SILENT
    assert open_files() - before in (0, 1), "one more at most: the far end of the last call"
    reader.close()


@pytest.mark.parametrize("port", ["/nonexistent/reader", "socket://127.0.0.1:1", "warp://x"])
def test_a_port_that_is_none(port: str) -> None:
    before = open_files()
    reader = plain_reader(port)
    with pytest.raises(DeviceError) as call:
        reader.open()
    assert call.value.fault is Fault.ABSENT
    reader.close()
    assert open_files() == before


@pytest.mark.parametrize("fault", ["one_byte_writes", "garbage_before", "duplicate", "bad_sum"])
def test_faults_over_a_real_line(sam: SimSam, fault: str) -> None:
    reader = plain_reader(sam.port)
    reader.open()
    for on in ("2001", "2002", "3001" if fault != "bad_sum" else "2001"):
        sam.fault(fault, on=on)
    sam.present(CARDS["R"])
    assert reader.wait_for_card(5)
    assert reader.read().name == "测试甲"
    reader.close()


def test_card_to_person_costs_little_more_than_the_wire() -> None:
    """At most 60 ms above it; the best of three, because machines that run tests stall."""
    assert min(measure_found(cards=3)) < FOUND_MS + 60

"""The board says each change once, whatever it is told and by whom."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from edge.app.health import HealthBoard
from edge.domain.errors import DeviceError, Fault
from edge.domain.health import Condition
from edge.domain.timebase import ClockTrust, MonoNs, Stamp

GONE = DeviceError("printer", Fault.ABSENT, "no such port")
DUMB = DeviceError("printer", Fault.SILENT, "no answer")


def ticking() -> Callable[[], Stamp]:
    """A second later each time it is asked."""
    start, calls = datetime(2026, 11, 23, tzinfo=UTC), iter(range(1000))

    def now() -> Stamp:
        seconds = next(calls)
        return Stamp(start + timedelta(seconds=seconds), MonoNs(seconds), "b", ClockTrust.NTP)

    return now


@pytest.fixture
def board(caplog: pytest.LogCaptureFixture) -> HealthBoard:
    caplog.set_level(logging.INFO, "edge.health")
    return HealthBoard(ticking())


def drained(board: HealthBoard) -> list[tuple[str, str, str]]:
    """What would go to the disk now."""
    states = board.unwritten()
    for state in states:
        board.written(state)
    return [(state.device, state.condition.value, state.since[17:19]) for state in states]


def test_what_is_told_again_changes_nothing(
    board: HealthBoard, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        assert not board.well("printer")
    assert drained(board) == [("printer", "ok", "00")]
    for _ in range(3):
        board.lost("printer", GONE)
    assert drained(board) == [("printer", "absent", "01")]
    assert [board.well("printer") for _ in range(3)] == [True, False, False]
    assert drained(board) == [("printer", "ok", "02")]
    assert drained(board) == []
    assert caplog.messages == [
        "device=printer state=lost fault=absent detail=no such port",
        "device=printer state=back",
    ]


def test_lost_in_another_way_is_noted_and_is_no_second_line(
    board: HealthBoard, caplog: pytest.LogCaptureFixture
) -> None:
    board.lost("printer", GONE)
    board.lost("printer", DUMB)
    assert drained(board) == [("printer", "silent", "01")]
    assert len(caplog.messages) == 1
    assert caplog.records[0].levelno == logging.WARNING


def test_paper_near_its_end_works_and_is_told(
    board: HealthBoard, caplog: pytest.LogCaptureFixture
) -> None:
    assert not board.works("printer")
    board.report("printer", Condition.NEAR_END)
    assert board.works("printer")
    assert not board.is_lost("printer")
    board.report("printer", Condition.OK)
    assert caplog.messages == ["device=printer state=near_end", "device=printer state=ok"]


def test_a_change_during_the_writing_is_not_forgotten(board: HealthBoard) -> None:
    board.lost("printer", GONE)
    [old] = board.unwritten()
    board.well("printer")
    board.written(old)
    assert drained(board) == [("printer", "ok", "01")]


def test_every_fault_has_its_condition() -> None:
    for fault in Fault:
        assert not Condition(fault.value).works


def test_many_threads_tell_one_change_once(
    board: HealthBoard, caplog: pytest.LogCaptureFixture
) -> None:
    together = threading.Barrier(8)

    def tell() -> None:
        together.wait()
        for _ in range(200):
            board.lost("printer", GONE)

    threads = [threading.Thread(target=tell) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(caplog.messages) == 1
    assert [state.device for state in board.states()] == ["printer"]

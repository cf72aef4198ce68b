"""The printer's cable out and in again while the kiosk waits for somebody."""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.domain.health import Condition
from edge.drivers.sim.printer import Fault
from edge.drivers.sim.scenario import SCENARIOS
from tests.headless import HeadlessKiosk, make_config

RECOVERY_S = 5.0


class Lines(logging.Handler):
    """What the kiosk logs of its printer, to be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: queue.Queue[str] = queue.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        if "device=printer" in record.getMessage():
            self.waiting.put(record.getMessage())

    def next(self) -> str:
        return self.waiting.get(timeout=RECOVERY_S)


@contextmanager
def kiosk_in_an_empty_hall(root: Path, models: Path) -> Iterator[tuple[HeadlessKiosk, Lines]]:
    kiosk = HeadlessKiosk(make_config(root, models), SCENARIOS["no-consent"])
    lines, log = Lines(), logging.getLogger("edge")
    before = log.level
    log.addHandler(lines)
    log.setLevel(logging.INFO)
    kiosk.runner.start()
    try:
        yield kiosk, lines
    finally:
        stuck = kiosk.runner.close()
        log.removeHandler(lines)
        log.setLevel(before)
        kiosk.world.close()
        kiosk.parts.disk.close()
    assert stuck == []


def condition(kiosk: HeadlessKiosk) -> Condition:
    return {state.device: state.condition for state in kiosk.runner.health.states()}["printer"]


def test_feature15_unplugged_and_replugged_is_two_lines_and_five_seconds(
    tmp_path: Path, models_dir: Path
) -> None:
    with kiosk_in_an_empty_hall(tmp_path, models_dir) as (kiosk, lines):
        for _ in range(2):
            kiosk.world.printer.vanish()
            assert lines.next().startswith("device=printer state=lost fault=absent")
            assert condition(kiosk) is Condition.ABSENT
            kiosk.world.printer.reconnect()
            replugged = time.monotonic()
            assert lines.next() == "device=printer state=back"
            assert time.monotonic() - replugged <= RECOVERY_S
            assert condition(kiosk) is Condition.OK
        assert lines.waiting.empty()


def test_paper_near_its_end_is_told_and_the_kiosk_goes_on(tmp_path: Path, models_dir: Path) -> None:
    with kiosk_in_an_empty_hall(tmp_path, models_dir) as (kiosk, lines):
        kiosk.world.printer.add(Fault.NEAR_END)
        assert lines.next() == "device=printer state=near_end"
        assert condition(kiosk).works
        health = kiosk.parts.printer.health()
        assert health.ok
        assert health.words == "paper near end: change the roll soon"

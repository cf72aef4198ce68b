"""What the runner does with settings: when it asks, and how it makes way for its successor."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.app.runner import Runner
from edge.domain.errors import StoreError
from edge.drivers.sim.idcard_cards import RESIDENT
from edge.session.events import Button, CardRead, Pressed
from edge.session.states import Home, Language, WhoFor
from tests.unit.app.test_runner_reader import Desk


class Wanting:
    """Settings that tell the test each time they are asked, and answer what it wants."""

    def __init__(self) -> None:
        self.quiet_s = 0.0
        self.asked: queue.Queue[str] = queue.Queue()
        self.needs_start = False
        self.trouble: StoreError | None = None

    def prove(self) -> None:
        self.asked.put("prove")

    def take_in(self) -> bool:
        self.asked.put("take_in")
        if self.trouble:
            raise self.trouble
        return self.needs_start

    def wait_for(self, what: str) -> None:
        while self.asked.get(timeout=10) != what:
            pass


class Bench:
    def __init__(self, folder: Path) -> None:
        self.desk, self.wanting, self.ended = Desk(folder), Wanting(), threading.Event()
        parts = replace(self.desk.runner._parts, settings=self.wanting)
        self.desk.runner = Runner(parts, Language.ZH, self.desk._saw, self.ended.set)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.desk.close()


def test_whoever_comes_after_the_decision_is_served_by_the_next_process(bench: Bench) -> None:
    bench.wanting.needs_start = True
    bench.desk.runner.start()
    assert bench.ended.wait(10)
    while not bench.desk.events.empty():
        bench.desk.events.get()
    bench.desk.sam.present(RESIDENT)
    bench.desk.runner.post(Pressed(Button.START_PROOF))
    with pytest.raises(queue.Empty):
        bench.desk.events.get(timeout=1.0)
    assert isinstance(bench.desk.runner.session().state, Home)


def test_nothing_is_taken_in_while_somebody_is_there(bench: Bench) -> None:
    bench.desk.runner.start()
    bench.wanting.wait_for("take_in")
    bench.desk.runner.post(Pressed(Button.START_PROOF))
    bench.desk.until(lambda session: isinstance(session.state, WhoFor))
    while not bench.wanting.asked.empty():
        bench.wanting.asked.get()
    for _ in range(2):
        assert bench.wanting.asked.get(timeout=10) == "prove"


def test_a_card_on_the_reader_is_somebody(bench: Bench) -> None:
    bench.wanting.quiet_s = 1.0
    bench.desk.runner.start()
    bench.desk.sam.present(RESIDENT)
    bench.desk.expect(CardRead)
    while not bench.wanting.asked.empty():
        bench.wanting.asked.get()
    assert bench.wanting.asked.get(timeout=10) == "prove"


def test_a_disk_that_fails_is_told_and_tried_again(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    bench.wanting.trouble = StoreError("disk full")
    bench.desk.runner.start()
    bench.wanting.wait_for("take_in")
    bench.wanting.trouble = None
    bench.wanting.wait_for("take_in")
    assert "settings_not_written" in caplog.text
    assert not bench.ended.is_set()

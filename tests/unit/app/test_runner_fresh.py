"""A kiosk that served people starts anew when nobody has come for a while."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.app.runner import Runner
from edge.drivers.sim.idcard_cards import RESIDENT
from edge.session.events import Button, CardRead, CardRemoved, Pressed
from edge.session.states import Home, Language, WhoFor
from tests.unit.app.test_runner_reader import Desk

QUIET_S = 0.3


class Bench:
    def __init__(self, folder: Path, fresh_after_s: float) -> None:
        self.desk, self.ended = Desk(folder), threading.Event()
        parts = self.desk.runner._parts
        self.desk.runner = Runner(
            parts, Language.ZH, self.desk._saw, self.ended.set, fresh_after_s=fresh_after_s
        )
        self.desk.runner.start()

    def visit(self) -> None:
        """Somebody lays a card down and leaves; the card stays."""
        self.desk.sam.present(RESIDENT)
        self.desk.expect(CardRead)
        for button in (Button.HOME, Button.EXIT):  # still looked up, or not found already
            self.desk.runner.post(Pressed(button))
        self.desk.until(lambda session: isinstance(session.state, Home))


@pytest.fixture
def bench(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    made = Bench(tmp_path, getattr(request, "param", QUIET_S))
    yield made
    made.desk.close()


def test_after_somebody_was_served_and_nobody_comes_it_starts_anew(bench: Bench) -> None:
    bench.visit()
    bench.desk.sam.lift()
    bench.desk.expect(CardRemoved)
    assert bench.ended.wait(10)


def test_a_card_left_lying_would_be_read_as_a_new_one(bench: Bench) -> None:
    bench.visit()
    assert not bench.ended.wait(QUIET_S * 5)
    bench.desk.sam.lift()
    assert bench.ended.wait(10)


def test_whoever_only_touched_the_glass_left_nothing_to_forget(bench: Bench) -> None:
    bench.desk.runner.post(Pressed(Button.START_PROOF))
    bench.desk.until(lambda session: isinstance(session.state, WhoFor))
    bench.desk.runner.post(Pressed(Button.HOME))
    bench.desk.until(lambda session: isinstance(session.state, Home))
    assert not bench.ended.wait(QUIET_S * 5)


@pytest.mark.parametrize("bench", [0.0, 3600.0], indirect=True)
def test_not_before_its_time_and_never_where_nobody_starts_it_again(bench: Bench) -> None:
    bench.visit()
    bench.desk.sam.lift()
    bench.desk.expect(CardRemoved)
    assert not bench.ended.wait(1.0)

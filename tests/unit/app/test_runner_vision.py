"""The vision thread never holds the screen up: frames are skipped, never queued."""

from __future__ import annotations

import threading
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.app.config import Config
from edge.domain.challenge import Prompt, WatchProgress
from edge.domain.record import Provenance
from edge.drivers.sim.scenario import SCENARIOS
from edge.ports import Frame, Health, Look, Picture, WatchOrder
from edge.session.events import Button, Watched
from edge.session.states import Confirming, Consenting, Home, Watching
from tests.headless import HeadlessKiosk, make_config
from tests.unit.app.test_runner_faults import press, running, until, with_parts

pytestmark = pytest.mark.timeout(60)
NOBODY_TOUCHES = replace(SCENARIOS["good-day"], wishes=())
FRAMES = 500
AHEAD = WatchProgress(Prompt.LOOK_AHEAD, None, 0, 4)


@pytest.fixture
def config(tmp_path: Path, models_dir: Path) -> Config:
    return make_config(tmp_path, models_dir)


class SteadyEyes:
    """Looks as fast as they are taken, then one that lasts until it is let go."""

    provenance = Provenance.SIMULATED

    def __init__(self) -> None:
        self.stuck, self.go_on, self.closed = (threading.Event() for _ in range(3))

    def health(self) -> Health:
        return Health(True, "steady")

    def view(self) -> Generator[Frame]:
        yield from ()

    def watch(self, order: WatchOrder) -> Generator[Look]:
        try:
            for number in range(FRAMES):
                yield Look(numbered(number), AHEAD)
            self.stuck.set()
            assert self.go_on.wait(20)
            yield Look(numbered(FRAMES), AHEAD)
        finally:
            self.closed.set()


def numbered(number: int) -> Frame:
    return Frame(Picture(1, 1, number.to_bytes(3, "big")), number)


def test_frames_are_skipped_and_a_stuck_model_stops_no_button(config: Config) -> None:
    """While a model hangs the newest frame stays to be seen, and the person can leave."""
    eyes, told = SteadyEyes(), list[Any]()
    kiosk = HeadlessKiosk(config, NOBODY_TOUCHES)
    kiosk.runner._observe = lambda event, transition: told.append(event)
    with running(with_parts(kiosk, eyes=eyes)):
        kiosk.world.sam.present(kiosk.world.card)
        until(kiosk, Confirming)
        press(kiosk, Button.ENTER, Button.APPLY)
        until(kiosk, Consenting)
        press(kiosk, Button.AGREE)
        until(kiosk, Watching)
        assert eyes.stuck.wait(10)
        assert kiosk.runner.preview().rgb == (FRAMES - 1).to_bytes(3, "big")
        press(kiosk, Button.HOME)
        until(kiosk, Home, timeout_s=2.0)
        assert not eyes.closed.is_set()
        assert kiosk.runner.preview() is None
        eyes.go_on.set()
        assert eyes.closed.wait(10)
        assert kiosk.runner.preview() is None
    assert len([event for event in told if isinstance(event, Watched)]) == 1

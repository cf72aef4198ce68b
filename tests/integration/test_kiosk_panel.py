"""A whole visit on a kiosk with a panel and a scanner: what the hall and the log see."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edge.app.config import Config
from edge.domain.health import Condition
from edge.drivers.sim.scenario import SCENARIOS
from edge.ports import Lamp
from tests.headless import HeadlessKiosk, make_config

RECOVERY_S = 5.0


def until(is_so: Callable[[], bool], timeout_s: float = 10.0) -> bool:
    end_s = time.monotonic() + timeout_s
    while not is_so() and time.monotonic() < end_s:
        time.sleep(0.01)
    return is_so()


@pytest.fixture
def config(tmp_path: Path, models_dir: Path) -> Config:
    config = make_config(tmp_path, models_dir)
    return replace(config, devices=replace(config.devices, panel="sim", scanner="sim"))


def condition(kiosk: HeadlessKiosk) -> Condition | None:
    found = [s.condition for s in kiosk.runner.health.states() if s.device == "panel"]
    return found[0] if found else None


def test_light_and_lamp_accompany_a_visit(config: Config) -> None:
    with HeadlessKiosk(config, SCENARIOS["good-day"]) as kiosk:
        panel = kiosk.world.panel
        panel.happen(presence=True)
        kiosk.play()
        assert until(lambda: panel.shown is Lamp.IDLE)
        lights = [done for done in panel.done if isinstance(done, float)]
        lamps = [done for done in panel.done if isinstance(done, Lamp)]
    assert sum(light > 0 for light in lights) == 1, "on once, for the one try"
    assert lights[-1] == 0.0
    assert lamps[0] is Lamp.IDLE
    assert Lamp.SERVING in lamps
    assert panel.light == 0.0


def test_an_unplugged_panel_is_told_once_and_back_within_five_seconds(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with HeadlessKiosk(config, SCENARIOS["good-day"]) as kiosk:
        panel = kiosk.world.panel
        assert until(lambda: condition(kiosk) is Condition.OK)
        panel.happen(tamper_open=True)
        assert until(lambda: condition(kiosk) is Condition.HOUSING_OPEN)
        panel.happen(tamper_open=False)
        assert until(lambda: condition(kiosk) is Condition.OK)
        panel.vanish()
        assert until(lambda: condition(kiosk) is Condition.ABSENT)
        panel.reconnect()
        start_s = time.monotonic()
        assert until(lambda: condition(kiosk) is Condition.OK)
        assert time.monotonic() - start_s < RECOVERY_S
    lines = [record.message for record in caplog.records if "device=panel" in record.message]
    assert [line.split()[1] for line in lines] == [
        "state=housing_open",
        "state=ok",
        "state=lost",
        "state=back",
    ]

"""The panel driver's own rules: bounce, warm-up, wires that break, pins that are not fitted."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.domain.errors import DeviceError, Fault
from edge.domain.timebase import MonoNs
from edge.drivers.debounce import Debounced
from edge.drivers.panel_gpio import DEBOUNCE_S, WARM_UP_S, GpioPanel, Pins
from edge.ports import Lamp, PanelState
from tests.panel_bench import PINS, Housing, gpio_panel
from tests.sim_clock import HandClock

ROOT = Path(__file__).parents[3]


class Desk:
    """The driver on mock pins, in invented time."""

    def __init__(self, pins: Pins = PINS) -> None:
        self.housing = Housing()
        self.clock = HandClock()
        self.panel: GpioPanel = gpio_panel(self.housing, self.clock, self.clock.advance, pins)

    def felt(self, timeout_s: float = 1.0) -> PanelState:
        state = self.panel.wait_for_change(timeout_s)
        assert state is not None
        return state


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    desk.panel.open()
    assert desk.panel.wait_for_change(0) is not None
    yield desk
    desk.panel.close()


def test_a_bounce_is_not_a_press(desk: Desk) -> None:
    for _ in range(20):
        desk.housing.drive(PINS.call_button, False)
        assert desk.panel.wait_for_change(DEBOUNCE_S / 2) is None
        desk.housing.drive(PINS.call_button, None)
        assert desk.panel.wait_for_change(DEBOUNCE_S / 2) is None


def test_a_press_is_felt_within_a_tenth_of_a_second(desk: Desk) -> None:
    desk.housing.drive(PINS.call_button, False)
    start_ns = desk.clock.now_ns
    assert desk.felt().call_pressed
    assert desk.clock.now_ns - start_ns <= 100_000_000


def test_a_cut_wire_is_an_alarm(desk: Desk) -> None:
    desk.housing.drive(PINS.tamper, None)
    assert desk.felt().tamper_open is True
    assert desk.panel.health().words == "the tamper loop is open"


def test_an_open_housing_is_known_at_boot() -> None:
    desk = Desk()
    desk.housing.high.pop(PINS.tamper)
    desk.panel.open()
    assert not desk.panel.health().ok
    assert desk.felt(0).tamper_open is True
    desk.panel.close()


def test_nobody_is_seen_before_the_sensor_is_warm(desk: Desk) -> None:
    desk.housing.drive(PINS.presence, True)
    assert desk.panel.wait_for_change(WARM_UP_S - 1) is None
    assert desk.felt(2).presence is True
    desk.housing.drive(PINS.presence, False)
    assert desk.felt().presence is False


def test_a_sensor_that_was_warm_stays_warm_over_a_lost_board(desk: Desk) -> None:
    assert desk.felt(WARM_UP_S + 1).presence is False
    desk.housing.gone = True
    with pytest.raises(DeviceError):
        desk.panel.wait_for_change(1)
    desk.housing.gone = False
    assert desk.felt(0).presence is False


def test_what_is_not_fitted_is_unknown_and_does_nothing() -> None:
    desk = Desk(Pins())
    desk.panel.open()
    assert desk.felt(0) == PanelState(None, None, None, False)
    desk.panel.fill_light(1.0)
    desk.panel.lamp(Lamp.OUT_OF_SERVICE)
    desk.panel.beep(0.1)
    assert desk.panel.wait_for_change(WARM_UP_S + 1) is None
    assert desk.panel.health().ok
    desk.panel.close()
    assert desk.housing.pins == {}


def test_the_light_is_driven_by_fast_pwm(desk: Desk) -> None:
    desk.panel.fill_light(0.25)
    pin = desk.housing.pin(PINS.fill_light)
    assert pin.frequency >= 1000
    assert pin.state == 0.25


def test_a_beep_sounds_as_long_as_asked_and_never_long(desk: Desk) -> None:
    pin = desk.housing.pin(PINS.buzzer)
    pin.clear_states()
    for asked_s, heard_s in ((0.1, 0.1), (60.0, 2.0)):
        start_ns = desk.clock.now_ns
        desk.panel.beep(asked_s)
        assert (desk.clock.now_ns - start_ns) / 1e9 == pytest.approx(heard_s)
    assert [state.state for state in pin.states] == [0, 1, 0, 1, 0]


@pytest.mark.parametrize("trouble", ["twice", "no pin"])
def test_gpiozeros_own_errors_leave_as_device_errors(trouble: str) -> None:
    pins = replace(PINS, buzzer=PINS.call_button if trouble == "twice" else 99)
    desk = Desk(pins)
    with pytest.raises(DeviceError) as call:
        desk.panel.open()
    assert call.value.fault is Fault.ABSENT
    assert desk.housing.pins == {}, "what had been claimed is free again"
    desk.panel.close()


def test_an_error_of_the_library_below_leaves_as_device_error(desk: Desk) -> None:
    class LowError(Exception):
        pass

    desk.panel.close()
    desk.housing.vendor_error = LowError
    desk.panel.open()
    desk.housing.gone = True
    with pytest.raises(DeviceError):
        desk.panel.wait_for_change(1)
    desk.panel.close()


def test_what_nobody_expects_is_not_hidden() -> None:
    def broken() -> None:
        raise ZeroDivisionError

    panel = GpioPanel(PINS, mono_ns=HandClock(), make_board=broken)  # type: ignore[arg-type]
    with pytest.raises(ZeroDivisionError):
        panel.open()
    panel.close()


NO_PINS = """
import os, sys
from pathlib import Path
from edge.domain.errors import DeviceError
from edge.drivers.panel_gpio import GpioPanel, Pins, pi_board

folder = Path(sys.argv[1])
panel = GpioPanel(Pins(), mono_ns=lambda: 1, make_board=lambda: pi_board(folder))
try:
    panel.open()
except DeviceError as error:
    print(error.fault.value, any(folder.iterdir()), panel.health().fix)
panel.close()
"""


@pytest.mark.skipif(os.path.exists("/dev/gpiochip0"), reason="this machine has real pins")
def test_a_machine_without_pins_says_so_and_the_pipe_lies_in_the_given_folder(
    tmp_path: Path,
) -> None:
    """In a process of its own: lgpio starts a thread when it is imported and never ends it."""
    pytest.importorskip("lgpio")
    command = [sys.executable, "-c", NO_PINS, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("absent True is the panel's board fitted")


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 100)), min_size=1))
def test_a_level_counts_only_if_it_held(looks: list[tuple[bool, int]]) -> None:
    debounced = Debounced(50)
    now, seen, counted = 0, [], []
    for level, pause in looks:
        now += pause
        seen.append((now, level))
        counted.append(debounced.see(level, MonoNs(now)))
    assert counted[0] == looks[0][0]
    for i in range(1, len(counted)):
        if counted[i] == counted[i - 1]:
            continue
        held = [at for at, level in seen[: i + 1] if level != counted[i]]
        assert seen[i][0] - max(held, default=0) >= 50

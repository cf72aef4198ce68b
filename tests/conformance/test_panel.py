"""What every `Panel` promises: the real driver on mock pins, and the simulated panel."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge.app.config import Panel as PanelPins
from edge.app.config import load
from edge.domain.errors import DeviceError, Fault
from edge.domain.record import Provenance
from edge.domain.timebase import MonoNs
from edge.drivers.panel_gpio import LAMPS, GpioPanel, Pins, pi_board
from edge.drivers.sim.panel import SimPanel
from edge.ports import Lamp, Panel, PanelState
from tests.panel_bench import PINS, Housing, gpio_panel
from tests.technician import Do, Technician

RECOVERY_S = 5.0


@dataclass
class Rig:
    """A panel, what can happen to its housing, and what can be seen on it."""

    panel: Panel
    tamper: Callable[[bool], None]
    paper_low: Callable[[bool], None]
    call: Callable[[bool], None]
    shines: Callable[[float], bool]
    shows: Callable[[Lamp], bool]
    is_dark: Callable[[], bool]
    vanish: Callable[[], None]
    reconnect: Callable[[], None]
    fitted: tuple[str, ...] = ("tamper", "paper", "call_button")
    by_hand: bool = False


def mono_ns() -> MonoNs:
    return MonoNs(time.monotonic_ns())


def on_mock_pins() -> Iterator[Rig]:
    housing = Housing()
    panel = gpio_panel(housing, mono_ns, time.sleep)

    def gone(is_gone: bool) -> None:
        housing.gone = is_gone

    yield Rig(
        panel,
        tamper=lambda is_open: housing.drive(PINS.tamper, None if is_open else False),
        paper_low=lambda low: housing.drive(PINS.paper, None if low else False),
        call=lambda pressed: housing.drive(PINS.call_button, False if pressed else None),
        shines=lambda level: housing.level(PINS.fill_light) == pytest.approx(level),
        shows=lambda lamp: housing.leds() == LAMPS[lamp],
        is_dark=lambda: housing.leds() == (False, False, False),
        vanish=lambda: gone(True),
        reconnect=lambda: gone(False),
    )
    panel.close()


def simulated() -> Iterator[Rig]:
    panel = SimPanel()
    yield Rig(
        panel,
        tamper=lambda is_open: panel.happen(tamper_open=is_open),
        paper_low=lambda low: panel.happen(paper_low=low),
        call=lambda pressed: panel.happen(call_pressed=pressed),
        shines=lambda level: panel.light == pytest.approx(level),
        shows=lambda lamp: panel.shown is lamp,
        is_dark=lambda: panel.shown is None,
        vanish=panel.vanish,
        reconnect=panel.reconnect,
    )
    panel.close()


LIT = {
    Lamp.IDLE: "only the ready light",
    Lamp.SERVING: "only the busy light",
    Lamp.NEEDS_HELP: "the busy and the trouble light",
    Lamp.OUT_OF_SERVICE: "only the trouble light",
}


def real(address: str, folder: Path, technician: Technician) -> Iterator[Rig]:
    """`default` is the wiring of docs/devices.md; else a site file with `[panel]`."""
    pins = Pins(**(PanelPins() if address == "default" else load(Path(address)).panel).pins)
    panel = GpioPanel(pins, mono_ns=mono_ns, make_board=lambda: pi_board(folder))

    def never() -> None:
        pytest.skip("the pins of a Pi cannot be unplugged while it runs")

    def moved(yes: Do, no: Do) -> Callable[[bool], None]:
        return lambda is_so: technician.do(yes if is_so else no)

    yield Rig(
        panel,
        tamper=moved(Do.TAMPER_OPEN, Do.TAMPER_CLOSE),
        paper_low=moved(Do.PAPER_SWITCH_OPEN, Do.PAPER_SWITCH_CLOSE),
        call=moved(Do.CALL_PRESS, Do.CALL_RELEASE),
        shines=lambda level: technician.sees(f"Is the fill light at {level:.0%}?"),
        shows=lambda lamp: technician.sees(f"Is {LIT[lamp]} on?"),
        is_dark=lambda: technician.sees("Are all status lights dark?"),
        vanish=never,
        reconnect=never,
        fitted=tuple(name for name in Rig.fitted if getattr(pins, name)),
        by_hand=True,
    )
    panel.close()


@pytest.fixture(params=["gpio-mock", "sim", "hardware"])
def rig(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    hardware: dict[str, str],
    technician: Technician,
) -> Iterator[Rig]:
    if request.param == "gpio-mock":
        yield from on_mock_pins()
    elif request.param == "sim":
        yield from simulated()
    elif "panel" in hardware:
        yield from real(hardware["panel"], tmp_path, technician)
    else:
        pytest.skip(
            "needs a panel on this Pi: pytest tests/conformance --hardware panel=default, "
            "or panel=SITE_FILE"
        )


def changed(rig: Rig) -> PanelState:
    state = rig.panel.wait_for_change(2.0)
    assert state is not None
    return state


def test_it_says_what_it_is(rig: Rig) -> None:
    assert rig.panel.name == "panel"
    assert isinstance(rig.panel.provenance, Provenance)
    assert not rig.panel.health().ok
    rig.panel.open()
    assert rig.panel.health().ok
    assert rig.panel.health().words


def test_the_first_wait_tells_how_things_stand(rig: Rig) -> None:
    rig.panel.open()
    state = changed(rig)
    told = {"tamper": state.tamper_open, "paper": state.paper_low}
    assert told == {name: False if name in rig.fitted else None for name in told}
    assert not state.call_pressed


def test_no_change_is_an_answer_and_comes_in_time(rig: Rig) -> None:
    rig.panel.open()
    changed(rig)
    for limit_s in (0.0, 0.2):
        start_s = time.monotonic()
        assert rig.panel.wait_for_change(limit_s) is None
        assert limit_s <= time.monotonic() - start_s < limit_s + 1.0


def test_every_switch_is_felt_both_ways(rig: Rig) -> None:
    rig.panel.open()
    changed(rig)
    if "tamper" in rig.fitted:
        rig.tamper(True)
        assert changed(rig).tamper_open is True
        assert not rig.panel.health().ok
        assert rig.panel.health().fix
        rig.tamper(False)
        assert changed(rig).tamper_open is False
    if "paper" in rig.fitted:
        rig.paper_low(True)
        assert changed(rig).paper_low is True
        rig.paper_low(False)
        assert changed(rig).paper_low is False
    if "call_button" in rig.fitted:
        rig.call(True)
        assert changed(rig).call_pressed is True
        rig.call(False)
        assert changed(rig).call_pressed is False
    assert rig.panel.health().ok


def test_light_and_lamp_show_what_was_asked(rig: Rig) -> None:
    rig.panel.open()
    assert rig.shines(0.0)
    for level in (1.0, 0.5, 0.0):
        rig.panel.fill_light(level)
        assert rig.shines(level)
    for lamp in Lamp:
        rig.panel.lamp(lamp)
        assert rig.shows(lamp)


def test_too_much_light_is_full_light(rig: Rig) -> None:
    rig.panel.open()
    rig.panel.fill_light(7.0)
    assert rig.shines(1.0)
    rig.panel.fill_light(-1.0)
    assert rig.shines(0.0)


def test_a_beep_ends(rig: Rig) -> None:
    rig.panel.open()
    start_s = time.monotonic()
    rig.panel.beep(0.05)
    assert time.monotonic() - start_s < 1.0


def test_close_turns_everything_off(rig: Rig) -> None:
    rig.panel.open()
    rig.panel.fill_light(1.0)
    rig.panel.lamp(Lamp.SERVING)
    rig.panel.close()
    assert rig.shines(0.0)
    assert rig.is_dark()


def test_close_twice_and_open_again(rig: Rig) -> None:
    for _ in range(2):
        rig.panel.open()
        rig.panel.close()
        rig.panel.close()
    calls: list[Callable[[], object]] = [
        lambda: rig.panel.wait_for_change(0.1),
        lambda: rig.panel.fill_light(1.0),
        lambda: rig.panel.lamp(Lamp.IDLE),
        lambda: rig.panel.beep(0.1),
    ]
    for call in calls:
        with pytest.raises(DeviceError) as raised:
            call()
        assert raised.value.fault is Fault.ABSENT
    assert rig.shines(0.0)
    rig.panel.open()
    assert changed(rig)


def test_a_panel_that_is_not_there(rig: Rig) -> None:
    rig.vanish()
    with pytest.raises(DeviceError) as call:
        rig.panel.open()
    assert call.value.fault is Fault.ABSENT
    assert call.value.device == rig.panel.name
    assert rig.panel.health().fix
    rig.panel.close()
    rig.panel.close()


def test_unplugged_while_waiting_and_back_within_five_seconds(rig: Rig) -> None:
    if rig.by_hand:
        rig.vanish()
    rig.panel.open()
    changed(rig)
    pulled = threading.Timer(0.1, rig.vanish)
    pulled.start()
    with pytest.raises(DeviceError) as call:
        rig.panel.wait_for_change(5.0)
    pulled.join()
    assert call.value.fault is Fault.ABSENT
    assert not rig.panel.health().ok
    with pytest.raises(DeviceError):
        rig.panel.fill_light(1.0)
    rig.reconnect()
    start_s = time.monotonic()
    rig.panel.open()
    assert changed(rig).tamper_open is False
    rig.panel.fill_light(1.0)
    assert rig.shines(1.0)
    assert time.monotonic() - start_s < RECOVERY_S
    assert rig.panel.health().ok


def test_close_ends_a_wait(rig: Rig) -> None:
    rig.panel.open()
    changed(rig)
    ended: list[object] = []
    waiting = threading.Thread(target=lambda: ended.append(rig.panel.wait_for_change(60)))
    closing = threading.Timer(0.1, rig.panel.close)
    waiting.start()
    closing.start()
    waiting.join(5)
    closing.join()
    assert ended == [None]

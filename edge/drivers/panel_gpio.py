"""Lights, buzzer and switches on the Raspberry Pi's own pins.

Levels are looked at, not waited for: gpiozero's mock knows no bounce time, its
motion sensor lags, and a look every 20 ms costs nothing. Only lgpio is used,
because the Pi 5 knows nothing else and the Pi 4 works with it too. gpiozero
makes its PWM on lgpio in software, even on pin 18; see docs/devices.md.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from gpiozero import DigitalOutputDevice, GPIOZeroError, InputDevice, PWMOutputDevice

from edge.domain.errors import DeviceError, Fault
from edge.domain.record import Provenance
from edge.domain.timebase import NS_PER_S, MonoNs
from edge.drivers.debounce import Debounced
from edge.ports import Health, Lamp, PanelState

log = logging.getLogger(__name__)

NAME = "panel"
POLL_S = 0.02
DEBOUNCE_S = 0.05
WARM_UP_S = 60  # a PIR of the HC-SR501 class says anything before
LIGHT_HZ = 1000  # slower shows as bands in a rolling shutter
LONGEST_BEEP_S = 2.0
FIX = "is the panel's board fitted, and may this user open /dev/gpiochip*?"

LAMPS = {
    Lamp.IDLE: (True, False, False),
    Lamp.SERVING: (False, True, False),
    Lamp.NEEDS_HELP: (False, True, True),
    Lamp.OUT_OF_SERVICE: (False, False, True),
}
"""Which of the three status LEDs (ready, busy, trouble) are lit."""


@dataclass(frozen=True, slots=True)
class Pins:
    """Numbers as Broadcom counts them; 0 is not fitted. Switches close to ground."""

    fill_light: int = 0
    presence: int = 0
    tamper: int = 0
    paper: int = 0
    led_ready: int = 0
    led_busy: int = 0
    led_trouble: int = 0
    buzzer: int = 0
    call_button: int = 0


@dataclass(frozen=True, slots=True)
class Board:
    """A gpiozero pin factory, and what it raises besides gpiozero's own errors."""

    factory: Any
    errors: tuple[type[Exception], ...] = ()


def pi_board(work_dir: Path) -> Board:
    """The pins of this Pi. lgpio makes a pipe in `LG_WD` and must find it when imported."""
    os.environ["LG_WD"] = str(work_dir)
    from gpiozero.pins import lgpio as pins

    try:
        return Board(pins.LGPIOFactory(), (pins.lgpio.error,))
    except pins.lgpio.error as error:
        raise OSError(f"no pins: {error}") from error


Look: TypeAlias = Callable[[MonoNs], bool]


class GpioPanel:
    """Implements `Panel`.

    One thread may use it, any other may call `close()` or `health()`. After a
    failure everything is released, and the next call takes the pins anew.
    """

    name = NAME
    provenance = Provenance.LIVE

    def __init__(
        self,
        pins: Pins,
        *,
        mono_ns: Callable[[], MonoNs],
        make_board: Callable[[], Board],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._pins = pins
        self._mono_ns = mono_ns
        self._make_board = make_board
        self._sleep = sleep
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._closing.set()
        self._wiring: _Wiring | None = None
        self._warm_ns: MonoNs | None = None
        self._state: PanelState | None = None
        self._trouble = "not opened yet"

    # --- life ---

    def open(self) -> None:
        with self._lock:
            self._closing.clear()
            with self._wired() as wiring:
                self._feel(wiring)

    def close(self) -> None:
        self._closing.set()
        with self._lock:
            self._drop("closed")

    def health(self) -> Health:
        """As last felt; an open housing is something a technician wants to know."""
        state = self._state
        if self._wiring is None or state is None:
            return Health(False, self._trouble, FIX, Fault.ABSENT)
        if state.tamper_open:
            return Health(False, "the tamper loop is open", "close the housing, check the loop")
        return Health(True, "paper is low" if state.paper_low else "answers on its pins")

    # --- lights and sounds ---

    def fill_light(self, level: float) -> None:
        with self._usable() as wiring:
            wiring.light(level)

    def lamp(self, lamp: Lamp) -> None:
        with self._usable() as wiring:
            wiring.leds(LAMPS[lamp])

    def beep(self, seconds: float) -> None:
        with self._usable() as wiring:
            wiring.buzz(True)
            self._pause(min(seconds, LONGEST_BEEP_S))
            wiring.buzz(False)

    # --- switches ---

    def wait_for_change(self, timeout_s: float) -> PanelState | None:
        """`None` at the time limit, or when closed."""
        with self._usable() as wiring:
            end_ns = self._after_ns(timeout_s)
            while not self._closing.is_set():
                state = self._feel(wiring)
                if state != wiring.told:
                    wiring.told = state
                    return state
                left_s = (end_ns - self._mono_ns()) / NS_PER_S
                if left_s <= 0:
                    return None
                self._sleep(min(left_s, POLL_S))
            return None

    def _feel(self, wiring: _Wiring) -> PanelState:
        now_ns = self._mono_ns()
        felt = {name: look(now_ns) for name, look in wiring.looks.items()}
        if self._warm_ns is None or now_ns < self._warm_ns:
            felt.pop("presence", None)
        self._state = PanelState(
            presence=felt.get("presence"),
            tamper_open=felt.get("tamper"),
            paper_low=felt.get("paper"),
            call_pressed=felt.get("call_button", False),
        )
        return self._state

    def _pause(self, seconds: float) -> None:
        end_ns = self._after_ns(seconds)
        while not self._closing.is_set() and (left_ns := end_ns - self._mono_ns()) > 0:
            self._sleep(min(left_ns / NS_PER_S, POLL_S))

    def _after_ns(self, seconds: float) -> MonoNs:
        return MonoNs(self._mono_ns() + int(seconds * NS_PER_S))

    # --- the pins ---

    @contextmanager
    def _usable(self) -> Iterator[_Wiring]:
        with self._lock:
            if self._closing.is_set():
                raise DeviceError(NAME, Fault.ABSENT, "closed", retry=False)
            with self._wired() as wiring:
                yield wiring

    @contextmanager
    def _wired(self) -> Iterator[_Wiring]:
        """The pins, claimed now if they are not; whatever they raise leaves as ABSENT."""
        try:
            if self._wiring is None:
                self._claim(self._make_board())
            assert self._wiring is not None
            yield self._wiring
        except self._vendor_errors() as error:
            detail = f"the pins failed ({type(error).__name__})"
            self._drop(detail)
            raise DeviceError(NAME, Fault.ABSENT, detail) from error

    def _vendor_errors(self) -> tuple[type[Exception], ...]:
        board = self._wiring.board.errors if self._wiring else ()
        return (GPIOZeroError, ImportError, OSError, *board)

    def _claim(self, board: Board) -> None:
        self._wiring = _Wiring(board)
        self._wiring.claim(self._pins)
        if self._warm_ns is None:
            self._warm_ns = self._after_ns(WARM_UP_S)

    def _drop(self, words: str) -> None:
        if self._wiring:
            self._wiring.release()
        self._wiring = None
        self._trouble = words


class _Wiring:
    """Claimed pins. Every input is debounced, and says True for what matters."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.looks: dict[str, Look] = {}
        self.told: PanelState | None = None
        self._devices: list[Any] = []
        self._light: Any = None
        self._leds: list[Any] = []
        self._buzzer: Any = None

    def claim(self, pins: Pins) -> None:
        self._light = self._make(PWMOutputDevice, pins.fill_light, frequency=LIGHT_HZ)
        led_pins = (pins.led_ready, pins.led_busy, pins.led_trouble)
        self._leds = [self._make(DigitalOutputDevice, pin) for pin in led_pins]
        self._buzzer = self._make(DigitalOutputDevice, pins.buzzer)
        self._watch("presence", pins.presence, closed_means=True, pull_up=False)
        self._watch("tamper", pins.tamper, closed_means=False)
        self._watch("paper", pins.paper, closed_means=False)
        self._watch("call_button", pins.call_button, closed_means=True)

    def _make(self, kind: Callable[..., Any], pin: int, **options: Any) -> Any:
        if not pin:
            return None
        device = kind(pin, pin_factory=self.board.factory, **options)
        self._devices.append(device)
        return device

    def _watch(self, name: str, pin: int, *, closed_means: bool, pull_up: bool = True) -> None:
        """A closed switch pulls its pin to ground; a PIR drives it high (`pull_up` off)."""
        device = self._make(InputDevice, pin, pull_up=pull_up)
        if device is None:
            return
        debounced = Debounced(int(DEBOUNCE_S * NS_PER_S))
        self.looks[name] = lambda now_ns: debounced.see(device.is_active == closed_means, now_ns)

    def light(self, level: float) -> None:
        if self._light:
            self._light.value = min(max(level, 0.0), 1.0)

    def leds(self, lit: tuple[bool, bool, bool]) -> None:
        for led, on in zip(self._leds, lit, strict=True):
            if led:
                led.value = on

    def buzz(self, on: bool) -> None:
        if self._buzzer:
            self._buzzer.value = on

    def release(self) -> None:
        """Everything off and free, as far as pins that fail let us."""
        errors = (GPIOZeroError, OSError, *self.board.errors)
        for close in (*(device.close for device in self._devices), self.board.factory.close):
            try:
                close()
            except errors as error:
                log.info("releasing: %s", type(error).__name__)

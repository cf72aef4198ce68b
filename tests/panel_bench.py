"""A panel on a bench: gpiozero's mock pins, with switches that somebody can move."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable
from typing import Any

from gpiozero.pins.mock import MockFactory, MockPWMPin

from edge.domain.timebase import MonoNs
from edge.drivers.panel_gpio import Board, GpioPanel, Pins

PINS = Pins(
    fill_light=18,
    presence=17,
    tamper=27,
    paper=22,
    led_ready=23,
    led_busy=24,
    led_trouble=25,
    buzzer=5,
    call_button=6,
)


class WiredPin(MockPWMPin):
    """A mock pin on which the switch outside is stronger than the pull-up inside."""

    def _set_pull(self, value: str) -> None:
        super()._set_pull(value)
        self.factory.settle(self)

    def _get_state(self) -> Any:
        self.factory.check()
        return super()._get_state()

    def _set_state(self, value: float) -> None:
        self.factory.check()
        super()._set_state(value)


class Housing(MockFactory):
    """The pins of an invented Pi. Closed at first, paper in, nobody there, nobody calling."""

    def __init__(self) -> None:
        super().__init__(pin_class=WiredPin)
        self.high = {PINS.presence: False, PINS.tamper: False, PINS.paper: False}
        self.gone = False
        self.vendor_error: type[Exception] = OSError

    def settle(self, pin: WiredPin) -> None:
        level = self.high.get(_number(pin))
        if level is not None:
            (pin.drive_high if level else pin.drive_low)()

    def drive(self, number: int, level: bool | None) -> None:
        """What the wire outside says; `None`: it hangs in the air."""
        self.high.pop(number, None)
        pin = self.pin(number)
        if level is not None:
            self.high[number] = level
            self.settle(pin)
        elif pin.pull == "up":
            pin.drive_high()

    def check(self) -> None:
        if self.gone:
            raise self.vendor_error(errno.ENODEV, "gone")

    def level(self, number: int) -> float:
        """What is on an output, also when the kiosk has let it go."""
        pin = self.pins.get(self.pin(number).info)
        return float(MockPWMPin._get_state(pin)) if pin.function == "output" else 0.0

    def leds(self) -> tuple[bool, bool, bool]:
        ready, busy, trouble = (
            bool(self.level(pin)) for pin in (PINS.led_ready, PINS.led_busy, PINS.led_trouble)
        )
        return ready, busy, trouble

    def board(self) -> Board:
        self.check()
        return Board(self, (self.vendor_error,))


def _number(pin: WiredPin) -> int:
    return int(re.sub(r"\D", "", pin.info.name))


def gpio_panel(
    housing: Housing,
    mono_ns: Callable[[], MonoNs],
    sleep: Callable[[float], None],
    pins: Pins = PINS,
) -> GpioPanel:
    return GpioPanel(pins, mono_ns=mono_ns, make_board=housing.board, sleep=sleep)

"""The panel of a simulated housing: somebody can stand before it, call, or open it."""

from __future__ import annotations

import threading
from dataclasses import replace

from edge.domain.errors import DeviceError, Fault
from edge.domain.record import Provenance
from edge.ports import Health, Lamp, PanelState

QUIET = PanelState(presence=False, tamper_open=False, paper_low=False, call_pressed=False)


class SimPanel:
    """`done` lists what was asked of lamp, light and buzzer, oldest first."""

    name = "panel"
    provenance = Provenance.SIMULATED

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._state = QUIET
        self._told: PanelState | None = None
        self._is_open = False
        self._vanished = False
        self.light = 0.0
        self.shown: Lamp | None = None
        self.beeps = 0
        self.done: list[float | Lamp | str] = []

    # --- what happens to the housing ---

    def happen(
        self,
        *,
        presence: bool | None = None,
        tamper_open: bool | None = None,
        paper_low: bool | None = None,
        call_pressed: bool | None = None,
    ) -> None:
        """Change what is given, leave the rest."""
        given = {
            "presence": presence,
            "tamper_open": tamper_open,
            "paper_low": paper_low,
            "call_pressed": call_pressed,
        }
        changes = {name: value for name, value in given.items() if value is not None}
        with self._changed:
            self._state = replace(self._state, **changes)
            self._changed.notify_all()

    def vanish(self) -> None:
        """The board's plug comes off: everything goes dark, every call fails."""
        with self._changed:
            self._vanished = True
            self._dark()
            self._changed.notify_all()

    def reconnect(self) -> None:
        with self._changed:
            self._vanished = False

    # --- what the kiosk asks ---

    def open(self) -> None:
        with self._changed:
            self._is_open = True
            self._check()

    def close(self) -> None:
        with self._changed:
            self._is_open = False
            self._dark()
            self._changed.notify_all()

    def health(self) -> Health:
        with self._changed:
            if self._vanished or not self._is_open:
                return Health(False, "the simulated panel is not there", "plug it in again")
            if self._state.tamper_open:
                return Health(False, "the simulated housing is open", "close the housing")
            return Health(True, "simulated")

    def fill_light(self, level: float) -> None:
        with self._changed:
            self._check()
            self.light = min(max(level, 0.0), 1.0)
            self.done.append(self.light)

    def lamp(self, lamp: Lamp) -> None:
        with self._changed:
            self._check()
            self.shown = lamp
            self.done.append(lamp)

    def beep(self, seconds: float) -> None:  # noqa: ARG002 - nobody hears how long
        with self._changed:
            self._check()
            self.beeps += 1
            self.done.append("beep")

    def wait_for_change(self, timeout_s: float) -> PanelState | None:
        with self._changed:
            self._check()
            self._changed.wait_for(self._is_news, timeout_s)
            if not self._is_open:
                return None
            self._check()
            if self._told == self._state:
                return None
            self._told = self._state
            return self._state

    def _is_news(self) -> bool:
        return self._vanished or not self._is_open or self._told != self._state

    def _check(self) -> None:
        if self._vanished:
            raise DeviceError(self.name, Fault.ABSENT, "the board is gone")
        if not self._is_open:
            raise DeviceError(self.name, Fault.ABSENT, "closed", retry=False)

    def _dark(self) -> None:
        self._told = None
        self.light = 0.0
        self.shown = None

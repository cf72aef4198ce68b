"""Eyes that see what a script tells them, step by step; no camera and no models.

Whatever they say at the end of a try was said once by the real ones
(`tests.chaos.recorded_eyes`), with one answer changed where a try is to fail.
"""

from __future__ import annotations

import queue
from collections.abc import Generator
from dataclasses import replace
from functools import cache

from edge.app.clock import mono_ns
from edge.domain.challenge import Hint, Prompt, Reason, WatchProgress
from edge.domain.errors import DeviceError, Fault
from edge.domain.record import Provenance, Reference, Score, Verdict
from edge.drivers.sim.portrait import ASTRONAUT, Rgb
from edge.drivers.sim.resident import Resident
from edge.ports import CheckResult, Frame, Health, Look, Picture, WatchOrder
from tests.chaos.recorded_eyes import recorded_verdict
from tests.scanner_bench import qr_scene

FRAME_S = 0.05
UNLIKE = Score(0.21, 0.58, "0" * 64)
FACE = b"\x3f" * 512

Step = WatchProgress | str | DeviceError


class ScriptedEyes:
    """Implements `edge.ports.Eyes`. The script's thread tells, the vision thread looks."""

    name = "camera"
    provenance = Provenance.SIMULATED

    def __init__(self) -> None:
        self.order: WatchOrder | None = None
        self.is_open = False
        self.opened = 0
        self.is_dead = False
        self._code = ""
        self._steps: queue.Queue[Step] = queue.Queue()

    # --- the script's side ---

    def ask(self, prompt: Prompt, step: int = 1, hint: Hint | None = None) -> None:
        """Progress of the running try: what is asked for now, after so many movements."""
        self._steps.put(WatchProgress(prompt, hint, step, 4))

    def miss(self, hint: Hint) -> None:
        """What is wrong with the picture, before any movement was asked for."""
        self.ask(Prompt.FRAME_FACE, 0, hint)

    def end(self, result: str) -> None:
        """`passed`, `no_reference`, `unlike`, `flat` or `timed_out`."""
        self._steps.put(result)

    def break_down(self) -> None:
        self.is_dead = True
        self._steps.put(DeviceError(self.name, Fault.SILENT, "no frames"))

    def hold_up(self, code: str) -> None:
        """Somebody holds a code before the camera."""
        self._code = code

    # --- the kiosk's side ---

    def health(self) -> Health:
        if self.is_dead:
            return Health(False, "no camera", "plug it in", Fault.ABSENT)
        return Health(True, "scripted")

    def view(self) -> Generator[Frame]:
        with _Opened(self):
            while True:
                yield Frame(_picture(qr_scene(self._code)) if self._code else _seen(), mono_ns())
                self._next()

    def watch(self, order: WatchOrder) -> Generator[Look]:
        self.order = order
        progress = WatchProgress(Prompt.FRAME_FACE, None, 0, len(order.actions))
        with _Opened(self):
            while True:
                yield Look(Frame(_seen(), mono_ns()), progress)
                step = self._next()
                if isinstance(step, str):
                    yield Look(Frame(_seen(), mono_ns()), progress, _result(step, order))
                progress = step if isinstance(step, WatchProgress) else progress

    def _next(self) -> WatchProgress | str | None:
        try:
            step = self._steps.get(timeout=FRAME_S)
        except queue.Empty:
            return None
        if isinstance(step, DeviceError):
            raise step
        return step


class _Opened:
    """While the camera is open. Nothing said to an earlier try counts in this one."""

    def __init__(self, eyes: ScriptedEyes) -> None:
        self._eyes = eyes

    def __enter__(self) -> None:
        eyes = self._eyes
        if eyes.is_dead:
            raise DeviceError(eyes.name, Fault.ABSENT, "no camera")
        eyes.is_open, eyes.opened = True, eyes.opened + 1

    def __exit__(self, *_: object) -> None:
        self._eyes.is_open = False


def _result(result: str, order: WatchOrder) -> CheckResult:
    return CheckResult(_verdict(result, order), _seen(), FACE if order.enrol else b"")


def _verdict(result: str, order: WatchOrder) -> Verdict:
    passed = recorded_verdict("good-day", order)
    if order.template:
        passed = replace(passed, reference=Reference.TEMPLATE)
    match result:
        case "passed":
            return passed
        case "no_reference":
            return recorded_verdict("first-visit", order)
        case "unlike":
            return replace(passed, likeness=UNLIKE, reasons=(Reason.NOT_ALIKE,))
        case "flat":
            return replace(passed, live=False, reasons=(Reason.FLAT,))
        case "timed_out":
            return replace(passed, live=False, reasons=(Reason.TIMED_OUT,))
        case _:
            raise ValueError(result)


@cache
def _seen() -> Picture:
    return _picture(Resident(ASTRONAUT, mono_ns).picture(mono_ns()))


def _picture(pixels: Rgb) -> Picture:
    return Picture(pixels.shape[1], pixels.shape[0], pixels.tobytes())

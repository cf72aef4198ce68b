"""A camera that looks into the simulated room."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Protocol

import cv2
import numpy as np

from edge.domain.errors import DeviceError, Fault
from edge.domain.record import Provenance
from edge.domain.timebase import NS_PER_S, MonoNs
from edge.drivers.sim.portrait import Rgb
from edge.ports import Frame, Health, Picture

HANG_S = 2.0


GAMMA = 2.2  # of what a camera hands out over the light that fell into it


class View(Protocol):
    """A room, or one person alone."""

    def picture(self, now_ns: int) -> Rgb: ...


class SimCamera:
    """Shows what is in view when a frame is asked for, `fps` times a second at most.

    `delivered_closed` counts frames that left while the shutter was shut; it
    must stay 0. `pause` waits so many seconds; give the clock's own `advance`
    to run in invented time.
    """

    name = "simulated camera"
    provenance = Provenance.SIMULATED

    def __init__(
        self,
        view: View,
        mono_ns: Callable[[], MonoNs],
        fps: float = 20.0,
        pause: Callable[[float], object] | None = None,
        lux: float | None = None,
    ) -> None:
        self._view = view
        self._mono_ns = mono_ns
        self._period_ns = int(NS_PER_S / fps)
        self._lock = threading.Lock()
        self._shut = threading.Event()
        self._shut.set()
        self._pause = pause or self._shut.wait
        self._frozen = False
        self._lux = lux
        self._stops = 0.0
        self.delivered = 0
        self.delivered_closed = 0

    def open(self) -> None:
        """Nothing to do: the shutter opens with the stream."""

    def close(self) -> None:
        """Shuts the shutter and so ends a running stream, from any thread."""
        with self._lock:
            self._shut.set()

    def health(self) -> Health:
        if self._frozen:
            fix = "unplug the camera and plug it in again"
            return Health(False, "the camera hangs", fix, Fault.SILENT)
        return Health(True, "looks into the simulated room")

    def freeze(self, frozen: bool = True) -> None:
        """The fault of a camera that hangs: frames stop, and after `HANG_S` the stream fails."""
        self._frozen = frozen

    def lock_exposure(self, locked: bool = True) -> bool:  # noqa: ARG002 - there is nothing to do
        """The simulated room is always exposed alike."""
        return not self._shut.is_set()

    def nudge_exposure(self, stops: float) -> bool:
        if self._shut.is_set():
            return False
        self._stops = stops
        return True

    def identity(self) -> str:
        return "simulated"

    @contextmanager
    def stream(self) -> Iterator[Iterator[Frame]]:
        with self._lock:
            if not self._shut.is_set():
                raise DeviceError(self.name, Fault.REFUSED, "already streaming", retry=False)
            self._shut.clear()
            self._stops = 0.0
        frames = self._frames()
        try:
            yield frames
        finally:
            self.close()
            frames.close()

    def _frames(self) -> Generator[Frame, None, None]:
        """One frame per period; a slow reader gets the present, never a backlog."""
        while not self._shut.is_set():
            taken_ns = self._mono_ns()
            if self._frozen:
                self._wait_until(taken_ns + int(HANG_S * NS_PER_S))
                self._fail_if_frozen()
                continue
            rgb = self._exposed(self._view.picture(taken_ns))
            frame = Frame(picture_of(rgb), taken_ns, lux=self._lux)
            if not self._deliver():
                return
            yield frame
            self._wait_until(taken_ns + self._period_ns)

    def _exposed(self, rgb: Rgb) -> Rgb:
        if not self._stops:
            return rgb
        return np.asarray(cv2.convertScaleAbs(rgb, alpha=2 ** (-self._stops / GAMMA)))

    def _deliver(self) -> bool:
        """Count a frame; false if the shutter shut while it was being taken."""
        with self._lock:
            if self._shut.is_set():
                return False
            self.delivered += 1
            self.delivered_closed += self._shut.is_set()
            return True

    def _wait_until(self, due_ns: int) -> None:
        while not self._shut.is_set() and (left_ns := due_ns - self._mono_ns()) > 0:
            self._pause(left_ns / NS_PER_S)

    def _fail_if_frozen(self) -> None:
        if self._frozen and not self._shut.is_set():
            raise DeviceError(self.name, Fault.SILENT, f"no frame for {HANG_S:.0f} s")


def picture_of(rgb: Rgb) -> Picture:
    return Picture(rgb.shape[1], rgb.shape[0], rgb.tobytes())

"""Cameras for tests: the Pi's with a pretended library, and any behind a process.

    python -m tests.camera_bench BEHAVIOUR ORDERS ANSWERS MEMORY MODE

is the other end of a capture process whose camera does what BEHAVIOUR says.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import psutil

from edge.domain.errors import DeviceError, Fault
from edge.domain.record import Provenance
from edge.domain.timebase import MonoNs
from edge.drivers.capture import CaptureProcess
from edge.drivers.capture_child import die_with_parent, serve, shut_out_network
from edge.drivers.sim.camera import SimCamera
from edge.drivers.sim.resident import EmptyChair
from edge.ports import Camera, Frame, Health, Picture

FAKES = Path(__file__).parent / "fakes"


def mono_ns() -> MonoNs:
    return MonoNs(time.clock_gettime_ns(time.CLOCK_BOOTTIME))


def library() -> ModuleType:
    """The pretended picamera2, importable under its own name from now on, with a clean bench."""
    if str(FAKES) not in sys.path:
        sys.path.insert(0, str(FAKES))
    import picamera2

    picamera2.BENCH.__init__()
    return picamera2


def unload_library() -> None:
    if str(FAKES) in sys.path:
        sys.path.remove(str(FAKES))
    for name in ("picamera2", "libcamera"):
        sys.modules.pop(name, None)


def processed(
    behaviour: str, clock: Callable[[], MonoNs] = mono_ns, **patience: float
) -> CaptureProcess:
    command = [sys.executable, "-m", "tests.camera_bench", behaviour]
    return CaptureProcess(command, clock, provenance=Provenance.SIMULATED, **patience)


def own_children() -> list[psutil.Process]:
    """Without Python's own bookkeeper of shared memory, which stays once any pool was used."""
    found = psutil.Process().children(recursive=True)
    return [child for child in found if not _is_bookkeeper(child)]


def _is_bookkeeper(child: psutil.Process) -> bool:
    try:
        return "resource_tracker" in " ".join(child.cmdline())
    except psutil.Error:  # it ended just now
        return False


def assert_no_child() -> None:
    assert own_children() == []


class Plain:
    """A camera that counts: every byte of frame n is n; so a torn frame would show."""

    name = "camera"
    provenance = Provenance.SIMULATED

    def __init__(self, size: tuple[int, int] = (640, 480), fps: float = 20.0) -> None:
        self._size, self._period_s = size, 1 / fps
        self._closed = False

    def open(self) -> None: ...

    def close(self) -> None:
        self._closed = True

    def health(self) -> Health:
        return Health(True, "counts")

    def lock_exposure(self, locked: bool = True) -> bool:
        return True

    def nudge_exposure(self, stops: float) -> bool:
        return True

    def identity(self) -> str:
        return "counts from 1"

    @contextmanager
    def stream(self) -> Iterator[Iterator[Frame]]:
        yield self._frames()

    def _frames(self) -> Iterator[Frame]:
        width, height = self._size
        due_s = time.monotonic()
        number = 0
        while not self._closed:
            due_s += self._period_s
            time.sleep(max(0, due_s - time.monotonic()))
            number = number % 255 + 1
            rgb = bytes([number]) * (width * height * 3)
            yield Frame(Picture(width, height, rgb), mono_ns())


class Hanging(Plain):
    """Hangs after three frames like a library that never returns, deaf to everything."""

    def _frames(self) -> Iterator[Frame]:
        for number, frame in enumerate(super()._frames()):
            if number == 3:
                self._hang()
            yield frame

    def _hang(self) -> None:
        while True:
            time.sleep(3600)


class HoldingTheInterpreter(Hanging):
    """The worst of them: no other thread of the process runs any more."""

    def _hang(self) -> None:
        import ctypes

        ctypes.PyDLL(None).sleep(3600)  # PyDLL does not let go of the interpreter


class HangingAtStart(Hanging):
    def _frames(self) -> Iterator[Frame]:
        self._hang()
        yield from ()


class Absent(Plain):
    """Until the file that `PRESENT` of the environment names is there."""

    def open(self) -> None:
        if not Path(os.environ.get("PRESENT", "/nowhere")).exists():
            raise DeviceError("camera", Fault.ABSENT, "no camera 0: look at the cable", retry=False)


class Huge(Plain):
    """Promises more than fits."""

    def _frames(self) -> Iterator[Frame]:
        while not self._closed:
            yield Frame(Picture(60000, 60000, b"x"), mono_ns())
            time.sleep(0.01)


class Calling(Plain):
    """Tries to tell somebody: `PORT` of the environment, on the loopback, what it saw."""

    def health(self) -> Health:
        try:
            socket.create_connection(("127.0.0.1", int(os.environ["PORT"])), 1).close()
        except OSError:
            return Health(True, "cannot call")
        return Health(False, "called")


def _pi(behaviour: str) -> Camera:
    from edge.drivers.camera_pi import PiCamera

    bench = library().BENCH
    if behaviour == "pi-hangs":
        bench.frames_until_hang = 3
    elif behaviour == "pi-never-closes":
        bench.frames_until_hang, bench.hangs_in = 3, frozenset({"close"})
    elif behaviour == "pi-never-opens":
        bench.hangs_in = frozenset({"__init__"})
    size_px = (1280, 720) if behaviour == "pi-720" else (640, 480)
    return PiCamera("0", mono_ns, size_px=size_px)


def camera(behaviour: str) -> Camera:
    if behaviour.startswith("pi"):
        return _pi(behaviour)
    if behaviour == "sim":
        return SimCamera(EmptyChair(), mono_ns, fps=100)
    plain: dict[str, Any] = {
        "counts": Plain,
        "counts-720": lambda: Plain((1280, 720)),
        "hangs": Hanging,
        "holds": HoldingTheInterpreter,
        "hangs-at-start": HangingAtStart,
        "absent": Absent,
        "huge": Huge,
        "calls": Calling,
        "calls-freely": Calling,
    }
    made: Camera = plain[behaviour]()
    return made


def grey_of(frame: Frame) -> np.ndarray:
    assert frame.grey is not None
    return np.frombuffer(frame.grey.luma, np.uint8).reshape(frame.grey.height, frame.grey.width)


def rgb_of(frame: Frame) -> np.ndarray:
    picture = frame.picture
    return np.frombuffer(picture.rgb, np.uint8).reshape(picture.height, picture.width, 3)


def main(arguments: list[str]) -> None:
    behaviour, orders, answers, memory, mode = arguments
    die_with_parent()
    if behaviour == "calls":
        shut_out_network()
    serve(camera(behaviour), (int(orders), int(answers), int(memory)), mode)


if __name__ == "__main__":
    main(sys.argv[1:])
    os._exit(0)

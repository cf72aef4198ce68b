"""What the tests of scanners share: something to look at, and patience."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import qrcode

from edge.domain.errors import DeviceError, Fault
from edge.drivers.sim.portrait import Rgb

SCENE_PX = (480, 640)


def qr_scene(code: str, size_px: int = 240, top_px: int = 100, left_px: int = 180) -> Rgb:
    """A telephone with a QR code, in the middle of an ordinary room."""
    height, width = SCENE_PX
    rows, columns = np.mgrid[0:height, 0:width]
    scene = np.stack([rows // 4, columns // 6, (rows + columns) // 8], axis=-1) + 40
    picture = qrcode.make(code, border=4).convert("RGB").resize((size_px, size_px))
    scene[top_px : top_px + size_px, left_px : left_px + size_px] = np.asarray(picture)
    return np.ascontiguousarray(scene, np.uint8)


EMPTY = np.full((*SCENE_PX, 3), 90, np.uint8)


class Sight:
    """What a simulated camera sees; a code is held before it for a moment only."""

    def __init__(self) -> None:
        self._scene: Rgb | None = EMPTY
        self.frames = 0

    def show(self, code: str) -> None:
        self._scene = qr_scene(code)

    def vanish(self) -> None:
        self._scene = None

    def reconnect(self) -> None:
        self._scene = EMPTY

    def picture(self, now_ns: int) -> Rgb:
        self.frames += 1
        scene = self._scene
        if scene is None:
            raise DeviceError("camera", Fault.ABSENT, "unplugged")
        return scene


def wait_until(is_so: Callable[[], bool], timeout_s: float = 5.0) -> bool:
    end_s = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > end_s:
            return False
        time.sleep(0.005)
    return True

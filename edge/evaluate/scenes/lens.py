"""What light and camera do to a picture: brightness, shadow on one side, blur, grain."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from edge.drivers.sim.portrait import Rgb
from edge.evaluate.scenes.bodies import Rng
from edge.evaluate.scenes.sitters import SIZE

SLACK_PX = 64


@dataclass(frozen=True, slots=True)
class Light:
    """`gain` of the whole picture, `shadow` 0..1 at the darker side, grain in grey levels."""

    gain: float = 1.0
    shadow: float = 0.0
    grain: float = 1.8
    blur_px: float = 0.0


class Lens:
    """One camera in one light, for one session."""

    def __init__(self, light: Light, rng: Rng) -> None:
        self._light = light
        self._rng = rng
        self._up, self._down = _grown(light.grain), _grown(-light.grain)
        self._dark_left = bool(rng.random() < 0.5)

    def expose(self, rgb: Rgb) -> Rgb:
        rgb = self._lit(rgb)
        if self._light.blur_px:
            rgb = np.asarray(cv2.GaussianBlur(rgb, (5, 5), self._light.blur_px), np.uint8)
        x, y = self._rng.integers(0, SLACK_PX, 2)
        part = np.s_[y : y + SIZE[1], x : x + SIZE[0]]
        brighter = cv2.add(rgb, self._up[part])  # two sums of bytes: faster than one of words
        return np.asarray(cv2.subtract(brighter, self._down[part], dst=brighter), np.uint8)

    def _lit(self, rgb: Rgb) -> Rgb:
        light = self._light
        if not light.shadow:
            whole_128ths = int(light.gain * 128) / 128  # as `_shadow` has them
            return np.asarray(cv2.convertScaleAbs(rgb, alpha=whole_128ths), np.uint8)
        field = _shadow(light.gain, light.shadow, self._dark_left)
        return np.asarray(cv2.multiply(rgb, field, scale=1 / 128), np.uint8)


def _grown(levels: float) -> Rgb:
    """The grain where it has the sign of `levels`, 0 elsewhere."""
    grain = _unit_grain()
    rows = cv2.multiply(grain.reshape(len(grain), -1), levels, dtype=cv2.CV_8U)
    return np.asarray(rows, np.uint8).reshape(grain.shape)


@lru_cache(maxsize=1)
def _unit_grain() -> npt.NDArray[np.float32]:
    shape = (SIZE[1] + SLACK_PX, SIZE[0] + SLACK_PX, 3)
    return np.random.default_rng(1).standard_normal(shape, np.float32)


@lru_cache(maxsize=4)
def _shadow(gain: float, shadow: float, dark_left: bool) -> Rgb:
    """128 means unchanged."""
    across = np.linspace(1 - shadow, 1, SIZE[0])
    row = (across if dark_left else across[::-1]) * gain * 128
    field = np.broadcast_to(np.clip(row, 0, 255)[None, :, None], (SIZE[1], SIZE[0], 3))
    return np.ascontiguousarray(field.astype(np.uint8))

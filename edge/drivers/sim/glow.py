"""What the light of the kiosk's screen does to a picture.

    pixel' = pixel * ((1 + ratio * share * light) / (1 + ratio * share * white)) ** (1 / 2.2)

`share` is how much of the screen's light each place sends back: by Lambert's law and the
square of the distance for a head, all alike for a sheet of paper, next to nothing for a
screen, which shines by itself. `ratio` is the screen's light on a nose over the hall's.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edge.drivers.sim.portrait import Rgb

Shares = npt.NDArray[np.float32]
"""Height x width of a coarse grid, 0..1."""

GRID = 16  # pixels of a cell
GAMMA = 2.2
AT_KIOSK_M, HEAD_DEPTH_M, WALL_M = 0.40, 0.09, 1.5
PAPER, GLASS = 0.95, 0.04


def of_head(
    size: tuple[int, int], centre: tuple[float, float], radii: tuple[float, float]
) -> Shares:
    """An egg before a wall; the face is its middle, `centre` and `radii` in pixels."""
    x, y = _grid(size)
    away = ((x - centre[0]) / radii[0]) ** 2 + ((y - centre[1]) / radii[1]) ** 2
    slant = np.sqrt(np.clip(1 - away, 0, 1))
    near = (AT_KIOSK_M / (AT_KIOSK_M + HEAD_DEPTH_M * (1 - slant))) ** 2
    wall = 0.9 * (AT_KIOSK_M / WALL_M) ** 2
    return np.where(away < 1, np.maximum(slant * near, wall), wall).astype(np.float32)


def even(size: tuple[int, int], share: float) -> Shares:
    return np.full(_grid(size)[0].shape, share, np.float32)


def _grid(size: tuple[int, int]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    xs = np.arange(size[0] // GRID) * GRID + GRID / 2
    ys = np.arange(size[1] // GRID) * GRID + GRID / 2
    x, y = np.meshgrid(xs, ys)
    return x, y


def lit(rgb: Rgb, shares: Shares, light: tuple[float, float, float], ratio: float) -> Rgb:
    """`light` is what the screen gives off in red, green and blue, 1 each for white."""
    sent = ratio * shares[..., None]
    factor = ((1 + sent * np.array(light)) / (1 + sent)) ** (1 / GAMMA)
    wide = cv2.resize(factor.astype(np.float32), (rgb.shape[1], rgb.shape[0]))
    return np.asarray(np.clip(np.rint(rgb * wide), 0, 255).astype(np.uint8))


def light_of(colour: str) -> tuple[float, float, float]:
    """What a display gives off for `#RRGGBB`."""
    red, green, blue = (_linear(int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5))
    return red, green, blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)

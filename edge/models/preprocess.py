"""Pictures in and out of the models' own frames of reference. No model is run here.

Images are `uint8` arrays (height, width, 3) in RGB. Points are `float64` (n, 2) or
(n, 3) in pixels, x to the right, y down, z away from the camera.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.ports import Picture

Image = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

MIN_SIDE_PX = 32
MAX_SIDE_PX = 8192
MAX_ASPECT = 8  # of the longer to the shorter side
WORK_PX = 1920  # the longer side, at most; the models look at 192 px of it


def image_of(picture: Picture) -> Image | None:
    """The picture as an array that shares its memory; `None` if it is none we can use.

    One larger than 1920 px is made smaller by a whole number first, so that no frame takes
    more time or memory than one of full HD.
    """
    short, long = sorted((picture.width, picture.height))
    if not (short >= MIN_SIDE_PX and long <= min(MAX_SIDE_PX, MAX_ASPECT * short)):
        return None
    held = memoryview(picture.rgb)
    if held.nbytes != picture.width * picture.height * 3 or not held.c_contiguous:
        return None
    whole = np.frombuffer(held, np.uint8).reshape(picture.height, picture.width, 3)
    return whole if long <= WORK_PX else _smaller(whole, math.ceil(long / WORK_PX))


def _smaller(image: Image, times: int) -> Image:
    size = image.shape[1] // times, image.shape[0] // times
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def picture_of(image: Image) -> Picture:
    height, width = image.shape[:2]
    return Picture(width, height, np.ascontiguousarray(image).tobytes())


def enlarged(image: Image, factor: float) -> Image:
    """Bicubic, never sharpened; for the card's small portrait."""
    return np.asarray(
        cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC), np.uint8
    )


@dataclass(frozen=True, slots=True)
class Square:
    """A turned square on an image: centre, side in px, angle clockwise in radians."""

    x: float
    y: float
    side: float
    angle: float = 0.0

    def cut(self, image: Image, size_px: int) -> Image:
        """The square's content, upright, black outside the image.

        OpenCV warps four channels more than twice as fast as three, to the same values; that
        pays unless the square is far larger than its cut-out.
        """
        if self.side > 4 * size_px:
            return _shrunk_to(image, self._back(size_px, 0, 0), size_px)
        left, top, right, bottom = self._reach(image)
        if left >= right or top >= bottom:
            return np.zeros((size_px, size_px, 3), np.uint8)
        four = cv2.cvtColor(image[top:bottom, left:right], cv2.COLOR_RGB2RGBA)
        cut = _shrunk_to(four, self._back(size_px, left, top), size_px)
        return np.asarray(cv2.cvtColor(cut, cv2.COLOR_RGBA2RGB), np.uint8)

    def _reach(self, image: Image) -> tuple[int, int, int, int]:
        """Left, top, right and bottom px of the image that the square touches."""
        height, width = image.shape[:2]
        half = self.side / 2 * (abs(math.cos(self.angle)) + abs(math.sin(self.angle))) + 2
        return (
            max(0, int(self.x - half)),
            max(0, int(self.y - half)),
            min(width, int(self.x + half)),
            min(height, int(self.y + half)),
        )

    def _back(self, size_px: int, left: int, top: int) -> npt.NDArray[np.float64]:
        """2x3, from a cut-out to the image without its first columns and rows."""
        scale, half = self.side / size_px, self.side / 2
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        x, y = self.x - left - (cos - sin) * half, self.y - top - (sin + cos) * half
        return np.array([[cos * scale, -sin * scale, x], [sin * scale, cos * scale, y]])

    def to_image(self, points: Points, size_px: int) -> Points:
        """Points (n, 2 or 3) on the cut-out back onto the image; z keeps the same scale."""
        (cos, less_sin, x), (sin, _, y) = self._back(size_px, 0, 0).tolist()
        turn = np.array([[cos, sin, 0.0], [less_sin, cos, 0.0], [0.0, 0.0, self.side / size_px]])
        axes = points.shape[1]
        return np.asarray(points @ turn[:axes, :axes] + np.array([x, y, 0.0])[:axes], np.float64)


def _shrunk_to(image: Image, back: npt.NDArray[np.float64], size_px: int) -> Image:
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(image, back, (size_px, size_px), flags=flags), np.uint8)


def scaled(image: Image, low: float, high: float) -> Floats:
    """(1, height, width, 3) float32 with 0..255 mapped onto `low`..`high`."""
    return np.asarray(image, np.float32)[None] * np.float32((high - low) / 255.0) + np.float32(low)


def similarity(source: Points, target: Points) -> npt.NDArray[np.float64]:
    """2x3 least-squares turn, scale and shift from `source` to `target`.

    As complex numbers it is one division: what Umeyama (1991) comes to on a plane.
    """
    start, end = (
        [complex(*row) for row in source.tolist()],
        [complex(*row) for row in target.tolist()],
    )
    start_mean, end_mean = sum(start) / len(start), sum(end) / len(end)
    away = [point - start_mean for point in start]
    spread = sum(abs(point) ** 2 for point in away)
    both = sum(a.conjugate() * (b - end_mean) for a, b in zip(away, end, strict=True))
    turn = both / spread if spread > 0.0 else complex(1.0)
    shift = end_mean - turn * start_mean
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def warped(image: Image, matrix: npt.NDArray[np.float64], size_px: int) -> Image:
    """A `size_px` square; strong shrinking goes by halves so that nothing aliases."""
    matrix = matrix.copy()
    while math.hypot(matrix[0, 0], matrix[1, 0]) < 0.5 and min(image.shape[:2]) >= 2 * size_px:
        image = np.asarray(cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
        matrix[:, 2] += matrix[:, :2] @ [0.5, 0.5]  # pixel centres move by half a pixel
        matrix[:, :2] *= 2
    return np.asarray(
        cv2.warpAffine(
            image,
            matrix,
            (size_px, size_px),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.uint8,
    )

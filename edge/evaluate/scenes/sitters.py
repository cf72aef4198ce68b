"""Photographs of people with their landmarks, and the pictures laid out from them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import numpy.typing as npt

from edge.drivers.sim.head import Head, Scene
from edge.drivers.sim.portrait import CARD_FACE_SHARE, CARD_PX, LEFT_CHEEK, RIGHT_CHEEK, Floats, Rgb

SIZE = (640, 480)
EYES = ((33, 133), (362, 263))
SOFT_EDGE_PX = 9
BEYOND_BLUR_PX = 30


@dataclass(frozen=True, slots=True, eq=False)
class Sitter:
    """One photograph of somebody. `points` is 468 x 3 in its pixels, `lids` as `read_lids`."""

    person: str
    photo: str
    rgb: Rgb = field(repr=False)
    points: Floats = field(repr=False)
    lids: Floats = field(repr=False)
    head: tuple[float, float, float, float]  # ellipse round the hair: centre x, y, radii

    @property
    def eyes_px(self) -> float:
        right, left = (self.points[list(eye), :2].mean(0) for eye in EYES)
        return float(np.hypot(*(left - right)))

    @property
    def face_px(self) -> float:
        return float(self.points[RIGHT_CHEEK, 0] - self.points[LEFT_CHEEK, 0])


def laid_out(sitter: Sitter, size: tuple[int, int], scale: float, low: float) -> Sitter:
    """The photograph on a larger picture, the face in the middle, `low` of the height down.

    Beyond its own edges the picture goes on as a blur of what was there.
    """
    x, y = sitter.points[:, :2].mean(axis=0)
    shift = np.array([size[0] / 2 - scale * x, size[1] * low - scale * y])
    place = np.c_[np.eye(2) * scale, shift]
    points = sitter.points * np.float32(scale)
    points[:, :2] += shift.astype(np.float32)
    lids = sitter.lids * np.float32(scale) + shift.astype(np.float32)
    hx, hy, rx, ry = sitter.head
    head = (scale * hx + shift[0], scale * hy + shift[1], scale * rx, scale * ry)
    rgb = _continued(sitter.rgb, place, size)
    return replace(sitter, rgb=rgb, points=points, lids=lids, head=head)


def _continued(rgb: Rgb, place: npt.NDArray[np.float64], size: tuple[int, int]) -> Rgb:
    inside = cv2.warpAffine(np.ones(rgb.shape[:2], np.float32), place, size)
    inside = cv2.erode(inside, np.ones((SOFT_EDGE_PX, SOFT_EDGE_PX)))
    inside = cv2.GaussianBlur(inside, (0, 0), SOFT_EDGE_PX / 3)[..., None]
    sheet = cv2.warpAffine(rgb, place, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    small = cv2.resize(sheet, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
    beyond = cv2.resize(cv2.GaussianBlur(small, (0, 0), BEYOND_BLUR_PX / 8), size)
    return np.asarray(beyond + inside * (sheet.astype(np.float32) - beyond), dtype=np.uint8)


def card_of(sitter: Sitter) -> Rgb:
    """Head and shoulders as on an identity card: 126 x 102 x 3."""
    scale = CARD_PX[0] * CARD_FACE_SHARE / sitter.face_px
    blurred = cv2.GaussianBlur(sitter.rgb, (0, 0), max(0.01, 0.45 / scale))
    return laid_out(replace(sitter, rgb=np.asarray(blurred)), CARD_PX, scale, 0.54).rgb


@dataclass(frozen=True, slots=True)
class Shape:
    """How a head differs from what the photograph says of it."""

    depth: float = 1.0  # of nose, brow and chin
    eyes_px: float = 96.0  # distance of the eyes, so how near the person sits


def head_of(sitter: Sitter, shape: Shape) -> Head:
    """A head that turns; takes about a second to prepare."""
    laid = laid_out(sitter, SIZE, shape.eyes_px / sitter.eyes_px, 0.53)
    points = laid.points.copy()
    points[:, 2] *= shape.depth
    centre, radii = laid.head[:2], laid.head[2:]
    return Head(Scene(laid.rgb, points, laid.lids, centre, radii), SIZE)

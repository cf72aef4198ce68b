"""What a face mesh says about the head: pose, lids, mouth, depth.

Points are the mesh's 468 in px of a picture that is not mirrored: x right, y down,
z away from the camera. Sides and turns are the person's own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from edge.models.preprocess import Image, Points, Square

ALIGNMENT = (263, 362, 33, 133, 2)  # eye corners left outer, inner, right outer, inner; nose base
# Nearly in one plane on any face: eye corners, mouth corners, cheeks, brow.
PLANE = (33, 133, 362, 263, 61, 291, 50, 280, 105, 334)
NOSE_TIP = (1, 4)
RIGID = PLANE + NOSE_TIP
# Across: from the person's right to the left, eyes and cheeks. Up: from the forehead to below
# the nose; the jaw takes no part. The weights of the points in these two ways, one row each:
_POSED_POINTS = (33, 234, 263, 454, 10, 151, 9, 2, 164)
_POSED = np.array(
    [[-1, -1, 1, 1, 0, 0, 0, 0, 0], [0, 0, 0, 0, -1 / 3, -1 / 3, -1 / 3, 1 / 2, 1 / 2]]
)
_MOUTH = (13, 14, 78, 308)  # inner lips: upper, lower, right corner, left corner
RIGHT_EYE, LEFT_EYE = (33, 133), (362, 263)
MIDDLE = slice(48, 144)  # of the mesh's 192 px
UPRIGHT_PITCH_DEG = 8.0  # median over frontal portraits: foreheads slope


@dataclass(frozen=True, slots=True)
class Pose:
    """Degrees. `yaw` > 0: turned to the own left; `pitch` > 0: up; `roll` > 0: clockwise as seen.

    Apparent angles from the mesh: about 0.75 of the true turn of a head, nearly
    nothing of the tilt of a flat picture. Only differences to the same person's
    neutral pose mean something exact.
    """

    yaw: float
    pitch: float
    roll: float


def pose_of(points: Points) -> Pose:
    x, y, z = (_POSED @ points.take(_POSED_POINTS, 0)).T.tolist()
    yaw = math.atan2(z[0], math.hypot(x[0], y[0]))
    pitch = math.atan2(-z[1], math.hypot(x[1], y[1]))
    roll = math.atan2(y[0], x[0])
    return Pose(math.degrees(yaw), math.degrees(pitch) - UPRIGHT_PITCH_DEG, math.degrees(roll))


def eye_distance(points: Points) -> float:
    """Between the middles of the eyes, px, foreshortened as seen."""
    (a, b), (c, d) = points.take((RIGHT_EYE, LEFT_EYE), 0).tolist()
    return math.hypot(c[0] + d[0] - a[0] - b[0], c[1] + d[1] - a[1] - b[1]) / 2


def mouth_opening(points: Points) -> float:
    """Height of the inner mouth over its width; 0 when closed."""
    upper, lower, right, left = points.take(_MOUTH, 0)[:, :2].tolist()
    return _ratio(math.dist(upper, lower), math.dist(right, left))


def lid_opening(contour: Points) -> float:
    """Eye aspect ratio from the eye contour model's 71 points: 0.2..0.4 open, below 0.1 closed."""
    outline = contour[:16, :2].tolist()
    high = sum(math.dist(outline[i], outline[i + 8]) for i in (3, 4, 5)) / 3
    return _ratio(high, math.dist(outline[0], outline[8]))


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole > 1e-6 else 0.0


def eye_square(points: Points, eye: tuple[int, int]) -> Square:
    """The eye contour model's input: 2.3 widths of the eye, turned with it (MediaPipe)."""
    (x, y), (to_x, to_y) = points.take(eye, 0)[:, :2].tolist()
    side = max(math.hypot(to_x - x, to_y - y), 1.0) * 2.3
    return Square((x + to_x) / 2, (y + to_y) / 2, side, math.atan2(to_y - y, to_x - x))


def rigid_points(points: Points) -> Points:
    """(12, 2): the near-planar points, then the nose tip; x and y only.

    The mesh's z is left out on purpose: the model knows faces and invents depth
    even on a flat picture, but x and y must fit what the camera saw.
    """
    return np.asarray(points.take(RIGID, 0)[:, :2], np.float64)


def nose_parallax(neutral: Points, turned: Points) -> float:
    """How far the nose tip leaves the plane of the face, in eye distances; from `rigid_points`.

    The best homography from the turned to the neutral near-planar points explains
    every view of a flat picture; what it leaves over at the nose tip is depth.
    """
    plane = len(PLANE)
    homography, _ = cv2.findHomography(turned[:plane], neutral[:plane], 0)
    if homography is None:
        return 0.0
    moved = cv2.perspectiveTransform(turned[None, plane:], homography)[0]
    error = float(np.linalg.norm(moved - neutral[plane:], axis=1).mean())
    right, left = neutral[0:2].mean(0), neutral[2:4].mean(0)
    return _ratio(error, float(np.hypot(*(left - right))))


@dataclass(frozen=True, slots=True)
class Light:
    """Of the middle of the face: mean grey 0..255; variance of the Laplacian at 192 px."""

    brightness: float
    sharpness: float


def light_of(cut: Image) -> Light:
    """`cut` is the mesh's input."""
    grey = cv2.cvtColor(cut[MIDDLE, MIDDLE], cv2.COLOR_RGB2GRAY)
    _, spread = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))
    return Light(cv2.mean(grey)[0], spread.item() ** 2)

"""Whether a head was seen turning, or one photograph faded into another.

While a head turns, its features wander; between two photographs laid over each other they
fade. So a frame from the middle of a true turn is no mixture of the frames before and after
it, and a frame of a fade is nothing else, whatever the shares:

    frame = a * before + b * after + c + what is left        least squares, per pixel

What is left is compared with what is left by the nearer of the two alone. Living heads of
the development half left 0.50 to 0.86 of it, fades 0.03 to 0.18 (142 and 22 movements).
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from edge.models.faces import Box
from edge.models.preprocess import Image

PATCH_PX = 24
ROUND = 0.7  # of the face's width, to each side of its middle
ONE_GREY = float(PATCH_PX)  # of difference all over a patch, as the length of a vector
DISTINCT = 0.1  # of the way between the two: a frame nearer to one of them is that one

Patch = npt.NDArray[np.float32]


def patch_of(image: Image, face: Box) -> Patch | None:
    """(576,) green, 24 x 24, of one place on the frame; `None` where that is out of the picture.

    The place stays where it is while the head moves: in a fade nothing does.
    """
    height, width = image.shape[:2]
    reach = ROUND * (face.right - face.left)
    x, y = (face.left + face.right) / 2, (face.top + face.bottom) / 2
    left, right = max(0, round(x - reach)), min(width, round(x + reach))
    top, bottom = max(0, round(y - reach)), min(height, round(y + reach))
    if right - left < PATCH_PX or bottom - top < PATCH_PX:
        return None
    green = np.ascontiguousarray(image[top:bottom, left:right, 1])
    small = cv2.resize(green, (PATCH_PX, PATCH_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(small.ravel(), np.float32)


def left_over(between: Iterable[Patch], before: Patch, after: Patch) -> float | None:
    """Of the frame that is furthest from both ends: the share that no mixture of them explains.

    0..1; `None` where no frame lies between them.
    """
    whole = _left(after, before)
    parts = [(min(_left(one, before), _left(one, after)), one) for one in between]
    apart, middle = max(parts, key=lambda part: part[0], default=(0.0, before))
    if apart <= max(DISTINCT * whole, ONE_GREY):
        return None
    return _left(middle, before, after) / apart


def _left(patch: Patch, *of: Patch) -> float:
    columns = np.column_stack([*of, np.ones_like(patch)])
    found, *_ = np.linalg.lstsq(columns, patch, rcond=None)
    return float(np.linalg.norm(patch - columns @ found))

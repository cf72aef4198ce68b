"""What stands in the way of a good picture besides the face itself: glare, masks, dark glasses.

Tried on the development people, drawn as they are, with a painted mask, hand or dark glasses,
in full and in dim light (264 pictures): lips show steps of at least 0.064 and cloth or a hand of
at most 0.006, all but one mask (0.071); eyes reflect at least 0.66 of what cheeks do, dark
glasses at most 0.28. A mask with folds may look like lips: what counts is not judged here, a
covered mouth cannot open and covered eyes do not blink.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edge.models.preprocess import Image

SPARSE = 16  # every so many pixels tell enough about a room
SMOOTH_PX = 1.5
# Places on an aligned chip of 150 pixels: rows, columns.
MOUTH = np.s_[96:122, 56:94]
EYES = (np.s_[44:60, 36:60], np.s_[44:60, 90:114])
CHEEKS = (np.s_[70:90, 40:58], np.s_[70:90, 92:110])
STEP_PERCENTILE = 95


def behind(image: Image, left: float, right: float) -> float:
    """Mean grey 0..255 beside the face, whose edges are `left` and `right` px."""
    rows = image[SPARSE // 2 :: SPARSE, SPARSE // 2 :: SPARSE]
    columns = np.arange(rows.shape[1]) * SPARSE + SPARSE // 2
    beside = rows[:, (columns < left) | (columns > right)]
    return float(beside.mean()) if beside.size else 0.0


def is_blank(image: Image) -> bool:
    """Whether there is nothing on it at all: a hand or a cap is on the lens."""
    return float(image[::SPARSE, ::SPARSE].std()) < BLANK


BLANK = 6.0  # grey; the dimmest hall tried has 20


def lips_and_eyes(chip: Image) -> tuple[float, float]:
    """How clearly lips are drawn, and how bright eyes are, both against the cheeks."""
    grey = cv2.GaussianBlur(cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY), (0, 0), SMOOTH_PX)
    cheeks = max(1.0, _mean(grey, CHEEKS))
    steps = np.abs(np.diff(grey[MOUTH].astype(np.float64), axis=0))
    return float(np.percentile(steps, STEP_PERCENTILE)) / cheeks, _mean(grey, EYES) / cheeks


def _mean(grey: npt.NDArray[np.uint8], places: tuple[tuple[slice, slice], ...]) -> float:
    return float(np.mean([grey[place].mean() for place in places]))

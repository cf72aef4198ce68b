"""The kiosk's own screen as a light source: does what is before the camera follow it as skin does?

While the person holds still, the screen changes between two pale hues in an order that nobody
knows beforehand. Skin before the screen takes on a little of each hue: the nose, near and facing
it, more than the sides of the head, and the wall behind hardly any. A sheet of paper follows
as evenly as its own printed background does; a screen shines by itself and hardly follows.

    hue of the light that a region sends back                c = ln(R / B) / 3
    c(t) = a + b t + gain * code(t - lag) + turn(t) + noise  least squares, per region

(a third, so that a small change is one of R - B over the sum of all; `turn` is quadratic in yaw
and pitch, because a head that turns a little shows other skin where the light is read).

`gain` over its standard error says whether the region follows at all; the ratios of gains
say what kind of thing it is. Dim the hall and it sees much, in the sun nothing: then the
answer is ABSTAINS and never a pass. Rates and hues are gentle on purpose (WCAG 2.3.1: at most
three flashes a second; here at most three changes, pale, without saturated red).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from edge.domain.light import CHIP_S, CHIPS, Code, chip_at
from edge.domain.timebase import NS_PER_S, MonoNs
from edge.models.geometry import Pose
from edge.models.preprocess import Image, Points

LAGS_S = tuple(np.arange(0.0, 0.41, 0.04))  # screen, exposure, transport
GAMMA = 2.2
MIN_ROWS = 16  # twice the unknowns of a fit
SETTLE_S = 0.12  # after each change: the screen is neither hue yet

Floats = npt.NDArray[np.float64]


class Answer(Enum):
    """What the light says. Only FOLLOWS speaks for a head; none of them refuses anybody."""

    FOLLOWS = "follows"
    UNIFORM = "uniform"  # follows like a sheet: as much at the sides, or behind the head
    ABSENT = "absent"  # does not follow although the light should have been seen
    ABSTAINS = "abstains"  # too bright or too noisy to tell


@dataclass(frozen=True, slots=True)
class Limits:
    """Working values from the physical simulator; frozen on a kiosk only by trials on one."""

    min_significance: float = 6.0  # gain over its standard error
    min_gain: float = 0.002  # of `c`; what noise alone cannot make
    should_be_seen: float = 0.0025  # of `c` on skin: below, a hall is too bright to ask
    max_behind: float = 0.5  # gain behind the head over that of the face
    min_relief: float = 1.2  # gain at the nose over that at the sides of the head
    min_frames: int = 40


@dataclass(frozen=True, slots=True)
class Reading:
    """Mean (R, G, B) 0..255 of four places on one frame; `None` where a place is not in view."""

    at_ns: MonoNs
    nose: Floats
    cheeks: Floats
    sides: Floats
    behind: Floats | None
    yaw: float = 0.0  # degrees
    pitch: float = 0.0


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer with what it rests on; gains are changes of `c`."""

    answer: Answer
    gain: float
    significance: float
    relief: float | None = None
    behind: float | None = None
    lag_s: float | None = None


# --- what is read from a frame -----------------------------------------------------------------

NOSE = (4, 5, 195)
CHEEKS = (50, 280, 101, 330)
SIDES = (227, 447, 137, 366)  # before the ears, a little inside the outline that moves


def read(image: Image, points: Points, at_ns: MonoNs, pose: Pose) -> Reading:
    """Patches of a fourteenth of the face's width, and a strip beside the head; as light."""
    half = max(2, round(float(np.ptp(points[:, 0])) / 28))
    return Reading(
        at_ns,
        _as_light(_mean(image, points[list(NOSE)], half)),
        _as_light(_mean(image, points[list(CHEEKS)], half)),
        _as_light(_mean(image, points[list(SIDES)], half)),
        _behind(image, points),
        pose.yaw,
        pose.pitch,
    )


def _as_light(mean: Floats) -> Floats:
    """A camera hands out roughly the 2.2th root of the light that fell into it."""
    return np.asarray(255 * (mean / 255) ** GAMMA)


def _mean(image: Image, places: Points, half: int) -> Floats:
    height, width = image.shape[:2]
    pixels = [
        image[max(0, y - half) : y + half, max(0, x - half) : x + half].reshape(-1, 3)
        for x, y in np.rint(places[:, :2]).astype(int)
        if 0 <= x < width and 0 <= y < height
    ]
    return np.concatenate(pixels).mean(0) if pixels else np.full(3, np.nan)


def _behind(image: Image, points: Points) -> Floats | None:
    """What is left and right of the head at the height of the brow, half a face away."""
    left, right = points[:, 0].min(), points[:, 0].max()
    away, top = (right - left) / 2, int(max(0, points[:, 1].min()))
    rows = image[top : top + max(4, round(float(right - left) / 3))]
    strips = [rows[:, : int(max(0, left - away))], rows[:, int(right + away) :]]
    pixels = [strip.reshape(-1, 3) for strip in strips if strip.size]
    return _as_light(np.concatenate(pixels).mean(0)) if pixels else None


# --- what it means ------------------------------------------------------------------------------

CHEEK = 0.66  # share of the screen's light that the middle of a face sends back
HUES = np.array([[1.0, 0.93, 0.64], [0.71, 0.89, 1.0]])  # light of the two, in R, G, B


def expected_gain(screen_lux: float, hall_lux: float) -> float:
    """What skin should show before a screen that adds so much light to a hall with so much."""
    seen = 1 + CHEEK * screen_lux / max(hall_lux, 1.0) * HUES
    either = np.log(seen[:, 0] / seen[:, 2]) / 3
    return float(either[0] - either[1]) / 2


def judge(
    readings: Sequence[Reading],
    code: Code,
    began_ns: MonoNs,
    expected: float | None,
    limits: Limits | None = None,
) -> Finding:
    """`expected` is the gain that skin should show in this light, if the camera can tell.

    Without it an absent answer cannot be told from a bright hall: ABSTAINS.
    """
    limits = limits or Limits()
    sound = [one for one in readings if np.isfinite([one.nose, one.cheeks, one.sides]).all()]
    times = np.array([(one.at_ns - began_ns) / NS_PER_S for one in sound])
    if len(sound) < limits.min_frames or times[-1] < 0.8 * CHIPS * CHIP_S:
        return Finding(Answer.ABSTAINS, 0.0, 0.0)
    face = _hue(np.array([(one.nose + one.cheeks) / 2 for one in sound]))
    turns = _turns(sound, times)
    lag = max(LAGS_S, key=lambda lag_s: _fit(face, turns, code, lag_s)[1])
    gain, significance = _fit(face, turns, code, lag)
    if significance < limits.min_significance or gain < limits.min_gain:
        seen = expected is not None and expected >= limits.should_be_seen
        return Finding(Answer.ABSENT if seen else Answer.ABSTAINS, gain, significance)
    return _of_what_kind(sound, turns, code, lag, (gain, significance), limits)


def _of_what_kind(
    sound: Sequence[Reading],
    turns: Floats,
    code: Code,
    lag: float,
    whole: tuple[float, float],
    limits: Limits,
) -> Finding:
    def fit(part: Sequence[Floats]) -> tuple[float, float]:
        return _fit(_hue(np.array(part)), turns, code, lag)

    nose, sides = fit([one.nose for one in sound]), fit([one.sides for one in sound])
    relief, doubt = _ratio(nose, sides)
    back = [one.behind for one in sound if one.behind is not None]
    behind = fit(back)[0] / whole[0] if len(back) == len(sound) else None
    if relief + doubt < limits.min_relief or (behind is not None and behind > limits.max_behind):
        answer = Answer.UNIFORM
    else:
        sure = relief - doubt >= limits.min_relief
        answer = Answer.FOLLOWS if sure else Answer.ABSTAINS
    return Finding(answer, *whole, relief, behind, lag)


def _ratio(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """Of two gains, and twice its standard error (first order)."""
    ratio = one[0] / max(other[0], 1e-6)
    errors = [1 / max(abs(significance), 1e-6) for _, significance in (one, other)]
    return ratio, 2 * abs(ratio) * math.hypot(*errors)


def _hue(means: Floats) -> Floats:
    """(n, 3) -> (n,): brightness and the colour of what is lit cancel in their ratio."""
    red, blue = np.maximum(means[:, 0], 0.1), np.maximum(means[:, 2], 0.1)
    return np.asarray(np.log(red / blue) / 3)


def _turns(sound: Sequence[Reading], times: Floats) -> Floats:
    """(n, 7): what a region's hue may depend on besides the code; the second column is the time."""
    yaw = np.array([one.yaw for one in sound])
    pitch = np.array([one.pitch for one in sound])
    return np.stack([np.ones_like(times), times, times**2, yaw, pitch, yaw**2, pitch**2], 1)


def _fit(hue: Floats, turns: Floats, code: Code, lag_s: float) -> tuple[float, float]:
    """Gain and its significance; frames close after a change take no part."""
    since = turns[:, 1] - lag_s
    chips = np.array([chip_at(code, one) for one in since])
    keep = (chips != 0) & (since % CHIP_S > SETTLE_S)
    columns = np.column_stack([chips[keep], turns[keep]])
    if len(columns) < MIN_ROWS:
        return 0.0, 0.0
    found, *_ = np.linalg.lstsq(columns, hue[keep], rcond=None)
    left = hue[keep] - columns @ found
    variance = left @ left / (len(columns) - columns.shape[1])
    error = np.sqrt(variance * np.linalg.pinv(columns.T @ columns)[0, 0])
    return float(found[0]), float(found[0] / max(error, 1e-9))

"""A physical simulator for the check by screen light: a head, a sheet and a screen before a kiosk.

What the camera would read at a few hundred points of each place: Lambert's law, the square of
the distance, the hall's light with 100 Hz flicker, skin and wall of some colour and texture, a
head that sways by pixels, slow drift of the exposure, shot noise and eight bits. Shares nothing
with `edge.models.screen_light` but the places it reads and the hues' order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.domain import light
from edge.domain.timebase import NS_PER_S, MonoNs
from edge.models import screen_light
from edge.models.screen_light import Answer, Reading

Floats = npt.NDArray[np.float64]

POINTS = 400  # a place: what a camera of 640 x 480 sees of it at arm's length
YELLOWISH, BLUISH = np.array([1.0, 0.97, 0.82]), np.array([0.86, 0.95, 1.0])
AT_KIOSK_M, BEHIND_M = 0.40, 1.5
HEAD_DEPTH_M = 0.09  # from the nose to before the ears
# Cosine between the face's surface and the way to the screen, on an egg.
SLANT = {"nose": 0.95, "cheeks": 0.80, "sides": 0.42}
PLACES = ("nose", "cheeks", "sides", "behind")
KINDS = ("head", "flat_print", "cut_print", "screen")


@dataclass(frozen=True, slots=True)
class Hall:
    """`ratio` is the screen's light on the nose over the hall's; `fps` of the camera."""

    ratio: float
    fps: float = 15.0


def reflected(kind: str, place: str) -> float:
    """Share of the screen's light at 0.40 m that this place sends on, before its colour."""
    if kind == "screen":
        return 0.04  # glass in front of something that shines by itself
    if kind == "flat_print" or (kind == "cut_print" and place != "behind"):
        return 0.95
    if place == "behind":
        return 0.9 * (AT_KIOSK_M / BEHIND_M) ** 2
    away = AT_KIOSK_M + (0.0 if place == "nose" else HEAD_DEPTH_M if place == "sides" else 0.03)
    return SLANT[place] * (AT_KIOSK_M / away) ** 2


def session(
    kind: str, hall: Hall, rng: np.random.Generator
) -> tuple[list[Reading], tuple[int, ...]]:
    """Readings of one showing of a random order of hues, and that order."""
    code = light.draw(lambda all_codes: all_codes[int(rng.integers(len(all_codes)))])
    times = np.arange(0.0, len(code) * light.CHIP_S + 0.3, 1 / hall.fps)
    times = np.sort(np.abs(times + rng.normal(0, 0.003, times.size)))
    lit = np.array([_hue(code, at) for at in times - rng.uniform(0.04, 0.2)])
    steady = 1 + np.cumsum(rng.normal(0, 0.002, times.size))  # drift of the exposure
    steady *= 1 + 0.03 * np.sin(2 * np.pi * 100 * times + rng.uniform(0, 6))
    seen = _places(kind, hall, rng, times, lit, steady)
    rows = zip(times, *(seen[place] for place in PLACES), strict=True)
    return [Reading(MonoNs(round(at * NS_PER_S)), *means) for at, *means in rows], code


def _hue(code: Sequence[int], at_s: float) -> Floats:
    chip = light.chip_at(tuple(code), at_s)
    return np.asarray({1: YELLOWISH, -1: BLUISH, 0: (YELLOWISH + BLUISH) / 2}[chip])


def _places(
    kind: str,
    hall: Hall,
    rng: np.random.Generator,
    times: Floats,
    lit: Floats,
    steady: Floats,
) -> dict[str, Floats]:
    """Mean (frames, 3) of each place."""
    colours = {
        "face": np.array([0.78, 0.58, 0.48]) * rng.uniform(0.5, 1.1),
        "behind": np.array([0.60, 0.60, 0.58]) * rng.uniform(0.3, 1.2),
    }
    hall_light = np.array([1.0, 0.98, 0.92]) * rng.uniform(0.8, 1.2, 3) ** 0.3
    exposure = 115 / float(np.mean(colours["face"] * hall_light))
    sway = np.rint(2 * np.sin(rng.uniform(1, 2) * times + rng.uniform(0, 6))).astype(int)
    shades = _shades(kind, rng)
    found = {}
    for place in PLACES:
        colour = colours["behind" if place == "behind" else "face"]
        texture = colour * (1 + 0.08 * rng.normal(size=(POINTS + 8, 1)))
        light = hall_light * shades[place] + hall.ratio * reflected(kind, place) * lit
        ideal = np.stack(
            [np.roll(texture, by, 0)[:POINTS] * row for by, row in zip(sway, light, strict=True)]
        )
        found[place] = _sensed(ideal * exposure * steady[:, None, None], rng).mean(1)
    return found


def _shades(kind: str, rng: np.random.Generator) -> dict[str, float]:
    """The hall's light on each place: a head is lit from somewhere, a sheet evenly."""
    if kind == "head":
        return {place: float(rng.uniform(0.6, 1.0)) for place in PLACES}
    brightness = 1.2 if kind == "screen" else float(rng.uniform(0.6, 1.0))
    even = {place: brightness * float(rng.uniform(0.96, 1.04)) for place in PLACES}
    return even | ({"behind": float(rng.uniform(0.6, 1.0))} if kind == "cut_print" else {})


def _sensed(ideal: Floats, rng: np.random.Generator) -> Floats:
    """Shot and read noise, then eight bits."""
    noisy = ideal + rng.normal(size=ideal.shape) * np.sqrt(0.15 * np.clip(ideal, 0, None) + 1)
    return np.clip(np.rint(noisy), 0, 255)


def expected_gain(hall: Hall) -> float:
    """What skin should show in this hall: the same law as above, for the middle of a face."""
    share = hall.ratio * reflected("head", "cheeks")
    either = [(one[0] - one[2]) / one.sum() for one in (1 + share * YELLOWISH, 1 + share * BLUISH)]
    return float(either[0] - either[1]) / 2


def campaign(
    kind: str, hall: Hall, sessions: int, seed: int, step: Callable[[], None] = lambda: None
) -> Counter[Answer]:
    """How often the check gave which answer."""
    rng = np.random.default_rng([seed, round(1000 * hall.ratio), KINDS.index(kind)])
    answers: Counter[Answer] = Counter()
    for _ in range(sessions):
        readings, code = session(kind, hall, rng)
        found = screen_light.judge(readings, code, MonoNs(0), expected_gain(hall))
        answers[found.answer] += 1
        step()
    return answers

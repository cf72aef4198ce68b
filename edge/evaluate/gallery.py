"""One row of pictures for every kind that is played, so that a person can see what was tried.

Of the two portraits in the public domain only: nobody of the evaluation material is shown.
"""

from __future__ import annotations

import zlib
from pathlib import Path

import cv2
import numpy as np

from edge.domain.challenge import Prompt
from edge.drivers.sim.portrait import Rgb
from edge.evaluate.campaign import AGAIN, GENERATORS
from edge.evaluate.people import packaged
from edge.evaluate.plots import contact_sheet, named
from edge.evaluate.scenes.cast import Group

SHOTS = (Prompt.LOOK_AHEAD, Prompt.LEFT, Prompt.UP, Prompt.DOWN, Prompt.MOUTH, Prompt.BLINK)
SHOT_S, BETWEEN_S = 2.4, 1.6
ASIDE = 4  # frames: further than lids are shut
SMALL = (240, 180)
SEED = 12


def draw(path: Path) -> None:
    everyone = packaged()
    group = Group(everyone, everyone, np.random.default_rng(SEED))
    rows = {named(kind): _shots(kind, group) for kind in GENERATORS if kind != AGAIN}
    contact_sheet(rows, [prompt.value.replace("_", " ") for prompt in SHOTS], path)


def _shots(kind: str, group: Group) -> list[Rgb]:
    """What the camera sees when each prompt has been followed, or the film has come so far."""
    show = GENERATORS[kind](group, np.random.default_rng([zlib.crc32(kind.encode()), SEED]))
    at_s, shots = 0.0, list[Rgb]()
    for prompt in SHOTS:
        for asked, lasts_s in ((prompt, SHOT_S), (Prompt.LOOK_AHEAD, BETWEEN_S)):
            taken = list[Rgb]()
            for number in range(round(lasts_s * show.fps)):
                at_s += 1 / show.fps
                taken.append(show.draw(asked, number / show.fps, at_s))
            if asked is prompt and len(shots) <= SHOTS.index(prompt):
                blinks = prompt is Prompt.BLINK
                shots.append(_blinking(list(map(_small, taken))) if blinks else _small(taken[-1]))
    return shots


def _blinking(taken: list[Rgb]) -> Rgb:
    """Lids are shut for a moment only: least like the pictures a little before and after."""

    def apart(at: int) -> float:
        near = (taken[at - ASIDE], taken[at + ASIDE])
        return min(float(cv2.absdiff(taken[at], one).mean()) for one in near)

    return taken[max(range(2 * ASIDE, len(taken) - ASIDE), key=apart)]


def _small(rgb: Rgb) -> Rgb:
    return np.asarray(cv2.resize(rgb, SMALL, interpolation=cv2.INTER_AREA), np.uint8)

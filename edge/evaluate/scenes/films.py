"""Recordings of good sessions, and the screens or cables that bring them back."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field

import cv2
import numpy as np

from edge.domain.challenge import MOVEMENTS, Action, Prompt
from edge.drivers.sim.head import Pose
from edge.drivers.sim.portrait import Rgb
from edge.evaluate.scenes.bodies import Body, Manner, Rng
from edge.evaluate.scenes.sheets import pixelled, screen_grid
from edge.evaluate.scenes.sitters import SIZE

FILM_FPS = 30
RIM_PX = 32  # more than a screen that leans or trembles lets one see of what is beyond it


def order_of(rng: Rng) -> tuple[Action, ...]:
    """Four movements as a kiosk asks for them: a turn and a nod, no two alike in a row."""
    while True:
        order = tuple(MOVEMENTS[int(n)] for n in rng.integers(0, len(MOVEMENTS), 4))
        repeats = any(a is b for a, b in itertools.pairwise(order))
        if not repeats and {"yaw", "pitch"} <= {one.axis for one in order}:
            return order


class Film:
    """Somebody's good session: looks ahead, makes each movement, comes back, looks ahead."""

    def __init__(self, order: tuple[Action, ...], manner: Manner) -> None:
        self._body = Body(manner)
        self._poses: list[Pose] = []
        self._shot(Prompt.FRAME_FACE, 1.6)
        for action in order:
            self._shot(Prompt.of(action), manner.reaction_s + _takes_s(action, manner) + 0.35)
            self._shot(Prompt.LOOK_AHEAD, manner.reaction_s + _takes_s(action, manner) + 0.35)

    def _shot(self, prompt: Prompt, lasts_s: float) -> None:
        for number in range(round(lasts_s * FILM_FPS)):
            self._body.move(prompt, number / FILM_FPS, 1 / FILM_FPS)
            self._poses.append(self._body.pose(len(self._poses) / FILM_FPS))

    def pose(self, at_s: float) -> Pose:
        """After its end the person goes on looking ahead."""
        number = round(at_s * FILM_FPS)
        if number < len(self._poses):
            return self._poses[number]
        return self._body.pose(at_s)


def _takes_s(action: Action, manner: Manner) -> float:
    if action is Action.BLINK:
        return manner.blink_s + 0.15
    if action is Action.MOUTH:
        return manner.mouth / manner.mouth_per_s
    return (manner.yaw_deg if action.axis == "yaw" else manner.up_deg) / manner.speed_deg_per_s


@dataclass(frozen=True, slots=True, eq=False)
class Screen:
    """How a film reaches the camera: off a screen, or through a cable (then nothing changes)."""

    name: str
    grid: Rgb | None = field(repr=False)
    yaw: float = 0.0
    phase: float = 0.0

    @classmethod
    def some(cls, rng: Rng) -> Screen:
        if rng.random() < 0.5:
            return cls("cable", None)
        grid = screen_grid(*SIZE, rng)
        return cls("screen", grid, rng.uniform(-0.12, 0.12), rng.uniform(0.0, 6.0))

    def shows(self, rgb: Rgb, at_s: float) -> Rgb:
        if self.grid is None:
            return rgb
        four, rim = cv2.cvtColor(pixelled(rgb, self.grid), cv2.COLOR_RGB2RGBA), RIM_PX
        wider = cv2.copyMakeBorder(four, rim, rim, rim, rim, cv2.BORDER_REPLICATE)
        seen = cv2.warpPerspective(wider, self._place(at_s), SIZE, flags=cv2.INTER_LINEAR)
        return np.asarray(cv2.cvtColor(seen, cv2.COLOR_RGBA2RGB), np.uint8)

    def _place(self, at_s: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        """A hand trembles by a pixel or two; a screen is never quite square to the camera."""
        left, top = SIZE[0] / 2 + RIM_PX, SIZE[1] / 2 + RIM_PX
        middle = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1.0]])
        lean = np.array([[1, 0, 0], [0, 1, 0], [self.yaw / SIZE[0], 0, 1.0]])
        x, y = 1.5 * math.sin(at_s * 1.7 + self.phase), 1.2 * math.sin(at_s * 2.3)
        back = np.array([[1, 0, SIZE[0] / 2 + x], [0, 1, SIZE[1] / 2 + y], [0, 0, 1.0]])
        return np.asarray(back @ lean @ middle)

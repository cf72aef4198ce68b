"""Who plays: the people of one half of the split, and the heads made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import cv2
import numpy as np

from edge.domain.challenge import Prompt
from edge.drivers.sim.head import Head
from edge.drivers.sim.portrait import Rgb
from edge.evaluate.scenes.bodies import Rng
from edge.evaluate.scenes.sitters import Shape, Sitter, card_of, head_of

Facts = dict[str, str | float]
Draw = Callable[[Prompt, float, float], Rgb]
"""Prompt, seconds since it was first shown, time of the session in seconds."""


@dataclass(slots=True)
class Show:
    """One session's scene. `card` is the portrait on the card that was laid down."""

    fps: float
    people: tuple[str, ...]
    card: Rgb = field(repr=False)
    draw: Draw = field(repr=False)
    facts: Facts
    presented: Callable[[], bool] = lambda: True  # whether the attack itself took place


class Group:
    """The people of ten sessions in a row, because a head takes a second to prepare.

    `sitter` is on the card; `other` is somebody else. `everyone` has photographs for cards.
    """

    def __init__(self, sitters: Sequence[Sitter], everyone: Sequence[Sitter], rng: Rng) -> None:
        self._everyone = everyone
        self.sitter = sitters[int(rng.integers(len(sitters)))]
        others = [one for one in sitters if one.person != self.sitter.person]
        self.other = others[int(rng.integers(len(others)))]
        self.shape = Shape(rng.uniform(0.85, 1.15), rng.uniform(84.0, 124.0))
        self.other_depth = rng.uniform(0.85, 1.15)
        self.glasses = bool(rng.random() < 0.25)

    @cached_property
    def head(self) -> Head:
        return head_of(self.sitter, self.shape)

    @cached_property
    def living_head(self) -> Head:
        """The same person in front of the kiosk, sometimes with drawn glasses."""
        return head_of(with_glasses(self.sitter), self.shape) if self.glasses else self.head

    @cached_property
    def other_head(self) -> Head:
        return head_of(self.other, replace(self.shape, depth=self.other_depth))

    @cached_property
    def card(self) -> Rgb:
        """From another photograph of the same person, if there is one."""
        same = [one for one in self._everyone if one.person == self.sitter.person]
        elsewhere = [one for one in same if one.photo != self.sitter.photo] or same
        return card_of(elsewhere[0])


def with_glasses(sitter: Sitter) -> Sitter:
    """Dark rims round both eyes, a bridge, and a little glare."""
    rgb, apart = sitter.rgb.copy(), sitter.eyes_px
    middles = [sitter.points[list(eye), :2].mean(0) for eye in ((33, 133), (362, 263))]
    fine = 4  # bits of sub-pixel drawing
    reach = (round(0.38 * apart * 2**fine), round(0.29 * apart * 2**fine))
    thick = max(1, round(apart / 22))
    for x, y in middles:
        at = (round(x * 2**fine), round((y + 0.05 * apart) * 2**fine))
        glare = rgb.copy()
        cv2.ellipse(glare, at, reach, 0, 0, 360, (225, 228, 230), -1, cv2.LINE_AA, fine)
        rgb = np.asarray(cv2.addWeighted(rgb, 0.92, glare, 0.08, 0), np.uint8)
        cv2.ellipse(rgb, at, reach, 0, 0, 360, (38, 34, 32), thick, cv2.LINE_AA, fine)
    (ax, ay), (bx, by) = middles
    inner = 0.38 * apart
    left, right = (round(ax + inner), round(ay)), (round(bx - inner), round(by))
    cv2.line(rgb, left, right, (38, 34, 32), thick, cv2.LINE_AA)
    return replace(sitter, rgb=rgb)

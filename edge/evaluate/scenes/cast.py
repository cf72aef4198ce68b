"""Who plays: the people of one half of the split, and the heads made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

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
    slow: bool = False  # whether the kiosk goes at its slow pace
    presented: Callable[[], bool] = lambda: True  # whether the attack itself took place


def in_turn(sitters: Sequence[Sitter], number: int) -> list[Sitter]:
    """Everybody's first photographs, then everybody's second, ...; begun at the `number`th."""
    seen = Counter[str]()
    ranks = []
    for sitter in sitters:
        ranks.append((seen[sitter.person], sitter))
        seen[sitter.person] += 1
    row = [sitter for _, sitter in sorted(ranks, key=lambda pair: pair[0])]
    start = number % len(row)
    return row[start:] + row[:start]


class Group:
    """The people of some sessions in a row, because a head takes a second to prepare.

    `sitter`, the first of `sitters`, is on the card; `other` is somebody else. `everyone` has
    photographs for cards.
    """

    def __init__(self, sitters: Sequence[Sitter], everyone: Sequence[Sitter], rng: Rng) -> None:
        self._everyone = everyone
        self.sitter = sitters[0]
        others = [one for one in sitters if one.person != self.sitter.person]
        self.other = others[int(rng.integers(len(others)))]
        self.shape = Shape(rng.uniform(0.85, 1.15), rng.uniform(84.0, 124.0))
        self.other_depth = rng.uniform(0.85, 1.15)

    @cached_property
    def head(self) -> Head:
        return head_of(self.sitter, self.shape)

    @cached_property
    def other_head(self) -> Head:
        return head_of(self.other, replace(self.shape, depth=self.other_depth))

    @cached_property
    def card(self) -> Rgb:
        """From another photograph of the same person, if there is one."""
        same = [one for one in self._everyone if one.person == self.sitter.person]
        elsewhere = [one for one in same if one.photo != self.sitter.photo] or same
        return card_of(elsewhere[0])

"""The order of pale hues that the screen shows while it asks whether a face is a head.

Gentle on purpose (WCAG 2.3.1 allows three flashes a second): at most three changes a second,
two hues of nearly the same brightness, no saturated red. Nobody knows an order beforehand.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache

from edge.domain.timebase import NS_PER_S, MonoNs

CHIPS = 14
CHIP_S = 0.36  # no more than three changes a second
MAX_RUN = 3  # chips alike in a row: slow drifts must not look like the code

Code = tuple[int, ...]
"""-1 is the bluish hue, +1 the yellowish one."""


class Hue(Enum):
    BLUISH = -1
    YELLOWISH = 1


@dataclass(frozen=True, slots=True)
class ScreenLight:
    """An order that runs since `began_ns`; the screen looks up what to show at any moment."""

    code: Code = field(repr=False)
    began_ns: MonoNs

    def hue_at(self, now_ns: MonoNs) -> Hue | None:
        """`None` before the beginning and after the end."""
        chip = chip_at(self.code, (now_ns - self.began_ns) / NS_PER_S)
        return Hue(chip) if chip else None


def chip_at(code: Code, since_s: float) -> int:
    """The hue `since_s` after the beginning; 0 before it and after its end."""
    number = int(since_s // CHIP_S)
    return code[number] if 0 <= number < len(code) else 0


@cache
def codes() -> tuple[Code, ...]:
    """Every allowed order: as many of one hue as of the other, no run of more than three."""
    found: list[Code] = []
    for number in range(1 << CHIPS):
        chips = tuple(1 if number >> bit & 1 else -1 for bit in range(CHIPS))
        if sum(chips) == 0 and longest_run(chips) <= MAX_RUN:
            found.append(chips)
    return tuple(found)


def longest_run(chips: Code) -> int:
    return max(len(list(run)) for _, run in itertools.groupby(chips))


def draw(choose: Callable[[Sequence[Code]], Code]) -> Code:
    """One order; `choose` must be a cryptographic choice among equals."""
    return choose(codes())


def draw_long(choose: Callable[[Sequence[Code]], Code], parts: int) -> Code:
    """Several orders one after the other, drawn anew where two do not fit together."""
    code = draw(choose)
    while len(code) < parts * CHIPS:
        longer = code + draw(choose)
        if longest_run(longer) <= MAX_RUN:
            code = longer
    return code

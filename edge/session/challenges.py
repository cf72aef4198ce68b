"""Which movements are asked for: random, never flat, and never one that this person cannot make.

A flat photograph cannot turn its head and nod convincingly (measured: none of 327 tilted
prints passed), so every sequence has at least one yaw and one pitch action, and no immediate
repeat. Whoever guesses has to guess among `FLOOR` sequences at least: six actions in four
steps leave 536. Each action that is left out costs sequences, and a step more brings them
back; where six steps do not, a person decides. In one of three tries "keep still" comes
between two movements: a film or a script that goes on all the same gives itself away.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import cache

from edge.domain.challenge import MOVEMENTS, Action

STEPS = 4
MAX_STEPS = 6
FLOOR = 250
"""Equally likely sequences, at least."""

STILL_IN = 3  # tries, once

NOTHING: frozenset[Action] = frozenset()
Sequences = Sequence[tuple[Action, ...]]


@cache
def sequences(left_out: frozenset[Action] = NOTHING) -> tuple[tuple[Action, ...], ...]:
    """All to draw from, in a fixed order; none if no number of steps reaches the floor."""
    repertoire = [action for action in MOVEMENTS if action not in left_out]
    for steps in range(STEPS, MAX_STEPS + 1):
        found = tuple(s for s in itertools.product(repertoire, repeat=steps) if _allowed(s))
        if len(found) >= FLOOR:
            return found
    return ()


def _allowed(sequence: tuple[Action, ...]) -> bool:
    axes = {action.axis for action in sequence}
    repeats = any(a is b for a, b in itertools.pairwise(sequence))
    return {"yaw", "pitch"} <= axes and not repeats


def draw(
    choose: Callable[[Sequences], tuple[Action, ...]], left_out: frozenset[Action] = NOTHING
) -> tuple[Action, ...]:
    """One sequence, empty if a person has to decide; `choose`: a cryptographic choice of equals.

    Who cannot keep still is not asked to.
    """
    allowed = sequences(left_out)
    if not allowed:
        return ()
    drawn = choose(allowed)
    return drawn if Action.STILL in left_out else choose(_with_and_without_still(drawn))


def _with_and_without_still(drawn: tuple[Action, ...]) -> Sequences:
    """It may come after any movement but the last, and more often does not come at all."""
    still = [(*drawn[:at], Action.STILL, *drawn[at:]) for at in range(1, len(drawn))]
    return [drawn] * (len(still) * (STILL_IN - 1)) + still

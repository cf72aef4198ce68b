"""Which movements are asked for: random, never flat, and never one that this person cannot make.

A flat photograph cannot turn its head and nod convincingly (measured: none of 327 tilted
prints passed), so every sequence has at least one yaw and one pitch action, and no immediate
repeat. Whoever guesses has to guess among `FLOOR` sequences at least: six actions in four
steps leave 536. Each action that is left out costs sequences, and a step more brings them
back; where six steps do not, a person decides.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import cache

from edge.domain.challenge import Action

STEPS = 4
MAX_STEPS = 6
FLOOR = 250
"""Equally likely sequences, at least."""

NOTHING: frozenset[Action] = frozenset()
Sequences = Sequence[tuple[Action, ...]]


@cache
def sequences(left_out: frozenset[Action] = NOTHING) -> tuple[tuple[Action, ...], ...]:
    """All to draw from, in a fixed order; none if no number of steps reaches the floor."""
    repertoire = [action for action in Action if action not in left_out]
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
    """One sequence, empty if a person has to decide; `choose`: a cryptographic choice of equals."""
    allowed = sequences(left_out)
    return choose(allowed) if allowed else ()

"""Which movements are asked for: random, four steps, never flat.

A flat photograph cannot turn its head and nod convincingly (measured: none of
327 tilted prints passed), so every sequence has at least one yaw and one pitch
action. Without an immediate repeat, six actions in four steps leave 536
equally likely sequences.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from edge.domain.challenge import Action

STEPS = 4
REPERTOIRE = tuple(Action)

Sequence4 = tuple[Action, ...]


def sequences(
    repertoire: Sequence[Action] = REPERTOIRE, steps: int = STEPS
) -> tuple[Sequence4, ...]:
    """All allowed sequences, in a fixed order."""
    return tuple(s for s in itertools.product(repertoire, repeat=steps) if _allowed(s))


def _allowed(sequence: Sequence4) -> bool:
    axes = {action.axis for action in sequence}
    repeats = any(a is b for a, b in itertools.pairwise(sequence))
    return {"yaw", "pitch"} <= axes and not repeats


def draw(choose: Callable[[Sequence[Sequence4]], Sequence4]) -> Sequence4:
    """One sequence; `choose` must be a cryptographic choice among equals."""
    return choose(_ALL)


_ALL = sequences()

"""The machine's part for who cannot do everything the camera asks for (feature 11). Pure.

The person says so, before or in the middle of a try, and the check is another one at once: what
they cannot do is left out, everything takes longer and is written larger. Who cannot move the
head has no safe sequence, so a person serves them. None of it is written down anywhere.
"""

from __future__ import annotations

from dataclasses import replace

from edge.domain.challenge import Action
from edge.session.events import Button
from edge.session.pace_states import Pace
from edge.session.states import Consenting, Retrying, State, Watching

NEEDS = (Button.EASIER_EYES, Button.EASIER_EARS, Button.EASIER_NECK)
_LEFT_OUT = {Button.EASIER_EYES: frozenset({Action.BLINK})}


def way_in(state: State) -> tuple[Button, ...]:
    """The key that leads there, where there is one. Whom staff serve have somebody to tell."""
    match state:
        case Consenting(visit) | Watching(visit) | Retrying(visit, exhausted=False):
            return () if visit.witness else (Button.EASIER,)
        case _:
            return ()


def eased(state: Pace, button: Button) -> Consenting | Watching | Retrying:
    """Where they came from, with less to do."""
    visit = state.visit
    left_out = visit.left_out | _LEFT_OUT.get(button, frozenset())
    return replace(state.back, visit=replace(visit, left_out=left_out))

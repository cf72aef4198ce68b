"""The hue that the ground of the screen takes on while it serves as a lamp."""

from __future__ import annotations

from edge.domain.light import Hue
from edge.domain.timebase import MonoNs
from edge.session.states import State, Watching
from edge.ui.theme import Colour

YELLOWISH: Colour = "#FFF7D1"
BLUISH: Colour = "#DBF2FF"
"""Pale and of nearly one brightness: a change between them is no flash, words stay readable."""

_COLOURS = {Hue.YELLOWISH: YELLOWISH, Hue.BLUISH: BLUISH}


def glow_of(state: State, now_ns: MonoNs) -> Colour:
    """Empty where the ground keeps its own colour: almost always."""
    light = state.progress.light if isinstance(state, Watching) else None
    hue = light.hue_at(now_ns) if light else None
    return _COLOURS[hue] if hue else ""

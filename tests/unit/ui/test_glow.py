"""The screen as a lamp: gentle to eyes, readable, and only where it is asked for."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from edge.domain.challenge import Hint, Prompt
from edge.domain.light import CHIP_S, Hue, ScreenLight, codes, draw_long, longest_run
from edge.domain.timebase import NS_PER_S, MonoNs
from edge.session.states import Home
from edge.ui import theme
from edge.ui.glow import BLUISH, YELLOWISH, glow_of
from tests.ui_world import watching

LIGHT = ScreenLight(codes()[7], MonoNs(0))


def luminance(colour: str) -> float:
    """Relative luminance of WCAG, by way of the contrast with black."""
    return theme.contrast(colour, "#000000") * 0.05 - 0.05


def test_no_change_is_a_flash() -> None:
    """WCAG 2.3.1: a flash changes by a tenth of the luminance, the darker side below 0.8."""
    ground = theme.Palette().ground
    for one, other in itertools.combinations((YELLOWISH, BLUISH, ground), 2):
        assert abs(luminance(one) - luminance(other)) < 0.1
        assert min(luminance(one), luminance(other)) > 0.8
    assert CHIP_S >= 1 / 3
    for colour in (YELLOWISH, BLUISH):
        red, green, blue = theme.rgb(colour)
        assert red / (red + green + blue) < 0.8, "no saturated red"


@pytest.mark.parametrize("ground", [YELLOWISH, BLUISH])
def test_words_can_be_read_on_either_hue(ground: str) -> None:
    palette = theme.Palette()
    for ink in (palette.ink, palette.quiet_ink, palette.good):
        assert theme.contrast(ink, ground) >= 4.5


def test_the_ground_follows_the_order_and_then_is_itself_again() -> None:
    state = watching(Prompt.LEFT, None, 0)
    state = replace(state, progress=replace(state.progress, light=LIGHT))
    shown = [glow_of(state, MonoNs(int((n + 0.5) * CHIP_S * NS_PER_S))) for n in range(-1, 15)]
    colours = {Hue.YELLOWISH: YELLOWISH, Hue.BLUISH: BLUISH}
    assert shown == ["", *(colours[Hue(chip)] for chip in LIGHT.code), ""]


def test_nothing_glows_where_nobody_asked() -> None:
    assert glow_of(watching(Prompt.LEFT, Hint.TOO_FAR, 1), MonoNs(1)) == ""
    assert glow_of(Home(), MonoNs(1)) == ""


def test_long_orders_stay_balanced_and_never_monotonous() -> None:
    drawn = itertools.cycle(codes()[::37])
    code = draw_long(lambda _: next(drawn), 4)
    assert len(code) == 56
    assert sum(code) == 0
    assert longest_run(code) <= 3

"""Contrast, sizes in millimetres, and where lines break."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.session.states import Language
from edge.ui import theme
from edge.ui.texts import catalogue
from edge.ui.theme import REFERENCE_PX_PER_MM, Palette, Theme, contrast
from edge.ui.typeset import Box, columns, rows, wrap

WRITTEN = Palette().written | {"band": (theme.BAND_INK, theme.BAND)}


@pytest.mark.parametrize("place", WRITTEN)
def test_words_stand_out_from_their_ground(place: str) -> None:
    ink, ground = WRITTEN[place]
    assert contrast(ink, ground) >= 4.5


def test_contrast_is_that_of_the_guideline() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


def mm(px: float) -> float:
    return px / REFERENCE_PX_PER_MM


def test_sizes_on_the_reference_panel() -> None:
    assert mm(theme.FLOOR_PX) >= 3.8
    smallest = (theme.BODY_PX, theme.HINT_PX, theme.NOTE_PX, theme.FOOTER_PX, theme.BAND_PX)
    assert min(smallest) >= theme.FLOOR_PX
    assert theme.PROMPT_FLOOR_PX >= 40
    assert mm(theme.PROMPT_FLOOR_PX) >= 6.4
    assert mm(theme.KEY_HEIGHT_PX) >= 20
    assert mm(theme.GAP_PX) >= 5
    assert theme.BAR_HEIGHT_PX >= theme.KEY_HEIGHT_PX


def test_everything_fits_a_smaller_window() -> None:
    assert Theme.for_window(1280, 800).scale == 1
    assert Theme.for_window(1024, 600).scale == 0.75
    assert Theme.for_window(800, 480).px(100) == 60


# --- lines ------------------------------------------------------------------------


def em(text: str) -> float:
    """A measure for tests: Chinese characters are 10 wide, others 5."""
    return sum(5 if char < "\u2000" else 10 for char in text)


def test_a_short_text_is_one_line() -> None:
    assert wrap("请抬头", 100, em) == ["请抬头"]


def test_lines_end_where_the_sense_does() -> None:
    assert wrap("不刷脸，找工作人员办理", 80, em) == ["不刷脸，", "找工作人员办理"]


def test_latin_words_stay_whole_and_lines_are_even() -> None:
    assert wrap("No face, ask a member of staff", 110, em) == ["No face, ask a", "member of staff"]


def test_no_line_begins_with_a_closing_mark_or_ends_with_an_opening_one() -> None:
    for language in Language:
        for words in catalogue(language).values():
            for width in (90, 130, 200):
                for line in wrap(words, width, em):
                    assert line[0] not in "，。、；：！？）”’》】」…"
                    assert line[-1] not in "（“‘《【「"


@given(st.text("甲乙丙，。“”ab c", min_size=1, max_size=60), st.integers(40, 300))
def test_wrapping_loses_nothing_and_keeps_to_the_width(text: str, width: int) -> None:
    lines = wrap(text, width, em)
    assert "".join("".join(lines).split()) == "".join(text.split())
    for line in lines:
        whole = wrap(line, 10_000, em)
        assert em(line) <= width or len(wrap(line, 1, em)) == 1, (line, whole)


def test_boxes() -> None:
    box = Box(10, 20, 300, 100)
    assert columns(box, 2, 20) == [Box(10, 20, 140, 100), Box(170, 20, 140, 100)]
    assert rows(box, [30, 40], 10) == [Box(10, 20, 300, 30), Box(10, 60, 300, 40)]
    assert box.without(top=10, foot=10, left=5, end=5) == Box(15, 30, 290, 80)
    assert box.middle(100, 50).centre == box.centre
    assert box.holds(10, 20)
    assert not box.holds(310, 20)

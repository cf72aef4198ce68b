"""Contrast, sizes in millimetres, and where lines break."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.session.states import Language
from edge.ui import glow
from edge.ui.texts import catalogue
from edge.ui.theme import ELDER, GAP_MM, KEY_MM, PANELS, Palette, Panel, Role, Theme, contrast
from edge.ui.typeset import Box, columns, rows, wrap

USUAL = Palette().written
LARGE = ELDER.written


@pytest.mark.parametrize("place", USUAL)
def test_words_stand_out_from_their_ground(place: str) -> None:
    assert contrast(*USUAL[place]) >= 4.5


@pytest.mark.parametrize("place", LARGE)
def test_in_elder_mode_words_stand_out_more(place: str) -> None:
    assert contrast(*LARGE[place]) >= 7


def test_words_stand_out_while_the_screen_serves_as_a_lamp() -> None:
    for palette, least in ((Palette(), 4.5), (ELDER, 7.0)):
        for ground in (glow.YELLOWISH, glow.BLUISH):
            inks = (palette.ink, palette.quiet_ink, palette.good)
            assert min(contrast(ink, ground) for ink in inks) >= least


def test_contrast_is_that_of_the_guideline() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


def test_letters_are_as_large_as_asked_for() -> None:
    """Body 24 dp and key prompts 40 dp; in elder mode 40 and 60."""
    read = (Role.BODY, Role.LEAD, Role.HINT, Role.TYPED)
    for large, least in ((False, 24), (True, 40)):
        theme = Theme(PANELS[0], large)
        assert min(theme.letters_dp(role)[1] for role in read) >= least
        assert theme.letters_dp(Role.PROMPT)[1] >= (60 if large else 40)
        assert min(theme.letters_dp(role)[1] for role in Role) >= 24
        assert all(want >= floor for want, floor in map(theme.letters_dp, Role))


def test_millimetres_and_dp_are_those_of_the_true_panel() -> None:
    assert {(p.width_px, p.height_px): p.dpi for p in PANELS} == {
        (800, 480): 133, (1024, 600): 118, (1280, 800): 149, (720, 1280): 210,
    }  # fmt: skip
    assert Theme(PANELS[2]).mm(25.4) == 149
    assert Theme(PANELS[3]).dp(160) == 210
    assert (KEY_MM, GAP_MM) == (20, 5)


def test_a_desktop_window_of_another_size_is_a_picture_of_the_same_panel() -> None:
    assert PANELS[2].seen_at(1280, 800) == PANELS[2]
    assert PANELS[2].seen_at(640, 480) == Panel(640, 480, 149 / 2)


# --- lines ------------------------------------------------------------------------


def em(text: str) -> float:
    """A measure for tests: Chinese characters are 10 wide, others 5."""
    return sum(5 if char < "\u2000" else 10 for char in text)


def test_a_short_text_is_one_line() -> None:
    assert wrap("请抬头", 100, em) == ["请抬头"]


def test_lines_end_where_the_sense_does() -> None:
    assert wrap("不刷脸，找工作人员办理", 80, em) == ["不刷脸，", "找工作人员办理"]


def test_a_line_does_not_begin_with_a_raised_dot() -> None:
    assert wrap("桂园街道社保所 · 桂园社区", 90, em) == ["桂园街道社保所 ·", "桂园社区"]


def test_words_are_torn_only_where_nothing_else_is_left() -> None:
    assert wrap("请放在身份证感应区", 60, em) == ["请放在", "身份证感应区"]
    assert wrap("身份证感应区", 45, em) == ["身份证", "感应区"]


def test_a_number_is_torn_only_when_asked_for() -> None:
    number = "100000194508150029"
    assert wrap(number, 60, em) == [number]
    assert wrap(number, 60, em, tear_numbers=True) == [number[:10], number[10:]]


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
    assert box.apart(Box(330, 20, 10, 10)) == 20
    assert box.apart(Box(300, 20, 50, 10)) == -10
    assert Box(20, 30, 10, 10).within(box)
    assert not Box(5, 30, 10, 10).within(box)

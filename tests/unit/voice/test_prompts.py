"""What the kiosk can say, and whether everybody can read it too."""

from __future__ import annotations

from typing import get_args

import pytest

from edge.session.states import Home, Language, State
from edge.ui import prompts
from edge.ui.prompts import CAPTION_DIFFERS, clauses, sentences, uncaptioned
from edge.ui.texts import placeholders
from edge.ui.viewmodel import view
from tests.ui_world import FACTS, NOW, every_state, gallery, hurried, session

LANGUAGES = pytest.mark.parametrize("language", Language)


def spoken(language: Language) -> set[str]:
    """Every sentence spoken on the screens of the tests' own world, found independently."""
    sessions = [session(state, language) for state in every_state()]
    sessions += [hurried(s, language) for s in every_state() if not isinstance(s, Home)]
    sessions += [found for _, found in gallery(language)]
    screens = [view(found, NOW, FACTS) for found in sessions]
    return {words for screen in screens for words in screen.spoken.split("\n") if words}


@LANGUAGES
def test_every_sentence_a_screen_speaks_is_a_prompt_and_no_prompt_is_idle(
    language: Language,
) -> None:
    assert {s.at(FACTS) for s in sentences(language)} == spoken(language)


def test_all_kinds_of_states_are_asked() -> None:
    assert {type(state) for state in prompts._states()} == set(get_args(State))


def test_both_languages_have_the_same_prompts() -> None:
    zh, en = sentences(Language.ZH), sentences(Language.EN)
    assert [s.key for s in zh] == [s.key for s in en]
    assert len(zh) > 60


def test_only_the_agency_and_its_telephone_change_from_site_to_site() -> None:
    open_ones = {s.key: placeholders(s.words) for s in sentences(Language.ZH) if not s.is_fixed}
    assert open_ones == {"consent.who": {"agency", "phone"}}


@LANGUAGES
def test_k28_every_spoken_clause_stands_on_the_screen(language: Language) -> None:
    bare = {s.key for s in sentences(language) if s.uncaptioned}
    assert bare == set(CAPTION_DIFFERS)


@LANGUAGES
def test_captions_hold_for_every_example_screen(language: Language) -> None:
    allowed = {c for s in sentences(language) if s.key in CAPTION_DIFFERS for c in s.uncaptioned}
    for name, found in gallery(language):
        assert uncaptioned(view(found, NOW, FACTS)) <= allowed, name


def test_clauses() -> None:
    assert clauses("请抬头，别动。好！\n第二句…") == ["请抬头", "别动", "好", "第二句…"]
    assert clauses("One; two. Three") == ["One", "two", "Three"]

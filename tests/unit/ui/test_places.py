"""The same key at the same place, and keys that stand together alike; no window, no font."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import pytest

from edge.session.events import Button
from edge.session.states import Language
from edge.ui.arrange import plan
from edge.ui.pieces import Key, Kit, Text
from edge.ui.screen import Screen
from edge.ui.texts import text
from edge.ui.theme import PANELS, Panel, Theme
from edge.ui.viewmodel import view
from tests.ui_world import FACTS, NOW, gallery

NARROW = 0x2000
ALWAYS = (Button.HELP, Button.HOME, Button.CALL_STAFF)
"""What hardly any screen after the card lacks."""
WIDE, SEVEN = PANELS[1:3], (PANELS[0], PANELS[3])


def measure(bold: bool, size_px: float, words: str) -> float:
    return size_px * sum(0.55 if ord(letter) < NARROW else 1.0 for letter in words)


def keys_on(panel: Panel, *, large: bool) -> Iterator[tuple[Screen, list[Key]]]:
    kit = Kit(Theme(panel, large), measure)
    for _, session in gallery(Language.ZH):
        screen = view(replace(session, large=large), NOW, FACTS)
        first = plan(kit, screen)
        yield screen, first.keys
        for leaf in range(1, first.pages):
            page = replace(screen, leaf=leaf)
            yield page, plan(kit, page).keys


def places(panel: Panel, *, large: bool) -> dict[Button, set[tuple[int, int]]]:
    """Where each key of the footer stands, on whatever screen without a keypad."""
    found: dict[Button, set[tuple[int, int]]] = defaultdict(set)
    for screen, keys in keys_on(panel, large=large):
        footer = {choice.button for choice in screen.footer.buttons}
        for key in keys if not screen.keypad else ():
            if key.choice.button in footer:
                found[key.choice.button].add((round(key.box.x), round(key.box.y)))
    return found


@pytest.mark.parametrize("panel", WIDE)
def test_in_the_bar_of_a_wide_panel_no_key_ever_moves(panel: Panel) -> None:
    for button, where in places(panel, large=True).items():
        assert len(where) == 1, button


@pytest.mark.parametrize("panel", SEVEN)
def test_on_7_inches_help_home_and_a_person_stand_where_they_stood(panel: Panel) -> None:
    found = places(panel, large=True)
    for button in ALWAYS:
        assert len(found[button]) == 1, button


@pytest.mark.parametrize("panel", SEVEN)
def test_choices_of_a_screen_have_letters_of_one_size(panel: Panel) -> None:
    for screen, keys in keys_on(panel, large=True):
        chosen = {choice.button for choice in screen.choices} - {Button.START_PROOF}
        labels = [k.parts[0] for k in keys if k.choice.button in chosen and not screen.keypad]
        sizes = {round(label.size_px, 1) for label in labels if isinstance(label, Text)}
        assert len(sizes) <= 1, screen.name


def test_what_may_give_way_is_told_by_voice_or_keys() -> None:
    """What only a hint says is never left out: where to ask, who has to agree, how to correct."""
    for language in Language:
        shown = {name: view(session, NOW, FACTS) for name, session in gallery(language)}
        for name in ("consent_target", "help", "mine_data"):
            assert shown[name].hint
            assert not shown[name].hint_spare, name
        for name in ("choose", "confirm", "history"):
            assert shown[name].hint_spare
            assert shown[name].spoken
        later = text(language, "finished.offline_more").strip()
        assert later in shown["finished_offline"].hint
        assert later in shown["finished_offline"].spoken

"""What every screen says, shows and speaks, as text a reviewer can read.

To accept what the screens say now:

    ACCEPT_SCREENS=1 python -m pytest tests/golden/test_screen_texts.py
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.session.states import Language
from edge.ui.screen import Screen
from edge.ui.viewmodel import view
from tests.ui_world import FACTS, NOW, gallery

EXPECTED = Path(__file__).parent / "screens"


def told(screen: Screen) -> Iterator[str]:
    """One line for each thing that is there."""
    yield f"{screen.name} {screen.layout.value} {screen.tone.value} art={screen.art.value}"
    for key in ("title", "prompt", "advice", "hint", "note", "progress_words"):
        if getattr(screen, key):
            yield f"  {key}: {getattr(screen, key)}"
    yield from (f"  line: {line}" for line in screen.lines)
    yield from (f"  field: {label} = {value}" for label, value in screen.fields)
    yield from (f"  {c.weight.value}: [{c.label}] {c.button.value}" for c in screen.buttons)
    yield f"  footer: {screen.footer.terminal} | {screen.footer.time_left}"
    yield f"  spoken: {screen.spoken!r}"


@pytest.mark.parametrize("language", Language)
def test_what_the_screens_say(language: Language) -> None:
    blocks = [
        "\n".join([f"# {name}", *told(view(session, NOW, FACTS))])
        for name, session in gallery(language)
    ]
    text = "\n\n".join(blocks) + "\n"
    path = EXPECTED / f"texts.{language.value}.txt"
    if os.environ.get("ACCEPT_SCREENS"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text

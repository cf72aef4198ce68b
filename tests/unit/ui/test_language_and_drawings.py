"""Room for more languages, no words in the code, and drawings that are our own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import edge
from edge.session.events import Button, Pressed
from edge.session.machine import LANGUAGES, step
from edge.session.states import Language
from edge.ui.screen import SIMULATED_BAND
from edge.ui.viewmodel import view
from tests.session_world import World
from tests.ui_world import FACTS, NOW, gallery

EDGE = Path(edge.__file__).parent
HAN = re.compile(r"[\u3400-\u9fff]")


def test_k02_one_key_goes_round_all_languages_from_every_screen() -> None:
    for name, session in gallery(Language.ZH):
        seen = [session.language]
        while True:
            (key,) = view(session, NOW, FACTS).languages
            session = step(session, Pressed(key.button), World().context()).session
            if session.language is seen[0]:
                break
            seen.append(session.language)
        assert seen == list(Language), name


def test_each_language_has_its_own_key() -> None:
    assert set(LANGUAGES.values()) == set(Language)
    assert all(isinstance(button, Button) for button in LANGUAGES)


def literals(path: Path) -> Iterator[str]:
    """Strings that are no docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bodies = [getattr(node, "body", None) for node in ast.walk(tree)]
    words = {
        id(statement.value)
        for body in bodies
        if isinstance(body, list)
        for statement in body
        if isinstance(statement, ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in words:
            yield node.value


KNOWS_CHARACTERS = {"fonts.py", "typeset.py", "prompts.py"}
"""Which characters there are, where a line may end, why a caption differs: nobody reads these."""


def test_no_screen_has_words_of_its_own() -> None:
    paths = [*(EDGE / "session").glob("*.py"), *(EDGE / "ui").glob("*.py")]
    found = [
        (path.name, words)
        for path in paths
        if path.name not in KNOWS_CHARACTERS
        for words in literals(path)
        if HAN.search(words) and words != SIMULATED_BAND
    ]
    assert found == []
    assert len(paths) > 40


def test_every_drawing_is_strokes_of_ours_and_no_picture_is_shipped() -> None:
    shipped = {path.suffix for path in (EDGE / "ui").rglob("*") if path.is_file()}
    assert shipped <= {".py", ".pyc", ".toml"}

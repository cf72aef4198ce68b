"""Every screen on every panel, in every language, with usual letters and large ones.

Words that do not fit, keys under 20 mm or nearer than 5 mm, words on words, and
buttons nobody can reach are found by laying the screens out; no window is opened.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from edge.session.states import Language
from edge.ui.fonts import SOURCE
from edge.ui.theme import PANELS
from tests.ui_world import gallery

ROOT = Path(__file__).parent.parent.parent.parent
Looks = list[dict[str, Any]]

pytestmark = pytest.mark.skipif(
    not SOURCE.is_dir(), reason="needs the Debian package fonts-noto-cjk"
)


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Looks:
    """In a process of its own: Kivy, which measures the letters, is set up once for good."""
    out = tmp_path_factory.mktemp("layout") / "looks.json"
    command = [sys.executable, "-m", "tests.ui_layout", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: Looks = json.loads(out.read_text(encoding="utf-8"))
    return found


def test_every_screen_is_laid_out_for_every_panel_language_and_size_of_letters(
    laid_out: Looks,
) -> None:
    seen = Counter((one["name"], one["language"]) for one in laid_out)
    wanted = {(name, lang.value) for lang in Language for name, _ in gallery(lang)}
    assert set(seen) == wanted
    assert set(seen.values()) == {len(PANELS) * 2}


def test_nothing_is_cut_off_too_small_too_near_or_missing(laid_out: Looks) -> None:
    bad = [(o["name"], o["language"], o["panel"], o["large"], o["faults"]) for o in laid_out]
    assert [one for one in bad if one[-1]] == []


def test_keys_are_20_mm_with_5_mm_between_them_on_the_true_panel(laid_out: Looks) -> None:
    assert min(one["min_key_mm"] for one in laid_out) >= 19.95
    assert min(one["min_gap_mm"] for one in laid_out) >= 4.95


def test_a_key_of_the_footer_stands_at_the_same_place_on_every_screen(laid_out: Looks) -> None:
    """On 7 inches the way back and scanning have a second place, where they save a line of keys."""
    seen: dict[tuple[str, bool, str], set[tuple[int, int]]] = {}
    for one in laid_out:
        for button, place in one["footer"].items():
            seen.setdefault((one["panel"], one["large"], button), set()).add(tuple(place))
    small = {"800x480", "720x1280"}
    for (panel, _, button), places in seen.items():
        firm = panel not in small or button in ("help", "home", "call_staff")
        assert len(places) <= (1 if firm else 2), (panel, button, places)
    assert {button for _, _, button in seen} >= {"back", "help", "home", "call_staff", "scan"}


def test_at_most_three_choices(laid_out: Looks) -> None:
    assert max(one["choices"] for one in laid_out) == 3


def test_with_usual_letters_on_ten_inches_hardly_anything_has_a_second_page(
    laid_out: Looks,
) -> None:
    wide = [o for o in laid_out if o["panel"] in ("1024x600", "1280x800") and not o["large"]]
    assert max(o["pages"] for o in wide) <= 2
    assert sum(o["pages"] > 1 for o in wide) < len(wide) / 20


def test_the_check_is_no_rubber_stamp() -> None:
    """A key of the wrong size, cut-off words and an unreachable button are told."""
    program = (
        "from tests import ui_layout as u; from dataclasses import replace;"
        "from edge.ui.kivy_app import set_up; from edge.ui.theme import Panel;"
        "from edge.session.states import Language; from tests.ui_world import gallery;"
        "set_up((1280, 800), False, u.CACHE / 'kivy');"
        "shown = dict(gallery(Language.EN))['consent'];"
        "print(u.look('consent', shown, Panel(480, 320, 165), large=True).faults)"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "clipped" in done.stdout
    assert "key of" in done.stdout or "off the panel" in done.stdout

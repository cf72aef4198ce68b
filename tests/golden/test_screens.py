"""Every screen as it is really drawn, pixel by pixel, on four panels, in both sizes of letters.

Expected pictures are PNGs in `screens/SERIES/`, so that a reviewer sees a change in
the diff. To accept what the window draws now:

    ACCEPT_SCREENS=1 python -m pytest tests/golden/test_screens.py

A picture that is missing fails, and so does one that no screen draws.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zxingcpp
from PIL import Image

from edge.ui.fonts import SOURCE
from edge.ui.theme import PANELS
from tests.ui_world import CODE

Pixels = np.ndarray[Any, Any]

ROOT = Path(__file__).parent.parent.parent
EXPECTED = Path(__file__).parent / "screens"
ACCEPT = bool(os.environ.get("ACCEPT_SCREENS"))

LETTERS = ("usual", "large")
SERIES = [f"{p.width_px}x{p.height_px}-{letters}" for p in PANELS for letters in LETTERS]
WHOLE = "1280x800-usual"
"""Every screen is kept in this series, the telling ones in all."""

TELLING = (
    *("home", "who_for", "await_card", "confirm", "choose", "consent", "choose_hurry"),
    *("watch_frame", "watch_left", "watch_up_hint", "review", "finished", "finished_code"),
    *("turned_not_found", "type_number", "type_name_pick", "service_devices", "staff_pin"),
)
"""One for each way a screen is arranged, and those most people see. That nothing is cut off
anywhere is checked for every screen on every panel, see `tests/unit/ui/test_layout.py`."""

ALIKE = (
    "await_card_card_lies",
    "choose_failed",
    "choose_printed",
    "choose_printing",
    "code_genuine_simulated",
    "code_letter",
    "finished_code_offline",
    "reprint_card_again",
    "reprint_gone",
    "scan_from_home",
    "confirm_revealed",
    "confirm_hurry",
    "consent_hurry",
    "help_from_home",
    "history_done",
    "retry_not_alike",
    "review_to_staff",
    "service_camera_failed",
    "service_check_next",
    "service_confirm_restart",
    "service_devices_next",
    "service_going_restart",
    "service_longest",
    "service_menu_reading",
    "service_menu_well",
    "service_printing",
    "staff_badge_typed",
    "staff_old_list",
    "turned_camera_down",
    "turned_card_unreadable",
    "turned_out_of_service",
    "turned_store_down",
)
"""Drawn and searched for cut-off words, but so much like another that no picture is kept."""

PALETTE_ERROR = 24
"""An expected picture has a palette, which moves no channel by more than this, of 255."""

SHADE = 2 * PALETTE_ERROR
"""Two pixels are the same if no channel differs by more: half of it is the palette's, half is left
for another rasteriser's soft edges. Ink against ground differs by more than 100 everywhere."""

SPECKS = 40
"""So many pixels may differ. The smallest change a reader would see, a comma that became a full
stop, moves more (see the test below); repeated runs on one machine move none."""

pytestmark = [
    pytest.mark.window,
    pytest.mark.skipif(not SOURCE.is_dir(), reason="needs the Debian package fonts-noto-cjk"),
]


def each_series(test: Any) -> Any:
    """In each series; the first test of one waits for all its pictures."""
    return pytest.mark.timeout(600)(pytest.mark.parametrize("series", SERIES)(test))


def photograph(folder: Path, series: str, names: tuple[str, ...]) -> None:
    """Draw screens (all, if none is named) in a window of the series' size."""
    command = [sys.executable, "-m", "tests.window.photographer", str(folder), *series.split("-")]
    subprocess.run(
        [*command, *names],
        cwd=ROOT,
        env={**os.environ, "SDL_VIDEODRIVER": "offscreen"},
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=600,
    )


class Studio:
    """Draws a series when a test first asks for it, in whatever order tests run."""

    def __init__(self, make: pytest.TempPathFactory) -> None:
        self._make = make
        self._drawn: dict[str, Path] = {}

    def drawn(self, series: str) -> Path:
        if series not in self._drawn:
            folder = self._make.mktemp(series)
            photograph(folder, series, () if series == WHOLE else TELLING)
            if ACCEPT:
                accept(folder, EXPECTED / series)
            self._drawn[series] = folder
        return self._drawn[series]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(tmp_path_factory)


@pytest.fixture
def drawn(series: str, studio: Studio) -> Path:
    return studio.drawn(series)


def kept(folder: Path) -> set[str]:
    """Names of the pictures that are compared: `SCREEN.LANGUAGE`, `.2` for its second page."""
    names = {path.stem for path in folder.glob("*.png")}
    return {name for name in names if name.partition(".")[0] not in ALIKE}


def accept(folder: Path, expected: Path) -> None:
    """Replace the expected pictures that changed, drop those nobody draws."""
    expected.mkdir(parents=True, exist_ok=True)
    for old in expected.glob("*.png"):
        if old.stem not in kept(folder):
            old.unlink()
    for name in sorted(kept(folder)):
        target, new = expected / f"{name}.png", folder / f"{name}.png"
        if not target.exists() or differing(target, new):
            save_small(pixels(new), target)


def save_small(picture: Pixels, target: Path) -> None:
    """Write with as few colours as keep every channel within `PALETTE_ERROR`."""
    codes, places, counts = np.unique(
        picture.reshape(-1, 3), axis=0, return_inverse=True, return_counts=True
    )
    palette = codes[np.argsort(-counts)[:40]]
    while (distances := apart(codes, palette)).min(axis=1).max() > PALETTE_ERROR:
        palette = np.vstack([palette, codes[distances.min(axis=1).argmax()]])
    nearest = distances.argmin(axis=1)[places.reshape(picture.shape[:2])]
    image = Image.fromarray(nearest.astype(np.uint8), "P")
    image.putpalette(palette.astype(np.uint8).tobytes())
    image.save(target, optimize=True)


def apart(codes: Pixels, palette: Pixels) -> Pixels:
    """Largest difference of a channel, between each colour (rows) and each of the palette."""
    found: Pixels = np.abs(codes[:, None] - palette[None]).max(axis=2)
    return found


def pixels(path: Path) -> Pixels:
    """Height x width x 3, 0..255."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"), dtype=np.int16)


def differing(one: Path, other: Path) -> int:
    first, second = pixels(one), pixels(other)
    if first.shape != second.shape:
        return first.size
    return int((np.abs(first - second).max(axis=2) > SHADE).sum())


@each_series
def test_no_expected_picture_is_missing_or_left_over(series: str, drawn: Path) -> None:
    assert kept(EXPECTED / series) == kept(drawn)


@each_series
def test_every_screen_is_drawn_as_it_was_accepted(series: str, drawn: Path) -> None:
    both = sorted(kept(drawn) & kept(EXPECTED / series))
    moved = {n: differing(EXPECTED / series / f"{n}.png", drawn / f"{n}.png") for n in both}
    assert {n: m for n, m in moved.items() if m > SPECKS} == {}, f"look into {drawn}"


def test_no_series_is_left_over() -> None:
    assert {path.name for path in EXPECTED.iterdir() if path.is_dir()} == set(SERIES)
    assert list(EXPECTED.glob("*.png")) == []


@each_series
def test_no_picture_is_blank_and_no_text_is_cut_off_as_it_is_drawn(drawn: Path) -> None:
    report = json.loads((drawn / "report.json").read_text(encoding="utf-8"))
    for path in drawn.glob("*.png"):
        assert pixels(path).std() > 20, path
        assert [text for text in report[path.stem] if text["clipped"]] == [], path


@each_series
def test_e12_the_code_on_the_screen_can_be_read(drawn: Path) -> None:
    """By a reader that is not ours, on every panel; it stands on a page of its screen."""
    found: dict[str, list[str]] = {}
    for path in sorted(drawn.glob("finished_code*.png")):
        name, language, *_page = path.name.split(".")
        with Image.open(path) as picture:
            codes = [code.text for code in zxingcpp.read_barcodes(picture)]
        found[f"{name}.{language}"] = found.get(f"{name}.{language}", []) + codes
    assert len(found) >= 2
    assert all(set(codes) == {CODE} for codes in found.values())


def test_the_tolerance_is_smaller_than_the_smallest_change_that_matters(tmp_path: Path) -> None:
    """A full stop that is no longer there must be noticed."""
    photograph(tmp_path, WHOLE, ("await_card",))
    before = pixels(tmp_path / "await_card.zh.png")
    after = before.copy()
    top, left = 250, 450  # right of the drawing, between header and footer
    x, y = last_mark(np.argwhere(before[top:600, left:1240].max(axis=2) < 128))
    x, y = x + left, y + top
    after[y - 14 : y + 15, x - 14 : x + 15] = before[top, left]
    gone = int((np.abs(after - before).max(axis=2) > SHADE).sum())
    assert gone > SPECKS


def last_mark(ink: Pixels) -> tuple[int, int]:
    """Middle of the rightmost mark of the paragraph: its full stop."""
    right = ink[ink[:, 1] > ink[:, 1].max() - 12]
    return int(right[:, 1].mean()), int(right[:, 0].mean())

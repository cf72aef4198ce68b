"""Every screen as it is really drawn, pixel by pixel, in both languages.

Expected pictures are PNGs in `screens/`, so that a reviewer sees a change in the
diff. To accept what the window draws now:

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

from edge.session.states import Language
from edge.ui.fonts import SOURCE
from edge.ui.theme import FLOOR_PX, PROMPT_FLOOR_PX
from tests.ui_world import CODE, gallery

Pixels = np.ndarray[Any, Any]

ROOT = Path(__file__).parent.parent.parent
EXPECTED = Path(__file__).parent / "screens"
ACCEPT = bool(os.environ.get("ACCEPT_SCREENS"))

DRAWN = [f"{name}.{lang.value}" for lang in Language for name, _ in gallery(lang)]

ALIKE = (
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

NAMES = [name for name in DRAWN if name.partition(".")[0] not in ALIKE]

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


def photograph(folder: Path, width: int, height: int) -> dict[str, Any]:
    """Draw the whole gallery in a window of this size; the report of what was drawn."""
    command = [sys.executable, "-m", "tests.window.photographer", str(folder)]
    sizes = [str(width), str(height)]
    subprocess.run(
        [*command, *sizes, *(language.value for language in Language)],
        cwd=ROOT,
        env={**os.environ, "SDL_VIDEODRIVER": "offscreen"},
        check=True,
        timeout=170,
    )
    told: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return told


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("screens")
    photograph(folder, 1280, 800)
    if ACCEPT:
        accept(folder)
    return folder


def accept(folder: Path) -> None:
    """Replace the expected pictures that changed, drop those nobody draws."""
    EXPECTED.mkdir(exist_ok=True)
    for old in EXPECTED.glob("*.png"):
        if old.stem not in NAMES:
            old.unlink()
    for name in NAMES:
        target, new = EXPECTED / f"{name}.png", folder / f"{name}.png"
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


def test_no_expected_picture_is_missing_or_left_over() -> None:
    if ACCEPT:
        pytest.skip("being accepted now")
    assert {path.stem for path in EXPECTED.glob("*.png")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_screen(name: str, drawn: Path) -> None:
    moved = differing(EXPECTED / f"{name}.png", drawn / f"{name}.png")
    assert moved <= SPECKS, f"{moved} pixels of {name} differ; look at {drawn / name}.png"


def test_no_picture_is_blank(drawn: Path) -> None:
    for name in DRAWN:
        assert pixels(drawn / f"{name}.png").std() > 20, name


def test_the_tolerance_is_smaller_than_the_smallest_change_that_matters(drawn: Path) -> None:
    """A full stop that is no longer there must be noticed."""
    before = pixels(drawn / "await_card.zh.png")
    after = before.copy()
    x, y = last_mark(np.argwhere(before[330:420, 480:1240].max(axis=2) < 128))
    x, y = x + 480, y + 330
    after[y - 14 : y + 15, x - 14 : x + 15] = before[330, 480]
    gone = int((np.abs(after - before).max(axis=2) > SHADE).sum())
    assert gone > SPECKS


def last_mark(ink: Pixels) -> tuple[int, int]:
    """Middle of the rightmost mark of the paragraph: its full stop."""
    right = ink[ink[:, 1] > ink[:, 1].max() - 12]
    return int(right[:, 1].mean()), int(right[:, 0].mean())


def codes_read(folder: Path) -> list[list[str]]:
    """What an independent reader finds in the pictures of the screens that show a code."""
    found = []
    for path in sorted(folder.glob("finished_code*.png")):
        with Image.open(path) as picture:
            found.append([code.text for code in zxingcpp.read_barcodes(picture)])
    return found


def test_e12_the_code_on_the_screen_can_be_read(drawn: Path) -> None:
    assert codes_read(drawn) == [[CODE]] * 4


def cut_off_or_small(report: dict[str, Any], scale: float) -> list[Any]:
    texts = [(name, text) for name in DRAWN for text in report[name]]
    assert len(texts) > len(DRAWN)
    return [t for t in texts if t[1]["clipped"] or t[1]["size_px"] < FLOOR_PX * scale - 0.01]


def test_no_text_is_cut_off_or_too_small(drawn: Path) -> None:
    report = json.loads((drawn / "report.json").read_text(encoding="utf-8"))
    assert cut_off_or_small(report, 1.0) == []


@pytest.mark.parametrize(("width", "height"), [(1024, 600), (800, 480)])
def test_smaller_windows_cut_nothing_off_either(width: int, height: int, tmp_path: Path) -> None:
    report = photograph(tmp_path, width, height)
    assert cut_off_or_small(report, min(width / 1280, height / 800)) == []
    assert codes_read(tmp_path) == [[CODE]] * 4


def test_the_prompt_is_large(drawn: Path) -> None:
    report = json.loads((drawn / "report.json").read_text(encoding="utf-8"))
    for name in DRAWN:
        if name.startswith("watch_") and "frame" not in name:
            assert max(text["size_px"] for text in report[name]) >= PROMPT_FLOOR_PX, name

"""Every flow and branch, touched through in a real window; see `tests/window/journeys`.

Each group of journeys is one process with one window. With JOURNEY_PICTURES=FOLDER every step
is pictured there; `make journeys` does that and writes a page.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from edge.ui.fonts import SOURCE
from tests.window.journeys.__main__ import journeys_of
from tests.window.journeys.page import AT_ONCE, GROUPS, play_group
from tests.window.x_display import x_display

pytestmark = [
    pytest.mark.window,
    pytest.mark.timeout(400),
    pytest.mark.skipif(not SOURCE.is_dir(), reason="needs the Debian package fonts-noto-cjk"),
    pytest.mark.skipif(shutil.which("Xvfb") is None, reason="needs the Debian package xvfb"),
]

ALL = [(group, name) for group in GROUPS for name in journeys_of(group)]
PICTURED = "k01_good_day"

Played = dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def played(request: pytest.FixtureRequest, models_dir: Path) -> Iterator[Callable[[str], Played]]:
    """Groups play some at a time; each starts as soon as one of its tests was collected."""
    kept = os.environ.get("JOURNEY_PICTURES")
    pool = ThreadPoolExecutor(AT_ONCE)
    running: dict[str, Future[Any]] = {}
    wanted: dict[str, set[str]] = {}
    for item in request.session.items:
        group, name = _params_of(item)
        if group:
            wanted.setdefault(group, set()).add(name)
    for group, names in wanted.items():
        pictures = Path(kept) if kept else None
        running[group] = pool.submit(_on_a_display, group, pictures, tuple(names), models_dir)
    yield lambda group: {one["name"]: one for one in running[group].result()}
    pool.shutdown(cancel_futures=True)


def _on_a_display(group: str, pictures: Path | None, names: tuple[str, ...], models: Path) -> Any:
    """Each group has an X display to itself: windows that lie over each other are no kiosk."""
    with x_display() as environment:
        return play_group(group, pictures, names, models=models, environment=environment)


def _params_of(item: pytest.Item) -> tuple[str, str]:
    params = getattr(item, "callspec", None)
    found = params.params if params is not None else {}
    return found.get("group", ""), found.get("journey", "")


@pytest.mark.parametrize(("group", "journey"), ALL, ids=[name for _, name in ALL])
def test_journey(played: Callable[[str], Played], group: str, journey: str) -> None:
    told = played(group)[journey]
    assert told["failed"] == ""
    assert told["steps"]


def test_each_step_is_pictured_as_the_window_showed_it(tmp_path: Path) -> None:
    [told] = play_group("residents", tmp_path, (PICTURED,))
    assert told["failed"] == ""
    seen = []
    for step in told["steps"]:
        with Image.open(tmp_path / PICTURED / step["picture"]) as picture:
            assert picture.size == (1024, 600)
            assert len(picture.convert("RGB").getcolors(1 << 20)) > 20, "not blank"
            seen.append(picture.tobytes())
    assert seen[0] == seen[-1], "the first screen again, to the last pixel"
    assert len(set(seen[:-1])) == len(seen) - 1, "no two others look the same"

"""The kiosk with its window is killed in the middle of a visit, and started again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edge.ui.fonts import SOURCE
from tests.window.journeys.page import DEATHS, play_restart

pytestmark = [
    pytest.mark.window,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not SOURCE.is_dir(), reason="needs the Debian package fonts-noto-cjk"),
]


@pytest.mark.parametrize("death", DEATHS)
def test_e14_killed_in_mid_session_it_starts_at_home_and_keeps_what_was_submitted(
    tmp_path: Path, death: str
) -> None:
    kept = os.environ.get("JOURNEY_PICTURES")
    [told] = play_restart(death, tmp_path, Path(kept) if kept else None)
    assert told["failed"] == ""

"""The kiosk with its window is killed in the middle of a visit, and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edge.ui.fonts import SOURCE
from tests.window.journeys.page import ROOT, play_group

pytestmark = [
    pytest.mark.window,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not SOURCE.is_dir(), reason="needs the Debian package fonts-noto-cjk"),
]


def dies(name: str, data: Path) -> None:
    command = (sys.executable, "-m", "tests.window.journeys", "restart", name, "--data", str(data))
    environment = {"SDL_VIDEODRIVER": "offscreen", **os.environ}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("death", "return_"),
    [
        ("dies_before_submit", "back_before_submit"),
        ("dies_when_committed", "back_when_committed"),
        ("dies_before_the_receipt", "back_before_the_receipt"),
    ],
)
def test_e14_killed_in_mid_session_it_starts_at_home_and_keeps_what_was_submitted(
    tmp_path: Path, death: str, return_: str
) -> None:
    dies(death, tmp_path)
    kept = os.environ.get("JOURNEY_PICTURES")
    [told] = play_group("restart", Path(kept) if kept else None, (return_,), data=tmp_path)
    assert told["failed"] == ""

"""The bench of the window: what it measures is there, and what it says of it is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.camera_bench import assert_no_child
from tests.headless import KIOSK, make_config
from tests.tools import bench_screen
from tests.tools.bench_screen import GOALS, growth, judged


def test_growth_is_counted_from_the_settled_process_to_the_end() -> None:
    settling, steady = [300.0] * 10, [400.0] * 10
    assert growth(settling + steady + [400.0] * 20) == 0
    assert growth(settling + steady + [400.0] * 10 + [410.0] * 10) == pytest.approx(0.025)
    assert growth([300.0] * 39) is None


def test_goals_are_limits_from_above_but_for_the_preview() -> None:
    good = dict(GOALS)
    assert all(judged(good).values())
    assert not judged({**good, "capture_rss_mb": 350.1})["capture_rss_mb"]
    assert not judged({**good, "preview_fps": 14.9})["preview_fps"]
    assert "growth" not in judged({**good, "growth": None})


@pytest.mark.window
@pytest.mark.timeout(120)
def test_a_whole_visit_before_a_room_elsewhere(tmp_path: Path, models_dir: Path) -> None:
    """Real models, and fingers on a key that is on today's screen."""
    make_config(tmp_path, models_dir)
    told = bench_screen.part(tmp_path / "site" / "kiosks" / KIOSK, "visit")
    assert len(told["touch_s"]) > 3
    assert len(told["preview_gaps_s"]) > 30
    assert 100 < told["capture_uss_mb"] < told["capture_rss_mb"]
    assert_no_child()

"""What a frame costs beside its models, and how much memory the vision part takes."""

import pytest

from edge.evaluate import speed


def test_speed_and_memory_of_the_frame_path(models_dir) -> None:
    """Limits on a busy machine, wider than the goals; `docs/models.md` has the figures."""
    found = speed.measure(models_dir)
    assert found["vision_rss_mb"] <= 180
    assert found["process_rss_mb"] <= 180
    assert found["match_over_bare"] <= 1.2
    assert found["iris_frame_over_bare"] <= 1.6
    assert found["tracked_frame_over_bare"] <= 1.9
    assert found["tracked_frame_count"] >= 100
    assert found["iris_frame_count"] >= 100
    parts = found["tracked_frame_parts_ms_p50"]
    assert all(value > 0 for value in parts.values())
    assert sum(parts.values()) == pytest.approx(found["tracked_frame_ms_p50"], rel=0.5)

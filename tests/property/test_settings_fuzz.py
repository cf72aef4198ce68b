"""A small run of `make fuzz-settings` (F9); the large one is a thousand wishes."""

from __future__ import annotations

from pathlib import Path

from tests.tools import fuzz_settings


def test_f9_no_mutated_wish_breaks_schema_or_start_and_last_good_returns(tmp_path: Path) -> None:
    report = fuzz_settings.run(100, seed=7, root=tmp_path)
    assert report.ok, report
    assert report.starts > 20
    assert min(report.damaged, report.failed_starts, report.replays) > 3
    assert report.restore_s_max + 2 * (report.starts_until_back_max + 1) < 30
    assert report.values_good < report.values

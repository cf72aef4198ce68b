"""A small backlog through the three real processes; `make drain` is the long form."""

from __future__ import annotations

import pytest

from tests.fixtures_broker import MOSQUITTO
from tests.tools import bench_drain

pytestmark = [
    pytest.mark.broker,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not MOSQUITTO.exists(), reason="mosquitto is not installed"),
]


def test_a_backlog_drains_while_live_records_pass_it() -> None:
    report = bench_drain.run(400, 0, lambda *_: None)
    assert report.live_records > 0
    assert report.live_max_s <= 5
    assert report.sync_peak_mb <= 60
    assert report.drain_per_s > 0

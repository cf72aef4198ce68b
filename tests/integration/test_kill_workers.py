"""A short run of `make kill-workers`; the long one is two minutes."""

from __future__ import annotations

import pytest

from tests.fixtures_broker import MOSQUITTO
from tests.postgres import binaries
from tests.tools import kill_workers

pytestmark = [pytest.mark.broker, pytest.mark.timeout(400)]


def test_killed_workers_lose_nothing_and_file_nothing_twice() -> None:
    if binaries() is None or not MOSQUITTO.exists():
        pytest.skip("PostgreSQL and mosquitto have to be installed")
    report = kill_workers.run(8.0, 2.0, 25.0, lambda completed: None)
    assert report.ok, report
    assert report.filed == report.sent == 200

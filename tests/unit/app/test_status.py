"""`python -m edge status`: what the database alone tells."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from edge.app import status
from edge.app.clock import SystemTime
from edge.domain.health import Condition, DeviceState
from edge.store.database import Database
from edge.store.health import HealthTable

SINCE = "2026-11-23T02:00:00.000Z"


def test_devices_that_do_not_work_are_named_and_how(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "journal.db")) as database:
        assert "devices not working    none" in status.words(status.read(database, SystemTime()))
        health = HealthTable(database)
        for device, condition in (
            ("scanner", Condition.ABSENT),
            ("printer", Condition.NEAR_END),
            ("camera", Condition.SILENT),
        ):
            health.put(DeviceState(device, condition, "", SINCE))
        found = status.read(database, SystemTime())
    assert found.not_working == {"camera": "silent", "scanner": "absent"}
    assert "devices not working    camera silent, scanner absent" in status.words(found)

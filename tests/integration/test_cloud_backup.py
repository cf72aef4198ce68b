"""The backup of `docs/deploy.md`: taken while everything runs, put back, verified."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cloud_bridge.bridge.opening import Arrival
from tests.fixtures_cloud import NOW, POSTGRESQL, TestRegistry, database_name, use_database
from tests.unit.cloud.test_cloud_cli import command

PAGE = Path(__file__).parents[2] / "docs" / "deploy.md"

pytestmark = [
    pytest.mark.skipif(shutil.which("sqlite3") is None, reason="sqlite3 is not installed"),
    pytest.mark.skipif(POSTGRESQL, reason="the SQLite way; pg_dump is PostgreSQL's own"),
]


def documented(database: str, copy: Path) -> list[str]:
    """The command as the page gives it, on other files."""
    found = re.search(r'^sqlite3 \S+ "(\.backup .*?)"', PAGE.read_text("utf-8"), re.MULTILINE)
    assert found
    return ["sqlite3", database, re.sub(r"'.*'", f"'{copy}'", found[1])]


def test_a_backup_holds_what_was_acknowledged_and_its_chain_is_whole(
    registry: TestRegistry, tmp_path: Path
) -> None:
    kiosk, live = registry.kiosk(), database_name()
    plain = kiosk.body()
    registry.ingest.ingest([Arrival("k-001", kiosk.wrap(plain))], NOW)
    copy = tmp_path / "copy.sqlite3"
    subprocess.run(documented(live, copy), check=True, timeout=30)
    later = kiosk.body()
    registry.ingest.ingest([Arrival("k-001", kiosk.wrap(later))], NOW)
    use_database(str(copy))
    try:
        assert command(registry, "audit", "verify") == 0
        assert command(registry, "records", "show", str(plain["record_id"])) == 0
        assert command(registry, "records", "show", str(later["record_id"])) == 3
    finally:
        use_database(live)

"""What a visit costs the card; the whole figure is `make bench-store`."""

from __future__ import annotations

from pathlib import Path

from tests.tools.bench_store import WAL_LIMIT_KB, measure


def test_a_certification_writes_no_more_than_it_may(tmp_path: Path) -> None:
    found = measure(tmp_path, 60, bar=False)
    wal_kb = found["wal_kb_p95"]
    assert isinstance(wal_kb, float)
    assert 10 < wal_kb <= WAL_LIMIT_KB

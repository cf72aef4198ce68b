"""What one certification costs the card: time and bytes, beside one bare fsync of the same bytes.

python -m tests.tools.bench_store [--folder DIR] [--count 500] [--json FILE]

A certification here is everything the disk sees of one visit: the record with its outbox row, its
copy in the ledger, the receipt for a second copy, the sync process's note that it was sent, and
the registry's answer. Bytes are counted by SQLite's own file (how much the write-ahead log grew
before each checkpoint) and, where the kernel tells, by /proc/self/io for the whole process.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.progress import track

from edge.app.clock import SystemTime
from edge.app.disk import KioskDisk
from edge.app.ids import new_receipt_no, new_record_id
from edge.app.seal import DeviceSeal
from edge.ports import Line, OutboxRow, Position
from edge.store.database import PAGE_BYTES
from edge.store.outbox import SqliteOutbox

BODY_BYTES = 1_700
"""A sealed record of a whole visit; its envelope has about 2.6 kB."""
RECEIPT = tuple(Line("办理机构：示范路1号 一楼大厅") for _ in range(18))
CHECKPOINT_BYTES = 400 * PAGE_BYTES
WAL_LIMIT_KB, COMMIT_LIMIT_MS = 32, 25


class Card:
    """The folder of a kiosk, and how much was written to it."""

    def __init__(self, folder: Path) -> None:
        seal = DeviceSeal("K-BENCH", Ed25519PrivateKey.generate())
        self.disk = KioskDisk(folder / "journal.db", os.urandom(32), SystemTime(), seal)
        self._seal = seal
        self._outbox = SqliteOutbox(self.disk.database, SystemTime())
        self._wal = folder / "journal.db-wal"
        self.disk.database.rows("PRAGMA wal_autocheckpoint = 0")  # counted instead

    def commit(self) -> OutboxRow:
        record_id, body = new_record_id(), os.urandom(BODY_BYTES)

        def build(place: Position) -> bytes:
            return self._seal.notice("jianzai.record", record_id, body, place)

        return self.disk.commit(record_id, "record", build)

    def the_rest(self, row: OutboxRow) -> None:
        self.disk.keep_receipt(new_receipt_no(), RECEIPT)
        self._outbox.tried(row.record_id, 30)
        assert self._outbox.acknowledged(row.record_id, row.sha256)

    def wal_bytes(self) -> int:
        return self._wal.stat().st_size

    def checkpoint(self) -> int:
        """Bytes that go back into the database file: every page once, however often it changed."""
        _, _, pages = self.disk.database.rows("PRAGMA wal_checkpoint(PASSIVE)")[0]
        self.disk.database.forget_deleted()
        return int(pages) * PAGE_BYTES


def written() -> int:
    """Bytes this process caused to be written, from the kernel."""
    try:
        text = Path("/proc/self/io").read_text(encoding="ascii")
    except OSError:
        return 0
    return int(text.partition("\nwrite_bytes: ")[2].split()[0])


def timed_ms(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1000


def percentiles(taken: list[float]) -> dict[str, float]:
    ranked = sorted(taken)
    return {f"p{p}": round(ranked[min(len(ranked) - 1, len(ranked) * p // 100)], 2) for p in
            (50, 95, 99)}  # fmt: skip


def measure(folder: Path, count: int, *, bar: bool) -> dict[str, object]:
    """Commits and bare writes take turns, so that both meet the same load."""
    commits: list[float] = []
    bare: list[float] = []
    wal_each: list[int] = []
    rows: list[OutboxRow] = []
    card = Card(folder)
    with closing(card.disk), (folder / "bare").open("wb", buffering=0) as file:
        payload = os.urandom(len(card.commit().payload))

        def bare_write() -> None:
            file.write(payload)
            os.fsync(file.fileno())

        before = written()
        back = 0
        for _ in track(range(count), "certifications", disable=not bar):
            grown = card.wal_bytes()
            commits.append(timed_ms(lambda: rows.append(card.commit())))
            card.the_rest(rows[-1])
            wal_each.append(card.wal_bytes() - grown)
            bare.append(timed_ms(bare_write))
            if card.wal_bytes() > CHECKPOINT_BYTES:
                back += card.checkpoint()
        back += card.checkpoint()
        process = written() - before - count * len(payload)
    return {
        "count": count,
        "payload_bytes": len(payload),
        "commit_ms": percentiles(commits),
        "fsync_ms": percentiles(bare),
        "wal_kb_each": round(sum(wal_each) / count / 1000, 1),
        "wal_kb_p95": round(sorted(wal_each)[count * 95 // 100] / 1000, 1),
        "checkpoint_kb_each": round(back / count / 1000, 1),
        "process_kb_each": round(process / count / 1000, 1),
        "limits": {"wal_kb": WAL_LIMIT_KB, "commit_ms_p95": COMMIT_LIMIT_MS},
    }


def within_limits(found: dict[str, object]) -> bool:
    commit_ms, wal_kb = found["commit_ms"], found["wal_kb_p95"]
    assert isinstance(commit_ms, dict) and isinstance(wal_kb, float)  # noqa: PT018
    return bool(commit_ms["p95"] <= COMMIT_LIMIT_MS and wal_kb <= WAL_LIMIT_KB)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", help="on the disk to be measured")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        found = measure(Path(name), args.count, bar=sys.stderr.isatty())
    print(json.dumps(found, indent=2))
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0 if within_limits(found) else 1


if __name__ == "__main__":
    raise SystemExit(main())

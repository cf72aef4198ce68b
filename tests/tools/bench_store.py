"""How long a commit takes beside a bare fsync of the same bytes on the same disk.

python tests/tools/bench_store.py [FOLDER] [COUNT]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from edge.app.clock import SystemTime
from edge.domain.record import RecordId
from edge.ports import Position
from edge.store.journal import SqliteJournal

PAYLOAD = os.urandom(3000)


def timed(count: int, act: Callable[[int], object]) -> list[float]:
    """Milliseconds of each call, sorted."""
    taken = []
    for number in range(count):
        start = time.perf_counter()
        act(number)
        taken.append((time.perf_counter() - start) * 1000)
    return sorted(taken)


def report(name: str, taken: list[float]) -> None:
    p50, p95, p99 = (taken[int(len(taken) * share)] for share in (0.5, 0.95, 0.99))
    print(f"{name:<22} p50 {p50:6.2f} ms   p95 {p95:6.2f} ms   p99 {p99:6.2f} ms")


def build(position: Position) -> bytes:
    return PAYLOAD + str(position.seq).encode()


def main(folder: str | None = None, count: str = "1000") -> None:
    with tempfile.TemporaryDirectory(dir=folder) as name:
        path = Path(name)
        with (path / "bare").open("wb", buffering=0) as file:

            def bare(_: int) -> None:
                file.write(PAYLOAD)
                os.fsync(file.fileno())

            report("write 3 kB + fsync", timed(int(count), bare))
        with closing(SqliteJournal(path / "journal.db", b"d" * 32, SystemTime())) as journal:

            def commit(number: int) -> None:
                journal.commit(RecordId(str(number)), "record", build)

            report("journal commit 3 kB", timed(int(count), commit))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A kiosk process that commits until it is killed, for `test_kill_store.py`.

committer.py DATABASE loop PREFIX      commits PREFIX-0, PREFIX-1 …, prints each when done
committer.py DATABASE step PREFIX N    commits one record and kills itself before its
                                       N-th SQL statement; prints the id if it gets that far
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from pathlib import Path

from edge.app.clock import SystemTime
from edge.domain.record import RecordId
from edge.ports import Position
from edge.store.journal import SqliteJournal


def build(position: Position) -> bytes:
    return repr(position).encode() + bytes(3000)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def commit(journal: SqliteJournal, name: str) -> None:
    journal.commit(RecordId(name), "record", build)
    print(name, flush=True)


def loop(journal: SqliteJournal, prefix: str) -> None:
    for number in itertools.count():
        commit(journal, f"{prefix}-{number}")


def step(journal: SqliteJournal, prefix: str, last: int) -> None:
    count = itertools.count(1)
    with journal.database.write() as db:
        connection = db.conn
    connection.set_trace_callback(lambda _: die() if next(count) == last else None)
    commit(journal, prefix)


def main(path: str, mode: str, prefix: str, last: str = "0") -> None:
    journal = SqliteJournal(Path(path), b"d" * 32, SystemTime())
    if mode == "loop":
        loop(journal, prefix)
    step(journal, prefix, int(last))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The one SQLite file of a kiosk: opening, settings, transactions, migrations.

Two processes write to it. Under WAL a transaction that reads first and writes
later fails at once with SQLITE_BUSY_SNAPSHOT when the other process wrote in
between, whatever the time limit; so every write begins with BEGIN IMMEDIATE.
`synchronous=FULL` because a receipt promises what was committed: NORMAL may
forget the last commits when the power goes.

The kiosk process may put another file in the place of a damaged one
(`edge.store.recovery`). Whoever has it open follows: every use looks which file
bears the name. Where there is none any more, none is made.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlite_utils
from sqlite_utils.migrations import Migrations

from edge.domain.errors import DamagedError, StoreError
from edge.store.schema import STEPS

BUSY_TIMEOUT_MS = 10_000

PAGE_BYTES = 2048
"""Every change writes whole pages: half of the usual size halves what a visit costs the card."""

# Setting, value to set, value it must then answer with. The order matters:
# busy_timeout first, so that switching to WAL waits for the other process.
PRAGMAS: tuple[tuple[str, str, object], ...] = (
    ("busy_timeout", str(BUSY_TIMEOUT_MS), BUSY_TIMEOUT_MS),
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "FULL", 2),
    ("foreign_keys", "ON", 1),
    ("recursive_triggers", "ON", 1),  # else INSERT OR REPLACE deletes past the triggers
    ("wal_autocheckpoint", "400", 400),  # pages; keeps the second file below 1 MB
    ("journal_size_limit", "1048576", 1_048_576),  # bytes
    ("temp_store", "MEMORY", 2),
    ("secure_delete", "ON", 1),  # what is deleted is overwritten, see `retention`
)

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_UNREADABLE = (sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ)
"""A bad spot on the card: what lies there will not come back by asking again."""

SHARED = 0o660
"""Both processes write; their users share a group."""

Row = tuple[Any, ...]
File = tuple[int, int]
"""Device and inode: which file it is, whatever it is called."""


class Database:
    """The open file. Each thread that uses it gets its own connection.

    Raises `StoreError` for everything SQLite complains about, `DamagedError` if the file is
    no sound database.
    """

    def __init__(
        self,
        path: Path,
        steps: Sequence[tuple[str, Sequence[str]]] = STEPS,
        *,
        create: bool = True,
        check: bool = True,
    ) -> None:
        """Check the file and bring it forward; without `create` it must be there already.

        Without `check` nothing is opened yet, so this cannot fail: somebody else sees to a
        sound file (`edge.store.recovery`), and until there is one every use says so.
        """
        self.path = path
        self._first: File | None = None
        self._local = threading.local()
        self._all: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        self._may_create = create and check
        if not check:
            return
        try:
            self._check_health()
            self._migrate(steps)
            self._first = self._file()
            self._may_create = False
        except BaseException:
            self.close()
            raise

    @contextmanager
    def write(self) -> Iterator[Any]:
        """All or nothing: commits at the end, rolls back on any exception.

        A block inside another one is a savepoint of it. What is yielded can
        `execute(sql, parameters)`.
        """
        with self._normalised():
            db = self._connection()
            if db.conn.in_transaction:
                with db.atomic():
                    yield db
                return
            db.conn.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.conn.execute("COMMIT")
            except BaseException:
                # SQLite may have rolled back by itself, for instance on a full disk.
                db.rollback()
                raise

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        with self._normalised(), closing(self._connection().conn.execute(sql, parameters)) as found:
            return list(found)

    def row(self, sql: str, parameters: Sequence[object] = ()) -> Row | None:
        found = self.rows(sql, parameters)
        return found[0] if found else None

    def forget_deleted(self) -> bool:
        """Empty the write-ahead log, which still holds pages from before they were overwritten.

        False if the other process is just reading in it: try again later.
        """
        return bool(self.rows("PRAGMA wal_checkpoint(TRUNCATE)")[0][0] == 0)

    def is_replaced(self) -> bool:
        """Whether another file bears the name than the one that was opened first."""
        return self._first is not None and self._file() not in (None, self._first)

    def in_transaction(self) -> bool:
        """Whether this thread is inside a `write()` block."""
        db = getattr(self._local, "db", None)
        return db is not None and bool(db.conn.in_transaction)

    def close(self) -> None:
        """Close every thread's connection."""
        with self._guard:
            for connection in self._all:
                connection.close()
            self._all.clear()
            self._local = threading.local()

    def _connection(self) -> Any:
        db = getattr(self._local, "db", None)
        if db is not None and not db.conn.in_transaction and self._local.file != self._file():
            self._let_go(db)
            db = None
        if db is None:
            db = self._local.db = self._connect()
            self._local.file = self._file()
        return db

    def _file(self) -> File | None:
        try:
            found = os.stat(self.path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"{self.path}: {error.strerror}") from error
        return found.st_dev, found.st_ino

    def _let_go(self, db: Any) -> None:
        with self._guard:
            self._all.remove(db.conn)
        self._local.db = None
        db.conn.close()

    def _connect(self) -> Any:
        # SQLite itself would let nobody else write. A file that is there is left alone: closing it
        # here would drop the locks of every other connection that this process has to it.
        if self._may_create and not self.path.exists():
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, SHARED))
        connection = sqlite3.connect(
            f"file:{quote(os.fspath(self.path))}?mode=rw",
            uri=True,
            timeout=BUSY_TIMEOUT_MS / 1000,
            isolation_level=None,  # transactions are ours alone
            check_same_thread=False,  # so that close() can close them all
        )
        try:
            db = sqlite_utils.Database(connection, recursive_triggers=False, execute_plugins=False)
            self._set_up(connection)
        except BaseException:
            connection.close()
            raise
        with self._guard:
            self._all.append(connection)
        return db

    def _set_up(self, connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")  # means something in a new file only
        for name, value, expected in PRAGMAS:
            connection.execute(f"PRAGMA {name} = {value}")
            answer = connection.execute(f"PRAGMA {name}").fetchone()[0]
            if answer != expected:
                raise StoreError(f"{self.path}: {name} is {answer!r}, must be {expected!r}")

    def _check_health(self) -> None:
        answer = self.rows("PRAGMA quick_check(1)")
        if answer != [("ok",)]:
            raise DamagedError(
                f"{self.path}: the database is damaged; the kiosk process sets it aside and saves "
                "what can be read when it starts"
            )

    def _migrate(self, steps: Sequence[tuple[str, Sequence[str]]]) -> None:
        """Take the missing steps; a step and the note that it was taken are one transaction."""
        migrations = Migrations("jianzai")
        for name, statements in steps:
            migrations(name=name)(_step(statements))
        with self.write() as db:
            known = [name for name, _ in steps]
            newer = [step.name for step in migrations.applied(db) if step.name not in known]
            if newer:
                raise StoreError(
                    f"{self.path}: written by a newer program (version {newer[-1]}, this one "
                    f"knows {known[-1]}); install that program again, never an older one"
                )
            if migrations.pending(db):
                migrations.apply(db)

    @contextmanager
    def _normalised(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0)
            damaged = code & 0xFF in _DAMAGED or code in _UNREADABLE
            kind = DamagedError if damaged else StoreError
            raise kind(f"{self.path}: {error}") from error
        except OSError as error:
            raise StoreError(f"{self.path}: {error.strerror}") from error


def _step(statements: Sequence[str]) -> Any:
    def take(db: Any) -> None:
        for statement in statements:
            db.execute(statement)

    return take

"""The start-up check, and what is done about a database that does not pass it.

    sound                               go on
    sound, but older than the ledger    the missing records are put back in their places
    damaged, or not the one we had      set aside; a new one with a new epoch is made of what
                                        can still be read in it and of the ledger
    not there, though records were      as above

A record is saved only if this kiosk's own signature on it holds. It keeps its bytes: they
name its place in the old chain, so in the new file it stands below 0 and is sent again (the
registry knows the same bytes when it sees them). The new chain begins with a record that
says so. The new file is complete before it gets its name: a power cut on the way
costs nothing but the way.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import quote

from edge.domain.errors import DamagedError, StoreError
from edge.domain.record import RecordId
from edge.ports import Position
from edge.store.audit import EPOCH_KIND
from edge.store.database import Database, Row
from edge.store.ledger import Copy, Ledger, sync_folder
from edge.store.proofs import is_pruned
from edge.store.records import Records
from edge.store.roster import PART
from edge.store.seal import Entry, Seal

_log = logging.getLogger(__name__)

FOLDER = "quarantine"
COMPANIONS = ("", "-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Recovery:
    """What happened to the database before this one. `last_seq`: highest place known in it."""

    at: str
    reason: str
    old_epoch: str
    last_seq: int
    salvaged: int
    refused: int
    quarantined: str


Announce = Callable[[Recovery], tuple[RecordId, Callable[[Position], bytes]]]
"""Id and maker of the record with which the new chain begins."""


@dataclass(frozen=True, slots=True)
class _Saved:
    entry: Entry
    payload: bytes


class Rescue:
    """The database at `path`, its `ledger`, and the key that tells our own records."""

    def __init__(
        self,
        path: Path,
        ledger: Ledger,
        seal: Seal,
        announce: Announce,
        now: Callable[[], datetime],
    ) -> None:
        self._path = path
        self._ledger = ledger
        self._seal = seal
        self._announce = announce
        self._now = now

    def make_sound(self) -> Recovery | None:
        """Afterwards a sound database is there, or none was needed; what was done, if anything.

        Raises `StoreError` when the disk does not let it; trying again later is safe.
        """
        try:
            reason = self._what_is_wrong()
            if not reason:
                return None
            _log.error("database=%s path=%s", reason, self._path)
            self._set_aside()
            return self._rebuild(reason)
        except OSError as error:
            raise StoreError(f"{self._path}: {error.strerror}") from error

    def _what_is_wrong(self) -> str:
        if not self._path.exists():
            known = self._newest_aside() is not None or not self._ledger.is_empty()
            return "missing" if known else ""
        try:
            with closing(Database(self._path)) as database:
                return "" if self._catch_up(database) else "older"
        except DamagedError:
            return "damaged"

    def _catch_up(self, database: Database) -> bool:
        """Put back what only the ledger has; False if it does not continue this chain."""
        missing = self._missing(database)
        records = Records(database)
        seq = records.last_seq()
        prev = records.sha256_at(seq) or ""
        for saved in missing:
            seq += 1
            if saved.entry.position != Position(records.epoch, seq, prev):
                return False
            prev = hashlib.sha256(saved.payload).hexdigest()
        with database.write():
            for saved in missing:
                _put(records, saved, saved.entry.position.seq)
        if missing:
            _log.warning("database=caught_up records=%d", len(missing))
        return True

    def _missing(self, database: Database) -> list[_Saved]:
        there = Records(database).ids()
        copies = self._own(copy for copy in self._ledger.read() if copy.record_id not in there)
        return [saved for saved in copies if not _is_gone(database, saved.entry.position)]

    # --- setting aside ---

    def _set_aside(self) -> None:
        folder = self._path.parent / FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        left = [suffix for suffix in COMPANIONS if Path(f"{self._path}{suffix}").exists()]
        target = self._target(folder, left)
        for suffix in left:
            Path(f"{self._path}{suffix}").rename(f"{target}{suffix}")
        sync_folder(folder)
        sync_folder(self._path.parent)

    def _target(self, folder: Path, left: list[str]) -> Path:
        """A new name; for companions alone that of the file they belonged to.

        The power may have gone after it was moved: they are its last pages.
        """
        newest = self._newest_aside()
        if "" not in left and newest is not None and not _any_beside(newest, left):
            return newest
        stamp = self._now().strftime("%Y%m%dT%H%M%SZ")
        number = len(set_aside(self._path)) + 1  # the clock may have gone back
        target = folder / f"{self._path.stem}-{number:03d}-{stamp}{self._path.suffix}"
        if left and "" not in left:
            target.touch(mode=0o600)  # companions of nothing must be found by retention as well
        return target

    def _newest_aside(self) -> Path | None:
        return next(reversed(set_aside(self._path)), None)

    # --- the new one ---

    def _rebuild(self, reason: str) -> Recovery:
        draft = self._path.with_name(self._path.name + ".new")
        for suffix in COMPANIONS:
            Path(f"{draft}{suffix}").unlink(missing_ok=True)
        old = self._newest_aside()
        with closing(Database(draft)) as database:
            recovery = self._fill(database, old, reason)
            database.forget_deleted()
        draft.rename(self._path)
        sync_folder(self._path.parent)
        _log.error("database=made_anew salvaged=%d refused=%d", recovery.salvaged, recovery.refused)
        return recovery

    def _fill(self, database: Database, old: Path | None, reason: str) -> Recovery:
        found: list[Copy] = []
        with database.write():
            if old is not None:
                with _readable(old) as connection:
                    found += _records_of(connection)
                    _carry_over(connection, database)
            found += self._ledger.read()
            saved = _in_order(self._own(found))
            own = {each.entry.record_id for each in saved}
            recovery = Recovery(
                at=self._now().isoformat(timespec="seconds"),
                reason=reason,
                old_epoch=saved[-1].entry.position.epoch if saved else "",
                last_seq=saved[-1].entry.position.seq if saved else 0,
                salvaged=len(saved),
                refused=len({copy.record_id for copy in found} - own),
                quarantined=old.name if old is not None else "",
            )
            self._put_back(database, saved)
            record_id, build = self._announce(recovery)
            Records(database).add(record_id, EPOCH_KIND, build)
            _note(database, recovery)
        return recovery

    def _put_back(self, database: Database, saved: list[_Saved]) -> None:
        records = Records(database)
        with database.write() as db:
            for seq, each in enumerate(saved, start=-len(saved)):
                _put(records, each, seq)
                place = each.entry.position
                db.execute("INSERT INTO origins VALUES (?, ?, ?)", [seq, place.epoch, place.seq])

    def _own(self, copies: Iterable[Copy]) -> Iterator[_Saved]:
        for copy in copies:
            entry = self._seal.entry_of(copy.payload)
            if entry is not None:
                yield _Saved(entry, copy.payload)


def set_aside(path: Path) -> list[Path]:
    """Databases that were damaged, oldest first. Raises `StoreError` where nobody can tell."""
    folder = path.parent / FOLDER
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror}") from error
    return sorted(folder / name for name in names if fnmatch(name, f"{path.stem}-*{path.suffix}"))


def _any_beside(path: Path, suffixes: Iterable[str]) -> bool:
    return any(Path(f"{path}{suffix}").exists() for suffix in suffixes)


def last_recovery(database: Database) -> Recovery | None:
    """What happened before this database was made, if anything did."""
    row = database.row("SELECT value FROM state WHERE name = 'recovery'")
    return Recovery(**json.loads(row[0])) if row else None


def _note(database: Database, recovery: Recovery) -> None:
    with database.write() as db:
        value = json.dumps(asdict(recovery))
        db.execute("INSERT OR REPLACE INTO state VALUES ('recovery', ?)", [value])


def _put(records: Records, saved: _Saved, seq: int) -> None:
    entry = saved.entry
    prev = entry.position.prev_sha256
    records.put_back(seq, entry.record_id, entry.kind, prev, saved.payload)


def _in_order(saved: Iterable[_Saved]) -> list[_Saved]:
    """Each record once; the old chains one after the other, each from its beginning."""
    once = {each.entry.record_id: each for each in saved}
    epochs = list(dict.fromkeys(each.entry.position.epoch for each in once.values()))

    def rank(each: _Saved) -> tuple[int, int]:
        return epochs.index(each.entry.position.epoch), each.entry.position.seq

    return sorted(once.values(), key=rank)


def _is_gone(database: Database, place: Position) -> bool:
    return is_pruned(database, place.epoch, place.seq)


def _readable(path: Path) -> closing[sqlite3.Connection]:
    uri = f"file:{quote(os.fspath(path))}?mode=ro"
    return closing(sqlite3.connect(uri, uri=True, isolation_level=None))


def _records_of(connection: sqlite3.Connection) -> list[Copy]:
    """Whatever can be read, from the front until it breaks and from the back until it breaks."""
    sql = "SELECT record_id, kind, payload, seq FROM records ORDER BY seq"
    rows = {row[3]: row for order in ("", " DESC") for row in _read(connection, sql + order)[0]}
    return [
        Copy(RecordId(record_id), kind, bytes(payload))
        for record_id, kind, payload, _ in (rows[seq] for seq in sorted(rows))
        if isinstance(record_id, str) and isinstance(kind, str) and isinstance(payload, bytes)
    ]


def _read(connection: sqlite3.Connection, sql: str) -> tuple[list[Row], bool]:
    """Rows until reading breaks off, and whether it did not."""
    rows: list[Row] = []
    try:
        for row in connection.execute(sql):  # one by one: what came before the break is kept
            rows.append(row)
    except sqlite3.Error as error:
        _log.warning("salvage=broken_off error=%s", error)
        return rows, False
    return rows, True


_CARRIED = {
    "state": f"name IN ('boot_seq', 'roster_version', '{PART}', 'time_floor')",
    "counters": "1",
    "roster": "1",
    "receipts": "1",
    "staff": "1",
    "proofs": "1",
}
"""What else is worth saving: encrypted or signed each by itself, or harmless."""


def _carry_over(connection: sqlite3.Connection, database: Database) -> None:
    for table, which in _CARRIED.items():
        rows, whole = _read(connection, f"SELECT * FROM {table} WHERE {which}")
        if rows:
            places = ", ".join("?" * len(rows[0]))
            whole &= _insert(database, f"INSERT OR IGNORE INTO {table} VALUES ({places})", rows)
        if table == "roster" and not whole:
            _insert(database, "INSERT OR IGNORE INTO state VALUES (?, '1')", [(PART,)])


def _insert(database: Database, sql: str, rows: list[Row]) -> bool:
    """A row of another form or kind is left behind, not the others with it; whether none was."""
    whole = True
    for row in rows:
        try:
            with database.write() as db:
                db.execute(sql, list(row))
        except StoreError as error:
            _log.warning("salvage=row_left error=%s", error)
            whole = False
    return whole

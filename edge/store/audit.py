"""Whether everything that was ever promised is still here, or was taken away with a signed word."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from edge.domain.timebase import CHINA
from edge.ports import Position
from edge.store.database import Database
from edge.store.records import FIRST_PREV_SHA256, Records, StoredRecord
from edge.store.seal import Seal

EPOCH_KIND = "jianzai.epoch"
"""The record that begins a chain after a damage; says how many were saved."""


@dataclass(frozen=True, slots=True)
class BrokenEntry:
    """The first place where the chain of records does not hold."""

    seq: int
    why: str


@dataclass(frozen=True, slots=True)
class Digest:
    """One day in a line: how many records, from where to where, and a hash over all of them.

    `day` is the day in China at which the records were made, by the kiosk's clock.
    """

    day: date
    epoch: str
    count: int
    first_seq: int
    last_seq: int
    sha256: str


@dataclass(frozen=True, slots=True)
class _Gone:
    """A run of records taken away by retention; `sha256` of the last, unknown without the key."""

    first: int
    last: int
    sha256: str | None


class _Broken(Exception):
    def __init__(self, seq: int, why: str) -> None:
        super().__init__(why)
        self.entry = BrokenEntry(seq, why)


def verify(database: Database, seal: Seal | None = None) -> BrokenEntry | None:
    """The first entry that does not hold, saved ones first; signatures too if there is a `seal`."""
    try:
        _Audit(database, seal).run()
    except _Broken as broken:
        return broken.entry
    return None


def digest(database: Database, day: date) -> Digest:
    """What was recorded on one day; saved records count on the day they were made."""
    records = Records(database)
    chain = hashlib.sha256()
    seqs: list[int] = []
    for row in records.all():
        if made_on(row.record_id) == day:
            seqs.append(row.seq)
            chain.update(f"{row.seq} {row.sha256}\n".encode())
    first, last = (seqs[0], seqs[-1]) if seqs else (0, 0)
    return Digest(day, records.epoch, len(seqs), first, last, chain.hexdigest())


def made_on(record_id: str) -> date | None:
    """A record id is a UUIDv7: its first 48 bits are the milliseconds when it was made."""
    try:
        made_s = (uuid.UUID(record_id).int >> 80) / 1000
    except ValueError:
        return None
    return datetime.fromtimestamp(made_s, UTC).astimezone(CHINA).date()


class _Audit:
    def __init__(self, database: Database, seal: Seal | None) -> None:
        self._database = database
        self._records = Records(database)
        self._epoch = self._records.epoch
        self._seal = seal
        self._gone: dict[int, _Gone] = {}
        self._next = 0
        self._prev: str | None = FIRST_PREV_SHA256

    def run(self) -> None:
        self._gone = {gone.first: gone for gone in self._proofs()}
        rows = self._records.all()
        self._next = -self._saved()
        for row in rows:
            if row.seq > 0 >= self._next:
                self._skip_to(0)
                self._next, self._prev = 1, FIRST_PREV_SHA256
            self._skip_to(row.seq)
            self._check(row)
            self._next, self._prev = row.seq + 1, row.sha256
        if self._next <= 0:
            self._skip_to(0)
            self._next = 1
        self._skip_to(self._records.last_seq() + 1)

    def _skip_to(self, seq: int) -> None:
        """Numbers that are not here must have been taken away with a signed word."""
        while self._next < seq:
            gone = self._gone.get(self._next)
            if gone is None or gone.last >= seq:
                raise _Broken(self._next, "missing")
            self._next, self._prev = gone.last + 1, gone.sha256
        if self._next > seq:
            raise _Broken(seq, "out of place")

    def _check(self, row: StoredRecord) -> None:
        if row.seq > 0 and self._prev is not None and row.prev_sha256 != self._prev:
            raise _Broken(row.seq, "does not follow the entry before it")
        if hashlib.sha256(row.payload).hexdigest() != row.sha256:
            raise _Broken(row.seq, "changed")
        if self._seal is not None:
            self._check_signature(row, self._seal)

    def _check_signature(self, row: StoredRecord, seal: Seal) -> None:
        entry = seal.entry_of(row.payload)
        if entry is None:
            raise _Broken(row.seq, "not signed by this kiosk")
        if entry.record_id != row.record_id or entry.position != self._place(row):
            raise _Broken(row.seq, "signed for another place")

    def _place(self, row: StoredRecord) -> Position:
        """Where it must have been signed for: here, or where it stood before it was saved."""
        if row.seq > 0:
            return Position(self._epoch, row.seq, row.prev_sha256)
        origin = self._database.row("SELECT epoch, place FROM origins WHERE seq = ?", [row.seq])
        epoch, place = origin or ("", 0)
        return Position(epoch, place, row.prev_sha256)

    def _saved(self) -> int:
        """How many records were saved from the file before this one, as was announced then."""
        lowest = self._database.row("SELECT min(seq) FROM records WHERE seq < 0")
        here = -int(lowest[0]) if lowest and lowest[0] is not None else 0
        row = self._database.row(
            "SELECT payload FROM records WHERE seq = 1 AND kind = ?", [EPOCH_KIND]
        )
        if row is None or self._seal is None:
            gone = [-first for first in self._gone if first < 0]
            return max(here, *gone) if gone else here
        facts = self._seal.facts_of(bytes(row[0])) or {}
        return max(here, _number(facts, "salvaged"))

    def _proofs(self) -> Iterator[_Gone]:
        rows = self._database.rows(
            "SELECT first, last, payload FROM proofs WHERE what = 'records' AND epoch = ?",
            [self._epoch],
        )
        for first, last, payload in rows:
            if self._seal is None:
                yield _Gone(first, last, None)
                continue
            facts = self._seal.facts_of(bytes(payload)) or {}
            if (facts.get("what"), facts.get("epoch")) != ("records", self._epoch):
                raise _Broken(first, "taken away without a signed word")
            if (_number(facts, "first"), _number(facts, "last")) != (first, last):
                raise _Broken(first, "taken away without a signed word")
            yield _Gone(first, last, str(facts.get("sha256")))


def _number(facts: Mapping[str, Any], name: str) -> int:
    value = facts.get(name)
    return value if type(value) is int else 0

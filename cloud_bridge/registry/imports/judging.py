"""One line of a file against the registry: the words that all kinds of files share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from typing import Any, Protocol

from cloud_bridge.registry.imports import headings
from cloud_bridge.registry.imports.faults import FILE, Fault
from cloud_bridge.registry.imports.sources import Row
from cloud_bridge.registry.models import ImportRun, Region
from cloud_bridge.registry.vault import Vault

MAX_FAULTS = 1000
"""More are counted, not kept."""


@dataclass(frozen=True, slots=True)
class Scope:
    """For whom a file is taken in: nothing outside of `region` is changed or told of."""

    region: Region
    vault: Vault
    today: date


@dataclass(slots=True)
class Record:
    """The cells of a line by field; a column that the file does not have is not in it."""

    line: int
    cells: Mapping[str, str] = field(repr=False)
    faults: list[Fault]

    def fault(self, column: str, word: str) -> None:
        if not any(known.column == column for known in self.faults):
            self.faults.append(Fault(self.line, column, word))


class What(Enum):
    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    UNKNOWN = "unknown"
    FAULTY = "faulty"


@dataclass(slots=True)
class Verdict:
    """What becomes of a line. `row` is what it says, `known` what the registry has of it now.

    `before`: the columns that change, with their values so far.
    """

    record: Record
    what: What
    row: Any = field(default=None, repr=False)
    known: Any = field(default=None, repr=False)
    before: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Deed:
    """One change, for the audit log: action, kind and id of what was changed, and its region."""

    action: str
    target: tuple[str, str]
    region_code: str


class Judge(Protocol):
    """One kind of file. It remembers what it has seen of the file: make a new one for each."""

    touched: set[str]
    """Codes of the regions whose kiosks have to hear of it."""

    def judge(self, records: Sequence[Record]) -> list[Verdict]: ...

    def write(self, verdicts: Sequence[Verdict], run: ImportRun, now: datetime) -> list[Deed]: ...


@dataclass(slots=True)
class Tally:
    rows: int = 0
    counts: dict[What, int] = field(default_factory=lambda: dict.fromkeys(What, 0))
    fault_count: int = 0
    faults: list[Fault] = field(default_factory=list)

    def count(self, verdicts: Iterable[Verdict]) -> None:
        for verdict in verdicts:
            self.rows += 1
            self.counts[verdict.what] += 1
            self.add_faults(verdict.record.faults)

    def add_faults(self, faults: Sequence[Fault]) -> None:
        self.fault_count += len(faults)
        self.faults += faults[: MAX_FAULTS - len(self.faults)]


def records(kind: Any, rows: Iterator[Row]) -> Iterator[Record]:
    """The lines below the headings. Raises `ImportRefused` for headings that do not fit."""
    first = next(rows, None)
    if first is None:
        return
    fields = headings.fields(kind, first)
    needed = [c.field for c in headings.COLUMNS[kind] if c.needed]
    for row in rows:
        yield _record(row, fields, needed)


def _record(row: Row, fields: Sequence[str], needed: Sequence[str]) -> Record:
    cells = headings.without_empty_end(row.cells)
    record = Record(row.line, dict(zip(fields, row.cells, strict=False)), [])
    if len(cells) > len(fields) or len(row.cells) < len(fields):
        record.fault(FILE, "cells")
        return record
    for index, word in row.odd.items():
        record.fault(fields[index] if index < len(fields) else FILE, word)
    for name in needed:
        if not record.cells[name].strip():
            record.fault(name, "empty")
    return record

"""The tree of places, by statistical codes of 12 digits: new ones are added, others renamed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cloud_bridge.registry.imports import cells
from cloud_bridge.registry.imports.judging import Deed, Record, Scope, Verdict, What
from cloud_bridge.registry.models import ROOT_REGION, ImportChange, ImportRun, Region


@dataclass(frozen=True, slots=True)
class RegionRow:
    code: str
    name: str

    def masked(self) -> dict[str, str]:
        return {"code": self.code, "name": self.name}


class Regions:
    """Wants its lines sorted by code (`in_order`): parents come first."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._added: set[str] = set()
        self._seen: set[str] = set()
        self.touched: set[str] = set()

    def judge(self, records: Sequence[Record]) -> list[Verdict]:
        rows = [self._read(record) for record in records]
        good = {row.code for row in rows if _is_code(row.code)}
        known = Region.objects.in_bulk(good | {Region.parent_code(code) for code in good})
        pairs = zip(records, rows, strict=True)
        return [self._verdict(record, row, known) for record, row in pairs]

    def _read(self, record: Record) -> RegionRow:
        row = RegionRow(
            cells.region_code(record.cells.get("code", "")),
            cells.name(record.cells.get("name", "")),
        )
        if not _is_code(row.code):
            record.fault("code", "code")
        elif row.code in self._seen:
            record.fault("code", "twice")
        elif not self._scope.region.covers(row.code):
            record.fault("code", "foreign_region")
        if not cells.is_word(row.name, 60):
            record.fault("name", "name")
        self._seen.add(row.code)
        return row

    def _verdict(self, record: Record, row: RegionRow, known: dict[str, Region]) -> Verdict:
        if not record.faults and not self._is_there(Region.parent_code(row.code), known):
            record.fault("code", "no_parent")
        if record.faults:
            return Verdict(record, What.FAULTY, row)
        region = known.get(row.code)
        if region is None:
            self._added.add(row.code)
            return Verdict(record, What.ADDED, row)
        before = {"name": region.name} if region.name != row.name else {}
        return Verdict(record, What.CHANGED if before else What.UNCHANGED, row, region, before)

    def _is_there(self, code: str, known: dict[str, Region]) -> bool:
        return code in known or code in self._added

    def write(self, verdicts: Sequence[Verdict], run: ImportRun, _now: datetime) -> list[Deed]:
        added = [v for v in verdicts if v.what is What.ADDED]
        changed = [v for v in verdicts if v.what is What.CHANGED]
        add((v.row.code, v.row.name) for v in added)
        for verdict in changed:
            Region.objects.filter(pk=verdict.row.code).update(name=verdict.row.name)
        marks = [ImportChange(run=run, region_id=v.row.code) for v in added]
        marks += [ImportChange(run=run, region_id=v.row.code, before=v.before) for v in changed]
        ImportChange.objects.bulk_create(marks)
        codes = [v.row.code for v in (*added, *changed)]
        return [Deed("region.set", ("region", code), code) for code in codes]


def add(regions: Iterable[tuple[str, str]]) -> None:
    """New regions by code and name, parents first."""
    Region.objects.bulk_create(
        Region(
            code=code, name=name, level=Region.level_of(code), parent_id=Region.parent_code(code)
        )
        for code, name in regions
    )


def in_order(records: Iterable[Record]) -> list[Record]:
    return sorted(records, key=lambda record: cells.region_code(record.cells.get("code", "")))


def _is_code(code: str) -> bool:
    return len(code) == 12 and code.isascii() and code.isdigit() and code != ROOT_REGION

"""Rosters of people: new ones are added, known ones brought to what the file says."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from cloud_bridge.registry import doubts, id_number
from cloud_bridge.registry.bulk import Table, stamp
from cloud_bridge.registry.imports import cells, places
from cloud_bridge.registry.imports.judging import Deed, Record, Scope, Verdict, What
from cloud_bridge.registry.models import (
    Category,
    Certification,
    Household,
    ImportChange,
    ImportRun,
    Person,
    Recheck,
    Task,
    new_person_id,
)
from edge.domain.people import mask_id_number, mask_name

_HOUSEHOLD_LENGTH = 40


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A line of a roster; None: the file has no such column."""

    name: str = field(repr=False)
    number: str = field(repr=False)
    key: str
    category: str
    covered: bool | None
    region_code: str
    household: str | None

    def masked(self) -> dict[str, str]:
        """For a page: nothing that names a person in full."""
        return {
            "name": mask_name(self.name),
            "id_number": mask_id_number(self.number),
            "category": str(Category(self.category).label) if self.category else "",
            "region_code": self.region_code,
        }


class People:
    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._places = places.Places(scope.region)
        self._seen: set[int] = set()
        self.touched: set[str] = set()

    def judge(self, records: Sequence[Record]) -> list[Verdict]:
        rows = [self._read(record) for record in records]
        self._places.learn(row.region_code for row in rows)
        known = _known(row.key for row in rows)
        pairs = zip(records, rows, strict=True)
        return [self._verdict(record, row, known.get(row.key)) for record, row in pairs]

    def _read(self, record: Record) -> PersonRow:
        """What a line says; what is wrong with it by itself is in `record.faults`."""
        get = record.cells.get
        number = cells.id_number(get("id_number", ""))
        covered, household = get("covered"), get("household")
        row = PersonRow(
            name=cells.name(get("name", "")),
            number=number,
            key=self._scope.vault.lookup(number),
            category=cells.CATEGORIES.get(cells.plain(get("category", "")), ""),
            covered=None if covered is None else cells.COVERED.get(cells.plain(covered).lower()),
            region_code=cells.plain(get("region_code", "")),
            household=None if household is None else cells.plain(household),
        )
        _check(record, row)
        check_number(record, number)
        self._check_once(record, row)
        return row

    def _check_once(self, record: Record, row: PersonRow) -> None:
        if self.has_seen(row.key):
            record.fault("id_number", "twice")
        self._seen.add(_mark(row.key))

    def has_seen(self, key: str) -> bool:
        """Whether the file names somebody, so far."""
        return _mark(key) in self._seen

    def _verdict(self, record: Record, row: PersonRow, known: Known | None) -> Verdict:
        if fault := self._places.fault(row.region_code):
            record.fault("region_code", fault)
        if known and not self._scope.region.covers(known.region_code):
            record.fault("id_number", "foreign_person")
        if record.faults:
            return Verdict(record, What.FAULTY, row)
        if known is None:
            return Verdict(record, What.ADDED, row)
        before = _differences(known, row)
        return Verdict(record, What.CHANGED if before else What.UNCHANGED, row, known, before)

    def write(self, verdicts: Sequence[Verdict], run: ImportRun, now: datetime) -> list[Deed]:
        added = [(new_person_id(), v) for v in verdicts if v.what is What.ADDED]
        changed = [(v.known.person_id, v) for v in verdicts if v.what is What.CHANGED]
        homes = make_households(v.row.household for _, v in (*added, *changed))
        _insert([self._new(person_id, v.row, homes, now) for person_id, v in added])
        update([_after(v.known, v.row, homes) for _, v in changed])
        take_work_along({who: v.row.region_code for who, v in changed if "region_code" in v.before})
        marks: list[tuple[Any, ...]] = [(run.pk, person_id, None) for person_id, _ in added]
        marks += [(run.pk, person_id, json.dumps(v.before)) for person_id, v in changed]
        Table(ImportChange, "run_id", "person_id", "before").insert(marks)
        _link_earlier([v.row.key for _, v in added], now)
        self.touched |= {v.row.region_code for _, v in (*added, *changed)}
        self.touched |= {v.known.region_code for _, v in changed}
        deeds = [deed("person.add", person_id, v.row.region_code) for person_id, v in added]
        return deeds + [deed("person.change", who, v.row.region_code) for who, v in changed]

    def _new(
        self, person_id: str, row: PersonRow, homes: Mapping[str, int], now: datetime
    ) -> tuple[Any, ...]:
        """Values of `_COLUMNS`."""
        return (
            person_id,
            row.name,
            row.key,
            self._scope.vault.seal(row.number, person_id),
            id_number.sex_of(row.number),
            str(id_number.birth_of(row.number)),
            row.category,
            row.covered is not False,
            row.region_code,
            homes.get(row.household or ""),
            stamp(now),
        )


_COLUMNS = (
    "person_id", "name", "number_key", "number_sealed", "sex", "birth",
    "category", "covered", "region_id", "household_id", "created_at",
)  # fmt: skip
_CHANGED = ("name", "category", "covered", "region_id", "household_id")


def _insert(rows: Sequence[tuple[Any, ...]]) -> None:
    with connection.wrap_database_errors:
        Table(Person, *_COLUMNS).insert(rows)


def update(rows: Sequence[tuple[Any, ...]]) -> None:
    """Values of `_CHANGED` and the person's id, for each."""
    name = connection.ops.quote_name
    columns = ", ".join(f"{name(column)} = %s" for column in _CHANGED)
    where = f"{name('person_id')} = %s"
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {name(Person._meta.db_table)} SET {columns} WHERE {where}", rows
        )


def take_work_along(moved: Mapping[str, str]) -> None:
    """Tasks and re-checks about people go where these live now; ids of people, and region codes.

    Where they lived nobody may look at them any more, and where they live somebody has to.
    """
    for code in set(moved.values()):
        people = [person_id for person_id, there in moved.items() if there == code]
        for work in (Task, Recheck):
            work.objects.filter(person__in=people).update(region_id=code)


def _after(known: Known, row: PersonRow, homes: Mapping[str, int]) -> tuple[Any, ...]:
    return (
        row.name,
        row.category,
        known.covered if row.covered is None else row.covered,
        row.region_code,
        known.household_id if row.household is None else homes.get(row.household),
        known.person_id,
    )


def _mark(key: str) -> int:
    """64 bits of a keyed hash are enough to tell a million people apart."""
    return int(key[:16], 16)


def deed(action: str, person_id: str, region_code: str) -> Deed:
    return Deed(action, ("person", person_id), region_code)


def check_number(record: Record, number: str) -> None:
    if cells.is_rounded(number):
        record.fault("id_number", "rounded")
    elif len(number) == 15 and number.isdigit():
        record.fault("id_number", "old_number")
    elif not id_number.is_valid(number):
        record.fault("id_number", "id_number")


def _check(record: Record, row: PersonRow) -> None:
    if not cells.is_word(row.name, 60):
        record.fault("name", "name")
    if not row.category:
        record.fault("category", "category")
    if row.covered is None and "covered" in record.cells:
        record.fault("covered", "covered")
    if row.household and not cells.is_word(row.household, _HOUSEHOLD_LENGTH):
        record.fault("household", "household")


@dataclass(frozen=True, slots=True)
class Known:
    """What the registry has of somebody now, as far as files may change it."""

    person_id: str
    name: str = field(repr=False)
    category: str
    covered: bool
    region_code: str
    household_id: int | None
    household: str


def _known(keys: Iterable[str]) -> dict[str, Known]:
    rows = Person.objects.filter(number_key__in=set(keys)).values_list(
        "number_key", "person_id", *_CHANGED, "household__number"
    )
    found = {}
    for key, who, name, category, covered, region, home, number in rows:
        found[key] = Known(who, name, category, covered, region, home, number or "")
    return found


def _differences(known: Known, row: PersonRow) -> dict[str, object]:
    home = known.household
    wanted = {
        "name": (known.name, row.name),
        "category": (known.category, row.category),
        "covered": (known.covered, known.covered if row.covered is None else row.covered),
        "region_code": (known.region_code, row.region_code),
        "household": (home, home if row.household is None else row.household),
    }
    return {column: now for column, (now, then) in wanted.items() if now != then}


def make_households(numbers: Iterable[str | None]) -> dict[str, int]:
    """The keys of these household numbers; what is missing is made."""
    wanted = {number for number in numbers if number}
    found = _households(wanted)
    if missing := wanted - set(found):
        Table(Household, "number").insert([(number,) for number in sorted(missing)])
        found |= _households(missing)
    return found


def _households(numbers: Iterable[str]) -> dict[str, int]:
    return dict(Household.objects.filter(number__in=list(numbers)).values_list("number", "pk"))


def _link_earlier(keys: Sequence[str], now: datetime) -> None:
    """Records that came before their people were known."""
    waiting = Certification.objects.filter(person=None, subject_key__in=keys)
    found = set(waiting.values_list("subject_key", flat=True))
    for person in Person.objects.filter(number_key__in=found) if found else ():
        doubts.link_earlier(person, now)

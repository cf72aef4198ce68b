"""Rosters of people: new ones are added, known ones brought to what the file says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cloud_bridge.registry import doubts, id_number
from cloud_bridge.registry.imports import cells, places
from cloud_bridge.registry.imports.judging import Deed, Record, Scope, Verdict, What
from cloud_bridge.registry.models import (
    Category,
    Certification,
    Household,
    ImportChange,
    ImportRun,
    Person,
    new_person_id,
)
from edge.domain.people import mask_id_number, mask_name

_HOUSEHOLD_LENGTH = 40
_WRITTEN = ("name", "category", "covered", "region", "household")


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

    def _verdict(self, record: Record, row: PersonRow, known: Person | None) -> Verdict:
        if fault := self._places.fault(row.region_code):
            record.fault("region_code", fault)
        if known and not self._scope.region.covers(known.region_id):
            record.fault("id_number", "foreign_person")
        if record.faults:
            return Verdict(record, What.FAULTY, row)
        if known is None:
            return Verdict(record, What.ADDED, row)
        before = _differences(known, row)
        return Verdict(record, What.CHANGED if before else What.UNCHANGED, row, known, before)

    def write(self, verdicts: Sequence[Verdict], run: ImportRun, now: datetime) -> list[Deed]:
        added = [v for v in verdicts if v.what is What.ADDED]
        changed = [v for v in verdicts if v.what is What.CHANGED]
        homes = make_households(v.row.household for v in (*added, *changed))
        people = [self._new(v.row, homes) for v in added]
        Person.objects.bulk_create(people)
        self._change(changed, homes)
        marks = [ImportChange(run=run, person=person) for person in people]
        marks += [ImportChange(run=run, person=v.known, before=v.before) for v in changed]
        ImportChange.objects.bulk_create(marks)
        _link_earlier(people, now)
        self.touched |= {v.row.region_code for v in (*added, *changed)}
        deeds = [("person.add", person) for person in people]
        deeds += [("person.change", v.known) for v in changed]
        return [deed_about(action, person) for action, person in deeds]

    def _new(self, row: PersonRow, homes: Mapping[str, Household]) -> Person:
        person_id = new_person_id()
        return Person(
            person_id=person_id,
            name=row.name,
            number_key=row.key,
            number_sealed=self._scope.vault.seal(row.number, person_id),
            sex=id_number.sex_of(row.number),
            birth=id_number.birth_of(row.number),
            category=row.category,
            covered=row.covered is not False,
            region_id=row.region_code,
            household=homes.get(row.household or ""),
        )

    def _change(self, verdicts: Iterable[Verdict], homes: Mapping[str, Household]) -> None:
        people = []
        for verdict in verdicts:
            person, row = verdict.known, verdict.row
            self.touched.add(person.region_id)
            person.name, person.category, person.region_id = row.name, row.category, row.region_code
            person.covered = person.covered if row.covered is None else row.covered
            if row.household is not None:
                person.household = homes.get(row.household)
            people.append(person)
        update(people)


def _mark(key: str) -> int:
    """64 bits of a keyed hash are enough to tell a million people apart."""
    return int(key[:16], 16)


def deed_about(action: str, person: Person) -> Deed:
    return Deed(action, ("person", person.person_id), person.region_id)


def update(people: Sequence[Person]) -> None:
    """Write what files may change of people, in few statements whatever their number."""
    Person.objects.bulk_create(
        people, update_conflicts=True, unique_fields=["person_id"], update_fields=_WRITTEN
    )


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


def _known(keys: Iterable[str]) -> dict[str, Person]:
    rows = Person.objects.filter(number_key__in=set(keys)).select_related("household")
    return {person.number_key: person for person in rows}


def _differences(known: Person, row: PersonRow) -> dict[str, object]:
    home = known.household.number if known.household else ""
    wanted = {
        "name": (known.name, row.name),
        "category": (known.category, row.category),
        "covered": (known.covered, known.covered if row.covered is None else row.covered),
        "region_code": (known.region_id, row.region_code),
        "household": (home, home if row.household is None else row.household),
    }
    return {column: now for column, (now, then) in wanted.items() if now != then}


def make_households(numbers: Iterable[str | None]) -> dict[str, Household]:
    """The rows of these household numbers; what is missing is made."""
    wanted = {number for number in numbers if number}
    found = households(wanted)
    if missing := wanted - set(found):
        Household.objects.bulk_create(Household(number=number) for number in sorted(missing))
        found |= households(missing)
    return found


def households(numbers: Iterable[str]) -> dict[str, Household]:
    return {home.number: home for home in Household.objects.filter(number__in=list(numbers))}


def _link_earlier(people: Sequence[Person], now: datetime) -> None:
    """Records that came before their people were known."""
    by_key = {person.number_key: person for person in people}
    waiting = Certification.objects.filter(person=None, subject_key__in=list(by_key))
    for key in set(waiting.values_list("subject_key", flat=True)):
        doubts.link_earlier(by_key[key], now)

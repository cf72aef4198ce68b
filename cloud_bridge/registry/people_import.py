"""People and regions from CSV files: all rows or none, every error with its line and column."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from cloud_bridge.registry import audit, doubts, id_number, rosters
from cloud_bridge.registry.models import (
    Category,
    Household,
    Person,
    Region,
    new_person_id,
)
from cloud_bridge.registry.vault import Vault

PEOPLE_COLUMNS = ("name", "id_number", "category", "covered", "region_code", "household")
REGION_COLUMNS = ("code", "name")
MAX_ERRORS = 50
_COVERED = {"yes": True, "no": False, "是": True, "否": False}


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong with one cell. Never holds the cell itself: it may be an id number."""

    line: int
    column: str
    why: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.why}"


class ImportRefused(Exception):
    """The file was not imported; nothing was changed."""

    def __init__(self, errors: Sequence[RowError]) -> None:
        super().__init__("\n".join(str(error) for error in errors))
        self.errors = tuple(errors)


@dataclass(frozen=True, slots=True)
class NewPerson:
    name: str = field(repr=False)
    number: str = field(repr=False)
    category: str
    covered: bool
    region_code: str
    household: str = ""


def import_people(path: Path, vault: Vault, who: str) -> int:
    """Number of people added. Raises `ImportRefused`."""
    rows = list(_rows(path, PEOPLE_COLUMNS))
    errors = list(_people_errors(rows, vault))
    if errors:
        raise ImportRefused(errors[:MAX_ERRORS])
    return add_people([_person(row) for _, row in rows], vault, who)


@transaction.atomic
def add_people(people: Sequence[NewPerson], vault: Vault, who: str) -> int:
    """Add people that were checked, and link records that came before them."""
    for new in people:
        person_id = new_person_id()
        person = Person.objects.create(
            person_id=person_id,
            name=new.name,
            number_key=vault.lookup(new.number),
            number_sealed=vault.seal(new.number, person_id),
            sex=id_number.sex_of(new.number),
            birth=id_number.birth_of(new.number),
            category=new.category,
            covered=new.covered,
            region_id=new.region_code,
            household=_household(new.household),
        )
        doubts.link_earlier(person, timezone.now())
        audit.write(vault, who, "person.add", ("person", person_id), region_code=new.region_code)
    rosters.send_anew(rosters.serving(new.region_code for new in people))
    return len(people)


def import_regions(path: Path, vault: Vault, who: str) -> int:
    """Number of regions added or renamed. Raises `ImportRefused`."""
    rows = sorted(_rows(path, REGION_COLUMNS), key=lambda row: row[1]["code"])
    errors = list(_region_errors(rows))
    if errors:
        raise ImportRefused(errors[:MAX_ERRORS])
    return add_regions([(row["code"], row["name"]) for _, row in rows], vault, who)


@transaction.atomic
def add_regions(regions: Iterable[tuple[str, str]], vault: Vault, who: str) -> int:
    """Add `(code, name)` pairs, parents first."""
    added = 0
    for code, name in sorted(regions):
        values = {
            "name": name,
            "level": Region.level_of(code),
            "parent_id": Region.parent_code(code),
        }
        Region.objects.update_or_create(code=code, defaults=values)
        audit.write(vault, who, "region.set", ("region", code), region_code=code)
        added += 1
    return added


def _rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line numbers and stripped cells."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _checked_rows(csv.reader(file, strict=True), columns)
    except UnicodeDecodeError as error:
        raise ImportRefused([RowError(1, "-", "the file is not UTF-8")]) from error
    except csv.Error as error:
        raise ImportRefused([RowError(1, "-", f"not CSV: {error}")]) from error


def _checked_rows(
    reader: Iterator[list[str]], columns: Sequence[str]
) -> Iterator[tuple[int, dict[str, str]]]:
    if next(reader, None) != list(columns):
        why = f"the first line must be exactly: {','.join(columns)}"
        raise ImportRefused([RowError(1, "-", why)])
    for line, cells in enumerate(reader, start=2):
        if len(cells) != len(columns):
            why = f"{len(cells)} cells instead of {len(columns)}"
            raise ImportRefused([RowError(line, "-", why)])
        yield line, {name: cell.strip() for name, cell in zip(columns, cells, strict=True)}


def _people_errors(rows: Sequence[tuple[int, dict[str, str]]], vault: Vault) -> Iterator[RowError]:
    regions = set(Region.objects.values_list("code", flat=True))
    taken = set(Person.objects.values_list("number_key", flat=True))
    for line, row in rows:
        if not 1 <= len(row["name"]) <= 60 or not row["name"].isprintable():
            yield RowError(line, "name", "must be 1 to 60 printable characters")
        if row["category"] not in Category.values:
            yield RowError(line, "category", f"must be one of {', '.join(Category.values)}")
        if row["covered"] not in _COVERED:
            yield RowError(line, "covered", f"must be one of {', '.join(_COVERED)}")
        if row["region_code"] not in regions:
            yield RowError(line, "region_code", "is not a region of this registry")
        if len(row["household"]) > 40:
            yield RowError(line, "household", "must be at most 40 characters")
        if not id_number.is_valid(id_number.normalise(row["id_number"])):
            yield RowError(line, "id_number", "is not a valid number (length, birth day, check)")
            continue
        key = vault.lookup(row["id_number"])
        if key in taken:
            yield RowError(line, "id_number", "is already registered or twice in this file")
        taken.add(key)


def _region_errors(rows: Sequence[tuple[int, dict[str, str]]]) -> Iterator[RowError]:
    known = set(Region.objects.values_list("code", flat=True))
    for line, row in rows:
        code = row["code"]
        if len(code) != 12 or not code.isascii() or not code.isdigit():
            yield RowError(line, "code", "must be 12 digits")
            continue
        if Region.parent_code(code) not in known:
            yield RowError(line, "code", "its parent region is missing")
        if not 1 <= len(row["name"]) <= 60 or not row["name"].isprintable():
            yield RowError(line, "name", "must be 1 to 60 printable characters")
        known.add(code)


def _person(row: dict[str, str]) -> NewPerson:
    return NewPerson(
        name=row["name"],
        number=id_number.normalise(row["id_number"]),
        category=row["category"],
        covered=_COVERED[row["covered"]],
        region_code=row["region_code"],
        household=row["household"],
    )


def _household(number: str) -> Household | None:
    return Household.objects.get_or_create(number=number)[0] if number else None

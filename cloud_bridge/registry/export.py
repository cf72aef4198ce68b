"""A list of people as a file: row after row, so that its length costs no memory.

A cell never begins with a character that a spreadsheet would take for a formula.
"""

from __future__ import annotations

import csv
import io
import logging
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

from django.utils.translation import gettext_lazy as _

from cloud_bridge.registry import queries
from cloud_bridge.registry.models import Person
from cloud_bridge.registry.people_list import Mark, PeopleList
from cloud_bridge.registry.vault import Vault, VaultError
from edge.domain.people import mask_id_number

log = logging.getLogger(__name__)

FORMATS = (("xlsx", _("Excel (XLSX)")), ("csv", _("Text (CSV, UTF-8)")))
MOST_ROWS = 200_000
CHUNK = 1000
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_BOM = "\ufeff"
_WIDTHS = (16, 16, 16, 12, 24, 16, 10, 14, 12)


@dataclass(frozen=True, slots=True)
class Words:
    """All words of the file in the language of whoever asked for it.

    `about`: label and value of what was asked, by whom and when. `rows`: label of the number
    of rows, which comes last: a file without it was cut off.
    """

    about: Sequence[tuple[str, str]]
    header: Sequence[str]
    categories: dict[str, str]
    statuses: dict[str, str]
    yes: str
    no: str
    unreadable: str
    rows: str
    sheet: str
    about_sheet: str


class Rows:
    """The cells of every row (S17–S25). `full`: numbers as they are, otherwise masked."""

    def __init__(self, people: PeopleList, vault: Vault, words: Words, *, full: bool) -> None:
        self._people = people
        self._vault = vault
        self._words = words
        self._full = full
        self.count = 0

    def __iter__(self) -> Iterator[list[str]]:
        after: Mark | None = None
        while marks := self._people.page(CHUNK, after):
            yield from self._cells([mark.keys[-1] for mark in marks])
            after = marks[-1]

    def _cells(self, ids: Sequence[str]) -> Iterator[list[str]]:
        found = Person.objects.in_bulk(ids)
        names = queries.region_names(person.region_id for person in found.values())
        for person in (found[each] for each in ids if each in found):
            self.count += 1
            yield [safe(cell) for cell in self._row(person, names[person.region_id])]

    def _row(self, person: Person, places: Any) -> list[str]:
        words, last = self._words, person.last_pass_on
        return [
            places.get(3, ""),
            places.get(4, ""),
            places.get(5, ""),
            person.name,
            self._number(person),
            words.categories[person.category],
            words.yes if person.covered else words.no,
            last.isoformat() if last else "",
            words.statuses[self._people.status_of(person)],
        ]

    def _number(self, person: Person) -> str:
        try:
            number = self._vault.open(person.number_sealed, person.person_id)
        except VaultError:
            log.error("damaged row owner=%s", person.person_id)
            return self._words.unreadable
        return number if self._full else mask_id_number(number)


def safe(cell: str) -> str:
    """The text, with an apostrophe before it where a spreadsheet would calculate."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def as_csv(rows: Rows, words: Words) -> Iterator[bytes]:
    """Pieces of the file: what was asked, the header, the rows, their number."""
    about = [[safe(label), safe(value)] for label, value in words.about]
    yield (_BOM + _lines([*about, [], list(words.header)])).encode()
    some: list[list[str]] = []
    for row in rows:
        some.append(row)
        if len(some) == CHUNK:
            yield _lines(some).encode()
            some.clear()
    yield _lines([*some, [], [words.rows, str(rows.count)]]).encode()


def _lines(rows: Sequence[Sequence[str]]) -> str:
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue()


def as_xlsx(rows: Rows, words: Words) -> IO[bytes]:
    """An open file without a name, at its beginning; gone when it is closed."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    listed, about = book.create_sheet(words.sheet), book.create_sheet(words.about_sheet)
    listed.freeze_panes = "A2"
    for letter, width in zip("ABCDEFGHI", _WIDTHS, strict=True):
        listed.column_dimensions[letter].width = width
    about.column_dimensions["A"].width, about.column_dimensions["B"].width = 24, 80
    listed.append(list(words.header))
    for row in rows:
        listed.append(row)
    for label, value in (*words.about, (words.rows, str(rows.count))):
        about.append([safe(label), safe(value)])
    file = tempfile.TemporaryFile()  # noqa: SIM115 - whoever sends it closes it
    book.save(file)
    file.seek(0)
    return file

"""Blank forms to fill in, with headings in the language of whoever asks."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

import openpyxl
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.datavalidation import DataValidation

from cloud_bridge.registry.imports.headings import COLUMNS, Column
from cloud_bridge.registry.models import Category

HINTS: Mapping[str, str] = {
    "name": gettext_lazy("as on the identity card"),
    "id_number": gettext_lazy("18 digits, typed as text"),
    "category": gettext_lazy("one of the list"),
    "covered": gettext_lazy("yes or no; a new person is covered where the column is left out"),
    "region_code": gettext_lazy("12 digits, of the community or village where the person lives"),
    "household": gettext_lazy("the same for all who live together; may be left empty"),
    "code": gettext_lazy("12 digits, or the 6 of GB/T 2260; zeros where nothing follows"),
    "date": gettext_lazy("like 2026-11-23: the day on which the person was alive, or died"),
    "source": gettext_lazy("which office knows it"),
}

_ROWS = 5000
_TEXT = "@"
_WIDTHS = {"id_number": 24, "region_code": 18, "code": 18, "source": 24}


def _heading(column: Column, chinese: bool) -> str:
    return column.chinese[0] if chinese else column.field


def as_csv(kind: Any, chinese: bool) -> bytes:
    """With a mark that makes spreadsheet programs take it for UTF-8."""
    text = io.StringIO()
    csv.writer(text).writerow(_heading(column, chinese) for column in COLUMNS[kind])
    return text.getvalue().encode("utf-8-sig")


def as_workbook(kind: Any, chinese: bool) -> bytes:
    """Every column is text, so that no digits are lost; hints are on the second sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    for index, column in enumerate(COLUMNS[kind], start=1):
        cell = sheet.cell(1, index, _heading(column, chinese))
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", "FFE3EDF5")
        place = sheet.column_dimensions[cell.column_letter]
        place.number_format, place.width = _TEXT, _WIDTHS.get(column.field, 14)
        for row in range(2, 102):
            sheet.cell(row, index).number_format = _TEXT
        _offer(sheet, cell.column_letter, column, chinese)
    sheet.freeze_panes = "A2"
    _add_hints(book, kind, chinese)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _offer(sheet: Any, letter: str, column: Column, chinese: bool) -> None:
    choices = {
        "category": [str(words) for _word, words in Category.choices]
        if chinese
        else Category.values,
        "covered": ["是", "否"] if chinese else ["yes", "no"],
    }.get(column.field)
    if choices:
        rule = DataValidation(type="list", formula1=f'"{",".join(choices)}"', allow_blank=True)
        rule.add(f"{letter}2:{letter}{_ROWS}")
        sheet.add_data_validation(rule)


def _add_hints(book: Any, kind: Any, chinese: bool) -> None:
    sheet = book.create_sheet(_("Hints"))
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 20, 70
    for column in COLUMNS[kind]:
        needed = _("needed") if column.needed else _("may be left out")
        sheet.append([_heading(column, chinese), f"{HINTS[column.field]} ({needed})"])

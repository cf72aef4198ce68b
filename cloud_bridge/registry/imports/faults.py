"""What can be wrong with a file, told by line and column and never by what stands there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

FILE = "-"
"""Stands for the column where a whole line or file is meant."""

WORDS: Mapping[str, str] = {
    # the file
    "too_big": _("the file is too large; divide it, or import it on the command line"),
    "too_many_rows": _("more rows than can be taken at once; divide the file"),
    "encoding": _("the text is neither UTF-8 nor GB18030; save it again as CSV UTF-8"),
    "binary": _("not a text file; save it as CSV or XLSX"),
    "old_excel": _("an old or a password-protected workbook; save it as XLSX without a password"),
    "not_xlsx": _("not a whole XLSX workbook; open it and save it again"),
    "bomb": _("the workbook holds more than a list needs; copy the rows into the blank form"),
    "external": _("the workbook has links to others or macros; copy the values into a new one"),
    "merged": _("some cells are merged; take the merging back"),
    "no_sheet": _("the workbook has no sheet with rows"),
    "csv": _("quotation marks do not match; save the list again as CSV"),
    "empty_file": _("the file has no rows"),
    "changed_meanwhile": _("the registry has changed meanwhile; look at the file again"),
    # the headings
    "unknown_heading": _("this heading is not known; use those of the blank form, or delete it"),
    "heading_twice": _("this heading stands there twice; delete one of the columns"),
    "heading_missing": _("this column is missing; see the blank form"),
    # a line
    "cells": _("not as many cells as headings; look for missing or additional separators"),
    "formula": _("is a formula; put its value there instead"),
    "error_cell": _("is an error of the spreadsheet program; type the value"),
    "rounded": _("was rounded by the spreadsheet program; set the column to text, type it again"),
    "empty": _("is empty; it is needed"),
    # a cell
    "name": _("must be 1 to 60 printable characters and not begin with = + - @"),
    "id_number": _("is not a valid ID number (length, day of birth, check digit); see the card"),
    "old_number": _("is a number of 15 digits; write the 18 digits of today's card"),
    "twice": _("stands in this file twice; keep one of the lines"),
    "category": _("must be one of dibao, tekun, dibian, retired, or its Chinese name"),
    "covered": _("must be one of yes, no, 是, 否"),
    "unknown_region": _("is not a region of this registry; import the regions first"),
    "foreign_region": _("lies outside of your region; leave the line to those it belongs to"),
    "foreign_person": _("is registered outside of your region; ask them there to move the person"),
    "household": _("must be at most 40 printable characters"),
    "code": _("must be 12 digits (or 6 or 9, from the left), and not all zeros"),
    "no_parent": _("its parent region is missing; add it to the file or import it before"),
    "date": _("must be a date like 2026-11-23"),
    "future": _("is later than today"),
    "before_birth": _("is before the person was born"),
    "source": _("must be 1 to 60 printable characters and not begin with = + - @"),
    "other_name": _("is not the name that is registered for this number; check the number"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """`column` is a field of `headings`, a letter where it is none, or `FILE`."""

    line: int
    column: str
    word: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {WORDS[self.word]}"


class ImportRefused(Exception):
    """Nothing of the file was taken in. `count` faults, the first of them in `faults`."""

    def __init__(self, faults: Sequence[Fault], count: int = 0) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = tuple(faults)
        self.count = count or len(faults)


def refuse(line: int, column: str, word: str) -> ImportRefused:
    return ImportRefused([Fault(line, column, word)])

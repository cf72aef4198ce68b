"""XLSX workbooks as rows of text; the only file that reads them.

openpyxl reads XML through defusedxml where that is installed, and it is (extra `cloud`): entities
and outside references are refused. Only the first sheet counts. What is not plain values in plain
cells is refused or marked, never guessed: an ID number that the spreadsheet program took for a
number has lost its last digits.
"""

from __future__ import annotations

import io
import math
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import openpyxl

from cloud_bridge.registry.imports.faults import FILE, refuse
from cloud_bridge.registry.imports.sources import MIB, Row, Source

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"

MAX_BYTES = 32 * MIB
_MAX_PARTS = 500
_PART_MIB = {"xl/worksheets/": 256, "xl/sharedStrings.xml": 32}
_OTHER_MIB = 4
"""How large a part of the archive may be unpacked; only sheets and texts grow with the rows."""

_FOREIGN = re.compile(r"externalLink|vbaProject|xl/(?:embeddings|activeX|connections)", re.I)
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\b")
_LARGEST_EXACT = 10**15
"""Spreadsheet programs keep fifteen digits of a number."""
MAX_COLUMNS = 60
MAX_EMPTY_ROWS = 2_000_000

# What a hostile workbook makes openpyxl raise; none of it is a bug of ours.
_BROKEN = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, NotImplementedError,
    OSError, RuntimeError, SyntaxError, TypeError, ValueError, struct.error,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def is_one(start: bytes) -> bool:
    """Whether a file that starts so is a workbook. Raises `ImportRefused` for old ones."""
    if start.startswith(_OLE):
        raise refuse(1, FILE, "old_excel")
    return start.startswith(_ZIP)


def rows(source: Source) -> Iterator[Row]:
    """The rows of the first sheet. Raises `ImportRefused`."""
    with source.open() as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise refuse(1, FILE, "too_big")
    line = 1
    try:
        _check_archive(content)
        for row in _sheet_rows(content):
            line = row.line
            yield row
    except _BROKEN as error:
        raise refuse(line, FILE, "not_xlsx") from error


def _check_archive(content: bytes) -> None:
    """Sizes before anything is unpacked, and what a list has no use for."""
    if content.count(b"PK\x01\x02") > _MAX_PARTS:
        raise refuse(1, FILE, "bomb")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for part in archive.infolist():
            if part.file_size > _most_bytes(part.filename):
                raise refuse(1, FILE, "bomb")
            if _FOREIGN.search(part.filename):
                raise refuse(1, FILE, "external")
        for name in archive.namelist():
            if name.startswith("xl/worksheets/") and _has_merged(archive, name):
                raise refuse(1, FILE, "merged")


def _most_bytes(name: str) -> int:
    mib = next((m for start, m in _PART_MIB.items() if name.startswith(start)), _OTHER_MIB)
    return mib * MIB


def _has_merged(archive: zipfile.ZipFile, name: str) -> bool:
    with archive.open(name) as part:
        end = b""
        while chunk := part.read(MIB):
            if _MERGED.search(end + chunk):
                return True
            end = chunk[-32:]
    return False


def _sheet_rows(content: bytes) -> Iterator[Row]:
    book = _opened(content)
    try:
        if not book.worksheets:
            raise refuse(1, FILE, "no_sheet")
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what a workbook says of its size is not to be relied on
        width = 0
        for line, cells in enumerate(sheet.iter_rows(), start=1):
            if line > MAX_EMPTY_ROWS or len(cells) > MAX_COLUMNS:
                raise refuse(line, FILE, "bomb")
            if not cells:
                continue
            texts, odd = _plain(cells)
            width = width or len(texts)
            texts += [""] * (width - len(texts))
            yield Row(line, texts, odd)
    finally:
        book.close()


def _opened(content: bytes) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of colours and checks that it does not know
        return openpyxl.load_workbook(io.BytesIO(content), read_only=True, keep_links=False)


def _plain(cells: Sequence[Any]) -> tuple[list[str], Mapping[int, str]]:
    """Texts, and the cells that are none."""
    texts: list[str] = []
    odd: dict[int, str] = {}
    for index, cell in enumerate(cells):
        value = cell.value
        if isinstance(value, str):
            if cell.data_type in _ODD_TYPES:
                odd[index] = _ODD_TYPES[cell.data_type]
            texts.append(value)
        elif value is None:
            texts.append("")
        else:
            text = _text(value)
            texts.append(text or "")
            if text is None:
                odd[index] = _why_odd(value)
    while texts and not texts[-1] and len(texts) - 1 not in odd:
        texts.pop()
    return texts, odd


_ODD_TYPES = {"f": "formula", "e": "error_cell"}


def _text(value: object) -> str | None:
    """What would have been typed, None if that cannot be known."""
    match value:
        case bool():
            return "yes" if value else "no"
        case int() | float() if not math.isfinite(value) or abs(value) >= _LARGEST_EXACT:
            return None
        case float():
            return str(int(value)) if value.is_integer() else repr(value)
        case datetime():
            return value.date().isoformat()
        case date() | int():
            return str(value)
    return None


def _why_odd(value: object) -> str:
    if isinstance(value, int | float):
        return "rounded" if math.isfinite(value) else "error_cell"
    return "formula"

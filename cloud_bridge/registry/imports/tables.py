"""CSV and XLSX files as rows of text. Whatever a file holds, it costs bounded time and memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence

from cloud_bridge.registry.imports import workbooks
from cloud_bridge.registry.imports.faults import FILE, refuse
from cloud_bridge.registry.imports.sources import MIB, Limits, Row, Source

_CHUNK = MIB


def read(source: Source, limits: Limits, score: Callable[[Sequence[str]], int]) -> Iterator[Row]:
    """Every row with something in it. Raises `ImportRefused`.

    `score` says how many known headings are among some cells: that tells a CSV's separator.
    """
    if source.size_bytes() > limits.size_bytes:
        raise refuse(1, FILE, "too_big")
    with source.open() as file:
        start = file.read(8)
    rows = workbooks.rows(source) if workbooks.is_one(start) else _csv_rows(source, score)
    for count, row in enumerate(rows):
        if count > limits.rows or row.line > 2 * limits.rows:
            raise refuse(row.line, FILE, "too_many_rows")
        if not row.is_empty():
            yield row


# --- CSV

_SEPARATORS = ",;\t，；|"


def _csv_rows(source: Source, score: Callable[[Sequence[str]], int]) -> Iterator[Row]:
    encoding = _encoding(source)
    with io.TextIOWrapper(source.open(), encoding=encoding, newline="") as text:
        separator = _separator(text, score)
        text.seek(0)
        yield from _parsed(text, separator)


def _encoding(source: Source) -> str:
    """UTF-8 if it is that from end to end, otherwise GB18030."""
    with source.open() as file:
        if b"\0" in file.read(_CHUNK):
            raise refuse(1, FILE, "binary")
    for encoding in ("utf-8-sig", "gb18030"):
        if _is_in(source, encoding):
            return encoding
    raise refuse(1, FILE, "encoding")


def _is_in(source: Source, encoding: str) -> bool:
    with io.TextIOWrapper(source.open(), encoding=encoding, newline="") as text:
        try:
            while text.read(_CHUNK):
                pass
        except UnicodeDecodeError:
            return False
    return True


def _separator(text: io.TextIOWrapper, score: Callable[[Sequence[str]], int]) -> str:
    """The one that makes most sense of the headings."""
    line = text.readline(_CHUNK).strip("\r\n")
    return max(_SEPARATORS, key=lambda separator: score(line.split(separator)))


def _parsed(text: io.TextIOWrapper, separator: str) -> Iterator[Row]:
    reader = csv.reader(text, delimiter=separator, strict=True)
    line = 1
    try:
        for cells in reader:
            yield Row(line, cells)
            line = reader.line_num + 1
    except csv.Error as error:
        raise refuse(line, FILE, "csv") from error

"""A file to be read, as rows of text."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    size_bytes: int
    rows: int


CONSOLE = Limits(16 * MIB, 200_000)
COMMAND_LINE = Limits(1024 * MIB, 5_000_000)


@dataclass(frozen=True, slots=True)
class Source:
    """A file that can be read several times; `name` only tells people which one it was."""

    name: str
    open: Callable[[], BinaryIO] = field(repr=False)

    def size_bytes(self) -> int:
        with self.open() as file:
            return file.seek(0, os.SEEK_END)

    def sha256(self) -> str:
        digest = hashlib.sha256()
        with self.open() as file:
            while chunk := file.read(MIB):
                digest.update(chunk)
        return digest.hexdigest()


def of_path(path: Path) -> Source:
    return Source(path.name, lambda: path.open("rb"))


def of_bytes(name: str, content: bytes) -> Source:
    return Source(name, lambda: io.BytesIO(content))


@dataclass(frozen=True, slots=True)
class Row:
    """`line` as people count it. `odd`: cells that are no text, by index, with a fault's word."""

    line: int
    cells: Sequence[str] = field(repr=False)
    odd: Mapping[int, str] = field(default_factory=dict)

    def is_empty(self) -> bool:
        return not self.odd and not any(cell.strip() for cell in self.cells)

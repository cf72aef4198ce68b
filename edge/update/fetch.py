"""Where bytes come from: a stick, an HTTPS server, or the broker through the sync process.

All three give the same tree, `metadata/…` and `targets/…`, and none of them is believed: what
arrives is checked against signed metadata by whoever asked. Raises `FetchError`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

CHUNK_BYTES = 64 * 1024


class FetchError(Exception):
    """The bytes did not come, or not these. `word`: what it looks like, for the history."""

    def __init__(self, details: str, word: str = "unreachable") -> None:
        super().__init__(details)
        self.word = word


class NotThere(FetchError):
    """There is no such file, which is an answer too."""


class Fetcher(Protocol):
    """`name` tells the ways apart in the log."""

    name: str

    def fetch(self, path: str, offset: int = 0) -> Iterator[bytes]:
        """The bytes of a file of the tree from `offset` on, in pieces."""
        ...


class Stick:
    """A folder, for sites without any network."""

    name = "stick"

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def fetch(self, path: str, offset: int = 0) -> Iterator[bytes]:
        found = (self._folder / path).resolve()
        if not found.is_relative_to(self._folder) or not found.is_file():
            raise NotThere(path)
        return self._read(found, offset)

    def _read(self, path: Path, offset: int) -> Iterator[bytes]:
        try:
            with path.open("rb") as file:
                file.seek(offset)
                while chunk := file.read(CHUNK_BYTES):
                    yield chunk
        except OSError as error:
            raise FetchError(f"the stick cannot be read ({error.strerror})") from error

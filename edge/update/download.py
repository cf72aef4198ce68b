"""Large files: resumed where they stopped, never slower than a floor, never longer than signed.

Kept by their hash, so that a file which a release shares with the one before is there already.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge.update.disk import flush
from edge.update.fetch import Fetcher, FetchError
from edge.wire.releases import Part

log = logging.getLogger(__name__)
_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Pace:
    """Slower than `least_bytes_s` over `within_s` is given up; what came is kept for next time."""

    least_bytes_s: float = 2_000.0
    within_s: float = 30.0


class Shelf:
    """Files by hash, finished ones and `.part`s."""

    def __init__(self, folder: Path, mono_s: Callable[[], float], pace: Pace = Pace()) -> None:
        self._folder = folder
        self._mono_s = mono_s
        self._pace = pace
        folder.mkdir(parents=True, exist_ok=True)

    def has(self, part: Part) -> Path | None:
        """The finished file. Its hash was checked when it was finished."""
        path = self._folder / part.sha256
        return path if path.is_file() and path.stat().st_size == part.length else None

    def missing_bytes(self, parts: tuple[Part, ...]) -> int:
        return sum(part.length - self._begun(part) for part in parts if not self.has(part))

    def bring(self, part: Part, place: str, fetcher: Fetcher, moved: Callable[[int], None]) -> Path:
        """Download what is missing of a file; `moved` is told of every piece, in bytes.

        Raises `FetchError`. Bytes that turn out to be others are thrown away.
        """
        if found := self.has(part):
            return found
        draft = self._folder / f"{part.sha256}.part"
        self._fill(draft, part, place, fetcher, moved)
        if _sha256(draft) != part.sha256:
            draft.unlink()
            raise FetchError(f"{part.path}: other bytes than were signed", "mismatch")
        flush(draft)
        done = draft.rename(self._folder / part.sha256)
        flush(self._folder)
        return done

    def keep_only(self, parts: set[str]) -> None:
        """Drop files of releases that are gone; hashes."""
        for path in self._folder.iterdir():
            if path.name.partition(".")[0] not in parts:
                path.unlink()

    def _begun(self, part: Part) -> int:
        draft = self._folder / f"{part.sha256}.part"
        return min(draft.stat().st_size, part.length) if draft.exists() else 0

    def _fill(
        self, draft: Path, part: Part, place: str, fetcher: Fetcher, moved: Callable[[int], None]
    ) -> None:
        begun = self._begun(part)
        watch = _Watch(self._mono_s, self._pace)
        with draft.open("ab") as file:
            file.truncate(begun)
            for chunk in fetcher.fetch(place, begun):
                begun += len(chunk)
                if begun > part.length:
                    raise FetchError(f"{part.path}: more bytes than were signed", "endless")
                file.write(chunk)
                moved(len(chunk))
                watch.took(len(chunk))
        if begun < part.length:
            raise FetchError(f"{part.path}: {part.length - begun} bytes are missing", "truncated")


class _Watch:
    """Throughput over a sliding span."""

    def __init__(self, mono_s: Callable[[], float], pace: Pace) -> None:
        self._mono_s = mono_s
        self._pace = pace
        self._since_s = mono_s()
        self._bytes = 0

    def took(self, count: int) -> None:
        self._bytes += count
        spent_s = self._mono_s() - self._since_s
        if spent_s < self._pace.within_s:
            return
        if self._bytes < self._pace.least_bytes_s * spent_s:
            raise FetchError(f"{self._bytes / spent_s:.0f} bytes a second", "slow")
        self._since_s, self._bytes = self._mono_s(), 0


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

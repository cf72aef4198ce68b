"""What the updater did and refused, in a short file of its own that tells when it was edited.

One JSON line an event, each with the hash of the line before it; the oldest go when it is long.
Nothing in it is about a person.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from datetime import UTC, datetime
from pathlib import Path

from edge.update.disk import write_whole

MAX_LINES = 1000


class History:
    """One file, one writer. An event like the last one is not written again."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def lines(self) -> list[dict[str, object]]:
        """Oldest first; what cannot be read is left out."""
        try:
            texts = self._path.read_text("utf-8").splitlines()
        except OSError:
            return []
        return [row for row in map(_row, texts) if row]

    def note(self, at: datetime, phase: str, serial: int, word: str) -> None:
        rows = self.lines()
        event = {"phase": phase, "serial": serial, "word": word}
        if rows and event.items() <= rows[-1].items():
            return
        written = {"at": at.astimezone(UTC).isoformat(timespec="seconds"), **event}
        rows.append({**written, "prev": _hash(rows[-1]) if rows else ""})
        text = "".join(json.dumps(row, sort_keys=True) + "\n" for row in rows[-MAX_LINES:])
        write_whole(self._path, text.encode())

    def first_broken(self) -> int | None:
        """Number of the first line that does not follow from the one before it, from 1."""
        rows = self.lines()
        for number, (before, row) in enumerate(itertools.pairwise(rows), 2):
            if row.get("prev") != _hash(before):
                return number
        return None


def _row(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _hash(row: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()

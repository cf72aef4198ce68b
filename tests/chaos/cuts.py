"""What a power cut leaves of files: a model of a card that keeps its word, or does not.

What was synced stays. Of what was written since, each sector is there or not, or was
hit half-way and holds rubbish, in whatever order; truncations and deletions likewise.
Sectors next to a write are never harmed: SQLite relies on that ("powersafe overwrite"),
and a card that breaks it is covered by salvage alone, like one that lies.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from tests.chaos.disk import Deleted, Event, Synced, Truncated, Written

RESERVE = "reserve.bin"
SECTOR = 512
RUBBISH = 0.02
"""Share of un-synced sectors that were being written when the power went."""

Files = dict[str, bytearray]
Change = Written | Truncated | Deleted


class Card:
    """Files by name, and what was done to them since they were last synced.

    A lying card confirms a sync while its last `volatile` changes are still on their way.
    """

    def __init__(self, files: Mapping[str, bytes], volatile: int = 0) -> None:
        self.safe: Files = {name: bytearray(data) for name, data in files.items()}
        self.pending: list[Change] = []
        self._volatile = volatile

    def take(self, event: Event) -> None:
        match event:
            case Written() | Truncated() | Deleted(synced=False):
                self.pending.append(event)
            case Deleted():
                self.pending.append(event)
                self._settle(lambda change: isinstance(change, Deleted))
            case Synced(path, folder):
                self._settle(
                    lambda change: change.path == path or (folder and isinstance(change, Deleted))
                )

    def cut(self, chance: random.Random) -> dict[str, bytes]:
        """What is found when the power is back."""
        files = {name: bytearray(data) for name, data in self.safe.items()}
        survives = chance.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        in_order = chance.random() < 0.25  # some cards lose the tail and nothing else
        left = chance.randint(0, len(self.pending)) if in_order else len(self.pending)
        for change in self.pending[:left]:
            _half(files, change, 1.0 if in_order else survives, chance)
        return {name: bytes(data) for name, data in files.items()}

    def _settle(self, which: Callable[[Change], bool]) -> None:
        keep = max(0, len(self.pending) - self._volatile)
        late = []
        for at, change in enumerate(self.pending):
            if at < keep and which(change):
                _apply(self.safe, change)
            else:
                late.append(change)
        self.pending = late


def _apply(files: Files, change: Change) -> None:
    match change:
        case Written(path, offset, data):
            _put(files, path, offset, data)
        case Truncated(path, size):
            del files.setdefault(path, bytearray())[size:]
        case Deleted(path):
            files.pop(path, None)


def _half(files: Files, change: Change, survives: float, chance: random.Random) -> None:
    """A change that was under way: done, not done, or done in parts."""
    if not isinstance(change, Written):
        if chance.random() < survives:
            _apply(files, change)
        return
    for offset, data in _sectors(change):
        if chance.random() < RUBBISH and 0.0 < survives < 1.0:
            _put(files, change.path, offset, chance.randbytes(len(data)))
        elif chance.random() < survives:
            _put(files, change.path, offset, data)


def _sectors(change: Written) -> Iterable[tuple[int, bytes]]:
    at = 0
    while at < len(change.data):
        size = SECTOR - (change.offset + at) % SECTOR
        yield change.offset + at, change.data[at : at + size]
        at += size


def _put(files: Files, path: str, offset: int, data: bytes) -> None:
    file = files.setdefault(path, bytearray())
    if len(file) < offset:
        file.extend(bytes(offset - len(file)))
    file[offset : offset + len(data)] = data


def read_folder(folder: Path) -> dict[str, bytes]:
    """Files by their full path; SQLite's shared memory is gone with the power.

    The reserve holds nothing, and is made again.
    """
    return {str(path): path.read_bytes() for path in _files(folder) if path.name != RESERVE}


def write_folder(folder: Path, files: Mapping[str, bytes], of: Path) -> None:
    """What is left of the folder `of`, and nothing else, in this one."""
    for path in _files(folder):
        path.unlink()
    for name, data in files.items():
        path = folder / Path(name).relative_to(of)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and not path.name.endswith("-shm")]

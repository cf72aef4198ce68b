"""Writing so that a power cut leaves the old or the new, never a half."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file; it is on the disk when this returns."""
    draft = path.with_name(f".{path.name}.new")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    flush(path.parent)


def flush(path: Path) -> None:
    """A file or a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_tree(folder: Path) -> None:
    """Every file and folder below, the deepest first."""
    for where, _, names in os.walk(folder, topdown=False):
        for name in names:
            path = Path(where) / name
            if not path.is_symlink():
                flush(path)
        flush(Path(where))

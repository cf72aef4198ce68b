"""The two font files of the screen, taken once out of Debian's collection.

Kivy draws a label in one font without falling back to another, and takes the
first face of a collection. The first face of Noto Sans CJK is the Japanese one,
which writes 骨, 直 or 角 otherwise than a Chinese reader expects. So the two
faces for simplified Chinese are written out as files of their own.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from edge.domain.errors import KioskError

FAMILY = "Noto Sans CJK SC"
SOURCE = Path("/usr/share/fonts/opentype/noto")
CACHE = Path(".cache/fonts")

_WEIGHTS = ("Regular", "Bold")
_FAMILY_NAME = 1  # name table, id 1


class FontError(KioskError):
    """A font that every screen needs cannot be had."""


@dataclass(frozen=True, slots=True)
class Fonts:
    """Paths of two OpenType files."""

    regular: Path
    bold: Path


def fonts(cache: Path = CACHE, source: Path = SOURCE) -> Fonts:
    """The files, extracted on first use. Raises `FontError` naming the package to install."""
    return Fonts(*(_face(weight, cache, source) for weight in _WEIGHTS))


def _face(weight: str, cache: Path, source: Path) -> Path:
    collection = source / f"NotoSansCJK-{weight}.ttc"
    if not collection.is_file():
        raise FontError(f"{collection} is missing; install the Debian package fonts-noto-cjk")
    stat = collection.stat()
    target = cache / f"{FAMILY.replace(' ', '')}-{weight}-{stat.st_size}.otf"
    if not target.is_file():
        _extract(collection, target)
    return target


def _extract(collection: Path, target: Path) -> None:
    """Write the face beside its final place and rename it, so that no half file is ever used."""
    # Slow to import, and needed once in the life of a kiosk.
    from fontTools.ttLib import TTCollection  # type: ignore[import-untyped]

    target.parent.mkdir(parents=True, exist_ok=True)
    with TTCollection(str(collection), lazy=True) as faces:
        names = {str(face["name"].getDebugName(_FAMILY_NAME)): face for face in faces}
        if FAMILY not in names:
            raise FontError(f"{collection} holds no {FAMILY}, only {sorted(names)}")
        handle, part = tempfile.mkstemp(dir=target.parent, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                names[FAMILY].save(file)
                os.fchmod(handle, 0o644)
                os.fsync(handle)
            os.replace(part, target)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise

"""The font files of the screen, taken once out of Debian's collection.

Kivy draws a label in one font without falling back to another, and takes the
first face of a collection. The first face of Noto Sans CJK is the Japanese one,
which writes 骨, 直 or 角 otherwise than a Chinese reader expects. So the two
faces for simplified Chinese are written out as files of their own.

Each size of letters is a font of its own in memory, and sixty of them may be open:
2.6 MB each with the 65,535 glyphs of the whole face, 0.4 MB with the characters of
every day. So nearly all is written with a face that has these alone, and a line
with a rarer one, in somebody's name, with the whole face. They look the same.
"""

from __future__ import annotations

import os
import string
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.domain.errors import KioskError

FAMILY = "Noto Sans CJK SC"
SOURCE = Path("/usr/share/fonts/opentype/noto")
CACHE = Path(".cache/fonts")

_WEIGHTS = ("Regular", "Bold")
_FAMILY_NAME = 1  # name table, id 1


_GB2312_EVERYDAY = (*range(0xA1, 0xAA), *range(0xB0, 0xD8))
"""Lead bytes of marks and of the 3,755 hanzi of its first level."""
_BESIDES = "馨" + string.printable.strip() + " "
EVERYDAY = frozenset(_BESIDES).union(
    *(map(chr, codes) for codes in (range(0xA0, 0x180), range(0x2010, 0x2027))),
    *(
        bytes((lead, trail)).decode("gb2312", "ignore")
        for lead in _GB2312_EVERYDAY
        for trail in range(0xA1, 0xFF)
    ),
)
"""Characters that nearly everything is written with: our own texts wholly, most names."""

_DRAWN_WITH = ("kern", "liga", "clig", "calt", "ccmp", "rlig", "mark", "mkmk")
"""What is applied to a horizontal line without being asked for."""


class FontError(KioskError):
    """A font that every screen needs cannot be had."""


@dataclass(frozen=True, slots=True)
class Fonts:
    """Paths of OpenType files: whole faces, and the same with the characters of every day."""

    regular: Path
    bold: Path
    everyday_regular: Path
    everyday_bold: Path

    def file_for(self, words: str, *, bold: bool) -> Path:
        """The smaller face if it has every character."""
        if EVERYDAY.issuperset(words):
            return self.everyday_bold if bold else self.everyday_regular
        return self.bold if bold else self.regular


def fonts(cache: Path = CACHE, source: Path = SOURCE) -> Fonts:
    """The files, extracted on first use. Raises `FontError` naming the package to install."""
    whole = [_face(weight, cache, source) for weight in _WEIGHTS]
    return Fonts(*whole, *map(_everyday, whole))


def _face(weight: str, cache: Path, source: Path) -> Path:
    collection = source / f"NotoSansCJK-{weight}.ttc"
    if not collection.is_file():
        raise FontError(f"{collection} is missing; install the Debian package fonts-noto-cjk")
    stat = collection.stat()
    target = cache / f"{FAMILY.replace(' ', '')}-{weight}-{stat.st_size}.otf"
    if not target.is_file():
        _extract(collection, target)
    return target


def _everyday(whole: Path) -> Path:
    """Another set of characters is another file."""
    which = zlib.crc32("".join(sorted(EVERYDAY)).encode())
    target = whole.with_name(f"{whole.stem}-everyday-{which:08x}.otf")
    if not target.is_file():
        _thin(whole, target)
    return target


def _extract(collection: Path, target: Path) -> None:
    # Slow to import, and needed once in the life of a kiosk.
    from fontTools.ttLib import TTCollection  # type: ignore[import-untyped]

    target.parent.mkdir(parents=True, exist_ok=True)
    with TTCollection(str(collection), lazy=True) as faces:
        names = {str(face["name"].getDebugName(_FAMILY_NAME)): face for face in faces}
        if FAMILY not in names:
            raise FontError(f"{collection} holds no {FAMILY}, only {sorted(names)}")
        _write(names[FAMILY].save, target)


def _thin(whole: Path, target: Path) -> None:
    from fontTools import subset  # type: ignore[import-untyped]
    from fontTools.ttLib import TTFont

    options = subset.Options(layout_features=list(_DRAWN_WITH), notdef_outline=True)
    options.drop_tables += ["BASE", "VORG", "vhea", "vmtx"]  # for columns of text
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(EVERYDAY))
    with TTFont(whole, lazy=True) as face:
        subsetter.subset(face)
        _write(face.save, target)


def _write(save: Callable[[Any], None], target: Path) -> None:
    """Write the face beside its final place and rename it, so that no half file is ever used."""
    handle, part = tempfile.mkstemp(dir=target.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            save(file)
            os.fchmod(handle, 0o644)
            os.fsync(handle)
        os.replace(part, target)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise

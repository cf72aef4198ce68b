"""The paper of a simulated receipt printer: dots burnt line by line, and how they look in hand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

DOTS_PER_MM = 8
HEAD_TO_CUTTER = 88
"""Dots between print head and knife: blank at the top, and cut off below if nobody feeds."""

_MARGIN_DOTS = {384: 38, 576: 30}  # 48 of 57.5 mm and 72 of 79.5 mm can be printed on
_TABLE, _SHADOW, _PAPER, _INK = 226, 188, 250, 42  # greys
_SCALE = 2
_FONTS = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
_SC_WITH_NARROW_LETTERS = 7


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character in the line buffer: a 24-dot cell, stretched `wide` and `high` times."""

    char: str
    pair: bool
    wide: int = 1
    high: int = 1
    bold: bool = False

    @property
    def width(self) -> int:
        return (24 if self.pair else 12) * self.wide


class Sheet:
    """Paper from one cut to the next, as printed so far."""

    def __init__(self, dots: int, blank: int) -> None:
        self.lines: list[str] = []
        self.torn = True
        self._dots = dots
        self._strips = [Image.new("1", (dots, blank))]

    def feed(self, rows: int) -> None:
        self._strips.append(Image.new("1", (self._dots, rows)))

    def burn(self, glyphs: list[Glyph], align: int, spacing: int) -> None:
        """One text line: characters stand on a common foot; `align` 0 left, 1 centre, 2 right."""
        high = 24 * max((glyph.high for glyph in glyphs), default=1)
        strip = Image.new("1", (self._dots, max(spacing, high)))
        left = (strip.width - sum(glyph.width for glyph in glyphs)) * align // 2
        for glyph in glyphs:
            cell = _cell(glyph)
            strip.paste(cell, (left, high - cell.height))
            left += glyph.width
        self._strips.append(strip)
        self.lines.append("".join(glyph.char for glyph in glyphs))

    def burn_dots(self, dots: bytes, row_bytes: int, align: int) -> None:
        rows = len(dots) // row_bytes
        block = Image.frombytes("1", (row_bytes * 8, rows), dots)
        strip = Image.new("1", (self._dots, rows))
        strip.paste(block, ((strip.width - block.width) * align // 2, 0))
        self._strips.append(strip)
        self.lines.append(f"[{row_bytes * 8} x {rows} dots]")

    def cut(self) -> Sheet:
        """Cut at the knife; what is still between head and knife begins the next sheet."""
        burnt = self._burnt()
        knife = max(0, burnt.height - HEAD_TO_CUTTER)
        following = Sheet(self._dots, 0)
        following._strips = [burnt.crop((0, knife, self._dots, burnt.height))]
        self._strips = [burnt.crop((0, 0, self._dots, knife))]
        self.torn = False
        return following

    def picture(self) -> Image.Image:
        """The sheet lying on a table, two pixels a dot."""
        burnt, margin = self._burnt(), _MARGIN_DOTS[self._dots]
        slip = Image.new("L", (self._dots + 2 * margin, burnt.height), _PAPER)
        slip.paste(_INK, (margin, 0), burnt)
        slip = slip.resize((slip.width * _SCALE, slip.height * _SCALE), Image.Resampling.NEAREST)
        slip = slip.filter(ImageFilter.GaussianBlur(0.7))
        return _on_table(slip, _outline(slip.size, self.torn))

    def _burnt(self) -> Image.Image:
        whole = Image.new("1", (self._dots, sum(strip.height for strip in self._strips)))
        top = 0
        for strip in self._strips:
            whole.paste(strip, (0, top))
            top += strip.height
        return whole


_BLACK_ENOUGH = [255 * (grey > 110) for grey in range(256)]


@cache
def _cell(glyph: Glyph) -> Image.Image:
    """The character in its box, enlarged the way printers do: every dot becomes a block."""
    grey = Image.new("L", (24 if glyph.pair else 12, 24))
    pen = ImageDraw.Draw(grey)
    size, foot = (24, 21) if glyph.pair else (22, 20)  # letters need room below for g and y
    pen.text((grey.width // 2, foot), glyph.char, font=_font(size), fill=255, anchor="ms")
    cell = grey.point(_BLACK_ENOUGH, "1")
    if glyph.bold:
        cell = ImageChops.logical_or(cell, ImageChops.offset(cell, 1, 0))
    return cell.resize((cell.width * glyph.wide, cell.height * glyph.high))


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(_FONTS, size, index=_SC_WITH_NARROW_LETTERS)


def _outline(size: tuple[int, int], torn: bool) -> Image.Image:
    """Where there is paper: straight sides and top, below a cut or the teeth of the tear bar."""
    width, height = size
    mask = Image.new("L", size, 255)
    if torn:
        pen = ImageDraw.Draw(mask)
        for left in range(0, width, 12):
            pen.polygon([(left, height), (left + 6, height - 7), (left + 12, height)], fill=0)
    return mask


def _on_table(slip: Image.Image, mask: Image.Image) -> Image.Image:
    border = 28
    table = Image.new("L", (slip.width + 2 * border, slip.height + 2 * border), _TABLE)
    shade = Image.new("L", table.size, 0)
    shade.paste(mask, (border + 3, border + 5))
    table.paste(_SHADOW, (0, 0), shade.filter(ImageFilter.GaussianBlur(6)))
    table.paste(slip, (border, border), mask)
    return table

"""A line of a receipt as dots, for characters the printer's own font lacks."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from edge.domain.errors import DeviceError, Fault
from edge.drivers.receipt import COLUMN_DOTS, display_width
from edge.ports import Line

BASELINE_DOTS = 21
LINE_DOTS = 30  # as far as the printer's own lines are apart
_FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
_BOLD = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc")
_MONO_SC = 7  # face 2 is SC as well, but only the Mono face has letters half as wide as hanzi


def draw_line(line: Line) -> tuple[int, bytes]:
    """Bytes per row and the rows, the high bit leftmost and 1 black; as wide as the text."""
    scale = 2 if line.big else 1
    width = max(8, -(-display_width(line.text) * COLUMN_DOTS * scale // 8) * 8)
    picture = Image.new("L", (width, LINE_DOTS * scale))
    pen = ImageDraw.Draw(picture)
    font = font_sc(2 * COLUMN_DOTS * scale, line.bold)
    left = 0
    for char in line.text:
        pen.text((left, BASELINE_DOTS * scale), char, font=font, fill=255, anchor="ls")
        left += display_width(char) * COLUMN_DOTS * scale
    return width // 8, picture.point(_BLACK_FROM_HALF, "1").tobytes()


_BLACK_FROM_HALF = [255 * (grey > 127) for grey in range(256)]


@cache
def font_sc(size_px: int, bold: bool) -> ImageFont.FreeTypeFont:
    """Noto Sans Mono CJK SC; raises `DeviceError` ABSENT when Debian's package is missing."""
    try:
        return ImageFont.truetype(_BOLD if bold else _FONT, size_px, index=_MONO_SC)
    except OSError as error:
        fix = "install the Debian package fonts-noto-cjk"
        raise DeviceError("printer", Fault.ABSENT, fix, retry=False) from error

"""ESC/POS as bytes: lines of a receipt out, status bytes in. No port, no clock.

Chinese printers take GBK, the part of GB18030 with one and two bytes; a four-byte
code comes out as garbage. So a character goes out as text only if its code is as
long as the character is wide; a line that holds any other is sent as a picture.

Asking for the status, `10 04 n`, is answered at once, also by a printer that is
offline. Every answer has `b & 93 == 12` (hex); the other bits, n by n:

    n                bit 2           bit 3           bit 5           bit 6
    1 printer        -               offline         -               -
    2 why offline    cover open      fed by button   out of paper    error
    3 what error     mechanical      cutter          unrecoverable   head too hot
    4 paper          near end        near end        out             out

Some firmware sets only one bit of a pair, so either counts.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from edge.domain.errors import Fault
from edge.drivers.receipt import COLUMN_DOTS, display_width, layout
from edge.drivers.receipt_qr import draw_code
from edge.ports import Code, Line, ReceiptItem, Rule

START = b"\x1b\x40\x1c\x26\x1d\x61\x00"  # reset, Chinese mode on, no unasked status
END_MARK = b"\x1d\x72\x01"  # GS r 1 waits its turn in the buffer: its answer means "all printed"
DISCARD = b"\x10\x05\x02"  # DLE ENQ 2: recover and forget what was not printed yet
FEED_AND_CUT = b"\x1b\x64\x05\x1d\x56\x01"
FEED_TO_TEAR = b"\x1b\x64\x06"

PRINTER, OFFLINE_CAUSE, ERROR_CAUSE, PAPER = 1, 2, 3, 4

BAND_ROWS = 30
"""Rows of a picture sent at once; cheap printers hold 4 kB."""


def padding(columns: int) -> bytes:
    """Enough NULs to end any command of ours that broke off, at the longest a band of a picture.

    What the printer still waits for is taken from these; to all others it does nothing.
    """
    return bytes(columns * COLUMN_DOTS // 8 * BAND_ROWS + _BAND_HEAD_BYTES)


_BAND_HEAD_BYTES = 8

Draw = Callable[[Line], tuple[int, bytes]]
"""A line as a picture: bytes per row, and the rows; the high bit is leftmost, 1 is black."""


def receipt(
    items: Iterable[ReceiptItem], columns: int, *, cutter: bool, draw: Draw, pictures: bool = False
) -> bytes:
    """A whole job without its end mark; `pictures` sends every line as one."""
    lines = (_line(item, columns, draw, pictures) for item in layout(items, columns))
    return START + b"".join(lines) + (FEED_AND_CUT if cutter else FEED_TO_TEAR)


def ask(n: int) -> bytes:
    return bytes((0x10, 0x04, n))


def is_status(byte: int) -> bool:
    return byte & 0x93 == 0x12


def is_end_mark(byte: int) -> bool:
    return byte & 0x90 == 0x00


def encode_text(text: str) -> bytes | None:
    """The bytes for the printer's own font, or `None` if it has no glyph for some character."""
    codes = [_code(char) for char in text]
    return None if None in codes else b"".join(code for code in codes if code)


def _code(char: str) -> bytes | None:
    char = _SUBSTITUTES.get(char, char)
    if unicodedata.category(char) == "Co":  # private use: every printer has something else there
        return None
    code = char.encode("gb18030")
    return code if len(code) == display_width(char) else None


_SUBSTITUTES = {"¥": "￥", "\u00a0": " ", "–": "-", "•": "·"}


def _line(item: ReceiptItem, columns: int, draw: Draw, pictures: bool) -> bytes:
    if isinstance(item, Code):
        return _CENTRED + raster(*draw_code(item.text, columns * COLUMN_DOTS))
    line = Line("-" * columns) if isinstance(item, Rule) else item
    code = None if pictures else encode_text(line.text)
    body = raster(*draw(line)) if code is None else code + b"\n"
    return (_AIR if line.big else b"") + _style(line) + body


def _style(line: Line) -> bytes:
    """Place (ESC a), weight (ESC E), size and line pitch of one line.

    GS ! and FS ! both: some printers scale hanzi by the one, some by the other.
    """
    place = _CENTRED if line.centred else _LEFT
    weight = b"\x1b\x45" + (b"\x01" if line.bold else b"\x00")
    size = b"\x1d\x21\x11\x1c\x21\x0c\x1b\x33\x3c" if line.big else _SMALL
    return place + weight + size


_LEFT, _CENTRED = b"\x1b\x61\x00", b"\x1b\x61\x01"
_SMALL = b"\x1d\x21\x00\x1c\x21\x00\x1b\x33\x1e"  # 24 dots at a pitch of 30
_AIR = b"\x1b\x4a\x06"  # six dots more above a big line


def raster(row_bytes: int, rows: bytes) -> bytes:
    """`GS v 0` in bands: bytes per row and rows little-endian, then the dots."""
    band = row_bytes * BAND_ROWS
    return b"".join(_band(row_bytes, rows[at : at + band]) for at in range(0, len(rows), band))


def _band(row_bytes: int, rows: bytes) -> bytes:
    height = len(rows) // row_bytes
    size = row_bytes.to_bytes(2, "little") + height.to_bytes(2, "little")
    return b"\x1d\x76\x30\x00" + size + _defuse(rows)


def _defuse(dots: bytes) -> bytes:
    """Blacken one dot wherever dots would read as a real-time command.

    Simple firmware acts on `10 04`, `10 05` and `10 14` even inside a picture:
    an answer nobody asked for, or half a receipt thrown away.
    """
    for second in (b"\x04", b"\x05", b"\x14"):
        dots = dots.replace(b"\x10" + second, b"\x18" + second)
    return dots


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the printer cannot print, in a technician's words."""

    fault: Fault
    words: str
    retry: bool = True


_TROUBLES = (
    (OFFLINE_CAUSE, 0x04, Trouble(Fault.REFUSED, "cover is open")),
    (OFFLINE_CAUSE, 0x20, Trouble(Fault.EMPTY, "out of paper")),
    (PAPER, 0x60, Trouble(Fault.EMPTY, "out of paper")),
    (ERROR_CAUSE, 0x08, Trouble(Fault.REFUSED, "cutter is jammed")),
    (ERROR_CAUSE, 0x40, Trouble(Fault.REFUSED, "print head is too hot, it recovers by itself")),
    (ERROR_CAUSE, 0x20, Trouble(Fault.REFUSED, "unrecoverable error, switch off", retry=False)),
    (ERROR_CAUSE, 0x04, Trouble(Fault.REFUSED, "mechanical error")),
    (OFFLINE_CAUSE, 0x40, Trouble(Fault.REFUSED, "error")),
    (OFFLINE_CAUSE, 0x08, Trouble(Fault.REFUSED, "paper is being fed by hand")),
    (PRINTER, 0x08, Trouble(Fault.REFUSED, "offline")),
)
"""Which answer, which bits, what it means; the cause a person can mend comes first."""


def trouble(answers: Mapping[int, int]) -> Trouble | None:
    """What is wrong by the status `answers` (n to byte); `None` means it can print."""
    for n, bits, found in _TROUBLES:
        if answers.get(n, 0) & bits:
            return found
    return None


def near_end(answers: Mapping[int, int]) -> bool:
    return bool(answers.get(PAPER, 0) & 0x0C)

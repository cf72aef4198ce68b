"""A QR code as dots: error correction M, four modules of quiet zone, as large as is useful."""

from __future__ import annotations

import qrcode
import qrcode.constants
import qrcode.exceptions

from edge.domain.errors import DeviceError, Fault

QUIET_MODULES = 4
SMALLEST_DOTS = 3  # a module of 0.375 mm: a phone still reads it from creased paper
LARGEST_DOTS = 6  # 0.75 mm; more only costs paper and time


def draw_code(text: str, paper_dots: int) -> tuple[int, bytes]:
    """Bytes per row, and the rows; the high bit is leftmost, 1 is black.

    Raises `DeviceError` REFUSED if the text is too long for paper of this width.
    """
    modules = _modules(text)
    dots = min(LARGEST_DOTS, paper_dots // len(modules))
    if dots < SMALLEST_DOTS:
        raise _too_long()
    row_bytes = -(-len(modules) * dots // 8)
    return row_bytes, b"".join(_row(row, dots, row_bytes) * dots for row in modules)


def _modules(text: str) -> list[list[bool]]:
    """Rows of modules, true is black, the quiet zone included."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=QUIET_MODULES)
    code.add_data(text.encode())
    try:
        matrix: list[list[bool]] = code.get_matrix()
    except (qrcode.exceptions.DataOverflowError, ValueError) as error:
        raise _too_long() from error
    return matrix


def _row(row: list[bool], dots: int, row_bytes: int) -> bytes:
    bits = "".join(("1" if black else "0") * dots for black in row)
    return int(bits.ljust(row_bytes * 8, "0"), 2).to_bytes(row_bytes)


def _too_long() -> DeviceError:
    words = "too much text for a QR code on this paper"
    return DeviceError("printer", Fault.REFUSED, words, retry=False)

"""A QR code as a path of an inline SVG: pages load no pictures made elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import qrcode
import qrcode.constants

QUIET_MODULES = 4


@dataclass(frozen=True, slots=True)
class Drawing:
    """`path` in units of one module; the code is `size` modules wide, quiet zone included."""

    size: int
    path: str


def drawing(text: str) -> Drawing:
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=QUIET_MODULES)
    code.add_data(text.encode())
    rows: list[list[bool]] = code.get_matrix()
    dots = [f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark]
    return Drawing(len(rows), "".join(dots))

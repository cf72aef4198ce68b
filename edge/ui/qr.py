"""A QR code for the screen: as few modules as hold the text, so that each can be large."""

from __future__ import annotations

import qrcode
import qrcode.constants

QUIET_MODULES = 4


def modules(text: str) -> tuple[tuple[bool, ...], ...]:
    """Rows from the top, true is black, the quiet zone included.

    Error correction L: a screen has no creases. Nothing is remembered: the text is somebody's.
    """
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_L, border=QUIET_MODULES)
    code.add_data(text.encode())
    return tuple(tuple(row) for row in code.get_matrix())

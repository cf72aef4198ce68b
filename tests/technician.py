"""Somebody at the desk who handles real devices while a conformance suite runs."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

import pytest
import qrcode


class Do(StrEnum):
    """What a technician may be asked to do."""

    CARD_OFF_FIRST = "Take every card off the reader"
    CARD_ON = "Lay your own card on the reader"
    CARD_OFF = "Take the card off the reader"
    PRINTER_PULL = "Pull the printer's data cable"
    PRINTER_PLUG = "Plug the printer's data cable in again"
    COVER_OPEN = "Open the printer's cover"
    COVER_CLOSE = "Close the printer's cover"
    PAPER_OUT = "Take the paper out of the printer and close the cover"
    PAPER_IN = "Put the paper back and close the cover"
    SCANNER_PULL = "Pull the scanner's cable now"
    SCANNER_PLUG = "Plug the scanner in again"
    TAMPER_OPEN = "Open the housing"
    TAMPER_CLOSE = "Close the housing"
    PAPER_SWITCH_OPEN = "Make the paper switch say that paper is low"
    PAPER_SWITCH_CLOSE = "Make the paper switch say that there is paper"
    CALL_PRESS = "Press the call button and hold it"
    CALL_RELEASE = "Let the call button go"
    SOUND_PULL = "Pull the sound card"
    SOUND_PLUG = "Plug the sound card in again"


class Technician(Protocol):
    """`do` and `sees` return when the technician has answered; the others at once."""

    def do(self, what: Do) -> None: ...

    def begin(self, what: Do) -> None:
        """The test goes on meanwhile and notices by itself."""
        ...

    def show_code(self, code: str) -> None: ...

    def sees(self, question: str) -> bool: ...


class AtTheTerminal:
    """Asks at `/dev/tty`, past pytest's capture, which has taken standard input away."""

    def __init__(self, config: pytest.Config) -> None:
        self._capture = config.pluginmanager.getplugin("capturemanager")

    def do(self, what: Do) -> None:
        self._talk(f"\n{what}, then press Enter ", listen=True)

    def begin(self, what: Do) -> None:
        self._talk(f"\n{what}\n")

    def show_code(self, code: str) -> None:
        """The code is drawn in the terminal, to be scanned from there."""
        drawing = qrcode.QRCode(border=2)
        drawing.add_data(code.encode())
        rows = drawing.get_matrix()
        picture = "\n".join("".join("  " if dark else "██" for dark in row) for row in rows)
        self._talk(f"\nHold the scanner before this code:\n{picture}\n")

    def sees(self, question: str) -> bool:
        return self._talk(f"\n{question} [y/N] ", listen=True).strip().lower() in ("y", "yes")

    def _talk(self, words: str, *, listen: bool = False) -> str:
        with (
            self._capture.global_and_fixture_disabled(),
            open("/dev/tty", "r+b", buffering=0) as desk,
        ):
            desk.write(words.encode())
            return desk.readline().decode(errors="replace") if listen else ""

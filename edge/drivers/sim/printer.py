"""A receipt printer in the simulated world: real bytes on a cable, real-looking paper.

It behaves like a Chinese ESC/POS printer with a double-byte font: four-byte codes
come out as rubbish, `FS !` enlarges hanzi and `GS !` letters, `DLE EOT` is answered
at once and everything else in its turn, and not at all while the printer cannot print.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from enum import Enum
from pathlib import Path

from edge.drivers.sim.paper import HEAD_TO_CUTTER, Glyph, Sheet
from edge.drivers.sim.printer_plugs import Listener, Plug, SimEndpoints, Terminal, UsbSocket

_SIXTEEN_GREYS = [grey // 16 * 17 for grey in range(256)]  # a third less to store, none to see
RUBBISH = "\ufffd"
LINES_BEFORE_TROUBLE = 6


class Fault(Enum):
    """What can be switched on while the printer runs."""

    SILENT = "silent"  # takes bytes, does nothing
    STUFFED = "stuffed"  # its buffer is full, it takes no bytes
    STUFFED_MID_RECEIPT = "stuffed_mid_receipt"
    SLOW = "slow"  # `byte_delay_s` for every byte
    RUBBISH = "rubbish"  # answers as at a wrong baud rate
    NO_END_MARK = "no_end_mark"  # never answers GS r
    NEAR_END = "near_end"
    PAPER_OUT = "paper_out"
    PAPER_OUT_MID_RECEIPT = "paper_out_mid_receipt"  # becomes PAPER_OUT after some lines
    PAPER_OUT_AT_END = "paper_out_at_end"  # becomes PAPER_OUT right after the job
    COVER_OPEN = "cover_open"
    CUTTER_JAM = "cutter_jam"
    CUTTER_JAM_AT_CUT = "cutter_jam_at_cut"  # becomes CUTTER_JAM at the next cut
    HOT = "hot"
    VANISH_MID_RECEIPT = "vanish_mid_receipt"  # somebody pulls the cable after some lines
    LINE_BREAKS_MID_PICTURE = "line_breaks_mid_picture"  # as soon as half a picture has come
    DEAF_IN_PICTURES = "deaf_in_pictures"  # real-time commands among the dots are dots


_STOPS = (Fault.PAPER_OUT, Fault.COVER_OPEN, Fault.CUTTER_JAM, Fault.HOT)


class SimPrinter:
    """Behind a pseudo-terminal, a TCP port of this machine (`tcp`) or USB endpoints (`usb`).

    `port` is what a driver opens: a path, `socket://host:port`, or vendor:product;
    it stays the same over `vanish` and `reconnect`.
    """

    def __init__(
        self,
        dots: int = 384,
        *,
        cutter: bool = True,
        byte_delay_s: float = 0.05,
        tcp: bool = False,
        usb: bool = False,
    ) -> None:
        self._plug: Plug = UsbSocket() if usb else Listener() if tcp else Terminal()
        self.port = self._plug.address
        self.byte_delay_s = byte_delay_s
        self.stays_powered = False
        """A pulled cable is only that: the rest of what had begun is still waited for."""
        self.stuck: dict[int, int] = {}
        """Status answers (n to byte) that firmware gives whatever the truth is."""
        self._faults: set[Fault] = set()
        self._head = _Head(dots, cutter, self._faults, self._answer)
        self._lock = threading.Lock()
        self._recent = b""
        self._thread: threading.Thread | None = None
        self.reconnect()

    @property
    def text(self) -> str:
        """The lines on the newest sheet that has any; a picture is one line in brackets."""
        with self._lock:
            return "\n".join(self._newest().lines)

    @property
    def sheets(self) -> tuple[str, ...]:
        """The text of every sheet, the oldest first."""
        with self._lock:
            return tuple("\n".join(sheet.lines) for sheet in self._head.sheets if sheet.lines)

    @property
    def oddities(self) -> tuple[str, ...]:
        """What a careful driver never causes: unknown commands, lines too long for the paper."""
        with self._lock:
            return tuple(self._head.oddities)

    def save_png(self, path: str | Path) -> None:
        """The newest sheet as it would lie on a table."""
        with self._lock:
            picture = self._newest().picture()
        picture.point(_SIXTEEN_GREYS).save(path, optimize=True)

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.add(fault)

    def clear(self, fault: Fault) -> None:
        """Mend it; a printer that only waited goes on with what it still has in its buffer."""
        with self._lock:
            self._faults.discard(fault)
            self._head.run()

    def blurt(self, code: bytes) -> None:
        """Firmware, or a bad cable, that says something unasked."""
        with self._lock:
            self._plug.write(code)

    def usb_endpoints(self) -> SimEndpoints:
        """What libusb would find; only with `usb`."""
        assert isinstance(self._plug, UsbSocket)
        return self._plug.endpoints()

    def tear(self) -> None:
        """Somebody tears the paper off at the bar."""
        with self._lock:
            self._head.tear()

    def vanish(self) -> None:
        """Pull the cable: the port is gone, and its buffer unless it `stays_powered`."""
        if self._thread is None:
            return
        os.write(self._wake, b"x")
        self._thread.join()
        os.close(self._wake)
        os.close(self._woken)
        self._thread = None

    def reconnect(self) -> None:
        self.vanish()
        with self._lock:
            self._head.cable_pulled = False
            if not self.stays_powered:
                self._head.forget()
        self._plug.open()
        self._woken, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._run, name="sim-printer", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.vanish()
        self._plug.forget()

    def _newest(self) -> Sheet:
        *older, current = self._head.sheets
        return current if current.lines or not older else older[-1]

    def _run(self) -> None:
        """The printer's own thread: until woken, or until the cable is pulled from inside."""
        try:
            while self._serve():
                pass
        finally:
            self._plug.close()

    def _serve(self) -> bool:
        if Fault.STUFFED in self._faults:
            return not self._is_woken_within(0.01)
        ready = select.select([self._woken, *self._plug.watched()], [], [])[0]
        if self._woken in ready:
            return False
        for byte in self._plug.read(ready[0]):
            if Fault.SLOW in self._faults and self._is_woken_within(self.byte_delay_s):
                return False
            with self._lock:
                self._take(byte)
            if self._head.cable_pulled:
                return False
        return True

    def _is_woken_within(self, timeout_s: float) -> bool:
        return bool(select.select([self._woken], [], [], timeout_s)[0])

    def _take(self, byte: int) -> None:
        if Fault.SILENT in self._faults:
            return
        self._head.buffer.append(byte)
        self._recent = self._recent[-2:] + bytes((byte,))
        self._at_once()
        self._head.run()

    def _at_once(self) -> None:
        """Real-time commands are seen wherever they stand in the stream, even inside a picture."""
        deaf = Fault.DEAF_IN_PICTURES in self._faults and self._head.inside_picture
        if len(self._recent) < 3 or deaf:
            return
        first, second, n = self._recent
        if (first, second) == (0x10, 0x04) and 1 <= n <= 4:
            self._answer(bytes((self.stuck.get(n, self._status(n)),)))
        elif (first, second, n) == (0x10, 0x05, 2):
            self._head.forget()

    def _status(self, n: int) -> int:
        """One byte for `DLE EOT n`; 12 (hex) is all well."""
        has = self._faults.__contains__
        stopped = any(map(has, _STOPS))
        bits = {
            1: [(stopped, 0x08)],
            2: [
                (has(Fault.COVER_OPEN), 0x04),
                (has(Fault.PAPER_OUT), 0x20),
                (has(Fault.CUTTER_JAM) or has(Fault.HOT), 0x40),
            ],
            3: [(has(Fault.CUTTER_JAM), 0x08), (has(Fault.HOT), 0x40)],
            4: [
                (has(Fault.NEAR_END) or has(Fault.PAPER_OUT), 0x0C),
                (has(Fault.PAPER_OUT), 0x60),
            ],
        }
        return 0x12 | sum(bit for on, bit in bits[n] if on)

    def _answer(self, code: bytes) -> None:
        self._plug.write(b"\xff\x80" if Fault.RUBBISH in self._faults else code)


class _Head:
    """Executes the stream: one command at a time, as soon as it is complete."""

    def __init__(
        self, dots: int, cutter: bool, faults: set[Fault], answer: Callable[[bytes], None]
    ) -> None:
        self.buffer = bytearray()
        self.sheets = [Sheet(dots, HEAD_TO_CUTTER)]
        self.oddities: list[str] = []
        self.cable_pulled = False
        self._dots = dots
        self._cutter = cutter
        self._faults = faults
        self._answer = answer
        self._lines_of_job = 0
        self._reset()

    def forget(self) -> None:
        """Drop what came in and was not printed yet."""
        self.buffer.clear()
        self._line.clear()
        self.cable_pulled = False

    def tear(self) -> None:
        self.sheets.append(Sheet(self._dots, HEAD_TO_CUTTER))

    def run(self) -> None:
        while self.buffer and not self.cable_pulled and not self._faults.intersection(_STOPS):
            used = self._step()
            if not used:
                return
            del self.buffer[:used]

    def _reset(self) -> None:
        """ESC @: this firmware starts in Western mode, so a driver has to ask for Chinese."""
        self._line: list[Glyph] = []
        self._chinese = self._bold = False
        self._letter_size = self._hanzi_size = (1, 1)
        self._align = 0
        self._spacing = 30
        self._lines_of_job = 0

    def _step(self) -> int:
        """Execute what the buffer begins with; 0 while it is incomplete."""
        first = self.buffer[0]
        if first in (0x10, 0x1B, 0x1C, 0x1D):
            return self._command()
        if first == 0x0A:
            self._end_line()
        elif first >= 0x80 and self._chinese:
            return self._pair()
        elif first >= 0x20:
            self._put(bytes((first,)).decode("cp437"), pair=False)
        return 1

    def _pair(self) -> int:
        if len(self.buffer) < 2:
            return 0
        trail = self.buffer[1]
        if trail < 0x40 or trail in (0x7F, 0xFF):
            self._put(RUBBISH, pair=False)
            return 1
        self._put(bytes(self.buffer[:2]).decode("gb18030", errors="replace")[0], pair=True)
        return 2

    def _put(self, char: str, *, pair: bool) -> None:
        wide, high = self._hanzi_size if pair else self._letter_size
        glyph = Glyph(char, pair, wide, high, self._bold)
        if sum(placed.width for placed in self._line) + glyph.width > self._dots:
            self.oddities.append(f"line too long before {char!r}")
            self._end_line()
        self._line.append(glyph)

    def _end_line(self) -> None:
        self.sheets[-1].burn(self._line, self._align, self._spacing)
        self._line = []
        self._count_line()

    def _count_line(self) -> None:
        self._lines_of_job += 1
        if self._lines_of_job < LINES_BEFORE_TROUBLE:
            return
        self._become(Fault.PAPER_OUT_MID_RECEIPT, Fault.PAPER_OUT)
        self._become(Fault.STUFFED_MID_RECEIPT, Fault.STUFFED)
        if Fault.VANISH_MID_RECEIPT in self._faults:
            self._faults.discard(Fault.VANISH_MID_RECEIPT)
            self.cable_pulled = True

    def _become(self, waiting: Fault, fault: Fault) -> bool:
        """A fault whose moment has come, if it was switched on."""
        if waiting not in self._faults:
            return False
        self._faults.discard(waiting)
        self._faults.add(fault)
        return True

    def _command(self) -> int:
        name = bytes(self.buffer[:2])
        if len(name) < 2:
            return 0
        length = self._length(name)
        if len(self.buffer) < length:
            self._maybe_break(len(self.buffer) * 2 > length)
            return 0
        self._execute(name, bytes(self.buffer[2:length]))
        return length

    @property
    def inside_picture(self) -> bool:
        return self.buffer[:2] == b"\x1dv"

    def _maybe_break(self, half_is_there: bool) -> None:
        fault = Fault.LINE_BREAKS_MID_PICTURE
        if fault in self._faults and self.inside_picture and half_is_there and len(self.buffer) > 8:
            self._faults.discard(fault)
            self.cable_pulled = True

    def _length(self, name: bytes) -> int:
        """Bytes of the whole command; as many as are missing at least, while that is not known."""
        if name == b"\x1dV":
            return 4 if self._byte(2) in (65, 66) else 3
        if name == b"\x1dv":
            return 8 + self._word(4) * self._word(6)
        if name in (b"\x1d(", b"\x1c("):
            return 5 + self._word(3)
        return 2 + _ARGUMENTS.get(name, 0)

    def _byte(self, at: int) -> int:
        return self.buffer[at] if at < len(self.buffer) else 0

    def _word(self, at: int) -> int:
        return self._byte(at) + 256 * self._byte(at + 1)

    def _execute(self, name: bytes, arguments: bytes) -> None:
        n = arguments[0] if arguments else 0
        match name:
            case b"\x1b@":
                self._reset()
            case b"\x1c&" | b"\x1c.":
                self._chinese = name == b"\x1c&"
            case b"\x1c!":
                self._hanzi_size = (2 if n & 0x04 else 1, 2 if n & 0x08 else 1)
            case b"\x1d!":
                self._letter_size = ((n >> 4) + 1, (n & 0x07) + 1)
            case b"\x1b!":
                self._letter_size = (2 if n & 0x20 else 1, 2 if n & 0x10 else 1)
                self._bold = bool(n & 0x08)
            case b"\x1bE":
                self._bold = bool(n & 1)
            case b"\x1ba":
                self._align = n % 48
            case b"\x1b2":
                self._spacing = 30
            case b"\x1b3":
                self._spacing = n
            case b"\x1bd":
                self.sheets[-1].feed(n * self._spacing)
            case b"\x1bJ":
                self.sheets[-1].feed(n)
            case b"\x1dv":
                self._dots_block(arguments)
            case b"\x1dV":
                self._cut()
            case b"\x1dr":
                self._report()
            case _ if name not in _ARGUMENTS:
                self.oddities.append(f"unknown command {name.hex()}")

    def _dots_block(self, arguments: bytes) -> None:
        row_bytes = arguments[2] + 256 * arguments[3]
        self.sheets[-1].burn_dots(arguments[6:], row_bytes, self._align)
        self._count_line()

    def _cut(self) -> None:
        jammed = self._become(Fault.CUTTER_JAM_AT_CUT, Fault.CUTTER_JAM)
        if self._cutter and not jammed:
            self.sheets.append(self.sheets[-1].cut())

    def _report(self) -> None:
        self._become(Fault.PAPER_OUT_AT_END, Fault.PAPER_OUT)
        if Fault.NO_END_MARK not in self._faults:
            self._answer(b"\x03" if Fault.NEAR_END in self._faults else b"\x00")


_ARGUMENTS = {
    b"\x10\x04": 1,
    b"\x10\x05": 1,
    b"\x1b@": 0,
    b"\x1b ": 1,
    b"\x1b!": 1,
    b"\x1b$": 2,
    b"\x1b-": 1,
    b"\x1b2": 0,
    b"\x1b3": 1,
    b"\x1bE": 1,
    b"\x1bJ": 1,
    b"\x1bM": 1,
    b"\x1b\\": 2,
    b"\x1ba": 1,
    b"\x1bd": 1,
    b"\x1bt": 1,
    b"\x1b{": 1,
    b"\x1c!": 1,
    b"\x1c&": 0,
    b"\x1c(": 3,
    b"\x1c-": 1,
    b"\x1c.": 0,
    b"\x1cC": 1,
    b"\x1cS": 2,
    b"\x1d!": 1,
    b"\x1dB": 1,
    b"\x1dL": 2,
    b"\x1dW": 2,
    b"\x1da": 1,
    b"\x1dr": 1,
    b"\x1dV": 1,
    b"\x1dv": 6,
    b"\x1d(": 3,
}
"""Argument bytes of every command this printer knows; four of them are longer, see `_length`.

Those that `_execute` does not name have no effect on this paper: sides, spacing, underline.
"""

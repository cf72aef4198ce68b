"""A bar-code module in the simulated world: real bytes on a pseudo-terminal.

Written from the module's description. It sends what is shown to it, or, when
`triggered`, only what comes before it within `LOOK_S` of an order to look.
"""

from __future__ import annotations

import fcntl
import os
import select
import struct
import tempfile
import termios
import threading
import time
import tty
from collections.abc import Callable
from enum import Enum
from pathlib import Path

OK = b"\x02\x00\x00\x01\x00\x33\x31"
LOOK = b"\x08\x01\x00\x02\x01"
NOISE = b"\xff\x80\xfe\xc3\x00"
TOO_MUCH = 4000
LOOK_S = 5.0


class Fault(Enum):
    """What can be switched on while the module runs."""

    SPLIT = "split"  # every byte on its own, `byte_delay_s` apart
    GARBAGE = "garbage"  # noise runs into the code
    NO_TERMINATOR = "no_terminator"
    OVERSIZE = "oversize"  # thousands of bytes before the end of the line
    CONTROL_REPLY = "control_reply"  # an answer in the middle of the code
    HALF = "half"  # stops after half of it


class SimScanner:
    """`port` is the path to give to a driver; it stays the same over `vanish` and `reconnect`."""

    def __init__(
        self,
        *,
        ending: bytes = b"\r",
        encoding: str = "utf-8",
        triggered: bool = False,
        byte_delay_s: float = 0.001,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="sim-scanner-")
        self.port = str(Path(self._folder.name) / "port")
        self._ending = ending
        self._encoding = encoding
        self._triggered = triggered
        self._byte_delay_s = byte_delay_s
        self._pause = pause
        self._faults: set[Fault] = set()
        self._in_view: bytes | None = None
        self._look_until_s = 0.0
        self._heard = bytearray()
        self.looks = 0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.reconnect()

    # --- what happens before it ---

    def show(self, code: str) -> None:
        """Hold a code before it."""
        with self._lock:
            self._in_view = code.encode(self._encoding)
        self._look()

    def send(self, data: bytes) -> None:
        """Exactly these bytes. What nobody has room for is lost, as on a real line."""
        with self._lock:
            split = Fault.SPLIT in self._faults
        size = 1 if split else max(1, len(data))
        for start in range(0, len(data), size):
            self._write(data[start : start + size])
            if split:
                self._pause(self._byte_delay_s)

    def unread(self) -> int:
        """How many bytes have reached the kiosk's side and were not taken yet."""
        answer = fcntl.ioctl(self._far_end, termios.FIONREAD, b"\0" * 4)
        return int(struct.unpack("i", answer)[0])

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.add(fault)

    def clear(self, fault: Fault) -> None:
        with self._lock:
            self._faults.discard(fault)

    def vanish(self) -> None:
        """Pull the cable: the port is gone."""
        if self._thread is None:
            return
        Path(self.port).unlink()
        os.write(self._wake, b"x")
        self._thread.join()
        for end in (self._wake, self._woken, self._line, self._far_end):
            os.close(end)
        self._thread = None

    def reconnect(self) -> None:
        self.vanish()
        self._heard.clear()
        self._line, self._far_end = os.openpty()
        tty.setraw(self._far_end)
        os.set_blocking(self._line, False)
        Path(self.port).symlink_to(os.ttyname(self._far_end))
        self._woken, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._run, name="sim-scanner", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.vanish()
        self._folder.cleanup()

    # --- what it does ---

    def _write(self, data: bytes) -> None:
        try:
            os.write(self._line, data)
        except BlockingIOError:
            return  # the other side listens too slowly

    def _spoiled(self, line: bytes) -> bytes:
        """The line as it leaves, with the faults that are switched on."""
        middle = len(line) // 2
        with self._lock:
            faults = set(self._faults)
        if Fault.HALF in faults:
            return line[:middle]
        if Fault.CONTROL_REPLY in faults:
            line = line[:middle] + OK + line[middle:]
        if Fault.GARBAGE in faults:
            line = NOISE + line
        if Fault.OVERSIZE in faults:
            line = line + b"0" * TOO_MUCH
        return line if Fault.NO_TERMINATOR in faults else line + self._ending

    def _run(self) -> None:
        """The module's own thread, until woken: listens to orders."""
        while True:
            ready, _, _ = select.select([self._line, self._woken], [], [])
            if self._woken in ready:
                return
            self._heard += os.read(self._line, 4096)
            self._obey()

    def _obey(self) -> None:
        """Orders are 7E 00, a body whose second byte counts its data, and its checksum."""
        while (start := self._heard.find(b"\x7e\x00")) >= 0:
            del self._heard[:start]
            if len(self._heard) < 4 or len(self._heard) < 8 + self._heard[3]:
                return
            end = 6 + self._heard[3]
            body, check = bytes(self._heard[2:end]), bytes(self._heard[end : end + 2])
            del self._heard[: end + 2]
            if check in (checksum(body), b"\xab\xcd"):
                self._answer(body)

    def _answer(self, body: bytes) -> None:
        self.send(OK)
        if body != LOOK:
            return
        with self._lock:
            self.looks += 1
            self._look_until_s = time.monotonic() + LOOK_S
        self._look()

    def _look(self) -> None:
        """Send what is in view, once, if it looks at all."""
        with self._lock:
            looks = not self._triggered or time.monotonic() < self._look_until_s
            if self._in_view is None or not looks:
                return
            line, self._in_view = self._in_view, None
            self._look_until_s = 0.0
        self.send(self._spoiled(line))


def checksum(body: bytes) -> bytes:
    """CRC-16/XMODEM bit by bit: polynomial 1021, start 0, highest bit first."""
    crc = 0
    for byte in body:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1) ^ (0x1021 if crc & 0x8000 else 0)
            crc &= 0xFFFF
    return crc.to_bytes(2, "big")

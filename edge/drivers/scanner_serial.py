"""A bar-code module on a serial line; `scan_lines` knows what it says."""

from __future__ import annotations

import logging
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import serial

from edge.domain.errors import DeviceError, Fault
from edge.domain.record import Provenance
from edge.domain.timebase import NS_PER_S, MonoNs
from edge.drivers.scan_lines import IDLE_NS, TRIGGER, Lines, Repeats, decode
from edge.ports import Health

log = logging.getLogger(__name__)

NAME = "scanner"
BAUD = 9600  # as delivered; desktop scanners on USB take any
SLICE_S = 0.05  # longest single wait: how soon `close()` from another thread is noticed
TRIGGER_NS = 3 * NS_PER_S  # modules look for about five seconds


class Line(Protocol):
    """The part of a serial port used here; `read` waits at most `SLICE_S`."""

    @property
    def in_waiting(self) -> int: ...

    def read(self, size: int = 1) -> bytes: ...

    def write(self, data: bytes) -> int | None: ...

    def close(self) -> None: ...


def open_line(port: str) -> Line:
    """A device path, 9600 8N1, no flow control."""
    line: Line = serial.Serial(port, BAUD, timeout=SLICE_S, write_timeout=1.0, exclusive=True)
    return line


@contextmanager
def _line_errors() -> Iterator[None]:
    """Whatever a vanished port raises leaves as ABSENT. (`SerialException` is an `OSError`.)"""
    try:
        yield
    except (OSError, termios.error, ValueError) as error:
        detail = f"the port failed ({type(error).__name__})"
        raise DeviceError(NAME, Fault.ABSENT, detail) from error


class SerialScanner:
    """Implements `Scanner`. With `trigger` a GM65 is told to look while somebody waits.

    One thread may use it, any other may call `close()` or `health()`. After the
    port vanished each call tries to open it again.
    """

    name = NAME
    borrows_camera = False

    def __init__(
        self,
        port: str,
        *,
        mono_ns: Callable[[], MonoNs],
        trigger: bool = False,
        provenance: Provenance = Provenance.LIVE,
        open_line: Callable[[str], Line] = open_line,
    ) -> None:
        self.provenance = provenance
        self._port = port
        self._mono_ns = mono_ns
        self._trigger = trigger
        self._open_line = open_line
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._closing.set()
        self._line: Line | None = None
        self._lines = Lines()
        self._repeats = Repeats()
        self._listened_ns: MonoNs | None = None
        self._triggered_ns: MonoNs | None = None
        self._health = self._ill("not opened yet")

    def open(self) -> None:
        with self._lock:
            self._closing.clear()
            self._connected()

    def close(self) -> None:
        self._closing.set()
        with self._lock:
            self._drop("closed")

    def health(self) -> Health:
        """Only the port is known to be there: a module that is not triggered never answers."""
        return self._health

    def wait_for_code(self, timeout_s: float) -> str | None:
        with self._lock:
            if self._closing.is_set():
                raise DeviceError(NAME, Fault.ABSENT, "closed", retry=False)
            try:
                return self._listen(self._connected(), timeout_s)
            except DeviceError as error:
                self._drop(error.detail)
                raise

    def _listen(self, line: Line, timeout_s: float) -> str | None:
        end_ns = self._mono_ns() + int(timeout_s * NS_PER_S)
        self._drop_unwanted(line)
        while not self._closing.is_set():
            self._pull_trigger(line)
            self._take_in(line)
            code = self._next_code()
            if code is not None:
                self._triggered_ns = None
                return code
            if self._mono_ns() >= end_ns and not self._lines.inside_code:
                return None
        return None

    def _drop_unwanted(self, line: Line) -> None:
        """What came while nobody waited goes, and the rest of a code that is half gone.

        Waits that follow each other closely are one wait, or codes would be cut in two.
        """
        last_ns, self._listened_ns = self._listened_ns, self._mono_ns()
        if last_ns is not None and self._listened_ns - last_ns < IDLE_NS:
            return
        self._lines = Lines()
        with _line_errors():
            unwanted = line.read(line.in_waiting)
        if unwanted and unwanted[-1:] not in b"\r\n":
            self._lines.push(b"", self._listened_ns)
            self._lines.skip()

    def _pull_trigger(self, line: Line) -> None:
        now_ns = self._mono_ns()
        pulled_ns = self._triggered_ns
        if not self._trigger or (pulled_ns is not None and now_ns - pulled_ns < TRIGGER_NS):
            return
        self._triggered_ns = now_ns
        with _line_errors():
            line.write(TRIGGER)

    def _take_in(self, line: Line) -> None:
        """Quiet is counted from before the read, so that a thread that slept cuts no code."""
        before_ns = self._mono_ns()
        with _line_errors():
            data = line.read(max(1, line.in_waiting))
        self._listened_ns = self._mono_ns()
        if data:
            self._lines.push(data, self._listened_ns)
        else:
            self._lines.quiet(before_ns)

    def _next_code(self) -> str | None:
        while (line := self._lines.pop()) is not None:
            code = decode(line)
            if code is None:
                log.info("%d bytes that are no text", len(line))
            elif self._repeats.is_new(code, self._mono_ns()):
                return code
        return None

    def _connected(self) -> Line:
        if self._line is None:
            try:
                with _line_errors():
                    self._line = self._open_line(self._port)
            except DeviceError as error:
                self._drop(error.detail)
                raise
            self._listened_ns = self._triggered_ns = None
            self._health = Health(True, f"port {self._port} is there; show it a code to try")
        return self._line

    def _drop(self, words: str) -> None:
        if self._line:
            try:
                with _line_errors():
                    self._line.close()
            except DeviceError as error:
                log.info("closing: %s", error.detail)
        self._line = None
        self._health = self._ill(words)

    def _ill(self, words: str) -> Health:
        return Health(False, words, f"cable of the scanner at {self._port}", Fault.ABSENT)

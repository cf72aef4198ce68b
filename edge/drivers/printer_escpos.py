"""A receipt printer that is taken to have printed only if it said so itself.

python-escpos is the transport and nothing else (`printer_cables`): its text would send
hanzi without switching the printer to Chinese, and its paper status takes silence for
"enough paper".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from edge.domain.errors import DeviceError, Fault
from edge.domain.record import Provenance
from edge.drivers import receipt_bytes as wire
from edge.drivers.printer_cables import PIECE_BYTES, QUIET_S, Cable
from edge.drivers.receipt_picture import draw_line, font_sc
from edge.ports import Health, Paper, ReceiptItem

NS_PER_S = 1_000_000_000
ANSWER_S = 0.5  # a status answer takes some milliseconds; slow firmware a tenth of a second
PRINT_S = 20.0  # from the last byte sent to the end mark; 15 cm of paper take 2 to 5 s


class EscposPrinter:
    """Implements `Printer`. After the cable was out, the next call opens the port again."""

    def __init__(
        self,
        cable: Cable,
        *,
        mono_ns: Callable[[], int],
        columns: int = 32,
        cutter: bool = True,
        pictures: bool = False,
        provenance: Provenance = Provenance.LIVE,
    ) -> None:
        """`pictures` draws every line: for a printer without a Chinese font."""
        self.name = "printer"
        self.provenance = provenance
        self._cable = cable
        self._mono_ns = mono_ns
        self._columns = columns
        self._cutter = cutter
        self._pictures = pictures
        self._wanted = self._plugged = False
        self._torn = True  # what a printer heard before this process began, nobody knows
        self._heard = b""

    def open(self) -> None:
        """Raises `DeviceError` ABSENT without a port; asks the printer nothing yet."""
        self._wanted = True
        self._connected()

    def close(self) -> None:
        self._wanted = False
        self._drop()

    def health(self) -> Health:
        try:
            paper = self.paper()
            font_sc(24, False)
        except DeviceError as error:
            fix = _FIXES[error.fault] if error.retry else error.detail
            return Health(False, error.detail, fix)
        return _PAPER_HEALTH[paper]

    def paper(self) -> Paper:
        answers = self._answers(*_EVERYTHING)
        found = wire.trouble(answers)
        if found and found.fault is Fault.EMPTY:
            return Paper.OUT
        self._raise_if(found)
        return Paper.NEAR_END if wire.near_end(answers) else Paper.OK

    def print_receipt(self, items: Sequence[ReceiptItem]) -> None:
        job = wire.receipt(
            items, self._columns, cutter=self._cutter, draw=draw_line, pictures=self._pictures
        )
        self._check(*_EVERYTHING)
        try:
            self._send(job)
            self._wait_for_end(len(job))
            self._check(*_CAUSES)
        except DeviceError as error:
            self._torn = error.fault not in _EXPLAINED
            self._discard()
            raise

    def _check(self, *asked: int) -> None:
        self._raise_if(wire.trouble(self._answers(*asked)))

    def _raise_if(self, found: wire.Trouble | None) -> None:
        if found:
            raise self._error(found.fault, found.words, retry=found.retry)

    def _answers(self, *asked: int) -> dict[int, int]:
        return {n: self._answer(n) for n in asked}

    def _answer(self, n: int) -> int:
        """One status byte, asked on a drained line; silence and noise are errors."""
        mending_s = self._mend()
        self._drain()
        self._write(wire.ask(n))
        deadline_ns = self._deadline_ns(ANSWER_S + mending_s)
        noise = 0
        while byte := self._read(deadline_ns):
            if wire.is_status(byte[0]):
                return byte[0]
            noise += 1
        if noise:
            raise self._error(Fault.GARBLED, f"no status among {noise} bytes of answer")
        raise self._error(Fault.SILENT, f"no answer within {ANSWER_S} s")

    def _drain(self) -> None:
        """Read off what nobody asked for, and what came too late."""
        deadline_ns = self._deadline_ns(ANSWER_S)
        while self._read(self._deadline_ns(QUIET_S)):
            if self._mono_ns() > deadline_ns:
                raise self._error(Fault.GARBLED, "the line is never quiet")

    def _mend(self) -> float:
        """Lead a printer out of a picture that broke off, or it would swallow what comes next.

        Before the first question, as some firmware hears none inside a picture.
        Returns the seconds this takes on the line.
        """
        if not self._torn:
            return 0.0
        padding = wire.padding(self._columns)
        self._send(padding)
        self._torn = False
        return self._line_time_s(len(padding))

    def _send(self, job: bytes) -> None:
        for at in range(0, len(job), PIECE_BYTES):
            self._write(job[at : at + PIECE_BYTES])

    def _wait_for_end(self, job_bytes: int) -> None:
        """Ask for the end mark and wait; at every silence ask what holds the printer up.

        Paper that ends keeps the mark in the buffer for ever. Only one question
        is asked, so whichever status byte comes is its answer.
        """
        deadline_ns = self._deadline_ns(PRINT_S + self._line_time_s(job_bytes))
        self._drain()
        self._write(wire.END_MARK)
        while self._mono_ns() < deadline_ns:
            byte = self._read(self._deadline_ns(ANSWER_S))
            if not byte:
                self._write(wire.ask(wire.OFFLINE_CAUSE))
            elif wire.is_end_mark(byte[0]):
                return
            elif wire.is_status(byte[0]):
                self._stop_if_held_up(byte[0])
        raise self._error(Fault.SILENT, "the end of the job was not confirmed")

    def _stop_if_held_up(self, offline_cause: int) -> None:
        found = wire.trouble({wire.OFFLINE_CAUSE: offline_cause})
        if found:
            self._check(*_CAUSES)
            self._raise_if(found)

    def _discard(self) -> None:
        """Nobody may find the rest of this receipt on the paper of the next person."""
        with suppress(DeviceError):  # the error that brought us here is the one to report
            self._write(wire.DISCARD)

    def _read(self, deadline_ns: int) -> bytes:
        """The next byte, or none when the time is over."""
        while not self._heard and self._mono_ns() < deadline_ns:
            cable = self._connected()
            try:
                self._heard = cable.read()
            except OSError as error:
                raise self._lost(error) from error
        byte, self._heard = self._heard[:1], self._heard[1:]
        return byte

    def _write(self, code: bytes) -> None:
        cable = self._connected()
        try:
            cable.write(code)
        except OSError as error:
            raise self._lost(error) from error

    def _lost(self, error: OSError) -> DeviceError:
        self._drop()
        return self._error(Fault.ABSENT, f"the line broke: {error}")

    def _connected(self) -> Cable:
        if not self._wanted:
            raise self._error(Fault.ABSENT, "not open", retry=False)
        if not self._plugged:
            self._cable.open()
            self._plugged = True
        return self._cable

    def _drop(self) -> None:
        self._plugged = False
        self._heard = b""
        self._cable.close()

    def _line_time_s(self, count: int) -> float:
        return count / self._cable.bytes_per_s

    def _deadline_ns(self, timeout_s: float) -> int:
        return self._mono_ns() + round(timeout_s * NS_PER_S)

    def _error(self, fault: Fault, detail: str, *, retry: bool = True) -> DeviceError:
        return DeviceError(self.name, fault, detail, retry=retry)


_CAUSES = (wire.OFFLINE_CAUSE, wire.ERROR_CAUSE, wire.PAPER)
_EVERYTHING = (wire.PRINTER, *_CAUSES)
_EXPLAINED = (Fault.EMPTY, Fault.REFUSED)  # a printer that says what it lacks still listens

_PAPER_HEALTH = {
    Paper.OK: Health(True, "ready"),
    Paper.NEAR_END: Health(True, "paper near end: change the roll soon", "bring a new roll"),
    Paper.OUT: Health(False, "out of paper", "put in a new roll"),
}
_FIXES = {
    Fault.ABSENT: "check cable and power of the printer, and its port in the configuration",
    Fault.SILENT: "switch the printer off and on; check the baud rate",
    Fault.GARBLED: "check the baud rate and the cable",
    Fault.EMPTY: "put in a new roll",
    Fault.REFUSED: "close the cover, free the cutter, or let the head cool",
}

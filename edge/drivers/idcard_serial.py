"""An identity-card reader on a serial line; `idcard_frames` knows the frames.

Three layers, bottom up: a `Line` carries bytes, a `_Talk` asks one question and
returns the answer that belongs to it, a `SerialCardReader` knows cards.

A module works strictly in turn. So when an answer stays away, the next thing
asked is its status: whatever comes in before that answer is late and dropped,
and no late READ can ever pass for the next person's card.
"""

from __future__ import annotations

import logging
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, Protocol

import serial

from edge.domain.errors import DeviceError, Fault
from edge.domain.people import CardIdentity
from edge.domain.record import Provenance
from edge.domain.timebase import NS_PER_S, MonoNs
from edge.drivers.idcard_frames import (
    Command,
    Garble,
    Reaction,
    Reply,
    Sw3,
    answers,
    command,
    decode,
    missing,
    sam_id,
    split_base,
)
from edge.drivers.idcard_text import parse
from edge.ports import Health

log = logging.getLogger(__name__)

NAME = "card_reader"
RATES = (115200, 57600, 38400, 19200, 9600)  # baud
SLICE_S = 0.1  # longest single wait: how soon `close()` from another thread is noticed
POLL_S = 0.3  # makers ask for at least this much between two searches
PROBE_S = 0.5
QUIET_S = 0.2  # a line silent for so long has nothing late to say
RESET_S = 1.0  # a module needs it to come back
ANSWER_S = 1.5
READ_S = 4.0  # radio and signatures take about one second
READ_BITS = 12_950  # on the wire for the longest answer, start and stop bits included
FAILURES_BEFORE_RECOVERY = 3
REFUSALS_BEFORE_VERDICT = 3


class Line(Protocol):
    """The part of a serial port used here; `read` waits at most `SLICE_S`."""

    def read(self, size: int = 1) -> bytes: ...

    def write(self, data: bytes) -> int | None: ...

    def reset_input_buffer(self) -> None: ...

    def close(self) -> None: ...


class _Closed(DeviceError):
    """`close()` was called while something was waiting."""

    def __init__(self) -> None:
        super().__init__(NAME, Fault.ABSENT, "closed", retry=False)


class _Unanswered(DeviceError):
    """One question stayed without a usable answer. GARBLED: the reader is not given up yet."""

    def __init__(self, detail: str) -> None:
        super().__init__(NAME, Fault.GARBLED, detail)


def open_line(port: str, rate: int) -> Line:
    """A device path or `socket://host:port` at `rate` baud, 8N1, no flow control.

    pyserial raises RTS and DTR by itself (some readers are fed by them) and
    forgives ports that have none.
    """
    line: Line = serial.serial_for_url(
        port, baudrate=rate, timeout=SLICE_S, write_timeout=1.0, exclusive=True
    )
    return line


@contextmanager
def _line_errors() -> Iterator[None]:
    """Whatever a vanished port raises leaves as ABSENT. (`SerialException` is an `OSError`.)"""
    try:
        yield
    except (OSError, termios.error, ValueError) as error:
        kind = type(error)
        detail = f"the port failed ({kind.__module__}.{kind.__name__})"
        raise DeviceError(NAME, Fault.ABSENT, detail) from error


class _Talk:
    """One question at a time over an open line, and only the answer that belongs to it."""

    def __init__(
        self, line: Line, rate: int, mono_ns: Callable[[], int], closing: threading.Event
    ) -> None:
        self._line = line
        self._mono_ns = mono_ns
        self._closing = closing
        self._owes_answer = False
        self.rate = rate

    def ask(self, order: Command, timeout_s: float = ANSWER_S) -> Reply:
        """Asks again once when question or answer was torn on the way.

        Raises SILENT when no answer came in time, GARBLED when it was torn twice.
        """
        if self._owes_answer:
            self._catch_up()
        answer = self._once(order, timeout_s)
        if _is_torn(answer):
            answer = self._once(order, timeout_s)
        if isinstance(answer, Reply) and not _is_torn(answer):
            return answer
        if answer is Garble.TIME_OUT:
            raise DeviceError(NAME, Fault.SILENT, f"{order.name}: the module timed out")
        raise DeviceError(NAME, Fault.GARBLED, f"{order.name}: answer torn twice")

    def _catch_up(self) -> None:
        """Listen until it is quiet, then until STATUS is answered: nothing older can follow."""
        quiet_ns = self._after_ns(QUIET_S)
        end_ns = self._after_ns(ANSWER_S)
        while self._mono_ns() < min(quiet_ns, end_ns):
            if self._read(256):
                quiet_ns = self._after_ns(QUIET_S)
        self._once(Command.STATUS, PROBE_S)
        if self._owes_answer:
            raise DeviceError(NAME, Fault.GARBLED, "out of step")

    def reset(self) -> None:
        """Sent whatever is owed: a module that hangs may not even answer STATUS."""
        self._once(Command.RESET, RESET_S)

    def _once(self, order: Command, timeout_s: float) -> Reply | Garble:
        """Send, then wait. The deadline does not move with noise that comes in."""
        with _line_errors():
            self._line.reset_input_buffer()
            self._line.write(command(order))
        end_ns = self._after_ns(timeout_s)
        self._owes_answer = True
        answer = self._await(order, end_ns)
        self._owes_answer = answer is Garble.CHECKSUM
        return answer

    def _await(self, order: Command, end_ns: int) -> Reply | Garble:
        buffer = bytearray()
        while self._mono_ns() < end_ns:
            buffer += self._read(missing(buffer))
            answer = _take(buffer, order)
            if answer is not None:
                return answer
        raise DeviceError(NAME, Fault.SILENT, f"{order.name}: no answer")

    def _read(self, size: int) -> bytes:
        if self._closing.is_set():
            raise _Closed
        with _line_errors():
            return self._line.read(size)

    def _after_ns(self, seconds: float) -> int:
        return self._mono_ns() + int(seconds * NS_PER_S)

    def close(self) -> None:
        """pyserial's `socket://` loses its socket when the other side went first: end it here."""
        inner = getattr(self._line, "_socket", None)
        try:
            with _line_errors():
                self._line.close()
        except DeviceError as error:
            log.debug("closing: %s", error.detail)
        if inner is not None:
            inner.close()


def _take(buffer: bytearray, order: Command) -> Reply | Garble | None:
    """The first thing in `buffer` that ends the wait for `order`; uses the buffer up to there."""
    while True:
        used, message = decode(buffer)
        del buffer[:used]
        if message in (Garble.CHECKSUM, Garble.TIME_OUT):
            return message
        if isinstance(message, Reply) and answers(order, message):
            return message
        if message is not None:
            log.info("%s: passed over %s", order.name, _describe(message))
        if not used:
            return None


def _describe(message: Reply | Garble) -> str:
    """For the log: never the data of a reply."""
    if isinstance(message, Garble):
        return f"noise ({message.value})"
    return f"a reply that is not its answer (status {message.sw3:02X})"


def _is_torn(answer: Reply | Garble) -> bool:
    return isinstance(answer, Garble) or answer.reaction is Reaction.RESEND


class SerialCardReader:
    """Implements `CardReader`.

    One thread may use it, any other may call `close()` or `health()`. After a port
    vanished or the module fell silent each call tries to open it again; how often
    to call is the runner's decision. A wait may outlast `timeout_s` by one command.
    """

    name = NAME

    def __init__(
        self,
        port: str,
        *,
        mono_ns: Callable[[], MonoNs],
        provenance: Provenance = Provenance.LIVE,
        sleep: Callable[[float], None] = time.sleep,
        open_line: Callable[[str, int], Line] = open_line,
    ) -> None:
        self.provenance = provenance
        self._port = port
        self._mono_ns = mono_ns
        self._sleep = sleep
        self._open_line = open_line
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._closing.set()
        self._talk: _Talk | None = None
        self._reader_id = ""
        self._health = Health(False, "not opened yet")
        self._failures = 0  # questions in a row without a usable answer
        self._refusals = 0  # cards in a row the module would not trust
        self._misses = 0  # looks in a row that found no card
        self._selected = False  # the module holds a card it has authenticated
        self._next_poll_ns = 0

    def open(self) -> None:
        with self._lock:
            self._closing.clear()
            self._connected()

    def close(self) -> None:
        self._closing.set()
        with self._lock:
            self._drop("closed")

    def health(self) -> Health:
        """As of the last thing that happened; asks the device nothing."""
        return self._health

    def reader_id(self) -> str:
        return self._reader_id

    def wait_for_card(self, timeout_s: float) -> bool:
        return self._wait(self._finds_and_selects, timeout_s)

    def wait_for_removal(self, timeout_s: float) -> bool:
        """Two looks in a row, at least `POLL_S` apart, have to find nothing.

        After a good selection the look is NEW_ADDRESS, which works as long as the same
        card lies there; FIND would not do, as some modules stop finding a card once read.
        """
        return self._wait(self._is_gone, timeout_s)

    def read(self) -> CardIdentity:
        with self._usable():
            reply = self._read_base()
            found = split_base(reply.data)
            if found is None:
                self._selected = False
                raise DeviceError(NAME, Fault.GARBLED, "blocks of unknown sizes")
            card = parse(*found)
            if not card.id_number:
                raise DeviceError(NAME, Fault.GARBLED, "the card carries no number")
            self._refusals = 0
            return card

    # --- cards -----------------------------------------------------------------------

    def _read_base(self) -> Reply:
        """READ; once more from the start if the module lost the thread."""
        reply = self._ask(Command.READ)
        if reply.reaction is Reaction.RESTART and self._finds_and_selects():
            reply = self._ask(Command.READ)
        if reply.status is not Sw3.SUCCESS:
            self._object(reply)
            raise DeviceError(NAME, Fault.GARBLED, f"READ: status {reply.sw3:02X}")
        return reply

    def _finds_and_selects(self) -> bool:
        self._selected = False
        if not self._accepted(Command.FIND):
            return False
        self._selected = self._accepted(Command.SELECT)
        self._misses = 0
        return self._selected

    def _accepted(self, order: Command) -> bool:
        reply = self._ask(order)
        if reply.reaction is not Reaction.GO_ON:
            self._object(reply)
        return reply.reaction is Reaction.GO_ON

    def _is_gone(self) -> bool:
        if self._lies_there():
            self._misses = 0
            return False
        self._misses += 1
        if self._misses < 2:
            return False
        self._misses = 0
        self._selected = False
        return True

    def _lies_there(self) -> bool:
        """The address itself, if there is one, is never looked at."""
        if self._selected:
            reply = self._ask(Command.NEW_ADDRESS)
            there = reply.status in (Sw3.SUCCESS, Sw3.ITEM_ABSENT)
        else:
            reply = self._ask(Command.FIND)
            there = reply.status is Sw3.CARD_FOUND
        if reply.reaction is Reaction.OUT_OF_SERVICE:
            self._object(reply)
        return there

    def _object(self, reply: Reply) -> None:
        """Raise what a status means for the person; statuses that only ask to go on pass."""
        self._selected = False
        said = f"status {reply.sw3:02X}"
        match reply.reaction:
            case Reaction.OUT_OF_SERVICE:
                self._health = Health(False, f"the module refuses to work: {said}", "technician")
                raise DeviceError(NAME, Fault.REFUSED, said, retry=False)
            case Reaction.UNSUPPORTED:
                raise DeviceError(NAME, Fault.REFUSED, f"kind of card not supported: {said}")
            case Reaction.REFUSE_CARD:
                self._distrust(said)
            case Reaction.LIFT:
                raise DeviceError(NAME, Fault.GARBLED, f"lift the card: {said}")
            case Reaction.RESET:
                self._reset()
            case _:
                pass

    def _distrust(self, said: str) -> NoReturn:
        """A dirty card may be refused once or twice; then it is the card."""
        self._refusals += 1
        if self._refusals < REFUSALS_BEFORE_VERDICT:
            raise DeviceError(NAME, Fault.GARBLED, f"lift the card: {said}")
        self._refusals = 0
        raise DeviceError(NAME, Fault.REFUSED, f"card not accepted: {said}")

    # --- waiting ---------------------------------------------------------------------

    @contextmanager
    def _usable(self) -> Iterator[None]:
        with self._lock:
            if self._closing.is_set():
                raise _Closed
            yield

    def _wait(self, look: Callable[[], bool], timeout_s: float) -> bool:
        """Look every `POLL_S` until it is so; False at the time limit, or when closed."""
        with self._usable():
            end_ns = self._after_ns(timeout_s)
            try:
                while True:
                    self._pause_until(min(self._next_poll_ns, end_ns))
                    if self._look_is_due() and self._saw(look):
                        return True
                    if self._mono_ns() >= end_ns:
                        return False
            except _Closed:
                return False

    def _look_is_due(self) -> bool:
        return self._mono_ns() >= self._next_poll_ns

    def _saw(self, look: Callable[[], bool]) -> bool:
        """A question without a usable answer says nothing about the card, so: not yet.

        The module's rest counts from its answer: a FIND that took long is not followed sooner.
        """
        try:
            return look()
        except _Unanswered:
            self._misses = 0
            return False
        finally:
            self._next_poll_ns = self._after_ns(POLL_S)

    def _pause(self, seconds: float) -> None:
        self._pause_until(self._after_ns(seconds))

    def _pause_until(self, end_ns: int) -> None:
        while (left_ns := end_ns - self._mono_ns()) > 0:
            if self._closing.is_set():
                raise _Closed
            self._sleep(min(left_ns / NS_PER_S, SLICE_S))

    def _after_ns(self, seconds: float) -> int:
        return self._mono_ns() + int(seconds * NS_PER_S)

    # --- the line --------------------------------------------------------------------

    def _ask(self, order: Command) -> Reply:
        """Raises `_Unanswered` after a hiccup, any other `DeviceError` when the reader is down."""
        talk = self._connected()
        try:
            reply = talk.ask(order, self._patience_s(order))
        except _Closed:
            raise
        except DeviceError as error:
            self._weigh(error)
            raise _Unanswered(error.detail) from error
        self._failures = 0
        return reply

    def _patience_s(self, order: Command) -> float:
        if order is not Command.READ or self._talk is None:
            return ANSWER_S
        return READ_S + READ_BITS / self._talk.rate

    def _weigh(self, error: DeviceError) -> None:
        """A few hiccups are forgiven, then the ladder is climbed; a lost port is lost at once."""
        if error.fault is not Fault.ABSENT:
            self._failures += 1
            if self._failures < FAILURES_BEFORE_RECOVERY or self._revives():
                return
        self._drop(error.detail)
        if error.fault is Fault.ABSENT:
            raise error
        self._connected()

    def _revives(self) -> bool:
        """Ask for the status; if that stays unanswered too, reset and ask again."""
        self._failures = 0
        log.warning("%d questions in a row unanswered", FAILURES_BEFORE_RECOVERY)
        if self._answers_status():
            return True
        self._reset()
        return self._answers_status()

    def _answers_status(self) -> bool:
        talk = self._connected()
        return _worked(lambda: talk.ask(Command.STATUS, PROBE_S))

    def _reset(self) -> None:
        self._selected = False
        _worked(self._connected().reset)
        self._pause(RESET_S)

    def _connected(self) -> _Talk:
        """The open line, opened now if it is not."""
        if self._talk is None:
            talk = self._connect()
            self._reader_id = _reader_id(talk) or self._reader_id
            self._health = Health(True, f"reader {self._reader_id} at {talk.rate} baud")
            self._failures = 0
            self._talk = talk
        return self._talk

    def _connect(self) -> _Talk:
        """Try every rate a module can be set to; a socket has none."""
        rates = RATES[:1] if "://" in self._port else RATES
        try:
            for rate in rates:
                talk = self._answering_at(rate)
                if talk:
                    return talk
            raise DeviceError(NAME, Fault.SILENT, "no answer at any rate")
        except DeviceError as error:
            if error.fault is not Fault.REFUSED:  # `_object` has already said what that is
                self._drop(error.detail)
            raise

    def _answering_at(self, rate: int) -> _Talk | None:
        with _line_errors():
            line = self._open_line(self._port, rate)
        talk = _Talk(line, rate, self._mono_ns, self._closing)
        try:
            status = talk.ask(Command.STATUS, PROBE_S)
        except DeviceError as error:
            talk.close()
            if error.fault is Fault.ABSENT:
                raise
            return None
        if status.reaction is Reaction.OUT_OF_SERVICE:
            talk.close()
            self._object(status)
        return talk

    def _drop(self, words: str) -> None:
        if self._talk:
            self._talk.close()
        self._talk = None
        self._selected = False
        self._health = Health(False, words, f"cable and power of the reader at {self._port}")


def _worked(question: Callable[[], object]) -> bool:
    """Whether it was answered at all. `close()` still interrupts."""
    try:
        question()
    except _Closed:
        raise
    except DeviceError as error:
        log.info("%s", error.detail)
        return False
    return True


def _reader_id(talk: _Talk) -> str:
    """Empty if the module has no number or does not tell it."""
    try:
        reply = talk.ask(Command.SAM_ID)
    except _Closed:
        raise
    except DeviceError as error:
        log.warning("no module number: %s", error.detail)
        return ""
    return sam_id(reply.data) if reply.status is Sw3.SUCCESS else ""

"""A simulated security module with a card reader round it, at the far end of a byte pipe.

Written from the description of the protocol and not from the driver, and
sharing no code with it, so that one mistake cannot hide in both. The real
driver runs against it unchanged:

* `SimCard` is a card: it builds its own text block from its own field table.
* `SamMachine` is the module: bytes in, bytes out when they are due. No clock.
* `SimSam` puts the machine behind a pseudo-terminal or a TCP port, in a thread.
* `SimLine` puts it in the same thread, on a clock that a test moves.

States: empty, present, found (FIND said 9F), selected, read, and dead (after a
read error: the module answers "no card" until the card has been lifted).
Profile "a" answers "no card" to FIND after a good read until the card was
lifted; profile "b" finds it again.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import socket
import tempfile
import termios
import threading
import time
import tty
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar

FAULTS = (
    "bad_sum",  # the checksum is wrong
    "duplicate",  # the reply comes twice
    "garbage_after",  # bytes of noise behind the reply
    "garbage_before",
    "glued",  # another reply hangs on this one
    "late",  # the reply comes `value` seconds later (a module works in turn, so all do)
    "lifted",  # the card goes away just before the command is carried out
    "one_byte_writes",
    "short",  # the first `value` bytes, then nothing
    "silence",
    "stuck_80",  # FIND never finds anything
    "sw3",  # the status `value` and no data
    "time_out_frame",  # the module's pseudo-frame 05 05 05 05
    "too_long",  # a length no reply can have
    "vendor_header",  # a reply wrapped in a vendor's own header
)
_MARK = bytes.fromhex("AAAAAA9669")
_SAM_ID = bytes.fromhex("05000300A53A340187D61200B168DE3A")


@dataclass(frozen=True, slots=True)
class SimCard:
    """An invented card. `kind` is what stands at byte 248: blank, J, I or Y.

    `valid_to` of `None` is a card for life. `filler` pads the fields, `patches`
    puts raw bytes at an offset at the very end, for blocks no office would issue.
    """

    name: str = field(repr=False)
    sex: str = field(repr=False)
    birth: date = field(repr=False)
    number: str = field(repr=False)
    photo_block: bytes = field(repr=False, default=bytes(1024))
    kind: str = " "
    valid_from: date = date(2015, 1, 1)
    valid_to: date | None = None
    ethnic: str = "01"
    address: str = field(repr=False, default="测试省测试市测试路1号")
    issuer: str = "测试市公安局"
    new_address: str = field(repr=False, default="")
    english: str = field(repr=False, default="")
    nationality: str = ""
    pass_number: str = field(repr=False, default="")
    times: str = ""  # issued (J) or renewed (Y)
    version: str = ""
    authority: str = ""
    link: str = ""  # Y: three characters that lead back to the old number
    filler: str = " "
    patches: tuple[tuple[int, bytes], ...] = ()

    def text_block(self) -> bytes:
        """256 bytes as the chip hands them out."""
        block = bytearray(b"".join(self._padded(text, size) for text, size in self._fields()))
        for offset, raw in self.patches:
            block[offset : offset + len(raw)] = raw
        return bytes(block[:256])

    def new_address_block(self) -> bytes:
        return self._padded(self.new_address, 35) if self.new_address else b""

    def _fields(self) -> tuple[tuple[str, int], ...]:
        """(text, size in UTF-16 units) in the order they lie on the chip; 128 units in all."""
        born, start = f"{self.birth:%Y%m%d}", f"{self.valid_from:%Y%m%d}"
        end = f"{self.valid_to:%Y%m%d}" if self.valid_to else "长期"
        if self.kind == "I":
            return (
                (self.english, 60), (self.sex, 1), (self.number, 15), (self.nationality, 3),
                (self.name, 15), (start, 8), (end, 8), (born, 8), (self.version, 2),
                (self.authority, 4), ("I", 1), ("", 3),
            )  # fmt: skip
        if self.kind == "Y":
            return (
                (self.name, 15), (self.sex, 1), (self.times, 2), (born, 8),
                (self.english[:35], 35), (self.number, 18), ("", 15), (start, 8), (end, 8),
                (self.english[35:], 11), (self.nationality, 3), ("Y", 1), (self.link, 3),
            )  # fmt: skip
        permit = self.kind == "J"
        return (
            (self.name, 15), (self.sex, 1), ("" if permit else self.ethnic, 2), (born, 8),
            (self.address, 35), (self.number, 18), (self.issuer, 15), (start, 8), (end, 8),
            (self.pass_number if permit else "", 9), (self.times if permit else "", 2), ("", 3),
            (self.kind, 1), ("", 3),
        )  # fmt: skip

    def _padded(self, text: str, units: int) -> bytes:
        raw = text.encode("utf-16-le", "surrogatepass")[: 2 * units]
        return raw + self.filler.encode("utf-16-le") * ((2 * units - len(raw)) // 2)


def sim_frame(sw3: int, data: bytes = b"") -> bytes:
    """A reply with SW1 SW2 = 00 00."""
    body = bytes([0, 0, sw3]) + data
    covered = (len(body) + 1).to_bytes(2, "big") + body
    total = 0
    for byte in covered:
        total ^= byte
    return _MARK + covered + bytes([total])


@dataclass(slots=True)
class _Fault:
    name: str
    times: int | None
    on: str
    value: float


class SamMachine:
    """The module itself. Time is a number of seconds the caller hands in; it only grows.

    `work_s` is how long a command takes ("3001" is the slow one: radio, checking
    signatures). `baud` paces the replies as the wire would; `None` sends them at once.
    Called from one thread for bytes and from any for `present`, `lift` and `fault`.
    """

    def __init__(
        self,
        *,
        profile: str = "a",
        work_s: dict[str, float] | None = None,
        baud: int | None = None,
        wrong_state_sw3: int = 0x41,
    ) -> None:
        self.use_profile(profile)
        self._work_s = work_s or {}
        self._baud = baud
        self.answer_out_of_turn(wrong_state_sw3)
        self._lock = threading.Lock()
        self._card: SimCard | None = None
        self._state = "empty"
        self._faults: list[_Fault] = []
        self._log: list[str] = []
        self._heard = bytearray()
        self._order: tuple[float, bytes] | None = None  # being carried out until then
        self._out: deque[tuple[float, bytes]] = deque()

    @property
    def log(self) -> tuple[str, ...]:
        """Every command taken so far, as four hex digits: `("11FF", "2001")`."""
        with self._lock:
            return tuple(self._log)

    def present(self, card: SimCard) -> None:
        """Lay a card on the reader; a card that lies there is taken away first."""
        with self._lock:
            self._card, self._state = card, "present"

    def lift(self) -> None:
        with self._lock:
            self._lift()

    def fault(self, name: str, *, times: int | None = 1, on: str = "", value: float = 0) -> None:
        """Go wrong the next `times` times (`None`: until `clear_faults`).

        `on` limits it to one command, "3001" for example. What `value` means is in `FAULTS`.
        """
        if name not in FAULTS:
            raise ValueError(f"no fault is called {name}; there are: {', '.join(FAULTS)}")
        if not 0 <= value <= (0xFF if name == "sw3" else 10_000):
            raise ValueError(f"{name} cannot be {value:g}")
        with self._lock:
            self._faults.append(_Fault(name, times, on, value))

    def clear_faults(self) -> None:
        with self._lock:
            self._faults.clear()

    def use_profile(self, profile: str) -> None:
        """Whether FIND finds a card again that was read ("b") or not ("a"), from now on."""
        if profile not in ("a", "b"):
            raise ValueError("profile is a or b")
        self.profile = profile

    def answer_out_of_turn(self, sw3: int) -> None:
        """READ without SELECT is refused with this status: 41, 23 or 34 by make."""
        if not 0 <= sw3 <= 0xFF:
            raise ValueError(f"a status is one byte, not {sw3}")
        self._wrong_state_sw3 = sw3

    def receive(self, data: bytes, now_s: float) -> None:
        """Bytes from the host."""
        with self._lock:
            self._heard += data
            self._work(now_s)

    def send(self, now_s: float) -> bytes:
        """The bytes that are due by now."""
        with self._lock:
            self._work(now_s)
            sent = bytearray()
            while self._out and self._out[0][0] <= now_s:
                sent += self._out.popleft()[1]
            self._work(now_s)
            return bytes(sent)

    def due_s(self) -> float | None:
        """When `send` will have something to do; `None` if not before more bytes come."""
        with self._lock:
            if self._out:
                return self._out[0][0]
            return self._order[0] if self._order else None

    def _work(self, now_s: float) -> None:
        """One command at a time: the next is not looked at before the last reply is out."""
        while not self._out:
            if self._order is None:
                self._order = self._next_order(now_s)
            if self._order is None or self._order[0] > now_s:
                return
            done_s, order = self._order
            self._order = None
            self._answer(done_s, order)

    def _next_order(self, now_s: float) -> tuple[float, bytes] | None:
        """The next whole command; noise is dropped, a broken one is answered by `_answer`."""
        start = self._heard.find(_MARK)
        if start < 0:
            del self._heard[: max(0, len(self._heard) - 4)]
            return None
        del self._heard[:start]
        size = 7 + int.from_bytes(self._heard[5:7], "big")
        if len(self._heard) < 7 or (len(self._heard) < size <= 64):
            return None
        order = bytes(self._heard[5 : min(size, 64)])
        del self._heard[:size]
        return now_s + self._work_s.get(order[2:4].hex().upper(), 0.0), order

    def _answer(self, done_s: float, order: bytes) -> None:
        name = order[2:4].hex().upper()
        self._log.append(name)
        faults = [fault for fault in self._faults if fault.on in ("", name)]
        self._use_up(faults)
        words = {fault.name: fault.value for fault in faults}
        if "lifted" in words:
            self._lift()
        frame = self._carry_out(order, words)
        pieces = _spoil(frame, words)
        self._queue(done_s + words.get("late", 0.0), pieces, "one_byte_writes" in words)

    def _use_up(self, faults: list[_Fault]) -> None:
        for fault in faults:
            if fault.times is not None:
                fault.times -= 1
        self._faults = [f for f in self._faults if f.times is None or f.times > 0]

    def _carry_out(self, order: bytes, words: dict[str, float]) -> bytes:
        if "sw3" in words:
            return self._fail(int(words["sw3"]))
        total = 0
        for byte in order:
            total ^= byte
        if total:
            return sim_frame(0x10)
        if order[:2] != b"\x00\x03" or len(order) != 5:
            return sim_frame(0x11)
        if order[2:4] == b"\x20\x01" and "stuck_80" in words:
            return sim_frame(0x80)
        return self._ORDERS.get(order[2:4], SamMachine._unknown)(self)

    def _fail(self, sw3: int) -> bytes:
        """An error of the card makes it deaf until it has been lifted."""
        if sw3 in (0x31, 0x32, 0x33, 0x41) and self._card:
            self._state = "dead"
        return sim_frame(sw3)

    def _unknown(self) -> bytes:
        return sim_frame(0x21)

    def _reset(self) -> bytes:
        self._state = "present" if self._card else "empty"
        return sim_frame(0x90)

    def _status(self) -> bytes:
        return sim_frame(0x90)

    def _id(self) -> bytes:
        return sim_frame(0x90, _SAM_ID)

    def _find(self) -> bytes:
        findable = ("present", "found", "selected") + (("read",) if self.profile == "b" else ())
        if self._state not in findable:
            return sim_frame(0x80)
        self._state = "found"
        return sim_frame(0x9F, bytes(4))

    def _select(self) -> bytes:
        if self._state != "found":
            return sim_frame(0x81)
        self._state = "selected"
        return sim_frame(0x90, bytes(8))

    def _read(self) -> bytes:
        if self._state != "selected" or self._card is None:
            return sim_frame(self._wrong_state_sw3)
        self._state = "read"
        text, photo = self._card.text_block(), self._card.photo_block
        sizes = len(text).to_bytes(2, "big") + len(photo).to_bytes(2, "big")
        return sim_frame(0x90, sizes + text + photo)

    def _new_address(self) -> bytes:
        if self._state not in ("selected", "read") or self._card is None:
            return sim_frame(0x41)
        address = self._card.new_address_block()
        return sim_frame(0x90, address) if address else sim_frame(0x91)

    _ORDERS: ClassVar[dict[bytes, Callable[[SamMachine], bytes]]] = {
        b"\x10\xff": _reset,
        b"\x11\xff": _status,
        b"\x12\xff": _id,
        b"\x20\x01": _find,
        b"\x20\x02": _select,
        b"\x30\x01": _read,
        b"\x30\x03": _new_address,
    }

    def _lift(self) -> None:
        self._card, self._state = None, "empty"

    def _queue(self, start_s: float, pieces: list[bytes], one_byte_writes: bool) -> None:
        """Put a reply on the wire, in the lumps and at the times it leaves the module."""
        stream = b"".join(pieces)
        lump = 1 if one_byte_writes else (64 if self._baud else len(stream) or 1)
        byte_s = 10 / self._baud if self._baud else 0.0
        if not stream and start_s:
            self._out.append((start_s, b""))
        for at in range(0, len(stream), lump):
            part = stream[at : at + lump]
            self._out.append((start_s + (at + len(part)) * byte_s, part))


def _spoil(frame: bytes, words: dict[str, float]) -> list[bytes]:
    """What really goes out in place of `frame`."""
    if "silence" in words:
        return []
    if "time_out_frame" in words:
        frame = _MARK + b"\x05\x05\x05\x05"
    if "bad_sum" in words:
        frame = frame[:-1] + bytes([frame[-1] ^ 0x5A])
    if "too_long" in words:
        frame = frame[:5] + b"\x0b\xb8" + frame[7:]
    if "vendor_header" in words:
        frame = bytes.fromhex("CADF0722") + frame
    if "short" in words:
        frame = frame[: int(words["short"])]
    before = bytes.fromhex("00FFAAAA13AAAAAA9600") if "garbage_before" in words else b""
    after = bytes.fromhex("00AAAA37") if "garbage_after" in words else b""
    if "glued" in words:
        after += sim_frame(0x90)
    return [before, frame, frame if "duplicate" in words else b"", after]


class SimLine:
    """Both ends of the line in one thread, on a clock that somebody else moves.

    Has the four methods of a serial port the driver uses. Reading moves the clock
    (`sleep`) to the next thing that happens, or to the end of `timeout_s`.
    """

    def __init__(
        self,
        sam: SamMachine,
        mono_ns: Callable[[], int],
        sleep: Callable[[float], None],
        timeout_s: float = 0.1,
    ) -> None:
        self._sam = sam
        self._mono_ns = mono_ns
        self._sleep = sleep
        self._timeout_s = timeout_s
        self._inbox = bytearray()
        self.gone = False  # set it to pull the plug
        self.closed = False

    def write(self, data: bytes) -> int:
        self._check()
        self._sam.receive(data, self._now_s())
        return len(data)

    def read(self, size: int = 1) -> bytes:
        end_s = self._now_s() + self._timeout_s
        while True:
            self._check()
            self._inbox += self._sam.send(self._now_s())
            left_s = end_s - self._now_s()
            if len(self._inbox) >= size or left_s <= 0:
                break
            due_s = self._sam.due_s()
            wait_s = left_s if due_s is None else min(left_s, due_s - self._now_s())
            self._sleep(max(wait_s, 1e-6))
        taken = bytes(self._inbox[:size])
        del self._inbox[:size]
        return taken

    def reset_input_buffer(self) -> None:
        self._check()
        self._sam.send(self._now_s())
        self._inbox.clear()

    def close(self) -> None:
        self.closed = True

    def _check(self) -> None:
        if self.gone or self.closed:
            raise OSError("the simulated line is gone")

    def _now_s(self) -> float:
        return self._mono_ns() / 1e9


class SimSam:
    """A `SamMachine` behind a pseudo-terminal, or behind a TCP port with `tcp=True`.

    `port` is what the driver opens: a device path (a link that survives
    `vanish` and `come_back`, as a udev name does) or a `socket://` address.
    On a terminal, commands at another rate than `rate` are noise to it.
    """

    def __init__(
        self,
        *,
        tcp: bool = False,
        rate: int = 115200,
        pace: bool = False,
        profile: str = "a",
        work_s: dict[str, float] | None = None,
        wrong_state_sw3: int = 0x41,
    ) -> None:
        self.machine = SamMachine(
            profile=profile,
            work_s=work_s,
            baud=rate if pace else None,
            wrong_state_sw3=wrong_state_sw3,
        )
        self.present = self.machine.present
        self.lift = self.machine.lift
        self.fault = self.machine.fault
        self.clear_faults = self.machine.clear_faults
        self.use_profile = self.machine.use_profile
        self.answer_out_of_turn = self.machine.answer_out_of_turn
        self._far_end: _Terminal | _Listener = _Listener() if tcp else _Terminal(rate)
        self.port = self._far_end.port
        self._wake_out, self._wake_in = os.pipe()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self.come_back()

    @property
    def log(self) -> tuple[str, ...]:
        return self.machine.log

    def __enter__(self) -> SimSam:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def vanish(self) -> None:
        """The plug is pulled."""
        self._stopping = True
        if self._thread:
            os.write(self._wake_in, b"!")
            self._thread.join()
            os.read(self._wake_out, 1)
            self._thread = None
        self._far_end.close()

    def come_back(self) -> None:
        """The plug is put in again; does nothing if it is in."""
        if self._thread:
            return
        self._far_end.open()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="sim-idcard", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """May be called twice."""
        if self._wake_in < 0:
            return
        self.vanish()
        self._far_end.forget()
        os.close(self._wake_in)
        os.close(self._wake_out)
        self._wake_in = self._wake_out = -1

    def _run(self) -> None:
        while not self._stopping:
            due_s = self.machine.due_s()
            wait_s = None if due_s is None else max(0.0, due_s - time.monotonic())
            ready = select.select([self._wake_out, *self._far_end.watched()], [], [], wait_s)[0]
            if self._wake_out in ready:
                continue
            if ready:
                self.machine.receive(self._far_end.read(ready[0]), time.monotonic())
            self._far_end.write(self.machine.send(time.monotonic()))


class _Terminal:
    """A pseudo-terminal whose near end has a name of its own in a private folder."""

    def __init__(self, rate: int) -> None:
        self._speed = getattr(termios, f"B{rate}")
        self._folder = tempfile.mkdtemp(prefix="sim-idcard-")
        self.port = os.path.join(self._folder, "reader")
        self._ours = self._theirs = -1

    def open(self) -> None:
        """One end stays open here: without it the first client to leave would end the line."""
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        os.symlink(os.ttyname(self._theirs), self.port)

    def close(self) -> None:
        if self._ours < 0:
            return
        os.unlink(self.port)
        os.close(self._ours)
        os.close(self._theirs)
        self._ours = self._theirs = -1

    def forget(self) -> None:
        shutil.rmtree(self._folder)

    def watched(self) -> list[int]:
        return [self._ours]

    def read(self, _ready: int) -> bytes:
        heard = os.read(self._ours, 4096)
        host_speed = termios.tcgetattr(self._theirs)[5]
        return heard if host_speed == self._speed else b""

    def write(self, data: bytes) -> None:
        """What nobody fetches is lost, as on a real line."""
        with contextlib.suppress(BlockingIOError):
            if data:
                os.write(self._ours, data)


class _Listener:
    """A TCP port for one client at a time; a new one takes the place of the old."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as first:
            self._address = first.getsockname()
        self.port = "socket://{}:{}".format(*self._address)
        self._server: socket.socket | None = None
        self._client: socket.socket | None = None

    def open(self) -> None:
        self._server = socket.create_server(self._address)

    def close(self) -> None:
        self._drop_client()
        if self._server:
            self._server.close()
            self._server = None

    def forget(self) -> None:
        """Nothing outlives `close`."""

    def watched(self) -> list[int]:
        return [end.fileno() for end in (self._server, self._client) if end]

    def read(self, ready: int) -> bytes:
        if self._server and ready == self._server.fileno():
            self._drop_client()
            self._client, _ = self._server.accept()
            self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return b""
        heard = b""
        with contextlib.suppress(ConnectionError):
            heard = self._client.recv(4096) if self._client else b""
        if not heard:
            self._drop_client()
        return heard

    def write(self, data: bytes) -> None:
        if self._client and data:
            with contextlib.suppress(OSError):
                self._client.sendall(data)

    def _drop_client(self) -> None:
        if self._client:
            self._client.close()
            self._client = None

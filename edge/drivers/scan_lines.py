"""What a bar-code module says, without a line to say it on.

    scan data     code CR | code LF | code CR LF        code at most 2,953 bytes
    control, GM65 7E 00 | type | length | address, 2 bytes | data | CRC, 2 bytes
                        '---------- CRC-16/XMODEM ----------'
    its answer    02 00 00 01 00 33 31, on the same line and between scan data

2,953 bytes is what the largest QR code can hold. Time comes in from outside.
"""

from __future__ import annotations

import binascii
import hashlib

from edge.domain.timebase import NS_PER_S, MonoNs

MAX_CODE = 2953
IDLE_NS = NS_PER_S // 5
SAME_NS = 2 * NS_PER_S
ACCEPTED = bytes.fromhex("02000001003331")
WRITE = 0x08


def gm65(kind: int, address: int, data: bytes) -> bytes:
    """A control frame; `kind` 7 reads zone bits, 8 writes them, 9 saves them for good."""
    body = bytes((kind, len(data))) + address.to_bytes(2, "big") + data
    return b"\x7e\x00" + body + binascii.crc_hqx(body, 0).to_bytes(2, "big")


TRIGGER = gm65(WRITE, 0x0002, b"\x01")
"""Look for a code now; the module gives up by itself after some seconds."""


def decode(line: bytes) -> str | None:
    """UTF-8 if it is, else GB18030 as many Chinese issuers print; `None` for neither."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


class Lines:
    """Bytes in, whole lines out; remembers at most one code."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._skipping = False
        self._heard_ns: MonoNs | None = None

    @property
    def inside_code(self) -> bool:
        """Whether a line has begun that may still become a code."""
        return bool(self._buffer)

    def push(self, data: bytes, now_ns: MonoNs) -> None:
        self._buffer += data
        self._heard_ns = now_ns

    def quiet(self, now_ns: MonoNs) -> None:
        """Nothing more had come by `now_ns`: half a line that stays half is dropped."""
        if self._heard_ns is not None and now_ns - self._heard_ns >= IDLE_NS:
            self._buffer.clear()
            self._skipping = False

    def skip(self) -> None:
        """Forget everything, also what is still to come of a line that has begun."""
        self._buffer.clear()
        self._skipping = True

    def pop(self) -> bytes | None:
        """The next line that may be a code, if it is complete."""
        while (end := self._end()) is not None:
            line = bytes(self._buffer[:end]).replace(ACCEPTED, b"")
            del self._buffer[: end + 1]
            skipped, self._skipping = self._skipping, False
            if not skipped and 0 < len(line) <= MAX_CODE:
                return line
        if self._skipping or self._is_too_long():
            self.skip()
        return None

    def _end(self) -> int | None:
        ends = [at for at in (self._buffer.find(b"\r"), self._buffer.find(b"\n")) if at >= 0]
        return min(ends, default=None)

    def _is_too_long(self) -> bool:
        """An answer of the module may stand among the data, its last bytes yet to come."""
        heard = len(self._buffer.replace(ACCEPTED, b""))
        return heard > MAX_CODE + len(ACCEPTED) - 1


class Repeats:
    """A code shown for a while is one scan: the same one counts again after two seconds away.

    Remembers a hash: a receipt's code says whose it is, and stays here after they have gone.
    """

    def __init__(self) -> None:
        self._last = b""
        self._seen_ns: MonoNs | None = None

    def is_new(self, code: str, now_ns: MonoNs) -> bool:
        recent = self._seen_ns is not None and now_ns - self._seen_ns < SAME_NS
        digest = hashlib.sha256(code.encode()).digest()
        same = recent and digest == self._last
        self._last, self._seen_ns = digest, now_ns
        return not same

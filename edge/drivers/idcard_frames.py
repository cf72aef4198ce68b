"""Frames of the identity-card security module ("SAM", standard GA/T 467). No I/O here.

::

    host -> SAM   AA AA AA 96 69 | LenH LenL | CMD | PARA             | CHK
    SAM -> host   AA AA AA 96 69 | LenH LenL | SW1 | SW2 | SW3 | DATA | CHK

    preamble        5 bytes
    Len             2 bytes, big-endian: everything behind it, CHK included
    SW1 SW2         status of the card's chip, normally 00 00
    SW3             status of the module, the byte that matters (`Sw3`)
    CHK             XOR of every byte from LenH to the last before CHK

The line, 8N1 at 9,600 to 115,200 baud, lies in these ways:

========================================  ==================================================
what arrives                              what `decode` does
========================================  ==================================================
noise before the preamble                 skips it; the last bytes stay if they may be the
                                          beginning of a preamble
a header of a vendor's own (``CA DF``)    skips it and says so (`Garble.VENDOR`)
half a frame                              asks for more; the caller owns the time-out
a preamble inside the data                nothing: a frame of known length is never entered
a wrong checksum                          drops the whole frame (`Garble.CHECKSUM`)
a length no reply can have                moves one byte on (`Garble.LENGTH`)
``05 05 05 05`` in place of length and    takes it for the module's own word for "time-out"
status                                    (`Garble.TIME_OUT`), nine bytes without a checksum
an answer to an older question            is a good frame: `answers` says what may answer what
========================================  ==================================================

Fingerprints can be asked of a module with a command that is missing here on
purpose: only members of `Command` can be sent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from functools import reduce
from operator import xor

Bytes = bytes | bytearray

PREAMBLE = bytes.fromhex("AAAAAA9669")
HEADER_SIZE = 7  # preamble and length
MIN_LEN = 4
MAX_LEN = 0x0A00
TEXT_SIZE = 256
PHOTO_SIZE = 1024
ADDRESS_SIZE = 70  # one later address; a card may hold several
_SAM_TIMED_OUT = b"\x05\x05\x05\x05"
_VENDOR_HEADER = b"\xca\xdf"


class Command(Enum):
    """Everything this kiosk ever asks, as CMD PARA."""

    RESET = b"\x10\xff"
    STATUS = b"\x11\xff"
    SAM_ID = b"\x12\xff"
    FIND = b"\x20\x01"
    SELECT = b"\x20\x02"
    READ = b"\x30\x01"  # text and photo
    NEW_ADDRESS = b"\x30\x03"  # used only to learn whether the card still lies there


class Reaction(Enum):
    """What a status asks the host to do."""

    GO_ON = "go_on"
    NONE_THERE = "none_there"  # nothing of that sort; normal
    RESEND = "resend"
    RESTART = "restart"  # begin again with FIND
    LIFT = "lift"  # the card has to be lifted and laid down again
    REFUSE_CARD = "refuse_card"  # as LIFT, but after a few times the card is not accepted
    UNSUPPORTED = "unsupported"  # the module does not know this kind of card or command
    RESET = "reset"
    OUT_OF_SERVICE = "out_of_service"


class Sw3(Enum):
    """Status words of the module."""

    SUCCESS = 0x90
    CARD_FOUND = 0x9F
    ITEM_ABSENT = 0x91
    HOST_CHECKSUM = 0x10
    HOST_LENGTH = 0x11
    UNKNOWN_COMMAND = 0x21
    NOT_PERMITTED = 0x23
    UNKNOWN_ERROR = 0x24
    CARD_REFUSED_SAM = 0x31
    SAM_REFUSED_CARD = 0x32
    BAD_SIGNATURE = 0x33
    NO_CARD_YET = 0x34
    FINGERPRINT = 0x37
    INFORMATION_LENGTH = 0x3F
    CARD_TYPE = 0x40
    READ_FAILED = 0x41
    RANDOM_FAILED = 0x47
    WRITE_FAILED = 0x50
    SELF_TEST = 0x60
    LOGIN = 0x61
    LICENCE = 0x66
    NO_CARD = 0x80
    SELECT_FAILED = 0x81

    @property
    def reaction(self) -> Reaction:
        return _REACTIONS[self]


_REACTIONS = {
    Sw3.SUCCESS: Reaction.GO_ON,
    Sw3.CARD_FOUND: Reaction.GO_ON,
    Sw3.ITEM_ABSENT: Reaction.NONE_THERE,
    Sw3.HOST_CHECKSUM: Reaction.RESEND,
    Sw3.HOST_LENGTH: Reaction.RESEND,
    Sw3.UNKNOWN_COMMAND: Reaction.UNSUPPORTED,
    Sw3.NOT_PERMITTED: Reaction.RESTART,
    Sw3.UNKNOWN_ERROR: Reaction.RESTART,
    Sw3.CARD_REFUSED_SAM: Reaction.LIFT,
    Sw3.SAM_REFUSED_CARD: Reaction.REFUSE_CARD,
    Sw3.BAD_SIGNATURE: Reaction.REFUSE_CARD,
    Sw3.NO_CARD_YET: Reaction.RESTART,
    Sw3.FINGERPRINT: Reaction.RESTART,
    Sw3.INFORMATION_LENGTH: Reaction.RESTART,
    Sw3.CARD_TYPE: Reaction.UNSUPPORTED,
    Sw3.READ_FAILED: Reaction.LIFT,
    Sw3.RANDOM_FAILED: Reaction.RESET,
    Sw3.WRITE_FAILED: Reaction.RESTART,
    Sw3.SELF_TEST: Reaction.OUT_OF_SERVICE,
    Sw3.LOGIN: Reaction.OUT_OF_SERVICE,
    Sw3.LICENCE: Reaction.OUT_OF_SERVICE,
    Sw3.NO_CARD: Reaction.NONE_THERE,
    Sw3.SELECT_FAILED: Reaction.RESTART,
}

_MEANT_FOR = {
    Sw3.CARD_FOUND: {Command.FIND},
    Sw3.NO_CARD: {Command.FIND},
    Sw3.SELECT_FAILED: {Command.SELECT},
    Sw3.ITEM_ABSENT: {Command.NEW_ADDRESS},
}
_CARDLESS = {Command.RESET, Command.STATUS, Command.SAM_ID}
_CARD_ERRORS = {
    Sw3.CARD_REFUSED_SAM,
    Sw3.SAM_REFUSED_CARD,
    Sw3.BAD_SIGNATURE,
    Sw3.NO_CARD_YET,
    Sw3.FINGERPRINT,
    Sw3.CARD_TYPE,
    Sw3.READ_FAILED,
}
_DATA_SIZES = {
    Command.RESET: (0,),
    Command.STATUS: (0,),
    Command.SAM_ID: (16,),
    Command.FIND: (0, 4),
    Command.SELECT: (8,),
    Command.READ: (4 + TEXT_SIZE, 4 + TEXT_SIZE + PHOTO_SIZE),
    Command.NEW_ADDRESS: tuple(n * ADDRESS_SIZE for n in range(1, 5)),
}


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole frame whose checksum is right."""

    sw1: int
    sw2: int
    sw3: int
    data: bytes = field(repr=False)

    @property
    def status(self) -> Sw3 | None:
        """`None` for a status nobody has documented."""
        return Sw3(self.sw3) if self.sw3 in Sw3._value2member_map_ else None

    @property
    def reaction(self) -> Reaction:
        """An unknown status is treated like the module's own "unknown error"."""
        return self.status.reaction if self.status else Reaction.RESTART


class Garble(Enum):
    """Something arrived that is not a reply."""

    CHECKSUM = "checksum"
    LENGTH = "length"
    TIME_OUT = "time_out"
    VENDOR = "vendor"


def checksum(covered: Bytes) -> int:
    return reduce(xor, covered, 0)


def command(order: Command) -> bytes:
    """The complete frame to send."""
    body = b"\x00\x03" + order.value
    return PREAMBLE + body + bytes([checksum(body)])


def decode(buffer: Bytes) -> tuple[int, Reply | Garble | None]:
    """How many bytes at the front are dealt with, and what they were.

    `(0, None)` asks for more bytes; `(n, None)` was noise. Never raises.
    """
    start = _preamble_at(buffer)
    if start:
        return start, Garble.VENDOR if _VENDOR_HEADER in buffer[:start] else None
    if buffer[5:9] == _SAM_TIMED_OUT:
        return 9, Garble.TIME_OUT
    if len(buffer) < HEADER_SIZE:
        return 0, None
    length = int.from_bytes(buffer[5:7], "big")
    if not MIN_LEN <= length <= MAX_LEN:
        return 1, Garble.LENGTH
    end = HEADER_SIZE + length
    if len(buffer) < end:
        return 0, None
    if checksum(buffer[5:end]):
        return end, Garble.CHECKSUM
    return end, Reply(buffer[7], buffer[8], buffer[9], bytes(buffer[10 : end - 1]))


def missing(buffer: Bytes) -> int:
    """How many bytes to wait for before `decode` can say more about its `(0, None)`."""
    if len(buffer) < HEADER_SIZE:
        return HEADER_SIZE - len(buffer)
    if buffer[5:] in (_SAM_TIMED_OUT[:2], _SAM_TIMED_OUT[:3]):
        return 9 - len(buffer)
    return HEADER_SIZE + int.from_bytes(buffer[5:7], "big") - len(buffer)


def _preamble_at(buffer: Bytes) -> int:
    """Where a preamble, or the beginning of one at the very end, starts."""
    found = buffer.find(PREAMBLE)
    if found >= 0:
        return found
    for size in range(min(len(PREAMBLE) - 1, len(buffer)), 0, -1):
        if buffer.endswith(PREAMBLE[:size]):
            return len(buffer) - size
    return len(buffer)


def answers(order: Command, reply: Reply) -> bool:
    """Whether `reply` can be the answer to `order`.

    Replies carry no number. But each success has a size of its own and some
    statuses belong to one command, so an answer that comes late gives itself away.
    """
    status = reply.status
    if status in _MEANT_FOR and order not in _MEANT_FOR[status]:
        return False
    if status in (Sw3.SUCCESS, Sw3.CARD_FOUND):
        found = order is Command.FIND
        return (status is Sw3.CARD_FOUND) == found and len(reply.data) in _DATA_SIZES[order]
    return not reply.data and not (order in _CARDLESS and status in _CARD_ERRORS)


def split_base(data: bytes) -> tuple[bytes, bytes] | None:
    """Text block (256 bytes) and photo block (1,024, or none) of a READ; `None` if neither."""
    text_size = int.from_bytes(data[0:2], "big")
    photo_size = int.from_bytes(data[2:4], "big")
    whole = len(data) == 4 + text_size + photo_size
    if not whole or text_size != TEXT_SIZE or photo_size not in (0, PHOTO_SIZE):
        return None
    return data[4 : 4 + TEXT_SIZE], data[4 + TEXT_SIZE :]


def sam_id(data: bytes) -> str:
    """The module's number as it is printed: `05.03-20200101-0001234567-0987654321`."""
    parts = [int.from_bytes(data[a:b], "little") for a, b in _SAM_ID_PARTS]
    return "{:02d}.{:02d}-{:08d}-{:010d}-{:010d}".format(*parts)


_SAM_ID_PARTS = ((0, 2), (2, 4), (4, 8), (8, 12), (12, 16))

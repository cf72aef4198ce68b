"""Where somebody with a code can be: holding it before the scanner, told what it is, reprinting.

Each state keeps the one it came from in `back`, so that nobody loses their place by scanning.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from edge.domain.codes import SignedReceipt

if TYPE_CHECKING:
    from edge.session.states import State


class ScanWay(Enum):
    """Which eye looks for the code. `NOTICE` tells what the camera is for, before it opens."""

    SCANNER = "scanner"
    NOTICE = "notice"
    CAMERA = "camera"


class CodeNews(Enum):
    """What came of a scan."""

    GENUINE = "genuine"  # a receipt, every character of it
    UNPROVEN = "unproven"  # it looks like one; whether by damage or by hand nobody can tell
    LETTER = "letter"  # of a service this person is at already
    OTHER = "other"
    NOTHING = "nothing"  # no code came before the camera
    NO_CAMERA = "no_camera"


class CopyNews(Enum):
    """How a second copy of a receipt goes."""

    PRINTING = "printing"
    PRINTED = "printed"
    FAILED = "failed"
    NOT_YOURS = "not_yours"  # another card than the receipt's
    GONE = "gone"  # not kept here, or no longer


@dataclass(frozen=True, slots=True)
class Scanning:
    """A code is waited for. `watch_id` tells this opening of the camera from every other."""

    back: State
    way: ScanWay
    watch_id: int = 0


@dataclass(frozen=True, slots=True)
class CheckingCode:
    """A receipt's code was read; its signatures are being checked."""

    back: State
    check_id: int


@dataclass(frozen=True, slots=True)
class CodeTold:
    """What the code is. `here`: a copy of that receipt is kept at this kiosk."""

    back: State
    news: CodeNews
    receipt: SignedReceipt | None = None
    here: bool = False


@dataclass(frozen=True, slots=True)
class AwaitingOwner:
    """A copy is wanted: the card of the person on the receipt, as proof that it is theirs."""

    back: State
    receipt_no: str
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Reprinting:
    """A second copy; `receipt_no` is empty for the newest of a card that was read already."""

    back: State
    order_id: int
    news: CopyNews = CopyNews.PRINTING
    receipt_no: str = field(default="")


CodeState = Scanning | CheckingCode | CodeTold | AwaitingOwner | Reprinting

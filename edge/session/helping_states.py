"""Where a session can be while somebody names another person: 帮亲友进行生存认证.

The helper's card and what they type are personal data: hidden from every `repr`, and
gone with the state.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from edge.domain.people import CardFlag, CardIdentity, CardKey
from edge.domain.timebase import Stamp


@dataclass(frozen=True, slots=True)
class Helper:
    """Who laid down their own card to help somebody else."""

    card: CardIdentity = field(repr=False)
    key: CardKey = field(repr=False)
    flags: tuple[CardFlag, ...]
    reader_id: str
    started: Stamp


class CardNews(Enum):
    """Why the card just laid down is not the one that is asked for."""

    UNREAD = "unread"
    OWN = "own"  # the helper's once more


class NumberFault(Enum):
    """What is wrong with a typed number; says nothing about whether anybody has it."""

    SHORT = "short"
    CHECK = "check"
    BIRTH = "birth"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class WhoFor:
    """生存认证选择: for oneself, or for a relative or friend."""


@dataclass(frozen=True, slots=True)
class AwaitingHelper:
    """The helper's own card first. `failures` counts reads that went wrong."""

    failures: int = 0


@dataclass(frozen=True, slots=True)
class ConfirmingHelper:
    """Is this you, who helps?"""

    helper: Helper
    revealed: bool = False


@dataclass(frozen=True, slots=True)
class CheckingHelper:
    """How many people this card named today is being looked up."""

    helper: Helper


@dataclass(frozen=True, slots=True)
class NamingTarget:
    """Whom it is for: their card, or what can be typed of it."""

    helper: Helper
    news: CardNews | None = None


@dataclass(frozen=True, slots=True)
class TypingNumber:
    helper: Helper
    typed: str = field(repr=False, default="")
    fault: NumberFault | None = None


@dataclass(frozen=True, slots=True)
class TypingName:
    """`keys` are the letter keys of the syllable begun; `options` what they may mean: syllables,
    or characters to choose from, `sheet` by sheet. `latin`: letters themselves are the name.
    `missed`: the last key led nowhere.
    """

    helper: Helper
    number: str = field(repr=False)
    name: str = field(repr=False, default="")
    keys: str = field(repr=False, default="")
    options: tuple[str, ...] = field(repr=False, default=())
    sheet: int = 0
    latin: bool = False
    missed: bool = False


HelpingState = (
    WhoFor
    | AwaitingHelper
    | ConfirmingHelper
    | CheckingHelper
    | NamingTarget
    | TypingNumber
    | TypingName
)

OPTIONS = 9
"""So many characters fit on one sheet of keys."""


def options_shown(state: TypingName) -> tuple[str, ...]:
    return state.options[state.sheet * OPTIONS : (state.sheet + 1) * OPTIONS]


def option_sheets(state: TypingName) -> int:
    return max(1, -(-len(state.options) // OPTIONS))

"""Cards and persons. Fields that name somebody never appear in a `repr`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import NewType

from edge.domain.cycles import Cycle

CardKey = NewType("CardKey", str)
"""Keyed hash of an id number, 64 hex digits; the key belongs to one kiosk alone."""

PersonId = NewType("PersonId", str)
"""Opaque id minted by the registry."""


class CardKind(Enum):
    """Kinds of identity card, told apart by byte 248 of the chip's text block."""

    RESIDENT = "resident"
    HMT_PERMIT = "hmt_permit"  # 港澳台居民居住证
    FOREIGN_2017 = "foreign_2017"
    FOREIGN_2023 = "foreign_2023"


class Sex(Enum):
    """GB/T 2261.1."""

    UNKNOWN = "0"
    MALE = "1"
    FEMALE = "2"
    NOT_STATED = "9"


class CardFlag(Enum):
    """Something about a card a clerk should look at; never a reason to refuse."""

    BAD_CHECK_DIGIT = "bad_check_digit"
    BIRTH_MISMATCH = "birth_mismatch"
    SEX_MISMATCH = "sex_mismatch"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    DATES_REVERSED = "dates_reversed"


@dataclass(frozen=True, slots=True)
class CardIdentity:
    """What the chip says. Lives in memory for one session and is never written down.

    `photo` is the chip's 1,024-byte block as it came, still encoded; `valid_to`
    is `None` for a card valid for life (长期).
    """

    kind: CardKind
    name: str = field(repr=False)
    sex: Sex = field(repr=False)
    birth: date | None = field(repr=False)
    id_number: str = field(repr=False)
    valid_from: date | None = field(repr=False)
    valid_to: date | None = field(repr=False)
    photo: bytes = field(repr=False, default=b"")
    name_raw: bytes = field(repr=False, default=b"")


@dataclass(frozen=True, slots=True)
class PastProof:
    """One earlier certification as the registry told it: day and method word."""

    day: date
    method: str


@dataclass(frozen=True, slots=True)
class RosterEntry:
    """A person expected at this site. The number is not here, the name is masked.

    `early_days`: how long before `due_by` they may come again; None: as is usual for the cycle.
    `to_staff`: the registry wants staff to look before anything else; it does not say why.
    """

    key: CardKey = field(repr=False)
    person_id: PersonId = field(repr=False)
    masked_name: str = field(repr=False)
    category: str
    due_by: date
    certified_on: date | None = None
    past: tuple[PastProof, ...] = ()
    cycle: Cycle = Cycle.CALENDAR
    early_days: int | None = None
    to_staff: bool = False


def mask_name(name: str) -> str:
    """Keep the first character and, from three on, the last: 王小明 → 王*明, 李四 → 李*."""
    if len(name) <= 1:
        return "*"
    if len(name) == 2:
        return name[0] + "*"
    return name[0] + "*" * (len(name) - 2) + name[-1]


def mask_id_number(number: str) -> str:
    """First six and last four stay, as the acceptance list asks: 110101********002X."""
    if len(number) < 11:
        return "*" * len(number)
    return number[:6] + "*" * (len(number) - 10) + number[-4:]

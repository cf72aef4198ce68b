"""Citizen identification numbers, GB 11643: 6 region, 8 birth, 3 serial, 1 check."""

from __future__ import annotations

from datetime import date
from operator import mul

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_DIGITS = frozenset("0123456789")


def check_digit(first_17: str) -> str:
    """ISO 7064 MOD 11-2 over the first 17 digits."""
    total = sum(map(mul, _WEIGHTS, map(int, first_17)))
    return _CHECK[total % 11]


def make(region: str, birth: date, serial: int) -> str:
    """A number of given parts; an odd `serial` (1..999) is a man's."""
    first_17 = f"{region}{birth:%Y%m%d}{serial:03d}"
    return first_17 + check_digit(first_17)


def normalise(number: str) -> str:
    return number.strip().upper()


def is_valid(number: str) -> bool:
    """Form, a birth day that exists, and the check digit."""
    if len(number) != 18 or not _DIGITS.issuperset(number[:17]):
        return False
    return birth_of(number) is not None and check_digit(number[:17]) == number[17]


def birth_of(number: str) -> date | None:
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def sex_of(number: str) -> str:
    """GB/T 2261.1: `1` male, `2` female."""
    return "1" if int(number[16]) % 2 else "2"

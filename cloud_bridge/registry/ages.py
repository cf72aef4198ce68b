"""How old somebody is, and in which band of ages."""

from __future__ import annotations

from datetime import date

BANDS = ("-59", "60-69", "70-79", "80+")
UNKNOWN = ""
"""The band of those whose day of birth nobody knows."""
_STARTS = (0, 60, 70, 80)


def age(birth: date | None, day: date) -> int | None:
    if birth is None:
        return None
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def band(years: int | None) -> str:
    if years is None:
        return UNKNOWN
    return BANDS[sum(start <= years for start in _STARTS[1:])]

"""Until when somebody who was certified is covered. The registry decides which rule is whose."""

from __future__ import annotations

from datetime import date, timedelta
from enum import Enum


class Cycle(Enum):
    """How often a category of people must prove that they are alive."""

    CALENDAR = "calendar"  # once in each calendar year (年度核查)
    ROLLING = "rolling"  # within twelve months of the last time


EARLY_DAYS = 60
"""How long before the due date a rolling cycle may be renewed; nobody has to be late first."""


def is_covered(cycle: Cycle, certified: date, today: date) -> bool:
    """Whether somebody certified on that day need not come again yet."""
    if cycle is Cycle.ROLLING:
        return today < due_after(cycle, certified) - timedelta(days=EARLY_DAYS)
    return today.year == certified.year


def due_after(cycle: Cycle, certified: date) -> date:
    """Last day for the next certification after one on `certified`."""
    if cycle is Cycle.ROLLING:
        return years_on(certified, 1)
    return date(certified.year + 1, 12, 31)


def years_on(day: date, years: int) -> date:
    """The same day in another year; 29 February becomes the 28th."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)

"""Until when somebody who was certified is covered. The registry decides which rule is whose."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from enum import Enum


class Cycle(Enum):
    """How often a category of people must prove that they are alive."""

    CALENDAR = "calendar"  # once in each calendar year (年度核查)
    ROLLING = "rolling"  # within twelve months of the last time


EARLY_DAYS: Mapping[Cycle, int] = {Cycle.CALENDAR: 366, Cycle.ROLLING: 60}
"""How long before the due date somebody may come again, where the registry says nothing else;
nobody has to be late first. A calendar year's proof may be given all year."""


def opens_on(cycle: Cycle, certified: date, early_days: int | None = None) -> date:
    """First day on which somebody certified on that day may come for the next time."""
    due = due_after(cycle, certified)
    early = EARLY_DAYS[cycle] if early_days is None else early_days
    opens = due - timedelta(days=early)
    return opens if cycle is Cycle.ROLLING else max(opens, date(due.year, 1, 1))


def is_covered(cycle: Cycle, certified: date, today: date, early_days: int | None = None) -> bool:
    """Whether somebody certified on that day need not come again yet."""
    return today < opens_on(cycle, certified, early_days)


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

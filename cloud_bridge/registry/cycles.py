"""Until when somebody has to be certified; pure.

People on social assistance are reviewed once in a calendar year (年度核查),
retired people within twelve months of the last time.
"""

from __future__ import annotations

from datetime import date

from edge.domain.cycles import Cycle, due_after, is_covered, years_on

ROLLING = frozenset({"retired"})
"""Categories whose cycle runs from the last certification; all others go by calendar year."""


def cycle_of(category: str) -> Cycle:
    return Cycle.ROLLING if category in ROLLING else Cycle.CALENDAR


def cycle_start(category: str, today: date) -> date:
    """First day on which a certification still counts today."""
    if category in ROLLING:
        leap_day = (today.month, today.day) == (2, 29)
        return date(today.year - 1, 3, 1) if leap_day else years_on(today, -1)
    return date(today.year, 1, 1)


def is_certified(category: str, last: date | None, today: date) -> bool:
    return last is not None and last >= cycle_start(category, today)


def need_not_come(category: str, last: date | None, today: date) -> bool:
    """Whether a kiosk may turn the person away as done already.

    Ends before `is_certified` does for the rolling cycle: whoever could renew only
    once overdue would always be late. The window is the kiosk's own rule
    (`edge.domain.cycles.EARLY_DAYS` before the due date; 1 January otherwise).
    """
    return last is not None and is_covered(cycle_of(category), last, today)


def same_cycle(category: str, one: date, other: date) -> bool:
    """Whether it makes no difference to speak of on which of two days somebody was certified."""
    if category in ROLLING:
        return max(one, other) <= years_on(min(one, other), 1)
    return one.year == other.year


def due_by(category: str, last: date | None, today: date) -> date:
    """Last day for the next certification; never certified: the end of this year."""
    if last is None:
        return date(today.year, 12, 31)
    due = due_after(cycle_of(category), last)
    return due if category in ROLLING else max(due, date(today.year, 12, 31))

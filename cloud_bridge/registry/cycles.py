"""Until when somebody has to be certified, by the rule of their category; pure.

People on social assistance are reviewed once in a calendar year (年度核查),
retired people within twelve months of the last time. The county may change that
(`registry.cycle_rules`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from edge.domain.cycles import EARLY_DAYS, Cycle, due_after, is_covered, years_on


@dataclass(frozen=True, slots=True)
class Rule:
    """How often people of a category come.

    `early_days`: how long before the due date they may come again. `grace_days`: how long
    after it nobody is asked why they did not.
    """

    cycle: Cycle
    early_days: int
    grace_days: int = 30


_YEARLY = Rule(Cycle.CALENDAR, EARLY_DAYS[Cycle.CALENDAR])
DEFAULTS: Mapping[str, Rule] = {
    "dibao": _YEARLY,
    "tekun": _YEARLY,
    "dibian": _YEARLY,
    "retired": Rule(Cycle.ROLLING, EARLY_DAYS[Cycle.ROLLING]),
}
"""What holds where nobody has said otherwise."""


def cycle_start(rule: Rule, today: date) -> date:
    """First day on which a certification still counts today."""
    if rule.cycle is Cycle.ROLLING:
        leap_day = (today.month, today.day) == (2, 29)
        return date(today.year - 1, 3, 1) if leap_day else years_on(today, -1)
    return date(today.year, 1, 1)


def is_certified(rule: Rule, last: date | None, today: date) -> bool:
    return last is not None and last >= cycle_start(rule, today)


def need_not_come(rule: Rule, last: date | None, today: date) -> bool:
    """Whether a kiosk may turn the person away as done already.

    Ends before `is_certified` does for the rolling cycle: whoever could renew only
    once overdue would always be late.
    """
    return last is not None and is_covered(rule.cycle, last, today, rule.early_days)


def same_cycle(rule: Rule, one: date, other: date) -> bool:
    """Whether it makes no difference to speak of on which of two days somebody was certified."""
    if rule.cycle is Cycle.ROLLING:
        return max(one, other) <= years_on(min(one, other), 1)
    return one.year == other.year


def due_by(rule: Rule, last: date | None, today: date) -> date:
    """Last day for the next certification; never certified: the end of this year."""
    if last is None:
        return date(today.year, 12, 31)
    due = due_after(rule.cycle, last)
    return due if rule.cycle is Cycle.ROLLING else max(due, date(today.year, 12, 31))


def earliest_entry(rule: Rule, today: date) -> date:
    """First day for which a visit may still be entered: of this cycle, or just before it."""
    return cycle_start(rule, today) - timedelta(days=rule.grace_days)

"""Working days (工作日): Monday to Friday without public holidays, and the weekends worked instead.

The holidays of each year stand in `workdays.toml`. A year that is not there has its weekends
alone, which counts a few working days too many; `unknown_years` says so.
"""

from __future__ import annotations

import tomllib
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("workdays.toml")
_WEEKEND = 5


@dataclass(frozen=True, slots=True)
class Workdays:
    """`off`: weekdays nobody works; `worked`: days at weekends that are. Both sorted."""

    off: tuple[date, ...]
    worked: tuple[date, ...]
    years: frozenset[int]

    def is_workday(self, day: date) -> bool:
        return day in self.worked if day.weekday() >= _WEEKEND else day not in self.off

    def between(self, after: date, until: date) -> int:
        """How many working days come after the one day, the other included."""
        if until <= after:
            return 0
        changed = _within(self.worked, after, until) - _within(self.off, after, until)
        return _weekdays_to(until) - _weekdays_to(after) + changed

    def unknown_years(self, first: date, last: date) -> list[int]:
        return [year for year in range(first.year, last.year + 1) if year not in self.years]


@cache
def china() -> Workdays:
    return parsed(tomllib.loads(_FILE.read_text("utf-8")))


def parsed(tables: dict[str, Any]) -> Workdays:
    off = {day for year, table in tables.items() for day in _days(year, table["off"])}
    worked = {day for year, table in tables.items() for day in _days(year, table["worked"])}
    return Workdays(
        tuple(sorted(day for day in off if day.weekday() < _WEEKEND)),
        tuple(sorted(day for day in worked if day.weekday() >= _WEEKEND)),
        frozenset(map(int, tables)),
    )


def _days(year: str, spans: Iterable[str]) -> Iterator[date]:
    for span in spans:
        first, _, last = span.partition("/")
        day, end = (date.fromisoformat(f"{year}-{text}") for text in (first, last or first))
        while day <= end:
            yield day
            day += timedelta(days=1)


def _within(days: tuple[date, ...], after: date, until: date) -> int:
    return bisect_right(days, until) - bisect_right(days, after)


def _weekdays_to(day: date) -> int:
    """Mondays to Fridays from the first day of the calendar, which was a Monday."""
    weeks, rest = divmod(day.toordinal(), 7)
    return weeks * 5 + min(rest, 5)

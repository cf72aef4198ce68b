"""How well checks by camera go for whom: by age, site and software, and never of a few people.

A group of fewer than `FEW` people is hidden. Where the sums are known too, one hidden group
would be the rest; so there are always several hidden, of at least `FEW` people together. The
same holds between a region and its neighbours, whose sums make up the region above. Days are
taken by whole months, so that no single day is the rest between two questions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Case, F, IntegerField, Sum, Value, When

from cloud_bridge.registry import due
from cloud_bridge.registry.ages import BANDS
from cloud_bridge.registry.figures import SUMS
from cloud_bridge.registry.models import DayOfChecks, Region

FEW = 20
BEHIND_POINTS = 5.0
OLD, COMPARED = "80+", "60-69"
DIMENSIONS = ("band", "site", "software")


@dataclass(frozen=True, slots=True)
class Group:
    """One line. None for all figures where the group is hidden.

    `success` in percent, `tries` per check, `session_s` and `camera_s` on average; the last two
    are None also where no clock told.
    """

    key: str
    checks: int | None = None
    success: float | None = None
    tries: float | None = None
    session_s: float | None = None
    camera_s: float | None = None

    @property
    def hidden(self) -> bool:
        return self.checks is None


@dataclass(frozen=True, slots=True)
class Months:
    """From the first day of one month to the last of another."""

    first: date
    last: date

    @classmethod
    def around(cls, since: date, until: date) -> Months:
        after = (until.replace(day=28) + timedelta(days=4)).replace(day=1)
        return cls(since.replace(day=1), after - timedelta(days=1))


def groups(region: Region, months: Months, dimension: str) -> list[Group]:
    """One for each age band, site or software version that had checks; of streets and above."""
    rows = _within(region, months, dimension)
    hidden = to_hide(_people(rows)) | _told_by_neighbours(region, months, dimension)
    sums = rows.values("key").annotate(**{name: Sum(name) for name in SUMS})
    found = [_group(row, row["key"] in hidden) for row in sums if row["key"]]
    return sorted(found, key=lambda group: _place(group.key))


def behind(bands: Iterable[Group]) -> float | None:
    """By how many points 80+ succeed less often than 60–69, if that is too many."""
    success = {group.key: group.success for group in bands}
    old, compared = success.get(OLD), success.get(COMPARED)
    if old is None or compared is None or compared - old <= BEHIND_POINTS:
        return None
    return compared - old


def to_hide(people: Mapping[str, int]) -> frozenset[str]:
    """Which of the groups of one whole are hidden, by how many people each has."""
    by_size = sorted(people, key=lambda key: (people[key], key))
    hidden = [key for key in by_size if people[key] < FEW]
    for key in by_size[len(hidden) :]:
        if not hidden or (len(hidden) > 1 and sum(people[each] for each in hidden) >= FEW):
            break
        hidden.append(key)
    return frozenset(hidden)


def _told_by_neighbours(region: Region, months: Months, dimension: str) -> frozenset[str]:
    """Groups that are the rest between the region above and its other parts."""
    if region.parent is None:
        return frozenset()
    rows = _within(region.parent, months, dimension)
    parts: dict[str, dict[str, int]] = defaultdict(dict)
    for (key, part), number in _by_part(rows, region.parent).items():
        parts[key][part] = number
    here = region.code[: Region.digits_of(region.level)]
    return frozenset(key for key, numbers in parts.items() if here in to_hide(numbers))


def _within(region: Region, months: Months, dimension: str) -> Any:
    rows = DayOfChecks.objects.filter(region.within("street"), day__gte=months.first)
    key = F("site__name" if dimension == "site" else dimension)
    return rows.filter(day__lte=months.last).annotate(key=key, year=_year(months)).order_by()


def _year(months: Months) -> Case:
    """Plain comparisons: SQLite would ask Python for the year of each row."""
    years = range(months.last.year, months.first.year - 1, -1)
    since = [When(day__gte=date(year, 1, 1), then=Value(year)) for year in years]
    return Case(*since, output_field=IntegerField())


def _people(rows: Any) -> dict[str, int]:
    """At least so many people are in each group: the most that any one year tells apart."""
    found: dict[str, int] = {}
    for key, _year, number in rows.values_list("key", "year").annotate(Sum("people")):
        found[key] = max(found.get(key, 0), number)
    return found


def _by_part(rows: Any, above: Region) -> dict[tuple[str, str], int]:
    """The same for each group of each part of a region."""
    found: dict[tuple[str, str], int] = {}
    part = due.below(above, "street")
    counted = rows.annotate(part=part).values_list("key", "part", "year")
    for key, code, _year, number in counted.annotate(Sum("people")):
        found[key, code] = max(found.get((key, code), 0), number)
    return found


def _group(row: Mapping[str, Any], hidden: bool) -> Group:
    if hidden:
        return Group(row["key"])
    checks = row["checks"]
    return Group(
        key=row["key"],
        checks=checks,
        success=100 * row["passed"] / checks,
        tries=row["tries"] / checks,
        session_s=row["session_s"] / row["sessions"] if row["sessions"] else None,
        camera_s=row["camera_s"] / row["looks"] if row["looks"] else None,
    )


def _place(key: str) -> tuple[int, str]:
    """Ages in their order, everything else by name."""
    return (BANDS.index(key) if key in BANDS else len(BANDS), key)

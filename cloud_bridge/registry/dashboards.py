"""The figures of one region and span of days that the dashboards show."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Q, Sum

from cloud_bridge.registry import due
from cloud_bridge.registry.models import DayOfProofs, Proof, Region, Task

AGES_DAYS = ((0, 1), (1, 3), (3, 7), (7, 30), (30, None))
"""From so many days to so many."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many of those who are expected in a region are certified today."""

    code: str
    people: int
    certified: int

    @property
    def percent(self) -> float:
        return 100 * self.certified / self.people if self.people else 0.0


def completion(region: Region, today: date) -> list[Share]:
    """By part of the region; a region without parts is its own only one."""
    sums = {
        "people": Count("category"),
        "certified": Count("category", filter=due.certified_condition(today)),
    }
    return [Share(**row) for row in due.add_up(region, **sums)]


def per_day(region: Region, since: date, until: date) -> list[tuple[date, int]]:
    """People by the day of their last certification, days without any included."""
    found = due.by_day(region, since, until)
    days = (since + timedelta(days=n) for n in range((until - since).days + 1))
    return [(day, found.get(day, 0)) for day in days]


def methods(region: Region, since: date, until: date) -> dict[str, int]:
    """Proofs that count, of these days, by method; in the order of `Proof.Method`."""
    if region.level <= Region.Level.STREET:
        rows = DayOfProofs.objects.filter(region.within("street"), day__range=(since, until))
        counted = rows.order_by().values_list("method").annotate(Sum("proofs"))
    else:
        proofs = Proof.objects.filter(region.within("person__region_id"), voided_at=None)
        proofs = proofs.filter(on__range=(since, until)).order_by()
        counted = proofs.values_list("method").annotate(Count("pk"))
    found = Counter(dict(counted))
    return {method: found[method] for method in Proof.Method.values if found[method]}


def open_tasks(region: Region, now: datetime) -> list[dict[str, Any]]:
    """Open tasks by kind, each with how many have waited for how long (`AGES_DAYS`)."""
    rows = Task.objects.filter(region.within("region_id"), state=Task.State.OPEN).order_by()
    ages = {f"age_{low}": Count("pk", filter=_waited(now, low, high)) for low, high in AGES_DAYS}
    return list(rows.values("kind").annotate(number=Count("pk"), **ages).order_by("-number"))


def _waited(now: datetime, low: int, high: int | None) -> Q:
    since = Q(created_at__lte=now - timedelta(days=low))
    return since & Q(created_at__gt=now - timedelta(days=high)) if high else since

"""Adds up, by day and street, what the dashboards show; each day as a whole, as often as wanted.

Days are counted anew when something about them was filed or voided since the last time. Checks
by camera count on the day they arrived, proofs on the day they are for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Max, Min, Q
from django.db.models.functions import Substr, TruncDate

from cloud_bridge.registry import ages
from cloud_bridge.registry.models import (
    Certification,
    DayOfChecks,
    DayOfProofs,
    FiguresMark,
    Proof,
    Region,
)
from edge.domain.record import Outcome
from edge.domain.timebase import CHINA

OVERLAP = timedelta(minutes=10)
"""What was filed in a transaction that had not ended when days were last counted."""
FRESH = timedelta(minutes=5)
LITTLE = 3000
"""So many new rows are counted while somebody waits for a page; more are for the command."""
LONGEST_S = 3600
"""A session that seems longer than this was not one: the clock was set meanwhile."""
STREET_DIGITS = Region.digits_of(4)

CAMERA_CHECKS = Q(
    outcome__in=(Outcome.PASSED.value, Outcome.NEEDS_REVIEW.value), method="kiosk", witness=""
)
"""Records of somebody who stood before the camera by themselves."""

Tell = Callable[[int, int], None]
"""Called with days counted and days in all."""


@dataclass(slots=True)
class Sums:
    """One row of `DayOfChecks`, while it is added up."""

    people: int = 0
    checks: int = 0
    passed: int = 0
    tries: int = 0
    sessions: int = 0
    session_s: float = 0.0
    looks: int = 0
    camera_s: float = 0.0


SUMS = tuple(field.name for field in fields(Sums))


def refresh(now: datetime, *, anew: bool = False, told: Tell = lambda _done, _all: None) -> int:
    """Count what has changed, or everything `anew`; returns how many days that were."""
    mark = None if anew else FiguresMark.objects.filter(pk=1).first()
    since = mark.counted_to - OVERLAP if mark and mark.counted_to else None
    work = [(_count_proofs, day) for day in _days_of_proofs(since)]
    work += [(_count_checks, day) for day in _days_of_checks(since)]
    FiguresMark.objects.get_or_create(pk=1)
    for done, (count, day) in enumerate(work, start=1):
        with transaction.atomic():
            FiguresMark.objects.select_for_update().get(pk=1)  # one counts at a time
            count(day)
        told(done, len(work))
    FiguresMark.objects.filter(pk=1).update(counted_to=now)
    return len(work)


def catch_up(now: datetime) -> datetime | None:
    """Count what is new if that is little; until when everything is counted then, if ever."""
    mark = FiguresMark.objects.filter(pk=1).first()
    since = mark.counted_to if mark else None
    if since is not None and now - since < FRESH:
        return since
    if _changed(since)[:LITTLE].count() + _filed(since)[:LITTLE].count() >= LITTLE:
        return since
    refresh(now)
    return now


def _days_of_proofs(since: datetime | None) -> list[date]:
    if since is None:
        return _all_days(Proof.objects.aggregate(first=Min("on"), last=Max("on")))
    return sorted(set(_changed(since).values_list("on", flat=True)))


def _days_of_checks(since: datetime | None) -> list[date]:
    if since is None:
        ends = Certification.objects.aggregate(first=Min("filed_at"), last=Max("filed_at"))
        return _all_days({name: at and at.astimezone(CHINA).date() for name, at in ends.items()})
    days = _filed(since).annotate(day=TruncDate("filed_at")).values_list("day", flat=True)
    return sorted(set(days))


def _changed(since: datetime | None) -> Any:
    rows = Proof.objects.order_by()
    return rows.filter(Q(at__gte=since) | Q(voided_at__gte=since)) if since else rows


def _filed(since: datetime | None) -> Any:
    rows = Certification.objects.order_by()
    return rows.filter(filed_at__gte=since) if since else rows


def _all_days(ends: dict[str, date | None]) -> list[date]:
    first, last = ends["first"], ends["last"]
    if first is None or last is None:
        return []
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _count_proofs(day: date) -> None:
    rows = Proof.objects.filter(on=day, voided_at=None).order_by()
    rows = rows.values("method", part=Substr("person__region_id", 1, STREET_DIGITS))
    found = rows.annotate(proofs=Count("pk"))
    DayOfProofs.objects.filter(day=day).delete()
    DayOfProofs.objects.bulk_create(
        DayOfProofs(
            day=day, street=row["part"].ljust(12, "0"), method=row["method"], proofs=row["proofs"]
        )
        for row in found
    )


_COLUMNS = (
    *("person_id", "person__birth", "person__region_id", "device__site_id"),
    *("device__site__region_id", "software", "outcome", "attempts", "certified_on"),
    *("started", "finished", "liveness"),
)


def _count_checks(day: date) -> None:
    rows = _checks_between(day, day + timedelta(days=1)).order_by("filed_at", "record_id")
    found = list(rows.values(*_COLUMNS))
    seen = _seen_before(day, {row["person_id"] for row in found})
    cells: dict[tuple[Any, ...], Sums] = defaultdict(Sums)
    for row in found:
        cell = cells[_cell(row)]
        _add(cell, row)
        if row["person_id"] and row["person_id"] not in seen:
            seen.add(row["person_id"])
            cell.people += 1
    DayOfChecks.objects.filter(day=day).delete()
    DayOfChecks.objects.bulk_create(_rows(day, cells), batch_size=500)


def _rows(day: date, cells: dict[tuple[Any, ...], Sums]) -> Iterator[DayOfChecks]:
    for (street, site, band, software), sums in cells.items():
        values = {name: getattr(sums, name) for name in SUMS}
        yield DayOfChecks(
            day=day, street=street, site_id=site, band=band, software=software, **values
        )


def _checks_between(first: date, end: date) -> Any:
    """Camera checks that arrived from the day `first` to before the day `end`."""
    times = {"filed_at__gte": _midnight(first), "filed_at__lt": _midnight(end)}
    return Certification.objects.filter(CAMERA_CHECKS, **times)


def _seen_before(day: date, people: set[str]) -> set[str]:
    """Whose first check of the year was before this day."""
    rows = _checks_between(date(day.year, 1, 1), day).filter(person__in=people - {None})
    return set(rows.order_by().values_list("person_id", flat=True))


def _cell(row: dict[str, Any]) -> tuple[Any, ...]:
    region = row["person__region_id"] or row["device__site__region_id"]
    years = ages.age(row["person__birth"], row["certified_on"])
    street = region[:STREET_DIGITS].ljust(12, "0")
    return street, row["device__site_id"], ages.band(years), row["software"]


def _add(cell: Sums, row: dict[str, Any]) -> None:
    cell.checks += 1
    cell.passed += row["outcome"] == Outcome.PASSED.value
    cell.tries += row["attempts"]
    session_s = session_seconds(row["started"], row["finished"])
    if session_s is not None:
        cell.sessions += 1
        cell.session_s += session_s
    camera_s = (row["liveness"] or {}).get("seconds")
    if isinstance(camera_s, (int, float)):
        cell.looks += 1
        cell.camera_s += camera_s


def session_seconds(started: dict[str, Any], finished: dict[str, Any]) -> float | None:
    """By the time since the kiosk was switched on, which nothing sets; None if it cannot be."""
    began, ended = started.get("boot_ns"), finished.get("boot_ns")
    if not (isinstance(began, int) and isinstance(ended, int)):
        return None
    seconds = (ended - began) / 1e9
    same_boot = started.get("boot_id") == finished.get("boot_id")
    return seconds if same_boot and 0 < seconds <= LONGEST_S else None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=CHINA)

"""Who has to come, by when, and who did not; questions about the rules of `registry.cycles`.

Two dates are not the same here. By `until`, somebody *is due*: their next proof is wanted by
then. Before `day`, somebody *missed* a date: it went by without one. A missed calendar year is
followed by the next, so that people are due by the end of it and have missed the one before.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Case, Count, DateField, Exists, F, OuterRef, Q, Value, When
from django.db.models.functions import Substr

from cloud_bridge.registry import cycles
from cloud_bridge.registry.cycles import Rule
from cloud_bridge.registry.models import CycleRule, DeathReport, Person, Proof, Region
from edge.domain.cycles import Cycle, due_after, opens_on, years_on
from edge.domain.timebase import CHINA

HORIZONS = (30, 60, 90)
"""Days from today."""
WITHIN = (0, *HORIZONS)
OLD_YEARS = 80
"""From this age on people come first."""


def expected(region: Region) -> Any:
    """The living of a region whose proof is wanted at all."""
    return Person.objects.filter(region.within("region_id")).eligible().filter(dead_since=None)


def due_list(region: Region, days: int, today: date) -> Any:
    """Who is due within `days` or has missed a date; with 0 only the latter.

    The oldest first (80+), then by day. `death_waits`: a death was entered and waits for a second
    person; nobody should ring there without knowing that.
    """
    rows = with_signs(expected(region).filter(_listed(days, today)), today)
    return rows.order_by("-first", "order", "region_id", "name", "person_id")


def with_signs(people: Any, today: date) -> Any:
    """People with what `due_list` says of each."""
    waiting = DeathReport.objects.filter(person=OuterRef("pk"), state=DeathReport.State.WAITING)
    signs = {"first": _is_old(today), "order": _order(today), "death_waits": Exists(waiting)}
    return people.select_related("region").annotate(**signs)


def counts_below(region: Region, today: date) -> list[dict[str, Any]]:
    """For each region one level below: how many are expected, certified, due and past a date."""
    sums = {f"in_{days}": Count("category", filter=_listed(days, today)) for days in WITHIN}
    sums["old"] = Count("category", filter=_listed(max(HORIZONS), today) & old_condition(today))
    sums["certified"] = Count("category", filter=certified_condition(today))
    return add_up(region, people=Count("category"), **sums)


def add_up(region: Region, **sums: Any) -> list[dict[str, Any]]:
    """Sums over the expected people of each part of a region that has any, in order of codes.

    The covered are asked for alone: an index holds all that is counted of them, and nothing else
    has to be read. The few others are looked up one by one.
    """
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for rows in _halves(region):
        for row in rows.order_by().values(part=below(region)).annotate(**sums):
            found[row.pop("part")].update(row)
    return [{"code": part.ljust(12, "0"), **found[part]} for part in sorted(found)]


def by_day(region: Region, since: date, until: date) -> dict[date, int]:
    """How many expected people were certified last on each day."""
    found: Counter[date] = Counter()
    for rows in _halves(region):
        days = rows.filter(last_pass_on__gte=since, last_pass_on__lte=until)
        counted = days.order_by().values_list("last_pass_on").annotate(Count("category"))
        found.update(dict(counted))
    return found


def _halves(region: Region) -> tuple[Any, Any]:
    """The expected: those who are covered, and those who live with somebody who is."""
    alive = Person.objects.filter(region.within("region_id"), dead_since__isnull=True)
    return alive.filter(covered=True), alive.filter(covered=False).eligible()


def below(region: Region, field: str = "region_id") -> Substr:
    """The digits of a region code that say in which part of a region it lies."""
    return Substr(field, 1, Region.digits_of(region.level + 1))


def missed_condition(day: date, *, with_grace: bool = False) -> Q:
    """Whose date went by before `day`, `with_grace`: by more than the grace of their category."""
    condition = Q()
    for category, rule in CycleRule.all_rules().items():
        grace = timedelta(days=rule.grace_days if with_grace else 0)
        condition |= Q(category=category) & _missed(rule, day - grace)
    return condition


def missed_date(person: Person, day: date, *, with_grace: bool = False) -> date | None:
    """The date that went by before `day`; the same question as `missed_condition` for one."""
    rule, last = person.rule, person.last_pass_on
    day -= timedelta(days=rule.grace_days if with_grace else 0)
    if rule.cycle is Cycle.ROLLING and last is not None:
        due = due_after(rule.cycle, last)
        return due if due < day else None
    late = last is None or last < _last_year(day)
    known = person.created_at < _new_year(day)
    return date(day.year - 1, 12, 31) if late and known else None


def may_come_from(person: Person, today: date) -> date:
    """First day on which a proof counts for what is wanted next (the early window)."""
    last, rule = person.last_pass_on, person.rule
    return opens_on(rule.cycle, last, rule.early_days) if last else today


def certified_condition(today: date) -> Q:
    condition = Q()
    for category, rule in CycleRule.all_rules().items():
        condition |= Q(category=category, last_pass_on__gte=cycles.cycle_start(rule, today))
    return condition


def old_condition(today: date) -> Q:
    return Q(birth__lte=years_on(today, -OLD_YEARS))


def last_methods(people: list[str]) -> dict[str, str]:
    """How each was last certified, in one question."""
    rows = Proof.objects.filter(person__in=people, voided_at=None).order_by("on", "pk")
    return dict(rows.values_list("person_id", "method"))


def _listed(days: int, today: date) -> Q:
    missed = missed_condition(today)
    return _due_condition(today + timedelta(days=days), today) | missed if days else missed


def _due_condition(until: date, today: date) -> Q:
    condition = Q()
    for category, rule in CycleRule.all_rules().items():
        condition |= Q(category=category) & _due(rule, until, today)
    return condition


def _due(rule: Rule, until: date, today: date) -> Q:
    """Of one category: `Person.due_by(today) <= until`."""
    after = until + timedelta(days=1)
    year_ends = after.year > today.year
    nobody = Q(pk__in=())
    never = Q(last_pass_on=None) if year_ends else nobody
    if rule.cycle is Cycle.ROLLING:
        return never | Q(last_pass_on__lt=cycles.cycle_start(rule, after))
    return never | (Q(last_pass_on__lt=_last_year(after)) if year_ends else nobody)


def _missed(rule: Rule, day: date) -> Q:
    known = Q(created_at__lt=_new_year(day))
    never = Q(last_pass_on=None) & known
    if rule.cycle is Cycle.ROLLING:
        return never | Q(last_pass_on__lt=cycles.cycle_start(rule, day))
    return never | (Q(last_pass_on__lt=_last_year(day)) & known)


def _last_year(day: date) -> date:
    return date(day.year - 1, 1, 1)


def _new_year(day: date) -> datetime:
    return datetime(day.year, 1, 1, tzinfo=CHINA)


def _is_old(today: date) -> Case:
    return Case(When(old_condition(today), then=Value(1)), default=Value(0))


def _order(today: date) -> Case:
    """A year before the date by which each is due: the last time of whoever comes every year."""
    rolling = [c for c, rule in CycleRule.all_rules().items() if rule.cycle is Cycle.ROLLING]
    by_last = Q(category__in=rolling, last_pass_on__isnull=False)
    year_end = Value(date(today.year - 1, 12, 31), output_field=DateField())
    return Case(When(by_last, then=F("last_pass_on")), default=year_end)

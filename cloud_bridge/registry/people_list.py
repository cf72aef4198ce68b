"""The list of people: any filters in any order, a page at a time, however many there are.

The indexes hold every column that is filtered by, so that walking one reads nothing else.
PostgreSQL knows how common each value is and how few rows are wanted, and picks well. SQLite
knows neither. There this module counts (up to a bound) how many people each filter leaves, and
lets the engine see one index only: that of the narrowest filter if it leaves few, else that of
the order, walked until the page is full. A page begins after somebody, not after a number of
rows: the ten-thousandth is as fast as the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from cloud_bridge.registry import cycles
from cloud_bridge.registry.models import Account, Category, CycleRule, Person, Region

PENDING, CERTIFIED, DEAD = "pending", "certified", "dead"
STATUSES = ((PENDING, _("Pending")), (CERTIFIED, _("Certified")), (DEAD, _("Dead")))

PER_PAGE = 20
COUNTED = 1000
"""More than so many are shown as 1000+."""

NARROW = 20_000
"""A filter that leaves fewer is gone through whole and sorted."""

_LAST = "\U0010ffff"
_PLACE = ("region_id", "name", "person_id")
_ORDERS = {
    "place": _PLACE,
    "name": ("name", "person_id"),
    "day": ("last_pass_on", "person_id"),
}
SORTS = ("place", "name", "category", "covered", "day", "status")


@dataclass(frozen=True, slots=True)
class PeopleQuestion:
    """The filters S05–S15; empty or None asks for all. `name` is how it begins unless `exact`."""

    region: Region | None = None
    name: str = ""
    exact: bool = False
    person_id: str = ""
    category: str = ""
    status: str = ""
    covered: bool | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Sort:
    """One of `SORTS`; written `name`, or `-name` the other way round."""

    by: str = "place"
    down: bool = False

    @classmethod
    def of(cls, text: str) -> Sort:
        """Anything unknown is the order of places."""
        by = text.removeprefix("-")
        return cls(by, text.startswith("-")) if by in SORTS else cls()

    def __str__(self) -> str:
        return f"-{self.by}" if self.down else self.by


@dataclass(frozen=True, slots=True)
class Mark:
    """Somebody's place in the list: the part of the order they are in, and their keys there."""

    part: int
    keys: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Part:
    """A stretch of the order: a question of its own, by three columns at most.

    `dated`: only those with, or without, a day of certification; an engine sorts "no day" first
    and the other one last.
    """

    question: PeopleQuestion
    columns: tuple[str, ...]
    dated: bool | None = None

    @property
    def leading(self) -> str:
        """First column of the index that is in this order."""
        return self.columns[0] if self.dated is None else "last_pass_on"


class _Quiet(Func):
    """A column that SQLite chooses no index for."""

    template = "COALESCE(%(expressions)s, NULL)"

    def as_postgresql(self, compiler: Any, connection: Any, **_more: Any) -> Any:
        """The column itself: hidden, it would be guessed at instead of known."""
        return self.as_sql(compiler, connection, template="%(expressions)s")


class PeopleList:
    """One question of one account, on one day, in one order."""

    def __init__(self, account: Account, question: PeopleQuestion, sort: Sort, today: date) -> None:
        self._starts = _starts(today)
        self._scope = account.region
        self._question = question
        self._down = sort.down
        self._parts = _parts(question, sort)
        self._sizes: dict[str, int] = {}

    def count(self, bound: int = COUNTED) -> int:
        """How many there are; `bound + 1` for all beyond."""
        part = _Part(self._question, _PLACE)
        rows = self._rows(part, self._loud(part))
        return int(rows.order_by()[: bound + 1].count())

    def status_of(self, person: Person) -> str:
        """One of `STATUSES`: dead before all else."""
        if person.dead_since is not None:
            return DEAD
        last = person.last_pass_on
        return CERTIFIED if last and last >= self._starts[person.category] else PENDING

    def page(self, size: int, after: Mark | None = None) -> list[Mark]:
        """The next `size`, fewer at the end."""
        return self._walk(size, after, back=False)

    def page_before(self, size: int, before: Mark) -> list[Mark]:
        return self._walk(size, before, back=True)[::-1]

    def mark_of(self, part: int, person_id: str) -> Mark | None:
        """Where somebody stands now; None if they are not there any more."""
        if not 0 <= part < len(self._parts):
            return None
        columns = self._parts[part].columns
        seen = Person.objects.filter(self._scope.within("region_id"), pk=person_id)
        keys = seen.values_list(*columns).first()
        missing = keys is None or (self._parts[part].dated and keys[0] is None)
        return None if missing else Mark(part, keys)

    def _walk(self, size: int, start: Mark | None, *, back: bool) -> list[Mark]:
        down = self._down != back
        numbers = list(range(len(self._parts)))
        if back:
            numbers.reverse()
        if start is not None:
            numbers = numbers[numbers.index(start.part) :]
        found: list[Mark] = []
        for number in numbers:
            keys = start.keys if start is not None and number == start.part else None
            found += self._of_part(number, size - len(found), keys, down)
            if len(found) == size:
                break
        return found

    def _of_part(
        self, number: int, size: int, keys: Sequence[Any] | None, down: bool
    ) -> list[Mark]:
        part = self._parts[number]
        loud = self._loud(part)
        names = [_named(column, loud) for column in part.columns]
        rows = self._rows(part, loud)
        if keys is not None:
            rows = rows.filter(_beyond(part.columns, keys, loud, down))
        rows = rows.order_by(*(f"-{name}" if down else name for name in names))
        return [Mark(number, each) for each in rows.values_list(*part.columns)[:size]]

    # --- which index

    def _loud(self, part: _Part) -> str:
        """The column whose index may be used."""
        if part.question.person_id:
            return "person_id"
        if connection.vendor == "postgresql":
            return part.leading
        ranges = self._ranges(part)
        sizes = {column: self._size(ranges[column]) for column in ranges}
        narrowest = min(sizes, key=lambda column: sizes[column], default="")
        if narrowest and sizes[narrowest] < NARROW:
            return narrowest
        return part.leading

    def _size(self, terms: dict[str, Any]) -> int:
        """How many one filter leaves, counted to `NARROW`, and once."""
        name = str(terms)
        if name not in self._sizes:
            rows = Person.objects.filter(**terms).order_by()
            self._sizes[name] = int(rows[:NARROW].count())
        return self._sizes[name]

    def _ranges(self, part: _Part) -> dict[str, dict[str, Any]]:
        """What may be found by an index, by column."""
        found = {
            "region_id": _within(self._scope, part.question.region),
            "name": _beginning(part.question),
            "last_pass_on": self._days(part),
            "dead_since": {"dead_since__isnull": False} if part.question.status == DEAD else {},
            "covered": {"covered": False} if part.question.covered is False else {},
        }
        return {column: terms for column, terms in found.items() if terms}

    def _days(self, part: _Part) -> dict[str, Any]:
        question = part.question
        if part.dated is False:
            return {"last_pass_on__isnull": True}
        first, last = question.since, question.until
        if question.status == CERTIFIED:
            first = max(filter(None, (first, min(self._starts.values()))))
        terms: dict[str, Any] = {}
        if first:
            terms["last_pass_on__gte"] = first
        if last:
            terms["last_pass_on__lte"] = last
        if question.status == PENDING and (part.dated or first or last):
            terms["last_pass_on__lt"] = max(self._starts.values())
        if part.dated and not terms:
            terms["last_pass_on__isnull"] = False
        return terms

    # --- the question

    def _rows(self, part: _Part, loud: str) -> Any:
        rows = Person.objects.alias(**{f"quiet_{name}": _Quiet(F(name)) for name in _QUIETED})
        for terms in self._ranges(part).values():
            for lookup, value in terms.items():
                column, _, how = lookup.partition("__")
                name = _named(column, loud)
                rows = rows.filter(**{f"{name}__{how}" if how else name: value})
        question = part.question
        if question.person_id:
            rows = rows.filter(person_id=question.person_id)
        if question.category:
            rows = rows.filter(category=question.category)
        if question.covered:
            rows = rows.filter(covered=True)
        if question.status in (PENDING, CERTIFIED):
            rows = rows.filter(self._status(question, loud))
        return rows

    def _status(self, question: PeopleQuestion, loud: str) -> Q:
        """Of the living: certified in the cycle of their category, or not."""
        day = "quiet_last_pass_on" if loud != "last_pass_on" else "last_pass_on"
        wanted = [question.category] if question.category else list(self._starts)
        certified = Q()
        for start in sorted({self._starts[word] for word in wanted}):
            words = [word for word in wanted if self._starts[word] == start]
            certified |= Q(category__in=words, **{f"{day}__gte": start})
        living = Q(**{f"{_named('dead_since', loud)}__isnull": True})
        if question.status == CERTIFIED:
            return living & certified
        return living & (Q(**{f"{day}__isnull": True}) | ~certified)


_QUIETED = ("region_id", "name", "last_pass_on", "dead_since", "covered")


def _named(column: str, loud: str) -> str:
    return f"quiet_{column}" if column in _QUIETED and column != loud else column


def _starts(today: date) -> dict[str, date]:
    """By category, the first day that still counts."""
    rules = CycleRule.all_rules()
    return {word: cycles.cycle_start(rules[word], today) for word in Category.values}


def _parts(question: PeopleQuestion, sort: Sort) -> tuple[_Part, ...]:
    if sort.by in _ORDERS and sort.by != "day":
        parts = [_Part(question, _ORDERS[sort.by])]
    elif sort.by == "day":
        parts = _by_day(question)
    else:
        parts = [_Part(each, _PLACE) for each in _split(question, sort.by)]
    return tuple(reversed(parts) if sort.down else parts)


def _by_day(question: PeopleQuestion) -> list[_Part]:
    """Those who never came before the others, where they are asked for at all."""
    dated = _Part(question, _ORDERS["day"], dated=True)
    if question.since or question.until or question.status == CERTIFIED:
        return [dated]
    return [_Part(question, ("person_id",), dated=False), dated]


def _split(question: PeopleQuestion, by: str) -> Iterator[PeopleQuestion]:
    """One question for each word of a column, in the order of the words."""
    if by == "category":
        words = [question.category] if question.category else Category.values
        yield from (replace(question, category=word) for word in words)
    elif by == "status":
        words = [question.status] if question.status else [word for word, _label in STATUSES]
        yield from (replace(question, status=word) for word in words)
    else:
        asked = question.covered
        yield from (replace(question, covered=c) for c in (True, False) if asked in (None, c))


def _within(scope: Region, region: Region | None) -> dict[str, Any]:
    """Where both ranges of codes meet; empty for everywhere."""
    low, high = scope.code, scope.last_code
    if region is not None:
        low, high = max(low, region.code), min(high, region.last_code)
    everywhere = not low.strip("0") and not high.strip("9")
    return {} if everywhere else {"region_id__gte": low, "region_id__lte": high}


def _beginning(question: PeopleQuestion) -> dict[str, Any]:
    """A range, not LIKE: no character that anybody types means anything but itself."""
    if not question.name:
        return {}
    if question.exact:
        return {"name": question.name}
    return {"name__gte": question.name, "name__lt": question.name + _LAST}


def _beyond(columns: Sequence[str], keys: Sequence[Any], loud: str, down: bool) -> Q:
    """After these keys. The bound on the first column alone is what an index can use."""
    how = "lt" if down else "gt"
    beyond = Q(**{f"{_named(columns[-1], loud)}__{how}": keys[-1]})
    for column, key in reversed(list(zip(columns[:-1], keys[:-1], strict=True))):
        name = _named(column, "")
        beyond = Q(**{f"{name}__{how}": key}) | (Q(**{name: key}) & beyond)
    return beyond & Q(**{f"{_named(columns[0], loud)}__{how}e": keys[0]})

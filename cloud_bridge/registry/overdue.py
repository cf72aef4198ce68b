"""Tasks for whoever did not come: one for a person and a date that went by, and never more.

A task is all that comes of it. It closes itself when the person is proven alive after all, has
died or is not expected any more; one that a member of staff closed stays closed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

from cloud_bridge.registry import audit, due
from cloud_bridge.registry.models import ROOT_REGION, Person, Region, Task
from cloud_bridge.registry.vault import Vault
from edge.domain.timebase import CHINA

BATCH = 1000
"""People looked at in one transaction: nobody else waits for longer than that takes."""


@dataclass(frozen=True, slots=True)
class Turn:
    opened: int = 0
    closed: int = 0

    def __add__(self, other: Turn) -> Turn:
        return Turn(self.opened + other.opened, self.closed + other.closed)


def run(vault: Vault, now: datetime, told: Callable[[Turn], None] = lambda _turn: None) -> Turn:
    """Go through everybody once; may be run at any time and as often as one likes.

    `told` what was done so far, batch by batch.
    """
    today = now.astimezone(CHINA).date()
    done = Turn()
    for part in (_closings(today, now), _openings(today, now)):
        for turn in part:
            done += turn
            told(done)
    if done != Turn():
        reason = f"opened {done.opened}, closed {done.closed}"
        audit.write(vault, audit.SYSTEM, "tasks.overdue", ("tasks", ""), reason=reason, at=now)
    return done


def settle(person_ids: Iterable[str], now: datetime) -> int:
    """Close what is open of these people and no longer true; returns how many."""
    rows = _open_tasks().filter(person__in=set(person_ids))
    return _close(list(rows), now.astimezone(CHINA).date(), now)


def _openings(today: date, now: datetime) -> Iterator[Turn]:
    late = _everybody().filter(due.missed_condition(today, with_grace=True)).order_by("pk")
    last = ""
    while people := list(late.filter(pk__gt=last)[:BATCH]):
        yield Turn(opened=_open(people, today, now))
        last = people[-1].pk


@transaction.atomic
def _open(people: Sequence[Person], today: date, now: datetime) -> int:
    """One that closed itself is opened again: the proof was voided, or the death undone."""
    known = {(row.person_id, row.due_on): row for row in _tasks().filter(person__in=people)}
    new, again = [], []
    for person in people:
        day = due.missed_date(person, today, with_grace=True)
        row = known.get((person.pk, day))
        if row is None:
            new.append(_task(person, day, now))
        elif row.state == Task.State.DONE and row.done_by == audit.SYSTEM:
            again.append(row.pk)
    Task.objects.bulk_create(new, ignore_conflicts=True)
    fresh = {"state": Task.State.OPEN, "done_by": "", "done_at": None, "claimed_by": ""}
    Task.objects.filter(pk__in=again).update(**fresh)
    return len(new) + len(again)


def _task(person: Person, day: date | None, now: datetime) -> Task:
    return Task(
        kind=Task.Kind.OVERDUE,
        person=person,
        due_on=day,
        region_id=person.region_id,
        created_at=now,
    )


def _closings(today: date, now: datetime) -> Iterator[Turn]:
    last = 0
    while rows := list(_open_tasks().filter(pk__gt=last).order_by("pk")[:BATCH]):
        yield Turn(closed=_close(rows, today, now))
        last = rows[-1].pk


@transaction.atomic
def _close(rows: Sequence[Task], today: date, now: datetime) -> int:
    if not rows:
        return 0
    ids = [row.person_id for row in rows]
    wanted = set(_everybody().filter(pk__in=ids).values_list("pk", flat=True))
    over = [row.pk for row in rows if row.person_id not in wanted or _is_over(row, today)]
    closing = {"state": Task.State.DONE, "done_by": audit.SYSTEM, "done_at": now, "note": ""}
    count: int = Task.objects.filter(pk__in=over, state=Task.State.OPEN).update(**closing)
    return count


def _is_over(row: Task, today: date) -> bool:
    """Whether the date that it was opened for is not the one that was missed last."""
    return due.missed_date(row.person, today, with_grace=True) != row.due_on


def _everybody() -> Any:
    return due.expected(Region.objects.get(pk=ROOT_REGION))


def _tasks() -> Any:
    return Task.objects.filter(kind=Task.Kind.OVERDUE)


def _open_tasks() -> Any:
    return _tasks().filter(state=Task.State.OPEN).select_related("person")

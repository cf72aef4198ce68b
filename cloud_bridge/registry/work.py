"""Tasks in the hands of staff: who is on one, closed with a word of what was done, opened again.

Nothing here certifies anybody or takes anything from them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cloud_bridge.registry import queries
from cloud_bridge.registry.models import Account, Region, Role, Task

NOBODY = "nobody"
MINE = "mine"
HARMLESS = frozenset({Task.Kind.CLOCK})
"""What may be closed many at a time: whoever it is about is certified either way."""


@dataclass(frozen=True, slots=True)
class Question:
    """The filters of the queue; empty or None asks for all."""

    region: Region | None = None
    kind: str = ""
    state: str = ""
    older_than_days: int = 0
    who: str = ""
    name: str = ""


def queue(account: Account, question: Question, now: datetime) -> Any:
    """Open before done, urgent first, low ones last, and then the oldest."""
    rows = queries.tasks(account)
    if question.region:
        rows = rows.filter(question.region.within("region_id"))
    if question.kind:
        rows = rows.filter(kind=question.kind)
    if question.state:
        rows = rows.filter(state=question.state)
    if question.older_than_days:
        rows = rows.filter(created_at__lte=now - timedelta(days=question.older_than_days))
    if question.name:
        rows = rows.filter(person__name__startswith=question.name)
    if question.who:
        who = account.username if question.who == MINE else ""
        rows = rows.filter(claimed_by=who)
    return rows


def claim(tasks: Iterable[Task], account: Account, now: datetime) -> list[Task]:
    """Those that are now the account's; whatever somebody else is on stays theirs."""
    return [task for task in tasks if _claim(task, account, now)]


def _claim(task: Task, account: Account, now: datetime) -> bool:
    rows = Task.objects.filter(pk=task.pk, state=Task.State.OPEN, claimed_by="")
    return bool(rows.update(claimed_by=account.username, claimed_at=now))


def release(tasks: Iterable[Task], account: Account) -> list[Task]:
    """Those that are nobody's now."""
    return [task for task in tasks if _release(task, account)]


def _release(task: Task, account: Account) -> bool:
    rows = Task.objects.filter(pk=task.pk, state=Task.State.OPEN).exclude(claimed_by="")
    if not may_release_others(account):
        rows = rows.filter(claimed_by=account.username)
    return bool(rows.update(claimed_by="", claimed_at=None))


def may_release_others(account: Account) -> bool:
    """Whoever is ill or away keeps nothing from being done."""
    return account.role in (Role.SUPERVISOR, Role.COUNTY)


def close(task: Task, account: Account, note: str, now: datetime) -> bool:
    """False if somebody else is on it, or was first."""
    rows = Task.objects.filter(pk=task.pk, state=Task.State.OPEN)
    rows = rows.filter(claimed_by__in=("", account.username))
    done = {"state": Task.State.DONE, "done_by": account.username, "done_at": now}
    return bool(rows.update(**done, note=note[:200]))


def reopen(task: Task, account: Account, now: datetime) -> bool:
    """What was closed by mistake; whoever opens it again is on it. False if it is open."""
    rows = Task.objects.filter(pk=task.pk, state=Task.State.DONE)
    fresh = {"state": Task.State.OPEN, "done_by": "", "done_at": None, "note": ""}
    return bool(rows.update(**fresh, claimed_by=account.username, claimed_at=now))

"""死亡: said by one member of staff, approved by another, taken back in one step.

The day in `Person.dead_since` follows an approved report and nothing else. No payment hangs on
it here: the person need not come any more, and should they stand before a kiosk, staff look at
once. An approval closes tasks that make no sense any more; taking it back opens the same again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Case, When

from cloud_bridge.registry import audit, events, rosters
from cloud_bridge.registry.events import Event, News
from cloud_bridge.registry.models import Account, DeathReport, Person, Proof, Role, Task
from cloud_bridge.registry.vault import Vault
from cloud_bridge.registry.workdays import Workdays
from edge.domain.timebase import CHINA

LATE_DAYS = 20
"""Working days after the death by which it has to be reported."""
WAITING_DAYS = 5
"""Working days by which somebody has to have decided."""

DECIDERS = frozenset({Role.SUPERVISOR, Role.COUNTY})
POINTLESS = (Task.Kind.OVERDUE, Task.Kind.CONFLICT)
"""Tasks that an approved death answers."""
_State: Any = DeathReport.State


class DeathRefused(Exception):
    """Not done; `word` is one of the console's labels."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


@dataclass(frozen=True, slots=True)
class Death:
    """What a member of staff says."""

    died_on: date
    source: str
    note: str = field(repr=False, default="")


@transaction.atomic
def enter(
    person: Person, death: Death, vault: Vault, account: Account, now: datetime
) -> DeathReport:
    """Nothing changes for the person before somebody else agrees. Raises `DeathRefused`."""
    if word := _objection(person, death, account, now):
        raise DeathRefused(word)
    try:
        with transaction.atomic():
            report = DeathReport.objects.create(
                person=person,
                died_on=death.died_on,
                source=death.source,
                note=death.note.strip()[:200],
                entered_by=account.username,
                entered_at=now,
            )
    except IntegrityError as error:
        raise DeathRefused("already") from error
    _audit(report, "death.enter", vault, account, f"{death.died_on.isoformat()} {death.source}")
    return report


def _objection(person: Person, death: Death, account: Account, now: datetime) -> str:
    found = {
        "other_region": not account.region.covers(person.region_id),
        "already": person.dead_since is not None or standing_report(person) is not None,
        "future": death.died_on > now.astimezone(CHINA).date(),
        "before_birth": person.birth is not None and death.died_on < person.birth,
        "source": death.source not in DeathReport.Source.values,
    }
    return next((word for word, applies in found.items() if applies), "")


def standing_report(person: Person) -> DeathReport | None:
    """The one that waits or was approved."""
    rows = DeathReport.objects.filter(person=person, state__in=[_State.WAITING, _State.APPROVED])
    return rows.first()


def seen_by(account: Account) -> Any:
    rows = DeathReport.objects.filter(account.region.within("person__region_id"))
    return rows.select_related("person__region")


def in_order(rows: Any) -> Any:
    """Those that wait first, then the newest."""
    waits = Case(When(state=_State.WAITING, then=0), default=1)
    return rows.order_by(waits, "-entered_at", "-pk")


def contradicting(report: DeathReport) -> Any:
    """What says that the person was alive after that day."""
    return Proof.objects.filter(person=report.person_id, voided_at=None, on__gt=report.died_on)


@transaction.atomic
def approve(report: DeathReport, vault: Vault, account: Account, now: datetime) -> None:
    """By somebody else than who entered it. Raises `DeathRefused`."""
    row = _locked(report, account, _State.WAITING)
    _check_second(row, account)
    if contradicting(row).exists():
        raise DeathRefused("alive_after")
    row.state, row.decided_by, row.decided_at = _State.APPROVED, account.username, now
    row.save()
    Person.objects.filter(pk=row.person_id).update(dead_since=row.died_on)
    open_ones = Task.objects.filter(person=row.person_id, state=Task.State.OPEN)
    open_ones.filter(kind__in=POINTLESS).update(
        state=Task.State.DONE, done_by=account.username, done_at=now, note=_mark(row)
    )
    _tell(row, Event.DEATH, now)
    _audit(row, "death.approve", vault, account, f"report {row.pk}")


@transaction.atomic
def refuse(report: DeathReport, reason: str, vault: Vault, account: Account, now: datetime) -> None:
    """By somebody else than who entered it, who may take it back instead."""
    row = _locked(report, account, _State.WAITING)
    _check_second(row, account)
    row.state, row.decided_by, row.decided_at = _State.REFUSED, account.username, now
    row.undo_reason = reason[:200]
    row.save()
    _audit(row, "death.refuse", vault, account, f"report {row.pk} {reason}")


def may_undo(report: DeathReport, account: Account) -> bool:
    """An approved one whoever may approve; one that waits its author, whom nobody has to ask."""
    if report.state == _State.APPROVED:
        return account.role in DECIDERS
    return bool(report.state == _State.WAITING and report.entered_by == account.username)


@transaction.atomic
def undo(report: DeathReport, reason: str, vault: Vault, account: Account, now: datetime) -> None:
    """撤销: everything is as it was before the report. Raises `DeathRefused`."""
    row = _locked(report, account, _State.WAITING, _State.APPROVED)
    if not may_undo(row, account):
        raise DeathRefused("not_yours")
    was_approved = row.state == _State.APPROVED
    row.state, row.undone_by, row.undone_at = _State.UNDONE, account.username, now
    row.undo_reason = reason[:200]
    row.save()
    if was_approved:
        _restore(row, now)
    _audit(row, "death.undo", vault, account, f"report {row.pk} {reason}")


def _restore(row: DeathReport, now: datetime) -> None:
    Person.objects.filter(pk=row.person_id).update(dead_since=None)
    closed = Task.objects.filter(person=row.person_id, note=_mark(row), state=Task.State.DONE)
    closed.update(state=Task.State.OPEN, done_by="", done_at=None, note="")
    _tell(row, Event.DEATH_REVERSED, now)


def _mark(row: DeathReport) -> str:
    """By what the tasks are known that an approval closed."""
    return f"death report {row.pk}"


def _locked(report: DeathReport, account: Account, *states: str) -> DeathReport:
    # The person, too: a proof that is just being saved is waited for, and then seen.
    locked = DeathReport.objects.select_for_update(of=("self", "person"), no_key=True)
    row: DeathReport = locked.select_related("person").get(pk=report.pk)
    if not account.region.covers(row.person.region_id):
        raise DeathRefused("other_region")
    if row.state not in states:
        raise DeathRefused("decided")
    return row


def _check_second(row: DeathReport, account: Account) -> None:
    if account.role not in DECIDERS:
        raise DeathRefused("not_yours")
    if row.entered_by == account.username:
        raise DeathRefused("own")


def _tell(row: DeathReport, event: Event, now: datetime) -> None:
    """The kiosks of the region, whose rosters say who is for staff, and whoever listens."""
    place = row.person.region_id
    rosters.send_anew(rosters.serving([place]))
    facts = {"report": row.pk, "died_on": row.died_on.isoformat(), "source": row.source}
    events.tell([News(event, row.person_id, place, facts)], now)


def _audit(row: DeathReport, action: str, vault: Vault, account: Account, reason: str) -> None:
    target, place = ("person", row.person_id), row.person.region_id
    audit.write(vault, account.username, action, target, reason=reason, region_code=place)


# --- what came late


@dataclass(frozen=True, slots=True)
class Delay:
    """How many working days a report took, and how many it waits or waited for a decision."""

    report: DeathReport
    reported: int
    decided: int

    @property
    def is_late(self) -> bool:
        return self.reported > LATE_DAYS

    @property
    def waits_long(self) -> bool:
        return bool(self.report.state == _State.WAITING and self.decided > WAITING_DAYS)


def delays(
    account: Account, since: date, until: date, days: Workdays, today: date
) -> Iterator[Delay]:
    """Reports entered in a span of days that came too late or wait too long, newest first."""
    rows = seen_by(account).filter(entered_at__date__gte=since, entered_at__date__lte=until)
    standing = rows.exclude(state__in=[_State.REFUSED, _State.UNDONE])
    for row in standing.order_by("-entered_at", "-pk"):
        delay = _delay(row, days, today)
        if delay.is_late or delay.waits_long:
            yield delay


def _delay(row: DeathReport, days: Workdays, today: date) -> Delay:
    entered = row.entered_at.astimezone(CHINA).date()
    decided = row.decided_at.astimezone(CHINA).date() if row.decided_at else today
    return Delay(row, days.between(row.died_on, entered), days.between(entered, decided))

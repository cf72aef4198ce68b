"""What other offices know: somebody was alive on a day, or had died.

A sign of life proves that somebody was alive. A death decides nothing: it makes a task, urgent
where there is proof of life on that day or later. A sign of life after a registered death makes
an urgent task too, and proves nothing until staff have looked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import F

from cloud_bridge.registry import doubts, id_number, standing
from cloud_bridge.registry.bulk import Table
from cloud_bridge.registry.imports import cells
from cloud_bridge.registry.imports.judging import Deed, Record, Scope, Verdict, What
from cloud_bridge.registry.imports.people import check_number, deed
from cloud_bridge.registry.models import DeathReport, ImportRun, LifeSignal, Person, Proof, Task
from edge.domain.people import mask_id_number

_SOURCE_LENGTH = 60


@dataclass(frozen=True, slots=True)
class SignalRow:
    number: str = field(repr=False)
    key: str
    name: str = field(repr=False)
    on: date | None
    source: str

    def masked(self) -> dict[str, str]:
        """For a page: nothing that names a person in full."""
        return {
            "id_number": mask_id_number(self.number),
            "date": self.on.isoformat() if self.on else "",
            "source": self.source,
        }


@dataclass(frozen=True, slots=True)
class Known:
    """What the registry has of somebody that a signal may agree with or not."""

    person_id: str
    name: str = field(repr=False)
    region_code: str
    alive_on: date | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a signal leads to."""

    proves: bool = False
    task: bool = False
    urgent: bool = False


def outcome(
    kind: Any, on: date, *, dead_since: date | None, died_on: date | None, alive_on: date | None
) -> Outcome:
    """`died_on`: of a report that waits for a second person; `alive_on`: of the latest proof."""
    if kind == LifeSignal.Kind.DEATH:
        return Outcome(task=not dead_since, urgent=bool(alive_on and alive_on >= on))
    if dead_since and on > dead_since:
        return Outcome(task=True, urgent=True)
    odd = bool(died_on and on > died_on)
    return Outcome(proves=True, task=odd, urgent=odd)


class Signals:
    def __init__(self, scope: Scope, kind: Any) -> None:
        self._scope = scope
        self._kind = kind
        self._seen: set[int] = set()
        self.touched: set[str] = set()

    def judge(self, records: Sequence[Record]) -> list[Verdict]:
        rows = [self._read(record) for record in records]
        known = self._known({row.key for row in rows})
        there = self._there([person.person_id for person in known.values()])
        pairs = zip(records, rows, strict=True)
        return [self._verdict(record, row, known.get(row.key), there) for record, row in pairs]

    def _read(self, record: Record) -> SignalRow:
        get = record.cells.get
        number = cells.id_number(get("id_number", ""))
        row = SignalRow(
            number=number,
            key=self._scope.vault.lookup(number),
            name=cells.name(get("name", "")),
            on=cells.day(cells.plain(get("date", ""))),
            source=cells.name(get("source", "")),
        )
        check_number(record, number)
        self._check_day(record, row)
        if not cells.is_word(row.source, _SOURCE_LENGTH):
            record.fault("source", "source")
        return row

    def _check_day(self, record: Record, row: SignalRow) -> None:
        birth = id_number.birth_of(row.number)
        if row.on is None:
            record.fault("date", "date")
        elif row.on > self._scope.today:
            record.fault("date", "future")
        elif birth and row.on < birth:
            record.fault("date", "before_birth")

    def _known(self, keys: set[str]) -> dict[str, Known]:
        here = self._scope.region.within("region_id")
        people = Person.objects.filter(here, number_key__in=keys)
        columns = ("number_key", "person_id", "name", "region_id", "last_pass_on")
        return {key: Known(*cells) for key, *cells in people.values_list(*columns)}

    def _there(self, person_ids: Sequence[str]) -> set[tuple[str, str, date]]:
        """The signals that are known of these people."""
        rows = LifeSignal.objects.filter(
            person__in=person_ids, kind=self._kind, run__state=ImportRun.State.APPLIED
        )
        return set(rows.values_list("person_id", "source", "on"))

    def _verdict(
        self,
        record: Record,
        row: SignalRow,
        known: Known | None,
        there: set[tuple[str, str, date]],
    ) -> Verdict:
        if known and row.name and doubts.bare(row.name) != doubts.bare(known.name):
            record.fault("name", "other_name")
        if record.faults or row.on is None:
            return Verdict(record, What.FAULTY, row)
        if known is None:
            return Verdict(record, What.UNKNOWN, row)
        mark = hash((row.key, row.source, row.on))
        old = mark in self._seen or (known.person_id, row.source, row.on) in there
        self._seen.add(mark)
        return Verdict(record, What.UNCHANGED if old else What.ADDED, row, known)

    def write(self, verdicts: Sequence[Verdict], run: ImportRun, now: datetime) -> list[Deed]:
        added = [v for v in verdicts if v.what is What.ADDED]
        signals = self._saved(added, run)
        people = [v.known.person_id for v in added]
        dead, reported = _dead(people), _reported(people)
        outcomes = [(pk, v, self._outcome(v, dead, reported)) for pk, v in signals]
        proves = [_proof(pk, v, now) for pk, v, what in outcomes if what.proves]
        standing.prove(proves)
        tasks = [_task(pk, v, what.urgent, now) for pk, v, what in outcomes if what.task]
        Task.objects.bulk_create(tasks)
        self.touched |= {v.known.region_code for v in added}
        told = [v.known for v in added]
        return [deed(f"signal.{self._kind}", p.person_id, p.region_code) for p in told]

    def _saved(self, added: Sequence[Verdict], run: ImportRun) -> list[tuple[int, Verdict]]:
        """The new signals' keys."""
        marks = {(v.known.person_id, v.row.source, v.row.on): v for v in added}
        values = [(*mark[:2], str(mark[2]), self._kind, run.pk) for mark in marks]
        with connection.wrap_database_errors:
            Table(LifeSignal, "person_id", "source", "on", "kind", "run_id").insert(values)
        ids = {mark[0] for mark in marks}
        saved = LifeSignal.objects.filter(run=run, person__in=ids)
        rows = saved.values_list("pk", "person_id", "source", "on")
        return [(pk, marks[tuple(mark)]) for pk, *mark in rows if tuple(mark) in marks]

    def _outcome(
        self, verdict: Verdict, dead: Mapping[str, date | None], reported: Mapping[str, date]
    ) -> Outcome:
        known: Known = verdict.known
        return outcome(
            self._kind,
            verdict.row.on,
            dead_since=dead[known.person_id],
            died_on=reported.get(known.person_id),
            alive_on=known.alive_on,
        )


def _proof(signal_id: int, verdict: Verdict, now: datetime) -> Proof:
    return Proof(
        person_id=verdict.known.person_id,
        method=Proof.Method.DATA,
        on=verdict.row.on,
        at=now,
        signal_id=signal_id,
    )


def _dead(person_ids: Sequence[str]) -> dict[str, date | None]:
    """Since when they are registered as dead. Nobody changes that before the signals are in."""
    rows = Person.objects.select_for_update(no_key=True).filter(pk__in=person_ids).order_by("pk")
    return dict(rows.values_list("pk", "dead_since"))


def _reported(person_ids: Sequence[str]) -> dict[str, date]:
    """Deaths that wait for a second person."""
    waiting = DeathReport.objects.filter(person__in=person_ids, state=DeathReport.State.WAITING)
    return dict(waiting.values_list("person_id", "died_on"))


def _task(signal_id: int, verdict: Verdict, urgent: bool, now: datetime) -> Task:
    return Task(
        kind=Task.Kind.CONFLICT,
        urgent=urgent,
        person_id=verdict.known.person_id,
        signal_id=signal_id,
        region_id=verdict.known.region_code,
        created_at=now,
    )


def raise_urgent() -> None:
    """Deaths told before, and not looked at yet, that proofs speak against by now."""
    tasks = Task.objects.filter(
        state=Task.State.OPEN,
        urgent=False,
        signal__kind=LifeSignal.Kind.DEATH,
        signal__on__lte=F("person__last_pass_on"),
    )
    tasks.update(urgent=True)

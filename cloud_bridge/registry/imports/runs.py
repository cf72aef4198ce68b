"""A file from the first look to the decision: applied as a whole, or not at all.

Everything is judged twice, when it is looked at and again while it is written: the registry goes
on in between. All writing of one file is one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any

from django.db import IntegrityError, transaction

from cloud_bridge.registry import audit, rosters
from cloud_bridge.registry.audit import Note
from cloud_bridge.registry.imports import headings, regions, tables
from cloud_bridge.registry.imports.faults import FILE, Fault, ImportRefused, refuse
from cloud_bridge.registry.imports.judging import (
    Deed,
    Judge,
    Record,
    Scope,
    Tally,
    Verdict,
    What,
    records,
)
from cloud_bridge.registry.imports.people import People
from cloud_bridge.registry.imports.regions import Regions
from cloud_bridge.registry.imports.signals import Signals, raise_urgent
from cloud_bridge.registry.imports.sources import CONSOLE, Limits, Source, of_bytes
from cloud_bridge.registry.models import ROOT_REGION, ImportRun, Person, Region
from cloud_bridge.registry.vault import Vault

BATCH = 1000
KEPT = timedelta(days=1)
"""How long a file waits for its decision; it is full of names and numbers."""

Progress = Callable[[int], None]


def _silent(_rows: int) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Order:
    """Which file is to be taken in, by whom and for whom.

    `kind` is one of `ImportRun.Kind`; `full`: it is the whole roster.
    """

    source: Source
    kind: Any
    scope: Scope
    who: str
    full: bool = False
    limits: Limits = CONSOLE


def look(order: Order, now: datetime, progress: Progress = _silent) -> ImportRun:
    """What would become of the file; not saved, and nothing is changed."""
    judge, tally = _judge(order), Tally()
    try:
        for batch in _batches(order):
            tally.count(judge.judge(batch))
            progress(tally.rows)
    except ImportRefused as refused:
        tally.add_faults(refused.faults)
    if not tally.rows and not tally.fault_count:
        tally.add_faults([Fault(1, FILE, "empty_file")])
    run = ImportRun(
        kind=order.kind,
        file_name=order.source.name[-120:],
        sha256=order.source.sha256(),
        full=order.full and order.kind == ImportRun.Kind.PEOPLE,
        by=order.who,
        at=now,
        region=order.scope.region,
        faults=tally.fault_count,
        errors=[[fault.line, fault.column, fault.word] for fault in tally.faults],
    )
    _set_counts(run, tally)
    run.missing = _missing(run) if run.full and not run.faults else 0
    return run


def keep(run: ImportRun, source: Source, vault: Vault) -> None:
    """Save a run that was looked at; the file waits with it, sealed, if it can be applied."""
    with transaction.atomic():
        drop_old(run.at)
        run.save()
        if not run.faults:
            with source.open() as file:
                run.content_sealed = vault.seal_bytes(file.read(), _owner(run))
            run.save(update_fields=["content_sealed"])
        _audit(vault, run.by, "import.look", run)


def kept_source(run: ImportRun, vault: Vault) -> Source:
    """The file of a run that waits. Raises `VaultError`."""
    return of_bytes(run.file_name, vault.open_bytes(run.content_sealed, _owner(run)))


def _owner(run: ImportRun) -> str:
    return f"import {run.pk}"


def apply(run: ImportRun, order: Order, now: datetime, progress: Progress = _silent) -> None:
    """Take in the whole file. Raises `ImportRefused`, and then nothing was changed."""
    try:
        with transaction.atomic():
            _start(run, order, now)
            _write(run, order, now, progress)
            _audit(order.scope.vault, order.who, "import.apply", run)
    except IntegrityError as error:
        raise refuse(1, FILE, "changed_meanwhile") from error


def alone() -> None:
    """One import or undoing at a time: two that name the same people would otherwise trip over
    each other, or take back what they cannot see yet."""
    Region.objects.select_for_update(no_key=True).get(pk=ROOT_REGION)


def _start(run: ImportRun, order: Order, now: datetime) -> None:
    alone()
    if run.pk is not None:
        waits = ImportRun.objects.filter(pk=run.pk, state=ImportRun.State.LOOKED_AT, faults=0)
        if not waits.exists():
            raise refuse(1, FILE, "changed_meanwhile")
    if run.sha256 != order.source.sha256():
        raise refuse(1, FILE, "changed_meanwhile")
    run.state, run.applied_at, run.content_sealed = ImportRun.State.APPLIED, now, b""
    run.save()


def _write(run: ImportRun, order: Order, now: datetime, progress: Progress) -> None:
    judge, tally = _judge(order), Tally()
    for batch in _batches(order):
        verdicts = judge.judge(batch)
        tally.count(verdicts)
        if tally.fault_count:
            raise ImportRefused(tally.faults, tally.fault_count)
        deeds = judge.write(verdicts, run, now)
        log(order.scope.vault, order.who, deeds, f"import {run.pk}")
        progress(tally.rows)
    if not tally.rows:
        raise refuse(1, FILE, "empty_file")
    if run.kind == ImportRun.Kind.LIFE:
        raise_urgent()
    _set_counts(run, tally)
    run.save()
    if judge.touched:
        rosters.send_anew(rosters.serving(judge.touched))


def note_refusal(run: ImportRun, refused: ImportRefused) -> None:
    """Keep why a file could not be taken in; it has to come anew."""
    waits = ImportRun.objects.filter(pk=run.pk, state=ImportRun.State.LOOKED_AT)
    told = [[fault.line, fault.column, fault.word] for fault in refused.faults]
    waits.update(faults=refused.count, errors=told, content_sealed=b"")


def drop(run: ImportRun, vault: Vault, who: str) -> bool:
    """Let a file go that waits for its decision. False if it no longer does."""
    waits = ImportRun.objects.filter(pk=run.pk, state=ImportRun.State.LOOKED_AT)
    with transaction.atomic():
        dropped = waits.update(state=ImportRun.State.DROPPED, content_sealed=b"")
        if dropped:
            _audit(vault, who, "import.drop", run)
    return bool(dropped)


def drop_old(now: datetime) -> int:
    """Let files go that nobody has decided on for long."""
    old = ImportRun.objects.filter(state=ImportRun.State.LOOKED_AT, at__lt=now - KEPT)
    dropped: int = old.update(state=ImportRun.State.DROPPED, content_sealed=b"")
    return dropped


def sample(order: Order, count: int) -> list[Verdict]:
    """What becomes of the first lines."""
    return _judge(order).judge(list(islice(_records(order), count)))


def missing_people(order: Order) -> Iterator[Person]:
    """People of the region that a whole roster does not name."""
    roster = People(order.scope)
    for batch in _batches(order):
        roster.judge(batch)
    here = Person.objects.filter(order.scope.region.within("region_id")).select_related("region")
    for person in here.order_by("region_id", "name", "person_id").iterator(BATCH):
        if not roster.has_seen(person.number_key):
            yield person


def _judge(order: Order) -> Judge:
    match order.kind:
        case ImportRun.Kind.PEOPLE:
            return People(order.scope)
        case ImportRun.Kind.REGIONS:
            return Regions(order.scope)
    return Signals(order.scope, order.kind)


def _records(order: Order) -> Iterator[Record]:
    known = partial(headings.score, order.kind)
    return records(order.kind, tables.read(order.source, order.limits, known))


def _batches(order: Order) -> Iterator[list[Record]]:
    lines = _records(order)
    if order.kind == ImportRun.Kind.REGIONS:
        lines = iter(regions.in_order(lines))
    while batch := list(islice(lines, BATCH)):
        yield batch


def _set_counts(run: ImportRun, tally: Tally) -> None:
    run.rows = tally.rows
    run.added = tally.counts[What.ADDED]
    run.changed = tally.counts[What.CHANGED]
    run.unchanged = tally.counts[What.UNCHANGED]
    run.unknown = tally.counts[What.UNKNOWN]


def _missing(run: ImportRun) -> int:
    """People of the region that a whole roster does not name. They stay as they are."""
    here: int = Person.objects.filter(run.region.within("region_id")).count()
    return here - run.changed - run.unchanged


def _audit(vault: Vault, who: str, action: str, run: ImportRun, **more: Any) -> None:
    counts = {
        "rows": run.rows,
        "added": run.added,
        "changed": run.changed,
        "unknown": run.unknown,
        "faults": run.faults,
    } | more
    words = [run.kind, *(f"{name} {number}" for name, number in counts.items() if number)]
    audit.write(
        vault,
        who,
        action,
        ("import", str(run.pk)),
        reason=", ".join([*words, f"sha256 {run.sha256[:16]}"]),
        region_code=run.region_id,
    )


def log(vault: Vault, who: str, deeds: Iterable[Deed], why: str) -> None:
    """Each change of its own, and what it came of."""
    notes = [Note(who, deed.action, deed.target, why, deed.region_code) for deed in deeds]
    audit.write_all(vault, notes)


def audit_undo(vault: Vault, who: str, run: ImportRun, why: str) -> None:
    audit.write(
        vault,
        who,
        "import.undo",
        ("import", str(run.pk)),
        reason=f"added {run.added}, changed {run.changed}: {why}",
        region_code=run.region_id,
    )

"""Taking a file back as a whole: what it changed is as before, whom it added is gone.

All or nothing here too. Where something has come of it since, nothing is undone and a list says
where; what is wrong there is put right by importing a corrected file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from cloud_bridge.registry import rosters, standing
from cloud_bridge.registry.imports import people as roster
from cloud_bridge.registry.imports import runs
from cloud_bridge.registry.imports.judging import Deed
from cloud_bridge.registry.models import (
    Household,
    ImportChange,
    ImportRun,
    Person,
    Proof,
    Region,
    Task,
)
from cloud_bridge.registry.vault import Vault

SHOWN = 50
_CHUNK = 500

WORDS: Mapping[str, str] = {
    "certification": _("has been at a kiosk"),
    "rehearsal": _("has been at a kiosk"),
    "matter": _("has been at a kiosk"),
    "proof": _("has been certified since"),
    "lifesignal": _("another office has told of them since"),
    "deathreport": _("a death has been entered since"),
    "task": _("there is a task about them"),
    "recheck": _("there is a re-check about them"),
    "visitplan": _("stands in a plan of visits"),
    "importchange": _("a later import has changed them"),
    "person": _("people are registered there"),
    "region": _("regions below it came from another import"),
    "site": _("a kiosk's site lies there"),
    "account": _("an account belongs to it"),
    "region_gone": _("the region they lived in is gone"),
    "other": _("is in use since"),
}


@dataclass(frozen=True, slots=True)
class Blocker:
    """What cannot be undone: id of a person or region, and a word of `WORDS`."""

    object_id: str
    word: str


class UndoRefused(Exception):
    """Nothing was undone. `blockers` is empty if the import does not stand any more."""

    def __init__(self, blockers: Sequence[Blocker] = ()) -> None:
        super().__init__(f"{len(blockers)} people or regions are in use since")
        self.blockers = tuple(blockers)


def undo(run: ImportRun, vault: Vault, who: str, why: str, now: datetime) -> None:
    """Raises `UndoRefused`, and then nothing was changed."""
    with transaction.atomic():
        runs.alone()
        stands = ImportRun.objects.select_for_update().filter(
            pk=run.pk, state=ImportRun.State.APPLIED
        )
        if not stands:
            raise UndoRefused
        if blockers := list(islice(find_blockers(run), SHOWN)):
            raise UndoRefused(blockers)
        runs.log(vault, who, _take_back(run, who, now), f"import {run.pk} undone")
        run.state, run.undone_by, run.undone_at = ImportRun.State.UNDONE, who, now
        run.save(update_fields=["state", "undone_by", "undone_at"])
        runs.audit_undo(vault, who, run, why)


def find_blockers(run: ImportRun) -> Iterator[Blocker]:
    """What has come of an import; signals can always be taken back."""
    for chunk in _chunks(run.changes.filter(person__isnull=False).order_by("pk")):
        added = [change.person_id for change in chunk if change.before is None]
        yield from _referred(Person, added, set())
        yield from _changed_later(chunk, run)
        yield from _region_gone(chunk)
    places = run.changes.filter(region__isnull=False, before__isnull=True)
    codes = list(places.values_list("region_id", flat=True))
    yield from _referred(Region, codes, set(codes))


def _chunks(changes: Any) -> Iterator[list[ImportChange]]:
    lines = changes.iterator(_CHUNK)
    while chunk := list(islice(lines, _CHUNK)):
        yield chunk


def _referred(model: Any, ids: Sequence[str], own: set[str]) -> Iterator[Blocker]:
    """Which of these rows others hold on to, whatever table those are in."""
    if not ids:
        return
    for relation in model._meta.get_fields(include_hidden=True):
        if not relation.auto_created or relation.concrete or relation.many_to_many:
            continue
        field, table = relation.field.name, relation.related_model
        rows = table._base_manager.filter(**{f"{field}__in": ids})
        if table is ImportChange:
            continue  # see `_changed_later`
        if table is Region:
            rows = rows.exclude(pk__in=own)
        word = table._meta.model_name.partition("_")[0]
        for object_id in rows.values_list(field, flat=True).distinct():
            yield Blocker(str(object_id), word if word in WORDS else "other")


def _changed_later(chunk: Sequence[ImportChange], run: ImportRun) -> Iterator[Blocker]:
    later = ImportChange.objects.filter(
        person__in=[change.person_id for change in chunk],
        run__state=ImportRun.State.APPLIED,
        run__applied_at__gte=run.applied_at,
    ).exclude(run=run)
    for person_id in later.values_list("person_id", flat=True).distinct():
        yield Blocker(person_id, "importchange")


def _region_gone(chunk: Sequence[ImportChange]) -> Iterator[Blocker]:
    codes = {c.before["region_code"]: c for c in chunk if "region_code" in (c.before or {})}
    there = set(Region.objects.filter(pk__in=list(codes)).values_list("pk", flat=True))
    for code in set(codes) - there:
        yield Blocker(codes[code].person_id, "region_gone")


def _take_back(run: ImportRun, who: str, now: datetime) -> list[Deed]:
    """Everything that was done; kiosks are told."""
    touched: set[str] = set()
    if run.kind in _SIGNALS:
        deeds = _signals_back(run, who, now)
    else:
        deeds = _people_back(run, touched) + _regions_back(run)
    touched |= {deed.region_code for deed in deeds}
    rosters.send_anew(rosters.serving(touched))
    return deeds


_SIGNALS = (ImportRun.Kind.LIFE, ImportRun.Kind.DEATH)


def _people_back(run: ImportRun, touched: set[str]) -> list[Deed]:
    """Adds to `touched` where people were until now."""
    deeds: list[Deed] = []
    homes: set[int] = set()
    for chunk in _chunks(run.changes.filter(person__isnull=False).select_related("person")):
        touched |= {change.person.region_id for change in chunk}
        homes |= {change.person.household_id for change in chunk if change.person.household_id}
        changed = [change for change in chunk if change.before is not None]
        _restore(changed)
        touched |= {change.before.get("region_code", "") for change in changed} - {""}
        added = [change.person for change in chunk if change.before is None]
        deeds += [_deed("person.change", change.person) for change in changed]
        deeds += [_deed("person.remove", person) for person in added]
        Person.objects.filter(pk__in=[person.pk for person in added]).delete()
    _drop_empty(homes)
    return deeds


def _deed(action: str, person: Person) -> Deed:
    return roster.deed(action, person.pk, person.region_id)


def _restore(changes: Sequence[ImportChange]) -> None:
    numbers = {change.before.get("household", "") for change in changes} - {""}
    homes = roster.make_households(numbers)
    roster.update([_as_before(change.person, change.before, homes) for change in changes])
    moved = {c.person_id: c.before["region_code"] for c in changes if "region_code" in c.before}
    roster.take_work_along(moved)


def _as_before(person: Person, before: dict[str, Any], homes: Mapping[str, int]) -> tuple[Any, ...]:
    home = homes.get(before["household"]) if "household" in before else person.household_id
    return (
        before.get("name", person.name),
        before.get("category", person.category),
        before.get("covered", person.covered),
        before.get("region_code", person.region_id),
        home,
        person.pk,
    )


def _drop_empty(homes: Iterable[int]) -> None:
    ids = sorted(homes)
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        Household.objects.filter(pk__in=chunk, members=None).delete()


def _regions_back(run: ImportRun) -> list[Deed]:
    places = run.changes.filter(region__isnull=False)
    renamed = list(places.filter(before__isnull=False))
    for change in renamed:
        Region.objects.filter(pk=change.region_id).update(**change.before)
    gone = list(places.filter(before__isnull=True).values_list("region_id", flat=True))
    for level in reversed(Region.Level.values):
        Region.objects.filter(pk__in=gone, level=level).delete()
    deeds = [Deed("region.set", ("region", row.region_id), row.region_id) for row in renamed]
    return deeds + [Deed("region.remove", ("region", code), code) for code in gone]


def _signals_back(run: ImportRun, who: str, now: datetime) -> list[Deed]:
    """Its proofs count no more, and nobody has to look at what it told."""
    why = f"import {run.pk} undone"
    standing.void(Proof.objects.filter(signal__run=run), who, why, now)
    Task.objects.filter(signal__run=run, state=Task.State.OPEN).update(
        state=Task.State.DONE, done_by=who, done_at=now, note=why
    )
    people = Person.objects.filter(signals__run=run).only("region_id").distinct()
    return [_deed("signal.void", person) for person in people.iterator(_CHUNK)]

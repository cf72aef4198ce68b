"""认证 by staff: what was seen on a visit or call, and kiosk records that staff have looked into.

Nothing here can be saved without a day, a place, whoever did it and something that shows it.
Each entry is one of those that are drawn for a second look (`registry.draws`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import transaction

from cloud_bridge.registry import audit, cycles, doubts, draws, evidence, rosters, standing, work
from cloud_bridge.registry.evidence import Sheet
from cloud_bridge.registry.models import Account, Certification, Person, Proof, Role, Task
from cloud_bridge.registry.vault import Vault
from edge.domain.record import Outcome
from edge.domain.timebase import CHINA

METHODS: tuple[str, ...] = tuple(map(str, (Proof.Method.VISIT, Proof.Method.VIDEO)))
MIN_PLACE, MAX_PLACE = 2, 120
MIN_EXEMPTION, MAX_EXEMPTION = 10, 200
ACCEPTABLE = frozenset(
    {doubts.OTHER_REGION, doubts.OTHER_NAME, doubts.REGISTERED_DEAD, doubts.WITNESS}
)
"""Doubts that a look at the person's papers can settle; what a re-check found fault with, none."""


class EntryRefused(Exception):
    """Not to be saved; `word` is one of the console's labels."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


@dataclass(frozen=True, slots=True)
class Entry:
    """What a member of staff says of a visit or call."""

    method: str
    on: date
    place: str = field(repr=False)
    note: str = field(repr=False, default="")
    exemption: str = field(repr=False, default="")
    sheets: Sequence[Sheet] = field(repr=False, default=())


@transaction.atomic
def certify(person: Person, entry: Entry, vault: Vault, account: Account, now: datetime) -> Proof:
    """Raises `EntryRefused`."""
    held = Person.objects.select_for_update().get(pk=person.pk)
    if word := _objection(held, entry, account, now):
        raise EntryRefused(word)
    proof = Proof(
        person=held,
        method=entry.method,
        on=entry.on,
        at=now,
        by=account.username,
        place=entry.place.strip(),
        exemption="" if entry.sheets else entry.exemption.strip(),
        note=entry.note.strip(),
    )
    standing.prove([proof])
    kept = evidence.keep(proof, entry.sheets, vault, now)
    _follow_up(proof, vault, account, now, f"evidence {len(kept)}")
    return proof


def _objection(person: Person, entry: Entry, account: Account, now: datetime) -> str:
    """The first thing that stands against an entry, or nothing."""
    today = now.astimezone(CHINA).date()
    twice = Proof.objects.filter(
        person=person, method=entry.method, on=entry.on, by=account.username, voided_at=None
    )
    found = {
        "other_region": not account.region.covers(person.region_id),
        "registered_dead": person.dead_since is not None,
        "method": entry.method not in METHODS,
        "future": entry.on > today,
        "too_early": entry.on < first_day(person, today),
        "place": not MIN_PLACE <= len(entry.place.strip()) <= MAX_PLACE,
        "no_evidence": not entry.sheets and len(entry.exemption.strip()) < MIN_EXEMPTION,
        "too_many": len(entry.sheets) > evidence.MAX_FILES,
        "twice": twice.exists(),
    }
    return next((word for word, applies in found.items() if applies), "")


def first_day(person: Person, today: date) -> date:
    """The earliest day that may still be entered."""
    earliest = cycles.earliest_entry(person.rule, today)
    return max(earliest, person.birth) if person.birth else earliest


def _follow_up(proof: Proof, vault: Vault, account: Account, now: datetime, more: str) -> None:
    draws.draw(proof, account, now)
    rosters.mark_stale(rosters.serving([proof.person.region_id]))
    reason = f"proof {proof.pk} {proof.method} {proof.on.isoformat()} {more}"
    _audit(proof, "proof.enter", vault, account, reason)


# --- taking back


def may_take_back(proof: Proof, account: Account) -> bool:
    """Whoever entered it, and whoever answers for them."""
    above = account.role in (Role.SUPERVISOR, Role.COUNTY)
    own = proof.by == account.username
    return proof.voided_at is None and (own or above)


@transaction.atomic
def take_back(proof: Proof, reason: str, vault: Vault, account: Account, now: datetime) -> bool:
    """False if it counted no more already, or is not theirs to take back."""
    here = account.region.covers(proof.person.region_id)
    if not (here and may_take_back(proof, account)):
        return False
    mine = Proof.objects.filter(pk=proof.pk)
    if not standing.void(mine, account.username, reason, now):
        return False
    rosters.mark_stale(rosters.serving([proof.person.region_id]))
    _audit(proof, "proof.void", vault, account, f"proof {proof.pk} {reason}")
    return True


# --- kiosk records that were in doubt


def may_accept(record: Certification) -> bool:
    """Whether it was passed, is in doubt, and staff may settle that by looking.

    A record that was not passed proves nothing whoever looks at it: that takes a visit. One whose
    proof was voided is not proven again, and nobody is certified while registered as dead.
    """
    person, found = record.person, set(record.doubts)
    return bool(
        record.outcome == Outcome.PASSED.value
        and person is not None
        and person.dead_since is None
        and found
        and found <= ACCEPTABLE
        and not Proof.objects.filter(record=record).exists()
    )


@transaction.atomic
def accept(task: Task, note: str, vault: Vault, account: Account, now: datetime) -> Proof | None:
    """The record of a task counts from now on, on one person's word; the task is closed by it."""
    if task.record_id is None or not account.region.covers(task.region_id):
        return None
    record = Certification.objects.select_for_update().get(pk=task.record_id)
    # A death that is just being approved is waited for, and then seen.
    record.person = Person.objects.select_for_update().filter(pk=record.person_id).first()
    if not may_accept(record) or not account.region.covers(record.person.region_id):
        return None
    proof = Proof(
        person=record.person,
        method=Proof.Method.MANUAL,
        on=record.certified_on,
        at=now,
        by=account.username,
        record=record,
        note=note[:200],
    )
    if not work.close(task, account, note, now):
        return None
    standing.prove([proof])
    _follow_up(proof, vault, account, now, f"record {record.pk}")
    return proof


def _audit(proof: Proof, action: str, vault: Vault, account: Account, reason: str) -> None:
    target = ("person", proof.person_id)
    place = proof.person.region_id
    audit.write(vault, account.username, action, target, reason=reason, region_code=place)


def entries_of(account: Account) -> Any:
    """What somebody entered, newest first."""
    return Proof.objects.filter(by=account.username).order_by("-pk")

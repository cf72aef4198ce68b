"""What rests on one member of staff is looked at again by somebody else.

Of witnesses at kiosks every record and every enrolment, of entries those that were drawn
(`registry.draws`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from cloud_bridge.registry import audit, doubts, rosters, standing, templates
from cloud_bridge.registry.models import (
    Account,
    Certification,
    FiledRecord,
    HeldTemplate,
    Proof,
    Recheck,
    Task,
    TemplateEvent,
)
from cloud_bridge.registry.vault import Vault


class OwnWork(Exception):
    """Nobody looks again at what they entered themselves."""


def of_record(row: FiledRecord, now: datetime) -> None:
    """A record that is just being filed, and rests on a witness."""
    live = isinstance(row, Certification)
    _queue(Recheck.Kind.WITNESS, row, row.witness, row.assisted_reason, not live, now)


def of_enrolment(event: TemplateEvent, now: datetime) -> None:
    _queue(Recheck.Kind.ENROLMENT, event, event.badge, "", event.simulated, now)
    if not templates.is_well_vouched(event):
        _take_back_resting_on(event, doubts.WITNESS, now)


def _queue(kind: Any, row: Any, badge: str, reason: str, simulated: bool, now: datetime) -> None:
    place = row.person or row.device.site
    Recheck.objects.create(
        kind=kind,
        record_id=row.record_id,
        simulated=simulated,
        person=row.person,
        device=row.device,
        badge=badge,
        reason=reason,
        region_id=place.region_id,
        created_at=now,
    )


def seen_by(account: Account) -> Any:
    """Open ones first, the oldest of them first."""
    rows = Recheck.objects.filter(account.region.within("region_id"))
    rows = rows.select_related("person", "device__site", "proof")
    return rows.order_by("finding", "created_at")


@transaction.atomic
def close(
    row: Recheck, finding: str, note: str, vault: Vault, account: Account, now: datetime
) -> bool:
    """False if somebody else was first. What is not in order counts no more, and the template
    goes. Raises `OwnWork`."""
    if is_own(row, account):
        raise OwnWork
    open_ones = Recheck.objects.filter(pk=row.pk, finding=Recheck.Finding.OPEN)
    who = account.username
    if not open_ones.update(finding=finding, note=note[:200], checked_by=who, checked_at=now):
        return False
    if finding == str(Recheck.Finding.NOT_IN_ORDER):
        _undo(row, note, account, now)
    target = ("recheck", str(row.pk))
    action = f"recheck.{finding}"
    audit.write(vault, who, action, target, reason=note, region_code=row.region_id)
    if row.person_id:
        target = ("person", row.person_id)
        audit.write(vault, who, action, target, reason=note, region_code=row.region_id)
    return True


def is_own(row: Recheck, account: Account) -> bool:
    return row.proof is not None and row.proof.by == account.username


def _undo(row: Recheck, note: str, account: Account, now: datetime) -> None:
    if row.proof is not None:
        _void_entry(row.proof, note, account, now)
        return
    if row.kind == Recheck.Kind.ENROLMENT:
        for held in HeldTemplate.objects.filter(device=row.device, person=row.person, gone_at=None):
            templates.order(held, now)
        made = TemplateEvent.objects.get(pk=row.record_id)
        _take_back_resting_on(made, doubts.NOT_IN_ORDER, now)
        return
    record = Certification.objects.filter(pk=row.record_id).first()
    if record is not None:
        _take_back(record, doubts.NOT_IN_ORDER, row.region_id, now)


def _void_entry(proof: Proof, note: str, account: Account, now: datetime) -> None:
    """The person is to be visited anew, by whom the supervisor sends."""
    standing.void(Proof.objects.filter(pk=proof.pk), account.username, note, now)
    region_id = proof.person.region_id
    Task.objects.get_or_create(
        proof=proof,
        defaults={
            "kind": Task.Kind.VERIFY,
            "person": proof.person,
            "region_id": region_id,
            "created_at": now,
        },
    )
    rosters.mark_stale(rosters.serving([region_id]))


def _take_back_resting_on(made: TemplateEvent, doubt: str, now: datetime) -> None:
    """What was certified by comparing with this template, before anybody found fault with it."""
    if made.person is None:
        return
    by_template = Q(device=made.device, person=made.person, liveness__reference="template")
    for record in Certification.objects.filter(
        by_template, proof__isnull=False, proof__voided_at=None
    ):
        if templates.enrolment_of(record) == made:
            _take_back(record, doubt, made.person.region_id, now)


def _take_back(record: Certification, doubt: str, region_id: str, now: datetime) -> None:
    """The kiosks must not go on telling the person that they need not come."""
    record.doubts = [*record.doubts, doubt]
    record.save(update_fields=["doubts"])
    standing.void(Proof.objects.filter(record=record), audit.SYSTEM, doubt, now)
    if not Task.objects.filter(record=record).exists():
        doubts.task_of(record, Task.Kind.VERIFY, region_id, now).save()
    rosters.mark_stale(rosters.serving([region_id]))

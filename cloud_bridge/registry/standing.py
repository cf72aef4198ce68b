"""Who is 已认证: proofs are added and voided here and nowhere else.

`Person.last_pass_on` repeats what the proofs say, so that a list of a million people can be
asked for it; whoever changes a proof through this module keeps it true.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max, OuterRef, Subquery

from cloud_bridge.registry.models import Certification, Person, Proof


def by_kiosk(record: Certification) -> Proof:
    """What a record that certifies its person by itself amounts to; not saved yet."""
    return Proof(
        person=record.person,
        method=Proof.Method.KIOSK,
        on=record.certified_on,
        at=record.filed_at,
        record=record,
    )


@transaction.atomic
def prove(proofs: Sequence[Proof]) -> None:
    """Save new proofs. A record whose proof was voided before is not proven again."""
    Proof.objects.bulk_create(proofs)
    refresh(proof.person_id for proof in proofs)


@transaction.atomic
def void(proofs: Any, who: str, why: str, now: datetime) -> int:
    """Void those of a queryset that still count; returns how many."""
    rows = proofs.filter(voided_at=None)
    people = set(rows.values_list("person_id", flat=True))
    count: int = rows.update(voided_at=now, voided_by=who, void_reason=why[:200])
    refresh(people)
    return count


def refresh(person_ids: Iterable[str]) -> None:
    """Write anew what the proofs of these people say."""
    ids = set(person_ids)
    if not ids:
        return
    counting = Proof.objects.filter(person=OuterRef("pk"), voided_at=None).order_by()
    latest = counting.values("person").annotate(day=Max("on")).values("day")
    Person.objects.filter(pk__in=ids).update(last_pass_on=Subquery(latest))

"""Who is 已认证: proofs are added and voided here and nowhere else.

`Person.last_pass_on` repeats what the proofs say, so that a list of a million people can be
asked for it; whoever changes a proof through this module keeps it true.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max, OuterRef, Subquery
from django.utils import timezone

from cloud_bridge.registry import events, overdue
from cloud_bridge.registry import rows as fast
from cloud_bridge.registry.events import Event, News
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
    """Save new proofs. A record whose proof was voided before is not proven again.

    The keys of many at once stay unknown, unless there is somebody to be told them.
    """
    if not proofs:
        return
    if len(proofs) == 1 or events.somebody_listens():
        Proof.objects.bulk_create(proofs)
    else:
        fast.insert(proofs)
    refresh(proof.person_id for proof in proofs)
    events.tell(_news(Event.CERTIFIED, proofs), timezone.now())


@transaction.atomic
def void(proofs: Any, who: str, why: str, now: datetime) -> int:
    """Void those of a queryset that still count; returns how many."""
    rows = proofs.filter(voided_at=None)
    found = list(rows)
    count: int = rows.update(voided_at=now, voided_by=who, void_reason=why[:200])
    refresh(proof.person_id for proof in found)
    events.tell(_news(Event.VOIDED, found), now)
    return count


def refresh(person_ids: Iterable[str]) -> None:
    """Write anew what the proofs of these people say; who has come is overdue no more."""
    ids = set(person_ids)
    if not ids:
        return
    # One after the other, always in the same order: what somebody else proves or voids of the
    # same people at this moment is waited for, and then seen.
    people = Person.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    list(people.values_list("pk"))
    counting = Proof.objects.filter(person=OuterRef("pk"), voided_at=None).order_by()
    latest = counting.values("person").annotate(day=Max("on")).values("day")
    Person.objects.filter(pk__in=ids).update(last_pass_on=Subquery(latest))
    overdue.settle(ids, timezone.now())


def _news(event: Event, proofs: Sequence[Proof]) -> Iterator[News]:
    ids = {proof.person_id for proof in proofs}
    people = Person.objects.only("region_id").in_bulk(list(ids))
    for proof in proofs:
        facts = {"proof": proof.pk, "method": str(proof.method), "on": proof.on.isoformat()}
        yield News(event, proof.person_id, people[proof.person_id].region_id, facts)

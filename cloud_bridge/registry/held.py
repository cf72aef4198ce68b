"""What the registry keeps of a person, as far as that person may see it at a kiosk.

Masked, and without what is for staff alone: doubts, tasks, who looked. Who wants everything
comes to the counter.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from cloud_bridge.registry import cycles, queries
from cloud_bridge.registry.models import Certification, Person, Proof
from edge.domain.matters import Held, HeldProof
from edge.domain.people import mask_name
from edge.domain.record import Outcome
from edge.wire.questions import MAX_PROOFS

SHOWN = ("passed", "needs_review")
"""A face declined and a call for staff are no certifications."""
LEVELS_SHOWN = 2
PLACE_SHOWN = 30


def held_of(person: Person, today: date) -> Held:
    last = person.last_pass_on
    done = cycles.need_not_come(person.rule, last, today)
    return Held(
        masked_name=mask_name(person.name),
        category=person.category,
        region=_place(person.region_id),
        due_by=person.due_by(today),
        certified_on=last if done else None,
        proofs=_proofs(person),
    )


def _proofs(person: Person) -> tuple[HeldProof, ...]:
    """Newest first: what was filed at kiosks, and what makes them certified without one."""
    dated = [*_at_kiosks(person), *_elsewhere(person)]
    dated.sort(key=lambda pair: pair[0], reverse=True)
    return tuple(proof for _, proof in dated[:MAX_PROOFS])


def _at_kiosks(person: Person) -> Iterator[tuple[tuple[date, datetime], HeldProof]]:
    rows = Certification.objects.filter(person=person, outcome__in=SHOWN)
    rows = rows.select_related("proof").defer("envelope")
    for row in rows.order_by("-certified_on", "-finished_at")[:MAX_PROOFS]:
        confirmed = row.counts and row.proof.method == Proof.Method.MANUAL
        shown = HeldProof(
            day=row.certified_on,
            method=str(Proof.Method.MANUAL) if confirmed else row.method,
            place=row.site_name,
            result=row.outcome,
            counts=row.counts,
            receipt_no=row.receipt_no,
        )
        yield (row.certified_on, row.finished_at), shown


def _elsewhere(person: Person) -> Iterator[tuple[tuple[date, datetime], HeldProof]]:
    """Visits, calls and other offices' data; what was taken back is no certification."""
    rows = Proof.objects.filter(person=person, record=None, voided_at=None)
    for row in rows.select_related("signal").order_by("-on", "-at")[:MAX_PROOFS]:
        place = row.signal.source if row.signal else row.place
        shown = HeldProof(
            day=row.on,
            method=row.method,
            place=place[:PLACE_SHOWN],
            result=Outcome.PASSED.value,
            counts=True,
        )
        yield (row.on, row.at), shown


def _place(code: str) -> str:
    """The last names of the line, which say where without filling the screen."""
    names = queries.region_names([code])[code]
    return " ".join(names[level] for level in sorted(names)[-LEVELS_SHOWN:])

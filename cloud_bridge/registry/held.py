"""What the registry keeps of a person, as far as that person may see it at a kiosk.

Masked, and without what is for staff alone: doubts, tasks, who looked. Who wants everything
comes to the counter.
"""

from __future__ import annotations

from datetime import date

from cloud_bridge.registry import cycles, queries
from cloud_bridge.registry.models import Certification, Person
from edge.domain.matters import Held, HeldProof
from edge.domain.people import mask_name
from edge.wire.questions import MAX_PROOFS

SHOWN = ("passed", "needs_review")
"""A face declined and a call for staff are no certifications."""
LEVELS_SHOWN = 2


def held_of(person: Person, today: date) -> Held:
    last = person.last_pass_on
    done = cycles.need_not_come(person.rule, last, today)
    return Held(
        masked_name=mask_name(person.name),
        category=person.category,
        region=_place(person.region_id),
        due_by=person.due_by(today),
        certified_on=last if done else None,
        proofs=tuple(_proof(row) for row in _rows(person)),
    )


def _rows(person: Person) -> list[Certification]:
    rows = Certification.objects.filter(person=person, outcome__in=SHOWN)
    rows = rows.select_related("proof").defer("envelope")
    return list(rows.order_by("-certified_on", "-finished_at")[:MAX_PROOFS])


def _proof(row: Certification) -> HeldProof:
    return HeldProof(
        day=row.certified_on,
        method=row.method,
        place=row.site_name,
        result=row.outcome,
        counts=row.counts,
        receipt_no=row.receipt_no,
    )


def _place(code: str) -> str:
    """The last names of the line, which say where without filling the screen."""
    names = queries.region_names([code])[code]
    return " ".join(names[level] for level in sorted(names)[-LEVELS_SHOWN:])

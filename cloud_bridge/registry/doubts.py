"""Why a passed record does not certify its person by itself, and what happens then.

Any kiosk of the fleet may be used by anybody, so nothing here refuses a record:
it is filed as what it is, and a member of staff looks before it counts.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cloud_bridge.registry import badges, cycles, standing, templates
from cloud_bridge.registry.models import (
    Certification,
    Person,
    Recheck,
    Site,
    Task,
    TemplateEvent,
)
from edge.domain.timebase import CHINA

OTHER_REGION = "other_region"
OTHER_NAME = "other_name"
REGISTERED_DEAD = "registered_dead"
WITNESS = "witness"
NOT_IN_ORDER = "not_in_order"

_DOTS = frozenset("·•・･‧∙⋅．.᛫●")
"""What stands between the parts of a name on cards, in files and on keyboards."""

_TASKS: Mapping[str, Any] = {
    "needs_review": Task.Kind.REVIEW,
    "declined": Task.Kind.DECLINED,
    "called": Task.Kind.CALL,
}


def judge(row: Certification, person: Person, site: Site) -> bool:
    """Set `person` and `doubts` of a record; the caller saves it. Whether it certifies them."""
    row.person = person
    made = templates.enrolment_of(row)
    found = {
        OTHER_REGION: not site.region.covers(person.region_id),
        OTHER_NAME: bare(row.subject_name) != bare(person.name),
        REGISTERED_DEAD: person.dead_since is not None,
        WITNESS: not _well_vouched(row, made, site),
        NOT_IN_ORDER: _fault_found(row, made),
    }
    row.doubts = [word for word, applies in found.items() if applies]
    return bool(row.outcome == "passed" and not row.doubts)


def _well_vouched(row: Certification, made: TemplateEvent | None, site: Site) -> bool:
    """Whether every badge that it rests on could vouch there and then.

    A kiosk's clock that nobody believes does not tell when that was; filing does.
    """
    at = row.filed_at if row.clock_unsure else row.finished_at
    own = not row.witness or badges.may_witness(row.witness, site.region_id, at)
    return own and (made is None or templates.is_well_vouched(made))


def _fault_found(row: Certification, made: TemplateEvent | None) -> bool:
    """Whether the second look at it, or at the template it rests on, found fault already."""
    rests_on = [row.record_id] if row.witness else []
    rests_on += [made.record_id] if made else []
    if not rests_on:
        return False
    bad = Recheck.objects.filter(record_id__in=rests_on, finding=Recheck.Finding.NOT_IN_ORDER)
    return bool(bad.exists())


def task_kind(row: Certification) -> Any:
    """Kind of the task that a record brings with it, or None."""
    if row.person is not None and row.person.dead_since is not None:
        return Task.Kind.ALIVE
    kind = _TASKS.get(row.outcome)
    if kind or row.person is None:
        return kind
    if row.doubts:
        return Task.Kind.VERIFY
    kiosks_day = row.finished_at.astimezone(CHINA).date()
    harmless = cycles.same_cycle(row.person.rule, kiosks_day, row.certified_on)
    return None if harmless else Task.Kind.CLOCK


def task_of(row: Certification, kind: Any, region_id: str, now: datetime) -> Task:
    return Task(
        kind=kind,
        low=kind is Task.Kind.CLOCK,
        urgent=kind is Task.Kind.ALIVE,
        person=row.person,
        record=row,
        region_id=region_id,
        created_at=now,
    )


def link_earlier(person: Person, now: datetime) -> None:
    """Give a new person the records that came before them, and staff what has to be looked at."""
    rows = Certification.objects.filter(person=None, subject_key=person.number_key)
    for row in rows.select_related("device__site__region"):
        counts = judge(row, person, row.device.site)
        row.save(update_fields=["person", "doubts"])
        if counts:
            standing.prove([standing.by_kiosk(row)])
        Task.objects.filter(record=row).update(person=person, region_id=person.region_id)
        kind = task_kind(row)
        if kind and not Task.objects.filter(record=row).exists():
            task_of(row, kind, person.region_id, now).save()


def bare(name: str) -> str:
    """A name without blanks and dots; everything else has to be the same character."""
    text = unicodedata.normalize("NFC", name)
    return "".join(c for c in text if not c.isspace() and c not in _DOTS)

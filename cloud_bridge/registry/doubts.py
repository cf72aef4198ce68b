"""Why a passed record does not certify its person by itself, and what happens then.

Any kiosk of the fleet may be used by anybody, so nothing here refuses a record:
it is filed as what it is, and a member of staff looks before it counts.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime

from cloud_bridge.registry.models import Certification, Person, Site, Task

OTHER_REGION = "other_region"
OTHER_NAME = "other_name"

_DOTS = frozenset("·•・･‧∙⋅．.᛫●")
"""What stands between the parts of a name on cards, in files and on keyboards."""


def judge(row: Certification, person: Person, site: Site) -> None:
    """Set `person`, `doubts` and `counts` of a record; the caller saves it."""
    row.person = person
    found = {
        OTHER_REGION: not site.region.covers(person.region_id),
        OTHER_NAME: _bare(row.subject_name) != _bare(person.name),
    }
    row.doubts = [word for word, applies in found.items() if applies]
    row.counts = row.outcome == "passed" and not row.doubts


def link_earlier(person: Person, now: datetime) -> None:
    """Give a new person the records that came before them, and staff what has to be looked at."""
    rows = Certification.objects.filter(person=None, subject_key=person.number_key)
    for row in rows.select_related("device__site__region"):
        judge(row, person, row.device.site)
        row.save(update_fields=["person", "doubts", "counts"])
        Task.objects.filter(record=row).update(person=person, region_id=person.region_id)
        if row.outcome == "passed" and row.doubts:
            Task.objects.create(
                kind=Task.Kind.VERIFY,
                person=person,
                record=row,
                region_id=person.region_id,
                created_at=now,
            )


def _bare(name: str) -> str:
    """A name without blanks and dots; everything else has to be the same character."""
    text = unicodedata.normalize("NFC", name)
    return "".join(c for c in text if not c.isspace() and c not in _DOTS)

"""Face templates: what may happen to one, and what is written down of it. The face is not here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import Enum

from edge.domain.people import PersonId
from edge.domain.record import Consent, Provenance, RecordId
from edge.domain.timebase import Stamp

KEPT_AFTER = timedelta(days=30)
"""A template is of use until the next time somebody has to come, and this much longer."""


class TemplateChange(Enum):
    """What became of a template at a kiosk."""

    ENROLLED = "enrolled"
    WITHDRAWN = "withdrawn"  # by the person: every kiosk is to delete theirs
    DELETED = "deleted"  # on the registry's order, or because it could not be kept


@dataclass(frozen=True, slots=True)
class TemplateEvent:
    """One change, with a place in the kiosk's chain like a record's.

    `badge` is the witness of an enrolment, or the member of staff a withdrawal was made with;
    empty when the person did it alone. `consent` is what was agreed to, or taken back. An
    enrolment says until when the template may be kept, and whether the card's photo was alike.
    """

    event_id: RecordId
    kiosk_id: str
    change: TemplateChange
    person_id: PersonId = field(repr=False)
    at: Stamp
    provenance: Provenance
    software: str
    badge: str = field(repr=False, default="")
    consent: Consent | None = None
    expires: date | None = None
    card_alike: bool | None = None

"""What people say of the service: without a name, a number or a face. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from edge.domain.record import Provenance, RecordId
from edge.domain.timebase import Stamp

QUESTIONS = ("easy", "time", "words")
"""The questionnaire, by the names its sentences have in the catalogues."""


class Rating(Enum):
    """Three steps; a face says them as well as the word."""

    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"


class Grievance(Enum):
    """What a complaint is about."""

    WAITING = "waiting"
    DEVICE = "device"
    STAFF = "staff"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Opinion:
    """A questionnaire (`ratings`, one for each question) or a complaint (`grievance`).

    `number`: who wants to be called back shows it, or says it on the help line; it is the only
    thread that leads back to anybody, and only they hold it.
    """

    opinion_id: RecordId
    kiosk_id: str
    ratings: tuple[Rating, ...]
    grievance: Grievance | None
    number: str
    at: Stamp
    provenance: Provenance
    software: str

"""The record that a person was alive, here, now, and agreed to being asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import NewType

from edge.domain.challenge import Action, Reason
from edge.domain.people import CardFlag, CardKind, PersonId
from edge.domain.timebase import Stamp

RecordId = NewType("RecordId", str)
"""UUIDv7 made once on the kiosk: the idempotency key from here to the console."""


class Outcome(Enum):
    """What a finished session ended in. An abandoned session leaves no record."""

    PASSED = "passed"
    NEEDS_REVIEW = "needs_review"
    DECLINED = "declined"


class Provenance(Enum):
    """LIVE only if every device is real; one simulated device makes it SIMULATED."""

    LIVE = "live"
    SIMULATED = "simulated"


class Reference(Enum):
    """What the live face was compared with."""

    CHIP = "chip"
    TEMPLATE = "template"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Score:
    """A number with the thing that made it.

    `value` and `threshold` lie in 0..1, higher means more alike or more alive;
    `model_sha256` names the file that produced it.
    """

    value: float
    threshold: float
    model_sha256: str

    @property
    def passed(self) -> bool:
        return self.value >= self.threshold


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the camera check found; explains itself without the frames it came from."""

    live: bool
    actions: tuple[Action, ...]
    liveness: Score | None
    likeness: Score | None
    reference: Reference
    reasons: tuple[Reason, ...]
    frames: int
    seconds: float

    @property
    def alike(self) -> bool:
        return self.likeness is not None and self.likeness.passed

    @property
    def passed(self) -> bool:
        return self.live and self.alike


@dataclass(frozen=True, slots=True)
class Consent:
    """Which text was agreed to or declined: version, language and hash of the exact words."""

    version: str
    language: str
    text_sha256: str
    agreed: bool


@dataclass(frozen=True, slots=True)
class Subject:
    """Who the record is about. Only ever leaves the process sealed to the registry."""

    name: str = field(repr=False)
    id_number: str = field(repr=False)
    card_kind: CardKind
    flags: tuple[CardFlag, ...] = ()


@dataclass(frozen=True, slots=True)
class ProofRecord:
    """One finished session, complete enough to be understood without the kiosk."""

    record_id: RecordId
    kiosk_id: str
    site: str
    subject: Subject
    person_id: PersonId | None = field(repr=False)
    outcome: Outcome
    reasons: tuple[Reason, ...]
    consent: Consent | None
    verdict: Verdict | None
    attempts: int
    receipt_no: str
    reader_id: str
    started: Stamp
    finished: Stamp
    provenance: Provenance
    software: str

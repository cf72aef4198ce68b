"""What residents do at a kiosk with the data kept of them. Pure words and shapes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import Enum

from edge.domain.record import Consent, Provenance, RecordId, Subject, Verdict
from edge.domain.timebase import Stamp


class MatterKind(Enum):
    """What is told to the registry, signed, whatever came of it."""

    ACCESS = "access"  # proved, or tried to prove, who they are, to see their own data
    CORRECTION = "correction"  # say that something kept of them is wrong


class About(Enum):
    """Which part of the data is said to be wrong; what is right, staff hear from the person."""

    NAME = "name"
    BIRTH = "birth"
    NUMBER = "number"
    PHONE = "phone"
    ADDRESS = "address"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Matter:
    """One such deed. `number` is what the person is given to ask with; empty if nothing is due.

    `badge`: of the member of staff who looked at person and card, where no camera did.
    """

    matter_id: RecordId
    kiosk_id: str
    subject: Subject
    kind: MatterKind
    about: About | None
    number: str
    consent: Consent | None
    verdict: Verdict | None
    at: Stamp
    provenance: Provenance
    software: str
    badge: str = field(repr=False, default="")

    @property
    def opens(self) -> bool:
        """Whether who it is was shown well enough to see what is kept of them. Where the camera
        looked, its word counts and not the badge."""
        return bool(self.badge) if self.verdict is None else self.verdict.passed


@dataclass(frozen=True, slots=True)
class HeldProof:
    """One record of the registry about this person; `result` as `edge.domain.record.Outcome`.

    `counts`: it certifies. A record that staff still have to look at does not.
    """

    day: date
    method: str
    place: str
    result: str
    counts: bool
    receipt_no: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """What the registry keeps of a person, as they may see it at a kiosk: masked, newest first."""

    masked_name: str = field(repr=False)
    category: str
    region: str = field(repr=False)
    due_by: date
    certified_on: date | None
    proofs: tuple[HeldProof, ...] = field(repr=False, default=())

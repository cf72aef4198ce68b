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
    CALLED = "called"  # asked for a person before anything was decided


class AssistReason(Enum):
    """Why a member of staff bore witness instead of the camera; chosen by the witness."""

    HOLD_STILL = "hold_still"  # cannot hold or turn the head
    BLIND = "blind"
    DEAF = "deaf"
    DECLINES = "declines"  # does not want a picture taken
    UNDECIDED = "undecided"  # the machine could not tell
    OTHER = "other"


class Provenance(Enum):
    """LIVE only if every device is real; one simulated device makes it SIMULATED."""

    LIVE = "live"
    SIMULATED = "simulated"


class NamedBy(Enum):
    """How it was told whom a record is about."""

    CARD = "card"
    TYPED = "typed"


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


class Layer(Enum):
    """What may look besides movements and depth, each behind its own switch."""

    SCREEN_LIGHT = "screen_light"
    PASSIVE = "passive"
    CAMERA_TRUTH = "camera_truth"


class LayerState(Enum):
    """What a layer says. None of them refuses anybody."""

    OFF = "off"
    ABSTAINED = "abstained"  # could not tell; counts as if the layer were not there
    CONSISTENT = "consistent"
    SUSPICIOUS = "suspicious"


@dataclass(frozen=True, slots=True)
class LayerResult:
    """One layer's word on one try; `score` in 0..1, higher is more alive, where there is one."""

    name: Layer
    state: LayerState
    score: float | None = None
    model_sha256: str | None = None

    @property
    def calls_for_a_person(self) -> bool:
        """The passive model alone never changes how a try ends: it is wrong too often."""
        return self.state is LayerState.SUSPICIOUS and self.name is not Layer.PASSIVE


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
    layers: tuple[LayerResult, ...] = ()
    card_photo: Score | None = None  # where a template stood in for an old photo

    @property
    def alike(self) -> bool:
        return self.likeness is not None and self.likeness.passed

    @property
    def doubted(self) -> bool:
        """A layer saw something that a member of staff should look at."""
        return any(layer.calls_for_a_person for layer in self.layers)

    @property
    def passed(self) -> bool:
        return self.live and self.alike and not self.doubted


@dataclass(frozen=True, slots=True)
class Consent:
    """Which text was agreed to or declined, and when.

    Version, language and hash of the exact words. `at`: RFC 3339 in UTC by the kiosk's
    clock, which is as sure as the record's own times; empty from a kiosk that did not say it.
    """

    version: str
    language: str
    text_sha256: str
    agreed: bool
    at: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """Who the record is about. Only ever leaves the process sealed to the registry."""

    name: str = field(repr=False)
    id_number: str = field(repr=False)
    card_kind: CardKind
    flags: tuple[CardFlag, ...] = ()


NOBODY = Subject("", "", CardKind.RESIDENT)
"""Somebody called a person before their card told who they are."""


@dataclass(frozen=True, slots=True)
class ProofRecord:
    """One finished session, complete enough to be understood without the kiosk.

    `helper` laid down their own card for the subject (帮亲友). `ticket` is the number a
    person in the hall calls them by, empty where nobody has to.
    """

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
    witness: str = field(repr=False, default="")  # badge of who vouched for the person
    assisted_reason: AssistReason | None = None
    helper: Subject | None = field(repr=False, default=None)
    named_by: NamedBy = NamedBy.CARD
    ticket: str = ""

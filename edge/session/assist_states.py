"""Where a session can be while a member of staff serves a resident at the kiosk.

A visit that staff serve says so itself (`Visit.witness`), so that reading the card, asking the
roster and watching the camera are the states that everybody goes through.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.domain.record import AssistReason, Verdict
from edge.domain.staff import StaffMember
from edge.domain.templates import TemplateEvent

if TYPE_CHECKING:
    from edge.session.states import Visit

REASONS = (
    (AssistReason.HOLD_STILL, AssistReason.BLIND),
    (AssistReason.DEAF, AssistReason.DECLINES),
    (AssistReason.UNDECIDED, AssistReason.OTHER),
)
"""Two at a time, so that the way to the next ones is the third choice."""


@dataclass(frozen=True, slots=True)
class AssistCard:
    """The resident's card is waited for. `failures` counts reads that went wrong."""

    staff: StaffMember
    failures: int = 0


@dataclass(frozen=True, slots=True)
class AssistConfirm:
    """Is the person who stands here the one on the card? Masked until touched."""

    visit: Visit
    revealed: bool = False


@dataclass(frozen=True, slots=True)
class AssistChoice:
    """Bear witness, enrol a template, or open what is kept of them."""

    visit: Visit


@dataclass(frozen=True, slots=True)
class AssistReasons:
    """Why the camera is not used; two reasons on a sheet."""

    visit: Visit
    sheet: int = 0


@dataclass(frozen=True, slots=True)
class Vouching:
    """The witness reads once more what goes under their badge."""

    visit: Visit
    reason: AssistReason


@dataclass(frozen=True, slots=True)
class EnrolConsenting:
    """The resident reads what a template is kept for; the camera is closed."""

    visit: Visit


@dataclass(frozen=True, slots=True)
class EnrolReviewing:
    """The picture is shown; no template is kept before 提交."""

    visit: Visit
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class EnrolFailed:
    """A try did not work out; when `exhausted` there is no other."""

    visit: Visit
    verdict: Verdict
    exhausted: bool


@dataclass(frozen=True, slots=True)
class Enrolling:
    """A template is on its way to the disk. `seen`: the check it was made in."""

    visit: Visit
    event: TemplateEvent
    seen: Verdict


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The template is kept. The visit may go on to a certification by witness."""

    visit: Visit
    event: TemplateEvent
    seen: Verdict


AssistState = (
    AssistCard
    | AssistConfirm
    | AssistChoice
    | AssistReasons
    | Vouching
    | EnrolConsenting
    | EnrolReviewing
    | EnrolFailed
    | Enrolling
    | Enrolled
)

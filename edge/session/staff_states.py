"""Where staff can be at a kiosk: signing in, or on one of the pages of service.

Nobody's personal data is here: a state holds devices, counts and versions, and of
staff the number of a badge, hidden from every `repr` like the PIN being typed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from edge.domain.errors import Fault
from edge.domain.findings import Finding, Status, of_state
from edge.domain.health import DeviceState
from edge.domain.staff import Refusal, StaffMember


class SignInStep(Enum):
    """What is being typed."""

    BADGE = "badge"
    PIN = "pin"


class ServicePage(Enum):
    """Pages of service; `MENU` leads to two, those to the others."""

    MENU = "menu"
    DEVICES = "devices"
    CHECK = "check"
    TESTS = "tests"
    CAMERA = "camera"
    SOUND = "sound"
    KIOSK = "kiosk"
    POWER = "power"
    CONFIRM = "confirm"
    GOING = "going"


class PowerWish(Enum):
    """What staff want of the whole machine."""

    OFF = "off"
    RESTART = "restart"


class SlipNews(Enum):
    """What the printer said of the test slip."""

    PRINTING = "printing"
    PRINTED = "printed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """How the kiosk stands just now. `link_seen` is RFC 3339 by its clock, empty if never."""

    devices: tuple[DeviceState, ...]
    link_up: bool
    link_seen: str
    waiting: int | None  # `None`: the database cannot be read
    held: int
    software: str
    models: tuple[tuple[str, str], ...]  # name and first digits of the hash


@dataclass(frozen=True, slots=True)
class StaffSignIn:
    """Badge, then PIN. A resident's card laid down here is read like on the first screen."""

    step: SignInStep = SignInStep.BADGE
    badge: str = field(repr=False, default="")
    typed: str = field(repr=False, default="")
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class StaffChecking:
    """The PIN is being looked at."""

    check_id: int
    badge: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Service:
    """Somebody is signed in. `order_id` tells the order whose answer is waited for."""

    staff: StaffMember
    page: ServicePage = ServicePage.MENU
    order_id: int = 0
    sheet: int = 0
    facts: ServiceFacts | None = None
    findings: tuple[Finding, ...] | None = None
    slip: SlipNews | None = None
    fault: Fault | None = None
    volume: int | None = None  # 0..100
    changed: bool = False  # the volume, since this page was opened
    wish: PowerWish = PowerWish.OFF


StaffState = StaffSignIn | StaffChecking | Service

ROWS = 3
"""So many parts fit on one sheet, each with what to do about it, without scrolling."""

_WORST_FIRST = (Status.FAILED, Status.WARNING, Status.NOT_TRIED, Status.OK)


def rows_of(state: Service) -> tuple[Finding, ...]:
    """All parts that the page is about, the worst first."""
    if state.page is ServicePage.CHECK:
        found = state.findings or ()
    else:
        found = tuple(of_state(device) for device in (state.facts.devices if state.facts else ()))
    return tuple(sorted(found, key=lambda finding: _WORST_FIRST.index(finding.status)))


def sheets(state: Service) -> int:
    return max(1, -(-len(rows_of(state)) // ROWS))

"""Where a session can be. A state holds what the screen needs and nothing else.

Personal data sit in `Visit` alone and are hidden from every `repr`; leaving
for `Home` drops the one reference to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from edge.domain.challenge import Action, WatchProgress
from edge.domain.codes import LetterService
from edge.domain.errors import Fault
from edge.domain.matters import Held
from edge.domain.people import CardFlag, CardIdentity, CardKey, RosterEntry
from edge.domain.record import Consent, NamedBy, ProofRecord, RecordId, Verdict
from edge.domain.staff import StaffMember
from edge.domain.timebase import MonoNs, Stamp
from edge.session.assist_states import AssistState
from edge.session.codes_states import CodeState, Scanning, ScanWay
from edge.session.helping_states import (
    AwaitingHelper,
    CheckingHelper,
    ConfirmingHelper,
    Helper,
    NamingTarget,
    TypingName,
    TypingNumber,
    WhoFor,
)
from edge.session.mine_states import (
    AskingMine,
    Complaint,
    Filing,
    Mine,
    Purpose,
    Said,
    Saying,
    Survey,
    Withdrawing,
)
from edge.session.pace_states import Pace
from edge.session.staff_states import Service, ServicePage, StaffChecking, StaffSignIn


class Language(Enum):
    """Languages of screen and voice."""

    ZH = "zh"
    EN = "en"


class Why(Enum):
    """Why a session goes no further here; each has plain words and a way on."""

    NOT_FOUND = "not_found"  # E03
    NOT_REACHED = "not_reached"  # E03, and the registry could not be asked
    ALREADY_DONE = "already_done"  # E04
    NOT_PROVEN = "not_proven"  # their own data stay closed; a person can open them
    HELPER_SPENT = "helper_spent"  # this card named enough people today
    CALL_FAILED = "call_failed"  # the disk did not take the call
    CARD_UNREADABLE = "card_unreadable"  # E01 after the last try
    READER_DOWN = "reader_down"  # E13
    CAMERA_DOWN = "camera_down"  # E13
    STORE_DOWN = "store_down"
    OUT_OF_SERVICE = "out_of_service"  # nobody is here, and nobody can be served


class Topic(Enum):
    """Pages of plain information that lead back to where the person was."""

    HELP = "help"


class PaperNews(Enum):
    """What the printer said of the receipt."""

    PRINTING = "printing"
    PRINTED = "printed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Visit:
    """One person at the kiosk.

    `proven`: they passed the camera check to see their own data, as filed under this id;
    `held` is what the registry then told of them. `came_from` is where the card was laid down,
    if not on the first screen. `result` is what stands of them already in this visit.
    """

    card: CardIdentity = field(repr=False)
    key: CardKey = field(repr=False)
    flags: tuple[CardFlag, ...]
    reader_id: str
    started: Stamp
    entry: RosterEntry | None = field(repr=False, default=None)
    consent: Consent | None = None
    attempts: int = 0
    left_out: frozenset[Action] = frozenset()  # movements that this person did not manage
    purpose: Purpose = Purpose.CERTIFY
    proven: RecordId | None = None
    held: Held | None = field(repr=False, default=None)
    witness: StaffMember | None = None  # who serves them here, signed in
    enrolling: bool = False  # the camera is for a template
    seen: Verdict | None = None  # the check that a template was made in
    service: LetterService | None = None  # what a notice letter asked them to come for
    helper: Helper | None = None
    named_by: NamedBy = NamedBy.CARD
    came_from: AwaitingCard | WhoFor | None = None
    last: Verdict | None = None  # of the last try, when they went back from what came of it
    result: Finished | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class Home:
    """Nobody is being served."""


@dataclass(frozen=True, slots=True)
class AwaitingCard:
    """请刷二代身份证. `failures` counts reads that went wrong; `service` came with a letter."""

    failures: int = 0
    service: LetterService | None = None


@dataclass(frozen=True, slots=True)
class LookingUp:
    """The card was read; the roster is being asked."""

    visit: Visit


@dataclass(frozen=True, slots=True)
class AskingRegistry:
    """Not on the roster: the registry is being asked whether they belong to another place."""

    visit: Visit


@dataclass(frozen=True, slots=True)
class Confirming:
    """Is this you? Name and number stay masked until the person touches them."""

    visit: Visit
    revealed: bool = False


@dataclass(frozen=True, slots=True)
class Choosing:
    """请选择服务功能."""

    visit: Visit


@dataclass(frozen=True, slots=True)
class ShowingHistory:
    """This year's state, which is all that a card alone may show: it can have been lost."""

    visit: Visit


@dataclass(frozen=True, slots=True)
class Consenting:
    """刷脸办理须知; the camera is closed."""

    visit: Visit


@dataclass(frozen=True, slots=True)
class Watching:
    """The camera is open. `watch_id` tells this try from every other one; `asked` is the
    movement that was last asked for in this step, also after its prompt has gone again."""

    visit: Visit
    watch_id: int
    progress: WatchProgress
    asked: Action | None = None


@dataclass(frozen=True, slots=True)
class Retrying:
    """A try did not work out. When `exhausted`, a person takes over instead of another try."""

    visit: Visit
    verdict: Verdict
    exhausted: bool


@dataclass(frozen=True, slots=True)
class Reviewing:
    """The picture is shown; nothing is sent before 提交."""

    visit: Visit
    verdict: Verdict
    may_retake: bool = True


@dataclass(frozen=True, slots=True)
class Storing:
    """The record is on its way to the disk. Without a visit somebody called whom no card named."""

    visit: Visit | None
    record: ProofRecord


@dataclass(frozen=True, slots=True)
class Finished:
    """On the disk. `online` says whether the registry could be reached just now; `code` proves
    the result from the screen where the printer could not."""

    visit: Visit | None
    record: ProofRecord
    online: bool
    paper: PaperNews
    code: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True)
class Turned:
    """The kiosk cannot go on; kind words and a person to turn to.

    `slip` is what the printer says of the paper that tells where to ask, ordered by `order_id`.
    """

    why: Why
    visit: Visit | None = None
    fault: Fault | None = None
    helper: Helper | None = None
    slip: PaperNews | None = None
    order_id: int = 0


@dataclass(frozen=True, slots=True)
class Informing:
    """A page of information over another screen."""

    topic: Topic
    back: State


State = (
    Home
    | WhoFor
    | AwaitingHelper
    | ConfirmingHelper
    | CheckingHelper
    | NamingTarget
    | TypingNumber
    | TypingName
    | AwaitingCard
    | LookingUp
    | AskingRegistry
    | Confirming
    | Choosing
    | ShowingHistory
    | Consenting
    | Pace
    | Watching
    | Retrying
    | Reviewing
    | Storing
    | Finished
    | Turned
    | Informing
    | AssistState
    | StaffSignIn
    | StaffChecking
    | Service
    | Filing
    | Withdrawing
    | AskingMine
    | Mine
    | Survey
    | Complaint
    | Saying
    | Said
    | CodeState
)


@dataclass(frozen=True, slots=True)
class Session:
    """The machine's whole memory.

    `epoch` grows with every change of state. `timer` numbers the one running
    timer, so that one set earlier means nothing any more. `deadline_ns` is when
    the screen closes (`None` on screens without a countdown), `warned` that the
    last half minute has been announced. `lost` are devices that do not work just now,
    `store_lost` says that the disk is one of them: nobody may begin what cannot be kept.
    `large` is elder mode: larger letters, stronger colours, a slower pace; it ends with the visit.
    `leaf` counts the pages turned of a text that is longer than the panel. `reminder` numbers the
    one reminder that still means something. `louder`: somebody has the voice louder, or softer.
    """

    state: State
    language: Language
    epoch: int = 0
    timer: int = 0
    deadline_ns: MonoNs | None = None
    warned: bool = False
    card_lies: bool = False
    lost: tuple[str, ...] = ()
    store_lost: bool = False
    large: bool = False
    leaf: int = 0
    reminder: int = 0
    louder: bool = False


def uses_camera(state: State) -> bool:
    """Whether the camera is open: a consented try, staff who look through it, or somebody who
    asked it to look for a code."""
    viewing = isinstance(state, Service) and state.page is ServicePage.CAMERA
    scanning = isinstance(state, Scanning) and state.way is ScanWay.CAMERA
    return viewing or scanning or isinstance(state, Watching)


def visit_of(state: State) -> Visit | None:
    """The person being served, if any."""
    if isinstance(state, Informing | CodeState):
        return visit_of(state.back)
    return getattr(state, "visit", None)


def helper_of(state: State) -> Helper | None:
    """Who helps somebody else here, if anybody does."""
    visit = visit_of(state)
    if visit is not None:
        return visit.helper
    if isinstance(state, Informing | CodeState):
        return helper_of(state.back)
    helper: Helper | None = getattr(state, "helper", None)
    return helper


def knows_somebody(state: State) -> bool:
    """Whether anybody's card was read, or anything about somebody typed."""
    return visit_of(state) is not None or helper_of(state) is not None

"""Everything that can happen to a session. Results carry the id of the order they answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from edge.domain.challenge import WatchProgress
from edge.domain.codes import SignedReceipt
from edge.domain.errors import Fault
from edge.domain.findings import Finding
from edge.domain.matters import Held
from edge.domain.people import CardFlag, CardIdentity, CardKey, RosterEntry
from edge.domain.record import RecordId, Verdict
from edge.domain.staff import Deed, Refusal, StaffMember
from edge.session.codes_states import CopyNews
from edge.session.staff_states import ServiceFacts


class Button(Enum):
    """What a finger, a key or a scripted hand can press. A screen offers only some."""

    START_PROOF = "start_proof"
    FOR_SELF = "for_self"
    FOR_OTHER = "for_other"
    TYPE = "type"
    KEY_X = "key_x"
    ALPHABET = "alphabet"
    SPELT = "spelt"
    UNSPELL = "unspell"
    SHEET_BACK = "sheet_back"
    SHEET_ON = "sheet_on"
    PICK_1 = "pick_1"
    PICK_2 = "pick_2"
    PICK_3 = "pick_3"
    PICK_4 = "pick_4"
    PICK_5 = "pick_5"
    PICK_6 = "pick_6"
    PICK_7 = "pick_7"
    PICK_8 = "pick_8"
    PICK_9 = "pick_9"
    ENTER = "enter"
    REVEAL = "reveal"
    APPLY = "apply"
    HISTORY = "history"
    AGREE = "agree"
    DECLINE = "decline"
    EASIER = "easier"
    EASIER_EYES = "easier_eyes"
    EASIER_EARS = "easier_ears"
    EASIER_NECK = "easier_neck"
    RETAKE = "retake"
    SUBMIT = "submit"
    TRY_AGAIN = "try_again"
    EXIT = "exit"
    BACK = "back"
    HOME = "home"
    HELP = "help"
    SCAN = "scan"
    CALL_STAFF = "call_staff"
    SURVEY = "survey"
    FEEDBACK = "feedback"
    MORE_TIME = "more_time"
    REPEAT = "repeat"
    STAFF_DOOR = "staff_door"
    DIGIT_0 = "digit_0"
    DIGIT_1 = "digit_1"
    DIGIT_2 = "digit_2"
    DIGIT_3 = "digit_3"
    DIGIT_4 = "digit_4"
    DIGIT_5 = "digit_5"
    DIGIT_6 = "digit_6"
    DIGIT_7 = "digit_7"
    DIGIT_8 = "digit_8"
    DIGIT_9 = "digit_9"
    ERASE = "erase"
    OK = "ok"
    DEVICES = "devices"
    CHECK = "check"
    NEXT = "next"
    TESTS = "tests"
    PRINT_SLIP = "print_slip"
    VIEW_CAMERA = "view_camera"
    SOUND = "sound"
    SOFTER = "softer"
    LOUDER = "louder"
    KIOSK = "kiosk"
    POWER = "power"
    ASSIST = "assist"
    VOUCH = "vouch"
    ENROL = "enrol"
    REASON_HOLD_STILL = "reason_hold_still"
    REASON_BLIND = "reason_blind"
    REASON_DEAF = "reason_deaf"
    REASON_DECLINES = "reason_declines"
    REASON_UNDECIDED = "reason_undecided"
    REASON_OTHER = "reason_other"
    RESTART = "restart"
    SHUT_DOWN = "shut_down"
    CONFIRM = "confirm"
    MINE = "mine"
    PROVE = "prove"
    LOOK = "look"
    PAPERS = "papers"
    PRINT_COPY = "print_copy"
    REPRINT = "reprint"
    CORRECT = "correct"
    ABOUT_NAME = "about_name"
    ABOUT_BIRTH = "about_birth"
    ABOUT_NUMBER = "about_number"
    ABOUT_PHONE = "about_phone"
    ABOUT_ADDRESS = "about_address"
    ABOUT_OTHER = "about_other"
    WITHDRAW = "withdraw"
    RATE_GOOD = "rate_good"
    RATE_FAIR = "rate_fair"
    RATE_POOR = "rate_poor"
    GRIEVANCE_WAITING = "grievance_waiting"
    GRIEVANCE_DEVICE = "grievance_device"
    GRIEVANCE_STAFF = "grievance_staff"
    GRIEVANCE_OTHER = "grievance_other"
    WITH_NUMBER = "with_number"
    WITHOUT_NUMBER = "without_number"
    USE_CAMERA = "use_camera"
    LARGE_PRINT = "large_print"
    TURN_PAGE = "turn_page"  # of a text longer than the panel; the machine counts, the window turns
    LANGUAGE_ZH = "language_zh"
    LANGUAGE_EN = "language_en"


@dataclass(frozen=True, slots=True)
class Pressed:
    button: Button = field(repr=False)  # on a keypad it is part of somebody's PIN


@dataclass(frozen=True, slots=True)
class Touched:
    """The glass was touched anywhere: whoever did it is still there."""


@dataclass(frozen=True, slots=True)
class Focused:
    """A physical key moved on to this button, which is not pressed yet."""

    button: Button = field(repr=False)


@dataclass(frozen=True, slots=True)
class CardRead:
    card: CardIdentity = field(repr=False)
    key: CardKey = field(repr=False)
    flags: tuple[CardFlag, ...]
    reader_id: str


@dataclass(frozen=True, slots=True)
class CardFailed:
    fault: Fault


@dataclass(frozen=True, slots=True)
class CardRemoved:
    pass


@dataclass(frozen=True, slots=True)
class ReaderBack:
    """A reader that was dead answers again."""


@dataclass(frozen=True, slots=True)
class CodeScanned:
    """A bar code or QR code was held before the scanner, wanted or not."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CodeSeen:
    """What the camera found, that was opened for codes; `None`: nothing for a whole minute."""

    watch_id: int
    text: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class CodeChecked:
    """What a receipt says, `None` if its signatures do not hold; `here`: its copy is kept."""

    check_id: int
    receipt: SignedReceipt | None
    here: bool


@dataclass(frozen=True, slots=True)
class CopyTold:
    """How a second copy went."""

    order_id: int
    news: CopyNews


@dataclass(frozen=True, slots=True)
class DevicesLost:
    """All devices that do not work just now, by the names of their ports; told on each change."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RosterAnswered:
    """`online`: the registry could be asked just now."""

    key: CardKey = field(repr=False)
    entry: RosterEntry | None = field(repr=False)
    online: bool = False


@dataclass(frozen=True, slots=True)
class RegistryAnswered:
    """What the registry says of somebody who is not on the roster; `reached`: it said anything."""

    key: CardKey = field(repr=False)
    entry: RosterEntry | None = field(repr=False)
    reached: bool


@dataclass(frozen=True, slots=True)
class HistoryAnswered:
    """What the registry keeps of a person, told for a proof of theirs; `reached`: it answered."""

    key: CardKey = field(repr=False)
    held: Held | None = field(repr=False)
    reached: bool


@dataclass(frozen=True, slots=True)
class HelperChecked:
    """Whether this card may name somebody today; only so many a day may be asked for."""

    key: CardKey = field(repr=False)
    may: bool


@dataclass(frozen=True, slots=True)
class HelperSpent:
    """The helper named too many people today, so this one was not looked up."""

    key: CardKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class LookUpFailed:
    """The roster could not be asked; that says nothing about the person."""

    key: CardKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class Watched:
    """The check moved on."""

    watch_id: int
    progress: WatchProgress


@dataclass(frozen=True, slots=True)
class Judged:
    watch_id: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class WatchFailed:
    watch_id: int
    fault: Fault


@dataclass(frozen=True, slots=True)
class RecordStored:
    """Record and outbox row are on the disk."""

    record_id: RecordId
    online: bool


@dataclass(frozen=True, slots=True)
class StoreFailed:
    record_id: RecordId


@dataclass(frozen=True, slots=True)
class StoreLost:
    """Nothing can be written down: nobody can be served until it can."""


@dataclass(frozen=True, slots=True)
class StoreBack:
    pass


@dataclass(frozen=True, slots=True)
class ReceiptPrinted:
    record_id: RecordId


@dataclass(frozen=True, slots=True)
class ReceiptFailed:
    """`code` proves the result all the same, from the screen."""

    record_id: RecordId
    fault: Fault
    code: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True)
class StaffAnswered:
    """Who it is that signed in, or why nobody did; and what is to be written down of it."""

    check_id: int
    result: StaffMember | Refusal
    badge: str = field(repr=False)
    deed: Deed | None


@dataclass(frozen=True, slots=True)
class FactsTold:
    """How the kiosk stands; told again whenever that changes while somebody looks."""

    facts: ServiceFacts


@dataclass(frozen=True, slots=True)
class Examined:
    order_id: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class SlipPrinted:
    order_id: int
    fault: Fault | None


@dataclass(frozen=True, slots=True)
class TemplateKept:
    event_id: RecordId


@dataclass(frozen=True, slots=True)
class TemplateDeleted:
    """`here`: this kiosk itself had one."""

    event_id: RecordId
    here: bool


@dataclass(frozen=True, slots=True)
class TemplateFailed:
    """Neither kept nor deleted: the disk did not take it."""

    event_id: RecordId


@dataclass(frozen=True, slots=True)
class VolumeTold:
    percent: int


@dataclass(frozen=True, slots=True)
class Reminded:
    """Time to say something again."""

    reminder: int


@dataclass(frozen=True, slots=True)
class TimerFired:
    timer: int


Event = (
    Pressed
    | Touched
    | Focused
    | CardRead
    | CardFailed
    | CardRemoved
    | ReaderBack
    | CodeScanned
    | CodeSeen
    | CodeChecked
    | CopyTold
    | DevicesLost
    | RosterAnswered
    | RegistryAnswered
    | HistoryAnswered
    | HelperChecked
    | HelperSpent
    | LookUpFailed
    | Watched
    | Judged
    | WatchFailed
    | RecordStored
    | StoreFailed
    | StoreLost
    | StoreBack
    | ReceiptPrinted
    | ReceiptFailed
    | StaffAnswered
    | FactsTold
    | Examined
    | SlipPrinted
    | TemplateKept
    | TemplateDeleted
    | TemplateFailed
    | VolumeTold
    | TimerFired
    | Reminded
)

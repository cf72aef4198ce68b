"""Orders the machine gives and never sees done; what comes of them returns as events."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from edge.domain.challenge import Action
from edge.domain.matters import Held, Matter
from edge.domain.opinions import Opinion
from edge.domain.people import CardKey, PersonId, RosterEntry
from edge.domain.record import ProofRecord, RecordId
from edge.domain.staff import Deed
from edge.domain.templates import TemplateEvent
from edge.domain.timebase import Stamp
from edge.session.events import Button
from edge.session.staff_states import PowerWish


@dataclass(frozen=True, slots=True)
class ArmReader:
    """Read the next card that is laid down."""


@dataclass(frozen=True, slots=True)
class LookUp:
    """`helper` names them: that is counted first, and answered by `HelperSpent` if too often."""

    key: CardKey = field(repr=False)
    helper: CardKey | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class CheckHelper:
    """Whether this card may name somebody today; answered by `HelperChecked`."""

    key: CardKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class PrintWhereToAsk:
    """Office and telephone on paper, about nobody (E03); answered by `SlipPrinted(order_id)`."""

    order_id: int


@dataclass(frozen=True, slots=True)
class AskRegistry:
    """Ask the registry about somebody from another place; answered in seconds, one way or other."""

    key: CardKey = field(repr=False)
    id_number: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Watch:
    """Open the camera for one try; `photo` is the chip's encoded portrait."""

    watch_id: int
    actions: tuple[Action, ...]
    photo: bytes = field(repr=False)
    slow: bool = False  # more time for everything
    person_id: PersonId | None = field(repr=False, default=None)  # whose template to compare with
    enrol: bool = False  # make a template of what is seen


@dataclass(frozen=True, slots=True)
class StopWatching:
    """Close the camera now, whatever it is doing."""


@dataclass(frozen=True, slots=True)
class Store:
    """`due_by` is what its receipt says of the next time: a copy of it is kept with the record."""

    record: ProofRecord
    due_by: date | None = None


@dataclass(frozen=True, slots=True)
class PrintReceipt:
    record: ProofRecord
    online: bool
    due_by: date | None


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Answer with `TimerFired(timer)` after this time."""

    timer: int
    after_s: float


@dataclass(frozen=True, slots=True)
class SetReminder:
    """Answer with `Reminded(reminder)` after this time; beside the timer, and never instead."""

    reminder: int
    after_s: float


@dataclass(frozen=True, slots=True)
class Louden:
    """Louder by `step` tenths of the range for whoever is there, softer below 0; 0: as before."""

    step: int


@dataclass(frozen=True, slots=True)
class Repeat:
    """Say once more what the screen says."""


@dataclass(frozen=True, slots=True)
class SayLabel:
    """Say what stands on this button of the screen, for those who find it with their fingers."""

    button: Button = field(repr=False)


@dataclass(frozen=True, slots=True)
class Forget:
    """Drop the portrait and everything else that shows the person: submitted, or gone."""


@dataclass(frozen=True, slots=True)
class CheckStaff:
    """Look whether this PIN opens this badge; answered by `StaffAnswered`."""

    check_id: int
    badge: str = field(repr=False)
    pin: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NoteDeed:
    """Write down what somebody on the staff did, for the registry's audit log."""

    badge: str = field(repr=False)
    deed: Deed


@dataclass(frozen=True, slots=True)
class Examine:
    """Run the doctor's checks beside the running kiosk."""

    order_id: int


@dataclass(frozen=True, slots=True)
class PrintSlip:
    order_id: int


@dataclass(frozen=True, slots=True)
class KeepTemplate:
    """Keep what the last try made of the face; answered by `TemplateKept` or `TemplateFailed`."""

    event: TemplateEvent


@dataclass(frozen=True, slots=True)
class DeleteTemplate:
    """Somebody withdrew: delete their template here, and have the registry see to the others.
    Answered by `TemplateDeleted` once both is on the disk, or by `TemplateFailed`."""

    event: TemplateEvent


@dataclass(frozen=True, slots=True)
class PrintWithdrawal:
    """The slip that says a template is deleted; answered by `SlipPrinted(order_id)`."""

    order_id: int
    slip_no: str
    at: Stamp


@dataclass(frozen=True, slots=True)
class View:
    """Open the camera and show what it sees; no model runs, nothing is kept."""

    watch_id: int


@dataclass(frozen=True, slots=True)
class SetVolume:
    """Louder by `step` tenths of the range, softer below 0; answered by `VolumeTold`."""

    step: int


@dataclass(frozen=True, slots=True)
class Power:
    """Switch the whole machine off, or off and on."""

    wish: PowerWish


@dataclass(frozen=True, slots=True)
class AskHistory:
    """Ask the registry what it keeps of somebody who proved who they are; `access` is that proof.

    Answered by `HistoryAnswered` in seconds, one way or other.
    """

    key: CardKey = field(repr=False)
    id_number: str = field(repr=False)
    access: RecordId


@dataclass(frozen=True, slots=True)
class File:
    """Put something that is no certification into the journal; answered as a `Store` is."""

    what: Matter | Opinion


@dataclass(frozen=True, slots=True)
class DataCopy:
    """On paper what is kept of somebody, masked as on every receipt."""

    masked_name: str = field(repr=False)
    masked_number: str = field(repr=False)
    entry: RosterEntry | None = field(repr=False)
    held: Held | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ticket:
    """On paper a number to ask with, and where."""

    number: str


@dataclass(frozen=True, slots=True)
class PrintSheet:
    """Answered by `SlipPrinted(order_id)`."""

    order_id: int
    sheet: DataCopy | Ticket


@dataclass(frozen=True, slots=True)
class LookForCode:
    """Open the camera and look for codes in its frames; no model runs, nothing is kept.

    Answered by `CodeSeen` or `WatchFailed` with this id.
    """

    watch_id: int


@dataclass(frozen=True, slots=True)
class CheckCode:
    """Check a receipt's signatures; answered by `CodeChecked`."""

    check_id: int
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PrintCopy:
    """A second copy, if the card is that of the receipt; answered by `CopyTold`.

    Without a number the newest receipt of this card.
    """

    order_id: int
    key: CardKey = field(repr=False)
    receipt_no: str


@dataclass(frozen=True, slots=True)
class Count:
    """Add one to an anonymous counter."""

    name: str


Effect = (
    ArmReader
    | LookUp
    | CheckHelper
    | PrintWhereToAsk
    | AskRegistry
    | Watch
    | StopWatching
    | Store
    | PrintReceipt
    | SetTimer
    | SetReminder
    | Louden
    | Repeat
    | SayLabel
    | Forget
    | CheckStaff
    | NoteDeed
    | Examine
    | PrintSlip
    | KeepTemplate
    | DeleteTemplate
    | PrintWithdrawal
    | View
    | SetVolume
    | Power
    | AskHistory
    | File
    | PrintSheet
    | LookForCode
    | CheckCode
    | PrintCopy
    | Count
)

"""The session: from a card on the reader to a receipt in the hand, as a pure function.

    step(session, event, context) -> Transition(session, effects)

No clock, no disk, no threads, no Kivy: the world comes in through `Context`
and events, and goes out as effects. `step` is total: an event that means
nothing in a state changes nothing. What must always hold (and is walked at
random in the tests):

* no verdict without consent, no frame before it;
* at most one `Store` with a record of its own per visit, and one with a call for staff; a
  receipt only after `RecordStored`;
* leaving `Watching`, the page where staff look through the camera, or a scan for which
  somebody asked it to open, always closes it;
* every state but `Home` ends by itself, after a warning, and forgets the person;
* from every state that knows a person, a member of staff is one touch away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from edge.domain.challenge import Action, Prompt, Reason, WatchProgress
from edge.domain.codes import LetterService
from edge.domain.cycles import due_after, is_covered
from edge.domain.errors import Fault
from edge.domain.matters import About, Matter, MatterKind
from edge.domain.opinions import Grievance, Opinion, Rating
from edge.domain.people import CardIdentity, CardKey, PersonId, RosterEntry
from edge.domain.record import (
    NOBODY,
    AssistReason,
    Consent,
    NamedBy,
    Outcome,
    ProofRecord,
    Provenance,
    RecordId,
    Reference,
    Subject,
    Verdict,
)
from edge.domain.spelling import Spelling
from edge.domain.staff import Deed, StaffEvent
from edge.domain.templates import TemplateChange, TemplateEvent
from edge.domain.timebase import NS_PER_S, MonoNs, Stamp
from edge.session import assist, codes, helping, mine, opinion, pace, service
from edge.session.assist_states import (
    AssistCard,
    AssistChoice,
    AssistConfirm,
    AssistState,
    EnrolFailed,
    Enrolling,
    EnrolReviewing,
)
from edge.session.codes_states import (
    AwaitingOwner,
    CheckingCode,
    CodeState,
    CodeTold,
    Reprinting,
    Scanning,
)
from edge.session.effects import (
    ArmReader,
    AskRegistry,
    Count,
    Effect,
    Forget,
    LookUp,
    Louden,
    NoteDeed,
    PrintReceipt,
    PrintWhereToAsk,
    Repeat,
    SayLabel,
    SetReminder,
    SetTimer,
    StopWatching,
    Store,
    Watch,
)
from edge.session.events import (
    Button,
    CardFailed,
    CardRead,
    CardRemoved,
    CodeScanned,
    CodeSeen,
    DevicesLost,
    Event,
    Focused,
    HelperChecked,
    HelperSpent,
    Judged,
    LookUpFailed,
    Pressed,
    ReaderBack,
    ReceiptFailed,
    ReceiptPrinted,
    RecordStored,
    RegistryAnswered,
    Reminded,
    RosterAnswered,
    SlipPrinted,
    StaffAnswered,
    StoreBack,
    StoreFailed,
    StoreLost,
    TimerFired,
    Touched,
    Watched,
    WatchFailed,
)
from edge.session.helping_states import (
    AwaitingHelper,
    CardNews,
    CheckingHelper,
    ConfirmingHelper,
    Helper,
    HelpingState,
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
from edge.session.staff_states import Service, StaffChecking, StaffSignIn, StaffState
from edge.session.states import (
    AskingRegistry,
    AwaitingCard,
    Choosing,
    Confirming,
    Consenting,
    Finished,
    Home,
    Informing,
    Language,
    LookingUp,
    PaperNews,
    Retrying,
    Reviewing,
    Session,
    ShowingHistory,
    State,
    Storing,
    Topic,
    Turned,
    Visit,
    Watching,
    Why,
    helper_of,
    knows_somebody,
    uses_camera,
    visit_of,
)

WARN_S = 30
"""How long before the end the person is warned (K40, E15)."""

LANGUAGES = {Button(f"language_{language.value}"): language for language in Language}

CARD_TRIES = 3

REMIND_S = 15
"""How long a card is waited for until that is said again (E01), and how often somebody is told
to take theirs along (E16)."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a site may decide."""

    tries: int = 3
    idle_s: int = 300


@dataclass(frozen=True, slots=True)
class ConsentText:
    """Identity of a consent text: its version and the hash of the exact words shown."""

    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Context:
    """The world at the moment of the step; the machine asks nobody."""

    now: Stamp
    now_ns: MonoNs
    new_record_id: Callable[[], RecordId]
    new_receipt_no: Callable[[], str]
    draw_actions: Callable[[frozenset[Action]], tuple[Action, ...]]  # what to leave out
    card_key: Callable[[str], CardKey]
    spelling: Spelling
    ticket: str  # the number of whoever calls next
    kiosk_id: str
    site: str
    software: str
    provenance: Provenance
    policy: Policy
    has_scanner: bool  # with an eye of its own
    consent_texts: Mapping[Language, ConsentText]
    enrol_texts: Mapping[Language, ConsentText]  # what enrolment asks for
    own_texts: Mapping[Language, ConsentText]  # what looking at one's own data asks for

    def template_event(
        self, change: TemplateChange, person_id: PersonId, consent: Consent | None, badge: str = ""
    ) -> TemplateEvent:
        """What becomes of somebody's template, now and here."""
        return TemplateEvent(
            self.new_record_id(),
            self.kiosk_id,
            change,
            person_id,
            self.now,
            self.provenance,
            self.software,
            badge,
            consent,
        )

    def withdrawal(self, person_id: PersonId, language: Language, badge: str = "") -> TemplateEvent:
        """Somebody takes back what they agreed to, in front of this screen."""
        consent = self.consent(self.enrol_texts, language, agreed=False)
        return self.template_event(TemplateChange.WITHDRAWN, person_id, consent, badge)

    def consent(
        self, texts: Mapping[Language, ConsentText], language: Language, *, agreed: bool
    ) -> Consent:
        """What somebody answers to one of these texts, now."""
        text = texts[language]
        return Consent(text.version, language.value, text.sha256, agreed, self.now.iso)

    def matter(
        self,
        visit: Visit,
        kind: MatterKind,
        *,
        about: About | None = None,
        verdict: Verdict | None = None,
    ) -> Matter:
        """What somebody does with their own data, now and here."""
        card = visit.card
        return Matter(
            self.new_record_id(),
            self.kiosk_id,
            Subject(card.name, card.id_number, card.kind, visit.flags),
            kind,
            about,
            self.new_receipt_no() if kind is MatterKind.CORRECTION else "",
            visit.consent,
            verdict,
            self.now,
            self.provenance,
            self.software,
            visit.witness.badge if visit.witness else "",
        )

    def opinion(
        self, ratings: tuple[Rating, ...], grievance: Grievance | None, *, numbered: bool
    ) -> Opinion:
        """What somebody says of the service; nobody knows who."""
        return Opinion(
            self.new_record_id(),
            self.kiosk_id,
            ratings,
            grievance,
            self.new_receipt_no() if numbered else "",
            self.now,
            self.provenance,
            self.software,
        )

    def staff_event(self, badge: str, deed: Deed) -> StaffEvent:
        """What somebody on the staff did, now and here."""
        return StaffEvent(
            self.new_record_id(),
            self.kiosk_id,
            badge,
            deed,
            self.now,
            self.provenance,
            self.software,
        )


@dataclass(frozen=True, slots=True)
class Transition:
    """Where the session is now, and what is to be done about it."""

    session: Session
    effects: tuple[Effect, ...] = ()


def start(language: Language) -> Transition:
    """A kiosk that was just switched on."""
    return Transition(Session(Home(), language), (ArmReader(),))


def step(session: Session, event: Event, ctx: Context) -> Transition:
    """One step. Whatever `event` does not concern stays as it is."""
    match event:
        case Touched():
            return _touched(session, ctx)
        case Focused(button):
            return _focused(session, button, ctx)
        case TimerFired(timer):
            return _timer(session, timer, ctx)
        case Reminded(reminder) if reminder == session.reminder:
            return _remind(session, ctx)
        case CardRemoved():
            return Transition(replace(session, card_lies=False))
        case DevicesLost(names):
            return Transition(replace(session, lost=names))
        case CardRead():
            return _card_read(session, event, ctx)
        case CardFailed(fault):
            return _card_failed(session, fault, ctx)
        case CodeScanned(text):
            return _scanned(session, text, ctx)
        case CodeSeen(watch_id, str() as text) if _waits_for_code(session.state, watch_id):
            return _scanned(session, text, ctx)
        case StaffAnswered():
            return _staff_answered(session, event, ctx)
        case StoreLost() | StoreBack():
            return _store_news(session, event, ctx)
        case ReaderBack():
            return _reader_back(session, ctx)
        case Pressed(button):
            return _pressed(session, button, ctx)
        case _:
            return _answered(session, event, ctx)


# --- moving ------------------------------------------------------------------


def _go(session: Session, state: State, ctx: Context, *effects: Effect) -> Transition:
    """Enter a state with a fresh countdown; leaving a state with the camera open closes it, and
    a state in which a card may be laid down has the reader armed."""
    leaving: tuple[Effect, ...] = ()
    if uses_camera(session.state) and not uses_camera(state):
        leaving = (StopWatching(),)
    staff = assist.staff_of(session.state)
    if staff is not None and assist.staff_of(state) is None:
        leaving = (*leaving, NoteDeed(staff.badge, Deed.SIGNED_OUT))
    arming = (ArmReader(),) if _expects_card(state) else ()
    moved = replace(session, state=state, epoch=session.epoch + 1, leaf=0)
    counted = _countdown(moved, ctx)
    return Transition(counted.session, (*leaving, *effects, *counted.effects, *arming))


def _countdown(session: Session, ctx: Context) -> Transition:
    """Start the countdown anew, and the time until something is said again."""
    counted = _counted(session, ctx)
    if not _reminds(session):
        return counted
    number = session.reminder + 1
    reminding = replace(counted.session, reminder=number)
    return Transition(reminding, (*counted.effects, SetReminder(number, REMIND_S)))


_WaitsForCard = AwaitingCard | AwaitingOwner | AwaitingHelper


def _reminds(session: Session) -> bool:
    left_behind = session.card_lies and isinstance(session.state, Home | Finished)
    return left_behind or isinstance(session.state, _WaitsForCard)


def _remind(session: Session, ctx: Context) -> Transition:
    """E16: take your card. E01: none was felt, so it is asked for again, and then for a person."""
    if not _reminds(session):
        return Transition(session)
    if isinstance(session.state, _WaitsForCard):
        return _card_late(session, session.state, ctx)
    number = session.reminder + 1
    again = (Repeat(), SetReminder(number, REMIND_S))
    return Transition(replace(session, reminder=number), again)


def _card_late(session: Session, state: _WaitsForCard, ctx: Context) -> Transition:
    failures = state.failures + 1
    if failures >= CARD_TRIES:
        return _no_card(session, state, Turned(Why.CARD_UNREADABLE), ctx)
    return _go(session, replace(state, failures=failures), ctx, Repeat())


def _no_card(session: Session, state: State, away: Turned, ctx: Context) -> Transition:
    """Who only wanted a copy in the middle of something else goes on with that."""
    if isinstance(state, AwaitingOwner) and knows_somebody(state):
        return _return(session, state.back, ctx)
    return _go(session, away, ctx)


def _counted(session: Session, ctx: Context) -> Transition:
    """A warning first, the end half a minute later."""
    timer = session.timer + 1
    if isinstance(session.state, Home) or _out_of_service(session.state):
        return Transition(replace(session, timer=timer, deadline_ns=None, warned=False))
    idle_s = ctx.policy.idle_s
    deadline = MonoNs(ctx.now_ns + idle_s * NS_PER_S)
    fresh = replace(session, timer=timer, deadline_ns=deadline, warned=False)
    return Transition(fresh, (SetTimer(timer, max(idle_s - WARN_S, 0)),))


def _home(session: Session, ctx: Context) -> Transition:
    """Letters and loudness go back to what they were before this person."""
    usual = (Louden(0),) if session.louder else ()
    return _go(replace(session, large=False, louder=False), Home(), ctx, Forget(), *usual)


def _touched(session: Session, ctx: Context) -> Transition:
    return _countdown(session, ctx) if session.deadline_ns is not None else Transition(session)


def _focused(session: Session, button: Button, ctx: Context) -> Transition:
    """Said aloud, but where staff type a PIN: a hall need not hear it."""
    there = _touched(session, ctx)
    said = () if isinstance(session.state, StaffState) else (SayLabel(button),)
    return Transition(there.session, (*there.effects, *said))


def _timer(session: Session, timer: int, ctx: Context) -> Transition:
    if timer != session.timer or session.deadline_ns is None:
        return Transition(session)
    if not session.warned:
        warned = replace(session, warned=True, timer=timer + 1)
        return Transition(warned, (SetTimer(warned.timer, WARN_S),))
    busy = Storing | Filing | Withdrawing | Saying | Enrolling
    if isinstance(session.state, busy):
        return _countdown(session, ctx)  # the disk will answer; nobody is sent away before it does
    return _leave(session, ctx)


# --- the card ----------------------------------------------------------------


def _card_read(session: Session, event: CardRead, ctx: Context) -> Transition:
    lying = replace(session, card_lies=True)
    if not _expects_card(session.state):
        return Transition(lying)
    if session.store_lost:
        return _go(lying, Turned(Why.OUT_OF_SERVICE), ctx)
    asked = session.state.back if isinstance(session.state, Informing) else session.state
    if isinstance(asked, AwaitingOwner):
        return _moved(lying, codes.owner_known(asked, event.key, session.epoch + 1), ctx)
    if isinstance(asked, AwaitingHelper):
        came = Helper(event.card, event.key, event.flags, event.reader_id, ctx.now)
        return _go(lying, ConfirmingHelper(came), ctx)
    if isinstance(asked, _NAMING):
        return _target_read(lying, asked.helper, event, ctx)
    visit = Visit(event.card, event.key, event.flags, event.reader_id, ctx.now)
    visit = replace(visit, service=_service_of(asked), came_from=_came_from(asked))
    if isinstance(asked, AssistCard):
        visit = replace(visit, witness=asked.staff)
    return _go(lying, LookingUp(visit), ctx, LookUp(event.key))


_NAMING = NamingTarget | TypingNumber | TypingName
"""Where the card of the person to be helped may be laid down."""


def _target_read(session: Session, helper: Helper, event: CardRead, ctx: Context) -> Transition:
    if event.key == helper.key:
        return _go(session, NamingTarget(helper, CardNews.OWN), ctx)
    visit = Visit(event.card, event.key, event.flags, event.reader_id, ctx.now, helper=helper)
    return _look_up_target(session, visit, helper, ctx)


def _target_typed(session: Session, card: CardIdentity, helper: Helper, ctx: Context) -> Transition:
    key, reader_id = ctx.card_key(card.id_number), helper.reader_id
    visit = Visit(card, key, (), reader_id, ctx.now, helper=helper, named_by=NamedBy.TYPED)
    return _look_up_target(session, visit, helper, ctx)


def _look_up_target(session: Session, visit: Visit, helper: Helper, ctx: Context) -> Transition:
    """Eligibility is the target's (M17); naming them counts for the helper's card."""
    return _go(session, LookingUp(visit), ctx, LookUp(visit.key, helper.key))


def _expects_card(state: State) -> bool:
    """A card that can be read again also ends the apology for a reader that could not. A
    keypad or a question that was left standing keeps no resident out."""
    if _out_of_service(state):
        return False
    left = StaffSignIn | StaffChecking | Survey | Complaint | Said
    naming = WhoFor | AwaitingHelper | AssistCard | _NAMING
    return isinstance(state, Home | naming | AwaitingCard | AwaitingOwner | left) or (
        isinstance(state, Turned | Informing | Scanning | CodeTold) and not knows_somebody(state)
    )


def _service_of(state: State) -> LetterService | None:
    return state.service if isinstance(state, AwaitingCard) else None


def _came_from(state: State) -> AwaitingCard | WhoFor | None:
    match state:
        case AwaitingCard(service=service):
            return AwaitingCard(service=service)
        case WhoFor():
            return state
        case _:
            return None


def _reader_back(session: Session, ctx: Context) -> Transition:
    """The apology for a dead reader stands no longer than the reader is dead."""
    match session.state:
        case Turned(Why.READER_DOWN):
            return _home(session, ctx)
        case _:
            return Transition(session)


def _store_news(session: Session, event: StoreLost | StoreBack, ctx: Context) -> Transition:
    """Whoever is being served is told at their own record; the next person before they begin."""
    session = replace(session, store_lost=isinstance(event, StoreLost))
    match session.state, event:
        case Home() | WhoFor() | AwaitingHelper() | AwaitingCard(), StoreLost():
            return _go(session, Turned(Why.OUT_OF_SERVICE), ctx)
        case Turned(Why.OUT_OF_SERVICE), StoreBack():
            return _home(session, ctx)
        case _:
            return Transition(session)


def _out_of_service(state: State) -> bool:
    return isinstance(state, Turned) and state.why is Why.OUT_OF_SERVICE


def _card_failed(session: Session, fault: Fault, ctx: Context) -> Transition:
    """E01: three reads may go wrong; a dead reader (E13) is said at once.

    Nobody is asked to take a card away that a failing reader can no longer see.
    """
    session = replace(session, card_lies=False)
    match session.state:
        case (Home() | WhoFor() | AwaitingCard() | AwaitingOwner()) as state if fault in (
            Fault.ABSENT,
            Fault.SILENT,
        ):
            return _no_card(session, state, Turned(Why.READER_DOWN, fault=fault), ctx)
        case (AwaitingCard() | AwaitingOwner()) as state if state.failures + 1 >= CARD_TRIES:
            return _no_card(session, state, Turned(Why.CARD_UNREADABLE, fault=fault), ctx)
        case (AwaitingCard() | AwaitingOwner()) as state:
            return _go(session, replace(state, failures=state.failures + 1), ctx, Repeat())
        case Home() | WhoFor():
            return _go(session, AwaitingCard(1), ctx)
        case (AwaitingHelper() | NamingTarget()) as state:
            return _helpers_card_failed(session, state, fault, ctx)
        case AssistCard(staff, failures):
            return _go(session, AssistCard(staff, failures + 1), ctx)
        case _:
            return Transition(session, (ArmReader(),))


def _helpers_card_failed(
    session: Session, state: AwaitingHelper | NamingTarget, fault: Fault, ctx: Context
) -> Transition:
    moved = helping.card_failed(state, fault, CARD_TRIES)
    if moved is not None:
        return _go(session, moved, ctx, Repeat())
    dead = fault in (Fault.ABSENT, Fault.SILENT)
    why = Why.READER_DOWN if dead else Why.CARD_UNREADABLE
    return _go(session, Turned(why, fault=fault), ctx)


# --- buttons -----------------------------------------------------------------


def _pressed(session: Session, button: Button, ctx: Context) -> Transition:
    """Footer first, because it works everywhere; then what the screen itself offers."""
    match button:
        case _ if button in LANGUAGES:
            return _touched(replace(session, language=LANGUAGES[button], leaf=0), ctx)
        case Button.MORE_TIME:
            return _touched(session, ctx)
        case Button.LARGE_PRINT:
            return _touched(replace(session, large=not session.large, leaf=0), ctx)
        case Button.TURN_PAGE:
            return _touched(replace(session, leaf=session.leaf + 1), ctx)
        case Button.REPEAT:
            heard = _touched(session, ctx)
            return Transition(heard.session, (*heard.effects, Repeat()))
        case Button.LOUDER | Button.SOFTER if not isinstance(session.state, StaffState):
            heard = _touched(replace(session, louder=True), ctx)
            step = 1 if button is Button.LOUDER else -1
            return Transition(heard.session, (*heard.effects, Louden(step), Repeat()))
    if button not in offered(session.state):
        return Transition(session)
    match button:
        case Button.HOME | Button.EXIT:
            return _leave(session, ctx)
        case Button.HELP:
            return _go(session, Informing(Topic.HELP, _left(session.state)), ctx)
        case Button.SCAN:
            return _go(session, codes.begin(_left(session.state), _has_scanner(session, ctx)), ctx)
        case Button.EASIER:
            return _go(session, Pace(_left(session.state)), ctx)  # type: ignore[arg-type]
        case Button.SURVEY:
            return _go(session, Survey(), ctx)
        case Button.FEEDBACK:
            return _go(session, Complaint(), ctx)
        case Button.CALL_STAFF:
            return _to_staff(session, ctx)
        case Button.STAFF_DOOR:
            return _to_service(session, StaffSignIn(), ctx)
        case _:
            return _chosen(session, button, ctx)


def offered(state: State) -> tuple[Button, ...]:
    """Every button that does something in this state, main choices first."""
    person = (Button.CALL_STAFF,) if _may_call(state) else ()
    if isinstance(state, AssistState):
        return assist.offered(state)
    match state:
        case Home():
            quiet = (Button.HELP, Button.SURVEY, Button.FEEDBACK, Button.SCAN)
            return (Button.START_PROOF, *quiet, Button.STAFF_DOOR)
        case StaffSignIn() | StaffChecking() | Service():
            return service.offered(state)
        case Survey() | Complaint() | Saying() | Said():
            return opinion.offered(state)
        case Mine():
            return (*mine.choices(state), *person, Button.BACK, Button.HELP, Button.HOME)
        case Scanning() | CheckingCode() | CodeTold() | AwaitingOwner() | Reprinting():
            return codes.offered(state, person)
        case AwaitingCard():
            return (*person, Button.BACK, Button.HELP, Button.SCAN, Button.HOME)
        case WhoFor():
            return (*helping.offered(state), Button.HELP, Button.SCAN, Button.HOME)
        case AwaitingHelper() | ConfirmingHelper() | NamingTarget() | TypingNumber() | TypingName():
            own = helping.offered(state)
            return (*own, *person, Button.BACK, Button.HELP, Button.HOME)
        case LookingUp() | AskingRegistry() | AskingMine() | CheckingHelper():
            return (*person, Button.HOME)
        case Storing() | Filing() | Withdrawing():
            return ()
        case Confirming():
            return (Button.ENTER, Button.REVEAL, *person, Button.BACK, Button.HELP, Button.HOME)
        case Choosing():
            choices = Button.APPLY, Button.HISTORY, Button.MINE
            return (*choices, *person, Button.BACK, Button.HELP, Button.SCAN, Button.HOME)
        case ShowingHistory():
            return (Button.PROVE, *person, Button.BACK, Button.HELP, Button.HOME)
        case Consenting():
            both = (Button.AGREE, Button.DECLINE)
            return (*both, *person, Button.BACK, *pace.way_in(state), Button.HELP, Button.HOME)
        case Pace():
            return (*pace.NEEDS, *person, Button.BACK, Button.HELP, Button.HOME)
        case Watching():
            return (*person, *pace.way_in(state), Button.HELP, Button.SCAN, Button.HOME)
        case Retrying(exhausted=exhausted):
            way_on = Button.SUBMIT if exhausted else Button.TRY_AGAIN
            return (way_on, *person, Button.BACK, *pace.way_in(state), Button.HELP, Button.HOME)
        case Reviewing(may_retake=may_retake):
            retake, back = ((Button.RETAKE,), (Button.BACK,)) if may_retake else ((), ())
            return (*retake, Button.SUBMIT, *person, *back, Button.HELP, Button.SCAN, Button.HOME)
        case Finished():
            back = (Button.BACK,) if _may_go_on(state) else ()
            return (Button.EXIT, *person, *back, Button.HELP, Button.SCAN, Button.HOME)
        case Turned(Why.OUT_OF_SERVICE):
            return (Button.STAFF_DOOR,)
        case Turned(why) as state:
            door = (Button.STAFF_DOOR,) if why in _BROKEN else ()
            back = (Button.BACK,) if _leads_back(state) else ()
            again = (Button.REPRINT,) if _may_reprint(state) else ()
            return (*again, *person, Button.EXIT, *back, *door, Button.HELP, Button.HOME)
        case Informing():
            return (Button.BACK, *person, Button.HOME)


def _leads_back(state: Turned) -> bool:
    """To the target of a helper, or to what else one may choose."""
    visit, still_here = state.visit, (Why.ALREADY_DONE, Why.NOT_PROVEN)
    return visit is not None and (visit.helper is not None or state.why in still_here)


def _may_go_on(state: Finished) -> bool:
    """Whom the roster knows has more to choose from; who waits for staff, or has them beside, does
    not."""
    visit, waits = state.visit, state.record.outcome in _WAIT_FOR_STAFF
    return visit is not None and visit.entry is not None and not visit.witness and not waits


_BROKEN = (Why.READER_DOWN, Why.CAMERA_DOWN, Why.STORE_DOWN)
"""What a technician comes for: the way to service is on these screens too."""


def _may_reprint(state: Turned) -> bool:
    visit = state.visit
    own = visit is not None and visit.named_by is NamedBy.CARD
    return state.why is Why.ALREADY_DONE and own


def _left(state: State) -> State:
    """A try that is left for a page of help counts once its movements were shown; else
    somebody could look at one sequence after another until a convenient one comes."""
    if isinstance(state, Watching) and state.progress.prompt is not Prompt.FRAME_FACE:
        tried = replace(state.visit, attempts=state.visit.attempts + 1)
        return replace(state, visit=tried)
    return codes.put_away(state)


def _may_call(state: State) -> bool:
    """From every screen after the card, also of a card that could not be read; not while the disk
    writes, and not by who has a number already."""
    if isinstance(state, Informing | CodeState):
        return _may_call(state.back)
    visit = visit_of(state)
    if visit is not None and visit.witness is not None:
        return False
    match state:
        case Storing() | Filing() | Withdrawing() | Turned(Why.OUT_OF_SERVICE):
            return False
        case Finished(record=record):
            return record.outcome not in _WAIT_FOR_STAFF
        case AwaitingCard(failures=failures) | AwaitingHelper(failures=failures):
            return failures > 0
        case Turned():
            return True
        case _:
            return knows_somebody(state)


def _leave(session: Session, ctx: Context) -> Transition:
    done = Home | Finished | Turned | StaffSignIn | StaffChecking | Service
    visit = visit_of(session.state)
    settled = isinstance(codes.root_of(session.state), done) or assist.staff_of(session.state)
    counts = () if settled or (visit and visit.result) else (Count("abandoned"),)
    gone = _home(session, ctx)
    return Transition(gone.session, (*counts, *gone.effects))


def _chosen(session: Session, button: Button, ctx: Context) -> Transition:
    if isinstance(session.state, AssistState):
        return _assisted(session, session.state, button, ctx)
    match session.state, button:
        case Home(), Button.START_PROOF:
            return _go(session, WhoFor(), ctx)
        case WhoFor(), Button.FOR_SELF:
            return _go(session, AwaitingCard(), ctx)
        case Confirming(Visit(result=Finished()) as visit), Button.ENTER if _unchosen(visit):
            return _as_it_stands(session, visit, ctx)
        case Confirming(visit), Button.ENTER if _to_check(visit):
            return _store(session, visit, None, Outcome.NEEDS_REVIEW, ctx)
        case Confirming(visit), Button.ENTER if visit.named_by is NamedBy.TYPED:
            return _go(session, Consenting(visit), ctx)
        case Confirming(visit, revealed), Button.REVEAL:
            return _go(session, Confirming(visit, not revealed), ctx)
        case Confirming(visit), Button.ENTER if visit.service is LetterService.PROOF:
            return _apply(session, visit, ctx)
        case Confirming(visit), Button.ENTER:
            return _go(session, Choosing(visit), ctx)
        case Choosing(visit), Button.HISTORY | Button.MINE:
            return _own(session, visit, Purpose(button.value), ctx)
        case Turned(Why.ALREADY_DONE, Visit() as visit), Button.REPRINT:
            return _own(session, visit, Purpose.REPRINT, ctx)
        case ShowingHistory(visit), Button.PROVE if visit.attempts >= ctx.policy.tries:
            return _go(session, Turned(Why.NOT_PROVEN, visit), ctx)
        case ShowingHistory(visit), Button.PROVE:
            return _go(session, Consenting(visit), ctx)
        case Mine() as state, _:
            language, order_id = session.language, session.epoch + 1
            moved, effects = mine.pressed(state, button, order_id, language, ctx)
            return _go(session, moved, ctx, *effects)
        case (Survey() | Complaint() | Saying() | Said()) as state, _:
            moved, effects = opinion.pressed(state, button, ctx)
            return _go(session, moved, ctx, *effects)
        case Choosing(visit), Button.APPLY:
            return _apply(session, replace(visit, purpose=Purpose.CERTIFY), ctx)
        case Consenting(visit), Button.AGREE:
            agreed = replace(visit, consent=_consent(session, visit, ctx, agreed=True))
            return _watch(session, agreed, ctx)
        case Consenting(Visit(result=Finished())), Button.DECLINE:
            return _to_staff(session, ctx)
        case Consenting(visit), Button.DECLINE:
            declined = replace(visit, consent=_consent(session, visit, ctx, agreed=False))
            return _store(session, declined, None, Outcome.DECLINED, ctx)
        case Pace(), Button.EASIER_NECK:
            return _to_staff(session, ctx)
        case Pace() as state, (Button.EASIER_EYES | Button.EASIER_EARS):
            return _return(replace(session, large=True), pace.eased(state, button), ctx)
        case (Retrying(visit), Button.TRY_AGAIN) | (Reviewing(visit), Button.RETAKE):
            return _watch(session, visit, ctx)
        case ((Reviewing(visit, verdict) | Retrying(visit, verdict)), Button.SUBMIT):
            passed = verdict.passed and not _flagged(visit)
            outcome = Outcome.PASSED if passed else Outcome.NEEDS_REVIEW
            return _store(session, visit, verdict, outcome, ctx)
        case Service(staff), Button.ASSIST:
            began = NoteDeed(staff.badge, Deed.ASSISTED)
            return _go(session, AssistCard(staff), ctx, began)
        case (StaffSignIn() | StaffChecking() | Service()) as state, _:
            moved, effects = service.pressed(state, button, session.epoch + 1)
            return _go(session, moved, ctx, *effects)
        case (Scanning() | CodeTold() | Reprinting()) as state, (
            Button.USE_CAMERA | Button.REPRINT | Button.TRY_AGAIN
        ):
            scanner = _has_scanner(session, ctx)
            return _moved(session, codes.pressed(state, button, session.epoch + 1, scanner), ctx)
        case state, Button.BACK:
            return _back(session, state, ctx)
        case (
            WhoFor() | ConfirmingHelper() | NamingTarget() | TypingNumber() | TypingName()
        ) as state, _:
            return _helped(session, state, button, ctx)
        case _:
            return Transition(session)


def _helped(session: Session, state: HelpingState, button: Button, ctx: Context) -> Transition:
    latin = session.language is Language.EN
    moved, effects = helping.pressed(state, button, ctx.spelling, latin=latin)
    if isinstance(moved, helping.Named):
        helper = helper_of(state)
        assert helper is not None
        return _target_typed(session, moved.card, helper, ctx)
    return _go(session, moved, ctx, *effects)


def _back(session: Session, state: State, ctx: Context) -> Transition:
    match state:
        case AwaitingCard():
            return _go(session, WhoFor(), ctx)
        case AwaitingHelper() | ConfirmingHelper() | NamingTarget() | TypingNumber() | TypingName():
            return _go(session, helping.back(state), ctx)
        case Confirming(visit) | Turned(visit=Visit() as visit) if visit.helper:
            return _go(session, NamingTarget(visit.helper), ctx)
        case Confirming(visit):
            return _from_the_card(session, visit, ctx)
        case Retrying() | Reviewing():
            return _to_consent(session, state, ctx)
        case Finished(Visit() as visit):
            return _go_on(session, state, visit, ctx)
        case Turned(visit=Visit() as visit) if visit.witness:
            return _go(session, AssistChoice(visit), ctx)
        case Turned(visit=Visit() as visit):
            return _go(session, Choosing(visit), ctx)
        case Consenting(visit) if visit.named_by is NamedBy.TYPED:
            return _go(session, Confirming(visit), ctx)
        case Informing() | Pace() | Scanning() | CodeTold() | AwaitingOwner() | Reprinting():
            return _return(session, state.back, ctx)
        case Choosing(visit):
            return _go(session, Confirming(visit), ctx)
        case Consenting(visit) if visit.purpose is not Purpose.CERTIFY:
            return _go(session, ShowingHistory(visit), ctx)
        case ShowingHistory(visit) | Consenting(visit):
            return _go(session, Choosing(visit), ctx)
        case _:
            return Transition(session)


def _from_the_card(session: Session, visit: Visit, ctx: Context) -> Transition:
    """To where the card was asked for; who laid it down unasked comes from the first screen."""
    if visit.came_from is None:
        return _leave(session, ctx)
    return _go(session, visit.came_from, ctx, Forget())


def _to_consent(session: Session, state: Retrying | Reviewing, ctx: Context) -> Transition:
    """A picture that somebody goes back from is dropped, and so is what they agreed to. What the
    last try came to stays, for the record that they may still submit."""
    ended = isinstance(state, Retrying) and state.exhausted
    visit = replace(state.visit, consent=None, last=state.verdict if ended else None)
    return _go(session, Consenting(visit), ctx, Forget())


def _go_on(session: Session, state: Finished, visit: Visit, ctx: Context) -> Transition:
    """From the result to what else there is. It stands, and is known where they are certified."""
    record, entry = state.record, visit.entry
    assert entry is not None
    fresh = replace(visit, consent=None, last=None, result=replace(state, visit=None))
    if _unchosen(visit):
        return _go(session, Confirming(fresh), ctx)
    if record.outcome is Outcome.PASSED:
        fresh = replace(fresh, entry=_certified(entry, record), attempts=0)
    return _go(session, Choosing(fresh), ctx)


def _certified(entry: RosterEntry, record: ProofRecord) -> RosterEntry:
    if not record.finished.is_sure:
        return entry
    today = record.finished.local.date()
    return replace(entry, certified_on=today, due_by=due_after(entry.cycle, today))


def _as_it_stands(session: Session, visit: Visit, ctx: Context) -> Transition:
    """Their result once more, with its number or code: nothing is filed twice."""
    assert visit.result is not None
    return _go(session, replace(visit.result, visit=visit), ctx)


def _unchosen(visit: Visit) -> bool:
    """Who comes from their data to the result without having chosen anything on the way."""
    return _to_check(visit) or visit.named_by is NamedBy.TYPED


def _return(session: Session, back: State, ctx: Context) -> Transition:
    """To where somebody was before; a try that they left begins anew."""
    if isinstance(back, Watching):
        return _watch(session, back.visit, ctx)
    return _go(session, back, ctx)


def _apply(session: Session, visit: Visit, ctx: Context) -> Transition:
    """E04: whoever is covered need not come again yet. A clock nobody trusts sends nobody away."""
    done = visit.entry is not None and ctx.now.is_sure and _covered(visit.entry, ctx.now)
    if visit.result and not (done and visit.result.paper is PaperNews.PRINTED):
        return _as_it_stands(session, visit, ctx)
    return _go(session, Turned(Why.ALREADY_DONE, visit) if done else Consenting(visit), ctx)


def _own(session: Session, visit: Visit, purpose: Purpose, ctx: Context) -> Transition:
    """Their own data: at once for who proved who they are, else this year's state alone."""
    state, effects = mine.opened(visit, purpose)
    return _go(session, state, ctx, *effects)


def _flagged(visit: Visit) -> bool:
    """E05: the registry wants staff to look first. Nobody is told why, and nobody is refused."""
    return visit.entry is not None and visit.entry.to_staff


def _to_check(visit: Visit) -> bool:
    """At once, and said so. Who was only typed goes the way of everybody, to the same end: else
    anybody could ask a kiosk who is registered as dead."""
    return visit.named_by is NamedBy.CARD and _flagged(visit)


def _covered(entry: RosterEntry, now: Stamp) -> bool:
    last = entry.certified_on
    return last is not None and is_covered(entry.cycle, last, now.local.date(), entry.early_days)


def _to_staff(session: Session, ctx: Context) -> Transition:
    """Feature 2: a person to turn to, at any moment, without a reason being asked for."""
    visit = visit_of(session.state)
    if visit is not None:
        return _store(session, visit, None, Outcome.CALLED, ctx)
    record = _call(helper_of(session.state), ctx)
    return _go(session, Storing(None, record), ctx, Forget(), Store(record))


# --- staff ---------------------------------------------------------------------


def _to_service(session: Session, state: StaffSignIn, ctx: Context) -> Transition:
    """Whoever was being served here is forgotten before staff see anything."""
    return _go(session, state, ctx, Forget())


def _assisted(session: Session, state: AssistState, button: Button, ctx: Context) -> Transition:
    match assist.pressed(state, button, session.language, ctx):
        case assist.Certify(visit, reason):
            return _vouched(session, visit, reason, ctx)
        case assist.Enrol(visit):
            return _watch(session, visit, ctx)
        case moved, effects:
            return _go(session, moved, ctx, *effects)


def _vouched(session: Session, visit: Visit, reason: AssistReason, ctx: Context) -> Transition:
    """A record that rests on a witness; whoever is covered need not come for that either (E04)."""
    assert visit.witness is not None
    if visit.entry is not None and ctx.now.is_sure and _covered(visit.entry, ctx.now):
        return _go(session, Turned(Why.ALREADY_DONE, visit), ctx)
    seen = visit.seen if visit.consent else None  # nothing of a check whose consent was let go
    outcome = Outcome.NEEDS_REVIEW if _flagged(visit) else Outcome.PASSED
    made = _record(visit, seen, outcome, ctx)
    record = replace(made, witness=visit.witness.badge, assisted_reason=reason)
    return _storing(session, visit, record, ctx)


def _scanned(session: Session, text: str, ctx: Context) -> Transition:
    """A badge opens the sign-in where its button is, or where somebody just holds up a code."""
    asked = service.scanned(text)
    state, nobody = session.state, visit_of(session.state) is None
    door = isinstance(state, StaffSignIn) or Button.STAFF_DOOR in offered(state)
    if asked and (door or (nobody and isinstance(state, Scanning))):
        return _to_service(session, asked, ctx)
    return _moved(session, codes.shown(state, text, session.epoch + 1), ctx)


def _waits_for_code(state: State, watch_id: int) -> bool:
    return isinstance(state, Scanning) and uses_camera(state) and state.watch_id == watch_id


def _has_scanner(session: Session, ctx: Context) -> bool:
    return ctx.has_scanner and "scanner" not in session.lost


# --- results of orders -------------------------------------------------------


def _answered(session: Session, event: Event, ctx: Context) -> Transition:
    if isinstance(session.state, AssistState):
        return _moved(session, assist.told(session.state, event), ctx)
    match session.state, event:
        case LookingUp(visit), RosterAnswered(key, entry, online) if key == visit.key:
            return _looked_up(session, visit, entry, online, ctx)
        case AskingRegistry(visit), RegistryAnswered(key, entry, reached) if key == visit.key:
            missing = Why.NOT_FOUND if reached else Why.NOT_REACHED
            return _known(session, visit, entry, missing, ctx)
        case Watching(watch_id=running), Watched(watch_id, progress) if watch_id == running:
            return _watched(session, progress, ctx)
        case Watching(visit, running), Judged(watch_id, verdict) if watch_id == running:
            return _judged(session, visit, verdict, ctx)
        case Watching(visit, running), WatchFailed(watch_id, fault) if watch_id == running:
            return _go(session, Turned(Why.CAMERA_DOWN, visit, fault), ctx)
        case LookingUp(visit), LookUpFailed(key) if key == visit.key:
            return _go(session, Turned(Why.STORE_DOWN, visit), ctx)
        case LookingUp(visit), HelperSpent(key) if key == visit.key:
            return _go(session, Turned(Why.HELPER_SPENT, helper=visit.helper), ctx)
        case CheckingHelper(helper), HelperChecked(key, may) if key == helper.key:
            spent = Turned(Why.HELPER_SPENT, helper=helper)
            return _go(session, NamingTarget(helper) if may else spent, ctx)
        case CheckingHelper(helper), LookUpFailed(key) if key == helper.key:
            return _go(session, Turned(Why.STORE_DOWN, helper=helper), ctx)
        case Turned(order_id=running) as state, SlipPrinted(done, fault) if (
            state.slip and done == running
        ):
            news = PaperNews.FAILED if fault else PaperNews.PRINTED
            return Transition(
                replace(session, state=replace(state, slip=news), epoch=session.epoch + 1)
            )
        case Storing(visit, record), RecordStored(record_id, online) if _same(record, record_id):
            return _stored(session, visit, record, online, ctx)
        case Storing(visit, record), StoreFailed(record_id) if _same(record, record_id):
            called = record.outcome is Outcome.CALLED
            why = Why.CALL_FAILED if called else Why.STORE_DOWN
            return _go(session, Turned(why, visit), ctx)
        case Finished() as done, (ReceiptPrinted() | ReceiptFailed()) if _same(
            done.record, event.record_id
        ):
            return _go(session, _with_paper(done, event), ctx)
        case (
            (
                Informing()
                | Scanning()
                | CheckingCode()
                | CodeTold()
                | AwaitingOwner()
                | Reprinting() as page
            ),
            (ReceiptPrinted() | ReceiptFailed() | SlipPrinted()),
        ):
            return _told_behind(session, page, event, ctx)
        case _, (ReceiptPrinted() | ReceiptFailed()):
            return _told_later(session, event)
        case (Scanning() | CheckingCode() | Reprinting()) as state, _:
            return _moved(session, codes.told(state, event), ctx)
        case (StaffSignIn() | StaffChecking() | Service()) as state, _:
            return _staff_told(session, state, event)
        case (Filing() | Withdrawing() | AskingMine() | Mine()) as state, _:
            return _moved(session, mine.told(state, event, session.epoch + 1), ctx)
        case (Saying() | Said()) as state, _:
            return _moved(session, opinion.told(state, event, session.epoch + 1), ctx)
        case _:
            return Transition(session)


def _with_paper(done: Finished, event: ReceiptPrinted | ReceiptFailed) -> Finished:
    if isinstance(event, ReceiptPrinted):
        return replace(done, paper=PaperNews.PRINTED)
    return replace(done, paper=PaperNews.FAILED, code=event.code)


def _told_behind(
    session: Session, page: Informing | CodeState, event: Event, ctx: Context
) -> Transition:
    """What became of a paper meanwhile stands there when the page of help closes."""
    told = _answered(replace(session, state=page.back), event, ctx).session.state
    if told == page.back:
        return Transition(session)
    return Transition(replace(session, state=replace(page, back=told), epoch=session.epoch + 1))


def _told_later(session: Session, event: ReceiptPrinted | ReceiptFailed) -> Transition:
    """Who went on from their result meanwhile hears of the paper where they choose."""
    state, visit = session.state, visit_of(session.state)
    result = visit.result if visit else None
    if visit is None or result is None or not _same(result.record, event.record_id):
        return Transition(session)
    told = replace(visit, result=_with_paper(result, event))
    if isinstance(state, Pace):
        state = replace(state, back=replace(state.back, visit=told))
    else:
        state = replace(state, visit=told)  # type: ignore[arg-type]
    return Transition(replace(session, state=state, epoch=session.epoch + 1))


def _staff_answered(session: Session, event: StaffAnswered, ctx: Context) -> Transition:
    notes, state = service.to_note(event), session.state
    moved = service.answered(state, event) if isinstance(state, StaffChecking) else None
    return _go(session, moved, ctx, *notes) if moved else Transition(session, notes)


def _moved(
    session: Session, move: tuple[State, tuple[Effect, ...]] | None, ctx: Context
) -> Transition:
    return _go(session, move[0], ctx, *move[1]) if move else Transition(session)


def _staff_told(session: Session, state: StaffState, event: Event) -> Transition:
    news = service.told(state, event)
    if news is None or news == state:
        return Transition(session)
    return Transition(replace(session, state=news, epoch=session.epoch + 1))


def _looked_up(
    session: Session, visit: Visit, entry: RosterEntry | None, online: bool, ctx: Context
) -> Transition:
    """Who is not on this roster may be on another: the registry is asked, if it can be."""
    entry = _theirs(visit, entry)
    if entry is None and online:
        asking = AskRegistry(visit.key, visit.card.id_number)
        return _go(session, AskingRegistry(visit), ctx, asking)
    return _known(session, visit, entry, Why.NOT_REACHED, ctx)


def _known(
    session: Session, visit: Visit, entry: RosterEntry | None, missing: Why, ctx: Context
) -> Transition:
    """Who is found nowhere gets on paper where to ask (E03)."""
    known = replace(visit, entry=_theirs(visit, entry))
    if known.entry is not None and known.witness is not None:
        return _go(session, AssistConfirm(known), ctx)
    if known.entry is not None:
        return _go(session, Confirming(known), ctx)
    order_id = session.epoch + 1
    away = Turned(missing, known, slip=PaperNews.PRINTING, order_id=order_id)
    return _go(session, away, ctx, PrintWhereToAsk(order_id))


def _theirs(visit: Visit, entry: RosterEntry | None) -> RosterEntry | None:
    """A typed number with another name is as good as unknown: nobody learns whose it is."""
    if entry is None or visit.named_by is NamedBy.CARD:
        return entry
    return entry if helping.is_of(entry, visit.card.name) else None


def _same(record: ProofRecord, record_id: RecordId) -> bool:
    return record.record_id == record_id


def _watched(session: Session, progress: WatchProgress, ctx: Context) -> Transition:
    """Following the prompts is being there: an action done starts the countdown anew."""
    assert isinstance(session.state, Watching)
    new_step = progress.step != session.state.progress.step
    asked = _action_of(progress.prompt) or (None if new_step else session.state.asked)
    moved = replace(session, state=replace(session.state, progress=progress, asked=asked))
    if new_step:
        return _countdown(moved, ctx)
    return Transition(moved)


def _watch(session: Session, visit: Visit, ctx: Context) -> Transition:
    if visit.enrolling and visit.attempts >= ctx.policy.tries:
        return _go(session, EnrolFailed(visit, _UNFINISHED, exhausted=True), ctx)
    actions = ctx.draw_actions(visit.left_out)
    if visit.attempts >= ctx.policy.tries or not actions:
        return _gave_up(session, visit, visit.last or _UNFINISHED, ctx)
    watch_id = session.epoch + 1
    progress = WatchProgress(Prompt.FRAME_FACE, None, 0, len(actions))
    slow = session.large or visit.attempts > 0
    person_id = visit.entry.person_id if visit.entry else None
    order = Watch(watch_id, actions, visit.card.photo, slow, person_id, visit.enrolling)
    return _go(session, Watching(visit, watch_id, progress), ctx, order)


def _action_of(prompt: Prompt) -> Action | None:
    return next((action for action in Action if Prompt.of(action) is prompt), None)


def _judged(session: Session, visit: Visit, verdict: Verdict, ctx: Context) -> Transition:
    """Good, or good with nothing to compare with or with a doubt that staff will look at: to the
    review. Else another try, or a person.

    A movement that did not come in time is not asked for again: not everybody can make it.
    """
    assert isinstance(session.state, Watching)
    missed = session.state.asked if Reason.TIMED_OUT in verdict.reasons else None
    left_out = visit.left_out | ({missed} if missed else set())
    tried = replace(visit, attempts=visit.attempts + 1, left_out=left_out)
    if tried.enrolling:
        return _enrol_judged(session, tried, verdict, ctx)
    undecided = verdict.reference is Reference.NONE or Reason.OLD_PHOTO in verdict.reasons
    good = verdict.live and (verdict.alike or undecided)
    if good and visit.purpose is not Purpose.CERTIFY:
        return _proved(session, tried, verdict, ctx)
    if good:
        may_retake = tried.attempts < ctx.policy.tries
        return _go(session, Reviewing(tried, verdict, may_retake), ctx)
    if tried.attempts >= ctx.policy.tries:
        return _gave_up(session, tried, verdict, ctx)
    return _go(session, Retrying(tried, verdict, False), ctx)


def _gave_up(session: Session, visit: Visit, verdict: Verdict, ctx: Context) -> Transition:
    if visit.purpose is Purpose.CERTIFY:
        return _go(session, Retrying(visit, verdict, exhausted=True), ctx)
    return _proved(session, visit, verdict, ctx)


def _proved(session: Session, visit: Visit, verdict: Verdict, ctx: Context) -> Transition:
    """Who it is, or that it could not be told; nobody is certified by either."""
    matter = ctx.matter(visit, MatterKind.ACCESS, verdict=verdict)
    state, effects = mine.proved(visit, matter)
    return _go(session, state, ctx, Forget(), *effects)


def _enrol_judged(session: Session, visit: Visit, verdict: Verdict, ctx: Context) -> Transition:
    """Staff say who it is; the camera, that it is somebody alive, and not plainly somebody else
    than on the card: a typed name has no photo that would keep such a template from counting."""
    unlike = verdict.reference is Reference.CHIP and Reason.NOT_ALIKE in verdict.reasons
    if verdict.live and not verdict.doubted and not unlike:
        return _go(session, EnrolReviewing(visit, verdict), ctx)
    exhausted = visit.attempts >= ctx.policy.tries
    return _go(session, EnrolFailed(visit, verdict, exhausted), ctx)


_UNFINISHED = Verdict(
    live=False,
    actions=(),
    liveness=None,
    likeness=None,
    reference=Reference.NONE,
    reasons=(Reason.TIMED_OUT,),
    frames=0,
    seconds=0.0,
)
"""What is known when the last try was left before its end."""


# --- the record --------------------------------------------------------------


def _consent(session: Session, visit: Visit, ctx: Context, *, agreed: bool) -> Consent:
    own = visit.purpose is not Purpose.CERTIFY
    texts = ctx.own_texts if own else ctx.consent_texts
    return ctx.consent(texts, session.language, agreed=agreed)


def _store(
    session: Session, visit: Visit, verdict: Verdict | None, outcome: Outcome, ctx: Context
) -> Transition:
    record = _record(visit, verdict, outcome, ctx)
    return _storing(session, visit, record, ctx)


def _storing(session: Session, visit: Visit, record: ProofRecord, ctx: Context) -> Transition:
    store = Store(record, _due_by(visit, record))
    return _go(session, Storing(visit, record), ctx, Forget(), store)


def _record(visit: Visit, verdict: Verdict | None, outcome: Outcome, ctx: Context) -> ProofRecord:
    reasons: tuple[Reason, ...] = verdict.reasons if verdict else ()
    helper = visit.helper
    return ProofRecord(
        record_id=ctx.new_record_id(),
        kiosk_id=ctx.kiosk_id,
        site=ctx.site,
        subject=_subject(visit),
        person_id=visit.entry.person_id if visit.entry else None,
        outcome=outcome,
        reasons=reasons,
        consent=visit.consent,
        verdict=verdict,
        attempts=visit.attempts,
        receipt_no=ctx.new_receipt_no(),
        reader_id=visit.reader_id,
        started=visit.started,
        finished=ctx.now,
        provenance=ctx.provenance,
        software=ctx.software,
        helper=_subject(helper) if helper else None,
        named_by=visit.named_by,
        ticket=ctx.ticket if outcome in _WAIT_FOR_STAFF or _to_check(visit) else "",
    )


_WAIT_FOR_STAFF = (Outcome.DECLINED, Outcome.CALLED)


def _subject(who: Visit | Helper) -> Subject:
    card = who.card
    return Subject(card.name, card.id_number, card.kind, who.flags)


def _call(helper: Helper | None, ctx: Context) -> ProofRecord:
    """A call by somebody whom no card has named yet, as helper at most."""
    return ProofRecord(
        record_id=ctx.new_record_id(),
        kiosk_id=ctx.kiosk_id,
        site=ctx.site,
        subject=NOBODY,
        person_id=None,
        outcome=Outcome.CALLED,
        reasons=(),
        consent=None,
        verdict=None,
        attempts=0,
        receipt_no=ctx.new_receipt_no(),
        reader_id=helper.reader_id if helper else "",
        started=helper.started if helper else ctx.now,
        finished=ctx.now,
        provenance=ctx.provenance,
        software=ctx.software,
        helper=_subject(helper) if helper else None,
        ticket=ctx.ticket,
    )


def _stored(
    session: Session, visit: Visit | None, record: ProofRecord, online: bool, ctx: Context
) -> Transition:
    done = Finished(visit, record, online, PaperNews.PRINTING)
    return _go(session, done, ctx, PrintReceipt(record, online, _due_by(visit, record)))


def _due_by(visit: Visit | None, record: ProofRecord) -> date | None:
    """Until when to come again; unknown off the roster, and when the clock cannot be trusted.

    Of a typed target nothing is told that the roster knows.
    """
    if visit is None or visit.entry is None:
        return None
    if record.outcome is not Outcome.PASSED:
        return visit.entry.due_by if visit.named_by is NamedBy.CARD else None
    return (
        due_after(visit.entry.cycle, record.finished.local.date())
        if record.finished.is_sure
        else None
    )

"""The machine under anything that can happen, in any order: its invariants hold."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from edge.domain.errors import Fault
from edge.domain.health import DeviceState
from edge.domain.matters import Matter, MatterKind
from edge.domain.people import CardKey, mask_name
from edge.domain.record import Outcome, RecordId
from edge.domain.staff import Deed, Permission, Refusal, StaffMember
from edge.session import effects as fx
from edge.session.assist_states import AssistCard, Enrolling
from edge.session.codes_states import (
    AwaitingOwner,
    CheckingCode,
    CodeState,
    CopyNews,
    Reprinting,
    Scanning,
    ScanWay,
)
from edge.session.events import (
    Button,
    CardFailed,
    CardRead,
    CardRemoved,
    CodeChecked,
    CodeScanned,
    CodeSeen,
    CopyTold,
    DevicesLost,
    Event,
    Examined,
    FactsTold,
    Focused,
    HelperChecked,
    HelperSpent,
    HistoryAnswered,
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
    TemplateDeleted,
    TemplateFailed,
    TemplateKept,
    TimerFired,
    Touched,
    VolumeTold,
    Watched,
    WatchFailed,
)
from edge.session.helping_states import (
    AwaitingHelper,
    CheckingHelper,
    NamingTarget,
    TypingName,
    TypingNumber,
    WhoFor,
)
from edge.session.machine import offered, start, step
from edge.session.mine_states import AskingMine, Filing, Mine, Said, Saying, Withdrawing
from edge.session.staff_states import Service, ServicePage, StaffChecking, StaffSignIn
from edge.session.states import (
    AskingRegistry,
    AwaitingCard,
    Choosing,
    Finished,
    Home,
    Informing,
    Language,
    LookingUp,
    Reviewing,
    State,
    Storing,
    Turned,
    Watching,
    Why,
    uses_camera,
    visit_of,
)
from tests.own_world import HELD
from tests.session_world import ENTRY, KEY, LAID_DOWN, NAME, NUMBER, World, progress, verdict
from tests.ui_world import BADGE, CLERK, CODE, DEVICES, FOUND, PAPER, TECHNICIAN, WELL

PIN = "135790"
HELPS = CardRead(
    replace(LAID_DOWN.card, name="王小明", id_number="100000197001010012"),
    CardKey("b" * 64),
    (),
    LAID_DOWN.reader_id,
)
"""Somebody who helps lays down their own card."""


CODES = st.sampled_from([CODE, "jianzai-letter:proof", f"jianzai-badge:{BADGE}", "6901028075763"])


def behind(state: State) -> State:
    """What somebody was doing before they went aside."""
    return behind(state.back) if isinstance(state, Informing | CodeState) else state


class SessionWalk(RuleBasedStateMachine):
    """Plays disk, camera, roster and printer as well, honestly or late."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        first = start(Language.ZH)
        self.session = first.session
        self.camera_open = False
        self.deeds: list[Deed] = []
        self.stored: set[RecordId] = set()
        self.ordered: set[RecordId] = set()
        self.laid: set[CardKey] = set()  # cards, since somebody was at the first screen
        self.kept: list[Outcome] = []  # what the disk has of this visit
        self.armed = True

    def feed(self, event: Event) -> None:
        before = self.session
        if isinstance(before.state, Home):
            self.laid.clear()
            self.kept.clear()
        if isinstance(event, CardRead):
            self.laid.add(event.key)
        moved = step(before, event, self.world.context())
        self.session = moved.session
        if moved.session.state != before.state and not isinstance(event, Watched):
            assert moved.session.epoch > before.epoch
        for effect in moved.effects:
            self.check(effect)

    def check(self, effect: fx.Effect) -> None:
        match effect:
            case fx.ArmReader():
                self.armed = True
            case fx.Watch():
                visit = visit_of(self.session.state)
                assert visit is not None
                assert visit.consent is not None
                assert visit.consent.agreed
                self.camera_open = True
            case fx.View():
                assert isinstance(self.session.state, Service)
                self.camera_open = True
            case fx.LookForCode():
                state = self.session.state
                assert isinstance(state, Scanning), "only somebody who scans opens it for codes"
                assert state.way is ScanWay.CAMERA
                self.camera_open = True
            case fx.PrintCopy(_, key):
                assert isinstance(self.session.state, Reprinting)
                assert key in self.laid, "a copy goes to whose card was read, not typed"
            case fx.NoteDeed(_, deed):
                self.deeds.append(deed)
            case fx.CheckStaff(_, badge, pin):
                assert len(badge) == len(pin) == 6
            case fx.Power():
                assert isinstance(self.session.state, Service)
                assert self.session.state.staff.may(Permission.POWER)
                assert self.deeds[-1] in (Deed.POWER_OFF, Deed.RESTART)
            case fx.StopWatching() | fx.Forget():
                self.camera_open = False
            case fx.Store(record):
                assert record.record_id not in self.ordered
                self.ordered.add(record.record_id)
                assert bool(record.witness) == (record.assisted_reason is not None)
                assert record.witness or record.outcome is not Outcome.PASSED or record.verdict
                assert (record.verdict is None) or (record.consent and record.consent.agreed)
            case fx.LookUp(key, helper):
                assert helper != key
                self.kept.clear()
            case fx.File(what):
                record_id = what.matter_id if isinstance(what, Matter) else what.opinion_id
                assert record_id not in self.ordered
                self.ordered.add(record_id)
                if isinstance(what, Matter) and what.kind is MatterKind.ACCESS:
                    assert what.badge in ("", BADGE)
                    if not what.badge:
                        assert what.consent is not None
                        assert what.consent.agreed
                        assert what.consent.version == "o1"
            case fx.AskHistory(access=access):
                assert access in self.stored, "the proof is on the disk before anything is asked"
            case fx.KeepTemplate(made):
                assert made.consent is not None
                assert made.consent.agreed
                assert made.badge == BADGE
                assert made.expires is not None
            case fx.DeleteTemplate(gone):
                assert gone.consent is not None
                assert not gone.consent.agreed
            case fx.PrintReceipt(record):
                assert record.record_id in self.stored

    @rule(button=st.sampled_from(Button))
    def press(self, button: Button) -> None:
        before = self.session
        self.feed(Pressed(button))
        anywhere = (
            *(Button.LANGUAGE_EN, Button.LANGUAGE_ZH, Button.LARGE_PRINT),
            *(Button.MORE_TIME, Button.REPEAT, Button.TURN_PAGE, Button.LOUDER, Button.SOFTER),
        )
        if button not in offered(before.state) and button not in anywhere:
            assert self.session == before

    @rule(data=st.data())
    def press_what_is_shown(self, data: st.DataObject) -> None:
        buttons = offered(self.session.state)
        if buttons:
            self.feed(Pressed(data.draw(st.sampled_from(buttons))))

    @rule()
    def touch(self) -> None:
        self.feed(Touched())

    @rule(button=st.sampled_from(Button))
    def go_through_the_keys(self, button: Button) -> None:
        """Physical keys only speak; what counts as a touch is all they do."""
        before = self.session
        self.feed(Focused(button))
        assert self.session.state == before.state

    @rule()
    def lay_card(self) -> None:
        if self.armed:
            self.armed = False  # the reader reads one card and waits for the next order
            self.feed(LAID_DOWN)

    @rule()
    def lay_helpers_card(self) -> None:
        if self.armed:
            self.armed = False
            self.feed(HELPS)

    @rule()
    def help_somebody(self) -> None:
        """As far as the question for whom; a random walk seldom comes there."""
        if isinstance(self.session.state, Home):
            self.feed(Pressed(Button.START_PROOF))
            self.feed(Pressed(Button.FOR_OTHER))
            self.lay_helpers_card()
            self.feed(Pressed(Button.ENTER))
            self.feed(HelperChecked(HELPS.key, may=True))

    @rule()
    def type_number(self) -> None:
        self.feed(Pressed(Button.TYPE))
        for digit in NUMBER[:17]:
            self.feed(Pressed(Button(f"digit_{digit}")))
        self.feed(Pressed(Button.KEY_X if NUMBER[17] == "X" else Button(f"digit_{NUMBER[17]}")))
        self.feed(Pressed(Button.OK))

    @rule()
    def type_name(self) -> None:
        for button in (Button.DIGIT_5, Button.DIGIT_4, Button.SPELT, Button.PICK_1, Button.PICK_1):
            self.feed(Pressed(button))
        self.feed(Pressed(Button.OK))

    @rule(may=st.booleans(), mine=st.booleans())
    def helper_checked(self, may: bool, mine: bool) -> None:
        self.feed(HelperChecked(HELPS.key if mine else KEY, may))

    @rule(mine=st.booleans())
    def helper_spent(self, mine: bool) -> None:
        self.feed(HelperSpent(KEY if mine else HELPS.key))

    @rule(steps=st.integers(1, 7))
    def go_on(self, steps: int) -> None:
        """The way most people go; without it a random walk hardly leaves the first screens."""
        for _ in range(steps):
            self.next_good_thing()
            self.the_camera_is_open_only_while_watching()

    def next_good_thing(self) -> None:
        match self.session.state:
            case Home() | WhoFor() | AwaitingCard():
                self.lay_card()
            case AwaitingHelper():
                self.lay_helpers_card()
            case CheckingHelper(helper):
                self.feed(HelperChecked(helper.key, may=True))
            case NamingTarget():
                self.lay_card()
            case TypingNumber(typed=typed) if len(typed) < 18:
                self.type_number()
            case TypingName(name="", options=()):
                self.type_name()
            case LookingUp(visit):
                name = mask_name(visit.card.name)  # typed ones fit too, else they lead nowhere
                self.feed(RosterAnswered(KEY, replace(ENTRY, masked_name=name)))
            case AskingRegistry():
                self.feed(RegistryAnswered(KEY, ENTRY, reached=True))
            case Watching():
                self.judged(late=0, live=True, alike=True)
            case Storing():
                self.disk(online=True, works=True)
            case Filing() | Saying() | AskingMine() | Withdrawing():
                self.own_answered(late=0, works=True, reached=True)
            case AssistCard():
                self.lay_card()
            case Enrolling():
                self.template(works=True, late=False)
            case StaffSignIn():
                self.sign_in(asks=True)
            case StaffChecking():
                self.staff_answered(late=0, result=TECHNICIAN)
            case CheckingCode():
                self.code_checked(late=0, genuine=True, here=True)
            case AwaitingOwner():
                self.lay_card()
            case Service(page=ServicePage.GOING):
                self.timer(late=0)
            case Turned(Why.OUT_OF_SERVICE):
                self.feed(StoreBack())
            case state:
                self.feed(Pressed(offered(state)[0]))

    @rule(chosen=st.sampled_from([Button.HISTORY, Button.MINE]), steps=st.integers(1, 6))
    def see_own_data(self, chosen: Button, steps: int) -> None:
        """From the choice to the pages behind the camera check, as far as it gets."""
        if isinstance(self.session.state, Choosing):
            self.feed(Pressed(chosen))
            self.go_on(steps)

    @rule(fault=st.sampled_from(Fault))
    def card_fails(self, fault: Fault) -> None:
        self.feed(CardFailed(fault))

    @rule()
    def reader_comes_back(self) -> None:
        self.feed(ReaderBack())

    @rule(works=st.booleans())
    def disk_news(self, works: bool) -> None:
        served = visit_of(self.session.state)
        self.feed(StoreBack() if works else StoreLost())
        assert visit_of(self.session.state) == served

    @rule(text=st.one_of(st.text(max_size=20), CODES))
    def show_a_code(self, text: str) -> None:
        self.feed(CodeScanned(text))

    @rule(text=CODES, late=st.integers(0, 1))
    def show_the_camera_a_code(self, text: str | None, late: int) -> None:
        state = self.session.state
        watch_id = state.watch_id if isinstance(state, Scanning) else 0
        self.feed(CodeSeen(watch_id - late, text))

    @rule(asks=st.booleans())
    def scan_without_a_scanner(self, asks: bool) -> None:
        """As far as the notice, or to the open camera."""
        self.feed(DevicesLost(("scanner",)))
        self.feed(Pressed(Button.SCAN))
        if asks:
            self.feed(Pressed(Button.USE_CAMERA))

    @rule()
    def ask_for_a_copy(self) -> None:
        """From wherever codes can be scanned."""
        self.feed(Pressed(Button.SCAN))
        self.feed(CodeScanned(CODE))
        self.code_checked(late=0, genuine=True, here=True)
        self.feed(Pressed(Button.REPRINT))

    @rule(steps=st.integers(1, 6))
    def help_by_typing(self, steps: int) -> None:
        self.help_somebody()
        if isinstance(self.session.state, NamingTarget):
            self.type_number()
            self.type_name()
            self.go_on(steps)

    @rule(late=st.integers(0, 1), genuine=st.booleans(), here=st.booleans())
    def code_checked(self, late: int, genuine: bool, here: bool) -> None:
        state = self.session.state
        check_id = state.check_id if isinstance(state, CheckingCode) else 0
        self.feed(CodeChecked(check_id - late, PAPER if genuine else None, here))

    @rule(late=st.integers(0, 1), news=st.sampled_from(CopyNews))
    def copy_told(self, late: int, news: CopyNews) -> None:
        state = self.session.state
        order_id = state.order_id if isinstance(state, Reprinting) else 0
        self.feed(CopyTold(order_id - late, news))

    @rule(names=st.sets(st.sampled_from(("camera", "printer", "card_reader"))))
    def lose_devices(self, names: set[str]) -> None:
        before = self.session
        self.feed(DevicesLost(tuple(sorted(names))))
        assert self.session.state == before.state
        assert self.session.deadline_ns == before.deadline_ns

    @rule(asks=st.booleans())
    def sign_in(self, asks: bool) -> None:
        """As far as the PIN, or to the question that goes with it."""
        self.feed(CodeScanned(f"jianzai-badge:{BADGE}"))
        if isinstance(self.session.state, StaffSignIn) and asks:
            for digit in PIN:
                self.feed(Pressed(Button(f"digit_{digit}")))
            self.feed(Pressed(Button.OK))

    @rule(late=st.integers(0, 2), result=st.sampled_from([TECHNICIAN, CLERK, *Refusal]))
    def staff_answered(self, late: int, result: StaffMember | Refusal) -> None:
        before = self.session.state
        check_id = before.check_id if isinstance(before, StaffChecking) else 0
        deed = Deed.SIGNED_IN if isinstance(result, StaffMember) else Deed.FAILED
        self.feed(StaffAnswered(check_id - late, result, BADGE, deed))
        assert self.deeds[-1] is deed, "written down also when nobody waits any more"
        if late or not isinstance(before, StaffChecking):
            assert self.session.state == before

    @rule(devices=st.sampled_from([(), DEVICES, DEVICES[:1]]))
    def facts(self, devices: tuple[DeviceState, ...]) -> None:
        self.feed(FactsTold(replace(WELL, devices=devices)))

    @rule(late=st.integers(0, 1), fault=st.sampled_from([None, *Fault]))
    def service_news(self, late: int, fault: Fault | None) -> None:
        state = self.session.state
        order_id = (state.order_id if isinstance(state, Service) else 0) - late
        for event in (Examined(order_id, FOUND), SlipPrinted(order_id, fault), VolumeTold(40)):
            self.feed(event)
        self.feed(WatchFailed(order_id, fault or Fault.SILENT))

    @rule(works=st.booleans(), late=st.booleans())
    def template(self, works: bool, late: bool) -> None:
        """The disk keeps it, or cannot."""
        state = self.session.state
        change = state.event if isinstance(state, Enrolling) else None
        event_id = RecordId("other") if late or change is None else change.event_id
        self.feed(TemplateKept(event_id) if works else TemplateFailed(event_id))
        if late:
            assert self.session.state == state

    @rule()
    def lift_card(self) -> None:
        self.feed(CardRemoved())

    @rule(known=st.booleans(), done=st.booleans(), mine=st.booleans(), online=st.booleans())
    def roster(self, known: bool, done: bool, mine: bool, online: bool) -> None:
        seen = replace(ENTRY, certified_on=ENTRY.due_by if done else None, to_staff=done and online)
        entry = seen if known else None
        self.feed(RosterAnswered(KEY if mine else CardKey("f" * 64), entry, online))

    @rule(known=st.booleans(), mine=st.booleans(), reached=st.booleans())
    def registry(self, known: bool, mine: bool, reached: bool) -> None:
        entry = ENTRY if known and reached else None
        self.feed(RegistryAnswered(KEY if mine else CardKey("f" * 64), entry, reached))

    @rule()
    def roster_fails(self) -> None:
        self.feed(LookUpFailed(KEY))

    @rule(late=st.integers(0, 2), seen=st.integers(0, 4))
    def watched(self, late: int, seen: int) -> None:
        self.feed(Watched(self.watch_id() - late, progress(seen)))

    @rule(late=st.integers(0, 2), live=st.booleans(), alike=st.sampled_from([True, False, None]))
    def judged(self, late: int, live: bool, alike: bool | None) -> None:
        self.feed(Judged(self.watch_id() - late, verdict(live=live, alike=alike)))

    @rule(fault=st.sampled_from(Fault))
    def camera_fails(self, fault: Fault) -> None:
        self.feed(WatchFailed(self.watch_id(), fault))

    @rule(online=st.booleans(), works=st.booleans())
    def disk(self, online: bool, works: bool) -> None:
        state = self.session.state
        if not isinstance(state, Storing):
            return
        record_id = state.record.record_id
        if works:
            self.stored.add(record_id)
            self.kept.append(state.record.outcome)
            self.feed(RecordStored(record_id, online))
            assert isinstance(self.session.state, Finished)
            calls = self.kept.count(Outcome.CALLED)
            assert calls <= 1
            assert len(self.kept) - calls <= 1, "nothing is filed twice, however one goes back"
        else:
            self.feed(StoreFailed(record_id))

    @rule(late=st.integers(0, 1), works=st.booleans(), reached=st.booleans())
    def own_answered(self, late: int, works: bool, reached: bool) -> None:
        """What comes of orders about somebody's own data, and of opinions; late ones of others."""
        before = self.session.state
        match before:
            case Filing(matter=matter):
                self.filed(matter.matter_id, late, works)
            case Saying(opinion):
                self.filed(opinion.opinion_id, late, works)
            case AskingMine():
                key = CardKey("f" * 64) if late else KEY
                self.feed(HistoryAnswered(key, HELD if works and reached else None, reached))
            case Withdrawing(event=event):
                event_id = RecordId("other") if late else event.event_id
                self.feed(TemplateDeleted(event_id, reached) if works else TemplateFailed(event_id))
            case Mine(order_id=order_id) | Said(order_id=order_id):
                self.feed(SlipPrinted(order_id - late, None if works else Fault.EMPTY))
                return
            case _:
                return
        assert (self.session.state == before) == bool(late)

    def filed(self, record_id: RecordId, late: int, works: bool) -> None:
        told = RecordId("other") if late else record_id
        if works and not late:
            self.stored.add(record_id)
        self.feed(RecordStored(told, works) if works else StoreFailed(told))

    @rule(works=st.booleans(), foreign=st.booleans())
    def printer(self, works: bool, foreign: bool) -> None:
        state = self.session.state
        own = state.record.record_id if isinstance(state, Finished) else RecordId("none")
        record_id = RecordId("other") if foreign else own
        self.feed(ReceiptPrinted(record_id) if works else ReceiptFailed(record_id, Fault.EMPTY))

    @rule(late=st.integers(0, 3))
    def timer(self, late: int) -> None:
        self.feed(TimerFired(self.session.timer - late))

    @rule(late=st.integers(0, 1))
    def reminder(self, late: int) -> None:
        self.feed(Reminded(self.session.reminder - late))

    def watch_id(self) -> int:
        state = self.session.state
        return state.watch_id if isinstance(state, Watching | Scanning) else 0

    @invariant()
    def the_camera_is_open_only_while_watching(self) -> None:
        assert self.camera_open == uses_camera(self.session.state)

    @invariant()
    def where_a_card_may_be_laid_down_the_reader_listens(self) -> None:
        if isinstance(self.session.state, AwaitingOwner):
            assert self.armed
        if isinstance(
            self.session.state,
            AssistCard
            | Home
            | WhoFor
            | AwaitingHelper
            | NamingTarget
            | AwaitingCard
            | StaffSignIn
            | StaffChecking,
        ):
            assert self.armed

    @invariant()
    def a_helper_stays_a_helper(self) -> None:
        """Whom it is for and who helps are two people, in the record as well (M17)."""
        state = self.session.state
        visit, record = visit_of(state), getattr(state, "record", None)
        if visit is not None and visit.helper is not None:
            assert visit.helper.key != visit.key
        if record is not None and record.helper is not None:
            assert record.helper.id_number != record.subject.id_number

    @invariant()
    def nobody_is_named(self) -> None:
        text = repr(self.session)
        assert NUMBER not in text
        assert BADGE not in text
        assert PIN[:3] not in text
        assert NAME not in text
        assert HELPS.card.name not in text
        assert HELPS.card.id_number not in text
        assert NUMBER[:9] not in text

    @invariant()
    def only_home_and_out_of_service_have_no_end(self) -> None:
        state = self.session.state
        endless = isinstance(state, Home) or state == Turned(Why.OUT_OF_SERVICE)
        assert (self.session.deadline_ns is None) == endless

    @invariant()
    def own_data_are_shown_to_who_proved_it_in_this_visit(self) -> None:
        state = self.session.state
        visit = visit_of(state)
        if isinstance(state, Mine):
            assert state.visit.proven in self.stored
        if visit is not None and visit.held is not None:
            assert visit.proven in self.stored

    @invariant()
    def home_knows_nobody(self) -> None:
        if isinstance(self.session.state, Home):
            assert visit_of(self.session.state) is None

    @invariant()
    def there_is_always_a_way_on(self) -> None:
        state = self.session.state
        buttons = offered(state)
        waiting = not buttons
        ways = {Button.HOME, Button.EXIT, Button.START_PROOF, Button.STAFF_DOOR}
        assert waiting or set(buttons) & ways
        visit = visit_of(state)
        open_matter = visit is not None and not visit.witness and not waiting
        if open_matter and not isinstance(state, Finished):
            settled = isinstance(behind(state), Finished)
            staff = {Button.CALL_STAFF, Button.DECLINE} & set(buttons)
            assert staff or settled

    @invariant()
    def review_only_of_a_living_person(self) -> None:
        if isinstance(self.session.state, Reviewing):
            assert self.session.state.verdict.live


SessionWalk.TestCase.settings = settings(max_examples=250, stateful_step_count=40, deadline=None)
TestSessionWalk = SessionWalk.TestCase

"""Staff serve a resident: witness, template, withdrawal."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from edge.domain.challenge import Reason
from edge.domain.matters import Matter, MatterKind
from edge.domain.people import PersonId
from edge.domain.record import AssistReason, Outcome
from edge.domain.staff import Deed, Permission, StaffMember
from edge.domain.templates import TemplateChange
from edge.domain.timebase import ClockTrust
from edge.session import effects as fx
from edge.session.assist_states import (
    AssistCard,
    AssistChoice,
    AssistConfirm,
    EnrolConsenting,
    EnrolFailed,
    Enrolled,
    Enrolling,
    EnrolReviewing,
    Vouching,
)
from edge.session.events import (
    Button,
    Event,
    HistoryAnswered,
    Judged,
    Pressed,
    RecordStored,
    RosterAnswered,
    SlipPrinted,
    StoreFailed,
    TemplateDeleted,
    TemplateFailed,
    TemplateKept,
    TimerFired,
)
from edge.session.machine import offered, step
from edge.session.mine_states import Mine, MinePage, Print
from edge.session.staff_states import Service
from edge.session.states import (
    Finished,
    Home,
    Language,
    LookingUp,
    Session,
    Storing,
    Turned,
    Watching,
    Why,
)
from tests.own_world import HELD
from tests.session_world import ENTRY, KEY, LAID_DOWN, World, verdict
from tests.ui_world import BADGE, CLERK


class Counter:
    """One signed-in clerk and the machine."""

    def __init__(self, entry: object = ENTRY) -> None:
        self.world = World()
        self.session = Session(Service(CLERK), Language.ZH)
        self.effects: list[fx.Effect] = []
        self.entry = entry

    def feed(self, event: Event) -> None:
        moved = step(self.session, event, self.world.context())
        self.session = moved.session
        self.effects = list(moved.effects)

    def press(self, *buttons: Button) -> None:
        for button in buttons:
            assert button in offered(self.session.state), (button, self.session.state)
            self.feed(Pressed(button))

    def resident(self) -> None:
        self.press(Button.ASSIST)
        self.feed(LAID_DOWN)
        self.feed(RosterAnswered(KEY, self.entry))  # type: ignore[arg-type]

    def effect(self, kind: type) -> object:
        (found,) = [each for each in self.effects if isinstance(each, kind)]
        return found

    def opened(self) -> None:
        """As far as the resident's own data."""
        self.resident()
        self.press(Button.CONFIRM, Button.MINE)
        order = self.effect(fx.File)
        assert isinstance(order, fx.File)
        assert isinstance(order.what, Matter)
        self.feed(RecordStored(order.what.matter_id, online=True))
        self.feed(HistoryAnswered(KEY, HELD, reached=True))

    def enrolling(self) -> fx.KeepTemplate:
        self.resident()
        self.press(Button.CONFIRM, Button.ENROL, Button.AGREE)
        state = self.session.state
        assert isinstance(state, Watching)
        self.feed(Judged(state.watch_id, verdict(alike=None)))
        self.press(Button.SUBMIT)
        keep = self.effect(fx.KeepTemplate)
        assert isinstance(keep, fx.KeepTemplate)
        return keep

    def enrolled(self) -> Enrolled:
        self.feed(TemplateKept(self.enrolling().event.event_id))
        done = self.session.state
        assert isinstance(done, Enrolled)
        return done


def test_only_who_may_bear_witness_is_offered_it() -> None:
    technician = StaffMember(BADGE, frozenset({Permission.SERVICE, Permission.POWER}))
    assert Button.ASSIST in offered(Service(CLERK))
    assert Button.ASSIST not in offered(Service(technician))


def test_another_persons_card_leads_back_to_the_reader_and_they_are_forgotten() -> None:
    counter = Counter()
    counter.resident()
    counter.press(Button.BACK)
    assert isinstance(counter.session.state, AssistCard)
    assert counter.effect(fx.Forget) == fx.Forget()
    assert counter.effect(fx.ArmReader) == fx.ArmReader()


def test_a_witness_names_the_reason_and_the_record_names_the_witness() -> None:
    counter = Counter()
    counter.resident()
    assert counter.session.state == AssistConfirm(replace(counter.session.state.visit))  # type: ignore[union-attr]
    counter.press(Button.CONFIRM, Button.VOUCH, Button.NEXT, Button.REASON_DEAF)
    assert isinstance(counter.session.state, Vouching)
    counter.press(Button.CONFIRM)
    stored = counter.effect(fx.Store)
    assert isinstance(stored, fx.Store)
    record = stored.record
    assert record.outcome is Outcome.PASSED
    assert (record.witness, record.assisted_reason) == (BADGE, AssistReason.DEAF)
    assert record.verdict is None
    assert record.consent is None
    assert BADGE not in repr(record)
    counter.feed(RecordStored(record.record_id, online=True))
    assert isinstance(counter.session.state, Finished)
    counter.press(Button.EXIT)
    assert isinstance(counter.session.state, Home)
    assert counter.effect(fx.NoteDeed) == fx.NoteDeed(BADGE, Deed.SIGNED_OUT)
    assert not any(isinstance(each, fx.Count) for each in counter.effects)


def test_every_reason_can_be_reached_three_choices_at_a_time() -> None:
    counter = Counter()
    counter.resident()
    counter.press(Button.CONFIRM, Button.VOUCH)
    seen: set[Button] = set()
    for _ in range(3):
        shown = offered(counter.session.state)
        seen |= {button for button in shown if button.value.startswith("reason_")}
        assert len([b for b in shown if b not in (Button.BACK, Button.HOME)]) <= 3
        counter.press(Button.NEXT)
    assert {button.value.removeprefix("reason_") for button in seen} == {
        reason.value for reason in AssistReason
    }


def test_e04_whoever_is_covered_is_not_vouched_for_again() -> None:
    counter = Counter(replace(ENTRY, certified_on=date(2026, 3, 1)))
    counter.resident()
    counter.press(Button.CONFIRM, Button.VOUCH, Button.REASON_BLIND, Button.CONFIRM)
    assert isinstance(counter.session.state, Turned)
    assert counter.session.state.why is Why.ALREADY_DONE


def test_e03_staff_too_hear_that_somebody_is_not_on_the_roster() -> None:
    counter = Counter(None)
    counter.resident()
    assert isinstance(counter.session.state, Turned)


def test_enrolment_asks_the_resident_with_its_own_text_and_two_equal_answers() -> None:
    counter = Counter()
    counter.resident()
    counter.press(Button.CONFIRM, Button.ENROL)
    assert isinstance(counter.session.state, EnrolConsenting)
    assert not any(isinstance(each, fx.Watch) for each in counter.effects)
    counter.press(Button.DECLINE)
    assert isinstance(counter.session.state, AssistChoice)
    assert counter.session.state.visit.consent is None
    counter.press(Button.ENROL, Button.AGREE)
    watch = counter.effect(fx.Watch)
    assert isinstance(watch, fx.Watch)
    assert watch.enrol
    assert watch.person_id == ENTRY.person_id
    consent = counter.session.state.visit.consent  # type: ignore[union-attr]
    assert consent is not None
    assert (consent.version, consent.agreed) == ("e1", True)


def test_a_template_is_kept_under_the_witness_until_the_next_cycle_and_a_month() -> None:
    done = Counter().enrolled()
    assert done.event.change is TemplateChange.ENROLLED
    assert done.event.badge == BADGE
    assert done.event.person_id == PersonId("p-1")
    assert done.event.expires == date(2028, 1, 30)
    assert done.event.card_alike is None
    assert BADGE not in repr(done)


def test_without_a_clock_it_is_kept_until_this_cycle_and_a_month() -> None:
    counter = Counter()
    context = counter.world.context
    unsure = replace(context().now, trust=ClockTrust.FLOOR)
    counter.world.context = lambda **_: context(now=unsure)  # type: ignore[method-assign]
    assert counter.enrolled().event.expires == date(2027, 1, 30)


def test_after_enrolment_the_witness_may_certify_with_what_the_camera_saw() -> None:
    counter = Counter()
    seen = counter.enrolled().seen
    counter.press(Button.VOUCH, Button.NEXT, Button.NEXT, Button.REASON_UNDECIDED, Button.CONFIRM)
    stored = counter.effect(fx.Store)
    assert isinstance(stored, fx.Store)
    assert stored.record.verdict == seen
    assert stored.record.consent is not None
    assert stored.record.witness == BADGE


def test_nobody_is_enrolled_who_was_not_seen_alive_and_tries_end() -> None:
    counter = Counter()
    counter.resident()
    counter.press(Button.CONFIRM, Button.ENROL, Button.AGREE)
    for left in (2, 1, 0):
        state = counter.session.state
        assert isinstance(state, Watching)
        counter.feed(Judged(state.watch_id, verdict(live=False)))
        failed = counter.session.state
        assert isinstance(failed, EnrolFailed)
        assert failed.exhausted == (left == 0)
        if left:
            counter.press(Button.TRY_AGAIN)
    assert Button.TRY_AGAIN not in offered(counter.session.state)
    counter.press(Button.BACK)
    assert isinstance(counter.session.state, AssistChoice)


def test_nothing_is_kept_before_submit() -> None:
    counter = Counter()
    counter.resident()
    counter.press(Button.CONFIRM, Button.ENROL, Button.AGREE)
    state = counter.session.state
    assert isinstance(state, Watching)
    counter.feed(Judged(state.watch_id, verdict()))
    assert isinstance(counter.session.state, EnrolReviewing)
    assert not any(isinstance(each, fx.KeepTemplate) for each in counter.effects)
    counter.press(Button.BACK)
    assert counter.effect(fx.Forget) == fx.Forget()
    assert isinstance(counter.session.state, AssistChoice)
    assert counter.session.state.visit.consent is None


def test_a_disk_that_does_not_keep_it_is_said() -> None:
    counter = Counter()
    order = counter.enrolling()
    counter.feed(TemplateFailed(order.event.event_id))
    assert isinstance(counter.session.state, Turned)
    assert counter.session.state.why is Why.STORE_DOWN


def test_a_template_on_its_way_to_the_disk_is_waited_for() -> None:
    counter = Counter()
    counter.enrolling()
    assert isinstance(counter.session.state, Enrolling)
    assert offered(counter.session.state) == ()
    counter.feed(TimerFired(counter.session.timer))
    counter.feed(TimerFired(counter.session.timer))
    assert isinstance(counter.session.state, Enrolling)


def test_feature22_staff_open_what_is_kept_of_a_resident_and_the_look_names_them() -> None:
    counter = Counter()
    counter.resident()
    assert Button.MINE not in offered(counter.session.state), "who it is comes first"
    counter.press(Button.CONFIRM, Button.MINE)
    order = counter.effect(fx.File)
    assert isinstance(order, fx.File)
    look = order.what
    assert isinstance(look, Matter)
    assert (look.kind, look.badge, look.verdict) == (MatterKind.ACCESS, BADGE, None)
    assert BADGE not in repr(look)
    assert not any(isinstance(each, fx.AskHistory | fx.Watch) for each in counter.effects)
    counter.feed(RecordStored(look.matter_id, online=True))
    asked = counter.effect(fx.AskHistory)
    assert isinstance(asked, fx.AskHistory)
    assert asked.access == look.matter_id
    counter.feed(HistoryAnswered(KEY, HELD, reached=True))
    state = counter.session.state
    assert isinstance(state, Mine)
    assert state.page is MinePage.MENU
    assert {Button.LOOK, Button.PAPERS, Button.WITHDRAW} <= set(offered(state))
    assert Button.CALL_STAFF not in offered(state)


def test_feature22_what_staff_do_for_a_resident_there_names_them_too() -> None:
    counter = Counter()
    counter.opened()
    counter.press(Button.PAPERS, Button.CORRECT, Button.ABOUT_NAME, Button.CONFIRM)
    order = counter.effect(fx.File)
    assert isinstance(order, fx.File)
    assert isinstance(order.what, Matter)
    assert (order.what.kind, order.what.badge) == (MatterKind.CORRECTION, BADGE)


def test_back_from_there_leads_to_what_staff_can_do_and_home_signs_out() -> None:
    counter = Counter()
    counter.opened()
    counter.press(Button.BACK)
    assert isinstance(counter.session.state, AssistChoice)
    counter.press(Button.MINE)
    assert isinstance(counter.session.state, Mine), "one look, one entry"
    assert not any(isinstance(each, fx.File) for each in counter.effects)
    counter.press(Button.HOME)
    assert counter.effect(fx.NoteDeed) == fx.NoteDeed(BADGE, Deed.SIGNED_OUT)


def test_a_look_that_the_disk_does_not_take_opens_nothing() -> None:
    counter = Counter()
    counter.resident()
    counter.press(Button.CONFIRM, Button.MINE)
    order = counter.effect(fx.File)
    assert isinstance(order, fx.File)
    assert isinstance(order.what, Matter)
    counter.feed(StoreFailed(order.what.matter_id))
    assert isinstance(counter.session.state, Turned)


def test_f17_a_withdrawal_at_the_counter_prints_a_slip() -> None:
    counter = Counter()
    counter.opened()
    counter.press(Button.WITHDRAW, Button.CONFIRM)
    order = counter.effect(fx.DeleteTemplate)
    assert isinstance(order, fx.DeleteTemplate)
    assert order.event.change is TemplateChange.WITHDRAWN
    assert order.event.badge == BADGE
    assert order.event.consent is not None
    assert not order.event.consent.agreed
    counter.feed(TemplateDeleted(order.event.event_id, here=True))
    slip = counter.effect(fx.PrintWithdrawal)
    assert isinstance(slip, fx.PrintWithdrawal)
    counter.feed(SlipPrinted(slip.order_id, None))
    state = counter.session.state
    assert isinstance(state, Mine)
    assert (state.page, state.here, state.paper) == (MinePage.WITHDRAWN, True, Print.PRINTED)


def test_a_card_that_cannot_be_read_is_tried_again_and_back_leads_to_service() -> None:
    counter = Counter()
    counter.press(Button.ASSIST)
    assert counter.effect(fx.NoteDeed) == fx.NoteDeed(BADGE, Deed.ASSISTED)
    counter.press(Button.BACK)
    assert counter.session.state == Service(CLERK)
    counter.press(Button.ASSIST)
    assert isinstance(counter.session.state, AssistCard)
    counter.feed(LAID_DOWN)
    assert isinstance(counter.session.state, LookingUp)
    assert not isinstance(counter.session.state, Storing)


def test_e05_a_witness_sends_who_is_flagged_to_staff_as_everybody_is() -> None:
    """No paper says that it is done for somebody whom the registry has down as dead."""
    counter = Counter(replace(ENTRY, to_staff=True))
    counter.resident()
    counter.press(Button.CONFIRM, Button.VOUCH, Button.REASON_HOLD_STILL, Button.CONFIRM)
    stored = counter.effect(fx.Store)
    assert isinstance(stored, fx.Store)
    assert (stored.record.outcome, stored.record.witness) == (Outcome.NEEDS_REVIEW, BADGE)


@pytest.mark.parametrize("leave", [(Button.DECLINE,), (Button.BACK,)])
def test_no_record_holds_a_check_whose_consent_was_let_go(leave: tuple[Button, ...]) -> None:
    counter = Counter()
    counter.enrolled()
    counter.press(Button.VOUCH, Button.BACK, Button.ENROL, *leave)
    counter.press(Button.VOUCH, Button.REASON_HOLD_STILL, Button.CONFIRM)
    stored = counter.effect(fx.Store)
    assert isinstance(stored, fx.Store)
    assert (stored.record.consent, stored.record.verdict) == (None, None)


def test_a_face_plainly_unlike_the_cards_photo_is_not_enrolled() -> None:
    """A name that is typed has no photo: such a template alone would then certify."""
    counter = Counter()
    counter.resident()
    counter.press(Button.CONFIRM, Button.ENROL, Button.AGREE)
    state = counter.session.state
    assert isinstance(state, Watching)
    counter.feed(Judged(state.watch_id, verdict(alike=False)))
    assert isinstance(counter.session.state, EnrolFailed)
    counter.press(Button.TRY_AGAIN)
    state = counter.session.state
    assert isinstance(state, Watching)
    old = replace(verdict(alike=False), reasons=(Reason.OLD_PHOTO,))
    counter.feed(Judged(state.watch_id, old))
    assert isinstance(counter.session.state, EnrolReviewing), "an old photo is what it is for"

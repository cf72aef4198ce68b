"""The spine and its branches, one sentence each."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from edge.domain.challenge import Action, Prompt, Reason, WatchProgress
from edge.domain.codes import LetterService
from edge.domain.cycles import Cycle
from edge.domain.errors import Fault
from edge.domain.people import CardKey
from edge.domain.record import Layer, LayerResult, LayerState, Outcome, ProofRecord, RecordId
from edge.domain.timebase import ClockTrust, MonoNs, Stamp
from edge.session import effects as fx
from edge.session.events import (
    Button,
    CardFailed,
    CardRead,
    CardRemoved,
    Event,
    Focused,
    Judged,
    LookUpFailed,
    Pressed,
    ReceiptFailed,
    ReceiptPrinted,
    RecordStored,
    RegistryAnswered,
    Reminded,
    RosterAnswered,
    StoreFailed,
    TimerFired,
    Touched,
    Watched,
    WatchFailed,
)
from edge.session.helping_states import AwaitingHelper
from edge.session.machine import CARD_TRIES, WARN_S, Policy, offered, start, step
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
    Storing,
    Turned,
    Visit,
    Watching,
    Why,
    visit_of,
)
from tests.session_world import ACTIONS, ENTRY, KEY, LAID_DOWN, NUMBER, World, progress, verdict


class Walk:
    """Drives the machine and remembers every effect."""

    def __init__(self, world: World) -> None:
        self.world = world
        first = start(Language.ZH)
        self.session: Session = first.session
        self.effects: list[fx.Effect] = list(first.effects)

    def do(self, *events: Event, **context: object) -> Walk:
        for event in events:
            moved = step(self.session, event, self.world.context(**context))
            self.session = moved.session
            self.effects.extend(moved.effects)
        return self

    def press(self, *buttons: Button) -> Walk:
        return self.do(*(Pressed(button) for button in buttons))

    @property
    def state(self) -> object:
        return self.session.state

    def given(self, kind: type) -> list[object]:
        return [effect for effect in self.effects if isinstance(effect, kind)]

    # --- the way to a certain place ---

    def identified(self) -> Walk:
        return self.press(Button.START_PROOF).do(LAID_DOWN, RosterAnswered(KEY, ENTRY))

    def consenting(self) -> Walk:
        return self.identified().press(Button.ENTER, Button.APPLY)

    def watching(self) -> Walk:
        return self.consenting().press(Button.AGREE)

    def judged(self, **kwargs: bool | None) -> Walk:
        if not isinstance(self.state, Watching):
            self.watching()
        assert isinstance(self.state, Watching)
        return self.do(Judged(self.state.watch_id, verdict(**kwargs)))

    def stored(self, *, online: bool = True) -> Walk:
        assert isinstance(self.state, Storing)
        return self.do(RecordStored(self.state.record.record_id, online))

    @property
    def record(self) -> ProofRecord:
        stores = self.given(fx.Store)
        assert isinstance(stores[-1], fx.Store)
        return stores[-1].record


@pytest.fixture
def walk(world: World) -> Walk:
    return Walk(world)


@pytest.fixture
def world() -> World:
    return World()


def test_k04_k36_from_the_tile_to_the_receipt(walk: Walk) -> None:
    walk.judged()
    assert isinstance(walk.state, Reviewing)
    walk.press(Button.SUBMIT).stored()
    assert isinstance(walk.state, Finished)
    assert walk.record.outcome is Outcome.PASSED
    walk.do(ReceiptPrinted(walk.record.record_id))
    assert isinstance(walk.state, Finished)
    assert walk.state.paper is PaperNews.PRINTED
    assert isinstance(walk.press(Button.EXIT).state, Home)
    assert len(walk.given(fx.Store)) == 1


def test_k02_a_card_laid_down_on_the_home_screen_starts_too(walk: Walk) -> None:
    walk.do(LAID_DOWN, RosterAnswered(KEY, ENTRY))
    assert isinstance(walk.state, Confirming)


def test_k17_history_leads_back(walk: Walk) -> None:
    walk.identified().press(Button.ENTER, Button.HISTORY)
    assert isinstance(walk.state, ShowingHistory)
    assert isinstance(walk.press(Button.BACK).state, Choosing)


def test_k32_nothing_is_stored_before_submit(walk: Walk) -> None:
    walk.judged()
    assert walk.given(fx.Store) == []


def test_k31_shooting_again_draws_a_fresh_sequence(walk: Walk) -> None:
    walk.judged().press(Button.RETAKE)
    first, second = walk.given(fx.Watch)
    assert isinstance(first, fx.Watch)
    assert isinstance(second, fx.Watch)
    assert first.watch_id != second.watch_id


def test_f17_no_frame_before_consent_and_the_text_is_in_the_record(walk: Walk) -> None:
    walk.consenting()
    assert walk.given(fx.Watch) == []
    walk.press(Button.AGREE).judged().press(Button.SUBMIT)
    consent = walk.record.consent
    assert consent is not None
    assert (consent.version, consent.text_sha256, consent.agreed) == ("1", "c" * 64, True)


@pytest.mark.parametrize("answer", [Button.AGREE, Button.DECLINE])
def test_privacy_the_moment_of_the_answer_is_kept_with_the_text(walk: Walk, answer: Button) -> None:
    walk.consenting()
    at = datetime(2026, 11, 23, 3, 4, 5, tzinfo=UTC)
    walk.do(Pressed(answer), now=Stamp(at, MonoNs(0), "boot", ClockTrust.NTP))
    if answer is Button.AGREE:
        assert isinstance(walk.state, Watching)
        walk.do(Judged(walk.state.watch_id, verdict())).press(Button.SUBMIT)
    (order,) = walk.given(fx.Store)
    assert isinstance(order, fx.Store)
    assert order.record.consent is not None
    assert order.record.consent.at == "2026-11-23T03:04:05.000Z"
    assert order.record.finished.utc != at or answer is Button.DECLINE


def test_e10_declining_leaves_a_record_and_opens_no_camera(walk: Walk) -> None:
    walk.consenting().press(Button.DECLINE).stored()
    assert walk.given(fx.Watch) == []
    assert walk.record.outcome is Outcome.DECLINED
    assert walk.record.consent is not None
    assert not walk.record.consent.agreed


def test_e03_not_on_the_roster_leaves_nothing_unless_help_is_asked_for(walk: Walk) -> None:
    walk.press(Button.START_PROOF).do(LAID_DOWN, RosterAnswered(KEY, None, online=True))
    walk.do(RegistryAnswered(KEY, None, reached=True))
    assert isinstance(walk.state, Turned)
    assert walk.state.why is Why.NOT_FOUND
    assert walk.given(fx.Store) == []
    walk.press(Button.CALL_STAFF)
    assert walk.record.person_id is None


def test_e03_somebody_from_another_place_is_asked_for_and_goes_on(walk: Walk) -> None:
    walk.press(Button.START_PROOF).do(LAID_DOWN, RosterAnswered(KEY, None, online=True))
    [asked] = walk.given(fx.AskRegistry)
    assert asked == fx.AskRegistry(KEY, NUMBER)
    assert NUMBER not in repr(asked)
    assert isinstance(walk.state, AskingRegistry)
    walk.do(RegistryAnswered(CardKey("f" * 64), ENTRY, reached=True))  # about somebody before
    assert isinstance(walk.state, AskingRegistry)
    walk.do(RegistryAnswered(KEY, ENTRY, reached=True))
    assert isinstance(walk.state, Confirming)
    assert walk.state.visit.entry == ENTRY


@pytest.mark.parametrize("asked", [True, False])
def test_e03_says_that_the_centre_could_not_be_reached(walk: Walk, asked: bool) -> None:
    walk.press(Button.START_PROOF).do(LAID_DOWN, RosterAnswered(KEY, None, online=asked))
    assert bool(walk.given(fx.AskRegistry)) == asked
    if asked:
        walk.do(RegistryAnswered(KEY, None, reached=False))
    assert isinstance(walk.state, Turned)
    assert walk.state.why is Why.NOT_REACHED
    walk.do(RegistryAnswered(KEY, ENTRY, reached=True))  # too late: the person was told
    assert isinstance(walk.state, Turned)


def applied(walk: Walk, cycle: Cycle, certified: date, today: Stamp) -> object:
    entry = replace(ENTRY, cycle=cycle, certified_on=certified)
    walk.do(LAID_DOWN, RosterAnswered(KEY, entry))
    walk.do(Pressed(Button.ENTER), Pressed(Button.APPLY), now=today)
    return walk.state


def on(day: date, trust: ClockTrust = ClockTrust.NTP) -> Stamp:
    return Stamp(datetime(day.year, day.month, day.day, 4, tzinfo=UTC), MonoNs(0), "boot", trust)


@pytest.mark.parametrize(
    ("cycle", "certified", "today", "turned_away"),
    [
        (Cycle.CALENDAR, date(2026, 1, 5), date(2026, 11, 23), True),
        (Cycle.CALENDAR, date(2025, 11, 1), date(2026, 1, 1), False),  # a roster of last year
        (Cycle.ROLLING, date(2026, 3, 10), date(2026, 11, 23), True),
        (Cycle.ROLLING, date(2025, 3, 10), date(2026, 1, 8), True),
        (Cycle.ROLLING, date(2025, 3, 10), date(2026, 1, 9), False),  # 60 days before it is due
        (Cycle.ROLLING, date(2025, 3, 10), date(2026, 3, 11), False),
    ],
)
def test_e04_only_who_is_still_covered_is_told_to_come_later(
    walk: Walk, cycle: Cycle, certified: date, today: date, turned_away: bool
) -> None:
    state = applied(walk, cycle, certified, on(today))
    assert isinstance(state, Turned if turned_away else Consenting)


def test_e04_how_early_is_the_registrys_to_say(walk: Walk) -> None:
    entry = replace(ENTRY, cycle=Cycle.ROLLING, certified_on=date(2025, 3, 10), early_days=90)
    walk.do(LAID_DOWN, RosterAnswered(KEY, entry))
    walk.do(Pressed(Button.ENTER), Pressed(Button.APPLY), now=on(date(2025, 12, 10)))
    assert isinstance(walk.state, Consenting)


def test_e17_a_clock_nobody_trusts_sends_nobody_away(walk: Walk) -> None:
    today = on(date(2026, 11, 23), ClockTrust.UNKNOWN)
    assert isinstance(applied(walk, Cycle.CALENDAR, date(2026, 1, 5), today), Consenting)


@pytest.mark.parametrize("opened", [(), (Button.START_PROOF,)])
@pytest.mark.parametrize("page", [Button.HELP, Button.SCAN])
def test_a_card_laid_down_during_help_is_read_and_the_reader_stays_armed(
    walk: Walk, opened: tuple[Button, ...], page: Button
) -> None:
    walk.press(*opened, page)
    if not isinstance(walk.state, Informing):
        return  # this page is not offered here
    assert walk.effects[-1] == fx.ArmReader()
    walk.do(LAID_DOWN, RosterAnswered(KEY, ENTRY))
    assert isinstance(walk.state, Confirming)


def test_a_roster_that_cannot_be_asked_says_nothing_about_the_person(walk: Walk) -> None:
    walk.do(LAID_DOWN, LookUpFailed(KEY))
    assert isinstance(walk.state, Turned)
    assert walk.state.why is Why.STORE_DOWN


def test_a_sequence_that_was_seen_is_a_try_even_when_left_for_help(walk: Walk) -> None:
    walk.watching()
    for tried in (1, 2, 3):
        assert isinstance(walk.state, Watching)
        walk.do(Watched(walk.state.watch_id, progress(0)))
        walk.press(Button.HELP, Button.BACK)
        visit = visit_of(walk.session.state)
        assert visit is not None
        assert visit.attempts == tried
    assert isinstance(walk.state, Retrying)
    assert walk.state.exhausted
    assert len(walk.given(fx.Watch)) == 3


def test_shooting_again_ends_with_the_tries(walk: Walk) -> None:
    walk.judged()
    for _ in range(2):
        walk.press(Button.RETAKE).judged()
    assert isinstance(walk.state, Reviewing)
    assert Button.RETAKE not in offered(walk.state)
    assert isinstance(walk.press(Button.RETAKE).state, Reviewing)
    assert len(walk.given(fx.Watch)) == 3


def test_k33_the_picture_is_dropped_when_it_is_submitted(walk: Walk) -> None:
    walk.judged().press(Button.SUBMIT)
    forgotten, stored = walk.effects[-3:-1]
    assert forgotten == fx.Forget()
    assert isinstance(stored, fx.Store)
    assert stored.record is walk.record


def test_e12_what_the_receipt_will_say_is_known_before_the_record_is_on_the_disk(
    walk: Walk,
) -> None:
    """A copy of it goes to the disk with the record: nothing that comes after can lose it."""
    walk.judged().press(Button.SUBMIT)
    (stored,) = walk.given(fx.Store)
    walk.do(RecordStored(walk.record.record_id, online=True))
    (printed,) = walk.given(fx.PrintReceipt)
    assert isinstance(stored, fx.Store)
    assert isinstance(printed, fx.PrintReceipt)
    assert stored.due_by == printed.due_by is not None


def test_e01_three_unreadable_cards_lead_to_a_person(walk: Walk) -> None:
    walk.press(Button.START_PROOF)
    for _ in range(CARD_TRIES - 1):
        walk.do(CardFailed(Fault.GARBLED))
        assert isinstance(walk.state, AwaitingCard)
    walk.do(CardFailed(Fault.GARBLED))
    assert walk.state == Turned(Why.CARD_UNREADABLE, fault=Fault.GARBLED)


@pytest.mark.parametrize("why", [Why.ALREADY_DONE, Why.NOT_PROVEN])
def test_k19_a_step_back_from_what_is_done_leads_to_what_else_there_is(
    walk: Walk, why: Why
) -> None:
    walk.consenting()
    visit = visit_of(walk.session.state)
    walk.session = replace(walk.session, state=Turned(why, visit))
    walk.press(Button.BACK)
    assert walk.state == Choosing(visit)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "asked", [(), (Button.START_PROOF,), (Button.START_PROOF, Button.FOR_SELF)]
)
def test_a_step_back_from_ones_data_leads_to_where_the_card_was_laid_down(
    walk: Walk, asked: tuple[Button, ...]
) -> None:
    before = walk.press(*asked).state
    walk.do(LAID_DOWN, RosterAnswered(KEY, ENTRY))
    assert Button.BACK in offered(walk.session.state)
    assert walk.press(Button.BACK).state == before
    assert fx.Forget() in walk.effects
    assert walk.effects[-1] == fx.ArmReader() or fx.ArmReader() in walk.effects[-2:]
    assert isinstance(walk.do(LAID_DOWN).state, LookingUp)
    assert walk.given(fx.Store) == []


def test_a_step_back_from_ones_data_keeps_what_the_letter_asked_for_and_no_failed_read(
    walk: Walk,
) -> None:
    walk.session = replace(walk.session, state=AwaitingCard(2, LetterService.PROOF))
    walk.do(LAID_DOWN, RosterAnswered(KEY, ENTRY)).press(Button.BACK)
    assert walk.state == AwaitingCard(0, LetterService.PROOF)


@pytest.mark.parametrize("good", [True, False])
def test_a_step_back_from_a_try_asks_for_consent_again_and_drops_the_picture(
    walk: Walk, good: bool
) -> None:
    walk.judged(alike=good)
    assert isinstance(walk.state, Reviewing if good else Retrying)
    walk.effects.clear()
    walk.press(Button.BACK)
    assert isinstance(walk.state, Consenting)
    assert walk.state.visit.consent is None
    assert walk.state.visit.attempts == 1, "a try was made, as when one shoots again"
    assert fx.Forget() in walk.effects
    assert walk.given(fx.Watch) == walk.given(fx.Store) == []
    walk.press(Button.AGREE)
    assert len(walk.given(fx.Watch)) == 1
    walk.judged().press(Button.SUBMIT)
    assert len(walk.given(fx.Store)) == 1
    assert walk.record.attempts == 2


def test_after_the_last_try_a_step_back_loses_nothing_of_it(walk: Walk) -> None:
    for _ in range(3):
        walk.judged(alike=False).press(Button.TRY_AGAIN)
    seen = walk.state
    assert isinstance(seen, Retrying)
    assert seen.exhausted
    walk.press(Button.BACK, Button.AGREE)
    assert isinstance(walk.state, Retrying)
    assert walk.state.exhausted
    assert walk.state.verdict is seen.verdict
    assert len(walk.given(fx.Watch)) == 3
    walk.press(Button.SUBMIT)
    assert walk.record.reasons == (Reason.NOT_ALIKE,)


def test_a_picture_that_cannot_be_taken_again_is_not_thrown_away_by_a_step_back(walk: Walk) -> None:
    walk.judged()
    for _ in range(2):
        assert Button.BACK in offered(walk.session.state)
        walk.press(Button.RETAKE).judged()
    assert Button.BACK not in offered(walk.session.state)
    assert isinstance(walk.press(Button.BACK).state, Reviewing)


def submitted(walk: Walk) -> Walk:
    return walk.judged().press(Button.SUBMIT).stored()


def choosing(walk: Walk) -> Visit:
    assert isinstance(walk.state, Choosing)
    return walk.state.visit


def test_from_the_result_one_goes_on_to_what_else_there_is_and_files_nothing_twice(
    walk: Walk,
) -> None:
    submitted(walk).do(ReceiptPrinted(walk.record.record_id)).press(Button.BACK)
    visit = choosing(walk)
    assert visit.consent is None
    assert visit.entry is not None
    assert visit.entry.certified_on == date(2026, 11, 23)
    walk.press(Button.APPLY)
    assert isinstance(walk.state, Turned)
    assert walk.state.why is Why.ALREADY_DONE
    walk.press(Button.BACK, Button.HISTORY)
    assert isinstance(walk.state, ShowingHistory)
    walk.press(Button.HOME)
    assert walk.given(fx.Count) == [], "it was no visit without an end"
    assert len(walk.given(fx.Store)) == 1


@pytest.mark.parametrize("alike", [True, None])
def test_what_is_under_way_or_open_is_shown_again_and_not_applied_for_again(
    walk: Walk, alike: bool | None
) -> None:
    walk.judged(alike=alike).press(Button.SUBMIT).stored()
    shown = walk.state
    assert isinstance(shown, Finished)
    walk.press(Button.BACK, Button.APPLY)
    assert isinstance(walk.state, Finished)
    assert walk.state.record is shown.record
    assert walk.state.paper is PaperNews.PRINTING
    walk.do(ReceiptFailed(walk.record.record_id, Fault.EMPTY, code="JZ1:0"))
    walk.press(Button.BACK, Button.APPLY)
    assert isinstance(walk.state, Finished)
    assert (walk.state.paper, walk.state.code) == (PaperNews.FAILED, "JZ1:0")
    assert len(walk.given(fx.Store)) == 1


@pytest.mark.parametrize(
    "way", [(), (Button.HISTORY,), (Button.HELP,), (Button.SCAN,), (Button.SCAN, Button.HELP)]
)
def test_what_became_of_the_receipt_is_not_lost_behind_what_one_went_on_to(
    walk: Walk, way: tuple[Button, ...]
) -> None:
    submitted(walk).press(Button.BACK, *way)
    before = walk.session.epoch
    walk.do(ReceiptFailed(RecordId("another"), Fault.EMPTY))
    assert walk.session.epoch == before
    walk.do(ReceiptPrinted(walk.record.record_id)).press(*[Button.BACK] * len(way))
    told = choosing(walk).result
    assert told is not None
    assert told.paper is PaperNews.PRINTED


def test_what_became_of_the_receipt_is_not_lost_behind_a_scan(walk: Walk) -> None:
    submitted(walk).press(Button.SCAN).do(ReceiptPrinted(walk.record.record_id))
    walk.press(Button.BACK)
    assert isinstance(walk.state, Finished)
    assert walk.state.paper is PaperNews.PRINTED


def test_who_has_a_number_waits_with_it(walk: Walk) -> None:
    walk.consenting().press(Button.DECLINE).stored()
    assert Button.BACK not in offered(walk.session.state)


def test_who_is_certified_and_wants_no_camera_for_their_own_data_gets_a_number(
    walk: Walk,
) -> None:
    submitted(walk).press(Button.BACK, Button.MINE, Button.PROVE, Button.DECLINE).stored()
    assert [store.record.outcome for store in walk.given(fx.Store)] == [  # type: ignore[attr-defined]
        Outcome.PASSED,
        Outcome.CALLED,
    ]


def test_e05_whom_staff_should_see_goes_back_to_their_data_and_is_told_the_same(
    walk: Walk,
) -> None:
    walk.do(LAID_DOWN, RosterAnswered(KEY, replace(ENTRY, to_staff=True)))
    walk.press(Button.ENTER).stored()
    walk.press(Button.BACK)
    assert isinstance(walk.state, Confirming)
    assert isinstance(walk.press(Button.ENTER).state, Finished)
    assert len(walk.given(fx.Store)) == 1


def test_e17_without_a_trusted_clock_a_result_is_not_filed_twice_either(walk: Walk) -> None:
    walk.judged()
    unsure = on(date(2026, 11, 23), ClockTrust.UNKNOWN)
    walk.do(Pressed(Button.SUBMIT), now=unsure).stored()
    walk.do(ReceiptPrinted(walk.record.record_id)).press(Button.BACK)
    walk.do(Pressed(Button.APPLY), now=unsure)
    assert isinstance(walk.state, Finished)


def test_who_is_not_on_the_roster_has_nothing_to_go_back_to_from_a_call(walk: Walk) -> None:
    walk.do(LAID_DOWN, RosterAnswered(KEY, None)).press(Button.CALL_STAFF).stored()
    assert Button.BACK not in offered(walk.session.state)


def remind(walk: Walk) -> None:
    walk.effects.clear()
    walk.do(Reminded(walk.session.reminder))


@pytest.mark.parametrize(
    ("came_from", "waiting"), [(Button.FOR_SELF, AwaitingCard), (Button.FOR_OTHER, AwaitingHelper)]
)
def test_e01_a_card_that_does_not_come_is_asked_for_again_aloud_and_then_a_person(
    walk: Walk, came_from: Button, waiting: type
) -> None:
    walk.press(Button.START_PROOF, came_from)
    assert walk.given(fx.SetReminder) == [fx.SetReminder(walk.session.reminder, 15)]
    for failures in (1, 2):
        remind(walk)
        assert isinstance(walk.state, waiting)
        assert walk.state.failures == failures  # type: ignore[attr-defined]
        assert fx.Repeat() in walk.effects
        assert fx.SetReminder(walk.session.reminder, 15) in walk.effects
        assert Button.CALL_STAFF in offered(walk.session.state)
    remind(walk)
    assert walk.state == Turned(Why.CARD_UNREADABLE)
    walk.do(LAID_DOWN)
    assert isinstance(walk.state, LookingUp), "a card that comes later is read all the same"


def test_e01_whoever_touches_the_glass_is_given_time_and_a_card_ends_the_wait(walk: Walk) -> None:
    walk.press(Button.START_PROOF, Button.FOR_SELF)
    old = walk.session.reminder
    walk.do(Touched())
    assert walk.do(Reminded(old)).state == AwaitingCard()
    walk.do(LAID_DOWN)
    before = walk.session
    assert walk.do(Reminded(before.reminder)).session == before


def test_e16_a_card_left_behind_is_asked_back_aloud_until_it_is_gone(walk: Walk) -> None:
    walk.identified().press(Button.HOME)
    for _ in range(3):
        assert fx.SetReminder(walk.session.reminder, 15) in walk.effects
        remind(walk)
        assert isinstance(walk.state, Home)
        assert fx.Repeat() in walk.effects
    walk.do(CardRemoved())
    remind(walk)
    assert walk.effects == []


@pytest.mark.parametrize("fault", [Fault.ABSENT, Fault.SILENT])
def test_e13_a_dead_reader_is_said_at_once_and_a_card_brings_it_back(
    walk: Walk, fault: Fault
) -> None:
    walk.do(CardFailed(fault))
    assert walk.state == Turned(Why.READER_DOWN, fault=fault)
    walk.do(LAID_DOWN, RosterAnswered(KEY, ENTRY))
    assert isinstance(walk.state, Confirming)


def test_e13_a_dead_camera_leaves_the_way_to_a_person(walk: Walk) -> None:
    walk.watching()
    assert isinstance(walk.state, Watching)
    walk.do(WatchFailed(walk.state.watch_id, Fault.SILENT))
    assert isinstance(walk.state, Turned)
    assert Button.CALL_STAFF in offered(walk.state)


def test_e08_e09_three_tries_then_a_person_and_only_after_submit(walk: Walk) -> None:
    for tried in (1, 2, 3):
        walk.judged(live=tried != 2, alike=False)
        assert isinstance(walk.state, Retrying)
        assert walk.state.exhausted is (tried == 3)
        if tried < 3:
            walk.press(Button.TRY_AGAIN)
    assert walk.given(fx.Store) == []
    walk.press(Button.SUBMIT)
    assert walk.record.outcome is Outcome.NEEDS_REVIEW
    assert walk.record.attempts == 3


def test_f20_without_a_reference_a_live_person_goes_to_review(walk: Walk) -> None:
    walk.judged(alike=None).press(Button.SUBMIT)
    assert walk.record.outcome is Outcome.NEEDS_REVIEW


@pytest.mark.parametrize("layer", [Layer.CAMERA_TRUTH, Layer.SCREEN_LIGHT])
def test_a_layer_in_doubt_brings_a_person_and_never_a_refusal(walk: Walk, layer: Layer) -> None:
    odd = LayerResult(layer, LayerState.SUSPICIOUS)
    walk.watching().do(Judged(walk.state.watch_id, replace(verdict(), layers=(odd,))))
    assert isinstance(walk.state, Reviewing)
    walk.press(Button.SUBMIT)
    assert walk.record.outcome is Outcome.NEEDS_REVIEW


@pytest.mark.parametrize(
    "layer",
    [
        LayerResult(Layer.PASSIVE, LayerState.SUSPICIOUS, 0.01),
        *(LayerResult(layer, LayerState.ABSTAINED) for layer in Layer),
    ],
)
def test_advice_alone_and_a_layer_that_cannot_tell_change_nothing(
    walk: Walk, layer: LayerResult
) -> None:
    walk.watching().do(Judged(walk.state.watch_id, replace(verdict(), layers=(layer,))))
    walk.press(Button.SUBMIT)
    assert walk.record.outcome is Outcome.PASSED


@pytest.mark.parametrize("alike", [False, None])
def test_no_layer_speaks_for_anybody(walk: Walk, alike: bool | None) -> None:
    fine = tuple(LayerResult(layer, LayerState.CONSISTENT, 1.0) for layer in Layer)
    assert not replace(verdict(alike=alike), layers=fine).passed
    assert not replace(verdict(live=False), layers=fine).passed


def test_e12_a_failed_printer_undoes_nothing(walk: Walk) -> None:
    walk.judged().press(Button.SUBMIT).stored()
    walk.do(ReceiptFailed(walk.record.record_id, Fault.EMPTY))
    assert isinstance(walk.state, Finished)
    assert walk.state.paper is PaperNews.FAILED


def test_what_became_of_the_receipt_is_not_lost_behind_a_page_of_help(walk: Walk) -> None:
    walk.judged().press(Button.SUBMIT).stored().press(Button.HELP)
    walk.do(ReceiptFailed(walk.record.record_id, Fault.EMPTY, code="JZ1:0"))
    assert isinstance(walk.state, Informing)
    walk.press(Button.BACK)
    assert isinstance(walk.state, Finished)
    assert (walk.state.paper, walk.state.code) == (PaperNews.FAILED, "JZ1:0")


def test_e11_offline_is_known_to_the_result_and_the_receipt(walk: Walk) -> None:
    walk.judged().press(Button.SUBMIT).stored(online=False)
    assert isinstance(walk.state, Finished)
    assert not walk.state.online
    order = walk.given(fx.PrintReceipt)[0]
    assert isinstance(order, fx.PrintReceipt)
    assert not order.online


def test_a_full_disk_never_says_done(walk: Walk) -> None:
    walk.judged().press(Button.SUBMIT)
    walk.do(StoreFailed(walk.record.record_id))
    assert isinstance(walk.state, Turned)
    assert walk.state.why is Why.STORE_DOWN
    assert walk.given(fx.PrintReceipt) == []


def test_e16_the_card_is_asked_back_until_it_is_gone(walk: Walk) -> None:
    walk.identified()
    assert walk.session.card_lies
    assert not walk.do(CardRemoved()).session.card_lies
    assert isinstance(walk.state, Confirming)


def test_k40_every_screen_starts_a_fresh_count(walk: Walk) -> None:
    walk.identified()
    first = walk.session.deadline_ns
    walk.world.now_s += 100
    walk.press(Button.ENTER)
    assert first is not None
    assert walk.session.deadline_ns == first + 100 * 1_000_000_000


def test_k41_f21_warned_then_gone_and_nothing_personal_left(walk: Walk) -> None:
    walk.watching().do(TimerFired(walk.session.timer))
    assert walk.session.warned
    assert walk.given(fx.SetTimer)[-1] == fx.SetTimer(walk.session.timer, WARN_S)
    walk.do(TimerFired(walk.session.timer))
    assert isinstance(walk.state, Home)
    assert walk.given(fx.Count) == [fx.Count("abandoned")]
    assert fx.StopWatching() in walk.effects
    assert fx.Forget() in walk.effects


def test_f21_one_touch_extends_ten_times_in_a_row(walk: Walk) -> None:
    walk.consenting()
    for _ in range(10):
        walk.do(TimerFired(walk.session.timer))
        assert walk.session.warned
        walk.do(Touched())
        assert not walk.session.warned
    assert isinstance(walk.state, Consenting)


def test_a_timer_of_an_older_state_is_ignored(walk: Walk) -> None:
    walk.identified()
    old = walk.session.timer
    walk.press(Button.ENTER)
    before = walk.session
    assert walk.do(TimerFired(old)).session == before


def test_a_verdict_of_an_older_try_is_ignored(walk: Walk) -> None:
    walk.watching()
    assert isinstance(walk.state, Watching)
    old = walk.state.watch_id
    walk.do(Judged(old, verdict(alike=False))).press(Button.TRY_AGAIN)
    walk.do(Judged(old, verdict()), Watched(old, progress()))
    assert isinstance(walk.state, Watching)
    assert walk.state.progress.step == 0


def test_help_during_a_try_voids_it_without_counting_it(walk: Walk) -> None:
    walk.watching().press(Button.HELP)
    assert isinstance(walk.state, Informing)
    assert fx.StopWatching() in walk.effects
    walk.press(Button.BACK)
    assert isinstance(walk.state, Watching)
    assert walk.state.visit.attempts == 0


def test_language_changes_without_leaving_the_screen(walk: Walk) -> None:
    walk.consenting().press(Button.LANGUAGE_EN)
    assert walk.session.language is Language.EN
    assert isinstance(walk.state, Consenting)
    walk.press(Button.AGREE)
    assert isinstance(walk.state, Watching)
    assert walk.state.visit.consent is not None
    assert walk.state.visit.consent.language == "en"


def test_k28_the_words_can_be_heard_again_without_leaving_the_screen(walk: Walk) -> None:
    walk.consenting()
    before = walk.session
    walk.press(Button.REPEAT)
    assert fx.Repeat() in walk.effects
    assert walk.state == before.state
    assert walk.session.epoch == before.epoch
    assert walk.session.timer > before.timer  # somebody who listens is still there


def test_physical_keys_make_the_voice_louder_for_this_visit_alone(walk: Walk) -> None:
    walk.identified()
    walk.effects.clear()
    walk.press(Button.LOUDER, Button.SOFTER)
    assert isinstance(walk.state, Confirming)
    assert walk.given(fx.Louden) == [fx.Louden(1), fx.Louden(-1)]
    assert len(walk.given(fx.Repeat)) == 2, "one hears what has changed"
    walk.press(Button.HOME)
    assert walk.given(fx.Louden)[-1] == fx.Louden(0)
    walk.effects.clear()
    walk.identified().press(Button.HOME)
    assert walk.given(fx.Louden) == [], "nobody touched it"


def test_large_print_stays_through_the_visit_and_ends_with_it(walk: Walk) -> None:
    walk.press(Button.LARGE_PRINT).consenting()
    assert walk.session.large
    walk.press(Button.LARGE_PRINT)
    assert not walk.session.large
    assert isinstance(walk.state, Consenting)
    walk.press(Button.LARGE_PRINT, Button.HOME)
    assert isinstance(walk.state, Home)
    assert not walk.session.large


def test_pages_are_counted_and_each_screen_begins_with_its_first(walk: Walk) -> None:
    walk.consenting().press(Button.TURN_PAGE, Button.TURN_PAGE)
    assert walk.session.leaf == 2
    walk.press(Button.LARGE_PRINT)
    assert walk.session.leaf == 0
    walk.press(Button.TURN_PAGE, Button.LANGUAGE_EN)
    assert walk.session.leaf == 0, "what is agreed to is read from its first page, in each language"
    walk.press(Button.TURN_PAGE, Button.BACK)
    assert walk.session.leaf == 0


def test_a_key_found_with_the_fingers_is_said_and_not_pressed(walk: Walk) -> None:
    walk.consenting()
    before = walk.session
    walk.do(Focused(Button.AGREE))
    assert walk.state == before.state
    assert walk.session.timer > before.timer
    assert walk.given(fx.SayLabel) == [fx.SayLabel(Button.AGREE)]


def test_what_staff_type_is_not_said_aloud(walk: Walk) -> None:
    walk.press(Button.STAFF_DOOR).do(Focused(Button.DIGIT_1))
    assert walk.given(fx.SayLabel) == []


def test_a_second_card_in_mid_session_changes_nothing(walk: Walk) -> None:
    walk.consenting()
    state = walk.state
    assert walk.do(CardRead(LAID_DOWN.card, KEY, (), "")).state is state


def test_the_site_decides_the_number_of_tries(walk: Walk) -> None:
    walk.watching()
    assert isinstance(walk.state, Watching)
    walk.do(Judged(walk.state.watch_id, verdict(live=False, alike=None)), policy=Policy(tries=1))
    assert isinstance(walk.state, Retrying)
    assert walk.state.exhausted


def drawn(walk: Walk, *tries: tuple[Prompt | None, Reason]) -> list[frozenset[Action]]:
    """What was to be left out of each draw, when every try ended like this."""
    heard: list[frozenset[Action]] = []

    def draw(left_out: frozenset[Action]) -> tuple[Action, ...]:
        heard.append(left_out)
        return ACTIONS

    walk.consenting().do(Pressed(Button.AGREE), draw_actions=draw)
    for prompt, reason in tries:
        assert isinstance(walk.state, Watching)
        running = walk.state.watch_id
        if prompt:
            walk.do(Watched(running, WatchProgress(prompt, None, 0, 4)))
            walk.do(Watched(running, WatchProgress(Prompt.LOOK_AHEAD, None, 0, 4)))
        failed = replace(verdict(live=False, alike=None), actions=(), reasons=(reason,))
        walk.do(Judged(running, failed))
        walk.do(Pressed(Button.TRY_AGAIN), draw_actions=draw)
    return heard


def test_e07_a_movement_that_does_not_come_is_not_asked_for_again(walk: Walk) -> None:
    first, second, third = drawn(
        walk, (Prompt.BLINK, Reason.TIMED_OUT), (Prompt.UP, Reason.TIMED_OUT)
    )
    assert (first, second) == (frozenset(), {Action.BLINK})
    assert third == {Action.BLINK, Action.UP}


@pytest.mark.parametrize("reason", [r for r in Reason if r is not Reason.TIMED_OUT])
def test_what_failed_otherwise_is_asked_for_again(walk: Walk, reason: Reason) -> None:
    assert drawn(walk, (Prompt.UP, reason)) == [frozenset(), frozenset()]


def test_who_never_stood_in_the_frame_has_missed_no_movement(walk: Walk) -> None:
    assert drawn(walk, (None, Reason.TIMED_OUT)) == [frozenset(), frozenset()]


def test_a_movement_done_before_the_time_ran_out_is_kept(walk: Walk) -> None:
    walk.watching()
    assert isinstance(walk.state, Watching)
    running = walk.state.watch_id
    walk.do(Watched(running, WatchProgress(Prompt.UP, None, 0, 4)))
    walk.do(Watched(running, WatchProgress(Prompt.LOOK_AHEAD, None, 1, 4)))
    assert walk.state.asked is None


def test_where_no_safe_sequence_is_left_a_person_decides(walk: Walk) -> None:
    walk.consenting().do(Pressed(Button.AGREE), draw_actions=lambda left_out: ())
    assert isinstance(walk.state, Retrying)
    assert walk.state.exhausted
    assert walk.given(fx.Watch) == []
    walk.press(Button.SUBMIT).stored()
    assert walk.record.outcome is Outcome.NEEDS_REVIEW


def test_the_prompts_asked_are_the_sequence_drawn(walk: Walk) -> None:
    order = walk.watching().given(fx.Watch)[0]
    assert isinstance(order, fx.Watch)
    assert order.actions == ACTIONS

"""我的信息: what a card alone shows, the proof, and what is behind it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.domain.errors import Fault
from edge.domain.matters import About, MatterKind
from edge.domain.record import RecordId
from edge.domain.timebase import NS_PER_S, MonoNs
from edge.session.effects import (
    AskHistory,
    DataCopy,
    DeleteTemplate,
    Effect,
    File,
    Forget,
    PrintCopy,
    PrintSheet,
    PrintWithdrawal,
    StopWatching,
    Store,
    Ticket,
    Watch,
)
from edge.session.events import (
    Button,
    Event,
    HistoryAnswered,
    Judged,
    Pressed,
    RecordStored,
    SlipPrinted,
    StoreFailed,
    TemplateDeleted,
    TemplateFailed,
    TimerFired,
)
from edge.session.machine import Context, offered, step
from edge.session.mine_states import AskingMine, Filing, Mine, MinePage, Print, Purpose, Withdrawing
from edge.session.states import (
    Choosing,
    Consenting,
    Home,
    Language,
    Retrying,
    Session,
    ShowingHistory,
    State,
    Turned,
    Watching,
    Why,
    visit_of,
)
from tests.own_world import HELD, PROOFS, own
from tests.session_world import KEY, NAME, NUMBER, World, verdict
from tests.ui_world import CLERK, DONE, VISIT


class Play:
    """One session; remembers what was ordered."""

    def __init__(self, state: State, language: Language = Language.ZH) -> None:
        self.world = World()
        deadline = MonoNs(self.world.context().now_ns + 300 * NS_PER_S)
        self.session = Session(state, language, timer=1, deadline_ns=deadline)
        self.ordered: list[Effect] = []

    @property
    def state(self) -> State:
        return self.session.state

    @property
    def context(self) -> Context:
        return self.world.context()

    def feed(self, *events: Event) -> State:
        for event in events:
            moved = step(self.session, event, self.context)
            self.session = moved.session
            self.ordered += moved.effects
        return self.state

    def press(self, *buttons: Button) -> State:
        for button in buttons:
            assert button in offered(self.state), f"{button} on {self.state}"
            self.feed(Pressed(button))
        return self.state

    def last(self, kind: type[Effect]) -> Effect:  # type: ignore[valid-type]
        return next(effect for effect in reversed(self.ordered) if isinstance(effect, kind))

    def watch(self) -> None:
        """As far as the open camera."""
        self.press(Button.PROVE, Button.AGREE)
        assert isinstance(self.state, Watching)

    def judge(self, **changes: bool | None) -> State:
        assert isinstance(self.state, Watching)
        return self.feed(Judged(self.state.watch_id, verdict(**changes)))  # type: ignore[arg-type]

    def prove(self) -> RecordId:
        """Through the camera, to where the registry is asked."""
        self.watch()
        state = self.judge()
        assert isinstance(state, Filing)
        record_id = state.matter.matter_id
        self.feed(RecordStored(record_id, True))
        return record_id


def menu() -> Play:
    return Play(Mine(own(VISIT), MinePage.MENU))


# --- a card alone ------------------------------------------------------------------


@pytest.mark.parametrize("button", [Button.HISTORY, Button.MINE])
def test_a_card_alone_shows_this_year_and_orders_nothing(button: Button) -> None:
    play = Play(Choosing(VISIT))
    state = play.press(button)
    assert isinstance(state, ShowingHistory)
    assert state.visit.purpose is Purpose(button.value)
    assert not {AskHistory, Watch, File} & set(map(type, play.ordered))
    assert Button.PROVE in offered(state)
    assert Button.CALL_STAFF in offered(state)
    assert not {Button.PAPERS, Button.CORRECT, Button.WITHDRAW} & set(offered(state))


def test_consent_has_words_of_its_own_and_nothing_is_watched_before_it() -> None:
    play = Play(Choosing(VISIT))
    play.press(Button.MINE, Button.PROVE)
    assert isinstance(play.state, Consenting)
    assert not [order for order in play.ordered if isinstance(order, Watch)]
    play.press(Button.AGREE)
    visit = visit_of(play.state)
    assert visit is not None
    assert visit.consent is not None
    assert (visit.consent.version, visit.consent.agreed) == ("o1", True)


def test_back_from_consent_leads_to_this_year_and_then_to_the_choice() -> None:
    play = Play(Choosing(VISIT))
    assert isinstance(play.press(Button.MINE, Button.PROVE, Button.BACK), ShowingHistory)
    assert isinstance(play.press(Button.BACK), Choosing)


def test_to_apply_after_looking_asks_for_the_consent_of_a_certification() -> None:
    play = Play(Choosing(own(VISIT)))
    play.press(Button.APPLY, Button.AGREE)
    assert isinstance(play.state, Watching)
    assert play.state.visit.consent is not None
    assert play.state.visit.consent.version == "1"
    play.judge()
    assert not isinstance(play.state, Filing)


# --- the proof ---------------------------------------------------------------------


def test_a_pass_is_filed_before_anything_is_asked_and_certifies_nobody() -> None:
    play = Play(Choosing(VISIT))
    play.press(Button.MINE)
    play.watch()
    state = play.judge()
    assert isinstance(state, Filing)
    assert state.matter.kind is MatterKind.ACCESS
    assert state.matter.verdict is not None
    assert state.matter.verdict.passed
    assert state.matter.consent is not None
    assert {StopWatching, Forget, File} <= set(map(type, play.ordered))
    assert not [order for order in play.ordered if isinstance(order, AskHistory | Store)]
    state = play.feed(RecordStored(state.matter.matter_id, True))
    assert isinstance(state, AskingMine)
    asked = play.last(AskHistory)
    assert isinstance(asked, AskHistory)
    assert (asked.key, asked.id_number, asked.access) == (KEY, NUMBER, state.visit.proven)
    assert state.visit.consent is None
    assert state.visit.attempts == 0


@pytest.mark.parametrize(
    ("button", "page"), [(Button.HISTORY, MinePage.HISTORY), (Button.MINE, MinePage.MENU)]
)
def test_after_the_proof_they_come_where_they_wanted(button: Button, page: MinePage) -> None:
    play = Play(Choosing(VISIT))
    play.press(button)
    play.prove()
    state = play.feed(HistoryAnswered(KEY, HELD, reached=True))
    assert isinstance(state, Mine)
    assert (state.page, state.visit.held, state.reached) == (page, HELD, True)
    assert isinstance(play.press(*[Button.BACK]), Choosing)
    before = len(play.ordered)
    assert isinstance(play.press(Button.MINE), Mine)
    assert not [o for o in play.ordered[before:] if isinstance(o, AskHistory)]


def test_an_answer_about_somebody_else_is_nobodys() -> None:
    play = Play(AskingMine(own(VISIT)))
    before = play.state
    assert play.feed(HistoryAnswered(type(KEY)("f" * 64), HELD, reached=True)) == before


def test_offline_is_a_page_that_says_so_and_can_be_tried_again() -> None:
    play = Play(Choosing(VISIT))
    play.press(Button.HISTORY)
    play.prove()
    state = play.feed(HistoryAnswered(KEY, None, reached=False))
    assert isinstance(state, Mine)
    assert not state.reached
    assert Button.TRY_AGAIN in offered(state)
    assert isinstance(play.press(Button.TRY_AGAIN), AskingMine)
    state = play.feed(HistoryAnswered(KEY, HELD, reached=True))
    assert isinstance(state, Mine)
    assert Button.TRY_AGAIN not in offered(state)


def test_three_tries_lead_to_staff_and_each_failure_is_told_once() -> None:
    play = Play(Choosing(VISIT))
    play.press(Button.MINE)
    play.watch()
    for _ in range(2):
        assert isinstance(play.judge(alike=False), Retrying)
        assert Button.SUBMIT not in offered(play.state)
        play.press(Button.TRY_AGAIN)
    state = play.judge(alike=False)
    assert isinstance(state, Filing)
    assert state.matter.verdict is not None
    assert not state.matter.verdict.passed
    state = play.feed(RecordStored(state.matter.matter_id, True))
    assert state == Turned(Why.NOT_PROVEN, state.visit)  # type: ignore[union-attr]
    assert Button.CALL_STAFF in offered(state)
    assert not [order for order in play.ordered if isinstance(order, AskHistory | Store)]


def test_nothing_to_compare_with_proves_nobody_and_is_not_tried_again() -> None:
    play = Play(Choosing(VISIT))
    play.press(Button.MINE)
    play.watch()
    state = play.judge(alike=None)
    assert isinstance(state, Filing)
    state = play.feed(RecordStored(state.matter.matter_id, True))
    assert isinstance(state, Turned)
    assert state.why is Why.NOT_PROVEN


def test_who_used_up_their_tries_is_not_watched_again() -> None:
    play = Play(ShowingHistory(replace(VISIT, purpose=Purpose.MINE, attempts=3)))
    state = play.press(Button.PROVE)
    assert isinstance(state, Turned)
    assert not [order for order in play.ordered if isinstance(order, Watch)]


def test_a_disk_that_does_not_take_the_proof_opens_nothing() -> None:
    play = Play(Choosing(VISIT))
    play.press(Button.MINE)
    play.watch()
    state = play.judge()
    assert isinstance(state, Filing)
    state = play.feed(StoreFailed(state.matter.matter_id))
    assert isinstance(state, Turned)
    assert state.why is Why.STORE_DOWN
    assert visit_of(state).proven is None  # type: ignore[union-attr]


# --- the pages ---------------------------------------------------------------------


def test_at_most_three_choices_and_a_person_on_every_page() -> None:
    for page in MinePage:
        for held in (HELD, None):
            state = Mine(replace(own(VISIT), held=held), page, reached=False)
            footer = {Button.CALL_STAFF, Button.BACK, Button.HELP, Button.HOME}
            assert len(set(offered(state)) - footer) <= 3
            assert footer <= set(offered(state))


def test_k17_history_is_paged_by_four() -> None:
    play = menu()
    play.press(Button.LOOK, Button.HISTORY)
    assert isinstance(play.state, Mine)
    assert play.state.sheet == 0
    play.press(Button.NEXT)
    assert play.state.sheet == 1  # type: ignore[union-attr]
    play.press(Button.NEXT)
    assert play.state.sheet == 0  # type: ignore[union-attr]
    few = replace(own(VISIT), held=replace(HELD, proofs=PROOFS[:4]))
    assert Button.NEXT not in offered(Mine(few, MinePage.HISTORY))


def test_feature22_a_copy_is_masked_and_its_page_tells_of_the_paper() -> None:
    play = menu()
    play.press(Button.PAPERS, Button.PRINT_COPY)
    order = play.last(PrintSheet)
    assert isinstance(order, PrintSheet)
    assert isinstance(order.sheet, DataCopy)
    assert order.sheet.held == HELD
    assert NAME not in order.sheet.masked_name
    assert NUMBER not in order.sheet.masked_number
    play.feed(SlipPrinted(order.order_id - 1, None))
    assert play.state.paper is Print.PRINTING  # type: ignore[union-attr]
    play.feed(SlipPrinted(order.order_id, Fault.EMPTY))
    assert play.state.paper is Print.FAILED  # type: ignore[union-attr]
    assert isinstance(play.press(Button.BACK), Mine)
    assert play.state.page is MinePage.PAPERS  # type: ignore[union-attr]


def test_a_receipt_is_printed_again_by_the_card_that_was_read() -> None:
    play = menu()
    play.press(Button.PAPERS, Button.REPRINT)
    order = play.last(PrintCopy)
    assert isinstance(order, PrintCopy)
    assert (order.key, order.receipt_no) == (KEY, "")


def test_e04_who_has_done_it_can_have_the_receipt_again_after_a_proof() -> None:
    play = Play(Turned(Why.ALREADY_DONE, replace(VISIT, entry=DONE)))
    assert isinstance(play.press(Button.REPRINT), ShowingHistory)
    play.prove()
    state = play.feed(HistoryAnswered(KEY, HELD, reached=True))
    assert isinstance(state, Mine)
    assert state.page is MinePage.PAPERS
    assert Button.REPRINT in offered(state)


@pytest.mark.parametrize("about", About)
def test_feature22_every_correction_can_be_chosen_and_is_filed_once(about: About) -> None:
    play = menu()
    play.press(Button.PAPERS, Button.CORRECT)
    button = Button(f"about_{about.value}")
    while button not in offered(play.state):
        play.press(Button.NEXT)
    play.press(button, Button.CONFIRM)
    state = play.state
    assert isinstance(state, Filing)
    matter = state.matter
    assert (matter.kind, matter.about) == (MatterKind.CORRECTION, about)
    assert matter.subject.id_number == NUMBER
    assert matter.number
    state = play.feed(RecordStored(matter.matter_id, False))
    assert isinstance(state, Mine)
    assert (state.page, state.number, state.online) == (MinePage.FILED, matter.number, False)
    ticket = play.last(PrintSheet)
    assert isinstance(ticket, PrintSheet)
    assert ticket.sheet == Ticket(matter.number)
    assert play.feed(SlipPrinted(ticket.order_id, None)).paper is Print.PRINTED  # type: ignore[union-attr]
    play.press(Button.BACK)
    assert len([order for order in play.ordered if isinstance(order, File)]) == 1


def test_nothing_is_filed_before_it_was_confirmed() -> None:
    play = menu()
    play.press(Button.PAPERS, Button.CORRECT, Button.ABOUT_NAME, Button.BACK)
    assert not [order for order in play.ordered if isinstance(order, File)]
    assert play.state.page is MinePage.CORRECT  # type: ignore[union-attr]


@pytest.mark.parametrize("here", [True, False])
def test_feature17_withdrawal_is_confirmed_deletes_and_prints_a_slip(here: bool) -> None:
    play = menu()
    play.press(Button.WITHDRAW)
    assert not [order for order in play.ordered if isinstance(order, DeleteTemplate)]
    play.press(Button.CONFIRM)
    assert isinstance(play.state, Withdrawing)
    order = play.last(DeleteTemplate)
    assert isinstance(order, DeleteTemplate)
    assert order.event.person_id == VISIT.entry.person_id  # type: ignore[union-attr]
    assert order.event.consent is not None
    assert not order.event.consent.agreed
    state = play.feed(TemplateDeleted(order.event.event_id, here))
    assert isinstance(state, Mine)
    assert (state.page, state.here) == (MinePage.WITHDRAWN, here)
    slip = play.last(PrintWithdrawal)
    assert isinstance(slip, PrintWithdrawal)
    assert slip.slip_no == state.number


def test_a_withdrawal_that_failed_is_not_said_to_be_done() -> None:
    play = menu()
    play.press(Button.WITHDRAW, Button.CONFIRM)
    assert isinstance(play.state, Withdrawing)
    state = play.feed(TemplateFailed(play.state.event.event_id))
    assert isinstance(state, Turned)
    assert state.why is Why.STORE_DOWN


def test_time_runs_out_on_every_page_but_not_while_the_disk_is_writing() -> None:
    play = menu()
    play.feed(TimerFired(1))
    play.feed(TimerFired(play.session.timer))
    assert isinstance(play.state, Home)
    writing = Play(Choosing(VISIT))
    writing.press(Button.MINE)
    writing.watch()
    writing.judge()
    for _ in range(2):
        writing.feed(TimerFired(writing.session.timer))
    assert isinstance(writing.state, Filing)


def test_nobody_is_named_in_a_repr() -> None:
    play = menu()
    play.press(Button.PAPERS, Button.CORRECT, Button.ABOUT_NAME, Button.CONFIRM)
    for text in (repr(play.session), repr(play.ordered)):
        assert NAME not in text
        assert NUMBER not in text
        assert HELD.masked_name not in text
        assert HELD.proofs[0].place not in text


def test_where_the_camera_looked_a_badge_opens_nothing() -> None:
    """Staff who are signed in vouch with a key of their own, not by a check that failed."""
    visit = replace(VISIT, witness=CLERK, purpose=Purpose.REPRINT)
    context = World().context()
    matter = context.matter(visit, MatterKind.ACCESS, verdict=verdict(alike=False))
    assert matter.badge
    assert not matter.opens
    assert context.matter(visit, MatterKind.ACCESS).opens
    assert not context.matter(VISIT, MatterKind.ACCESS).opens

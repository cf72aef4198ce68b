"""Scanning: what each code leads to, the camera's notice first, copies for whose card it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.domain.challenge import Prompt
from edge.domain.codes import LetterService, letter_code, letter_of
from edge.domain.errors import Fault
from edge.domain.record import NamedBy
from edge.session import effects as fx
from edge.session.codes_states import (
    AwaitingOwner,
    CheckingCode,
    CodeNews,
    CodeTold,
    CopyNews,
    Reprinting,
    Scanning,
    ScanWay,
)
from edge.session.events import (
    Button,
    CardFailed,
    CodeChecked,
    CodeScanned,
    CodeSeen,
    CopyTold,
    Event,
    Pressed,
    ReceiptFailed,
    RosterAnswered,
    TimerFired,
    WatchFailed,
)
from edge.session.machine import offered, step
from edge.session.staff_states import StaffSignIn
from edge.session.states import (
    AwaitingCard,
    Choosing,
    Confirming,
    Consenting,
    Finished,
    Home,
    Informing,
    Language,
    LookingUp,
    Reviewing,
    Session,
    State,
    Turned,
    Watching,
    Why,
    uses_camera,
)
from tests.session_world import ENTRY, KEY, LAID_DOWN, World, verdict
from tests.ui_world import BADGE, CODE, DONE, PAPER, TARGET, VISIT, finished, watching
from tests.ui_world import Outcome as Result

LETTER = letter_code(LetterService.PROOF)


class Kiosk:
    """A session with everything it ordered."""

    def __init__(self, state: State | None = None, *, scanner: bool = True) -> None:
        self.world = World()
        self.scanner = scanner
        self.session = Session(state or Home(), Language.ZH, epoch=10, deadline_ns=None)
        self.orders: list[fx.Effect] = []

    @property
    def state(self) -> State:
        return self.session.state

    def do(self, *events: Event | Button) -> Kiosk:
        for event in events:
            context = self.world.context(has_scanner=self.scanner)
            happened = Pressed(event) if isinstance(event, Button) else event
            moved = step(self.session, happened, context)
            self.session, self.orders = moved.session, [*self.orders, *moved.effects]
        return self

    def ordered(self, kind: type[fx.Effect]) -> list[fx.Effect]:
        return [order for order in self.orders if isinstance(order, kind)]


def checking(kiosk: Kiosk) -> int:
    assert isinstance(kiosk.state, CheckingCode)
    return kiosk.state.check_id


# --- the scanner -------------------------------------------------------------------


@pytest.mark.parametrize(
    "state", [Home(), AwaitingCard(), Choosing(VISIT), finished(Result.PASSED)], ids=str
)
def test_k10_k19_a_receipt_is_checked_and_one_gets_back_to_where_one_was(state: State) -> None:
    kiosk = Kiosk(state).do(Button.SCAN)
    assert kiosk.state == Scanning(state, ScanWay.SCANNER)
    kiosk.do(CodeScanned(CODE))
    assert kiosk.ordered(fx.CheckCode) == [fx.CheckCode(checking(kiosk), CODE)]
    kiosk.do(CodeChecked(checking(kiosk), PAPER, here=True))
    assert kiosk.state == CodeTold(state, CodeNews.GENUINE, PAPER, here=True)
    assert kiosk.do(Button.BACK).state == state


def test_a_receipt_that_is_not_proven_gets_neutral_words_and_another_try() -> None:
    kiosk = Kiosk().do(Button.SCAN, CodeScanned(CODE))
    kiosk.do(CodeChecked(checking(kiosk), None, here=False))
    assert kiosk.state == CodeTold(Home(), CodeNews.UNPROVEN)
    assert Button.REPRINT not in offered(kiosk.state)
    assert kiosk.do(Button.TRY_AGAIN).state == Scanning(Home(), ScanWay.SCANNER)


def test_an_answer_to_an_earlier_code_is_nobodys() -> None:
    kiosk = Kiosk().do(Button.SCAN, CodeScanned(CODE))
    late = checking(kiosk) - 1
    assert isinstance(kiosk.do(CodeChecked(late, PAPER, here=True)).state, CheckingCode)


@pytest.mark.parametrize("code", [CODE, LETTER])
def test_where_nobody_is_served_our_codes_need_no_button(code: str) -> None:
    for waiting in (Home(), AwaitingCard()):
        assert Kiosk(waiting).do(CodeScanned(code)).state != waiting


@pytest.mark.parametrize("code", ["6901028075763", "https://example.invalid", "jianzai-letter:x"])
def test_any_other_code_gets_kind_words_where_one_was_asked_for_and_else_nothing(
    code: str,
) -> None:
    assert Kiosk().do(CodeScanned(code)).state == Home()
    assert Kiosk().do(Button.SCAN, CodeScanned(code)).state == CodeTold(Home(), CodeNews.OTHER)


def test_a_code_means_nothing_in_the_middle_of_a_visit() -> None:
    for state in (Choosing(VISIT), Consenting(VISIT), watching(Prompt.UP), finished(Result.PASSED)):
        assert Kiosk(state).do(CodeScanned(CODE)).state == state


def test_a_badge_opens_the_sign_in_as_ever_but_in_nobodys_visit() -> None:
    badge = CodeScanned(f"jianzai-badge:{BADGE}")
    assert isinstance(Kiosk().do(badge).state, StaffSignIn)
    assert isinstance(Kiosk().do(Button.SCAN, badge).state, StaffSignIn)
    visiting = Kiosk(Choosing(VISIT)).do(Button.SCAN, badge)
    assert visiting.state == CodeTold(Choosing(VISIT), CodeNews.OTHER)


def test_time_runs_out_here_too() -> None:
    kiosk = Kiosk().do(Button.SCAN)
    kiosk.do(TimerFired(kiosk.session.timer))
    assert kiosk.session.warned
    kiosk.do(TimerFired(kiosk.session.timer))
    assert kiosk.state == Home()


# --- a notice letter -----------------------------------------------------------------


def test_k10_a_letter_prefills_the_service_and_the_card_is_still_asked_for() -> None:
    kiosk = Kiosk().do(Button.SCAN, CodeScanned(LETTER))
    assert kiosk.state == AwaitingCard(service=LetterService.PROOF)
    kiosk.do(CardFailed(Fault.GARBLED))
    assert kiosk.state == AwaitingCard(1, LetterService.PROOF), "a bad read forgets no letter"
    kiosk.do(LAID_DOWN)
    assert isinstance(kiosk.state, LookingUp)
    kiosk.do(RosterAnswered(KEY, ENTRY))
    assert isinstance(kiosk.state, Confirming)
    assert isinstance(kiosk.do(Button.ENTER).state, Consenting), "straight to consent"


def test_without_a_letter_one_chooses() -> None:
    kiosk = Kiosk(AwaitingCard()).do(LAID_DOWN, RosterAnswered(KEY, ENTRY), Button.ENTER)
    assert isinstance(kiosk.state, Choosing)


def test_a_letter_for_who_is_done_says_so() -> None:
    done = replace(ENTRY, certified_on=DONE.certified_on)
    kiosk = Kiosk(AwaitingCard(service=LetterService.PROOF))
    kiosk.do(LAID_DOWN, RosterAnswered(KEY, done), Button.ENTER)
    assert isinstance(kiosk.state, Turned)
    assert kiosk.state.why is Why.ALREADY_DONE


def test_a_letter_in_the_middle_of_a_visit_sends_nobody_back() -> None:
    kiosk = Kiosk(Choosing(VISIT)).do(Button.SCAN, CodeScanned(LETTER))
    assert kiosk.state == CodeTold(Choosing(VISIT), CodeNews.LETTER)


def test_a_letters_code_names_nobody_and_comes_back_as_it_was() -> None:
    assert letter_of(f" {LETTER}\r") is LetterService.PROOF
    assert letter_of("jianzai-letter:") is None
    assert letter_of("proof") is None


# --- the camera ----------------------------------------------------------------------


def camera(state: State | None = None) -> Kiosk:
    return Kiosk(state, scanner=False).do(Button.SCAN)


def test_without_a_scanner_a_notice_comes_before_the_camera() -> None:
    kiosk = camera()
    assert kiosk.state == Scanning(Home(), ScanWay.NOTICE)
    assert not kiosk.ordered(fx.LookForCode)
    kiosk.do(Button.USE_CAMERA)
    assert isinstance(kiosk.state, Scanning)
    assert kiosk.ordered(fx.LookForCode) == [fx.LookForCode(kiosk.state.watch_id)]
    assert not kiosk.ordered(fx.Watch)
    kiosk.do(CodeSeen(kiosk.state.watch_id, CODE))
    assert isinstance(kiosk.state, CheckingCode)
    assert isinstance(kiosk.orders[-3], fx.StopWatching) or kiosk.ordered(fx.StopWatching)


def test_a_scanner_that_broke_is_no_scanner() -> None:
    kiosk = Kiosk()
    kiosk.session = replace(kiosk.session, lost=("scanner",))
    assert kiosk.do(Button.SCAN).state == Scanning(Home(), ScanWay.NOTICE)


@pytest.mark.parametrize("way_out", [Button.BACK, Button.HOME, Button.HELP, LAID_DOWN])
def test_however_one_leaves_the_camera_closes(way_out: Button | Event) -> None:
    kiosk = camera().do(Button.USE_CAMERA)
    assert uses_camera(kiosk.state)
    kiosk.do(way_out)
    assert not uses_camera(kiosk.state)
    assert kiosk.ordered(fx.StopWatching)


def test_help_comes_back_to_the_notice_and_not_to_an_open_camera() -> None:
    kiosk = camera().do(Button.USE_CAMERA, Button.HELP)
    assert isinstance(kiosk.state, Informing)
    assert kiosk.do(Button.BACK).state == Scanning(Home(), ScanWay.NOTICE)


def test_no_code_for_a_minute_and_a_dead_camera_are_told_apart() -> None:
    kiosk = camera().do(Button.USE_CAMERA)
    assert isinstance(kiosk.state, Scanning)
    watch_id = kiosk.state.watch_id
    kiosk.do(CodeSeen(watch_id - 1, None), WatchFailed(watch_id - 1, Fault.SILENT))
    assert kiosk.state == Scanning(Home(), ScanWay.CAMERA, watch_id), "of another opening"
    nothing = Kiosk(kiosk.state, scanner=False).do(CodeSeen(watch_id, None))
    assert nothing.state == CodeTold(Home(), CodeNews.NOTHING)
    broken = Kiosk(kiosk.state, scanner=False).do(WatchFailed(watch_id, Fault.SILENT))
    assert broken.state == CodeTold(Home(), CodeNews.NO_CAMERA)


def test_a_code_that_comes_after_one_has_left_is_nobodys() -> None:
    kiosk = camera().do(Button.USE_CAMERA)
    assert isinstance(kiosk.state, Scanning)
    late = CodeSeen(kiosk.state.watch_id, CODE)
    kiosk.do(Button.BACK)
    assert kiosk.do(late).state == Home()


def test_a_try_left_for_a_scan_begins_anew_and_counts() -> None:
    kiosk = Kiosk(watching(Prompt.UP)).do(Button.SCAN)
    assert kiosk.ordered(fx.StopWatching)
    kiosk.do(Button.BACK)
    assert isinstance(kiosk.state, Watching)
    assert kiosk.state.visit.attempts == VISIT.attempts + 1


# --- a second copy -------------------------------------------------------------------


def told(back: State | None = None) -> Kiosk:
    return Kiosk(CodeTold(back or Home(), CodeNews.GENUINE, PAPER, here=True))


def test_f22_a_copy_asks_for_the_card_and_prints_for_its_key() -> None:
    kiosk = told().do(Button.REPRINT)
    assert kiosk.state == AwaitingOwner(Home(), PAPER.receipt_no)
    assert kiosk.ordered(fx.ArmReader)
    kiosk.do(LAID_DOWN)
    assert isinstance(kiosk.state, Reprinting)
    order_id = kiosk.state.order_id
    assert kiosk.ordered(fx.PrintCopy) == [fx.PrintCopy(order_id, KEY, PAPER.receipt_no)]
    kiosk.do(CopyTold(order_id - 1, CopyNews.PRINTED))
    assert kiosk.state.news is CopyNews.PRINTING
    kiosk.do(CopyTold(order_id, CopyNews.PRINTED))
    assert isinstance(kiosk.state, Reprinting)
    assert kiosk.state.news is CopyNews.PRINTED
    assert not kiosk.ordered(fx.LookUp), "nobody is looked up for a copy"


def test_whose_card_was_read_already_need_not_lay_it_down_again() -> None:
    kiosk = told(Choosing(VISIT)).do(Button.REPRINT)
    assert isinstance(kiosk.state, Reprinting)
    assert kiosk.ordered(fx.PrintCopy) == [
        fx.PrintCopy(kiosk.state.order_id, KEY, PAPER.receipt_no)
    ]


def test_a_number_that_was_typed_is_no_card() -> None:
    """帮亲友: who knows a number and has found the paper has no right to a copy."""
    typed = replace(TARGET, named_by=NamedBy.TYPED)
    kiosk = told(Reviewing(typed, verdict(alike=None))).do(Button.REPRINT)
    assert isinstance(kiosk.state, AwaitingOwner)
    assert Button.CALL_STAFF in offered(kiosk.state)
    kiosk.do(LAID_DOWN)
    assert kiosk.ordered(fx.PrintCopy), "with the card itself it prints"


@pytest.mark.parametrize("fault", [Fault.ABSENT, Fault.GARBLED])
def test_who_has_no_card_for_a_copy_goes_on_with_what_they_did(fault: Fault) -> None:
    typed = replace(TARGET, named_by=NamedBy.TYPED)
    reviewing = Reviewing(typed, verdict(alike=None))
    kiosk = told(reviewing).do(Button.REPRINT)
    kiosk.do(*(CardFailed(fault) for _ in range(1 if fault is Fault.ABSENT else 3)))
    assert kiosk.state == reviewing


def test_a_receipt_of_another_terminal_offers_no_copy() -> None:
    state = CodeTold(Home(), CodeNews.GENUINE, PAPER, here=False)
    assert Button.REPRINT not in offered(state)


@pytest.mark.parametrize("news", [CopyNews.NOT_YOURS, CopyNews.FAILED])
def test_another_card_or_another_try(news: CopyNews) -> None:
    kiosk = told().do(Button.REPRINT, LAID_DOWN)
    assert isinstance(kiosk.state, Reprinting)
    kiosk.do(CopyTold(kiosk.state.order_id, news), Button.TRY_AGAIN)
    assert kiosk.state == AwaitingOwner(Home(), PAPER.receipt_no)


def test_e01_a_card_that_cannot_be_read_for_a_copy() -> None:
    kiosk = told().do(Button.REPRINT, CardFailed(Fault.GARBLED))
    assert kiosk.state == AwaitingOwner(Home(), PAPER.receipt_no, 1)
    kiosk.do(CardFailed(Fault.GARBLED), CardFailed(Fault.GARBLED))
    assert kiosk.state == Turned(Why.CARD_UNREADABLE, fault=Fault.GARBLED)


def test_e13_a_dead_reader_is_said_at_once() -> None:
    kiosk = told().do(Button.REPRINT, CardFailed(Fault.ABSENT))
    assert kiosk.state == Turned(Why.READER_DOWN, fault=Fault.ABSENT)


def test_e12_a_receipt_that_did_not_print_leaves_its_code_on_the_screen() -> None:
    printing = finished(Result.PASSED)
    kiosk = Kiosk(printing)
    kiosk.do(ReceiptFailed(printing.record.record_id, Fault.EMPTY, CODE))
    assert isinstance(kiosk.state, Finished)
    assert kiosk.state.code == CODE
    assert CODE not in repr(kiosk.state)

"""本人 / 帮亲友: the helper's card first, then whom it is for; who is asked about is the target."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.domain.errors import Fault
from edge.domain.people import CardFlag, CardKey, CardKind
from edge.domain.record import NOBODY, NamedBy, Outcome, ProofRecord
from edge.session import effects as fx
from edge.session.events import (
    Button,
    CardFailed,
    CardRead,
    Event,
    HelperChecked,
    HelperSpent,
    Judged,
    LookUpFailed,
    Pressed,
    RecordStored,
    RegistryAnswered,
    RosterAnswered,
    SlipPrinted,
    StoreFailed,
    StoreLost,
    TimerFired,
)
from edge.session.helping_states import (
    AwaitingHelper,
    CardNews,
    CheckingHelper,
    ConfirmingHelper,
    NamingTarget,
    NumberFault,
    TypingName,
    TypingNumber,
    WhoFor,
)
from edge.session.machine import offered, start, step
from edge.session.states import (
    AskingRegistry,
    AwaitingCard,
    Choosing,
    Confirming,
    Consenting,
    Finished,
    Home,
    Language,
    LookingUp,
    PaperNews,
    Reviewing,
    Storing,
    Turned,
    Watching,
    Why,
    helper_of,
    knows_somebody,
    visit_of,
)
from tests.session_world import ENTRY, KEY, LAID_DOWN, NAME, NUMBER, World, verdict

HELPER_KEY = CardKey("b" * 64)
HELPER_CARD = replace(LAID_DOWN.card, name="王小明", id_number="100000197001010012")
HELPS = CardRead(HELPER_CARD, HELPER_KEY, (CardFlag.EXPIRED,), LAID_DOWN.reader_id)
MINE = replace(ENTRY, masked_name="吉*四")
"""吉丽四, as typed below, might be this entry's name."""


class Walk:
    """A session and everything it ordered."""

    def __init__(self, language: Language = Language.ZH) -> None:
        self.world = World()
        self.session = start(language).session
        self.effects: list[fx.Effect] = []

    def do(self, *events: Event) -> Walk:
        for event in events:
            moved = step(self.session, event, self.world.context())
            self.session, self.effects = moved.session, [*self.effects, *moved.effects]
        return self

    def press(self, *buttons: Button) -> Walk:
        return self.do(*(Pressed(button) for button in buttons))

    @property
    def state(self) -> object:
        return self.session.state

    @property
    def record(self) -> ProofRecord:
        return next(e.record for e in reversed(self.effects) if isinstance(e, fx.Store))

    def naming(self) -> Walk:
        self.press(Button.START_PROOF, Button.FOR_OTHER).do(HELPS).press(Button.ENTER)
        return self.do(HelperChecked(HELPER_KEY, may=True))

    def digits(self, number: str) -> Walk:
        for digit in number:
            self.press(Button.KEY_X if digit == "X" else Button(f"digit_{digit}"))
        return self

    def numbered(self, number: str = NUMBER) -> Walk:
        return self.naming().press(Button.TYPE).digits(number).press(Button.OK)

    def spelt(self, keys: str, pick: Button = Button.PICK_1) -> Walk:
        return self.digits(keys).press(Button.SPELT, pick)

    def typed(self) -> Walk:
        """吉丽四: `ji` and `li` have the same keys, so the syllable is picked first."""
        self.numbered().spelt("54", Button.PICK_2).press(Button.PICK_1)
        self.spelt("54").press(Button.PICK_2)
        return self.spelt("74").press(Button.OK)


@pytest.fixture
def walk() -> Walk:
    return Walk()


# --- whom it is for ----------------------------------------------------------------


def test_m08_m09_the_tile_leads_to_the_choice_and_oneself_to_the_card(walk: Walk) -> None:
    assert isinstance(walk.press(Button.START_PROOF).state, WhoFor)
    assert isinstance(walk.press(Button.FOR_SELF).state, AwaitingCard)
    assert isinstance(walk.press(Button.BACK).state, WhoFor)


@pytest.mark.parametrize("opened", [(), (Button.START_PROOF,)])
def test_a_card_laid_down_before_the_choice_is_for_oneself(
    walk: Walk, opened: tuple[Button, ...]
) -> None:
    walk.press(*opened).do(LAID_DOWN)
    assert isinstance(walk.state, LookingUp)
    assert (walk.state.visit.helper, walk.state.visit.named_by) == (None, NamedBy.CARD)
    assert fx.LookUp(KEY) in walk.effects


def test_m10_the_helpers_card_comes_first_and_is_confirmed(walk: Walk) -> None:
    walk.press(Button.START_PROOF, Button.FOR_OTHER)
    assert isinstance(walk.state, AwaitingHelper)
    walk.do(HELPS)
    assert isinstance(walk.state, ConfirmingHelper)
    assert not [e for e in walk.effects if isinstance(e, fx.LookUp)], "not the helper's eligibility"
    walk.press(Button.REVEAL)
    assert isinstance(walk.state, ConfirmingHelper)
    assert walk.state.revealed
    walk.press(Button.ENTER)
    assert isinstance(walk.state, CheckingHelper)
    assert fx.CheckHelper(HELPER_KEY) in walk.effects
    walk.do(HelperChecked(CardKey("f" * 64), may=True))
    assert isinstance(walk.state, CheckingHelper), "an answer about another card"
    assert isinstance(walk.do(HelperChecked(HELPER_KEY, may=True)).state, NamingTarget)


def test_m17_the_targets_card_is_looked_up_and_the_helper_kept_apart(walk: Walk) -> None:
    walk.naming().do(LAID_DOWN)
    assert isinstance(walk.state, LookingUp)
    assert fx.LookUp(KEY, HELPER_KEY) in walk.effects
    walk.do(RosterAnswered(KEY, ENTRY)).press(Button.ENTER)
    assert isinstance(walk.state, Choosing)
    walk.press(Button.APPLY, Button.AGREE)
    assert isinstance(walk.state, Watching)
    walk.do(Judged(walk.state.watch_id, verdict())).press(Button.SUBMIT)
    record = walk.record
    assert record.outcome is Outcome.PASSED
    assert (record.subject.name, record.subject.id_number) == (NAME, NUMBER)
    assert record.helper is not None
    assert (record.helper.name, record.helper.flags) == ("王小明", (CardFlag.EXPIRED,))
    assert record.named_by is NamedBy.CARD
    assert "王小明" not in repr(record)


def test_the_helpers_own_card_is_no_target(walk: Walk) -> None:
    walk.naming().do(HELPS)
    assert isinstance(walk.state, NamingTarget)
    assert walk.state.news is CardNews.OWN
    assert not [e for e in walk.effects if isinstance(e, fx.LookUp)]


def test_a_card_that_comes_while_somebody_types_is_the_target(walk: Walk) -> None:
    walk.numbered().do(LAID_DOWN)
    assert isinstance(walk.state, LookingUp)
    assert walk.state.visit.named_by is NamedBy.CARD


@pytest.mark.parametrize("back", [Button.BACK])
def test_every_step_leads_back(walk: Walk, back: Button) -> None:
    seen = []
    walk.numbered()
    while not isinstance(walk.state, WhoFor):
        walk.press(back)
        seen.append(type(walk.state))
    assert seen == [TypingNumber, NamingTarget, AwaitingHelper, WhoFor]


def test_e01_a_helpers_card_that_cannot_be_read_three_times(walk: Walk) -> None:
    walk.press(Button.START_PROOF, Button.FOR_OTHER)
    walk.do(CardFailed(Fault.GARBLED), CardFailed(Fault.GARBLED))
    assert isinstance(walk.state, AwaitingHelper)
    assert walk.state.failures == 2
    walk.do(CardFailed(Fault.GARBLED))
    assert isinstance(walk.state, Turned)
    assert walk.state.why is Why.CARD_UNREADABLE


def test_e13_a_dead_reader_is_said_and_whoever_types_goes_on(walk: Walk) -> None:
    walk.press(Button.START_PROOF, Button.FOR_OTHER).do(CardFailed(Fault.SILENT))
    assert isinstance(walk.state, Turned)
    assert walk.state.why is Why.READER_DOWN
    other = Walk().naming()
    other.do(CardFailed(Fault.SILENT))
    assert isinstance(other.state, NamingTarget)
    assert other.state.news is CardNews.UNREAD
    other.press(Button.TYPE).do(CardFailed(Fault.SILENT))
    assert isinstance(other.state, TypingNumber)


def test_nobody_begins_to_help_when_nothing_can_be_kept(walk: Walk) -> None:
    for pressed in ((Button.START_PROOF,), (Button.START_PROOF, Button.FOR_OTHER)):
        walk = Walk().press(*pressed).do(StoreLost())
        assert isinstance(walk.state, Turned)
        assert walk.state.why is Why.OUT_OF_SERVICE


# --- the number --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        ("", NumberFault.SHORT),
        (NUMBER[:17], NumberFault.SHORT),
        (NUMBER[:17] + "1", NumberFault.CHECK),
        ("100000194513150029", NumberFault.BIRTH),
        (HELPER_CARD.id_number, NumberFault.OWN),
    ],
)
def test_m15_a_typed_number_is_checked_and_says_nothing_of_whose_it_is(
    walk: Walk, number: str, fault: NumberFault
) -> None:
    walk.numbered(number)
    assert isinstance(walk.state, TypingNumber)
    assert walk.state.fault is fault
    assert not [e for e in walk.effects if isinstance(e, fx.LookUp)]
    assert isinstance(walk.press(Button.ERASE).state, TypingNumber)
    assert walk.state.fault is None
    assert walk.state.typed == number[:-1]


def test_m15_x_is_only_the_eighteenth_and_a_nineteenth_is_not_taken(walk: Walk) -> None:
    walk.naming().press(Button.TYPE, Button.KEY_X).digits("1" * 17)
    assert isinstance(walk.state, TypingNumber)
    assert walk.state.typed == "1" * 17
    walk.press(Button.KEY_X, Button.DIGIT_1, Button.DIGIT_2)
    assert walk.state.typed == "1" * 17 + "X"


# --- the name ----------------------------------------------------------------------


def test_m15_syllables_and_characters_are_picked_sheet_by_sheet(walk: Walk) -> None:
    walk.numbered().digits("9264").press(Button.SPELT)
    assert isinstance(walk.state, TypingName)
    assert walk.state.options == ("wang", "yang")
    walk.press(Button.PICK_1)
    assert isinstance(walk.state, TypingName)
    assert walk.state.options == tuple("王汪旺" + "往" * 9)
    assert Button.PICK_9 in offered(walk.state)
    walk.press(Button.SHEET_ON)
    assert Button.PICK_4 not in offered(walk.state), "three are left for the second sheet"
    walk.press(Button.SHEET_ON).press(Button.PICK_2)
    assert walk.state.name == "汪"
    assert walk.state.keys == ""


def test_m15_a_key_that_leads_nowhere_is_not_taken(walk: Walk) -> None:
    walk.numbered().digits("92")
    assert isinstance(walk.state, TypingName)
    walk.press(Button.DIGIT_2)
    assert (walk.state.keys, walk.state.missed) == ("92", True)
    walk.press(Button.SPELT)
    assert walk.state.options == (), "no syllable yet"
    walk.press(Button.ERASE, Button.ERASE, Button.ERASE)
    assert (walk.state.keys, walk.state.name, walk.state.missed) == ("", "", False)
    assert isinstance(walk.press(Button.OK).state, TypingName), "nobody has no name"


def test_m15_english_types_letters_and_either_can_change(walk: Walk) -> None:
    walk = Walk(Language.EN).numbered()
    assert isinstance(walk.state, TypingName)
    assert walk.state.latin
    walk.press(Button.DIGIT_5, Button.PICK_3, Button.DIGIT_4, Button.PICK_3, Button.DIGIT_1)
    assert walk.state.name == "LI "
    walk.press(Button.ALPHABET).spelt("9264").press(Button.PICK_1)
    assert walk.state.name == "LI 王"
    walk.press(Button.DIGIT_1, Button.ERASE)
    assert walk.state.name == "LI 王"


def test_a_card_laid_down_over_the_page_of_help_is_whose_was_asked_for(walk: Walk) -> None:
    walk.press(Button.START_PROOF, Button.FOR_OTHER, Button.HELP).do(HELPS)
    assert isinstance(walk.state, ConfirmingHelper)


def test_a_typed_target_has_no_choices_and_no_history(walk: Walk) -> None:
    done = replace(MINE, certified_on=MINE.due_by)
    walk.typed().do(RosterAnswered(KEY, done))
    assert isinstance(walk.state, Confirming)
    visit = walk.state.visit
    assert (visit.named_by, visit.card.name, visit.card.photo) == (NamedBy.TYPED, "吉丽四", b"")
    walk.press(Button.ENTER)
    assert isinstance(walk.state, Consenting), "not that it is done already either"
    assert isinstance(walk.press(Button.BACK).state, Confirming)
    assert isinstance(walk.press(Button.BACK).state, NamingTarget)


def test_a_typed_target_needs_a_person_and_learns_no_due_date(walk: Walk) -> None:
    walk.typed().do(RosterAnswered(KEY, MINE)).press(Button.ENTER, Button.AGREE)
    assert isinstance(walk.state, Watching)
    walk.do(Judged(walk.state.watch_id, verdict(alike=None)))
    assert isinstance(walk.state, Reviewing)
    walk.press(Button.SUBMIT)
    record = walk.record
    assert (record.outcome, record.named_by) == (Outcome.NEEDS_REVIEW, NamedBy.TYPED)
    walk.do(RecordStored(record.record_id, online=True))
    [receipt] = [e for e in walk.effects if isinstance(e, fx.PrintReceipt)]
    assert receipt.due_by is None


@pytest.mark.parametrize("online", [True, False])
def test_m16_a_number_with_another_name_is_as_good_as_unknown(walk: Walk, online: bool) -> None:
    walk.typed().do(RosterAnswered(KEY, replace(MINE, masked_name="张*四"), online))
    if online:
        assert isinstance(walk.state, AskingRegistry), "as for a number nobody has"
        walk.do(RegistryAnswered(KEY, replace(MINE, masked_name="张*四"), reached=True))
    assert isinstance(walk.state, Turned)
    assert walk.state.why is (Why.NOT_FOUND if online else Why.NOT_REACHED)
    assert walk.state.visit is not None
    assert walk.state.visit.entry is None
    assert isinstance(walk.press(Button.BACK).state, NamingTarget)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (NUMBER, CardKind.RESIDENT),
        ("810000199408230021", CardKind.HMT_PERMIT),
        ("911124198108030024", CardKind.FOREIGN_2023),
    ],
)
def test_the_kind_of_card_is_in_the_number(walk: Walk, number: str, kind: CardKind) -> None:
    walk.numbered(number).spelt("74").press(Button.OK)
    assert isinstance(walk.state, LookingUp)
    assert walk.state.visit.card.kind is kind


# --- three a day ---------------------------------------------------------------------


def test_whoever_named_enough_people_today_is_told_before_they_type(walk: Walk) -> None:
    walk.press(Button.START_PROOF, Button.FOR_OTHER).do(HELPS).press(Button.ENTER)
    walk.do(HelperChecked(HELPER_KEY, may=False))
    assert isinstance(walk.state, Turned)
    assert walk.state.why is Why.HELPER_SPENT
    assert Button.CALL_STAFF in offered(walk.state)


def test_one_target_too_many_is_not_looked_up(walk: Walk) -> None:
    walk.naming().do(LAID_DOWN, HelperSpent(HELPER_KEY))
    assert isinstance(walk.state, LookingUp), "about another card"
    walk.do(HelperSpent(KEY))
    assert isinstance(walk.state, Turned)
    assert walk.state.why is Why.HELPER_SPENT
    walk.press(Button.CALL_STAFF)
    assert walk.record.helper is not None


def test_a_disk_that_cannot_tell_is_said(walk: Walk) -> None:
    walk.press(Button.START_PROOF, Button.FOR_OTHER).do(HELPS).press(Button.ENTER)
    walk.do(LookUpFailed(HELPER_KEY))
    assert isinstance(walk.state, Turned)
    assert walk.state.why is Why.STORE_DOWN


# --- a person to turn to ---------------------------------------------------------------


def called(walk: Walk) -> ProofRecord:
    walk.press(Button.CALL_STAFF)
    assert isinstance(walk.state, Storing)
    record = walk.record
    assert (record.outcome, record.ticket) == (Outcome.CALLED, "1-07")
    walk.do(RecordStored(record.record_id, online=False))
    assert isinstance(walk.state, Finished)
    assert [e for e in walk.effects if isinstance(e, fx.PrintReceipt)][-1].record == record
    return record


@pytest.mark.parametrize(
    "path",
    [
        (LAID_DOWN,),
        (LAID_DOWN, RosterAnswered(KEY, None, online=True)),
        (LAID_DOWN, RosterAnswered(KEY, ENTRY)),
        (LAID_DOWN, RosterAnswered(KEY, ENTRY), Pressed(Button.ENTER)),
        (LAID_DOWN, RosterAnswered(KEY, ENTRY), Pressed(Button.ENTER), Pressed(Button.APPLY)),
        (LAID_DOWN, RosterAnswered(KEY, None)),
        (LAID_DOWN, LookUpFailed(KEY)),
    ],
)
def test_feature_2_from_every_screen_after_the_card_a_ticket(
    walk: Walk, path: tuple[Event, ...]
) -> None:
    record = called(walk.do(*path))
    assert record.subject.id_number == NUMBER
    assert not [e for e in walk.effects if isinstance(e, fx.Watch)], "no camera for that"
    assert Button.CALL_STAFF not in offered(walk.session.state), "one number is enough"


def test_feature_2_also_after_a_result_and_while_looking_things_up_but_not_while_storing(
    walk: Walk,
) -> None:
    walk.do(LAID_DOWN, RosterAnswered(KEY, ENTRY)).press(Button.ENTER, Button.APPLY, Button.AGREE)
    assert isinstance(walk.state, Watching)
    walk.do(Judged(walk.state.watch_id, verdict())).press(Button.SUBMIT, Button.CALL_STAFF)
    proof = walk.record
    assert proof.outcome is Outcome.PASSED
    assert isinstance(walk.state, Storing)
    walk.do(RecordStored(proof.record_id, online=True))
    assert called(walk).record_id != proof.record_id


def test_feature_2_a_helper_without_a_target_can_call(walk: Walk) -> None:
    record = called(walk.naming())
    assert record.subject == NOBODY
    assert record.helper is not None
    assert record.helper.id_number == HELPER_CARD.id_number


def test_feature_2_somebody_whose_card_cannot_be_read_can_call(walk: Walk) -> None:
    walk.press(Button.START_PROOF).do(*[CardFailed(Fault.GARBLED)] * 3)
    record = called(walk)
    assert (record.subject, record.helper, record.person_id) == (NOBODY, None, None)


def test_a_call_that_cannot_be_kept_says_so_and_nothing_of_a_proof(walk: Walk) -> None:
    walk.do(LAID_DOWN, RosterAnswered(KEY, ENTRY)).press(Button.CALL_STAFF)
    walk.do(StoreFailed(walk.record.record_id))
    assert isinstance(walk.state, Turned)
    assert walk.state.why is Why.CALL_FAILED


def test_e10_declining_gives_a_number_too(walk: Walk) -> None:
    walk.do(LAID_DOWN, RosterAnswered(KEY, ENTRY))
    walk.press(Button.ENTER, Button.APPLY, Button.DECLINE)
    assert (walk.record.outcome, walk.record.ticket) == (Outcome.DECLINED, "1-07")


# --- where to ask ----------------------------------------------------------------------


@pytest.mark.parametrize("fault", [None, Fault.EMPTY])
def test_e03_where_to_ask_comes_on_paper_and_the_screen_says_only_what_the_printer_said(
    walk: Walk, fault: Fault | None
) -> None:
    walk.do(LAID_DOWN, RosterAnswered(KEY, None))
    [order] = [e for e in walk.effects if isinstance(e, fx.PrintWhereToAsk)]
    assert isinstance(walk.state, Turned)
    assert walk.state.slip is PaperNews.PRINTING
    walk.do(SlipPrinted(order.order_id - 1, None))
    assert walk.state.slip is PaperNews.PRINTING
    walk.do(SlipPrinted(order.order_id, fault))
    assert walk.state.slip is (PaperNews.FAILED if fault else PaperNews.PRINTED)


# --- nothing stays ---------------------------------------------------------------------


def test_k41_time_running_out_forgets_the_helper_and_what_was_typed(walk: Walk) -> None:
    walk.typed()
    assert knows_somebody(walk.session.state)
    text = repr(walk.session)
    for secret in ("王小明", "吉丽四", NUMBER, HELPER_CARD.id_number):
        assert secret not in text
    for _ in range(2):  # the warning, then the end
        walk.do(TimerFired(walk.session.timer))
    assert isinstance(walk.state, Home)
    assert (visit_of(walk.session.state), helper_of(walk.session.state)) == (None, None)

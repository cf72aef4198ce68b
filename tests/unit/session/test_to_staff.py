"""E05: somebody whom the registry wants staff to look at first."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from edge.domain.record import NamedBy, Outcome
from edge.session.effects import PrintReceipt, Store, Watch
from edge.session.events import Button, Judged, RecordStored
from edge.session.states import Confirming, Finished, Language, Storing, Watching
from edge.ui.viewmodel import view
from edge.wire import messages
from tests.session_world import verdict
from tests.ui_world import FACTS, NOW, TARGET, TO_STAFF, TO_STAFF_ENTRY
from tests.unit.session.test_mine import Play

TYPED = replace(TARGET, entry=TO_STAFF_ENTRY, named_by=NamedBy.TYPED)


@pytest.mark.parametrize("alike", [True, None])
def test_e05_who_was_only_typed_goes_the_way_of_everybody_to_staff(alike: bool | None) -> None:
    """M17: nobody learns by typing a number whom the registry has down as dead."""
    plain = replace(TYPED, entry=replace(TO_STAFF_ENTRY, to_staff=False))
    ends = []
    for visit in (TYPED, plain):
        play = Play(Confirming(visit))
        state = play.press(Button.ENTER, Button.AGREE)
        assert isinstance(state, Watching)
        play.feed(Judged(state.watch_id, verdict(alike=alike)))
        state = play.press(Button.SUBMIT)
        assert isinstance(state, Storing)
        play.feed(RecordStored(state.record.record_id, True))
        ends.append((state.record.outcome, state.record.ticket, view(play.session, NOW, FACTS)))
    assert ends[0][0] is Outcome.NEEDS_REVIEW
    if alike is None:  # the rule, for nobody who was typed has a card's photo
        assert ends[0][:2] == ends[1][:2]
        assert ends[0][2].lines[0] == ends[1][2].lines[0]


def test_e05_the_record_is_filed_for_review_at_once_with_a_ticket_and_no_camera() -> None:
    play = Play(Confirming(TO_STAFF))
    state = play.press(Button.ENTER)
    assert isinstance(state, Storing)
    assert state.record.outcome is Outcome.NEEDS_REVIEW
    assert (state.record.verdict, state.record.consent) == (None, None)
    assert state.record.ticket
    state = play.feed(RecordStored(state.record.record_id, True))
    assert isinstance(state, Finished)
    assert {Store, PrintReceipt} <= set(map(type, play.ordered))
    assert not [order for order in play.ordered if isinstance(order, Watch)]


@pytest.mark.parametrize("online", [True, False])
def test_e05_the_words_are_neutral_on_screen_and_paper(online: bool) -> None:
    play = Play(Confirming(TO_STAFF))
    state = play.press(Button.ENTER)
    assert isinstance(state, Storing)
    play.feed(RecordStored(state.record.record_id, online))
    for language in Language:
        screen = view(replace(play.session, language=language), NOW, FACTS)
        shown = "\n".join([screen.title, *screen.lines, screen.hint, screen.spoken])
        assert not re.search(r"死|亡|拒|\b(dead|death|refus)", shown.lower())
        if language is Language.ZH:
            assert screen.lines[0] == "信息需要工作人员核对，请稍候"
        else:
            assert screen.lines[0] == "A member of staff will check your details, please wait"


def test_e05_the_word_travels_in_a_roster_and_an_older_one_means_no() -> None:
    fields = messages.entry_fields(TO_STAFF_ENTRY)
    assert messages.parse_entry(fields) == TO_STAFF_ENTRY
    del fields["staff"]
    assert not messages.parse_entry(fields).to_staff

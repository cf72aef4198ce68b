"""问卷调查 and 投诉反馈: a few touches, stored, and nobody named."""

from __future__ import annotations

import pytest

from edge.domain.errors import Fault
from edge.domain.opinions import QUESTIONS, Grievance, Rating
from edge.session.effects import File, PrintSheet, Ticket
from edge.session.events import Button, RecordStored, SlipPrinted, StoreFailed
from edge.session.machine import offered
from edge.session.mine_states import Complaint, Print, Said, Saying, Survey
from edge.session.states import Home, LookingUp, Turned, Why
from tests.session_world import LAID_DOWN
from tests.unit.session.test_mine import Play


def test_m07_three_answers_are_one_opinion_without_a_number() -> None:
    play = Play(Home())
    play.press(Button.SURVEY, Button.RATE_GOOD, Button.RATE_FAIR, Button.RATE_POOR)
    assert isinstance(play.state, Saying)
    opinion = play.state.opinion
    assert opinion.ratings == (Rating.GOOD, Rating.FAIR, Rating.POOR)
    assert len(opinion.ratings) == len(QUESTIONS)
    assert (opinion.number, opinion.grievance) == ("", None)
    state = play.feed(RecordStored(opinion.opinion_id, True))
    assert state == Said(opinion, online=True)
    assert not [order for order in play.ordered if isinstance(order, PrintSheet)]
    assert isinstance(play.press(Button.EXIT), Home)


def test_an_answer_can_be_taken_back_one_by_one() -> None:
    play = Play(Home())
    play.press(Button.SURVEY, Button.RATE_GOOD, Button.RATE_FAIR)
    assert play.press(Button.BACK) == Survey((Rating.GOOD,))
    assert isinstance(play.press(Button.BACK, Button.BACK), Home)
    assert not [order for order in play.ordered if isinstance(order, File)]


@pytest.mark.parametrize("grievance", Grievance)
@pytest.mark.parametrize("numbered", [True, False])
def test_m07_every_complaint_can_be_made_with_and_without_a_number(
    grievance: Grievance, numbered: bool
) -> None:
    play = Play(Home())
    play.press(Button.FEEDBACK)
    while (button := Button(f"grievance_{grievance.value}")) not in offered(play.state):
        play.press(Button.NEXT)
    play.press(button, Button.WITH_NUMBER if numbered else Button.WITHOUT_NUMBER)
    assert isinstance(play.state, Saying)
    opinion = play.state.opinion
    assert (opinion.grievance, bool(opinion.number)) == (grievance, numbered)
    play.feed(RecordStored(opinion.opinion_id, False))
    slips = [order for order in play.ordered if isinstance(order, PrintSheet)]
    assert [slip.sheet for slip in slips] == ([Ticket(opinion.number)] if numbered else [])
    assert isinstance(play.state, Said)
    assert not play.state.online


def test_the_slip_is_told_of_as_it_came_out() -> None:
    for fault, paper in ((None, Print.PRINTED), (Fault.EMPTY, Print.FAILED)):
        play = Play(Complaint(Grievance.STAFF))
        play.press(Button.WITH_NUMBER)
        assert isinstance(play.state, Saying)
        play.feed(RecordStored(play.state.opinion.opinion_id, True))
        (slip,) = (order for order in play.ordered if isinstance(order, PrintSheet))
        play.feed(SlipPrinted(slip.order_id, fault))
        assert isinstance(play.state, Said)
        assert play.state.paper is paper


def test_a_disk_that_takes_nothing_thanks_nobody() -> None:
    play = Play(Complaint(Grievance.STAFF))
    play.press(Button.WITHOUT_NUMBER)
    assert isinstance(play.state, Saying)
    state = play.feed(StoreFailed(play.state.opinion.opinion_id))
    assert isinstance(state, Turned)
    assert state.why is Why.STORE_DOWN


def test_a_question_left_standing_keeps_no_resident_out() -> None:
    for state in (Survey(), Complaint(), Complaint(Grievance.OTHER)):
        assert isinstance(Play(state).feed(LAID_DOWN), LookingUp)

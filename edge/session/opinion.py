"""The machine's part for 问卷调查 and 投诉反馈: from the first screen, nobody is named. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edge.domain.opinions import QUESTIONS, Grievance, Opinion, Rating
from edge.session.effects import Effect, File, PrintSheet, Ticket
from edge.session.events import Button, Event, RecordStored, SlipPrinted, StoreFailed
from edge.session.mine_states import (
    GRIEVANCES,
    Complaint,
    OpinionState,
    Print,
    Said,
    Saying,
    Survey,
)
from edge.session.states import Home, State, Turned, Why

if TYPE_CHECKING:
    from edge.session.machine import Context

Move = tuple[State, tuple[Effect, ...]]

RATINGS = {Button(f"rate_{rating.value}"): rating for rating in Rating}
_TOPICS = {Button(f"grievance_{grievance.value}"): grievance for grievance in Grievance}


def offered(state: OpinionState) -> tuple[Button, ...]:
    """Every button that does something in this state, main choices first."""
    match state:
        case Survey():
            return (*RATINGS, Button.BACK, Button.HOME)
        case Complaint(None, sheet):
            shown = (Button(f"grievance_{topic.value}") for topic in GRIEVANCES[sheet])
            return (*shown, Button.NEXT, Button.BACK, Button.HOME)
        case Complaint():
            return (Button.WITH_NUMBER, Button.WITHOUT_NUMBER, Button.BACK, Button.HOME)
        case Saying():
            return ()
        case Said():
            return (Button.EXIT, Button.HOME)


def pressed(state: OpinionState, button: Button, ctx: Context) -> Move:
    """`button` is one of those `offered`."""
    match state, button:
        case Survey(ratings), Button.BACK:
            return (Survey(ratings[:-1]) if ratings else Home()), ()
        case Survey(ratings), _:
            return _rated((*ratings, RATINGS[button]), ctx)
        case Complaint(None, sheet), Button.NEXT:
            return Complaint(sheet=(sheet + 1) % len(GRIEVANCES)), ()
        case Complaint(None), Button.BACK:
            return Home(), ()
        case Complaint(), Button.BACK:
            return replace(state, grievance=None), ()
        case Complaint(None), _:
            return replace(state, grievance=_TOPICS[button]), ()
        case Complaint(grievance), _:
            return _say(ctx.opinion((), grievance, numbered=button is Button.WITH_NUMBER))
        case _:
            return state, ()


def _rated(ratings: tuple[Rating, ...], ctx: Context) -> Move:
    if len(ratings) < len(QUESTIONS):
        return Survey(ratings), ()
    return _say(ctx.opinion(ratings, None, numbered=False))


def _say(opinion: Opinion) -> Move:
    return Saying(opinion), (File(opinion),)


def told(state: Saying | Said, event: Event, order_id: int) -> Move | None:
    """What came of an order; None if it was another one. An order given here is `order_id`."""
    match state, event:
        case Saying(opinion), RecordStored(record_id, online) if record_id == opinion.opinion_id:
            return _stored(opinion, online, order_id)
        case Saying(opinion), StoreFailed(record_id) if record_id == opinion.opinion_id:
            return Turned(Why.STORE_DOWN), ()
        case Said(order_id=running), SlipPrinted(done, fault) if done == running:
            return replace(state, paper=Print.FAILED if fault else Print.PRINTED), ()
        case _:
            return None


def _stored(opinion: Opinion, online: bool, order_id: int) -> Move:
    if not opinion.number:
        return Said(opinion, online), ()
    slip = PrintSheet(order_id, Ticket(opinion.number))
    return Said(opinion, online, order_id, Print.PRINTING), (slip,)

"""The machine's part for 我的信息: what is kept of a person, shown to that person alone. Pure.

A card may have been lost: alone it shows this year's state and no more. Everything else needs
a face match in this visit, for which consent is asked with words of its own, or staff who look at
person and card. The registry is told of each such proof, passed or not, before anything is shown
for it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edge.domain.matters import About, Held, Matter, MatterKind
from edge.domain.people import mask_id_number, mask_name
from edge.domain.record import RecordId
from edge.session import codes
from edge.session.assist_states import AssistChoice
from edge.session.effects import (
    AskHistory,
    DataCopy,
    DeleteTemplate,
    Effect,
    File,
    PrintSheet,
    PrintWithdrawal,
    Ticket,
)
from edge.session.events import (
    Button,
    Event,
    HistoryAnswered,
    RecordStored,
    SlipPrinted,
    StoreFailed,
    TemplateDeleted,
    TemplateFailed,
)
from edge.session.mine_states import (
    ABOUTS,
    AskingMine,
    Filing,
    Mine,
    MinePage,
    MineState,
    Print,
    Purpose,
    Withdrawing,
    sheets,
)
from edge.session.states import Choosing, Language, ShowingHistory, State, Turned, Visit, Why

if TYPE_CHECKING:
    from edge.session.machine import Context

Move = tuple[State, tuple[Effect, ...]]

ABOUT = {Button(f"about_{about.value}"): about for about in About}
_LANDS = {
    Purpose.HISTORY: MinePage.HISTORY,
    Purpose.MINE: MinePage.MENU,
    Purpose.REPRINT: MinePage.PAPERS,
}
_BACK = {
    MinePage.DATA: MinePage.MENU,
    MinePage.HISTORY: MinePage.DATA,
    MinePage.PAPERS: MinePage.MENU,
    MinePage.PRINT: MinePage.PAPERS,
    MinePage.CORRECT: MinePage.PAPERS,
    MinePage.SURE: MinePage.CORRECT,
    MinePage.FILED: MinePage.MENU,
    MinePage.WITHDRAW: MinePage.MENU,
    MinePage.WITHDRAWN: MinePage.MENU,
}
_OPENS = {
    Button.LOOK: MinePage.DATA,
    Button.HISTORY: MinePage.HISTORY,
    Button.PAPERS: MinePage.PAPERS,
    Button.CORRECT: MinePage.CORRECT,
    Button.WITHDRAW: MinePage.WITHDRAW,
}


def choices(state: Mine) -> tuple[Button, ...]:
    """The main buttons of a page, at most three."""
    more = (Button.NEXT,) if sheets(state) > 1 else ()
    match state.page:
        case MinePage.MENU:
            withdraw = (Button.WITHDRAW,) if state.visit.entry else ()
            return (Button.LOOK, Button.PAPERS, *withdraw)
        case MinePage.DATA:
            return (Button.HISTORY,)
        case MinePage.HISTORY:
            again = () if state.reached else (Button.TRY_AGAIN,)
            return (*more, *again)
        case MinePage.PAPERS:
            return (Button.PRINT_COPY, Button.REPRINT, Button.CORRECT)
        case MinePage.CORRECT:
            shown = ABOUTS[state.sheet]
            return (*(Button(f"about_{about.value}") for about in shown), *more)
        case MinePage.SURE | MinePage.WITHDRAW:
            return (Button.CONFIRM,)
        case MinePage.PRINT | MinePage.FILED | MinePage.WITHDRAWN:
            return ()


def opened(visit: Visit, purpose: Purpose) -> Move:
    """Somebody wants to see what is kept of them: who did not prove it yet sees this year."""
    visit = replace(visit, purpose=purpose)
    if not visit.proven:
        return ShowingHistory(visit), ()
    if visit.held is None:
        return _ask(visit)
    return Mine(visit, _LANDS[purpose]), ()


def _ask(visit: Visit) -> Move:
    assert visit.proven is not None
    return AskingMine(visit), (AskHistory(visit.key, visit.card.id_number, visit.proven),)


def vouched(visit: Visit, ctx: Context) -> Move:
    """Staff looked at person and card, which is as good as the camera, and filed like it."""
    if visit.proven:
        return opened(visit, Purpose.MINE)
    visit = replace(visit, purpose=Purpose.MINE)
    return proved(visit, ctx.matter(visit, MatterKind.ACCESS))


def proved(visit: Visit, matter: Matter) -> Move:
    """The look is written down first, also one that did not work out."""
    return Filing(visit, matter), (File(matter),)


def told(state: MineState, event: Event, order_id: int) -> Move | None:
    """What came of an order; None if it was another one. An order given here is `order_id`."""
    match state, event:
        case Filing(visit, matter), RecordStored(record_id, online) if (
            record_id == matter.matter_id
        ):
            return _filed(visit, matter, online, order_id)
        case Filing(visit, matter), StoreFailed(record_id) if record_id == matter.matter_id:
            return Turned(Why.STORE_DOWN, visit), ()
        case Withdrawing(event=gone), TemplateDeleted(event_id, here) if event_id == gone.event_id:
            return _withdrawn(state, here, order_id)
        case Withdrawing(visit, gone), TemplateFailed(event_id) if event_id == gone.event_id:
            return Turned(Why.STORE_DOWN, visit), ()
        case AskingMine(visit), HistoryAnswered(key, held, reached) if key == visit.key:
            return _answered(visit, held, reached), ()
        case Mine(order_id=running), SlipPrinted(done, fault) if done == running:
            news = Print.FAILED if fault else Print.PRINTED
            return replace(state, paper=news, fault=fault), ()
        case _:
            return None


def _filed(visit: Visit, matter: Matter, online: bool, order_id: int) -> Move:
    if matter.kind is MatterKind.CORRECTION:
        filed = Mine(visit, MinePage.FILED, about=matter.about, number=matter.number, online=online)
        return _printing(filed, order_id), (PrintSheet(order_id, Ticket(matter.number)),)
    if not matter.opens:
        return Turned(Why.NOT_PROVEN, visit), ()
    return _ask(replace(visit, proven=matter.matter_id, consent=None, attempts=0))


def _answered(visit: Visit, held: Held | None, reached: bool) -> State:
    return Mine(replace(visit, held=held), _LANDS[visit.purpose], reached)


def pressed(state: Mine, button: Button, order_id: int, language: Language, ctx: Context) -> Move:
    """`button` is one of those offered; an order given here carries `order_id`."""
    if button in _OPENS:
        return _page(state, _OPENS[button]), ()
    if button in ABOUT:
        return replace(_page(state, MinePage.SURE), about=ABOUT[button]), ()
    match button:
        case Button.BACK:
            return _back(state), ()
        case Button.NEXT:
            return replace(state, sheet=(state.sheet + 1) % sheets(state)), ()
        case Button.TRY_AGAIN:
            return _ask(replace(state.visit, purpose=Purpose.HISTORY))
        case Button.PRINT_COPY:
            copy = PrintSheet(order_id, _copy(state.visit))
            return _printing(_page(state, MinePage.PRINT), order_id), (copy,)
        case Button.REPRINT:
            return codes.copy_of(state, "", state.visit.key, order_id)
        case Button.CONFIRM if state.page is MinePage.WITHDRAW:
            return _withdraw(state, language, ctx)
        case Button.CONFIRM:
            matter = ctx.matter(state.visit, MatterKind.CORRECTION, about=state.about)
            return Filing(state.visit, matter), (File(matter),)
        case _:
            return state, ()


def _withdraw(state: Mine, language: Language, ctx: Context) -> Move:
    entry = state.visit.entry
    assert entry is not None
    badge = state.visit.witness.badge if state.visit.witness else ""
    event = ctx.withdrawal(entry.person_id, language, badge)
    return Withdrawing(state.visit, event, state.reached), (DeleteTemplate(event),)


def _withdrawn(state: Withdrawing, here: bool, order_id: int) -> Move:
    """The slip bears a number: whoever asks later whether it was done can be told."""
    event = state.event
    number = slip_no(event.event_id)
    done = Mine(state.visit, MinePage.WITHDRAWN, state.reached, number=number, here=here)
    slip = PrintWithdrawal(order_id, done.number, event.at)
    return _printing(done, order_id), (slip,)


def slip_no(event_id: RecordId) -> str:
    """The last eight digits of an event's own id, easy to read out."""
    return event_id.replace("-", "")[-8:].upper()


def _page(state: Mine, page: MinePage) -> Mine:
    return Mine(state.visit, page, state.reached, about=state.about)


def _printing(state: Mine, order_id: int) -> Mine:
    return replace(state, order_id=order_id, paper=Print.PRINTING, fault=None)


def _back(state: Mine) -> State:
    """Who came for the history alone goes back to where they chose it, as everybody does."""
    came_for = _LANDS[state.visit.purpose]
    if state.page is MinePage.MENU or (state.page is came_for and came_for is MinePage.HISTORY):
        visit = state.visit
        return AssistChoice(visit) if visit.witness else Choosing(visit)
    return _page(state, _BACK[state.page])


def _copy(visit: Visit) -> DataCopy:
    card = visit.card
    name, number = mask_name(card.name), mask_id_number(card.id_number)
    return DataCopy(name, number, visit.entry, visit.held)

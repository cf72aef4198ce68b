"""The machine's part for codes: scanning one, being told what it is, a second copy. Pure.

A receipt's signature is checked by the kiosk's keys and a copy is looked for on its disk, so
both are orders and their results events. A badge is not dealt with here, it opens the service
screen as it always did; a notice letter only says what somebody came for.
"""

from __future__ import annotations

from dataclasses import replace

from edge.domain.codes import is_receipt, letter_of
from edge.domain.people import CardKey
from edge.domain.record import NamedBy
from edge.session.codes_states import (
    AwaitingOwner,
    CheckingCode,
    CodeNews,
    CodeState,
    CodeTold,
    CopyNews,
    Reprinting,
    Scanning,
    ScanWay,
)
from edge.session.effects import CheckCode, Effect, LookForCode, PrintCopy
from edge.session.events import (
    Button,
    CodeChecked,
    CodeSeen,
    CopyTold,
    Event,
    WatchFailed,
)
from edge.session.states import AwaitingCard, Home, State, visit_of

Move = tuple[State, tuple[Effect, ...]]


def begin(back: State, has_scanner: bool) -> Scanning:
    """Without a scanner the camera can do it; nobody is looked at before they ask for that."""
    return Scanning(back, ScanWay.SCANNER if has_scanner else ScanWay.NOTICE)


def offered(state: CodeState, person: tuple[Button, ...]) -> tuple[Button, ...]:
    """Every button that does something in this state; `person` is the way to staff, if any."""
    ways = (*person, Button.BACK, Button.HELP, Button.HOME)
    match state:
        case CheckingCode():
            return ()
        case Scanning(way=ScanWay.NOTICE):
            return (Button.USE_CAMERA, *ways)
        case CodeTold(news=CodeNews.GENUINE, here=True):
            return (Button.REPRINT, *ways)
        case CodeTold(news=CodeNews.GENUINE | CodeNews.LETTER):
            return ways
        case CodeTold() | Reprinting(news=CopyNews.FAILED | CopyNews.NOT_YOURS):
            return (Button.TRY_AGAIN, *ways)
        case Reprinting(news=CopyNews.PRINTING):
            return (*person, Button.HOME)
        case _:
            return ways


def pressed(state: CodeState, button: Button, order_id: int, has_scanner: bool) -> Move:
    """`button` is one of those `offered`; an order given here carries `order_id`."""
    match state, button:
        case Scanning(back=back), Button.USE_CAMERA:
            return Scanning(back, ScanWay.CAMERA, order_id), (LookForCode(order_id),)
        case CodeTold(back=back, receipt=receipt), Button.REPRINT if receipt is not None:
            return _reprint(back, receipt.receipt_no, order_id)
        case CodeTold(back=back), Button.TRY_AGAIN:
            return begin(back, has_scanner), ()
        case Reprinting(back=back, receipt_no=receipt_no), Button.TRY_AGAIN:
            return _reprint(back, receipt_no, order_id)
        case _:
            return state, ()


def _reprint(back: State, receipt_no: str, order_id: int) -> Move:
    """Whose card was read already need not lay it down again; a typed number is no card."""
    visit = visit_of(back)
    if visit is None or visit.named_by is NamedBy.TYPED:
        return AwaitingOwner(back, receipt_no), ()
    return copy_of(back, receipt_no, visit.key, order_id)


def owner_known(state: AwaitingOwner, key: CardKey, order_id: int) -> Move:
    return copy_of(state.back, state.receipt_no, key, order_id)


def copy_of(back: State, receipt_no: str, key: CardKey, order_id: int) -> Move:
    """Print it, if it is theirs; without a number the newest of this card."""
    printing = Reprinting(back, order_id, receipt_no=receipt_no)
    return printing, (PrintCopy(order_id, key, receipt_no),)


def root_of(state: State) -> State:
    """What somebody was doing before they came to scan."""
    return root_of(state.back) if isinstance(state, CodeState) else state


def put_away(state: State) -> State:
    """As it may wait behind another page: the camera closes, and opens only when asked again."""
    if isinstance(state, Scanning) and state.way is ScanWay.CAMERA:
        return Scanning(state.back, ScanWay.NOTICE)
    return state


# --- codes ---------------------------------------------------------------------


def shown(state: State, text: str, check_id: int) -> Move | None:
    """A code was held before the scanner. Where nobody is being served ours need no button."""
    match state:
        case Scanning(way=ScanWay.SCANNER | ScanWay.CAMERA, back=back):
            return _read(back, text, check_id)
        case Home() | AwaitingCard() if is_receipt(text) or letter_of(text):
            return _read(state, text, check_id)
        case _:
            return None


def _read(back: State, text: str, check_id: int) -> Move:
    if is_receipt(text):
        return CheckingCode(back, check_id), (CheckCode(check_id, text),)
    service = letter_of(text)
    if service is None:
        return CodeTold(back, CodeNews.OTHER), ()
    if visit_of(back) is not None:
        return CodeTold(back, CodeNews.LETTER), ()
    return AwaitingCard(service=service), ()


def told(state: CodeState, event: Event) -> Move | None:
    """Where somebody is after a result; `None` if nobody waits for it any more."""
    match state, event:
        case Scanning(back, ScanWay.CAMERA, running), CodeSeen(seen, None) if seen == running:
            return CodeTold(back, CodeNews.NOTHING), ()
        case Scanning(back, ScanWay.CAMERA, running), WatchFailed(seen) if seen == running:
            return CodeTold(back, CodeNews.NO_CAMERA), ()
        case CheckingCode(back, asked), CodeChecked(check_id, receipt, here) if check_id == asked:
            news = CodeNews.UNPROVEN if receipt is None else CodeNews.GENUINE
            return CodeTold(back, news, receipt, here), ()
        case Reprinting(order_id=waiting), CopyTold(order_id, news) if order_id == waiting:
            return replace(state, news=news), ()
        case _:
            return None

"""On paper what is no receipt: what is kept of somebody, or a number to ask with.

Paper may be left behind in the printer: name and number are masked as on every receipt.
"""

from __future__ import annotations

from collections.abc import Iterator

from edge.app.config import Config
from edge.domain.matters import Held
from edge.drivers.receipt import layout
from edge.ports import Line, ReceiptItem, Rule
from edge.session.effects import DataCopy, Ticket
from edge.session.states import Language
from edge.ui.mine_view import category_of, proof_words
from edge.ui.screen import Facts, Wording


def sheet_items(
    config: Config, facts: Facts, sheet: DataCopy | Ticket, language: Language
) -> tuple[ReceiptItem, ...]:
    words = Wording(language, facts)
    body = _copy(sheet, words) if isinstance(sheet, DataCopy) else _ticket(sheet, words)
    mark = [_centred(words("receipt.simulated"), bold=True)] if facts.simulated else []
    items = (*mark, *body, Rule(), *_office(words), *mark)
    return tuple(layout(items, config.devices.printer_columns))


def _centred(text: str, *, big: bool = False, bold: bool = False) -> Line:
    return Line(text, big=big, bold=bold, centred=True)


def _office(words: Wording) -> Iterator[ReceiptItem]:
    facts = words.facts
    yield Line(words("receipt.office", office=facts.office))
    yield Line(words("receipt.phone", phone=facts.phone))
    yield Line(words("receipt.terminal", terminal=facts.terminal_no))


def _ticket(ticket: Ticket, words: Wording) -> Iterator[ReceiptItem]:
    yield _centred(words("sheet.ticket"))
    yield Rule()
    yield _centred(ticket.number, bold=True)
    yield _centred(words("sheet.ask"))


def _copy(copy: DataCopy, words: Wording) -> Iterator[ReceiptItem]:
    """Fields and then every record; where the centre was not reached, that is said instead."""
    yield _centred(words("sheet.copy"), big=True)
    yield Rule()
    yield _pair(words, "mine_data.name", copy.masked_name)
    yield _pair(words, "confirm.number", copy.masked_number)
    if copy.entry is not None:
        yield _pair(words, "mine_data.category", category_of(copy.entry.category, words))
        yield _pair(words, "sheet.due", words.day(copy.entry.due_by))
    yield from _held(copy.held, words)
    yield Rule()
    yield Line(words("sheet.rights"))


def _held(held: Held | None, words: Wording) -> Iterator[ReceiptItem]:
    if held is None:
        yield Line(words("sheet.not_all"))
        return
    yield _pair(words, "mine_data.region", held.region)
    yield Rule()
    yield _pair(words, "mine_data.records", words("mine_data.count", count=len(held.proofs)))
    for proof in held.proofs:
        yield Line(words("sheet.proof", day=words.day(proof.day), how=proof_words(proof, words)))
        if proof.receipt_no:
            yield Line(words("receipt.receipt_no", receipt_no=proof.receipt_no))


def _pair(words: Wording, key: str, value: str) -> Line:
    return Line(words("sheet.pair", label=words(key), value=value))

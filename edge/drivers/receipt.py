"""From a finished record to the lines of a receipt; no bytes and no printer here.

Paper is counted in columns of half a Chinese character: 32 on 58 mm, 48 on 80 mm.
Nothing that names the person in full may appear: the name and the number are masked.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from edge.domain.codes import method_of
from edge.domain.people import mask_id_number, mask_name
from edge.domain.record import NOBODY, Outcome, ProofRecord, Provenance
from edge.ports import Code, Line, ReceiptItem, Rule

COLUMNS_58_MM = 32
COLUMNS_80_MM = 48
COLUMN_DOTS = 12  # of the print head, at 8 dots/mm

RECEIPT_KEYS: Mapping[str, frozenset[str]] = {
    "receipt.title": frozenset(),
    "receipt.service": frozenset(),
    "receipt.simulated": frozenset(),
    "receipt.copy": frozenset(),
    "receipt.outcome.passed": frozenset(),
    "receipt.outcome.needs_review": frozenset(),
    "receipt.outcome.declined": frozenset(),
    "receipt.outcome.called": frozenset(),
    "receipt.title_call": frozenset(),
    "receipt.ticket": frozenset({"ticket"}),
    "receipt.offline": frozenset(),
    "receipt.name": frozenset({"name"}),
    "receipt.number": frozenset({"number"}),
    "receipt.method": frozenset({"method"}),
    "receipt.method.chip": frozenset(),
    "receipt.method.template": frozenset(),
    "receipt.method.staff": frozenset(),
    "receipt.method.witness": frozenset(),
    "receipt.time": frozenset({"year", "month", "day", "time"}),
    "receipt.time_unsure": frozenset(),
    "receipt.next_due": frozenset({"year", "month", "day"}),
    "receipt.office": frozenset({"office"}),
    "receipt.phone": frozenset({"phone"}),
    "receipt.terminal": frozenset({"terminal"}),
    "receipt.receipt_no": frozenset({"receipt_no"}),
    "receipt.code": frozenset(),
    "receipt.closing.passed": frozenset(),
    "receipt.closing.needs_review": frozenset(),
    "receipt.closing.declined": frozenset(),
    "receipt.closing.called": frozenset(),
}
"""Every text the receipt takes from the catalogue, with the placeholders it must hold."""

# Opening marks stay with what follows, closing marks with what goes before.
_TOKEN = re.compile(r"[（“‘《【]*(?:[!-~]+|[^ ])[，。、；：！？）”’》】…]*| +")


@dataclass(frozen=True, slots=True)
class Office:
    """Whom the person can ask, as printed."""

    name: str
    phone: str
    terminal_no: str


def compose(
    record: ProofRecord,
    words: Mapping[str, str],
    *,
    online: bool,
    columns: int,
    office: Office,
    next_due: date | None = None,
    copy: bool = False,
    code: str = "",
) -> tuple[ReceiptItem, ...]:
    """The receipt for one record; `next_due` only where the registry told it, `code` the signed
    text that proves it, if there is one.

    A `copy` says so under its title; its number is that of the first one.

    A device that was not real puts its mark at the top and at the bottom, so
    that neither can be torn off to make a voucher of the rest.
    """
    simulated = record.provenance is Provenance.SIMULATED
    mark = [_centred(words["receipt.simulated"], bold=True)] if simulated else []
    again = [_centred(words["receipt.copy"], bold=True)] if copy else []
    called = record.outcome is Outcome.CALLED
    title, service = (
        words["receipt.title_call" if called else "receipt.title"],
        words["receipt.service"],
    )
    blocks: tuple[Sequence[ReceiptItem], ...] = (
        [*mark, _centred(title, big=True), _centred(service), *again],
        _result(record, words, online),
        _pairs(_about(record, words, next_due), columns),
        _pairs(_where(record, words, office), columns),
        *([[Code(code, words["receipt.code"])]] if code else []),
        [_centred(words[f"receipt.closing.{record.outcome.value}"]), *mark],
    )
    return tuple(layout(_ruled(blocks), columns))


def layout(items: Iterable[ReceiptItem], columns: int) -> Iterator[ReceiptItem]:
    """The same items with every line short enough for the paper; doing it twice changes nothing."""
    for item in items:
        match item:
            case Rule():
                yield item
            case Code(text, caption):
                yield Code(text)
                if caption:
                    yield from _broken(_centred(caption), columns)
            case Line():
                yield from _broken(item, columns)


def _broken(line: Line, columns: int) -> Iterator[Line]:
    room = columns // 2 if line.big else columns
    for text in _phrases(line.text, room) if line.centred else wrap(line.text, room):
        yield Line(text, line.big, line.bold, line.centred)


def wrap(text: str, columns: int) -> list[str]:
    """Break at spaces and between Chinese characters; split a word only if it has no room."""
    lines, line = [], ""
    for token in _tokens(clean(text), columns):
        if display_width(line + token.rstrip(" ")) > columns:
            lines.append(line.rstrip(" "))
            line = ""
            if not token.strip(" "):
                continue
        line += token
    return [*lines, line.rstrip(" ")]


def _phrases(text: str, columns: int) -> list[str]:
    """As `wrap` for a heading: break after a mark if that is enough, else into even lines."""
    phrases = _AFTER_MARK.split(clean(text))
    if display_width(clean(text)) > columns >= max(map(display_width, phrases)):
        return phrases
    lines = wrap(text, columns)
    longest = max((display_width(word) for word in _TOKEN.findall(clean(text))), default=1)
    evenly = (wrap(text, room) for room in range(max(longest, columns // 2), columns))
    return next((even for even in evenly if len(even) == len(lines)), lines)


_AFTER_MARK = re.compile(r"(?<=[，；。])(?!$)|(?<=[,;]) (?!$)")


def display_width(text: str) -> int:
    """Columns on paper. Ambiguous characters count two: Chinese printers hold them as pairs."""
    return sum(2 if unicodedata.east_asian_width(char) in "WFA" else 1 for char in text)


def clean(text: str) -> str:
    """One line without control, format or combining characters.

    A name comes from a card, and an ESC inside it would be a printer command.
    """
    one_line = unicodedata.normalize("NFC", re.sub(r"[\t\n\r\f\v]", " ", text))
    return "".join(char for char in one_line if unicodedata.category(char) not in _UNPRINTABLE)


_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Mn", "Me", "Zl", "Zp"})


def _tokens(text: str, columns: int) -> Iterator[str]:
    for token in _TOKEN.findall(text):
        yield from _pieces(token, columns)


def _pieces(token: str, columns: int) -> Iterator[str]:
    piece = ""
    for char in token:
        if display_width(piece + char) > columns:
            yield piece
            piece = ""
        piece += char
    yield piece


def _ruled(blocks: Sequence[Sequence[ReceiptItem]]) -> Iterator[ReceiptItem]:
    for place, block in enumerate(blocks):
        if place:
            yield Rule()
        yield from block


def _centred(text: str, *, big: bool = False, bold: bool = False) -> Line:
    return Line(text, big=big, bold=bold, centred=True)


def _result(record: ProofRecord, words: Mapping[str, str], online: bool) -> list[ReceiptItem]:
    result: list[ReceiptItem] = [
        _centred(words[f"receipt.outcome.{record.outcome.value}"], big=True, bold=True)
    ]
    if record.ticket:
        ticket = words["receipt.ticket"].format(ticket=record.ticket)
        result.insert(0, _centred(ticket, big=True, bold=True))
    if not online:
        result.append(_centred(words["receipt.offline"], bold=True))
    return result


def _about(record: ProofRecord, words: Mapping[str, str], next_due: date | None) -> Iterator[_Pair]:
    subject, method = record.subject, f"receipt.method.{method_of(record).value}"
    if subject != NOBODY:
        yield _Pair(words["receipt.name"], {"name": mask_name(subject.name)})
        yield _Pair(words["receipt.number"], {"number": mask_id_number(subject.id_number)})
    yield _Pair(words["receipt.method"], {"method": words[method]})
    if record.finished.is_sure:
        local = record.finished.local
        yield _Pair(words["receipt.time"], {**_day(local), "time": f"{local:%H:%M}"})
    else:
        yield _Pair(words["receipt.time_unsure"], {})
    if next_due is not None:
        yield _Pair(words["receipt.next_due"], _day(next_due))


def _where(record: ProofRecord, words: Mapping[str, str], office: Office) -> Iterator[_Pair]:
    yield _Pair(words["receipt.office"], {"office": office.name})
    yield _Pair(words["receipt.phone"], {"phone": office.phone})
    yield _Pair(words["receipt.terminal"], {"terminal": office.terminal_no})
    yield _Pair(words["receipt.receipt_no"], {"receipt_no": record.receipt_no})


def _day(day: date | datetime) -> dict[str, str]:
    return {"year": f"{day:%Y}", "month": f"{day:%m}", "day": f"{day:%d}"}


@dataclass(frozen=True, slots=True)
class _Pair:
    """A label with its value: `姓名：{name}`. What stands before the first brace is the label."""

    template: str
    values: Mapping[str, str]

    def lines(self, columns: int) -> Iterator[Line]:
        """Further lines of a long value hang below its first character, or below the label."""
        label = self.template.partition("{")[0]
        value = clean(self.template[len(label) :].format(**self.values))
        indent = display_width(label)
        if indent + display_width(value) > columns and indent > columns // 2:
            yield Line(label)
            label, indent = "  ", 2
        for text in wrap(value, columns - indent) if value else [""]:
            yield Line(label + text)
            label = " " * indent


def _pairs(pairs: Iterable[_Pair], columns: int) -> list[ReceiptItem]:
    return [line for pair in pairs for line in pair.lines(columns)]

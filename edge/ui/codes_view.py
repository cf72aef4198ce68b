"""What somebody with a code sees: holding it up, what it is, a second copy. Pure as `viewmodel`."""

from __future__ import annotations

from collections.abc import Iterator

from edge.domain.codes import SignedReceipt
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
from edge.session.events import Button
from edge.ui.screen import Art, Layout, Screen, Tone, Wording, sentences_of


def draft(state: CodeState, card_lies: bool, words: Wording) -> Screen:
    match state:
        case Scanning():
            return _scanning(state.way, words)
        case CheckingCode():
            return _guide("code_checking", words, Art.WAIT)
        case CodeTold(news=CodeNews.GENUINE, receipt=SignedReceipt() as receipt):
            return _genuine(receipt, state.here, words)
        case CodeTold(news=news):
            return _told(news, words)
        case AwaitingOwner(failures=failures):
            return _owner(failures, words)
        case Reprinting(news=news):
            return _reprinting(news, card_lies, words)


def label(state: CodeState, button: Button, words: Wording) -> str:
    """Scanning again and printing again are two things."""
    if isinstance(state, CodeTold) and button is Button.TRY_AGAIN:
        return words("button.scan_again")
    return words(f"button.{button.value}")


def _guide(name: str, words: Wording, art: Art, *more: str, tone: Tone = Tone.CALM) -> Screen:
    """A title and one line of the catalogue, both spoken; `more` lines are only read."""
    title, line = words(f"{name}.title"), words(f"{name}.line")
    return Screen(
        name=name,
        layout=Layout.GUIDE,
        language=words.language,
        title=title,
        lines=(line, *more),
        art=art,
        tone=tone,
        spoken=sentences_of(title, line),
    )


def _scanning(way: ScanWay, words: Wording) -> Screen:
    match way:
        case ScanWay.SCANNER:
            return _guide("scan", words, Art.CODE, words("scan.what"))
        case ScanWay.NOTICE:
            return _guide("scan_notice", words, Art.CODE, words("scan_notice.closes"))
        case ScanWay.CAMERA:
            return _camera(words)


def _camera(words: Wording) -> Screen:
    title = words("scan_camera.title")
    return Screen(
        name="scan_camera",
        layout=Layout.MIRROR,
        language=words.language,
        title=title,
        lines=(words("scan_camera.line"), words("scan_camera.kept")),
        art=Art.CODE,
        spoken=title,
        shows_preview=True,
    )


def _genuine(receipt: SignedReceipt, here: bool, words: Wording) -> Screen:
    """What the paper says, and nothing that it does not; the telephone number stands on it."""
    title = words("code_genuine.title")
    mine = "" if receipt.simulated else words("code_genuine.here")
    elsewhere = words("code_genuine.elsewhere", kiosk=receipt.kiosk_id)
    return Screen(
        name="code_genuine",
        layout=Layout.TABLE,
        language=words.language,
        title=title,
        fields=tuple(_said(receipt, words)),
        advice=words("code_genuine.simulated") if receipt.simulated else "",
        hint=mine if here else elsewhere,
        hint_spare=here,
        tone=Tone.GOOD,
        spoken=title,
    )


def _said(receipt: SignedReceipt, words: Wording) -> Iterator[tuple[str, str]]:
    yield words("code_genuine.name"), receipt.name
    yield words("code_genuine.result"), words(f"code_genuine.{receipt.outcome.value}")
    yield words("code_genuine.method"), words(f"receipt.method.{receipt.method.value}")
    day = words.day(receipt.day) if receipt.day else words("code_genuine.unsure")
    yield words("code_genuine.day"), day
    if receipt.due_by:
        yield words("code_genuine.due"), words.day(receipt.due_by)


_CARE = (CodeNews.UNPROVEN, CodeNews.NOTHING, CodeNews.NO_CAMERA)


def _told(news: CodeNews, words: Wording) -> Screen:
    name = f"code_{news.value}"
    ask = (words.ask(),) if news in (CodeNews.UNPROVEN, CodeNews.NO_CAMERA) else ()
    tone = Tone.CARE if news in _CARE else Tone.CALM
    return _guide(name, words, Art.CODE, *ask, tone=tone)


def _owner(failures: int, words: Wording) -> Screen:
    unread = words("await_card.unread") if failures else ""  # E01
    line = words("reprint_card.line")
    return Screen(
        name="reprint_card",
        layout=Layout.GUIDE,
        language=words.language,
        title=words("await_card.title"),
        lines=(line, words("await_card.where")),
        advice=unread,
        art=Art.CARD,
        tone=Tone.CARE if failures else Tone.CALM,
        spoken=unread or line,
    )


_COPY_ART = {
    CopyNews.PRINTING: Art.SLIP,
    CopyNews.PRINTED: Art.SLIP_DONE,
    CopyNews.FAILED: Art.SLIP_FAILED,
    CopyNews.NOT_YOURS: Art.CARD,
    CopyNews.GONE: Art.SLIP_FAILED,
}


def _reprinting(news: CopyNews, card_lies: bool, words: Wording) -> Screen:
    """ "Printed" only on the printer's own word, as for the first one."""
    take_card = words("frame.take_card") if card_lies else ""  # E16
    printed = news is CopyNews.PRINTED
    line = words("finished.printed" if printed else f"reprint.{news.value}")
    ask = (words.ask(),) if news in (CopyNews.FAILED, CopyNews.GONE) else ()
    return Screen(
        name=f"reprint_{news.value}",
        layout=Layout.GUIDE,
        language=words.language,
        title=words("reprint.title"),
        lines=(line, *ask),
        advice=take_card,
        art=_COPY_ART[news],
        tone=Tone.GOOD if printed else Tone.CALM,
        spoken=sentences_of(line, take_card),
    )

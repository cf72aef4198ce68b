"""我的信息 and 生存验证历史 as screens: pure functions like every other screen."""

from __future__ import annotations

from edge.domain.matters import Held, HeldProof
from edge.domain.people import PastProof, mask_name
from edge.session.events import Button
from edge.session.mine_states import ROWS, Mine, MinePage, Print, Purpose, sheets
from edge.session.states import Visit
from edge.ui.screen import Art, Layout, Screen, Tone, Wording, sentences_of
from edge.ui.texts import catalogue

SIDE = (Button.NEXT, Button.WITHDRAW, Button.PRINT_COPY, Button.REPRINT, Button.CORRECT)
PAPER_ART = {Print.PRINTING: Art.SLIP, Print.PRINTED: Art.SLIP_DONE, Print.FAILED: Art.SLIP_FAILED}


def label(state: Mine, button: Button, words: Wording) -> str:
    match state.page, button:
        case MinePage.HISTORY, Button.NEXT:
            last = state.sheet + 1 == sheets(state)
            return words("button.newest" if last else "button.earlier")
        case MinePage.CORRECT, Button.NEXT:
            return words("button.other_abouts")
        case MinePage.SURE, Button.CONFIRM:
            return words("button.confirm_correction")
        case MinePage.WITHDRAW, Button.CONFIRM:
            return words("button.confirm_withdrawal")
        case _, Button.HOME if state.visit.witness:
            return words("button.sign_out")
        case MinePage.DATA, Button.HISTORY:
            return words("button.all_records")
        case _:
            return words(f"button.{button.value}")


def this_year(visit: Visit, words: Wording) -> Screen:
    """All that a card alone may show, and the way to the rest."""
    history = visit.purpose is not Purpose.MINE
    title, prove = words("history.title" if history else "mine.title"), words("mine.prove")
    return Screen(
        name="history",
        layout=Layout.TABLE,
        language=words.language,
        title=title,
        fields=this_cycle(visit, words),
        hint=prove,
        hint_spare=True,
        spoken=sentences_of(title, prove),
    )


def this_cycle(visit: Visit, words: Wording) -> tuple[tuple[str, str], ...]:
    entry = visit.entry
    if entry is None:
        return ()
    if entry.certified_on is not None:
        status = words("history.done", day=words.day(entry.certified_on))
    else:
        status = words("history.open", day=words.day(entry.due_by))
    return ((words("history.this_cycle"), status),)


def draft(state: Mine, words: Wording) -> Screen:
    return _PAGES[state.page](state, words)


def _menu(state: Mine, words: Wording) -> Screen:
    line = words("mine.vouched" if state.visit.witness else "mine.proven")
    return Screen(
        name="mine_menu",
        layout=Layout.GUIDE,
        language=words.language,
        title=words("mine.title"),
        hint=line,
        hint_spare=True,
        art=Art.RECORD,
        spoken=line,
    )


def _data(state: Mine, words: Wording) -> Screen:
    title, held = words("mine_data.title"), state.visit.held
    advice = "" if held else _missing(state, words)
    return Screen(
        name="mine_data",
        layout=Layout.TABLE,
        language=words.language,
        title=title,
        fields=(*_known(state.visit, words), *(_told(held, words) if held else ())),
        advice=advice,
        hint=words("mine_data.hint"),
        spoken=advice or title,
    )


def _known(visit: Visit, words: Wording) -> tuple[tuple[str, str], ...]:
    """What this kiosk knows itself."""
    entry = visit.entry
    category = ((words("mine_data.category"), category_of(entry.category, words)),) if entry else ()
    name = (words("mine_data.name"), mask_name(visit.card.name))
    return (name, *category, *this_cycle(visit, words))


def category_of(category: str, words: Wording) -> str:
    """The registry may know categories this kiosk has not heard of."""
    key = f"mine_data.category.{category}"
    return words(key) if key in catalogue(words.language) else category


def _told(held: Held, words: Wording) -> tuple[tuple[str, str], ...]:
    return (
        (words("mine_data.region"), held.region),
        (words("mine_data.records"), words("mine_data.count", count=len(held.proofs))),
    )


def _missing(state: Mine, words: Wording) -> str:
    return words("mine.nothing" if state.reached else "mine.offline")


def _history(state: Mine, words: Wording) -> Screen:
    held = state.visit.held
    if held is None:
        return _no_history(state, words)
    shown = held.proofs[state.sheet * ROWS : (state.sheet + 1) * ROWS]
    pages, hint = sheets(state), words("history.hint" if shown else "history.empty")
    title = words("history.title")
    numbered = words("mine.sheet", title=title, sheet=state.sheet + 1, sheets=pages)
    return Screen(
        name="mine_history",
        layout=Layout.TABLE,
        language=words.language,
        title=numbered if pages > 1 else title,
        fields=tuple((words.day(proof.day), proof_words(proof, words)) for proof in shown),
        hint=hint,
        hint_spare=bool(shown),
        spoken=hint,
    )


def proof_words(proof: HeldProof, words: Wording) -> str:
    """How and where; and that staff still have to look, if they do."""
    method = words.method(PastProof(proof.day, proof.method))
    key = "mine.proof" if proof.counts else "mine.proof_open"
    return words(key, method=method, place=proof.place)


def _no_history(state: Mine, words: Wording) -> Screen:
    missing = _missing(state, words)
    return Screen(
        name="mine_no_history",
        layout=Layout.TABLE,
        language=words.language,
        title=words("history.title"),
        fields=this_cycle(state.visit, words),
        advice=missing,
        spoken=missing,
    )


def _papers(state: Mine, words: Wording) -> Screen:  # noqa: ARG001
    title = words("mine_papers.title")
    return Screen(
        name="mine_papers",
        layout=Layout.PAGE,
        language=words.language,
        title=title,
        lines=tuple(words(f"mine_papers.{part}") for part in ("copy", "reprint", "correct")),
        spoken=title,
    )


def _print(state: Mine, words: Wording) -> Screen:
    assert state.paper is not None
    line = words(f"mine_print.{state.paper.value}")
    return Screen(
        name="mine_print",
        layout=Layout.GUIDE,
        language=words.language,
        title=words("mine_print.title"),
        lines=(line,),
        art=PAPER_ART[state.paper],
        spoken=line,
    )


def _correct(state: Mine, words: Wording) -> Screen:  # noqa: ARG001
    title, line = words("mine_correct.title"), words("mine_correct.line")
    return Screen(
        name="mine_correct",
        layout=Layout.GUIDE,
        language=words.language,
        title=title,
        lines=(line,),
        art=Art.RECORD,
        spoken=sentences_of(title, line),
    )


def _sure(state: Mine, words: Wording) -> Screen:
    assert state.about is not None
    line = words("mine_sure.line")
    return Screen(
        name="mine_sure",
        layout=Layout.GUIDE,
        language=words.language,
        title=words("mine_sure.title", what=words(f"button.about_{state.about.value}")),
        lines=(line,),
        art=Art.RECORD,
        spoken=line,
    )


def _filed(state: Mine, words: Wording) -> Screen:
    title = words("mine_filed.title")
    number = words("mine_filed.number", number=state.number)
    offline = () if state.online else (words("mine_filed.offline"),)
    return Screen(
        name="mine_filed",
        layout=Layout.GUIDE,
        language=words.language,
        title=title,
        lines=(number, *_paper(state.paper, words), *offline),
        art=PAPER_ART.get(state.paper or Print.FAILED, Art.DONE),
        tone=Tone.GOOD,
        spoken=title,
    )


def _paper(paper: Print | None, words: Wording) -> tuple[str, ...]:
    return (words(f"mine_print.slip_{paper.value}"),) if paper else ()


def _withdraw(state: Mine, words: Wording) -> Screen:  # noqa: ARG001
    title, ask = words("mine_withdraw.title"), words("mine_withdraw.ask")
    return Screen(
        name="mine_withdraw",
        layout=Layout.PAGE,
        language=words.language,
        title=title,
        lines=tuple(words(f"mine_withdraw.{part}") for part in ("gone", "kept", "later")),
        hint=ask,
        hint_spare=True,
        tone=Tone.CARE,
        spoken=sentences_of(title, ask),
    )


def _withdrawn(state: Mine, words: Wording) -> Screen:
    title = words("mine_withdrawn.title")
    here = words("mine_withdrawn.here" if state.here else "mine_withdrawn.not_here")
    number = words("mine_filed.number", number=state.number)
    return Screen(
        name="mine_withdrawn",
        layout=Layout.GUIDE,
        language=words.language,
        title=title,
        lines=(here, words("mine_withdrawn.elsewhere"), number, *_paper(state.paper, words)),
        art=PAPER_ART.get(state.paper or Print.FAILED, Art.DONE),
        tone=Tone.GOOD,
        spoken=title,
    )


_PAGES = {
    MinePage.MENU: _menu,
    MinePage.DATA: _data,
    MinePage.HISTORY: _history,
    MinePage.PAPERS: _papers,
    MinePage.PRINT: _print,
    MinePage.CORRECT: _correct,
    MinePage.SURE: _sure,
    MinePage.FILED: _filed,
    MinePage.WITHDRAW: _withdraw,
    MinePage.WITHDRAWN: _withdrawn,
}

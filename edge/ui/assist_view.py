"""What staff and resident see while somebody is served at the kiosk; pure like every screen.

Staff read silently; what the resident is asked, and what became of it, is spoken.
"""

from __future__ import annotations

from dataclasses import replace

from edge.domain.people import CardIdentity, mask_id_number, mask_name
from edge.session.assist import REASON_BUTTONS
from edge.session.assist_states import (
    REASONS,
    AssistCard,
    AssistChoice,
    AssistConfirm,
    AssistReasons,
    AssistState,
    EnrolConsenting,
    EnrolFailed,
    Enrolled,
    Enrolling,
    EnrolReviewing,
    Vouching,
)
from edge.session.events import Button
from edge.ui.screen import Art, Layout, Screen, Tone, Wording, guide, sentences_of


def draft(state: AssistState, words: Wording) -> Screen:
    match state:
        case AssistCard(failures=failures):
            return _card(failures, words)
        case AssistConfirm(visit, revealed):
            return _confirm(visit.card, revealed, words)
        case AssistChoice():
            return guide("assist_choice", words, Art.PERSON)
        case AssistReasons(sheet=sheet):
            return _reasons(sheet, words)
        case Vouching():
            return _vouching(state, words)
        case EnrolConsenting():
            return _consent(words)
        case EnrolReviewing() | EnrolFailed():
            return _looked(state, words)
        case Enrolling():
            return guide("enrolling", words, Art.WAIT)
        case Enrolled():
            return _enrolled(state, words)


def label(state: AssistState, button: Button, words: Wording) -> str:
    match state, button:
        case AssistConfirm(revealed=True), Button.REVEAL:
            return words("button.conceal")
        case AssistConfirm(), Button.CONFIRM:
            return words("button.is_the_person")
        case Vouching(), Button.CONFIRM:
            return words("button.vouch_now")
        case AssistChoice(), Button.MINE:
            return words("button.assist_mine")
        case EnrolConsenting(), (Button.AGREE | Button.DECLINE):
            return words(f"button.enrol_{button.value}")
        case ((AssistCard() | AssistConfirm() | AssistChoice()), Button.HOME):
            return words("button.sign_out")
        case _ if button in REASON_BUTTONS:
            return words(f"assist_reason.{REASON_BUTTONS[button].value}")
        case _:
            return words(f"button.{button.value}")


def consent_words(words: Wording) -> str:
    """Everything that enrolment asks for, labels of the two buttons included."""
    labels = (words("button.enrol_agree"), words("button.enrol_decline"))
    return "\n".join((words("enrol.title"), *_consent_lines(words), *labels))


def _card(failures: int, words: Wording) -> Screen:
    return Screen(
        name="assist_card",
        layout=Layout.GUIDE,
        language=words.language,
        title=words("assist_card.title"),
        lines=(words("assist_card.line"),),
        advice=words("await_card.unread") if failures else "",
        art=Art.CARD,
        tone=Tone.CARE if failures else Tone.CALM,
    )


def _confirm(card: CardIdentity, revealed: bool, words: Wording) -> Screen:
    return Screen(
        name="assist_confirm",
        layout=Layout.TABLE,
        language=words.language,
        title=words("assist_confirm.title"),
        fields=(
            (words("confirm.name"), card.name if revealed else mask_name(card.name)),
            (words("confirm.sex"), words(f"confirm.sex.{card.sex.name.lower()}")),
            (
                words("confirm.number"),
                card.id_number if revealed else mask_id_number(card.id_number),
            ),
        ),
        hint=words("assist_confirm.note"),
        hint_spare=True,
    )


def _reasons(sheet: int, words: Wording) -> Screen:
    return Screen(
        name="assist_reasons",
        layout=Layout.GUIDE,
        language=words.language,
        title=words("assist_reasons.title", sheet=sheet + 1, sheets=len(REASONS)),
        lines=(words("assist_reasons.line"),),
        art=Art.PERSON,
    )


def _vouching(state: Vouching, words: Wording) -> Screen:
    return Screen(
        name="vouching",
        layout=Layout.TABLE,
        language=words.language,
        title=words("vouching.title"),
        fields=(
            (words("confirm.name"), mask_name(state.visit.card.name)),
            (words("vouching.reason"), words(f"assist_reason.{state.reason.value}")),
        ),
        note=words("vouching.note"),
    )


def _consent(words: Wording) -> Screen:
    title, lines = words("enrol.title"), _consent_lines(words)
    return Screen(
        name="enrol_consent",
        layout=Layout.PAGE,
        language=words.language,
        title=title,
        lines=lines,
        hint=words("enrol.hint"),
        hint_spare=True,
        spoken=sentences_of(title, *lines),
    )


def _consent_lines(words: Wording) -> tuple[str, ...]:
    who = words("consent.who", agency=words.facts.agency_name, phone=words.facts.phone)
    return (who, *(words(f"enrol.{part}") for part in ("why", "what", "how_long", "rights")))


def _looked(state: EnrolReviewing | EnrolFailed, words: Wording) -> Screen:
    if isinstance(state, EnrolFailed):
        name = "enrol_exhausted" if state.exhausted else "enrol_again"
        return replace(guide(name, words, Art.FACE), spoken=words(f"{name}.line"))
    line = words("enrol_review.line")
    return Screen(
        name="enrol_review",
        layout=Layout.PORTRAIT,
        language=words.language,
        title=words("enrol_review.title"),
        lines=(line,),
        spoken=line,
        shows_portrait=True,
    )


def _enrolled(state: Enrolled, words: Wording) -> Screen:
    title, expires = words("enrolled.title"), state.event.expires
    until = (words("enrolled.until", day=words.day(expires)),) if expires else ()
    return Screen(
        name="enrolled",
        layout=Layout.GUIDE,
        language=words.language,
        title=title,
        lines=(*until, words("enrolled.line")),
        art=Art.DONE,
        tone=Tone.GOOD,
        spoken=title,
    )

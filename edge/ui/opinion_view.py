"""问卷调查 and 投诉反馈 as screens: a few touches, nobody is named."""

from __future__ import annotations

from edge.domain.opinions import QUESTIONS
from edge.session.events import Button
from edge.session.mine_states import Complaint, OpinionState, Said, Saying, Survey
from edge.ui.mine_view import PAPER_ART
from edge.ui.screen import Art, Layout, Screen, Tone, Wording, sentences_of

SIDE = (Button.WITHOUT_NUMBER,)
EQUAL = (Button.RATE_GOOD, Button.RATE_FAIR, Button.RATE_POOR)
"""No answer stands out: the question is meant."""
ART = dict(zip(EQUAL, (Art.GLAD, Art.EVEN, Art.SORRY), strict=True))
"""Faces say it to those who do not read."""


def label(state: OpinionState, button: Button, words: Wording) -> str:
    if isinstance(state, Complaint) and button is Button.NEXT:
        return words("button.other_grievances")
    return words(f"button.{button.value}")


def draft(state: OpinionState, words: Wording) -> Screen:
    match state:
        case Survey(ratings):
            return _survey(len(ratings), words)
        case Complaint(None):
            return _complaint(words)
        case Complaint():
            return _call_back(words)
        case Saying():
            return _saying(words)
        case Said():
            return _said(state, words)


def _survey(done: int, words: Wording) -> Screen:
    question, line = words(f"survey.{QUESTIONS[done]}"), words("survey.line")
    return Screen(
        name=f"survey_{QUESTIONS[done]}",
        layout=Layout.GUIDE,
        language=words.language,
        title=question,
        lines=(line, words("survey.step", step=done + 1, steps=len(QUESTIONS))),
        spoken=question if done else sentences_of(line, question),
    )


def _complaint(words: Wording) -> Screen:
    title, line = words("feedback.title"), words("feedback.line")
    return Screen(
        name="feedback",
        layout=Layout.GUIDE,
        language=words.language,
        title=title,
        lines=(line,),
        hint=words("feedback.phone", phone=words.facts.phone),
        hint_spare=True,
        art=Art.PERSON,
        spoken=sentences_of(title, line),
    )


def _call_back(words: Wording) -> Screen:
    title, line = words("feedback.call_back"), words("feedback.number")
    return Screen(
        name="feedback_call_back",
        layout=Layout.GUIDE,
        language=words.language,
        title=title,
        lines=(line,),
        hint=words("feedback.phone", phone=words.facts.phone),
        hint_spare=True,
        art=Art.SLIP,
        spoken=sentences_of(title, line),
    )


def _saying(words: Wording) -> Screen:
    title = words("storing.title")
    return Screen(
        name="saying",
        layout=Layout.GUIDE,
        language=words.language,
        title=title,
        lines=(words("storing.line"),),
        art=Art.WAIT,
        spoken=title,
    )


def _said(state: Said, words: Wording) -> Screen:
    title = words("said.title")
    number = state.opinion.number
    numbered = (words("said.number", number=number),) if number else ()
    paper = (words(f"mine_print.slip_{state.paper.value}"),) if state.paper else ()
    offline = () if state.online else (words("mine_filed.offline"),)
    return Screen(
        name="said",
        layout=Layout.GUIDE,
        language=words.language,
        title=title,
        lines=(words("said.line"), *numbered, *paper, *offline),
        art=PAPER_ART[state.paper] if state.paper else Art.DONE,
        tone=Tone.GOOD,
        spoken=title,
    )

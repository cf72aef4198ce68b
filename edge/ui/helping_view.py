"""What somebody sees who helps another person: whose help it is, then whom it is for. Pure."""

from __future__ import annotations

from edge.domain.people import CardIdentity, mask_id_number, mask_name
from edge.domain.spelling import LETTERS, Spelling
from edge.session.events import Button
from edge.session.helping import DIGITS, DOT, NUMBER_LENGTH, PICKS
from edge.session.helping_states import (
    AwaitingHelper,
    CardNews,
    CheckingHelper,
    ConfirmingHelper,
    HelpingState,
    NamingTarget,
    TypingName,
    TypingNumber,
    WhoFor,
    option_sheets,
    options_shown,
)
from edge.ui.screen import Art, Layout, Screen, Tone, Wording, sentences_of
from edge.ui.texts import name_characters

Grid = tuple[Button | None, ...]
"""Four keys to a row; `None` leaves a place empty."""

_NUMBER_KEYS: Grid = (
    *(Button.DIGIT_1, Button.DIGIT_2, Button.DIGIT_3, Button.ERASE),
    *(Button.DIGIT_4, Button.DIGIT_5, Button.DIGIT_6, Button.DIGIT_0),
    *(Button.DIGIT_7, Button.DIGIT_8, Button.DIGIT_9, Button.KEY_X),
)
OPEN = "–"


def keys(state: HelpingState) -> Grid:
    """The keypad of this state, row by row, each key always at the same place."""
    match state:
        case TypingNumber():
            return _NUMBER_KEYS
        case TypingName(options=options) if options:
            return _picking(state)
        case TypingName(latin=latin):
            return (
                *(Button.DIGIT_1, Button.DIGIT_2, Button.DIGIT_3, Button.ERASE),
                *(Button.DIGIT_4, Button.DIGIT_5, Button.DIGIT_6, Button.ALPHABET),
                *(Button.DIGIT_7, Button.DIGIT_8, Button.DIGIT_9, None if latin else Button.SPELT),
            )
        case _:
            return ()


def _picking(state: TypingName) -> Grid:
    shown = len(options_shown(state))
    paged = option_sheets(state) > 1
    places: list[Button | None] = [p if n < shown else None for n, p in enumerate(PICKS)]
    return (
        *(*places[:3], Button.UNSPELL),
        *(*places[3:6], Button.SHEET_BACK if paged else None),
        *(*places[6:], Button.SHEET_ON if paged else None),
    )


def label(state: HelpingState, button: Button, words: Wording) -> str:
    match state:
        case ConfirmingHelper(revealed=True) if button is Button.REVEAL:
            return words("button.conceal")
        case TypingNumber() if button in DIGITS:
            return DIGITS[button]
        case TypingName() if button in PICKS:
            return options_shown(state)[PICKS.index(button)]
        case TypingName(latin=latin) if button is Button.DIGIT_1:
            return words("button.space") if latin else DOT
        case TypingName() if button in DIGITS:
            return LETTERS[DIGITS[button]]
        case _:
            return words(f"button.{button.value}")


def draft(state: HelpingState, card_lies: bool, words: Wording) -> Screen:
    match state:
        case WhoFor():
            return _guide("who_for", words, Art.PEOPLE)
        case AwaitingHelper(failures):
            unread = words("await_card.unread") if failures else ""
            return _guide("await_helper", words, Art.CARD, unread)
        case ConfirmingHelper(helper, revealed):
            return _confirm(helper.card, revealed, words)
        case CheckingHelper():
            return _guide("checking_helper", words, Art.WAIT)
        case NamingTarget():
            return _name(state, card_lies, words)
        case TypingNumber():
            return _number(state, words)
        case TypingName():
            return _typing(state, words)


def _guide(name: str, words: Wording, art: Art, advice: str = "", *more: str) -> Screen:
    title, line = words(f"{name}.title"), words(f"{name}.line")
    return Screen(
        name=name,
        layout=Layout.GUIDE,
        language=words.language,
        title=title,
        lines=(line, *more),
        advice=advice,
        art=art,
        tone=Tone.CARE if advice else Tone.CALM,
        spoken=advice or sentences_of(title, line),
    )


def _confirm(card: CardIdentity, revealed: bool, words: Wording) -> Screen:
    title, hint = words("confirm_helper.title"), words("confirm_helper.hint")
    name = card.name if revealed else mask_name(card.name)
    number = card.id_number if revealed else mask_id_number(card.id_number)
    return Screen(
        name="confirm_helper",
        layout=Layout.TABLE,
        language=words.language,
        title=title,
        fields=((words("confirm.name"), name), (words("confirm.number"), number)),
        hint=hint,
        hint_spare=True,
        spoken=sentences_of(title, hint),
    )


def _name(state: NamingTarget, card_lies: bool, words: Wording) -> Screen:
    match state.news:
        case CardNews.UNREAD:
            advice = words("await_card.unread")
        case CardNews.OWN:
            advice = words("name_target.own")
        case None:
            advice = words("name_target.take_own") if card_lies else ""
    return _guide("name_target", words, Art.CARD, advice, words("name_target.type"))


def _number(state: TypingNumber, words: Wording) -> Screen:
    fault = words(f"type_number.{state.fault.value}") if state.fault else ""
    return _keypad("type_number", words, _grouped(state.typed), fault, words("type_number.line"))


def _grouped(typed: str) -> str:
    """Six, eight and four, as people read such a number from a card."""
    shown = typed.ljust(NUMBER_LENGTH, OPEN)
    return f"{shown[:6]} {shown[6:14]} {shown[14:]}"


def _typing(state: TypingName, words: Wording) -> Screen:
    missed = words("type_name.missed") if state.missed else ""
    if state.options:
        paged = option_sheets(state) > 1
        line = words("type_name.pick" if paged else "type_name.pick_few")
    else:
        line = words("type_name.latin" if state.latin else "type_name.line")
    return _keypad("type_name", words, _written(state), missed, line)


def _written(state: TypingName) -> str:
    """The name so far, and the syllable that is being spelt."""
    spelling = Spelling(name_characters())
    begun = "/".join(spelling.syllables(state.keys)) or "".join(
        LETTERS[key][0].lower() for key in state.keys
    )
    return " ".join(part for part in (state.name, begun) if part) or OPEN


def _keypad(name: str, words: Wording, typed: str, advice: str, line: str) -> Screen:
    title = words(f"{name}.title")
    return Screen(
        name=name,
        layout=Layout.KEYPAD,
        language=words.language,
        title=title,
        lines=() if advice else (line,),  # one thing at a time
        typed=typed,
        advice=advice,
        tone=Tone.CARE if advice else Tone.CALM,
        spoken=advice or title,
    )

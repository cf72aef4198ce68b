"""The machine's part for 帮亲友: whose help it is, and whom they name. Pure.

A function here takes a state and a button and returns the next state; a target that is
named in full comes back as a `Named`, which `machine.py` looks up like any card.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from edge.domain.errors import Fault
from edge.domain.idnumber import birth_of, is_valid, sex_of
from edge.domain.people import CardIdentity, CardKind, RosterEntry, mask_name
from edge.domain.spelling import LETTERS, Spelling
from edge.session.effects import CheckHelper, Effect
from edge.session.events import Button
from edge.session.helping_states import (
    AwaitingHelper,
    CardNews,
    CheckingHelper,
    ConfirmingHelper,
    HelpingState,
    NamingTarget,
    NumberFault,
    TypingName,
    TypingNumber,
    WhoFor,
    option_sheets,
    options_shown,
)

NUMBER_LENGTH = 18
MAX_NAME = 30
DOT = "·"

DIGITS = {Button(f"digit_{n}"): str(n) for n in range(10)}
LETTER_KEYS = {key: digit for key, digit in DIGITS.items() if digit in LETTERS}
PICKS = tuple(Button(f"pick_{n}") for n in range(1, 10))
KEYS = frozenset(
    {*DIGITS, *PICKS, Button.KEY_X, Button.ERASE, Button.ALPHABET, Button.SPELT, Button.UNSPELL}
    | {Button.SHEET_BACK, Button.SHEET_ON}
)
"""All that stand on a keypad and nowhere else."""


@dataclass(frozen=True, slots=True)
class Named:
    """The target, as far as it can be typed."""

    card: CardIdentity = field(repr=False)


Move = tuple[HelpingState | Named, tuple[Effect, ...]]


def offered(state: HelpingState) -> tuple[Button, ...]:
    """Every button of the screen itself, main choices first; the footer's are `machine.py`'s."""
    match state:
        case WhoFor():
            return (Button.FOR_SELF, Button.FOR_OTHER)
        case ConfirmingHelper():
            return (Button.ENTER, Button.REVEAL)
        case NamingTarget():
            return (Button.TYPE,)
        case TypingNumber():
            return (*DIGITS, Button.KEY_X, Button.ERASE, Button.OK)
        case TypingName(options=options) if options:
            return _picking(state)
        case TypingName(latin=latin):
            spelt = () if latin else (Button.SPELT,)
            return (Button.DIGIT_1, *LETTER_KEYS, Button.ERASE, Button.ALPHABET, *spelt, Button.OK)
        case AwaitingHelper() | CheckingHelper():
            return ()


def _picking(state: TypingName) -> tuple[Button, ...]:
    sheets = (Button.SHEET_BACK, Button.SHEET_ON) if option_sheets(state) > 1 else ()
    return (*PICKS[: len(options_shown(state))], *sheets, Button.UNSPELL)


def pressed(state: HelpingState, button: Button, spelling: Spelling, *, latin: bool) -> Move:
    """`button` is one of those `offered`; `latin`: names are typed in letters at first."""
    match state, button:
        case WhoFor(), Button.FOR_OTHER:
            return AwaitingHelper(), ()
        case ConfirmingHelper(helper, revealed), Button.REVEAL:
            return ConfirmingHelper(helper, not revealed), ()
        case ConfirmingHelper(helper), Button.ENTER:
            return CheckingHelper(helper), (CheckHelper(helper.key),)
        case NamingTarget(helper), Button.TYPE:
            return TypingNumber(helper), ()
        case TypingNumber(), _:
            return _number(state, button, latin=latin), ()
        case TypingName(options=options), _ if options:
            return _pick(state, button, spelling), ()
        case TypingName(), _:
            return _letters(state, button, spelling), ()
        case _:
            return state, ()


def back(state: HelpingState) -> HelpingState:
    """One step back."""
    match state:
        case WhoFor() | AwaitingHelper():
            return WhoFor()
        case ConfirmingHelper() | CheckingHelper() | NamingTarget():
            return AwaitingHelper()
        case TypingNumber(helper):
            return NamingTarget(helper)
        case TypingName(helper, number):
            return TypingNumber(helper, number)


def card_failed(state: HelpingState, fault: Fault, tries: int) -> HelpingState | None:
    """E01; `None`: the reader is no good here. Whoever types does not need it."""
    match state:
        case AwaitingHelper(failures):
            dead = fault in (Fault.ABSENT, Fault.SILENT)
            return None if dead or failures + 1 >= tries else AwaitingHelper(failures + 1)
        case NamingTarget(helper):
            return NamingTarget(helper, CardNews.UNREAD)
        case _:
            return state


# --- the number ------------------------------------------------------------------


def _number(state: TypingNumber, button: Button, *, latin: bool) -> HelpingState:
    typed = state.typed
    match button:
        case Button.OK:
            fault = _fault(state)
            if fault is None:
                return TypingName(state.helper, typed, latin=latin)
            return replace(state, fault=fault)
        case Button.ERASE:
            return TypingNumber(state.helper, typed[:-1])
        case Button.KEY_X:
            last = len(typed) == NUMBER_LENGTH - 1
            return TypingNumber(state.helper, typed + "X") if last else state
        case _:
            return TypingNumber(state.helper, (typed + DIGITS[button])[:NUMBER_LENGTH])


def _fault(state: TypingNumber) -> NumberFault | None:
    typed = state.typed
    if len(typed) < NUMBER_LENGTH:
        return NumberFault.SHORT
    if birth_of(typed) is None:
        return NumberFault.BIRTH
    if not is_valid(typed):
        return NumberFault.CHECK
    return NumberFault.OWN if typed == state.helper.card.id_number.upper() else None


# --- the name --------------------------------------------------------------------


def _letters(state: TypingName, button: Button, spelling: Spelling) -> HelpingState | Named:
    match button:
        case Button.OK:
            return Named(_card(state)) if state.name.strip() else replace(state, missed=True)
        case Button.ERASE if state.keys:
            return replace(state, keys=state.keys[:-1], missed=False)
        case Button.ERASE:
            return replace(state, name=state.name[:-1], missed=False)
        case Button.ALPHABET:
            return replace(state, keys="", latin=not state.latin, missed=False)
        case Button.DIGIT_1:
            return _with(state, " " if state.latin else DOT)
        case Button.SPELT:
            return _spelt(state, spelling)
        case _:
            return _letter(state, DIGITS[button], spelling)


def _letter(state: TypingName, key: str, spelling: Spelling) -> TypingName:
    """A key no syllable goes on with is not taken: nobody types into nowhere."""
    if state.latin:
        return replace(state, options=tuple(LETTERS[key]), missed=False)
    keys = state.keys + key
    if not spelling.goes_on(keys):
        return replace(state, missed=True)
    return replace(state, keys=keys, missed=False)


def _spelt(state: TypingName, spelling: Spelling) -> TypingName:
    syllables = spelling.syllables(state.keys)
    if not syllables:
        return replace(state, missed=True)
    found = syllables if len(syllables) > 1 else tuple(spelling.table[syllables[0]])
    return replace(state, options=found, sheet=0, missed=False)


def _pick(state: TypingName, button: Button, spelling: Spelling) -> TypingName:
    match button:
        case Button.UNSPELL:
            return replace(state, options=(), sheet=0)
        case Button.SHEET_ON | Button.SHEET_BACK:
            step = 1 if button is Button.SHEET_ON else -1
            return replace(state, sheet=(state.sheet + step) % option_sheets(state))
        case _:
            chosen = options_shown(state)[PICKS.index(button)]
            if not state.latin and chosen in spelling.table:
                return replace(state, options=tuple(spelling.table[chosen]), sheet=0)
            return _with(state, chosen)


def _with(state: TypingName, written: str) -> TypingName:
    name = (state.name + written)[:MAX_NAME]
    return replace(state, name=name, keys="", options=(), sheet=0, missed=False)


# --- the target ------------------------------------------------------------------


def _card(state: TypingName) -> CardIdentity:
    """As much of a card as can be typed: no photo, no dates, and nobody has seen it."""
    number = state.number
    kind = CardKind.RESIDENT
    if number.startswith("9"):
        kind = CardKind.FOREIGN_2023
    elif number.startswith(("81", "82", "83")):
        kind = CardKind.HMT_PERMIT
    return CardIdentity(
        kind, state.name.strip(), sex_of(number), birth_of(number), number, None, None
    )


def is_of(entry: RosterEntry, name: str) -> bool:
    """Whether a typed name may be that of the entry, of which only the ends are known here.

    A number alone must not tell anybody that it is somebody's.
    """
    return _ends(mask_name(name)) == _ends(entry.masked_name)


def _ends(masked: str) -> str:
    return masked.replace("*", "").casefold()

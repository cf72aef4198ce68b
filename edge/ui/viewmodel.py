"""What a person sees and hears in each state, as a pure function.

    view(session, now_ns, facts) -> Screen

A `Screen` is complete: it can be drawn, spoken, compared and tested without a
window. The buttons on it are exactly those the machine offers, with the
languages it is not in, and 我还需要时间 in the last half minute.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from edge.domain.challenge import Hint, Prompt, Reason
from edge.domain.people import CardFlag, CardIdentity, mask_id_number, mask_name
from edge.domain.record import NamedBy, Outcome
from edge.domain.timebase import NS_PER_S, MonoNs
from edge.session.assist_states import (
    AssistCard,
    AssistConfirm,
    AssistReasons,
    AssistState,
    Enrolled,
    Vouching,
)
from edge.session.codes_states import (
    AwaitingOwner,
    CheckingCode,
    CodeTold,
    Reprinting,
    Scanning,
)
from edge.session.events import Button
from edge.session.helping_states import (
    AwaitingHelper,
    CheckingHelper,
    ConfirmingHelper,
    NamingTarget,
    TypingName,
    TypingNumber,
    WhoFor,
)
from edge.session.machine import LANGUAGES, offered
from edge.session.mine_states import (
    AskingMine,
    Complaint,
    Filing,
    Mine,
    Purpose,
    Said,
    Saying,
    Survey,
    Withdrawing,
)
from edge.session.pace_states import Pace
from edge.session.staff_states import Service, StaffChecking, StaffSignIn
from edge.session.states import (
    AskingRegistry,
    AwaitingCard,
    Choosing,
    Confirming,
    Consenting,
    Finished,
    Home,
    Informing,
    Language,
    LookingUp,
    PaperNews,
    Retrying,
    Reviewing,
    Session,
    ShowingHistory,
    State,
    Storing,
    Topic,
    Turned,
    Visit,
    Watching,
    Why,
)
from edge.ui import (
    assist_view,
    codes_view,
    helping_view,
    mine_view,
    opinion_view,
    pace_view,
    service_view,
)
from edge.ui.glow import glow_of
from edge.ui.screen import (
    SIMULATED_BAND,
    Art,
    Choice,
    Facts,
    Footer,
    Layout,
    Screen,
    Tone,
    Weight,
    Wording,
    sentences_of,
)
from edge.ui.texts import text


@dataclass(frozen=True, slots=True)
class ConsentText:
    """The exact words somebody is asked to agree to, labels of the two buttons included."""

    version: str
    words: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.words.encode()).hexdigest()


def view(session: Session, now_ns: MonoNs, facts: Facts) -> Screen:
    """The screen of a session at a moment. Pure; needs no window."""
    words = Wording(session.language, facts)
    screen = _draft(session, words)
    return _framed(screen, session, now_ns, words)


def consent_text(language: Language, facts: Facts, *, own: bool = False) -> ConsentText:
    """What the consent screen says in this language; its hash goes into the record.

    `own`: to look at one's own data, which certifies nobody.
    """
    words = Wording(language, facts)
    labels = (words("button.agree"), words("button.decline"))
    shown = (words("consent.title"), *_consent_lines(words, own=own), *labels)
    return ConsentText(words("consent.version"), "\n".join(shown))


def enrol_text(language: Language, facts: Facts) -> ConsentText:
    """The same of the screen that asks for a template."""
    words = Wording(language, facts)
    return ConsentText(words("enrol.version"), assist_view.consent_words(words))


# --- the frame every screen has ----------------------------------------------

_FOOTER = (
    *(Button.BACK, Button.HELP, Button.HOME, Button.CALL_STAFF),
    *(Button.SURVEY, Button.FEEDBACK, Button.SCAN, Button.STAFF_DOOR, Button.EASIER),
)
_SIDE = (
    *(Button.CALL_STAFF, Button.REVEAL, Button.RETAKE, Button.HISTORY, Button.MINE),
    *(*service_view.SIDE, *mine_view.SIDE, *opinion_view.SIDE),
)
_LARGE = Button.LARGE_PRINT
_FOR_STAFF = (
    StaffSignIn | StaffChecking | Service | AssistCard | AssistConfirm | AssistReasons | Vouching
)
"""What residents neither read nor press."""


def _framed(screen: Screen, session: Session, now_ns: MonoNs, words: Wording) -> Screen:
    """Add buttons, footer and band; in the last half minute, the way to get more time."""
    urgent = session.warned and session.deadline_ns is not None
    framed = replace(
        screen,
        hint=words("frame.hint", hint=screen.hint) if screen.hint else "",
        choices=_choices(session.state, words),
        keypad=_keypad(session.state, words),
        footer=_footer(session, now_ns, words),
        languages=_languages(session.language),
        repeat=_repeat(words) if screen.spoken else None,
        large=_large(session.large, words),
        enlarged=session.large,
        for_staff=isinstance(session.state, _FOR_STAFF),
        leaf=session.leaf,
        turn=Choice(words("button.turn_page"), Button.TURN_PAGE, Weight.MAIN),
        band=SIMULATED_BAND if words.facts.simulated else "",
        glow=glow_of(session.state, now_ns),
    )
    return _with_more_time(framed, words) if urgent else framed


def _with_more_time(screen: Screen, words: Wording) -> Screen:
    """E15: said aloud, with a big button."""
    said = words("frame.time_short")
    choice = Choice(words("button.more_time"), Button.MORE_TIME, Weight.MAIN)
    hint = words("frame.hint", hint=said)
    urged = replace(screen, hint=hint, hint_spare=True, spoken=said)
    return replace(urged, more_time=choice, repeat=_repeat(words))


def _large(enlarged: bool, words: Wording) -> Choice:
    """Elder mode and back, on every screen from the first touch."""
    return Choice(words("button.usual_print" if enlarged else "button.large_print"), _LARGE)


def _repeat(words: Wording) -> Choice:
    return Choice(words("button.repeat"), Button.REPEAT)


def _choices(state: State, words: Wording) -> tuple[Choice, ...]:
    keys = _grid(state)
    shown = [button for button in offered(state) if button not in keys]
    main = [button for button in shown if not _in_footer(state, button)]
    art = opinion_view.ART
    return tuple(
        Choice(
            _label(state, b, words), b, _weight(state, b), _detail(b, words), art.get(b, Art.NONE)
        )
        for b in main
    )


def _detail(button: Button, words: Wording) -> str:
    return words("home.tile") if button is Button.START_PROOF else ""


def _keypad(state: State, words: Wording) -> tuple[Choice | None, ...]:
    """All keys or none, each at its own place."""
    return tuple(
        Choice(_label(state, key, words), key, _weight(state, key)) if key else None
        for key in _grid(state)
    )


def _grid(state: State) -> tuple[Button | None, ...]:
    if isinstance(state, StaffSignIn):
        return service_view.KEYPAD
    return helping_view.keys(state) if isinstance(state, TypingNumber | TypingName) else ()


def _in_footer(state: State, button: Button) -> bool:
    """The way back from a page of information is that page's main choice, and so is a person
    where only a person can help."""
    if isinstance(state, Informing) and button is Button.BACK:
        return False
    if isinstance(state, Turned | Retrying) and button is Button.CALL_STAFF:
        return False
    return button in _FOOTER


def _footer(session: Session, now_ns: MonoNs, words: Wording) -> Footer:
    state = session.state
    shown = [b for b in _FOOTER if b in offered(state) and _in_footer(state, b)]
    return Footer(
        terminal=words("frame.terminal", number=words.facts.terminal_no),
        buttons=tuple(Choice(_label(state, button, words), button) for button in shown),
        time_left=_time_left(session, now_ns, words),
        urgent=session.warned,
    )


_SAVING = Storing | Filing | Withdrawing | Saying
_CARD = AwaitingCard | AwaitingHelper | Confirming | ConfirmingHelper
_UNCOUNTED = _CARD | LookingUp | AskingRegistry | AskingMine | _SAVING


def _time_left(session: Session, now_ns: MonoNs, words: Wording) -> str:
    """Whole seconds, 299 at the start of 300 (K40). K11: none while the card is being dealt with,
    unless time runs out there too.
    """
    uncounted = isinstance(session.state, _UNCOUNTED)
    if session.deadline_ns is None or (uncounted and not session.warned):
        return ""
    left_s = max(0, (session.deadline_ns - now_ns - 1) // NS_PER_S)
    return words("frame.time_left", seconds=left_s)


def _languages(current: Language) -> tuple[Choice, ...]:
    """The next language, called by its own name: one key, however many there are."""
    order = list(LANGUAGES.items())
    place = [language for _, language in order].index(current)
    button, following = order[(place + 1) % len(order)]
    return (Choice(text(following, "language.name"), button),)


def _label(state: State, button: Button, words: Wording) -> str:
    match state, button:
        case Confirming(revealed=True), Button.REVEAL:
            return words("button.conceal")
        case AwaitingCard(), Button.HELP:
            return words("button.instructions")
        case AwaitingCard(), Button.SCAN:
            return words("button.scan_barcode")
        case Retrying(), Button.SUBMIT:
            return words("button.submit_for_review")
        case Home(), Button.HELP:
            return words("button.guide")
        case ((Turned() | Retrying()), Button.CALL_STAFF):
            return words("button.staff")
        case Informing(), Button.BACK:
            return words("button.go_on")
        case (StaffSignIn() | StaffChecking() | Service()) as staff, _:
            return service_view.label(staff, button, words)
        case (ConfirmingHelper() | TypingNumber() | TypingName()) as helping, _:
            return helping_view.label(helping, button, words)
        case page, _ if isinstance(page, AssistState):
            return assist_view.label(page, button, words)
        case (Scanning() | CodeTold() | Reprinting()) as page, _:
            return codes_view.label(page, button, words)
        case Mine() as page, _:
            return mine_view.label(page, button, words)
        case (Survey() | Complaint()) as page, _:
            return opinion_view.label(page, button, words)
        case _:
            return words(f"button.{button.value}")


def _weight(state: State, button: Button) -> Weight:
    """Agreeing and declining weigh the same; where staff are the way on, they come first."""
    if button in (Button.AGREE, Button.DECLINE, *opinion_view.EQUAL):
        return Weight.EQUAL
    if isinstance(state, Turned) and state.why is not Why.ALREADY_DONE:
        return Weight.MAIN if button is Button.CALL_STAFF else Weight.SIDE
    if isinstance(state, Enrolled) and button is Button.VOUCH:
        return Weight.SIDE
    quiet = button in _grid(state) and button not in (Button.OK, Button.SPELT)
    return Weight.SIDE if quiet or button in _SIDE else Weight.MAIN


# --- one function for each state ----------------------------------------------


def _draft(session: Session, words: Wording) -> Screen:
    state, card_lies = session.state, session.card_lies
    if isinstance(state, AssistState):
        return assist_view.draft(state, words)
    match state:
        case Home():
            return _home(session, words)
        case AwaitingCard():
            return _await_card(state, card_lies, words)
        case LookingUp():
            return _waiting("looking_up", words)
        case AskingRegistry():
            return _waiting("asking_registry", words)
        case Confirming(visit, revealed):
            return _confirm(visit, revealed, words)
        case (
            WhoFor()
            | AwaitingHelper()
            | ConfirmingHelper()
            | CheckingHelper()
            | NamingTarget()
            | TypingNumber()
            | TypingName()
        ):
            return helping_view.draft(state, card_lies, words)
        case Choosing(visit):
            return _choose(visit, words)
        case ShowingHistory(visit):
            return mine_view.this_year(visit, words)
        case Mine():
            return mine_view.draft(state, words)
        case AskingMine():
            return _waiting("asking_mine", words)
        case Filing() | Withdrawing():
            return _waiting("storing", words)
        case Survey() | Complaint() | Saying() | Said():
            return opinion_view.draft(state, words)
        case Consenting(visit):
            return _consent(visit, words)
        case Pace():
            return pace_view.draft(words)
        case Watching():
            return _watch(state, words)
        case Retrying():
            return _exhausted(words) if state.exhausted else _retry(state, words)
        case Reviewing():
            return _review(state, words)
        case Storing():
            return _waiting("storing", words)
        case Finished():
            return _finished(state, card_lies, words)
        case Turned():
            return _turned(state, words)
        case StaffSignIn() | StaffChecking() | Service():
            return service_view.draft(state, words)
        case Scanning() | CheckingCode() | CodeTold() | AwaitingOwner() | Reprinting():
            return codes_view.draft(state, card_lies, words)
        case Informing(topic=topic):
            return _TOPICS[topic](words)


LOST_SHOWN = 2
_LOST = ("camera", "printer", "voice", "scanner", "panel")
"""What people should know before they begin, most important first; a lost card reader has a
screen of its own."""


def _home(session: Session, words: Wording) -> Screen:
    facts, card_lies = words.facts, session.card_lies
    take_card = words("frame.take_card") if card_lies else ""  # E16
    lost = [words(f"lost.{name}") for name in _LOST if name in session.lost]
    return Screen(
        name="home",
        layout=Layout.HOME,
        language=words.language,
        title=words("home.title"),
        lines=(
            *lost[:LOST_SHOWN],
            words("home.place", agency=facts.agency_name, site=facts.site),
            words("home.phone", phone=facts.phone),
        ),
        advice=take_card,
        hint=words("home.hint"),
        hint_spare=True,
        art=Art.TAKE_CARD if card_lies else Art.CARD,
        spoken=take_card,
    )


def _await_card(state: AwaitingCard, card_lies: bool, words: Wording) -> Screen:
    unread = words("await_card.unread") if state.failures else ""  # E01
    lying = words("frame.take_card") if card_lies else ""  # who came back from their data
    letter = (words("await_card.letter"),) if state.service else ()
    return Screen(
        name="await_card",
        layout=Layout.GUIDE,
        language=words.language,
        title=words("await_card.title"),
        lines=(*letter, words("await_card.where")),
        advice=unread or lying,
        hint=words("await_card.wait"),
        hint_spare=True,
        art=Art.CARD,
        tone=Tone.CARE if state.failures else Tone.CALM,
        spoken=unread or lying or words("await_card.spoken"),
    )


def _waiting(name: str, words: Wording) -> Screen:
    title = words(f"{name}.title")
    return Screen(
        name=name,
        layout=Layout.GUIDE,
        language=words.language,
        title=title,
        lines=(words(f"{name}.line"),),
        art=Art.WAIT,
        spoken=title,
    )


def _confirm(visit: Visit, revealed: bool, words: Wording) -> Screen:
    expired = words("confirm.expired") if CardFlag.EXPIRED in visit.flags else ""  # E02
    paper = _paper(visit, words)
    return Screen(
        name="confirm",
        layout=Layout.TABLE,
        language=words.language,
        title=words("confirm.greeting"),
        fields=_identity(visit.card, revealed, words),
        advice=expired,
        hint=paper or words("confirm.hint_target" if visit.helper else "confirm.hint"),
        hint_spare=True,
        spoken=paper
        or sentences_of(
            words("confirm.spoken_target" if visit.helper else "confirm.spoken"), expired
        ),
    )


def _identity(card: CardIdentity, revealed: bool, words: Wording) -> tuple[tuple[str, str], ...]:
    return (
        (words("confirm.name"), card.name if revealed else mask_name(card.name)),
        (words("confirm.sex"), words(f"confirm.sex.{card.sex.name.lower()}")),
        (words("confirm.number"), card.id_number if revealed else mask_id_number(card.id_number)),
    )


def _paper(visit: Visit, words: Wording) -> str:
    """What became of the receipt of who went on from their result."""
    return words(_PAPER_KEY[visit.result.paper]) if visit.result else ""


def _choose(visit: Visit, words: Wording) -> Screen:
    paper = _paper(visit, words)
    return Screen(
        name="choose",
        layout=Layout.GUIDE,
        language=words.language,
        title=words("choose.title"),
        hint=paper or words("choose.hint"),
        hint_spare=True,
        art=Art.FACE,
        spoken=paper or words("choose.spoken"),
    )


def _consent(visit: Visit, words: Wording) -> Screen:
    """Nobody agrees for somebody else: a helper is told so, and the person is spoken to."""
    own = visit.purpose is not Purpose.CERTIFY
    title, lines = words("consent.title"), _consent_lines(words, own=own)
    themselves = words("consent.own") if visit.helper else ""
    free = "" if themselves else words("consent.hint")
    return Screen(
        name="consent",
        layout=Layout.PAGE,
        language=words.language,
        title=title,
        lines=lines,
        hint=themselves or free,
        hint_spare=not themselves,
        spoken=sentences_of(themselves, title, *lines, free),
    )


def _consent_lines(words: Wording, *, own: bool) -> tuple[str, ...]:
    who = words("consent.who", agency=words.facts.agency_name, phone=words.facts.phone)
    parts = ("why_own" if own else "why", "what", "how_long", "rights")
    return (who, *(words(f"consent.{part}") for part in parts))


_PROMPT_ART = {
    Prompt.FRAME_FACE: Art.FACE,
    Prompt.LOOK_AHEAD: Art.LOOK,
    Prompt.LEFT: Art.LEFT,
    Prompt.RIGHT: Art.RIGHT,
    Prompt.UP: Art.UP,
    Prompt.DOWN: Art.DOWN,
    Prompt.MOUTH: Art.MOUTH,
    Prompt.BLINK: Art.BLINK,
    Prompt.STILL: Art.LOOK,
}


def _watch(state: Watching, words: Wording) -> Screen:
    progress = state.progress
    framing = progress.prompt is Prompt.FRAME_FACE
    prompt = "" if framing else words(f"prompt.{progress.prompt.value}")
    advice = _advice(progress.hint, words)
    current = min(progress.step + 1, progress.steps)
    hint = words("watch.hint") if framing else words("watch.slowly")
    own = state.visit.purpose is not Purpose.CERTIFY
    after = words("watch.own" if own else "watch.automatic")
    return Screen(
        name="watch",
        layout=Layout.MIRROR,
        language=words.language,
        title=words("watch.title"),
        prompt=prompt,
        lines=(words("watch.adjust"), after) if framing else (),
        advice=advice,
        hint=hint,
        hint_spare=True,
        art=_PROMPT_ART[progress.prompt],
        progress=(progress.step, progress.steps),
        progress_words=words("frame.step", step=current, steps=progress.steps),
        spoken=advice or prompt or hint,
        shows_preview=True,
    )


def _advice(hint: Hint | None, words: Wording) -> str:
    return words(f"advice.{hint.value}") if hint else ""


def _retry(state: Retrying, words: Wording) -> Screen:
    """E07, E08: what to do differently, never whose fault it was."""
    title, reason = words("retry.title"), _reason(state.verdict.reasons, words)
    return Screen(
        name="retry",
        layout=Layout.GUIDE,
        language=words.language,
        title=title,
        lines=(reason, words("retry.no_harm")),
        hint=words("retry.hint"),
        hint_spare=True,
        art=Art.FACE,
        tone=Tone.CARE,
        spoken=sentences_of(title, reason),
    )


def _reason(reasons: tuple[Reason, ...], words: Wording) -> str:
    return words(f"reason.{reasons[0].value}" if reasons else "reason.none")


def _exhausted(words: Wording) -> Screen:
    """E09: after the last try a person takes over."""
    line = words("exhausted.line")
    return Screen(
        name="retry_exhausted",
        layout=Layout.GUIDE,
        language=words.language,
        title=words("exhausted.title"),
        lines=(line,),
        hint=words("exhausted.hint"),
        hint_spare=True,
        art=Art.PERSON,
        tone=Tone.CARE,
        spoken=line,
    )


def _review(state: Reviewing, words: Wording) -> Screen:
    line = words("review.line")
    why = "review.to_staff_typed" if _typed(state.visit) else "review.to_staff"
    to_staff = () if state.verdict.passed else (words(why),)
    return Screen(
        name="review",
        layout=Layout.PORTRAIT,
        language=words.language,
        title=words("review.title"),
        lines=(line, *to_staff),
        hint=words("review.hint"),
        hint_spare=True,
        spoken=sentences_of(words("review.title"), line),
        shows_portrait=True,
    )


# --- results -----------------------------------------------------------------

_PAPER_KEY = {
    PaperNews.PRINTING: "finished.printing",
    PaperNews.PRINTED: "finished.printed",
    PaperNews.FAILED: "finished.paper_failed",
}
_PAPER_ART = {
    PaperNews.PRINTING: Art.SLIP,
    PaperNews.PRINTED: Art.SLIP_DONE,
    PaperNews.FAILED: Art.SLIP_FAILED,
}


def _finished(state: Finished, card_lies: bool, words: Wording) -> Screen:
    outcome, paper = _outcome(state, words), words(_paper_key(state))
    take_card = words("frame.take_card") if card_lies else ""  # E16
    news = (*outcome, paper) if state.paper is PaperNews.PRINTING else (paper,)
    hint = "" if state.code else words("finished.hint")
    later = "" if state.online else words("finished.offline_more")
    return Screen(
        name="finished",
        layout=Layout.CODE if state.code else Layout.GUIDE,
        language=words.language,
        title=words("finished.title"),
        lines=_in_order(outcome, paper, _numbers(state, words), state),
        advice=take_card,
        code=state.code,
        caption=words("finished.code_hint") if state.code else "",
        hint=(hint + later).strip(),
        hint_spare=True,
        art=_PAPER_ART[state.paper],
        tone=Tone.GOOD if state.record.outcome is Outcome.PASSED else Tone.CALM,
        spoken=sentences_of(*news, later, take_card),
    )


def _paper_key(state: Finished) -> str:
    """Whoever only called has no result that could stand without paper, but a number."""
    if state.paper is PaperNews.FAILED and state.record.outcome is Outcome.CALLED:
        return "finished.slip_failed"
    return _PAPER_KEY[state.paper]


def _in_order(
    outcome: tuple[str, ...], paper: str, numbers: tuple[str, ...], state: Finished
) -> tuple[str, ...]:
    """Whoever waits for a person looks for their number first."""
    if state.record.ticket:
        return (*outcome, *numbers, paper)
    return (*outcome, paper, *numbers)


def _outcome(state: Finished, words: Wording) -> tuple[str, ...]:
    """What came of it, then how far it has travelled (E11)."""
    entry = state.visit.entry if state.visit and not _typed(state.visit) else None
    review = state.record.outcome is Outcome.NEEDS_REVIEW
    if entry and entry.to_staff and review:  # E05
        return (
            words("finished.to_staff"),
            *((words("finished.offline"),) if not state.online else ()),
        )
    result = words(f"finished.{state.record.outcome.value}")
    if not state.online:
        return (result, words("finished.offline"))
    if state.record.outcome is Outcome.PASSED:
        return (result, words("finished.saved"))
    return (result,)


def _numbers(state: Finished, words: Wording) -> tuple[str, ...]:
    """Whoever waits for a person is called by a short number; without paper both are needed."""
    record = state.record
    number = words("finished.number", number=record.receipt_no)
    if not record.ticket:
        return (number,)
    ticket = words("finished.ticket", ticket=record.ticket)
    return (ticket, number) if state.paper is PaperNews.FAILED else (ticket,)


def _typed(visit: Visit) -> bool:
    return visit.named_by is NamedBy.TYPED


def _turned(state: Turned, words: Wording) -> Screen:
    section, fault = state.why.value, state.fault
    done = state.why is Why.ALREADY_DONE
    return Screen(
        name=f"turned_{section}",
        layout=Layout.GUIDE,
        language=words.language,
        title=words(f"{section}.title"),
        lines=_already_done(state, words) if done else _elsewhere(state, words),
        hint=words(f"turned.slip_{state.slip.value}") if state.slip else "",
        note=words("turned.fault", fault=words(f"fault.{fault.value}")) if fault else "",
        art=Art.DONE if done else Art.PERSON,
        tone=Tone.CALM if done else Tone.CARE,
        spoken=words(f"{section}.spoken"),
    )


def _elsewhere(state: Turned, words: Wording) -> tuple[str, ...]:
    """E13: where else it can be done, and who can be asked."""
    place = words.facts.nearest if state.why in _NOT_HERE else ""
    near = (words("turned.nearest", place=place),) if place else ()
    return (words(f"{state.why.value}.line"), *near, words.ask())


_NOT_HERE = (
    *(Why.CARD_UNREADABLE, Why.READER_DOWN, Why.CAMERA_DOWN),
    *(Why.STORE_DOWN, Why.OUT_OF_SERVICE),
)


def _already_done(state: Turned, words: Wording) -> tuple[str, ...]:
    """E04: when it was done, and when it is due again."""
    entry = state.visit.entry if state.visit else None
    if entry is None or entry.certified_on is None:
        return (words.ask(),)
    done = words("already_done.line", day=words.day(entry.certified_on))
    return (done, words("already_done.next", month=words.day(entry.due_by, "month")), words.ask())


# --- pages of information ------------------------------------------------------


def _help(words: Wording) -> Screen:
    steps = ("card", "consent", "camera", "submit", "receipt")
    return Screen(
        name="help",
        layout=Layout.PAGE,
        language=words.language,
        title=words("help.title"),
        lines=tuple(words(f"help.{step}") for step in steps),
        hint=words("help.hint", office=words.facts.office, phone=words.facts.phone),
        spoken=words("help.spoken"),
    )


_TOPICS = {
    Topic.HELP: _help,
}

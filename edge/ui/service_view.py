"""What staff see: the sign-in and the pages of service, as pure functions like every other screen.

These screens are silent, but for the sentence that tries out the loudspeaker: what is
typed here is nobody else's business, and a hall need not hear of a broken printer.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from edge.domain.errors import Fault
from edge.domain.findings import Finding, Status
from edge.domain.staff import BADGE_DIGITS, PIN_DIGITS, Refusal
from edge.domain.timebase import CHINA
from edge.session.events import Button
from edge.session.staff_states import (
    ROWS,
    Service,
    ServiceFacts,
    ServicePage,
    SignInStep,
    SlipNews,
    StaffChecking,
    StaffSignIn,
    StaffState,
    rows_of,
    sheets,
)
from edge.ui.findings import told
from edge.ui.screen import Art, Layout, Mark, Row, Screen, Tone, Wording, guide

KEYPAD = (
    *(Button.DIGIT_1, Button.DIGIT_2, Button.DIGIT_3, Button.ERASE),
    *(Button.DIGIT_4, Button.DIGIT_5, Button.DIGIT_6, Button.DIGIT_0),
    *(Button.DIGIT_7, Button.DIGIT_8, Button.DIGIT_9, Button.OK),
)
"""Row by row, as on a telephone, with a fourth column for the rest."""

DETAIL_SHOWN = 40
"""Of a driver's own words; `edge doctor` has all of them."""

SIDE = (Button.NEXT, Button.SHUT_DOWN)
HIDDEN, TO_HIDE, OPEN = "●", "○", "–"

_MARKS = {
    Status.OK: Mark.GOOD,
    Status.WARNING: Mark.CARE,
    Status.FAILED: Mark.BAD,
    Status.NOT_TRIED: Mark.NONE,
}
_SLIP_ART = {
    None: Art.NONE,
    SlipNews.PRINTING: Art.SLIP,
    SlipNews.PRINTED: Art.SLIP_DONE,
    SlipNews.FAILED: Art.SLIP_FAILED,
}


def draft(state: StaffState, words: Wording) -> Screen:
    match state:
        case StaffSignIn():
            return _sign_in(state, words)
        case StaffChecking():
            return guide("staff_checking", words, Art.WAIT)
        case Service():
            return _PAGES[state.page](state, words)


def label(state: StaffState, button: Button, words: Wording) -> str:
    match state, button:
        case Service(page=ServicePage.CHECK), Button.CHECK:
            return words("button.check_again")
        case Service(wish=wish), Button.CONFIRM:
            return words(f"button.confirm_{wish.value}")
        case Service(), Button.HOME:
            return words("button.sign_out")
        case _:
            return key_label(button, words)


def key_label(button: Button, words: Wording) -> str:
    """Digits are the same in every language."""
    digit = button.value.removeprefix("digit_")
    return digit if digit.isdigit() else words(f"button.{button.value}")


# --- signing in ----------------------------------------------------------------


def _sign_in(state: StaffSignIn, words: Wording) -> Screen:
    step = state.step.value
    return Screen(
        name=f"staff_{step}",
        layout=Layout.KEYPAD,
        language=words.language,
        title=words(f"staff_{step}.title"),
        lines=(words(f"staff_{step}.line"),),
        typed=_typed(state),
        advice=_refusal(state.refusal, words),
        note=words("staff_badge.residents"),
        tone=Tone.CARE if state.refusal else Tone.CALM,
    )


def _typed(state: StaffSignIn) -> str:
    """A PIN shows only how much of it was typed."""
    if state.step is SignInStep.PIN:
        return " ".join((HIDDEN * len(state.typed)).ljust(PIN_DIGITS, TO_HIDE))
    return " ".join(state.typed.ljust(BADGE_DIGITS, OPEN))


def _refusal(refusal: Refusal | None, words: Wording) -> str:
    return words(f"refusal.{refusal.value}") if refusal else ""


# --- pages -----------------------------------------------------------------------


def _menu(state: Service, words: Wording) -> Screen:
    return Screen(
        name="service_menu",
        layout=Layout.TABLE,
        language=words.language,
        title=words("service.title"),
        fields=tuple(_summary(state, words)),
    )


def _summary(state: Service, words: Wording) -> Iterator[tuple[str, str]]:
    facts = state.facts
    unwell = sum(row.status is not Status.OK for row in rows_of(state))
    devices = words("service.unwell", count=unwell) if unwell else words("service.all_well")
    yield words("service.devices"), devices if facts else words("service.reading")
    if facts:
        yield from _sync(facts, words)


def _sync(facts: ServiceFacts, words: Wording) -> Iterator[tuple[str, str]]:
    yield words("service.link"), _link(facts, words)
    yield words("service.outbox"), _outbox(facts, words)


def _outbox(facts: ServiceFacts, words: Wording) -> str:
    if facts.waiting is None:
        return words("service.unreadable")
    if facts.held:
        return words("service.held", waiting=facts.waiting, held=facts.held)
    return words("service.waiting", waiting=facts.waiting)


def _link(facts: ServiceFacts, words: Wording) -> str:
    if not facts.link_seen:
        return words("service.link_never")
    seen = datetime.fromisoformat(facts.link_seen).astimezone(CHINA)
    key = "service.link_up" if facts.link_up else "service.link_down"
    return words(key, time=f"{seen:%Y-%m-%d %H:%M}")


def _devices(state: Service, words: Wording) -> Screen:
    return _sheet("service_devices", state, words)


def _check(state: Service, words: Wording) -> Screen:
    if state.findings is None:
        return guide("service_checking", words, Art.WAIT)
    return _sheet("service_check", state, words)


def _sheet(name: str, state: Service, words: Wording) -> Screen:
    """Three parts at a time, the worst first, each with what to do."""
    found = rows_of(state)
    shown = found[state.sheet * ROWS : (state.sheet + 1) * ROWS]
    unwell = sum(row.status in (Status.FAILED, Status.WARNING) for row in found)
    return Screen(
        name=name,
        layout=Layout.ROWS,
        language=words.language,
        title=words(
            "service.sheet",
            title=words(f"{name}.title"),
            unwell=unwell,
            sheet=state.sheet + 1,
            sheets=sheets(state),
        ),
        rows=tuple(_row(finding, words) for finding in shown),
        note="" if found else words("service.reading"),
    )


def _row(finding: Finding, words: Wording) -> Row:
    row = told(finding, words.language)
    state = words("service.row", status=row.status, state=row.state)
    unwell = finding.status in (Status.FAILED, Status.WARNING)
    detail = finding.detail[:DETAIL_SHOWN] if unwell and len(row.state) <= DETAIL_SHOWN else ""
    bracketed = words("service.detail", detail=detail) if detail else ""
    return Row(row.part, state, row.fix, bracketed, _MARKS[finding.status])


def _tests(state: Service, words: Wording) -> Screen:
    news = words(f"service_tests.{state.slip.value}") if state.slip else ""
    trouble, fix = _trouble("printer", state.fault, words)
    return Screen(
        name="service_tests",
        layout=Layout.GUIDE if state.slip else Layout.PAGE,
        language=words.language,
        title=words("service_tests.title"),
        lines=(news,) if news else tuple(words(f"service_tests.{n}") for n in _TESTS),
        advice=trouble,
        note=fix,
        art=_SLIP_ART[state.slip],
    )


_TESTS = ("slip", "camera", "sound")


def _trouble(device: str, fault: Fault | None, words: Wording) -> tuple[str, str]:
    """A device's fault and what to do, as the doctor says it."""
    if fault is None:
        return "", ""
    row = told(Finding(device, Status.FAILED, fault.value), words.language)
    return row.state, row.fix


def _camera(state: Service, words: Wording) -> Screen:
    trouble, fix = _trouble("camera", state.fault, words)
    look = (words("service_camera.line"), words("service_camera.kept"))
    return Screen(
        name="service_camera",
        layout=Layout.MIRROR,
        language=words.language,
        title=words("service_camera.title"),
        lines=(fix,) if trouble else look,
        advice=trouble,
        shows_preview=True,
    )


def _sound(state: Service, words: Wording) -> Screen:
    """The one page that speaks."""
    sample = words("await_card.spoken")
    known = state.volume is not None
    volume = words("service_sound.percent", percent=state.volume) if known else ""
    return Screen(
        name="service_sound",
        layout=Layout.TABLE,
        language=words.language,
        title=words("service_sound.title"),
        fields=(
            (words("service_sound.volume"), volume or words("service.reading")),
            (words("service_sound.sample"), sample),
        ),
        spoken=sample,
    )


def _kiosk(state: Service, words: Wording) -> Screen:
    facts = state.facts
    return Screen(
        name="service_kiosk",
        layout=Layout.TABLE,
        language=words.language,
        title=words("service_kiosk.title"),
        fields=tuple(_versions(facts, words)) if facts else (),
        note="" if facts else words("service.reading"),
    )


def _versions(facts: ServiceFacts, words: Wording) -> Iterator[tuple[str, str]]:
    yield from _sync(facts, words)
    yield words("service_kiosk.software"), facts.software
    models = ", ".join(f"{name} {digits}" for name, digits in facts.models)
    yield words("service_kiosk.models"), models


def _power(state: Service, words: Wording) -> Screen:  # noqa: ARG001
    return Screen(
        name="service_power",
        layout=Layout.PAGE,
        language=words.language,
        title=words("service_power.title"),
        lines=(words("service_power.restart"), words("service_power.off")),
        note=words("service_power.kept"),
    )


def _confirm(state: Service, words: Wording) -> Screen:
    wish = state.wish.value
    return Screen(
        name=f"service_confirm_{wish}",
        layout=Layout.PAGE,
        language=words.language,
        title=words(f"service_confirm.{wish}"),
        lines=(words(f"service_power.{wish}"), words("service_power.kept")),
        tone=Tone.CARE,
    )


def _going(state: Service, words: Wording) -> Screen:
    wish = state.wish.value
    return Screen(
        name=f"service_going_{wish}",
        layout=Layout.GUIDE,
        language=words.language,
        title=words(f"service_going.{wish}"),
        lines=(words("service_going.line"),),
        art=Art.WAIT,
    )


_PAGES = {
    ServicePage.MENU: _menu,
    ServicePage.DEVICES: _devices,
    ServicePage.CHECK: _check,
    ServicePage.TESTS: _tests,
    ServicePage.CAMERA: _camera,
    ServicePage.SOUND: _sound,
    ServicePage.KIOSK: _kiosk,
    ServicePage.POWER: _power,
    ServicePage.CONFIRM: _confirm,
    ServicePage.GOING: _going,
}

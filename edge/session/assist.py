"""The machine's part for staff who serve a resident at the kiosk. Pure.

A member of staff who is signed in looks at the person and at the card, and either certifies
them as a witness, saying why the camera was not used, or enrols a template of their face, for
which the resident agrees or declines themselves, or opens what is kept of them, where it can be
printed, corrected and deleted too. All of it names the badge; the registry has every witnessed
record and enrolment looked at again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from edge.domain.cycles import due_after
from edge.domain.people import RosterEntry
from edge.domain.record import AssistReason, Verdict
from edge.domain.staff import StaffMember
from edge.domain.templates import KEPT_AFTER, TemplateChange
from edge.session import mine
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
from edge.session.effects import Effect, Forget, KeepTemplate
from edge.session.events import Button, Event, TemplateFailed, TemplateKept
from edge.session.staff_states import Service, ServicePage
from edge.session.states import Language, State, Turned, Visit, Why, visit_of

if TYPE_CHECKING:
    from edge.session.machine import Context


@dataclass(frozen=True, slots=True)
class Certify:
    """File a record for which a member of staff vouches."""

    visit: Visit
    reason: AssistReason


@dataclass(frozen=True, slots=True)
class Enrol:
    """Open the camera for a template; the person agreed."""

    visit: Visit


Move = tuple[State, tuple[Effect, ...]]
Step = Move | Certify | Enrol

REASON_BUTTONS = {Button(f"reason_{reason.value}"): reason for reason in AssistReason}


def staff_of(state: State) -> StaffMember | None:
    """Who is signed in here, serving the kiosk or a resident."""
    if isinstance(state, Service | AssistCard):
        return state.staff
    visit = visit_of(state)
    return visit.witness if visit else None


def offered(state: AssistState) -> tuple[Button, ...]:
    """Every button that does something in this state, main choices first."""
    match state:
        case AssistCard():
            return (Button.BACK, Button.HOME)
        case Vouching():
            return (Button.CONFIRM, Button.BACK, Button.HOME)
        case AssistConfirm():
            return (Button.CONFIRM, Button.REVEAL, Button.BACK, Button.HOME)
        case AssistChoice():
            return (Button.VOUCH, Button.ENROL, Button.MINE, Button.BACK, Button.HOME)
        case AssistReasons(sheet=sheet):
            reasons = (Button(f"reason_{reason.value}") for reason in REASONS[sheet])
            return (*reasons, Button.NEXT, Button.BACK, Button.HOME)
        case EnrolConsenting():
            return (Button.AGREE, Button.DECLINE, Button.BACK, Button.HELP, Button.HOME)
        case EnrolReviewing():
            return (Button.SUBMIT, Button.BACK, Button.HOME)
        case EnrolFailed(exhausted=exhausted):
            again = () if exhausted else (Button.TRY_AGAIN,)
            return (*again, Button.BACK, Button.HOME)
        case Enrolling():
            return ()
        case Enrolled():
            return (Button.VOUCH, Button.EXIT, Button.HOME)


def pressed(state: AssistState, button: Button, language: Language, ctx: Context) -> Step:
    """`button` is one of those `offered`."""
    match state, button:
        case ((EnrolReviewing() | EnrolFailed() | EnrolConsenting() | Enrolled()), _):
            return _enrolling(state, button, language, ctx)
        case AssistCard(staff), Button.BACK:
            return Service(staff, ServicePage.MENU), ()
        case AssistConfirm(visit, revealed), Button.REVEAL:
            return AssistConfirm(visit, not revealed), ()
        case AssistConfirm(visit), Button.CONFIRM:
            return AssistChoice(visit), ()
        case AssistConfirm(Visit(witness=StaffMember() as staff)), Button.BACK:
            return AssistCard(staff), (Forget(),)
        case AssistChoice(visit), Button.BACK:
            return AssistConfirm(visit), ()
        case AssistChoice(visit), Button.VOUCH:
            return AssistReasons(visit), ()
        case AssistChoice(visit), Button.ENROL:
            return EnrolConsenting(visit), ()
        case AssistChoice(visit), Button.MINE:
            return mine.vouched(visit, ctx)
        case AssistReasons(visit, sheet), Button.NEXT:
            return AssistReasons(visit, (sheet + 1) % len(REASONS)), ()
        case AssistReasons(visit), _ if button in REASON_BUTTONS:
            return Vouching(visit, REASON_BUTTONS[button]), ()
        case Vouching(visit), Button.BACK:
            return AssistReasons(visit), ()
        case Vouching(visit, reason), Button.CONFIRM:
            return Certify(visit, reason)
        case AssistReasons(visit), Button.BACK:
            return AssistChoice(visit), ()
        case _:
            return state, ()


def _enrolling(
    state: EnrolReviewing | EnrolFailed | EnrolConsenting | Enrolled,
    button: Button,
    language: Language,
    ctx: Context,
) -> Step:
    visit = state.visit
    match state, button:
        case EnrolConsenting(), Button.AGREE:
            agreed = ctx.consent(ctx.enrol_texts, language, agreed=True)
            return Enrol(replace(visit, consent=agreed, enrolling=True))
        case EnrolFailed(), Button.TRY_AGAIN:
            return Enrol(visit)
        case EnrolReviewing(_, verdict), Button.SUBMIT:
            return _keep(visit, verdict, ctx)
        case Enrolled(seen=seen), Button.VOUCH:
            return AssistReasons(replace(visit, enrolling=False, seen=seen)), ()
        case _:
            return AssistChoice(replace(visit, consent=None, enrolling=False)), (Forget(),)


def _keep(visit: Visit, verdict: Verdict, ctx: Context) -> Move:
    assert visit.entry is not None
    assert visit.witness is not None
    made = ctx.template_event(
        TemplateChange.ENROLLED, visit.entry.person_id, visit.consent, visit.witness.badge
    )
    alike = None if verdict.likeness is None else verdict.likeness.passed
    event = replace(made, expires=_kept_until(visit.entry, ctx), card_alike=alike)
    return Enrolling(visit, event, verdict), (KeepTemplate(event),)


def _kept_until(entry: RosterEntry, ctx: Context) -> date:
    """The next time they have to come, and a month; a clock nobody trusts counts from this one."""
    today = ctx.now.local.date()
    return (due_after(entry.cycle, today) if ctx.now.is_sure else entry.due_by) + KEPT_AFTER


# --- results of orders -----------------------------------------------------------


def told(state: AssistState, event: Event) -> Move | None:
    """What came of an order; `None` if it was another one."""
    match state, event:
        case Enrolling(visit, change, seen), TemplateKept(event_id) if event_id == change.event_id:
            return Enrolled(visit, change, seen), ()
        case Enrolling(visit, change), TemplateFailed(event_id) if event_id == change.event_id:
            return Turned(Why.STORE_DOWN, visit), ()
        case _:
            return None

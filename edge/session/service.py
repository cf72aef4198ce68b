"""The machine's part for staff: signing in with badge and PIN, and the pages of service. Pure.

A function here takes a state and what happened and returns the next state with the
orders that go with it; `machine.py` adds what every change of state has. A sign-in
is looked at by the kiosk's disk and a slow hash, so it is an order like others and
its result an event.
"""

from __future__ import annotations

from dataclasses import replace

from edge.domain.errors import Fault
from edge.domain.findings import Finding
from edge.domain.staff import (
    BADGE_DIGITS,
    PIN_DIGITS,
    Deed,
    Permission,
    Refusal,
    StaffMember,
    badge_of,
)
from edge.session.effects import (
    CheckStaff,
    Count,
    Effect,
    Examine,
    NoteDeed,
    Power,
    PrintSlip,
    Repeat,
    SetVolume,
    View,
)
from edge.session.events import (
    Button,
    Event,
    Examined,
    FactsTold,
    SlipPrinted,
    StaffAnswered,
    VolumeTold,
    WatchFailed,
)
from edge.session.staff_states import (
    PowerWish,
    Service,
    ServicePage,
    SignInStep,
    SlipNews,
    StaffChecking,
    StaffSignIn,
    StaffState,
    sheets,
)

Move = tuple[StaffState, tuple[Effect, ...]]

DIGITS = tuple(Button(f"digit_{number}") for number in range(10))
KEYPAD = (*DIGITS, Button.ERASE, Button.OK)

_VALUES = {button: str(number) for number, button in enumerate(DIGITS)}
_BACK = {
    ServicePage.DEVICES: ServicePage.MENU,
    ServicePage.CHECK: ServicePage.DEVICES,
    ServicePage.TESTS: ServicePage.DEVICES,
    ServicePage.CAMERA: ServicePage.TESTS,
    ServicePage.SOUND: ServicePage.TESTS,
    ServicePage.KIOSK: ServicePage.MENU,
    ServicePage.POWER: ServicePage.KIOSK,
    ServicePage.CONFIRM: ServicePage.POWER,
}
_OPENS = {
    Button.DEVICES: ServicePage.DEVICES,
    Button.TESTS: ServicePage.TESTS,
    Button.KIOSK: ServicePage.KIOSK,
    Button.POWER: ServicePage.POWER,
}
_WISHES = {Button.SHUT_DOWN: PowerWish.OFF, Button.RESTART: PowerWish.RESTART}
_DEEDS = {PowerWish.OFF: Deed.POWER_OFF, PowerWish.RESTART: Deed.RESTART}
_STEPS = {Button.LOUDER: 1, Button.SOFTER: -1}


def offered(state: StaffState) -> tuple[Button, ...]:
    """Every button that does something in this state, main choices first."""
    match state:
        case StaffSignIn(SignInStep.BADGE):
            return (*KEYPAD, Button.HOME)
        case StaffSignIn():
            return (*KEYPAD, Button.BACK, Button.HOME)
        case StaffChecking() | Service(page=ServicePage.GOING):
            return ()
        case Service(page=ServicePage.MENU):
            assist = (Button.ASSIST,) if state.staff.may(Permission.WITNESS) else ()
            return (*assist, Button.DEVICES, Button.KIOSK, Button.HOME)
        case Service():
            return (*_choices(state), Button.BACK, Button.HOME)


def _choices(state: Service) -> tuple[Button, ...]:
    more = (Button.NEXT,) if sheets(state) > 1 else ()
    match state.page:
        case ServicePage.DEVICES:
            return (*more, Button.CHECK, Button.TESTS)
        case ServicePage.CHECK:
            return (*more, Button.CHECK) if state.findings is not None else ()
        case ServicePage.TESTS:
            return (Button.PRINT_SLIP, Button.VIEW_CAMERA, Button.SOUND)
        case ServicePage.SOUND:
            return (Button.SOFTER, Button.LOUDER)
        case ServicePage.KIOSK:
            return (Button.POWER,) if state.staff.may(Permission.POWER) else ()
        case ServicePage.POWER:
            return (Button.RESTART, Button.SHUT_DOWN)
        case ServicePage.CONFIRM:
            return (Button.CONFIRM,)
        case _:
            return ()


def scanned(text: str) -> StaffSignIn | None:
    """A badge that is held before the scanner opens the question for its PIN."""
    badge = badge_of(text)
    return StaffSignIn(SignInStep.PIN, badge) if badge else None


def pressed(state: StaffState, button: Button, order_id: int) -> Move:
    """`button` is one of those `offered`; an order given here carries `order_id`."""
    match state:
        case StaffSignIn():
            return _typed(state, button, order_id)
        case Service():
            return _served(state, button, order_id)
        case StaffChecking():
            return state, ()


# --- signing in ----------------------------------------------------------------


def _typed(state: StaffSignIn, button: Button, order_id: int) -> Move:
    wanted = BADGE_DIGITS if state.step is SignInStep.BADGE else PIN_DIGITS
    match button:
        case Button.BACK:
            return StaffSignIn(), ()
        case Button.ERASE:
            return replace(state, typed=state.typed[:-1], refusal=None), ()
        case Button.OK if len(state.typed) < wanted:
            return replace(state, refusal=Refusal.SHORT), ()
        case Button.OK if state.step is SignInStep.BADGE:
            return StaffSignIn(SignInStep.PIN, state.typed), ()
        case Button.OK:
            order = CheckStaff(order_id, state.badge, state.typed)
            return StaffChecking(order_id, state.badge), (order,)
        case _:
            typed = (state.typed + _VALUES[button])[:wanted]
            return replace(state, typed=typed, refusal=None), ()


def _let_in(state: StaffChecking, result: StaffMember | Refusal) -> StaffState:
    """After a wrong PIN the badge need not be typed again."""
    if isinstance(result, StaffMember):
        return Service(result)
    if result is Refusal.WRONG:
        return StaffSignIn(SignInStep.PIN, state.badge, refusal=result)
    return StaffSignIn(refusal=result)


# --- service -------------------------------------------------------------------


def _served(state: Service, button: Button, order_id: int) -> Move:
    if button in _OPENS:
        return _page(state, _OPENS[button]), ()
    if button in _WISHES:
        return replace(_page(state, ServicePage.CONFIRM), wish=_WISHES[button]), ()
    if button in _STEPS:
        return _volume(state, _STEPS[button])
    match button:
        case Button.BACK:
            return _page(state, _BACK[state.page]), ()
        case Button.NEXT:
            return replace(state, sheet=(state.sheet + 1) % sheets(state)), ()
        case Button.CHECK:
            started = replace(_page(state, ServicePage.CHECK), order_id=order_id)
            return started, (_note(state, Deed.CHECKED), Examine(order_id))
        case Button.PRINT_SLIP:
            return _print(state, order_id)
        case Button.VIEW_CAMERA:
            opened = replace(_page(state, ServicePage.CAMERA), order_id=order_id)
            return opened, (_note(state, Deed.LOOKED), View(order_id))
        case Button.SOUND:
            return _page(state, ServicePage.SOUND), (SetVolume(0),)
        case Button.CONFIRM:
            orders = (_note(state, _DEEDS[state.wish]), Power(state.wish))
            return _page(state, ServicePage.GOING), orders
        case _:
            return state, ()


def _page(state: Service, page: ServicePage) -> Service:
    """Another page, with nothing left of the one before."""
    return Service(state.staff, page, facts=state.facts, wish=state.wish)


def _print(state: Service, order_id: int) -> Move:
    if state.slip is SlipNews.PRINTING:
        return state, ()
    printing = replace(state, slip=SlipNews.PRINTING, fault=None, order_id=order_id)
    return printing, (_note(state, Deed.PRINTED), PrintSlip(order_id))


def _volume(state: Service, step: int) -> Move:
    """The page's sentence is said again, as loud as it is now; one deed for a visit to the page."""
    note = () if state.changed else (_note(state, Deed.VOLUME),)
    return replace(state, changed=True), (*note, SetVolume(step), Repeat())


def _note(state: Service, deed: Deed) -> NoteDeed:
    return NoteDeed(state.staff.badge, deed)


def signed_out(state: Service) -> NoteDeed:
    return _note(state, Deed.SIGNED_OUT)


# --- results of orders -----------------------------------------------------------


def answered(state: StaffState, event: StaffAnswered) -> StaffState | None:
    """Where somebody is after the answer; `None` if nobody waits for it any more."""
    if not isinstance(state, StaffChecking) or state.check_id != event.check_id:
        return None
    return _let_in(state, event.result)


def to_note(event: StaffAnswered) -> tuple[Effect, ...]:
    """A try is written down also when nobody waits for its answer any more."""
    if event.deed is None:
        return (Count("staff_unknown"),)
    return (NoteDeed(event.badge, event.deed),)


def told(state: StaffState, event: Event) -> StaffState | None:
    """The same page with news on it; nobody did anything, so no time is given for it."""
    if not isinstance(state, Service):
        return None
    match event:
        case FactsTold(facts):
            fresh = replace(state, facts=facts)
            return replace(fresh, sheet=min(state.sheet, sheets(fresh) - 1))
        case Examined(order_id, findings) if order_id == state.order_id:
            return _examined(state, findings)
        case SlipPrinted(order_id, fault) if order_id == state.order_id:
            return _printed(state, fault)
        case VolumeTold(percent):
            return replace(state, volume=percent)
        case WatchFailed(watch_id, fault) if watch_id == state.order_id:
            return replace(state, fault=fault)
        case _:
            return None


def _examined(state: Service, findings: tuple[Finding, ...]) -> Service | None:
    return replace(state, findings=findings) if state.page is ServicePage.CHECK else None


def _printed(state: Service, fault: Fault | None) -> Service | None:
    if state.page is not ServicePage.TESTS:
        return None
    news = SlipNews.FAILED if fault else SlipNews.PRINTED
    return replace(state, slip=news, fault=fault)

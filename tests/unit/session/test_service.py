"""Staff at the kiosk, as the machine sees them: the way in, the pages, the way out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from edge.domain.errors import Fault
from edge.domain.staff import Deed, Refusal, StaffMember
from edge.session import effects as fx
from edge.session.events import (
    Button,
    CodeScanned,
    Event,
    Examined,
    FactsTold,
    Pressed,
    SlipPrinted,
    StaffAnswered,
    StoreBack,
    StoreLost,
    TimerFired,
    VolumeTold,
    WatchFailed,
)
from edge.session.machine import offered, step
from edge.session.staff_states import (
    PowerWish,
    Service,
    ServicePage,
    SignInStep,
    SlipNews,
    StaffChecking,
    StaffSignIn,
    rows_of,
    sheets,
)
from edge.session.states import (
    Choosing,
    Home,
    Language,
    LookingUp,
    Session,
    Turned,
    Why,
    uses_camera,
)
from tests.session_world import LAID_DOWN, World
from tests.ui_world import BADGE, CLERK, FOUND, TECHNICIAN, UNWELL, VISIT, WELL, on

PIN = "135790"


class Desk:
    """A session that is fed events, and all orders it ever gave."""

    def __init__(self, state: Any = None) -> None:
        self.world = World()
        self.session = Session(state or Home(), Language.ZH)
        self.orders: list[fx.Effect] = []

    @property
    def state(self) -> Any:
        return self.session.state

    def feed(self, *events: Event) -> list[fx.Effect]:
        """The orders given for these events."""
        before = len(self.orders)
        for event in events:
            moved = step(self.session, event, self.world.context())
            self.session = moved.session
            self.orders += moved.effects
        return self.orders[before:]

    def press(self, *buttons: Button) -> list[fx.Effect]:
        return self.feed(*map(Pressed, buttons))

    def type(self, digits: str) -> list[fx.Effect]:
        return self.press(*(Button(f"digit_{digit}") for digit in digits))

    def deeds(self) -> list[Deed]:
        return [order.deed for order in self.orders if isinstance(order, fx.NoteDeed)]

    def answer(self, result: StaffMember | Refusal, deed: Deed | None = Deed.FAILED) -> None:
        assert isinstance(self.state, StaffChecking)
        self.feed(StaffAnswered(self.state.check_id, result, BADGE, deed))


def order(orders: list[fx.Effect], kind: type[Any]) -> Any:
    found = [each for each in orders if isinstance(each, kind)]
    assert len(found) == 1, orders
    return found[0]


# --- the way in ---


def test_badge_then_pin_asks_for_a_check_and_a_right_pin_opens_service() -> None:
    desk = Desk()
    desk.press(Button.STAFF_DOOR)
    desk.type(BADGE)
    desk.press(Button.OK)
    assert desk.state == StaffSignIn(SignInStep.PIN, BADGE)
    desk.type(PIN)
    asked = order(desk.press(Button.OK), fx.CheckStaff)
    assert (asked.badge, asked.pin) == (BADGE, PIN)
    assert PIN not in repr(desk.session) + repr(asked)
    desk.answer(TECHNICIAN, Deed.SIGNED_IN)
    assert desk.state == Service(TECHNICIAN)
    assert desk.deeds() == [Deed.SIGNED_IN]


@pytest.mark.parametrize("why", [Why.READER_DOWN, Why.CAMERA_DOWN, Why.STORE_DOWN])
def test_the_door_is_on_screens_that_say_something_is_broken(why: Why) -> None:
    desk = Desk(Turned(why, VISIT))
    told = desk.press(Button.STAFF_DOOR)
    assert desk.state == StaffSignIn()
    assert fx.Forget() in told, "whoever was served here is forgotten"


def test_the_door_is_there_when_the_disk_keeps_the_kiosk_out_of_service() -> None:
    desk = Desk()
    desk.feed(StoreLost())
    assert offered(desk.state) == (Button.STAFF_DOOR,)
    desk.press(Button.STAFF_DOOR)
    desk.feed(StoreLost())
    assert desk.state == StaffSignIn()
    desk.press(Button.HOME)
    desk.feed(StoreLost())
    assert desk.state == Turned(Why.OUT_OF_SERVICE)


@pytest.mark.parametrize("state", [StaffSignIn(), Turned(Why.READER_DOWN), Home()])
def test_f01_nobody_begins_what_the_disk_cannot_keep(state: Any) -> None:
    """Also from a keypad that staff left standing, or from another apology."""
    desk = Desk(state)
    desk.feed(StoreLost())
    desk.feed(LAID_DOWN)
    assert desk.state == Turned(Why.OUT_OF_SERVICE)
    desk.feed(StoreBack())
    desk.feed(LAID_DOWN)
    assert isinstance(desk.state, LookingUp)


@pytest.mark.parametrize("state", [Choosing(VISIT), Turned(Why.NOT_FOUND, VISIT)])
def test_there_is_no_door_and_no_badge_in_the_middle_of_somebodys_visit(state: Any) -> None:
    desk = Desk(state)
    desk.press(Button.STAFF_DOOR)
    desk.feed(CodeScanned(f"jianzai-badge:{BADGE}"))
    assert desk.state == state


def test_a_scanned_badge_leads_straight_to_the_pin() -> None:
    for before in (Home(), StaffSignIn(typed="12"), Turned(Why.READER_DOWN)):
        desk = Desk(before)
        desk.feed(CodeScanned(f"jianzai-badge:{BADGE}"))
        assert desk.state == StaffSignIn(SignInStep.PIN, BADGE)
    desk = Desk()
    desk.feed(CodeScanned("https://example.org"))
    assert desk.state == Home()


def test_no_more_than_six_digits_are_taken_and_each_can_be_taken_back() -> None:
    desk = Desk(StaffSignIn())
    desk.type("12345678")
    assert desk.state.typed == "123456"
    desk.press(Button.ERASE, Button.ERASE)
    assert desk.state.typed == "1234"
    desk.press(Button.OK)
    assert desk.state == StaffSignIn(typed="1234", refusal=Refusal.SHORT)
    desk.type("5")
    assert desk.state.refusal is None


def test_a_wrong_pin_asks_for_the_pin_again_everything_else_for_the_badge() -> None:
    for refusal in Refusal:
        desk = Desk(StaffSignIn(SignInStep.PIN, BADGE))
        desk.type(PIN)
        desk.press(Button.OK)
        desk.answer(refusal)
        step_ = SignInStep.PIN if refusal is Refusal.WRONG else SignInStep.BADGE
        assert (desk.state.step, desk.state.refusal, desk.state.typed) == (step_, refusal, "")


def test_an_answer_that_nobody_waits_for_is_written_down_and_opens_nothing() -> None:
    desk = Desk(StaffSignIn(SignInStep.PIN, BADGE))
    desk.type(PIN)
    asked = order(desk.press(Button.OK), fx.CheckStaff)
    desk.feed(TimerFired(desk.session.timer), TimerFired(desk.session.timer + 1))
    assert desk.state == Home()
    desk.feed(StaffAnswered(asked.check_id, TECHNICIAN, BADGE, Deed.SIGNED_IN))
    assert desk.state == Home()
    assert desk.deeds() == [Deed.SIGNED_IN]


def test_too_many_unknown_badges_are_only_counted() -> None:
    desk = Desk()
    assert desk.feed(StaffAnswered(1, Refusal.WRONG, "", None)) == [fx.Count("staff_unknown")]


def test_a_card_laid_down_at_the_keypad_serves_its_resident() -> None:
    for state in (StaffSignIn(), StaffSignIn(SignInStep.PIN, BADGE, "13"), StaffChecking(3, BADGE)):
        desk = Desk(state)
        desk.feed(LAID_DOWN)
        assert isinstance(desk.state, LookingUp)


# --- service ---


def test_every_page_leads_back_to_the_menu_and_out() -> None:
    for page in ServicePage:
        if page is ServicePage.GOING:
            continue
        desk = Desk(on(page))
        for _ in range(5):
            if desk.state.page is not ServicePage.MENU:
                desk.press(Button.BACK)
        assert desk.state.page is ServicePage.MENU, page
        desk.press(Button.HOME)
        assert desk.state == Home()
        assert desk.deeds()[-1] is Deed.SIGNED_OUT


def test_service_ends_by_itself_and_says_so_in_the_log_but_is_no_abandoned_visit() -> None:
    desk = Desk(on(ServicePage.KIOSK))
    desk.press(Button.BACK)
    desk.feed(TimerFired(desk.session.timer))
    assert desk.session.warned
    told = desk.feed(TimerFired(desk.session.timer))
    assert desk.state == Home()
    assert desk.deeds() == [Deed.SIGNED_OUT]
    assert fx.Count("abandoned") not in told


def test_a_card_means_nothing_while_somebody_is_signed_in() -> None:
    desk = Desk(on(ServicePage.MENU))
    assert desk.feed(LAID_DOWN) == []
    assert desk.state == on(ServicePage.MENU)


def test_the_test_slip_is_printed_once_at_a_time_and_its_news_shown() -> None:
    desk = Desk(on(ServicePage.TESTS))
    slip = order(desk.press(Button.PRINT_SLIP), fx.PrintSlip)
    assert desk.press(Button.PRINT_SLIP)[1:] == [], "no second slip"
    desk.feed(SlipPrinted(slip.order_id - 1, None))
    assert desk.state.slip is SlipNews.PRINTING
    desk.feed(SlipPrinted(slip.order_id, Fault.EMPTY))
    assert (desk.state.slip, desk.state.fault) == (SlipNews.FAILED, Fault.EMPTY)
    slip = order(desk.press(Button.PRINT_SLIP), fx.PrintSlip)
    desk.feed(SlipPrinted(slip.order_id, None))
    assert (desk.state.slip, desk.state.fault) == (SlipNews.PRINTED, None)


@pytest.mark.parametrize("leave", [Button.BACK, Button.HOME, None])
def test_the_camera_is_open_on_its_page_alone(leave: Button | None) -> None:
    desk = Desk(on(ServicePage.TESTS))
    desk.press(Button.VIEW_CAMERA)
    assert uses_camera(desk.state)
    assert Deed.LOOKED in desk.deeds()
    if leave is None:
        desk.feed(TimerFired(desk.session.timer), TimerFired(desk.session.timer + 1))
    else:
        desk.press(leave)
    assert not uses_camera(desk.state)
    assert fx.StopWatching() in desk.orders


def test_a_camera_that_fails_says_so_and_the_page_stays() -> None:
    desk = Desk(on(ServicePage.TESTS))
    view = order(desk.press(Button.VIEW_CAMERA), fx.View)
    desk.feed(WatchFailed(view.watch_id + 1, Fault.SILENT))
    assert desk.state.fault is None
    desk.feed(WatchFailed(view.watch_id, Fault.SILENT))
    assert desk.state.fault is Fault.SILENT


def test_the_volume_is_tried_with_each_step_and_written_down_once() -> None:
    desk = Desk(on(ServicePage.TESTS))
    assert fx.SetVolume(0) in desk.press(Button.SOUND)
    desk.feed(VolumeTold(60))
    told = desk.press(Button.LOUDER, Button.LOUDER, Button.SOFTER)
    steps = [order.step for order in told if isinstance(order, fx.SetVolume)]
    assert steps == [1, 1, -1]
    assert told.count(fx.Repeat()) == 3
    assert desk.deeds() == [Deed.VOLUME]
    desk.feed(VolumeTold(70))
    assert desk.state.volume == 70


def test_checks_are_run_by_order_and_late_results_change_nothing() -> None:
    desk = Desk(on(ServicePage.DEVICES))
    asked = order(desk.press(Button.CHECK), fx.Examine)
    assert desk.state.findings is None
    desk.feed(Examined(asked.order_id - 1, FOUND))
    assert desk.state.findings is None
    desk.feed(Examined(asked.order_id, FOUND))
    assert rows_of(desk.state)[0].part == "card_reader", "the worst first"
    desk.press(Button.NEXT)
    assert desk.state.sheet == 1
    desk.press(Button.NEXT)
    assert desk.state.sheet == 0
    desk.press(Button.BACK)
    desk.feed(Examined(asked.order_id, FOUND))
    assert desk.state.findings is None


def test_news_of_the_kiosk_gives_nobody_more_time() -> None:
    desk = Desk(on(ServicePage.DEVICES, facts=UNWELL, sheet=1))
    before = desk.session
    assert desk.feed(FactsTold(UNWELL)) == []
    assert desk.session == before
    fewer = replace(WELL, devices=WELL.devices[:1])
    assert desk.feed(FactsTold(fewer)) == []
    assert (desk.state.sheet, sheets(desk.state)) == (0, 1)
    assert desk.session.deadline_ns == before.deadline_ns


def test_news_for_staff_mean_nothing_to_residents() -> None:
    desk = Desk(Choosing(VISIT))
    for event in (FactsTold(WELL), Examined(0, FOUND), SlipPrinted(0, None), VolumeTold(3)):
        assert desk.feed(event) == []
    assert desk.state == Choosing(VISIT)


@pytest.mark.parametrize(
    ("button", "wish", "deed"),
    [
        (Button.SHUT_DOWN, PowerWish.OFF, Deed.POWER_OFF),
        (Button.RESTART, PowerWish.RESTART, Deed.RESTART),
    ],
)
def test_power_is_asked_twice_and_written_down_before_it_goes(
    button: Button, wish: PowerWish, deed: Deed
) -> None:
    desk = Desk(on(ServicePage.POWER))
    assert not any(isinstance(each, fx.Power) for each in desk.press(button))
    told = desk.press(Button.CONFIRM)
    assert told[:2] == [fx.NoteDeed(BADGE, deed), fx.Power(wish)]
    assert offered(desk.state) == ()


def test_only_a_technician_may_switch_off() -> None:
    desk = Desk(Service(CLERK, ServicePage.KIOSK))
    assert Button.POWER not in offered(desk.state)
    desk.press(Button.POWER, Button.SHUT_DOWN, Button.CONFIRM)
    assert desk.state == Service(CLERK, ServicePage.KIOSK)

"""What the housing shows and feels, turn by turn, without threads."""

from __future__ import annotations

import pytest

from edge.app.panel import CALLED_NS, PanelKeeper, lamp_of
from edge.domain.challenge import Prompt
from edge.domain.errors import DeviceError
from edge.domain.health import Condition
from edge.domain.record import Outcome
from edge.domain.timebase import NS_PER_S
from edge.drivers.sim.panel import SimPanel
from edge.ports import Lamp
from edge.session import states
from edge.session.events import Button, Event, Pressed
from edge.session.machine import offered, step
from edge.session.states import Language, Session, State, Why
from tests.session_world import World
from tests.sim_clock import HandClock
from tests.ui_world import VISIT, finished, watching
from tests.ui_world import states as all_states

STATES = all_states()
WATCHING = watching(Prompt.FRAME_FACE)


class Hall:
    def __init__(self) -> None:
        self.clock = HandClock()
        self.panel = SimPanel()
        self.panel.open()
        self.state: State = states.Home()
        self.posted: list[Event] = []
        self.conditions: list[Condition] = []
        self.keeper = self.keep()

    def keep(self) -> PanelKeeper:
        return PanelKeeper(
            self.panel,
            lambda: Session(self.state, Language.ZH),
            self.posted.append,
            self.conditions.append,
            self.clock,
            0.8,
        )

    def turn(self, state: State | None = None) -> None:
        self.state = state or self.state
        self.keeper.turn(0)


@pytest.fixture
def hall() -> Hall:
    hall = Hall()
    hall.turn()
    return hall


@pytest.mark.parametrize("name", STATES)
def test_the_light_is_on_while_the_camera_watches_and_never_else(hall: Hall, name: str) -> None:
    state = STATES[name]
    hall.turn(WATCHING)
    assert hall.panel.light == 0.8
    hall.turn(state)
    assert hall.panel.light == (0.8 if states.uses_camera(state) else 0.0)


def test_whoever_stands_there_is_not_looked_at(hall: Hall) -> None:
    """Presence makes no event and no light: it can open nothing."""
    shown = list(hall.panel.done)
    for there in (True, False, True):
        hall.panel.happen(presence=there)
        hall.turn()
    assert hall.posted == []
    assert hall.panel.done == shown
    assert set(hall.conditions) == {Condition.OK}


LAMPS = [
    (states.Home(), Lamp.IDLE),
    (states.AwaitingCard(), Lamp.SERVING),
    (states.Consenting(VISIT), Lamp.SERVING),
    (WATCHING, Lamp.SERVING),
    (states.Turned(Why.NOT_FOUND, VISIT), Lamp.NEEDS_HELP),
    (states.Turned(Why.ALREADY_DONE, VISIT), Lamp.SERVING),
    (states.Turned(Why.READER_DOWN), Lamp.OUT_OF_SERVICE),
    (states.Turned(Why.CAMERA_DOWN, VISIT), Lamp.OUT_OF_SERVICE),
    (states.Turned(Why.STORE_DOWN, VISIT), Lamp.OUT_OF_SERVICE),
    (finished(Outcome.DECLINED), Lamp.NEEDS_HELP),
]


@pytest.mark.parametrize(("state", "lamp"), LAMPS)
def test_the_lamp_follows_the_state(hall: Hall, state: State, lamp: Lamp) -> None:
    hall.turn(state)
    assert hall.panel.shown is lamp


def test_the_hall_does_not_see_how_a_check_came_out() -> None:
    assert lamp_of(finished(Outcome.PASSED)) is lamp_of(finished(Outcome.NEEDS_REVIEW))


def test_the_same_state_is_shown_once(hall: Hall) -> None:
    shown = list(hall.panel.done)
    for _ in range(5):
        hall.turn()
    assert hall.panel.done == shown


def test_the_call_button_is_the_one_on_the_screen(hall: Hall) -> None:
    for pressed in (True, False):
        hall.panel.happen(call_pressed=pressed)
        hall.turn()
    assert hall.posted == [Pressed(Button.CALL_STAFF)]
    assert hall.panel.beeps == 1


def test_a_button_that_is_held_calls_once(hall: Hall) -> None:
    for happening in ({"call_pressed": True}, {"presence": True}, {"presence": False}):
        hall.panel.happen(**happening)
        hall.turn()
    assert hall.posted == [Pressed(Button.CALL_STAFF)]


@pytest.mark.parametrize("name", STATES)
def test_a_call_changes_only_what_offers_it(name: str) -> None:
    session = Session(STATES[name], Language.ZH)
    moved = step(session, Pressed(Button.CALL_STAFF), World().context())
    assert (moved.session != session) is (Button.CALL_STAFF in offered(session.state))


def test_a_call_is_seen_from_across_the_hall_for_a_minute(hall: Hall) -> None:
    hall.panel.happen(call_pressed=True)
    hall.turn()
    hall.turn()
    assert hall.panel.shown is Lamp.NEEDS_HELP
    hall.clock.advance(CALLED_NS / NS_PER_S)
    hall.turn()
    assert hall.panel.shown is Lamp.IDLE


def test_a_button_that_is_stuck_at_boot_calls_nobody() -> None:
    hall = Hall()
    hall.panel.happen(call_pressed=True)
    for _ in range(3):
        hall.turn()
    assert hall.posted == []


@pytest.mark.parametrize(
    ("happening", "condition"),
    [
        ({"tamper_open": True}, Condition.HOUSING_OPEN),
        ({"paper_low": True}, Condition.NEAR_END),
        ({"paper_low": True, "tamper_open": True}, Condition.HOUSING_OPEN),
    ],
)
def test_housing_and_paper_are_told(
    hall: Hall, happening: dict[str, bool], condition: Condition
) -> None:
    hall.panel.happen(**happening)
    hall.turn()
    assert hall.conditions[-1] is condition
    hall.panel.happen(**dict.fromkeys(happening, False))
    hall.turn()
    assert hall.conditions[-1] is Condition.OK


def test_after_a_lost_board_everything_is_shown_again(hall: Hall) -> None:
    hall.turn(WATCHING)
    hall.panel.vanish()
    with pytest.raises(DeviceError):
        hall.turn()
    hall.panel.reconnect()
    hall.keeper = hall.keep()
    hall.turn()
    assert hall.panel.light == 0.8
    assert hall.panel.shown is Lamp.SERVING


def test_the_light_goes_off_with_every_way_out_of_watching() -> None:
    """Together with StopWatching: the state that has no camera has no light either."""
    hall = Hall()
    hall.turn(WATCHING)
    for button in offered(WATCHING):
        left = step(Session(WATCHING, Language.ZH), Pressed(button), World().context()).session
        hall.turn(WATCHING)
        hall.turn(left.state)
        assert hall.panel.light == 0.0, button

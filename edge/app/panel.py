"""What the housing shows and feels, from the session's state; one turn at a time.

The person decides when the camera opens. The fill light follows the session,
never the other way round, and presence is told to nobody here: that somebody
stands before the kiosk is no reason to look at them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from edge.domain.health import Condition
from edge.domain.timebase import NS_PER_S, MonoNs
from edge.ports import Lamp, Panel, PanelState
from edge.session.events import Button, Event, Pressed
from edge.session.states import Finished, Home, Session, State, Turned, Why, uses_camera

log = logging.getLogger("edge.panel")

TURN_S = 0.1
BEEP_S = 0.1
CALLED_NS = 60 * NS_PER_S
"""How long the lamp shows a call that the screen had no use for."""

_BROKEN = (Why.READER_DOWN, Why.CAMERA_DOWN, Why.STORE_DOWN, Why.OUT_OF_SERVICE)
_PERSON_NEEDED = (Why.NOT_FOUND, Why.NOT_REACHED, Why.CARD_UNREADABLE)


def lamp_of(state: State) -> Lamp:
    """What people in the hall should know of this state; never how a check came out."""
    match state:
        case Home():
            return Lamp.IDLE
        case Turned(why) if why in _BROKEN:
            return Lamp.OUT_OF_SERVICE
        case Turned(why) if why in _PERSON_NEEDED:
            return Lamp.NEEDS_HELP
        case Finished(record=record) if record.ticket:
            return Lamp.NEEDS_HELP
        case _:
            return Lamp.SERVING


class PanelKeeper:
    """Keeps one opened panel in step with the session; made anew when the panel was lost."""

    def __init__(
        self,
        panel: Panel,
        session: Callable[[], Session],
        post: Callable[[Event], None],
        report: Callable[[Condition], None],
        now_ns: Callable[[], MonoNs],
        light: float,
    ) -> None:
        self._panel = panel
        self._session = session
        self._post = post
        self._report = report
        self._now_ns = now_ns
        self._light = light
        self._shown: tuple[Lamp, float] | None = None
        self._felt: PanelState | None = None
        self._called_until_ns = now_ns()

    def turn(self, wait_s: float = TURN_S) -> None:
        """Show, then feel for a moment. Raises `DeviceError`."""
        self._show(self._session().state)
        felt = self._panel.wait_for_change(wait_s)
        if felt is not None:
            self._take_in(felt)

    def _show(self, state: State) -> None:
        called = self._now_ns() < self._called_until_ns
        lamp = Lamp.NEEDS_HELP if called else lamp_of(state)
        light = self._light if uses_camera(state) else 0.0
        if (lamp, light) == self._shown:
            return
        self._panel.fill_light(light)
        self._panel.lamp(lamp)
        self._shown = lamp, light

    def _take_in(self, felt: PanelState) -> None:
        before, self._felt = self._felt, felt
        self._report(_condition(felt))
        if before is None:
            log.info("panel tamper_open=%s paper_low=%s", felt.tamper_open, felt.paper_low)
        elif felt.call_pressed and not before.call_pressed:
            self._call()

    def _call(self) -> None:
        """The button beside the screen means the button on it, where there is one."""
        log.info("panel called")
        self._post(Pressed(Button.CALL_STAFF))
        self._called_until_ns = MonoNs(self._now_ns() + CALLED_NS)
        self._panel.beep(BEEP_S)


def _condition(felt: PanelState) -> Condition:
    """The worst of what it feels, for the technician and the centre."""
    if felt.tamper_open:
        return Condition.HOUSING_OPEN
    return Condition.NEAR_END if felt.paper_low else Condition.OK

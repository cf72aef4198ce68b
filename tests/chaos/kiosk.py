"""A kiosk that serves one person after the other as fast as it can, for campaigns.

Runner, composition, drivers, machine, screens and disk are the product's; the card reader
and the printer are simulated at the far end of pseudo-terminals. Only the camera check is
played back (`tests.chaos.recorded_eyes`), and the clock may be a campaign's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

from edge.app import compose as composition
from edge.app import eyes as own_eyes
from edge.app.config import Config
from edge.app.runner import Parts, Runner
from edge.app.world import DEMO_NAME, DEMO_NUMBER, World
from edge.domain.timebase import TimeSource
from edge.drivers.sim.hand import Glance, Hand
from edge.drivers.sim.idcard import SimCard, SimSam
from edge.drivers.sim.printer import SimPrinter
from edge.drivers.sim.room import Room
from edge.drivers.sim.scenario import WISHES
from edge.ports import Eyes
from edge.session.events import Event, Pressed
from edge.session.machine import Transition
from edge.session.states import Finished, Language, Storing, Turned
from edge.ui.viewmodel import Screen, view
from tests.chaos.recorded_eyes import RecordedEyes

VISIT_S = 20.0

Observer = Callable[[Event | None, Transition], None]


def card(number: str = DEMO_NUMBER) -> SimCard:
    """An invented card; its photo is never decoded."""
    return SimCard(DEMO_NAME, "1", date(1945, 8, 15), number, photo_block=bytes(1024))


class QuickKiosk:
    """`begun` and `done`: ids of records that were begun, and that a screen called done;
    `turned`: the state in which somebody was last sent to a person.
    """

    def __init__(
        self, config: Config, time: TimeSource | None = None, observe: Observer | None = None
    ) -> None:
        config = replace(config, devices=replace(config.devices, photo_decoder="none"))
        self.world = World(Room(), SimSam(), SimPrinter(384), card())
        self.parts = parts(config, self.world, time)
        self.runner = Runner(self.parts, Language.ZH, self._watch)
        self.begun: list[str] = []
        self.done: list[str] = []
        self.turned: Turned | None = None
        self.screen: Screen | None = None
        self._observe = observe
        self._hand: Hand | None = None
        self._buttons: list[Any] = []

    def __enter__(self) -> QuickKiosk:
        self.runner.start()
        return self

    def __exit__(self, *_: object) -> None:
        stuck = self.runner.close()
        self.world.close()
        self.parts.disk.close()  # type: ignore[attr-defined]
        assert stuck == [], stuck

    def visit(self, wishes: tuple[str, ...] = WISHES, timeout_s: float = VISIT_S) -> bool:
        """One person from the first touch to going away; False if they were still there."""
        hand = Hand(
            wishes,
            touch=self._touch,
            lay_card=lambda: self.world.sam.present(self.world.card),
            take_card=self.world.sam.lift,
            reading_s=0.0,
        )
        self._hand = hand
        hand.start()
        self._look()
        try:
            return hand.wait_until_gone(timeout_s)
        finally:
            self._hand = None
            hand.close()
            self.world.sam.lift()

    def _watch(self, event: Event | None, transition: Transition) -> None:
        match transition.session.state:
            case Storing(record=record) if record.record_id not in self.begun[-1:]:
                self.begun.append(record.record_id)
            case Finished(record=record) if record.record_id not in self.done[-1:]:
                self.done.append(record.record_id)
            case Turned() as turned:
                self.turned = turned
        if self._observe is not None:
            self._observe(event, transition)
        self._look()

    def _look(self) -> None:
        """Show the person the screen that belongs to the newest state."""
        screen = view(self.runner.session(), self.runner.now_ns(), self.parts.facts)
        self.screen = screen
        for choice in screen.buttons:
            if choice.button not in self._buttons:
                self._buttons.append(choice.button)
        texts = (screen.headline, screen.advice, *screen.lines, screen.hint)
        places = tuple(
            (choice.label, float(self._buttons.index(choice.button)), 0.0)
            for choice in screen.buttons
        )
        if self._hand is not None:
            self._hand.see(Glance(screen.name, texts, places))

    def _touch(self, x: float, _y: float) -> None:
        self.runner.post(Pressed(self._buttons[int(x)]))


def parts(
    config: Config, world: World, time: TimeSource | None, eyes: Callable[[], Eyes] = RecordedEyes
) -> Parts:
    """What `compose` makes, with recorded eyes and perhaps another clock."""
    with ExitStack() as swaps:
        swaps.enter_context(_swapped(own_eyes, "ForgetfulEyes", lambda *_, **__: eyes()))
        if time is not None:
            swaps.enter_context(_swapped(composition, "SystemTime", lambda: time))
        return composition.compose(config, world)


@contextmanager
def _swapped(module: Any, name: str, other: Any) -> Iterator[None]:
    ours = getattr(module, name)
    setattr(module, name, other)
    try:
        yield
    finally:
        setattr(module, name, ours)

"""What stands on the far side of simulated devices: a reader, a printer, a room with a person.

The real drivers talk to these over pseudo-terminals; only the camera, the
loudspeaker and the photo decoder are simulated as devices themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from edge.domain.timebase import MonoNs
from edge.drivers.sim.camera import SimCamera
from edge.drivers.sim.idcard import SimCard, SimSam
from edge.drivers.sim.panel import SimPanel
from edge.drivers.sim.photo import encode_portrait
from edge.drivers.sim.portrait import ADMIRAL, ASTRONAUT, card_portrait
from edge.drivers.sim.printer import Fault, SimPrinter
from edge.drivers.sim.resident import EmptyChair, Person, PrintedPhoto, Resident
from edge.drivers.sim.room import HALL_LUX, Room
from edge.drivers.sim.scanner import SimScanner
from edge.drivers.sim.scenario import Scenario
from edge.ports import Camera, Picture

PORTRAITS = {spec.name: spec for spec in (ASTRONAUT, ADMIRAL)}

DEMO_NAME = "王建华"
DEMO_NUMBER = "100000194508150010"
HELPER_NAME = "周晓明"
HELPER_NUMBER = "100000197001010012"
"""Invented, like the region code 100000; the demonstration's registry knows the same person."""


@dataclass(frozen=True, slots=True)
class World:
    """One simulated day's surroundings."""

    room: Room
    sam: SimSam
    printer: SimPrinter
    card: SimCard
    helper_card: SimCard | None = None
    panel: SimPanel = field(default_factory=SimPanel)
    scanner: SimScanner = field(default_factory=lambda: SimScanner(triggered=True))

    def camera(self, mono_ns: Callable[[], MonoNs]) -> Camera:
        """The one above the kiosk's screen."""
        return SimCamera(self.room, mono_ns, lux=HALL_LUX)

    def lay_card(self, turn: int) -> None:
        """At the first turn, 0, the helper's card if somebody helps; then the other."""
        first = self.helper_card or self.card
        self.sam.present(self.card if turn else first)

    def close(self) -> None:
        self.scanner.close()
        self.sam.close()
        self.printer.close()


def make_world(
    scenario: Scenario, mono_ns: Callable[[], MonoNs], dots: int, photo: Picture | None = None
) -> World:
    """Set the stage; `photo` replaces the portrait on the card (a visitor's own picture)."""
    room = Room()
    room.enter(_person(scenario, mono_ns))
    printer = SimPrinter(dots)
    if not scenario.paper:
        printer.add(Fault.PAPER_OUT)
    helper = _helper_card() if scenario.helper else None
    return World(room, SimSam(), printer, _card(scenario, photo), helper)


def _person(scenario: Scenario, mono_ns: Callable[[], MonoNs]) -> Person:
    portrait = PORTRAITS[scenario.face]
    match scenario.before_camera:
        case "printed_photo":
            return PrintedPhoto(portrait, mono_ns)
        case "nobody":
            return EmptyChair()
        case _:
            return Resident(portrait, mono_ns)


def _helper_card() -> SimCard:
    pixels = card_portrait(ADMIRAL)
    return SimCard(
        name=HELPER_NAME,
        sex="1",
        birth=date(1970, 1, 1),
        number=HELPER_NUMBER,
        photo_block=encode_portrait(Picture(pixels.shape[1], pixels.shape[0], pixels.tobytes())),
    )


def _card(scenario: Scenario, photo: Picture | None) -> SimCard:
    if photo is None:
        pixels = card_portrait(PORTRAITS[scenario.card_face])
        photo = Picture(pixels.shape[1], pixels.shape[0], pixels.tobytes())
    return SimCard(
        name=DEMO_NAME,
        sex="1",
        birth=date(1945, 8, 15),
        number=DEMO_NUMBER,
        photo_block=encode_portrait(photo),
    )

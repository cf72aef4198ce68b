"""The physical world that simulated devices share.

A loudspeaker is heard in it, a screen is seen in it, a camera looks into it.
All of it may be used from any thread.
"""

from __future__ import annotations

import threading

from edge.drivers.sim.glow import light_of, lit
from edge.drivers.sim.portrait import Rgb
from edge.drivers.sim.resident import EmptyChair, Person

HALL_LUX, SCREEN_LUX = 150.0, 30.0
"""A hall in the afternoon, and what the kiosk's screen adds to it on a face."""


class Room:
    """One room with one kiosk and at most one person in front of it."""

    def __init__(self) -> None:
        self._nobody = EmptyChair()
        self._person: Person = self._nobody
        self._texts: tuple[str, ...] = ()
        self._glow = ""
        self._lock = threading.Lock()

    def enter(self, person: Person) -> None:
        """They take the place in front of the kiosk and read what stands on its screen."""
        with self._lock:
            self._person = person
            person.see(self._texts)

    def leave(self) -> None:
        with self._lock:
            self._person = self._nobody

    def hear(self, words: str) -> None:
        """Called by whatever speaks."""
        with self._lock:
            self._person.hear(words)

    def see(self, texts: tuple[str, ...]) -> None:
        """Called after each drawn screen with what can be read on it."""
        with self._lock:
            self._texts = texts
            self._person.see(texts)

    def shine(self, colour: str) -> None:
        """Called when the screen's ground turns to `#RRGGBB`; empty for its usual white."""
        self._glow = colour

    def picture(self, now_ns: int) -> Rgb:
        """What a camera above the kiosk's screen sees: height x width x 3."""
        with self._lock:
            seen, glow = self._person.picture(now_ns), self._glow
            if not glow:
                return seen
            return lit(seen, self._person.shares, light_of(glow), SCREEN_LUX / HALL_LUX)

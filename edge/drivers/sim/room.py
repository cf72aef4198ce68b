"""The physical world that simulated devices share.

A loudspeaker is heard in it, a screen is seen in it, a camera looks into it.
All of it may be used from any thread.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from edge.domain.timebase import MonoNs
from edge.drivers.sim.portrait import Rgb
from edge.drivers.sim.resident import EmptyChair, Person

REMEMBERED = 100


@dataclass(frozen=True, slots=True)
class ScreenSeen:
    """What can be read on the kiosk's screen, and where its buttons are (label, x, y)."""

    texts: tuple[str, ...] = ()
    buttons: tuple[tuple[str, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """Words said aloud in the room."""

    at_ns: MonoNs
    words: str


class Room:
    """One room with one kiosk and at most one person in front of it."""

    def __init__(self, mono_ns: Callable[[], MonoNs]) -> None:
        self._mono_ns = mono_ns
        self._nobody = EmptyChair()
        self._person: Person = self._nobody
        self._screen = ScreenSeen()
        self._heard: deque[Heard] = deque(maxlen=REMEMBERED)
        self._changed = threading.Condition()

    def enter(self, person: Person) -> None:
        """They take the place in front of the kiosk and read what stands on its screen."""
        with self._changed:
            self._person = person
            person.see(self._screen.texts)

    def leave(self) -> None:
        with self._changed:
            self._person = self._nobody

    def hear(self, words: str) -> None:
        """Called by whatever speaks."""
        with self._changed:
            self._heard.append(Heard(self._mono_ns(), words))
            self._person.hear(words)
            self._changed.notify_all()

    def see(self, screen: ScreenSeen) -> None:
        """Called after each drawn screen."""
        with self._changed:
            self._screen = screen
            self._person.see(screen.texts)
            self._changed.notify_all()

    def picture(self, now_ns: int) -> Rgb:
        """What a camera above the kiosk's screen sees: height x width x 3."""
        with self._changed:
            return self._person.picture(now_ns)

    def said(self) -> tuple[Heard, ...]:
        """The last things said aloud, oldest first."""
        with self._changed:
            return tuple(self._heard)

    def screen(self) -> ScreenSeen:
        with self._changed:
            return self._screen

    def wait_for_screen(
        self, wanted: Callable[[ScreenSeen], bool], timeout_s: float
    ) -> ScreenSeen | None:
        """The first screen that `wanted` says yes to, or `None` when none came in time."""
        with self._changed:
            found = self._changed.wait_for(lambda: wanted(self._screen), timeout_s)
            return self._screen if found else None

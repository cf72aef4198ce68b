"""The voice while the kiosk runs: a sound card that hangs holds nobody up.

The session says what is to be said and goes on; one thread of its own says the
newest words, and tells the loss of the card and its return.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from edge.app.health import HealthBoard
from edge.domain.errors import DeviceError
from edge.ports import Voice


class Speaker:
    """`say` may be called from any thread; `turn` by one alone, again and again."""

    def __init__(self, voice: Voice, health: HealthBoard, look_is_due: Callable[[], bool]) -> None:
        self._voice = voice
        self._health = health
        self._look_is_due = look_is_due
        self._changed = threading.Condition()
        self._newest: tuple[str, str] | None = None
        self._last = ("", "zh")

    def say(self, words: str, language: str) -> None:
        """In place of what is being said, and of what was not said yet."""
        with self._changed:
            self._newest = (words, language)
            self._changed.notify()

    def turn(self, wait_s: float) -> None:
        """Say the newest words as soon as there are any; else look how the voice is."""
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None, wait_s)
            newest, self._newest = self._newest, None
        if newest is not None:
            self._last = newest
            self._speak()
        elif self._look_is_due():
            self._look()

    def _speak(self) -> None:
        try:
            self._voice.open()
            self._voice.say(*self._last)
        except DeviceError as error:
            self._health.lost("voice", error)
        else:
            self._health.well("voice")

    def _look(self) -> None:
        """One that is lost is tried again, and says first what could not be heard."""
        try:
            if not self._health.works("voice"):
                self._voice.open()
            health = self._voice.health()
            if health.fault is not None:
                raise DeviceError("voice", health.fault, health.words)
        except DeviceError as error:
            self._health.lost("voice", error)
            return
        if self._health.well("voice"):
            self._speak()

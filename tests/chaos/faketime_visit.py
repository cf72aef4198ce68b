"""One visit at a kiosk whose machine's wall clock is wrong; see `tests.chaos.faketime_child`.

The order is a JSON object:

    site       site.toml of a kiosk that has its roster
    folder     the clock's: `offset` is read by libfaketime at every look at the clock
    truth      what time it really is when the kiosk starts
    wrong_s    how far from the truth the wall clock is then
    source     how it was set: "none", "rtc" or "ntp"
    sets       [screen, wrong_s, source]: the clock is set while the person reads that screen
    border     a moment that passes before the person submits, or null
    corrected  the network sets the clock after the visit

The product reads the machine's clocks itself; only the two files from which it knows how
they were set are in `folder`, and what it does every 2 s it does every 0.3 s.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge.app import clock, runner
from edge.app.config import Config, load
from edge.session.states import Reviewing
from edge.wire import messages
from tests.chaos.kiosk import QuickKiosk

LOOK_S = 0.3
PATIENCE_S = 5.0
UNTIL_SEEN_S = runner.POLL_S + 0.1
"""By then the session has looked at the clock for its deadlines."""


class WallClock:
    """The machine's, set through libfaketime's file."""

    def __init__(self, order: dict[str, Any]) -> None:
        folder = Path(order["folder"])
        self._offset = folder / "offset"
        self._rtc, self._synchronised = folder / "rtc0", folder / "synchronized"
        clock._RTC, clock._SYNCHRONISED = self._rtc, self._synchronised
        self._sets: list[tuple[str, int, str]] = [tuple(entry) for entry in order["sets"]]
        self.truth_s = _seconds_to(datetime.fromisoformat(order["truth"]))
        self._border = order["border"] and datetime.fromisoformat(order["border"])
        self.set(order["wrong_s"], order["source"])

    def set(self, wrong_s: int, source: str) -> None:
        new = self._offset.with_suffix(".new")
        new.write_text(f"{self.truth_s + wrong_s:+.6f}\n", encoding="ascii")
        os.replace(new, self._offset)
        if source != "none":
            {"rtc": self._rtc, "ntp": self._synchronised}[source].touch()

    def touched(self, state: object) -> None:
        """The person is about to press something on this screen, after its timer has begun."""
        if self._sets and type(state).__name__ == self._sets[0][0]:
            _, wrong_s, source = self._sets.pop(0)
            self.set(wrong_s, source)
            time.sleep(UNTIL_SEEN_S)
        border = self._border
        if border and isinstance(state, Reviewing):
            _until(lambda: datetime.now(UTC) > border)

    @property
    def sets_left(self) -> int:
        return len(self._sets)


def _seconds_to(moment: datetime) -> float:
    """From the real time, which the file says as long as it holds +0."""
    return (moment - datetime.now(UTC)).total_seconds()


class ReadingKiosk(QuickKiosk):
    """One at which the clock changes while somebody reads. `hurried`: a deadline was felt."""

    def __init__(self, config: Config, wall: WallClock) -> None:
        super().__init__(config)
        self._wall = wall
        self.hurried = False

    def _touch(self, x: float, y: float) -> None:
        self._wall.touched(self.runner.session().state)
        self.hurried |= self.runner.session().warned
        super()._touch(x, y)


class Crashes(logging.Handler):
    """Threads that ended in an exception, as the log names them."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith("crash "):
            self.lines.append(record.getMessage())


def main(order: dict[str, Any]) -> dict[str, Any]:
    crashes = Crashes()
    logging.getLogger("edge").addHandler(crashes)
    runner.LOOK_S = LOOK_S
    config = replace(load(Path(order["site"])), models="unused")
    wall = WallClock(order)
    shown = datetime.now(UTC).isoformat()
    with ReadingKiosk(config, wall) as kiosk:
        began_s = time.monotonic()
        served = kiosk.visit()
        seconds = time.monotonic() - began_s
        if order["corrected"]:
            wall.set(0, "ntp")
            _wait_for_correction(kiosk)
    return {
        "served": served,
        "seconds": round(seconds, 2),
        "hurried": kiosk.hurried,
        "done": kiosk.done,
        "crashes": crashes.lines,
        "turned": kiosk.turned is not None,
        "shown": shown,
        "truth_s": wall.truth_s,
        "sets_left": wall.sets_left,
    }


def _wait_for_correction(kiosk: QuickKiosk) -> None:
    rows = kiosk.parts.disk.database.rows  # type: ignore[attr-defined]
    _until(lambda: rows("SELECT 1 FROM records WHERE kind = ?", [messages.CLOCK]))


def _until(reached: Callable[[], Any]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not reached() and time.monotonic() < deadline_s:
        time.sleep(0.02)

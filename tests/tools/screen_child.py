"""Run as a program: one kiosk process with its window, timed from inside; JSON on the last line.

    python -m tests.tools.screen_child FOLDER PART BEGAN [COUNT]

BEGAN is the parent's monotonic clock when it started this process, so that the interpreter's own
start counts. The simulated room lives in the same process: what it costs is in every figure.
"""

from __future__ import annotations

import itertools
import json
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil

from edge.app.clock import mono_ns
from edge.app.compose import compose
from edge.app.config import Config, load
from edge.app.runner import Runner
from edge.app.world import World, make_world
from edge.domain.timebase import MonoNs
from edge.drivers.sim.hand import Glance, Hand
from edge.drivers.sim.scenario import SCENARIOS
from edge.session.events import Button, Pressed, Touched
from edge.session.states import Home, Language, Session, Watching
from edge.ui.controller import DrawnScreen, Picture
from edge.ui.kivy_app import KioskApp

DOTS = 384
IDLE_S = 20.0
VISIT_S = 120.0
TOUCH_EVERY_S = 0.45
SETTLED = 20
"""Visits before memory is first taken: caches of letters and drawings are full by then."""

Numbers = dict[str, Any]


@dataclass(slots=True)
class Watch:
    """A runner as the window sees it, with the camera pictures that it asked for counted."""

    runner: Runner
    pictures: list[float] = field(default_factory=list)
    _last: Picture | None = None

    def session(self) -> Session:
        return self.runner.session()

    def now_ns(self) -> MonoNs:
        return self.runner.now_ns()

    def post(self, event: Pressed | Touched) -> None:
        self.runner.post(event)

    def portrait(self) -> Picture | None:
        return self.runner.portrait()

    def preview(self) -> Picture | None:
        picture = self.runner.preview()
        if picture is not None and picture is not self._last:
            self.pictures.append(time.monotonic())
        self._last = picture
        return picture


class Kiosk:
    """A whole kiosk, a window, and a person who knows what they want."""

    def __init__(self, config: Config, name: str) -> None:
        self.world: World = make_world(SCENARIOS[name], mono_ns, DOTS)
        parts = compose(config, self.world)
        self.disk = parts.disk
        self.runner = Runner(parts, Language.ZH)
        self.watch = Watch(self.runner)
        size = (config.screen.width, config.screen.height)
        self.app = KioskApp(self.watch, parts.facts, size=size, on_drawn=self._drawn)
        self.first_drawn = threading.Event()
        self.drawn: DrawnScreen | None = None
        self._hand: Hand | None = None
        self._name = name

    def _drawn(self, seen: DrawnScreen) -> None:
        self.drawn = seen
        self.world.room.see(seen.texts)
        if self._hand is not None:
            self._hand.see(Glance(seen.name, seen.texts, seen.buttons))
        self.first_drawn.set()

    def visit(self) -> None:
        """One person from the first screen to the door."""
        self._hand = Hand(
            SCENARIOS[self._name].wishes,
            touch=self.app.touch,
            lay_card=lambda: self.world.sam.present(self.world.card),
            take_card=self.world.sam.lift,
            reading_s=0.1,
        )
        self._hand.start()
        if self.drawn is not None:
            self._drawn(self.drawn)
        gone = self._hand.wait_until_gone(VISIT_S)
        self._hand.close()
        self._hand = None
        if not gone:
            raise RuntimeError(f"nobody came to the end of the visit in {VISIT_S:.0f} s")
        self.until(lambda: isinstance(self.runner.session().state, Home))

    def until(self, holds: Callable[[], bool]) -> None:
        end_s = time.monotonic() + VISIT_S
        while not holds():
            if time.monotonic() > end_s:
                raise RuntimeError("it never came")
            time.sleep(0.02)

    def play(self, script: Callable[[Kiosk], Numbers]) -> Numbers:
        """Run the script beside the window; the window closes when it ends."""
        told: Numbers = {}
        failed: list[Exception] = []

        def work() -> None:
            try:
                self.first_drawn.wait(60)
                told.update(script(self))
            except (AssertionError, RuntimeError) as error:
                failed.append(error)
            finally:
                self.app.stop()

        worker = threading.Thread(target=work, name="script")
        self.runner.start()
        worker.start()
        self.app.run()
        worker.join()
        self.runner.close()
        self.disk.close()
        if failed:
            raise failed[0]
        return told


# --- the parts -----------------------------------------------------------------


def start(_: Kiosk, began_s: float) -> Numbers:
    return {"first_frame_s": time.monotonic() - began_s}


def idle(_: Kiosk) -> Numbers:
    """Nobody is there. The window redraws nothing, devices are looked at now and then."""
    time.sleep(5)  # what starts up has started
    cpu_s, wall_s = time.process_time(), time.monotonic()
    time.sleep(IDLE_S)
    share = (time.process_time() - cpu_s) / (time.monotonic() - wall_s)
    return {"idle_share_of_a_core": share, "rss_mb": rss_mb()}


def visit(kiosk: Kiosk, count: int) -> Numbers:
    """Touches while the models run, and the pictures that reach the glass meanwhile."""
    fingers = Fingers(kiosk)
    peak = Peak()
    for _ in range(count):
        kiosk.visit()
    fingers.close()
    return {
        "touch_s": fingers.taken,
        "preview_gaps_s": _gaps(kiosk.watch.pictures),
        "language_s": fingers.languages,
        "capture_rss_mb": peak.close(),
    }


def soak(kiosk: Kiosk, count: int) -> Numbers:
    """Resident memory at the first screen after each visit."""
    grown = []
    for number in range(count):
        kiosk.visit()
        grown.append(rss_mb())
        print(json.dumps({"visit": number + 1, "rss_mb": round(grown[-1], 1)}), flush=True)
    return {"rss_mb": grown}


def rss_mb() -> float:
    return float(psutil.Process().memory_info().rss) / 1e6


class Peak:
    """The largest resident memory while it lives."""

    def __init__(self) -> None:
        self._largest = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, name="peak")
        self._thread.start()

    def _look(self) -> None:
        while not self._stop.wait(0.05):
            self._largest = max(self._largest, rss_mb())

    def close(self) -> float:
        self._stop.set()
        self._thread.join()
        return self._largest


class Fingers:
    """Touches a key now and then while the camera runs, and waits for the glass to answer.

    From the moment the finger is down to the end of the first frame in which its key is drawn
    pressed; for the language, to the end of the frame in which the words have changed.
    """

    def __init__(self, kiosk: Kiosk) -> None:
        self._kiosk = kiosk
        self.taken: list[float] = []
        self.languages: list[float] = []
        self._stop = threading.Event()
        self._flips = threading.Condition()
        self._flip = 0
        self._thread = threading.Thread(target=self._work, name="fingers")
        _in_window(self._bind)
        self._thread.start()

    def _bind(self) -> None:
        from kivy.core.window import Window

        Window.bind(on_flip=self._flipped)

    def _flipped(self, _window: Any) -> None:
        with self._flips:
            self._flip += 1
            self._flips.notify_all()

    def _work(self) -> None:
        turn = 0
        while not self._stop.wait(TOUCH_EVERY_S):
            if not isinstance(self._kiosk.runner.session().state, Watching):
                continue
            turn += 1
            if turn % 8 == 0:
                self._change_language()
            else:
                self._touch("再听一遍")

    def _touch(self, label: str) -> None:
        seen = self._kiosk.drawn
        places = {button.label: button for button in seen.buttons} if seen else {}
        if label not in places:
            return
        place = places[label]
        down = threading.Event()
        before = time.monotonic()
        self._kiosk.app.touch(place.centre_x_px, place.centre_y_px)
        _in_window(down.set)  # scheduled behind the finger
        if down.wait(5) and self._next_flip():
            self.taken.append(time.monotonic() - before)

    def _next_flip(self) -> bool:
        with self._flips:
            seen = self._flip
            return self._flips.wait_for(lambda: self._flip > seen, 5)

    def _change_language(self) -> None:
        """There and back: the person in front of the camera reads Chinese."""
        for button in (Button.LANGUAGE_EN, Button.LANGUAGE_ZH):
            drawn = self._kiosk.drawn
            before = time.monotonic()
            self._kiosk.runner.post(Pressed(button))
            while self._kiosk.drawn is drawn and time.monotonic() < before + 3:
                time.sleep(0.002)
            self.languages.append(time.monotonic() - before)

    def close(self) -> None:
        self._stop.set()
        self._thread.join()


def _in_window(call: Callable[[], object]) -> None:
    from kivy.clock import Clock

    Clock.schedule_once(lambda _dt: call())


def _gaps(pictures: list[float]) -> list[float]:
    """Seconds between two pictures of one stream."""
    gaps = [after - before for before, after in itertools.pairwise(pictures)]
    return [gap for gap in gaps if gap < 1.0]


def main(arguments: list[str]) -> None:
    folder, part, began, *rest = arguments
    count = int(rest[0]) if rest else 1
    config = load(Path(folder) / "site.toml")
    config = replace(config, devices=replace(config.devices, photo_decoder="sim"))
    kiosk = Kiosk(config, "good-day")
    with closing(kiosk.world):
        parts: dict[str, Callable[[Kiosk], Numbers]] = {
            "start": lambda kiosk: start(kiosk, float(began)),
            "idle": idle,
            "visit": lambda kiosk: visit(kiosk, count),
            "soak": lambda kiosk: soak(kiosk, count),
        }
        told = kiosk.play(parts[part])
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1:])

"""Run as a program: one kiosk process with its window, timed from inside; JSON on the last line.

    python -m tests.tools.screen_child FOLDER ROOM PART BEGAN [COUNT]

BEGAN is the parent's monotonic clock when it started this process, so that the interpreter's own
start counts. ROOM is the door of the simulated room (`tests.tools.room`), which is a process of
its own: what is measured here is a kiosk with the drivers of real devices, and nothing besides.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import itertools
import json
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import psutil

import edge.app.kiosk  # what `python -m edge run` has in its memory, too
import edge.app.run_cli  # noqa: F401
from edge.app.clock import mono_ns
from edge.app.compose import compose
from edge.app.config import Config, load
from edge.app.runner import Runner
from edge.domain.timebase import MonoNs
from edge.ports import Camera, CheckResult, Eyes, Look, WatchOrder
from edge.session.events import Button, Pressed, Touched
from edge.session.states import Home, Language, Session, Watching
from edge.ui.controller import DrawnScreen, Picture
from edge.ui.kivy_app import KioskApp
from edge.ui.theme import Panel
from tests.chaos.recorded_eyes import RecordedEyes
from tests.tools.far_room import FarRoom

IDLE_S = 20.0
VISIT_S = 120.0
TOUCH_EVERY_S = 0.45
SETTLE_S = 0.3
REAL_EVERY = 20

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


class QuickEyes(RecordedEyes):
    """What the models said in real sessions, with the camera really running: a visit in seconds.

    Every `REAL_EVERY`th try is one of the models themselves.
    """

    def __init__(self, real: Eyes, camera: Camera) -> None:
        super().__init__()
        self._real, self._camera = real, camera
        self._tries = itertools.count()

    def watch(self, order: WatchOrder) -> Generator[Look]:
        if next(self._tries) % REAL_EVERY == 0:
            yield from self._real.watch(order)
            return
        with self._camera.stream() as frames:
            for look, frame in zip(super().watch(order), frames, strict=False):
                yield replace(look, frame=frame, result=_with_portrait(look, frame.picture))


def _with_portrait(look: Look, portrait: Picture) -> CheckResult | None:
    return look.result and replace(look.result, portrait=portrait)


class Glass:
    """What a display does. SDL's offscreen driver hands frames to nobody, and GL in software
    paints nothing that nobody asks for: it would gather many frames first."""

    def __init__(self) -> None:
        self._finish = ctypes.CDLL(ctypes.util.find_library("GL")).glFinish
        self._frames = threading.Condition()
        self._count = 0

    def show(self, *_: Any) -> None:
        """In the window's thread, for every frame."""
        self._finish()
        with self._frames:
            self._count += 1
            self._frames.notify_all()

    def next_frame(self) -> bool:
        with self._frames:
            seen = self._count
            return self._frames.wait_for(lambda: self._count > seen, 5)


class Stuck(RuntimeError):
    """Somebody did not come to the end of their visit; says on which screen."""


class Kiosk:
    """A whole kiosk, its window, and somebody elsewhere who knows what they want."""

    def __init__(self, config: Config, room: FarRoom, *, quick: bool = False) -> None:
        self.room = room
        parts = compose(config, cast(Any, room))
        if quick:
            parts = replace(parts, eyes=QuickEyes(parts.eyes, room.camera(mono_ns)))
        self.disk = parts.disk
        self.runner = Runner(parts, Language.ZH)
        self.watch = Watch(self.runner)
        panel = Panel(config.screen.width, config.screen.height, config.screen.dpi)
        self.app = KioskApp(self.watch, parts.facts, panel=panel, on_drawn=self._drawn)
        self.first_drawn = threading.Event()
        self.glass = Glass()
        self.drawn: DrawnScreen | None = None
        self._drawn_s = 0.0
        room.touch = self.app.touch

    def _drawn(self, seen: DrawnScreen) -> None:
        if self.drawn is None:
            from kivy.core.window import Window

            self.glass.show()
            Window.bind(on_flip=self.glass.show)
        self.drawn, self._drawn_s = seen, time.monotonic()
        self.room.see(seen)
        self.first_drawn.set()

    def visit(self) -> None:
        """One person from the first screen to the door."""
        if not self.room.visit():
            raise Stuck(self.drawn.name if self.drawn else "")
        self.until(self._is_home)

    def _is_home(self) -> bool:
        """Also on the glass, and settled: a key that moves while it is pressed was not pressed,
        and the first screen changes once more when it is noticed that the card is gone."""
        if self.drawn is None or self.drawn.name != "home":
            return False
        settled = time.monotonic() - self._drawn_s > SETTLE_S
        return settled and isinstance(self.runner.session().state, Home)

    def send_home(self) -> None:
        """After somebody who could not find the door; their card is gone."""
        while not self._is_home():
            self.runner.post(Pressed(Button.HOME))
            time.sleep(0.5)

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
    return {"idle_share_of_a_core": share} | {f"idle_{k}": v for k, v in memory().items()}


def visit(kiosk: Kiosk, count: int) -> Numbers:
    """Touches while the models run, and the pictures that reach the glass meanwhile."""
    with closing(Fingers(kiosk)) as fingers, closing(Peak()) as peak:
        for _ in range(count):
            kiosk.visit()
    return {
        "touch_s": fingers.taken,
        "preview_gaps_s": _gaps(kiosk.watch.pictures),
        "language_s": fingers.languages,
    } | {f"capture_{name}": most for name, most in peak.most.items()}


def soak(kiosk: Kiosk, count: int) -> Numbers:
    """Memory at the first screen after each visit. A finger that came when the screen had just
    changed may lead somebody astray; the visit counts all the same, and where is told."""
    grown, astray = [], []
    for number in range(count):
        try:
            kiosk.visit()
        except Stuck as stuck:
            astray.append(str(stuck))
            kiosk.send_home()
        grown.append(memory())
        told = {"visit": number + 1, "rss_mb": round(grown[-1]["rss_mb"]), "astray": astray}
        print(json.dumps(told), flush=True)
    return {"astray": astray} | {name: [taken[name] for taken in grown] for name in grown[0]}


def rss_mb() -> float:
    return float(psutil.Process().memory_info().rss) / 1e6


def memory() -> dict[str, float]:
    """Resident, and of that what no other process shares: libraries count in the first alone."""
    told = psutil.Process().memory_full_info()
    return {"rss_mb": told.rss / 1e6, "uss_mb": told.uss / 1e6}


class Peak:
    """The most memory while it lives; the share of our own is looked at more seldom, it costs."""

    def __init__(self) -> None:
        self.most = memory()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, name="peak")
        self._thread.start()

    def _look(self) -> None:
        for turn in itertools.count():
            if self._stop.wait(0.05):
                return
            seen = memory() if turn % 40 == 0 else {"rss_mb": rss_mb()}
            self.most = {name: max(most, seen.get(name, 0)) for name, most in self.most.items()}

    def close(self) -> None:
        self._stop.set()
        self._thread.join()


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
        self._thread = threading.Thread(target=self._work, name="fingers")
        self._thread.start()

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
        if down.wait(5) and self._kiosk.glass.next_frame():
            self.taken.append(time.monotonic() - before)

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
    folder, door, part, began, *rest = arguments
    count = int(rest[0]) if rest else 1
    config = load(Path(folder) / "site.toml")
    config = replace(config, devices=replace(config.devices, photo_decoder="sim"))
    with closing(FarRoom(Path(door))) as room:
        kiosk = Kiosk(config, room, quick=part == "soak")
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

"""Run as a program: one window, one small play, what happened as JSON on the last line.

    python -m tests.window.stage_hand PLAY

Kivy has one window in a process's life, so each play has a process of its own.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from edge.domain.challenge import Prompt
from edge.domain.staff import Refusal
from edge.session.effects import CheckStaff, Effect, StopWatching
from edge.session.events import FactsTold, Focused, Pressed, StaffAnswered, Touched
from edge.session.machine import step
from edge.session.states import (
    Choosing,
    Confirming,
    Consenting,
    Home,
    Language,
    Reviewing,
    Session,
    State,
)
from edge.ui import pieces
from edge.ui.controller import DrawnScreen
from edge.ui.kivy_app import KioskApp
from tests.session_world import NAME, World, verdict
from tests.ui_world import (
    BADGE,
    FACTS,
    TECHNICIAN,
    UNWELL,
    VISIT,
    Keeper,
    gallery,
    session,
    watching,
)

PATIENCE_S = 30.0


class Audience:
    """Hears what was drawn and what was posted, and lets a play wait for it."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self.drawn: list[DrawnScreen] = []
        self.polls = 0

    def saw(self, screen: DrawnScreen) -> None:
        with self._news:
            self.drawn.append(screen)
            self._news.notify_all()

    def nudge(self) -> None:
        with self._news:
            self.polls += 1
            self._news.notify_all()

    def until(self, come: Callable[[], bool]) -> None:
        with self._news:
            assert self._news.wait_for(come, PATIENCE_S), "it never came"


class Watched(Keeper):
    """A keeper that tells the audience of every look and every event."""

    def __init__(self, shown: Session, audience: Audience) -> None:
        super().__init__(shown)
        self.audience = audience
        self.on_touch: Callable[[], None] = lambda: None

    def session(self) -> Session:
        self.audience.nudge()
        return super().session()

    def post(self, event: object) -> None:
        super().post(event)
        if isinstance(event, Touched):
            self.on_touch()
        self.audience.nudge()

    def pressed(self) -> list[str]:
        return [event.button.value for event in self.posted if isinstance(event, Pressed)]

    def touches(self) -> int:
        return sum(isinstance(event, Touched) for event in self.posted)


class Stage:
    """A window with its keeper and audience."""

    def __init__(self, shown: Session) -> None:
        self.audience = Audience()
        self.keeper = Watched(shown, self.audience)
        self.app = KioskApp(self.keeper, FACTS, on_drawn=self.audience.saw)

    def play(self, script: Callable[[], object]) -> object:
        """Run the script beside the window; the window closes when it ends."""
        told: list[object] = []

        def work() -> None:
            try:
                self.audience.until(lambda: bool(self.audience.drawn))
                told.append(script())
            finally:
                self.app.stop()

        worker = threading.Thread(target=work, name="script")
        worker.start()
        self.app.run()
        worker.join()
        return told[0]


def touches() -> object:
    """Touch each button once, then a place where there is none."""
    stage = Stage(session(Choosing(VISIT)))

    def script() -> object:
        keeper, audience = stage.keeper, stage.audience
        labels = []
        for number, button in enumerate(audience.drawn[0].buttons, 1):
            labels.append(button.label)
            stage.app.touch(button.centre_x_px, button.centre_y_px)
            audience.until(lambda n=number: len(keeper.pressed()) == n)
        before = keeper.touches()
        stage.app.touch(5, 400)
        audience.until(lambda: keeper.touches() == before + 1)
        return {"labels": labels, "pressed": keeper.pressed(), "touches": keeper.touches()}

    return stage.play(script)


def moving() -> object:
    """The prompt changes while the finger is on a key: the key must still count."""
    stage = Stage(session(watching(Prompt.LEFT)))
    keeper, audience = stage.keeper, stage.audience

    def change() -> None:
        keeper.shown = session(watching(Prompt.RIGHT, done=2))
        stage.app.wake()

    keeper.on_touch = change

    def script() -> object:
        staff = next(b for b in audience.drawn[0].buttons if "工作人员" in b.label)
        stage.app.touch(staff.centre_x_px, staff.centre_y_px)
        audience.until(lambda: bool(keeper.pressed()))
        audience.until(lambda: len(audience.drawn) > 1)
        return {"pressed": keeper.pressed(), "texts": audience.drawn[-1].texts}

    return stage.play(script)


def idle() -> object:
    """Nothing changes: the window is looked after and never drawn again."""
    stage = Stage(session(Home()))

    def script() -> object:
        flips: list[int] = []
        stage.app._window.bind(on_flip=lambda _window: flips.append(1))
        start = stage.audience.polls
        stage.audience.until(lambda: stage.audience.polls >= start + 30)
        quiet = len(flips)
        stage.keeper.shown = session(Home(), Language.EN)
        stage.audience.until(lambda: "User guide" in stage.audience.drawn[-1].texts)
        return {"quiet": quiet, "after_change": len(flips)}

    return stage.play(script)


def mirror() -> object:
    """Left and right in the preview, and in the picture taken."""
    stage = Stage(session(watching(Prompt.LEFT)))

    def script() -> object:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "shot.png"
            stage.app.screenshot(path)
            seen = _halves(path, (60, 600), 400)
            stage.keeper.shown = session(Reviewing(VISIT, verdict()))
            stage.app.screenshot(path)
            return {"preview": seen, "portrait": _halves(path, (120, 340), 300)}

    return stage.play(script)


def _halves(path: Path, across: tuple[int, int], y: int) -> list[list[int]]:
    with Image.open(path) as shot:
        return [list(shot.convert("RGB").getpixel((x, y))) for x in across]


def restart() -> object:
    """The window dies in the middle and is opened again on the same keeper."""
    shown = session(Consenting(VISIT), card_lies=True)
    first, second = Stage(shown), Stage(shown)
    second.keeper = second.app._room = first.keeper
    seen = [stage.play(lambda s=stage: _told(s.audience.drawn[-1])) for stage in (first, second)]
    return {"first": seen[0], "second": seen[1]}


def _told(screen: DrawnScreen) -> object:
    return [screen.name, screen.texts, screen.buttons]


RIGHT, LEFT, TAB, ENTER, SPACE, F1, F2 = 275, 276, 9, 13, 32, 282, 283


def keyboard() -> object:
    """Digits press the main choices; arrows and Enter reach every key; help and once more."""
    stage = Stage(session(Confirming(VISIT)))

    def script() -> object:
        keeper, audience = stage.keeper, stage.audience
        for code in (ord("1"), RIGHT, ENTER, TAB, SPACE, LEFT, ENTER, F1, F2):
            stage.app._in_ui(
                lambda c=code: stage.app._window.dispatch("on_key_down", c, 0, None, [])
            )
        audience.until(lambda: len(keeper.pressed()) == 6)
        told = [event.button.value for event in keeper.posted if isinstance(event, Focused)]
        return {"pressed": keeper.pressed(), "touches": keeper.touches(), "told": told}

    return stage.play(script)


def by_keys() -> object:
    """Every screen there is, gone through with the keys alone."""
    stage = Stage(session(Home()))
    keeper, app = stage.keeper, stage.app
    wrong: list[str] = []

    def go_through(name: str, shown: Session) -> None:
        keeper.shown, keeper.posted = shown, []
        app._poll(0)
        assert app.stage is not None
        keys = app.stage.all_keys()
        for key in keys:
            app._key(app._window, TAB, 0, None, [])
            ringed = [k.choice.button for k in keys if k.focused]
            told = [e.button for e in keeper.posted if isinstance(e, Focused)]
            if ringed != told[-1:]:
                wrong.append(f"{name}: {key.choice.label}")
        app._key(app._window, SPACE, 0, None, [])
        told = [e.button for e in keeper.posted if isinstance(e, Focused)]
        if set(told) != {k.choice.button for k in keys} or len(told) != len(keys):
            wrong.append(f"{name}: not each key once")
        if keys and keeper.pressed() != [told[-1].value]:
            wrong.append(f"{name}: not pressed")

    def script() -> object:
        seen = 0
        for name, shown in gallery(Language.ZH):
            done = threading.Event()

            def one(name: str = name, shown: Session = shown, done: Any = done) -> None:
                go_through(name, shown)
                done.set()

            app._in_ui(one)
            assert done.wait(PATIENCE_S), name
            seen += 1
        return {"seen": seen, "wrong": wrong}

    return stage.play(script)


def forgets() -> object:
    """Back on the first screen, no widget, piece or measured text holds what was shown.

    A window begins with nobody in front of it, as a kiosk does: what is there then stays, and
    the collector shows it to nobody (`edge.ui.memory`).
    """
    stage = Stage(session(Home()))

    def held() -> int:
        from edge.ui.widgets import Key, Words

        gc.collect()
        kinds = (Words, Key, pieces.Text, pieces.Key, pieces.Setting)
        return sum(NAME in _words_of(thing) for thing in gc.get_objects() if type(thing) in kinds)

    def show(state: State, name: str) -> None:
        stage.keeper.shown = session(state)
        stage.audience.until(lambda: stage.audience.drawn[-1].name == name)

    def script() -> object:
        show(Confirming(VISIT, True), "confirm")
        before = held()
        show(Home(), "home")
        return {"before": before, "after": held()}

    return stage.play(script)


def _words_of(thing: Any) -> str:
    if isinstance(thing, pieces.Setting):
        return "".join(thing.lines)
    return str(getattr(thing, "words", ""))


def logging_is_ours() -> object:
    """Kivy may neither write where it likes nor take our log over."""
    before = (list(logging.root.handlers), logging.root.level, sys.stderr, sys.stdout)
    stage = Stage(session(Home()))
    stage.play(lambda: None)
    after = (list(logging.root.handlers), logging.root.level, sys.stderr, sys.stdout)
    return {"same": before == after}


def seconds() -> object:
    """While seconds pass only the time is drawn anew; the keys stay the same objects."""
    stage = Stage(session(Choosing(VISIT)))

    def script() -> object:
        keys = [id(key) for key in stage.app.stage.all_keys()]
        deadline = stage.keeper.shown.deadline_ns
        stage.keeper.shown = replace(stage.keeper.shown, deadline_ns=deadline - 5_000_000_000)
        stage.audience.until(lambda: "剩余294秒" in stage.audience.drawn[-1].texts)
        return {"same": keys == [id(key) for key in stage.app.stage.all_keys()]}

    return stage.play(script)


def resized() -> object:
    """Somebody pulls the desktop window smaller: the keys move, and a finger still finds them."""
    stage = Stage(session(Choosing(VISIT)))

    def script() -> object:
        window, audience, keeper = stage.app._window, stage.audience, stage.keeper
        before = audience.drawn[-1].buttons
        stage.app._in_ui(lambda: setattr(window, "size", (800, 480)))
        audience.until(lambda: audience.drawn[-1].buttons != before)
        last = audience.drawn[-1].buttons[-1]
        stage.app.touch(last.centre_x_px, last.centre_y_px)
        audience.until(lambda: bool(keeper.pressed()))
        inside = all(
            b.centre_x_px < 800 and b.centre_y_px < 480 for b in audience.drawn[-1].buttons
        )
        return {"pressed": keeper.pressed(), "inside": inside}

    return stage.play(script)


class Served(Watched):
    """A keeper with the real machine behind it; the desk lets everybody in."""

    def __init__(self, shown: Session, audience: Audience) -> None:
        super().__init__(shown, audience)
        self.world = World()
        self.orders: list[Effect] = []

    def post(self, event: Any) -> None:
        moved = step(self.shown, event, self.world.context(now_ns=self.time_ns))
        self.shown = moved.session
        self.orders += moved.effects
        for order in moved.effects:
            if isinstance(order, CheckStaff):
                right = (order.badge, order.pin) == (BADGE, "135790")
                result = TECHNICIAN if right else Refusal.WRONG
                self.post(StaffAnswered(order.check_id, result, BADGE, None))
                self.post(FactsTold(UNWELL))
        super().post(event)


def staff() -> object:
    """In by touch and by keyboard, through the pages, and out; a picture of every step."""
    stage = Stage(session(Home()))
    keeper = stage.keeper = stage.app._room = Served(session(Home()), stage.audience)
    told: dict[str, Any] = {"screens": [], "secret": False}

    def look(name: str) -> DrawnScreen:
        stage.audience.until(lambda: stage.audience.drawn[-1].name == name)
        seen = stage.audience.drawn[-1]
        stage.app.screenshot(folder / f"{len(told['screens']):02}-{name}.png")
        told["screens"].append(name)
        told["secret"] |= any("135790" in text.replace(" ", "") for text in seen.texts)
        return seen

    def touch(label: str) -> None:
        posted = len(keeper.pressed())
        button = next(b for b in stage.audience.drawn[-1].buttons if b.label == label)
        stage.app.touch(button.centre_x_px, button.centre_y_px)
        stage.audience.until(lambda: len(keeper.pressed()) > posted)

    def type_on_keyboard(code: int) -> None:
        posted = len(keeper.pressed())
        stage.app._in_ui(lambda: stage.app._window.dispatch("on_key_down", code, 0, None, []))
        stage.audience.until(lambda: len(keeper.pressed()) > posted)

    def script() -> object:
        touch("员工入口")
        look("staff_badge")
        keys = {id(key) for key in stage.app.stage.all_keys() if key.choice.label.isdigit()}
        for digit in BADGE:
            touch(digit)
        again = {id(key) for key in stage.app.stage.all_keys() if key.choice.label.isdigit()}
        told["keys_stay"] = keys == again
        touch("确定")
        look("staff_pin")
        for code in (*b"135799", 8, 256, 13):  # a slip taken back, the number pad, Enter
            type_on_keyboard(code)
        look("service_menu")
        for label, name in (
            ("设备", "service_devices"), ("下一页", "service_devices"),
            ("测试", "service_tests"),
            ("看摄像头", "service_camera"), ("上一步", "service_tests"),
            ("音量", "service_sound"), ("退出登录", "home"),
        ):  # fmt: skip
            touch(label)
            look(name)
        told["pictures"] = len(list(folder.glob("*.png")))
        told["camera_closed"] = StopWatching() in keeper.orders
        return told

    with tempfile.TemporaryDirectory() as place:
        folder = Path(os.environ.get("KEEP_PICTURES", place))
        return stage.play(script)


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](), ensure_ascii=False))

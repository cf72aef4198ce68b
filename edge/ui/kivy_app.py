"""The window: draws the view of the session, and posts what fingers do. It keeps no session.

Kivy reads its settings from the environment while it is imported, so nothing
of it is imported before `set_up` has run.
"""

from __future__ import annotations

import logging
import os
import struct
import tempfile
import threading
import zlib
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.domain.errors import KioskError
from edge.session.events import Button, Focused, Pressed, Touched
from edge.ui import memory
from edge.ui.controller import Controller, DrawnScreen, OnDrawn
from edge.ui.fonts import Fonts, fonts
from edge.ui.screen import Facts, Screen
from edge.ui.theme import PANELS, Colour, Panel, Theme, rgb
from edge.ui.viewmodel import view

if TYPE_CHECKING:
    from edge.ui.stage import Stage

POLL_S = 1 / 20
MAX_FPS = 30
TOUCH_S = 0.08
"""How long a scripted finger stays on the glass."""

TIDY_S = 0.2
"""So long after a new screen what was left of the last one is cleared away."""

SCREENSHOT_TIMEOUT_S = 30.0


class WindowError(KioskError):
    """There is no window, or it did not draw."""


def set_up(size: tuple[int, int], fullscreen: bool, home: Path) -> None:
    """Tell Kivy what it may do: one window, no files of its own, no say in our logging."""
    home.mkdir(parents=True, exist_ok=True)
    os.environ.update(
        KIVY_HOME=str(home),
        KIVY_NO_ARGS="1",
        KIVY_NO_CONFIG="1",
        KIVY_NO_FILELOG="1",
        KIVY_NO_CONSOLELOG="1",
        KIVY_LOG_MODE="PYTHON",
        KIVY_METRICS_DENSITY="1",
        KCFG_KIVY_LOG_LEVEL="warning",
        KCFG_KIVY_EXIT_ON_ESCAPE="0",
        KCFG_GRAPHICS_WIDTH=str(size[0]),
        KCFG_GRAPHICS_HEIGHT=str(size[1]),
        KCFG_GRAPHICS_FULLSCREEN="auto" if fullscreen else "0",
        KCFG_GRAPHICS_MULTISAMPLES="0",  # our shapes are smooth by themselves
        KCFG_GRAPHICS_MAXFPS=str(MAX_FPS),
        KCFG_INPUT_MOUSE="mouse,disable_multitouch",
    )
    logging.getLogger("kivy").setLevel(logging.WARNING)


class KioskApp:
    """One window on one controller. `run` blocks in the main thread until `stop`.

    `wake`, `touch`, `screenshot` and `stop` may be called from any thread.
    """

    def __init__(
        self,
        room: Controller,
        facts: Facts,
        *,
        panel: Panel = PANELS[2],
        fullscreen: bool = False,
        on_drawn: OnDrawn | None = None,
        cache: Path = Path(".cache"),
    ) -> None:
        self._room, self._facts, self._on_drawn = room, facts, on_drawn
        self._panel, self._fullscreen, self._cache = panel, fullscreen, cache
        self._fonts: Fonts = fonts(cache / "fonts")
        self._thread: int | None = None
        self._running = threading.Event()
        self._stopped = False
        self._drawn = False
        self._undrawn: Screen | None = None
        self._wanted: list[tuple[Path, Future[None]]] = []
        self._window: Any = None
        self._clock: Any = None
        self.stage: Stage | None = None

    # --- the loop ---

    def run(self) -> None:
        """Open the window and stay until `stop`. Raises `WindowError` when there can be none."""
        self._thread = threading.get_ident()
        size = (self._panel.width_px, self._panel.height_px)
        set_up(size, self._fullscreen, self._cache / "kivy")
        from kivy.base import EventLoop, runTouchApp
        from kivy.clock import Clock
        from kivy.core.window import Window

        if Window is None:
            raise WindowError("no window: needs a display, or SDL_VIDEODRIVER=offscreen with EGL")
        self._window, self._clock = Window, Clock
        Window.bind(
            on_flip=self._flipped,
            on_resize=self._resized,
            on_touch_down=self._touched,
            on_key_down=self._key,
        )
        self._build()
        memory.settle()
        poll = Clock.schedule_interval(self._poll, POLL_S)
        self._running.set()
        try:
            if not self._stopped:
                runTouchApp(self.stage)
        finally:
            poll.cancel()
            self._close()
            EventLoop.close()

    def stop(self) -> None:
        """Close the window; `run` returns."""
        self._stopped = True
        if self._clock is not None:
            self._clock.schedule_once(self._leave)

    def _leave(self, _dt: float) -> None:
        from kivy.base import stopTouchApp

        stopTouchApp()

    def _close(self) -> None:
        self._running.clear()
        for _, done in self._wanted:
            done.set_exception(WindowError("the window closed before the picture was taken"))
        self._wanted.clear()
        self._window.unbind(
            on_flip=self._flipped,
            on_resize=self._resized,
            on_touch_down=self._touched,
            on_key_down=self._key,
        )
        if self.stage is not None:
            self._window.remove_widget(self.stage)

    # --- drawing ---

    def _build(self) -> None:
        from kivy.core.window import Window

        from edge.ui.stage import Stage
        from edge.ui.widgets import Canvas

        theme = Theme(self._panel.seen_at(*Window.size))
        canvas = Canvas(theme, self._fonts, self._press)
        self.stage = Stage(canvas, size=Window.size, size_hint=(None, None))
        self._undrawn = None
        self._poll(0)

    def _resized(self, window: Any, _width: int, _height: int) -> None:
        """A desktop window was pulled larger: everything anew."""
        if self.stage is None or tuple(self.stage.size) == tuple(window.size):
            return
        window.remove_widget(self.stage)
        self._build()
        window.add_widget(self.stage)

    def wake(self) -> None:
        """Something changed: look now instead of at the next poll."""
        if self._clock is not None:
            self._clock.schedule_once(self._poll)

    def _poll(self, _dt: float) -> None:
        stage = self.stage
        if stage is None:
            return
        screen = view(self._room.session(), self._room.now_ns(), self._facts)
        if screen != stage.screen:
            if stage.screen is not None and stage.screen.name != screen.name:
                self._clock.schedule_once(self._tidy, TIDY_S)
            stage.show(screen)
            self._shine(screen.glow or stage.canvas_of.theme.palette.ground)
            self._undrawn = screen
        if stage.picture is not None:
            portrait = screen.shows_portrait
            stage.picture.show(self._room.portrait() if portrait else self._room.preview())

    def _tidy(self, _dt: float) -> None:
        """When the new screen has been drawn."""
        memory.tidy()

    def _shine(self, ground: Colour) -> None:
        """What nothing is drawn on; a colour of the window is cheaper than a surface."""
        self._window.clearcolor = (*rgb(ground), 1)
        self._window.canvas.ask_update()

    def _flipped(self, _window: Any) -> None:
        """A frame is finished and not yet handed to the display: its pixels can be read."""
        self._drawn = True
        for path, done in self._wanted:
            self._take(path, done)
        self._wanted.clear()
        if self._undrawn is not None and self.stage is not None:
            screen, self._undrawn = self._undrawn, None
            if self._on_drawn is not None:
                texts = tuple(words.words for words in self.stage.words())
                drawn = self.stage.drawn_buttons()
                self._on_drawn(DrawnScreen(screen.name, texts, drawn, screen.glow))

    # --- hands ---

    def _press(self, button: Button) -> None:
        self._room.post(Pressed(button))
        self.wake()

    def _touched(self, _window: Any, _touch: Any) -> bool:
        self._room.post(Touched())
        return False

    def _key(self, _window: Any, code: int, _scan: int, _text: str | None, mods: Any) -> bool:
        """Digits press the main choices; arrows and Tab walk over all keys, each said aloud;
        Enter and the space bar press; F1 is help, F2 says the screen again, F3 and F4 are softer
        and louder. A housing with keys of its own sends these codes."""
        stage = self.stage
        if stage is None:
            return False
        self._room.post(Touched())
        if code in _STEPS:
            key = stage.move_focus(-1 if "shift" in mods else _STEPS[code])
            if key is not None:
                self._room.post(Focused(key.choice.button))
            return True
        if code in _ALWAYS:
            self._press(_ALWAYS[code])
            return True
        pressed = _by_digit(stage, code)
        if code in _ENTER:
            pressed = stage.focused() or stage.key_of(Button.OK)
        if pressed is not None:
            pressed.release()
        return pressed is not None

    def touch(self, x_px: float, y_px: float) -> None:
        """Lay a finger on the glass and lift it; pixels from the top left corner."""
        self._in_ui(lambda: self._finger(x_px, y_px))

    def _finger(self, x_px: float, y_px: float) -> None:
        from edge.ui.widgets import Finger

        width, height = self._window.size
        finger = Finger.at(x_px / width, 1 - y_px / height)
        finger.down()
        self._clock.schedule_once(lambda _dt: finger.up(), TOUCH_S)

    # --- pictures of the window ---

    def screenshot(self, path: Path) -> None:
        """Write what the window really shows as a PNG, and return when it is on the disk."""
        done: Future[None] = Future()
        self._in_ui(lambda: self._want(path, done))
        done.result(SCREENSHOT_TIMEOUT_S)

    def _want(self, path: Path, done: Future[None]) -> None:
        """The picture is taken when the next frame is finished; one is asked for."""
        self._poll(0)
        self._wanted.append((path, done))
        if threading.get_ident() == self._thread and self._drawn:
            self._window.dispatch("on_draw")
            self._flipped(self._window)
        self._window.canvas.ask_update()

    def _take(self, path: Path, done: Future[None]) -> None:
        from edge.ui.widgets import read_window

        try:
            width, height = self._window.size
            _write_png(path, width, height, read_window(width, height))
        except OSError as error:
            done.set_exception(error)
        else:
            done.set_result(None)

    def _in_ui(self, call: Callable[[], None]) -> None:
        """Run in the window's thread; waits for the window where it is just opening."""
        if threading.get_ident() == self._thread:
            call()
            return
        if not self._running.wait(SCREENSHOT_TIMEOUT_S):
            raise WindowError("there is no open window")
        self._clock.schedule_once(lambda _dt: call())


_STEPS = {275: 1, 274: 1, 9: 1, 276: -1, 273: -1}
"""Right, down, Tab go on; left, up go back (SDL key codes as Kivy hands them on)."""

_ENTER = (13, 271, 32)

_ALWAYS = {
    282: Button.HELP,
    283: Button.REPEAT,
    284: Button.SOFTER,
    285: Button.LOUDER,
    1073741953: Button.SOFTER,
    1073741952: Button.LOUDER,
}
"""F1 to F4, and the keys of a keyboard that are for the volume, wherever the machine offers it."""

_KEYPAD = {
    **{ord(str(number)): Button(f"digit_{number}") for number in range(10)},
    **{256 + number: Button(f"digit_{number}") for number in range(10)},  # the number pad
    8: Button.ERASE,
}


def _by_digit(stage: Stage, code: int) -> Any:
    """Key 1 is the first main choice; the number pad counts too. Where there is a keypad on
    the glass, the keyboard types on it."""
    if stage.screen is not None and stage.screen.keypad:
        return stage.key_of(_KEYPAD[code]) if code in _KEYPAD else None
    for first in (ord("1"), 257):
        keys = stage.main_keys()
        if first <= code < first + len(keys):
            return keys[code - first]
    return None


def _write_png(path: Path, width: int, height: int, rgb: bytes) -> None:
    """`rgb` as OpenGL gives it, the lowest row first. Written beside its place and renamed."""
    row = width * 3
    lines = (rgb[y * row : (y + 1) * row] for y in reversed(range(height)))
    pixels = zlib.compress(b"".join(b"\0" + line for line in lines), 6)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    data = b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in chunks)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        file.write(data)
    os.replace(file.name, path)


def _chunk(kind: bytes, body: bytes) -> bytes:
    check = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)

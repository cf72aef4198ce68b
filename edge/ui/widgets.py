"""The pieces of a screen: words, keys, drawings, the mirror. `arrange` puts them in their places.

Imported only after `kivy_app` has set Kivy up. Boxes come in pixels from the
top left corner; Kivy counts from the bottom left, and `_stand` turns one into
the other.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from kivy.base import EventLoop
from kivy.core.text import Label as CoreLabel
from kivy.graphics import (
    Color,
    Line,
    PopMatrix,
    PushMatrix,
    Rectangle,
    SmoothEllipse,
    SmoothLine,
    SmoothRoundedRectangle,
    SmoothTriangle,
    StencilPop,
    StencilPush,
    StencilUnUse,
    StencilUse,
    Translate,
)
from kivy.graphics.opengl import GL_RGB, GL_UNSIGNED_BYTE, glReadPixels
from kivy.graphics.texture import Texture
from kivy.input.motionevent import MotionEvent
from kivy.uix.widget import Widget

from edge.session.events import Button
from edge.ui import theme as sizes
from edge.ui.controller import Picture
from edge.ui.drawings import Strokes, strokes
from edge.ui.fonts import Fonts
from edge.ui.screen import Art, Choice
from edge.ui.theme import BAND_INK, WHITE, Colour, Palette, Theme, rgb
from edge.ui.typeset import Box, wrap

LINE_HEIGHT = 1.32
SHRINK = 0.95
"""How fast letters give way when there is too little room."""


@dataclass(frozen=True, slots=True)
class Kit:
    """What every piece needs to draw itself."""

    theme: Theme
    fonts: Fonts
    height_px: float
    press: Callable[[Button], None]

    def px(self, reference_px: float) -> float:
        return self.theme.px(reference_px)


# --- words -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Style:
    """How a text looks; sizes in reference pixels."""

    size_px: float
    ink: Colour
    bold: bool = False
    align: str = "left"
    floor_px: float = sizes.FLOOR_PX


@dataclass(frozen=True, slots=True)
class Setting:
    """A text broken into lines at one size of letters."""

    lines: tuple[str, ...]
    size_px: float
    width_px: float
    height_px: float

    def fits(self, box: Box) -> bool:
        return self.width_px <= box.w + 0.5 and self.height_px <= box.h + 0.5


def typeset(kit: Kit, words: str, style: Style, width_px: float, shrunk: float = 1.0) -> Setting:
    """Break `words` to a width, with letters `shrunk` as far as the style's floor allows."""
    size_px = kit.px(max(style.size_px * shrunk, style.floor_px))
    measure = partial(_width, _font(kit, style.bold), size_px)
    lines = tuple(wrap(words, width_px, measure))
    height_px = size_px * LINE_HEIGHT * len(lines)
    return Setting(lines, size_px, max(map(measure, lines)), height_px)


def fitted(kit: Kit, words: str, style: Style, box: Box) -> Setting:
    """The largest setting that fits the box, or the smallest allowed."""
    shrunk = 1.0
    setting = typeset(kit, words, style, box.w)
    while not setting.fits(box) and style.size_px * shrunk > style.floor_px:
        shrunk *= SHRINK
        setting = typeset(kit, words, style, box.w, shrunk)
    return setting


def _font(kit: Kit, bold: bool) -> str:
    return str(kit.fonts.bold if bold else kit.fonts.regular)


@lru_cache(4096)
def _width(font: str, size_px: float, words: str) -> float:
    width, _ = _label(font, size_px).get_extents(words)
    return float(width)


def _label(font: str, size_px: float, words: str = "") -> Any:
    """Measured and drawn by the same rules, or a line would end where it was not meant to."""
    white = (1, 1, 1, 1)  # coloured when it is drawn
    return CoreLabel(
        text=words, font_name=font, font_size=size_px, font_hinting="light", color=white
    )


class Words(Widget):  # type: ignore[misc]
    """A text in a box, vertically centred. `clipped` tells a test that it did not fit."""

    def __init__(self, kit: Kit, words: str, style: Style, box: Box, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        setting = fitted(kit, words, style, box)
        self.words, self.box, self.size_px = words, box, setting.size_px
        self.style = style
        self.clipped = not setting.fits(box)
        _stand(self, kit, box)
        y = box.y + (box.h - setting.height_px) / 2
        leading = setting.size_px * LINE_HEIGHT
        for line in setting.lines:
            self._line(kit, line, Box(box.x, y, box.w, leading), setting.size_px)
            y += leading

    def _line(self, kit: Kit, line: str, box: Box, size_px: float) -> None:
        label = _label(_font(kit, self.style.bold), size_px, line)
        label.refresh()
        texture = label.texture
        self.clipped = self.clipped or texture.width > box.w + 1
        slack = box.w - texture.width
        x = box.x + {"left": 0.0, "center": slack / 2, "right": slack}[self.style.align]
        y = kit.height_px - box.y - (box.h + texture.height) / 2
        with self.canvas:
            Color(*rgb(self.style.ink))
            # Whole pixels, or the letters blur.
            Rectangle(texture=texture, pos=(round(x), round(y)), size=texture.size)


def _stand(widget: Widget, kit: Kit, box: Box) -> None:
    widget.size_hint = (None, None)
    widget.pos = (box.x, kit.height_px - box.bottom)
    widget.size = (box.w, box.h)


class Group(Widget):  # type: ignore[misc]
    """Holds other widgets and draws nothing itself."""


# --- plain surfaces ----------------------------------------------------------


class Surface(Widget):  # type: ignore[misc]
    """A filled box with round corners; with `edge`, an outline of `edge_px`."""

    def __init__(
        self,
        kit: Kit,
        box: Box,
        fill: Colour,
        *,
        edge: Colour | None = None,
        edge_px: float = 2.0,
        radius_px: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        _stand(self, kit, box)
        self.fill = fill
        with self.canvas:
            self.paint = Color(*rgb(fill))
            if not radius_px:
                Rectangle(pos=self.pos, size=self.size)
            else:
                SmoothRoundedRectangle(pos=self.pos, size=self.size, radius=[kit.px(radius_px)])
            if edge is not None:
                Color(*rgb(edge))
                _outline(self, kit, edge_px, radius_px)


def _outline(widget: Widget, kit: Kit, width_px: float, radius_px: float) -> None:
    half = kit.px(width_px) / 2
    x, y = widget.pos
    w, h = widget.size
    box = (x + half, y + half, w - 2 * half, h - 2 * half, max(kit.px(radius_px) - half, 1))
    SmoothLine(rounded_rectangle=box, width=half)


class Hatching(Widget):  # type: ignore[misc]
    """Slanted bars, as on the edge of something not to be mistaken."""

    def __init__(self, kit: Kit, box: Box, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        _stand(self, kit, box)
        step, x = kit.px(36), float(box.x)
        low, high = kit.height_px - box.bottom, kit.height_px - box.y
        with self.canvas:
            Color(*rgb(BAND_INK))
            while x + step <= box.right:
                SmoothTriangle(points=[x, low, x + step / 2, low, x + step, high])
                SmoothTriangle(points=[x, low, x + step / 2, high, x + step, high])
                x += step


# --- keys --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Look:
    """Colours of a key, at rest and under the finger."""

    fill: Colour
    ink: Colour
    edge: Colour
    pressed: Colour


class Key(Widget):  # type: ignore[misc]
    """A button. It answers when the finger leaves it, so that a slip can still be drawn away."""

    def __init__(
        self, kit: Kit, choice: Choice, box: Box, look: Look, style: Style, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        _stand(self, kit, box)
        self.kit, self.choice, self.box, self.look = kit, choice, box, look
        self.surface = Surface(kit, box, look.fill, edge=look.edge, edge_px=3, radius_px=16)
        self.add_widget(self.surface)
        self.words = Words(kit, choice.label, style, self.label_box(box))
        self.add_widget(self.words)
        with self.canvas.after:
            self.ring = Color(*rgb(kit.theme.palette.urgent), 0)
            Line(rounded_rectangle=(*self.pos, *self.size, kit.px(16)), width=kit.px(5))

    def label_box(self, box: Box) -> Box:
        return box.inset(self.kit.px(12), self.kit.px(6))

    def focus(self, on: bool) -> None:
        """Show which key the keyboard would press."""
        self.ring.a = 1 if on else 0

    def release(self) -> None:
        self.kit.press(self.choice.button)

    def on_touch_down(self, touch: Any) -> bool:
        if not self.collide_point(*touch.pos):
            return False
        touch.grab(self)
        self.surface.paint.rgb = rgb(self.look.pressed)
        return True

    def on_touch_up(self, touch: Any) -> bool:
        if touch.grab_current is not self:
            return False
        touch.ungrab(self)
        self.surface.paint.rgb = rgb(self.look.fill)
        if self.box.inset(-self.kit.px(sizes.GAP_PX) / 2).holds(
            touch.x, self.kit.height_px - touch.y
        ):
            self.release()
        return True


class Tile(Key):
    """The big key of the first screen, with a drawing above its words."""

    def __init__(
        self, kit: Kit, choice: Choice, box: Box, look: Look, style: Style, art: Art, **kwargs: Any
    ) -> None:
        super().__init__(kit, choice, box, look, style, **kwargs)
        room = box.inset(kit.px(24)).without(foot=kit.px(110))
        side = min(room.w, room.h)
        plate = room.middle(side * 1.3, side)
        self.add_widget(Surface(kit, plate, kit.theme.palette.panel, radius_px=20))
        self.add_widget(Drawing(kit, strokes(art), plate.middle(side * 0.92, side * 0.92)))

    def label_box(self, box: Box) -> Box:
        return box.inset(self.kit.px(16)).foot(self.kit.px(106))


# --- pictures ----------------------------------------------------------------


class QrCode(Widget):  # type: ignore[misc]
    """A QR code in the middle of a box, each module the same whole number of pixels."""

    def __init__(
        self, kit: Kit, modules: Sequence[Sequence[bool]], box: Box, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        count = len(modules)
        self.module_px = max(1, int(min(box.w, box.h)) // count)
        side = float(self.module_px * count)
        _stand(self, kit, box.middle(side, side))
        texture = Texture.create(size=(count, count), colorfmt="luminance")
        texture.mag_filter = texture.min_filter = "nearest"
        texture.flip_vertical()
        dots = bytes(0 if black else 255 for row in modules for black in row)
        texture.blit_buffer(dots, colorfmt="luminance", bufferfmt="ubyte")
        with self.canvas:
            Color(1, 1, 1)
            x, y = (round(place) for place in self.pos)
            Rectangle(texture=texture, pos=(x, y), size=(side, side))


class PictureFrame(Widget):  # type: ignore[misc]
    """Shows a picture so that it covers its box; `mirrored` for somebody looking at themselves."""

    def __init__(self, kit: Kit, box: Box, *, mirrored: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        _stand(self, kit, box)
        self.mirrored = mirrored
        self.shown: Picture | None = None
        self.texture: Any = None
        with self.canvas:
            self.paint = Color(*rgb(kit.theme.palette.quiet_ink))
            self.rectangle = Rectangle(pos=self.pos, size=self.size)

    def show(self, picture: Picture | None) -> None:
        """Put a new picture up; the one already shown costs nothing."""
        if picture is self.shown:
            return
        self.shown = picture
        if picture is None:
            self.texture = self.rectangle.texture = None
            return
        if self.texture is None or self.texture.size != (picture.width, picture.height):
            self._new_texture(picture)
        self.texture.blit_buffer(picture.rgb, colorfmt="rgb", bufferfmt="ubyte")
        self.canvas.ask_update()

    def _new_texture(self, picture: Picture) -> None:
        size = (picture.width, picture.height)
        self.texture = Texture.create(size=size, colorfmt="rgb")
        self.paint.rgb = (1, 1, 1)
        self.rectangle.texture = self.texture
        self.rectangle.tex_coords = _covering(size, tuple(self.size), self.mirrored)


def _covering(
    picture: tuple[int, int], box: tuple[float, float], mirrored: bool
) -> tuple[float, ...]:
    """Texture coordinates that fill the box with the middle of the picture, its top row on top."""
    wide, high = picture[0] / box[0], picture[1] / box[1]
    u = min(1.0, high / wide) / 2
    v = min(1.0, wide / high) / 2
    left, right, top, foot = 0.5 - u, 0.5 + u, 0.5 - v, 0.5 + v
    if mirrored:
        left, right = right, left
    return (left, foot, right, foot, right, top, left, top)


class Mirror(PictureFrame):
    """The camera's picture with an oval to put the face into."""

    def __init__(self, kit: Kit, box: Box, **kwargs: Any) -> None:
        super().__init__(kit, box, mirrored=True, **kwargs)
        oval = box.middle(box.h * 0.62, box.h * 0.84)
        x, y = oval.x, kit.height_px - oval.bottom
        with self.canvas:
            StencilPush()
            Rectangle(pos=self.pos, size=self.size)
            StencilUse()
            for width_px, ink in ((9, kit.theme.palette.header), (5, WHITE)):
                Color(*rgb(ink))
                Line(ellipse=(x, y, oval.w, oval.h, 0, 360, 120), width=kit.px(width_px) / 2)
            StencilUnUse()
            Rectangle(pos=self.pos, size=self.size)
            StencilPop()


# --- drawings ----------------------------------------------------------------


class Drawing(Widget):  # type: ignore[misc]
    """A drawing in the largest square that fits the middle of a box."""

    def __init__(self, kit: Kit, drawing: Strokes, box: Box, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        _stand(self, kit, box)
        side = min(box.w, box.h)
        sheet = box.middle(side, side)
        with self.canvas:
            PushMatrix()
            Translate(sheet.x, kit.height_px - sheet.bottom, 0)
            drawing(KivyPen(side / 200, kit.theme.palette))
            PopMatrix()


RING_STEPS = 96


@dataclass(frozen=True, slots=True)
class KivyPen:
    """Draws into the canvas that is open. `unit` is the pixels of one unit of the sheet."""

    unit: float
    colours: Palette

    def paint(self, colour: Colour) -> None:
        Color(*rgb(colour))

    def disc(self, x: float, y: float, rx: float, ry: float) -> None:
        u = self.unit
        SmoothEllipse(pos=((x - rx) * u, (y - ry) * u), size=(2 * rx * u, 2 * ry * u))

    def ring(self, x: float, y: float, rx: float, ry: float, width: float) -> None:
        angles = [math.tau * step / RING_STEPS for step in range(RING_STEPS)]
        points = [p for a in angles for p in (x + rx * math.cos(a), y + ry * math.sin(a))]
        u = self.unit
        SmoothLine(points=[p * u for p in points], width=width * u / 2, close=True)

    def arc(self, x: float, y: float, r: float, start: float, end: float, width: float) -> None:
        """Angles in degrees clockwise from twelve o'clock."""
        u = self.unit
        SmoothLine(circle=(x * u, y * u, r * u, start, end, 60), width=width * u / 2, cap="round")

    def slab(self, x: float, y: float, w: float, h: float, radius: float = 6) -> None:
        u = self.unit
        SmoothRoundedRectangle(pos=(x * u, y * u), size=(w * u, h * u), radius=[radius * u])

    def frame(self, x: float, y: float, w: float, h: float, radius: float, width: float) -> None:
        u = self.unit
        box = (x * u, y * u, w * u, h * u, radius * u)
        SmoothLine(rounded_rectangle=box, width=width * u / 2)

    def line(self, *points: float, width: float = 5) -> None:
        u = self.unit
        SmoothLine(points=[p * u for p in points], width=width * u / 2, cap="round", joint="round")

    def triangle(self, *points: float) -> None:
        SmoothTriangle(points=[p * self.unit for p in points])


# --- a scripted finger, and what the window shows --------------------------------


class Finger(MotionEvent):  # type: ignore[misc]
    """A touch that takes the same way through Kivy as one from the glass."""

    @classmethod
    def at(cls, across: float, up: float) -> Finger:
        """Where on the window, in shares of its width and height from the bottom left."""
        finger = cls("scripted", next(_FINGERS), {"sx": across, "sy": up}, is_touch=True)
        finger.type_id = "touch"
        return finger

    def depack(self, args: dict[str, float]) -> None:
        self.sx, self.sy = args["sx"], args["sy"]
        self.profile = ["pos"]
        super().depack(args)

    def down(self) -> None:
        EventLoop.post_dispatch_input("begin", self)

    def up(self) -> None:
        self.update_time_end()
        EventLoop.post_dispatch_input("end", self)


_FINGERS = itertools.count(1)


def read_window(width: int, height: int) -> bytes:
    """The finished frame, R, G, B, lowest row first; to be called before it is flipped away."""
    return bytes(glReadPixels(0, 0, width, height, GL_RGB, GL_UNSIGNED_BYTE))

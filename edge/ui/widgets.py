"""The pieces of a screen as Kivy draws them, and the ruler they are measured with.

Imported only after Kivy was set up (`kivy_app.set_up`). Boxes come in pixels
from the top left corner; Kivy counts from the bottom left, and `_stand` turns
one into the other.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
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
from edge.ui import pieces
from edge.ui.controller import Picture
from edge.ui.curves import frame, quarter_pieces
from edge.ui.fonts import Fonts
from edge.ui.pieces import LINE_HEIGHT, Piece
from edge.ui.theme import BAND_INK, WHITE, Colour, Palette, Theme, rgb
from edge.ui.typeset import Box

Press = Callable[[Button], None]


@dataclass(frozen=True, slots=True)
class Canvas:
    """What every widget needs to draw itself."""

    theme: Theme
    fonts: Fonts
    press: Press

    @property
    def height_px(self) -> float:
        return self.theme.panel.height_px


# --- letters -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ruler:
    """Measures texts by the rules they are drawn by, or a line would end where it should not."""

    fonts: Fonts

    def __call__(self, bold: bool, size_px: float, words: str) -> float:
        return _width(self.fonts, bold, int(size_px), words)


@lru_cache(8192)
def _width(fonts: Fonts, bold: bool, size_px: int, words: str) -> float:
    width, _ = _label(fonts, bold, size_px, words).get_extents(words)
    return float(width)


def _label(fonts: Fonts, bold: bool, size_px: float, words: str) -> Any:
    """Kivy draws whole sizes, but keeps a font open for each size by its name."""
    return CoreLabel(
        text=words,
        font_name=str(fonts.file_for(words, bold=bold)),
        font_size=int(size_px),
        font_hinting="light",
        color=(1, 1, 1, 1),  # coloured when it is drawn
    )


def forget() -> None:
    """Drop what was measured: it holds what was shown, and so names and numbers."""
    _width.cache_clear()
    pieces.forget()


# --- widgets for pieces --------------------------------------------------------


def widget_for(canvas: Canvas, piece: Piece) -> Any:
    """The widget that draws a piece."""
    return _WIDGETS[type(piece)](canvas, piece)


def _stand(widget: Widget, canvas: Canvas, box: Box) -> None:
    widget.size_hint = (None, None)
    widget.pos = (box.x, canvas.height_px - box.bottom)
    widget.size = (box.w, box.h)


class Group(Widget):  # type: ignore[misc]
    """Holds other widgets and draws nothing itself."""


class Words(Widget):  # type: ignore[misc]
    """A text in its box, vertically centred."""

    def __init__(self, canvas: Canvas, text: pieces.Text, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.text, self.words, self.box, self.size_px = text, text.words, text.box, text.size_px
        self.clipped = not text.fits
        _stand(self, canvas, text.box)
        leading = text.size_px * LINE_HEIGHT
        y = text.box.y + (text.box.h - leading * len(text.lines)) / 2
        for line in text.lines:
            self._line(canvas, line, Box(text.box.x, y, text.box.w, leading))
            y += leading

    def _line(self, canvas: Canvas, line: str, box: Box) -> None:
        label = _label(canvas.fonts, self.text.bold, self.size_px, line)
        label.refresh()
        texture = label.texture
        self.clipped = self.clipped or texture.width > box.w + 1
        slack = box.w - texture.width
        x = box.x + {"left": 0.0, "center": slack / 2, "right": slack}[self.text.align]
        y = canvas.height_px - box.y - (box.h + texture.height) / 2
        with self.canvas:
            Color(*rgb(self.text.ink))
            # Whole pixels, or the letters blur.
            Rectangle(texture=texture, pos=(round(x), round(y)), size=texture.size)


def _rounded(pos: Any, size: Any, radius_px: float) -> None:
    SmoothRoundedRectangle(
        pos=pos, size=size, radius=[radius_px], segments=quarter_pieces(radius_px)
    )


def _framed_line(x: float, y: float, w: float, h: float, radius_px: float, half: float) -> None:
    """`half` of its width."""
    SmoothLine(points=frame(x, y, w, h, radius_px, half), width=half, close=True)


class Surface(Widget):  # type: ignore[misc]
    """A filled box with round corners and, if wanted, an outline."""

    def __init__(self, canvas: Canvas, ground: pieces.Ground, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        _stand(self, canvas, ground.box)
        with self.canvas:
            self.paint = Color(*rgb(ground.fill))
            if not ground.radius_px:
                Rectangle(pos=self.pos, size=self.size)
            else:
                _rounded(self.pos, self.size, ground.radius_px)
            if ground.edge_px:
                Color(*rgb(ground.edge))
                _outline(self, ground.edge_px, ground.radius_px)


def _outline(widget: Widget, width_px: float, radius_px: float) -> None:
    half = width_px / 2
    x, y = widget.pos
    w, h = widget.size
    _framed_line(x + half, y + half, w - 2 * half, h - 2 * half, max(radius_px - half, 1), half)


class Hatching(Widget):  # type: ignore[misc]
    """Slanted bars, as on the edge of something not to be mistaken."""

    def __init__(self, canvas: Canvas, stripes: pieces.Stripes, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        box, step = stripes.box, stripes.step_px
        _stand(self, canvas, box)
        x = float(box.x)
        low, high = canvas.height_px - box.bottom, canvas.height_px - box.y
        with self.canvas:
            Color(*rgb(BAND_INK))
            while x + step <= box.right:
                SmoothTriangle(points=[x, low, x + step / 2, low, x + step, high])
                SmoothTriangle(points=[x, low, x + step / 2, high, x + step, high])
                x += step


# --- keys --------------------------------------------------------------------


class Key(Widget):  # type: ignore[misc]
    """A button. It answers when the finger leaves it, so that a slip can still be drawn away."""

    def __init__(self, canvas: Canvas, key: pieces.Key, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        _stand(self, canvas, key.box)
        self.key, self.choice, self.box, self.look = key, key.choice, key.box, key.look
        self.height_px, self.press = canvas.height_px, canvas.press
        look = key.look
        ground = pieces.Ground(key.box, look.fill, look.edge, key.edge_px, key.radius_px)
        self.surface = Surface(canvas, ground)
        self.add_widget(self.surface)
        for part in key.parts:
            self.add_widget(widget_for(canvas, part))
        self.ring_inks = (canvas.theme.palette.ink, canvas.theme.palette.focus)
        self.focused = False

    def focus(self, on: bool) -> None:
        """Show which key the keyboard would press: two rings, dark around bright, are seen on
        every ground."""
        if on == self.focused:
            return
        self.focused = on
        self.canvas.after.clear()
        if on:
            self._ring()

    def _ring(self) -> None:
        with self.canvas.after:
            for ink, width in zip(self.ring_inks, (5, 3), strict=True):
                half = self.key.edge_px * width / 2
                points = frame(self.x, self.y, self.width, self.height, self.key.radius_px, half)
                Color(*rgb(ink))
                Line(points=points, width=half, close=True)

    def release(self) -> None:
        self.press(self.choice.button)

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
        if self.box.inset(-self.key.reach_px).holds(touch.x, self.height_px - touch.y):
            self.release()
        return True


# --- pictures ----------------------------------------------------------------


class QrCode(Widget):  # type: ignore[misc]
    """A QR code in the middle of a box, each module the same whole number of pixels."""

    def __init__(self, canvas: Canvas, code: pieces.Code, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        count = len(code.modules)
        self.module_px = max(1, int(min(code.box.w, code.box.h)) // count)
        side = float(self.module_px * count)
        _stand(self, canvas, code.box.middle(side, side))
        texture = Texture.create(size=(count, count), colorfmt="luminance")
        texture.mag_filter = texture.min_filter = "nearest"
        texture.flip_vertical()
        dots = bytes(0 if black else 255 for row in code.modules for black in row)
        texture.blit_buffer(dots, colorfmt="luminance", bufferfmt="ubyte")
        with self.canvas:
            Color(1, 1, 1)
            x, y = (round(place) for place in self.pos)
            Rectangle(texture=texture, pos=(x, y), size=(side, side))


class PictureFrame(Widget):  # type: ignore[misc]
    """Shows a picture so that it covers its box; `mirrored` for somebody looking at themselves."""

    def __init__(self, canvas: Canvas, glass: pieces.Glass, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        _stand(self, canvas, glass.box)
        self.mirrored = glass.mirrored
        self.shown: Picture | None = None
        self.texture: Any = None
        with self.canvas:
            self.paint = Color(*rgb(canvas.theme.palette.quiet_ink))
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

    def __init__(self, canvas: Canvas, glass: pieces.Glass, **kwargs: Any) -> None:
        super().__init__(canvas, glass, **kwargs)
        high = min(glass.box.h * 0.84, glass.box.w * 1.2)
        oval = glass.box.middle(high * 0.74, high)
        x, y = oval.x, canvas.height_px - oval.bottom
        with self.canvas:
            StencilPush()
            Rectangle(pos=self.pos, size=self.size)
            StencilUse()
            for width_mm, ink in ((1.5, canvas.theme.palette.header), (0.85, WHITE)):
                Color(*rgb(ink))
                Line(
                    ellipse=(x, y, oval.w, oval.h, 0, 360, 120), width=canvas.theme.mm(width_mm) / 2
                )
            StencilUnUse()
            Rectangle(pos=self.pos, size=self.size)
            StencilPop()


# --- drawings ----------------------------------------------------------------


class Drawing(Widget):  # type: ignore[misc]
    """A drawing in the largest square that fits the middle of a box."""

    def __init__(self, canvas: Canvas, sketch: pieces.Sketch, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        box = sketch.box
        _stand(self, canvas, box)
        side = min(box.w, box.h)
        sheet = box.middle(side, side)
        with self.canvas:
            PushMatrix()
            Translate(sheet.x, canvas.height_px - sheet.bottom, 0)
            sketch.strokes(KivyPen(side / 200, canvas.theme.palette))
            PopMatrix()


@dataclass(frozen=True, slots=True)
class KivyPen:
    """Draws into the canvas that is open. `unit` is the pixels of one unit of the sheet."""

    unit: float
    colours: Palette

    def paint(self, colour: Colour) -> None:
        Color(*rgb(colour))

    def disc(self, x: float, y: float, rx: float, ry: float) -> None:
        u = self.unit
        steps = 4 * quarter_pieces(max(rx, ry) * u)
        SmoothEllipse(
            pos=((x - rx) * u, (y - ry) * u), size=(2 * rx * u, 2 * ry * u), segments=steps
        )

    def ring(self, x: float, y: float, rx: float, ry: float, width: float) -> None:
        u = self.unit
        steps = 4 * quarter_pieces((max(rx, ry) + width / 2) * u)
        angles = [math.tau * step / steps for step in range(steps)]
        points = [p for a in angles for p in (x + rx * math.cos(a), y + ry * math.sin(a))]
        SmoothLine(points=[p * u for p in points], width=width * u / 2, close=True)

    def arc(self, x: float, y: float, r: float, start: float, end: float, width: float) -> None:
        """Angles in degrees clockwise from twelve o'clock."""
        u = self.unit
        steps = math.ceil(quarter_pieces((r + width / 2) * u) * abs(end - start) / 90)
        circle = (x * u, y * u, r * u, start, end, steps)
        SmoothLine(circle=circle, width=width * u / 2, cap="round")

    def slab(self, x: float, y: float, w: float, h: float, radius: float = 6) -> None:
        u = self.unit
        _rounded((x * u, y * u), (w * u, h * u), radius * u)

    def frame(self, x: float, y: float, w: float, h: float, radius: float, width: float) -> None:
        u = self.unit
        _framed_line(x * u, y * u, w * u, h * u, radius * u, width * u / 2)

    def line(self, *points: float, width: float = 5) -> None:
        u = self.unit
        SmoothLine(points=[p * u for p in points], width=width * u / 2, cap="round", joint="round")

    def triangle(self, *points: float) -> None:
        SmoothTriangle(points=[p * self.unit for p in points])


def _framed(canvas: Canvas, glass: pieces.Glass) -> PictureFrame:
    return Mirror(canvas, glass) if glass.oval else PictureFrame(canvas, glass)


_WIDGETS: dict[type, Callable[[Canvas, Any], Any]] = {
    pieces.Ground: Surface,
    pieces.Stripes: Hatching,
    pieces.Sketch: Drawing,
    pieces.Glass: _framed,
    pieces.Code: QrCode,
    pieces.Text: Words,
    pieces.Key: Key,
}


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

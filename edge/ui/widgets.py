"""The pieces of a screen: words, keys, drawings, the mirror. They know a `Screen`, not a session.

Imported only after `kivy_app` has set Kivy up. Boxes come in pixels from the
top left corner; Kivy counts from the bottom left, and `_stand` turns one into
the other.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
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
from edge.ui.controller import DrawnButton, Picture
from edge.ui.drawings import Strokes, exclamation, strokes, tick, to_come
from edge.ui.fonts import Fonts
from edge.ui.theme import BAND, BAND_INK, WHITE, Colour, Palette, Theme, rgb
from edge.ui.typeset import Box, columns, rows, wrap
from edge.ui.viewmodel import Art, Choice, Layout, Screen, Tone, Weight

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


Placing = Generator[Widget, None, Box]
"""Places widgets and returns the room that is left."""


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


def _look(kit: Kit, weight: Weight) -> Look:
    colours = kit.theme.palette
    if weight is Weight.SIDE:
        return Look(colours.side, colours.side_ink, colours.side_ink, colours.sky)
    return Look(colours.main, colours.main_ink, colours.main, colours.header)


# --- pictures ----------------------------------------------------------------


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


# --- a column of texts ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One text of a column; `panel` gives it a ground and a border of its own."""

    words: str
    style: Style
    panel: bool = False


PANEL_PAD_PX = 12
PARAGRAPH_GAP_PX = 13
GROWN = 1.15
"""How much larger than usual letters may be where there is room for it."""


def column(kit: Kit, paragraphs: Sequence[Paragraph], box: Box) -> Iterator[Widget]:
    """The paragraphs one below the other in the middle of the box, as large as there is room."""
    by = GROWN
    sized = [_sized(p, by) for p in paragraphs]
    while (total := _column_height(kit, sized, box)) > box.h and by > 0.6:
        by *= SHRINK
        sized = [_sized(p, by) for p in paragraphs]
    heights = [_paragraph_height(kit, p, box.w) for p in sized]
    spare = max(0.0, box.h - total) / (len(sized) + 1)
    gap = kit.px(PARAGRAPH_GAP_PX) + min(spare, kit.px(PARAGRAPH_GAP_PX))
    places = rows(box.middle(box.w, sum(heights) + gap * (len(sized) - 1)), heights, gap)
    for paragraph, place in zip(sized, places, strict=True):
        yield from _paragraph(kit, paragraph, place)


def _sized(paragraph: Paragraph, by: float) -> Paragraph:
    style = paragraph.style
    size_px = max(style.size_px * by, style.floor_px)
    return replace(paragraph, style=replace(style, size_px=size_px))


def _column_height(kit: Kit, paragraphs: Sequence[Paragraph], box: Box) -> float:
    gaps = kit.px(PARAGRAPH_GAP_PX) * (len(paragraphs) - 1)
    return gaps + sum(_paragraph_height(kit, p, box.w) for p in paragraphs)


def _paragraph_height(kit: Kit, paragraph: Paragraph, width: float) -> float:
    pad = kit.px(PANEL_PAD_PX) if paragraph.panel else 0.0
    room = width - (2 * pad + kit.px(54) if paragraph.panel else 0.0)
    return typeset(kit, paragraph.words, paragraph.style, room).height_px + 2 * pad


def _paragraph(kit: Kit, paragraph: Paragraph, box: Box) -> Iterator[Widget]:
    if not paragraph.panel:
        yield Words(kit, paragraph.words, paragraph.style, box)
        return
    colours = kit.theme.palette
    yield Surface(kit, box, colours.care, edge=colours.care_edge, edge_px=3, radius_px=14)
    inner = box.inset(kit.px(PANEL_PAD_PX))
    yield Drawing(kit, exclamation, inner.left(kit.px(42)))
    yield Words(kit, paragraph.words, paragraph.style, inner.without(left=kit.px(54)))


def _styles(kit: Kit) -> dict[str, Style]:
    colours = kit.theme.palette
    return {
        "title": Style(sizes.TITLE_PX, colours.header_ink, bold=True, floor_px=30),
        "prompt": Style(
            sizes.PROMPT_PX, colours.header_ink, bold=True, floor_px=sizes.PROMPT_FLOOR_PX
        ),
        "body": Style(sizes.BODY_PX, colours.ink),
        "lead": Style(sizes.TABLE_PX, colours.ink, bold=True),
        "good": Style(sizes.TABLE_PX, colours.good, bold=True),
        "label": Style(sizes.BODY_PX, colours.quiet_ink),
        "value": Style(sizes.TABLE_PX, colours.ink, bold=True),
        "advice": Style(sizes.BODY_PX, colours.care_ink, bold=True),
        "hint": Style(sizes.HINT_PX, colours.quiet_ink),
        "note": Style(sizes.NOTE_PX, colours.quiet_ink),
    }


def _paragraphs(kit: Kit, screen: Screen) -> list[Paragraph]:
    """Lines, the one thing to mend, the friendly hint, small print: always in this order."""
    style = _styles(kit)
    lines = [Paragraph(words, style["body"]) for words in screen.lines]
    if lines and screen.name == "finished":
        first = style["good"] if screen.tone is Tone.GOOD else style["lead"]
        lines[0] = Paragraph(screen.lines[0], first)
    alone = screen.layout is Layout.GUIDE and not lines
    hint = style["body" if alone else "hint"]
    rest = (
        Paragraph(screen.advice, style["advice"], panel=True),
        Paragraph(screen.hint, hint),
        Paragraph(screen.note, style["note"]),
    )
    return [*lines, *(p for p in rest if p.words)]


# --- the parts of a screen -------------------------------------------------------


def band(kit: Kit, screen: Screen, box: Box) -> Iterator[Widget]:
    """The mark of simulated devices, hatched at both ends."""
    yield Surface(kit, box, BAND)
    for end in (box.left(kit.px(360)), box.end(kit.px(360))):
        yield Hatching(kit, end)
    style = Style(sizes.BAND_PX, BAND_INK, bold=True, align="center")
    yield Words(kit, screen.band, style, box.middle(box.w - kit.px(720), box.h))


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


def header(kit: Kit, screen: Screen, box: Box) -> Iterator[Widget]:
    """The headline; at its end the other languages and, near the end, more time."""
    colours = kit.theme.palette
    yield Surface(kit, box, colours.header)
    inner = box.inset(kit.px(sizes.MARGIN_PX), kit.px(10))
    gap = kit.px(sizes.GAP_PX)
    for choice in screen.languages:
        look = Look(colours.header, colours.header_ink, colours.header_ink, colours.main)
        yield _key(kit, choice, inner.end(kit.px(150)), look, sizes.HINT_PX)
        inner = inner.without(end=kit.px(150) + gap)
    if screen.more_time:
        look = Look(colours.urgent, colours.urgent_ink, colours.urgent_ink, colours.care)
        yield _key(kit, screen.more_time, inner.end(kit.px(270)), look, sizes.KEY_PX)
        inner = inner.without(end=kit.px(270) + gap)
    style = _styles(kit)["prompt" if screen.prompt else "title"]
    yield Words(kit, screen.headline, style, inner)


def _key(kit: Kit, choice: Choice, box: Box, look: Look, size_px: float) -> Key:
    return Key(kit, choice, box, look, Style(size_px, look.ink, bold=True, align="center"))


def choices(kit: Kit, screen: Screen, box: Box) -> Iterator[Widget]:
    """The main keys side by side, all of one size."""
    places = columns(box, len(screen.choices), kit.px(sizes.GAP_PX))
    if len(screen.choices) == 1:
        places = [box.middle(min(box.w, kit.px(560)), box.h)]
    for choice, place in zip(screen.choices, places, strict=True):
        yield _key(kit, choice, place, _look(kit, choice.weight), sizes.KEY_PX)


FOOTER_KEY_PX = 170
TERMINAL_PX = 180
TIME_PX = 200


def footer(kit: Kit, screen: Screen, box: Box) -> Iterator[Widget]:
    """Terminal number and the keys that work everywhere."""
    colours = kit.theme.palette
    yield Surface(kit, box, colours.footer)
    inner = box.inset(kit.px(sizes.MARGIN_PX), kit.px(10))
    number = Style(sizes.NOTE_PX, colours.quiet_ink)
    yield Words(kit, screen.footer.terminal, number, inner.left(kit.px(TERMINAL_PX)))
    middle = inner.without(left=kit.px(TERMINAL_PX + 20), end=kit.px(TIME_PX + 20))
    gap, width = kit.px(sizes.GAP_PX), kit.px(FOOTER_KEY_PX)
    count = len(screen.footer.buttons)
    row = middle.middle(count * width + max(count - 1, 0) * gap, middle.h)
    for choice, place in zip(screen.footer.buttons, columns(row, count, gap), strict=True):
        yield _key(kit, choice, place, _look(kit, Weight.SIDE), sizes.FOOTER_PX)


def time_left(kit: Kit, screen: Screen, box: Box) -> Iterator[Widget]:
    """剩余N秒; in the last half minute on a bright ground."""
    if not screen.footer.time_left:
        return
    colours = kit.theme.palette
    place = box.inset(kit.px(sizes.MARGIN_PX), kit.px(28)).end(kit.px(TIME_PX))
    ink = colours.ink
    if screen.footer.urgent:
        ink = colours.urgent_ink
        yield Surface(kit, place, colours.urgent, edge=ink, edge_px=3, radius_px=14)
    style = Style(sizes.FOOTER_PX, ink, bold=True, align="center")
    yield Words(kit, screen.footer.time_left, style, place.inset(kit.px(8), 0))


def body(kit: Kit, screen: Screen, box: Box) -> Iterator[Widget]:
    """Everything between header and footer but the mirror."""
    return _BODIES[screen.layout](kit, screen, box.inset(kit.px(sizes.MARGIN_PX), kit.px(20)))


def _home_body(kit: Kit, screen: Screen, box: Box) -> Iterator[Widget]:
    gap = kit.px(sizes.MARGIN_PX)
    for choice, place in zip(screen.choices, columns(box.left(kit.px(560)), 1, gap), strict=True):
        look = _look(kit, choice.weight)
        style = Style(sizes.TABLE_PX, look.ink, bold=True, align="center")
        yield Tile(kit, choice, place, look, style, screen.art)
    yield from column(kit, _paragraphs(kit, screen), box.without(left=kit.px(560) + gap))


def _guide_body(kit: Kit, screen: Screen, box: Box) -> Iterator[Widget]:
    content = yield from _with_choices(kit, screen, box)
    side = min(content.h, kit.px(360))
    yield Drawing(kit, strokes(screen.art), content.left(kit.px(380)).middle(side, side))
    yield from column(kit, _paragraphs(kit, screen), content.without(left=kit.px(430)))


def _with_choices(kit: Kit, screen: Screen, box: Box) -> Placing:
    """Put the keys at the foot and return what room is left above them."""
    if not screen.choices:
        return box
    height = kit.px(sizes.KEY_HEIGHT_PX)
    yield from choices(kit, screen, box.foot(height))
    return box.without(foot=height + kit.px(20))


def _page_body(kit: Kit, screen: Screen, box: Box) -> Iterator[Widget]:
    """Lines on a white sheet, the hint below."""
    content = yield from _with_choices(kit, screen, box)
    content = yield from _hint_at_foot(kit, screen, content)
    yield from _sheet(kit, content)
    style = _styles(kit)["body"]
    inner = content.inset(kit.px(30), kit.px(14))
    for words, place in zip(screen.lines, _shared(inner, len(screen.lines)), strict=True):
        yield Words(kit, words, style, place)


def _table_body(kit: Kit, screen: Screen, box: Box) -> Iterator[Widget]:
    """Label and value side by side on a white sheet."""
    content = yield from _with_choices(kit, screen, box)
    content = yield from _hint_at_foot(kit, screen, content)
    style = _styles(kit)
    for words in screen.lines:
        yield Words(kit, words, style["body"], content.top(kit.px(48)))
        content = content.without(top=kit.px(56))
    if not screen.fields:
        return
    content = content.middle(content.w, min(content.h, kit.px(84) * len(screen.fields)))
    yield from _sheet(kit, content)
    inner = content.inset(kit.px(36), kit.px(12))
    for (label, value), place in zip(
        screen.fields, _shared(inner, len(screen.fields)), strict=True
    ):
        yield Words(kit, label, style["label"], place.left(kit.px(260)))
        yield Words(kit, value, style["value"], place.without(left=kit.px(280)))


def _sheet(kit: Kit, box: Box) -> Iterator[Widget]:
    colours = kit.theme.palette
    yield Surface(kit, box, colours.panel, edge=colours.edge, edge_px=2, radius_px=14)


def _shared(box: Box, count: int) -> list[Box]:
    """Equal rows that share the box's height."""
    return rows(box, [box.h / max(count, 1)] * count, 0)


def _hint_at_foot(kit: Kit, screen: Screen, box: Box) -> Placing:
    """Advice and hint below the sheet; returns the room above them."""
    told = [p for p in _paragraphs(kit, screen) if p.words not in screen.lines]
    if not told:
        return box
    height = _column_height(kit, told, box)
    yield from column(kit, told, box.foot(height))
    return box.without(foot=height + kit.px(14))


MIRROR_PX = 620


def mirror_box(kit: Kit, box: Box) -> Box:
    """Where the camera picture stands on a screen that shows it."""
    return box.inset(kit.px(sizes.MARGIN_PX), kit.px(20)).left(kit.px(MIRROR_PX))


def _mirror_body(kit: Kit, screen: Screen, box: Box) -> Iterator[Widget]:
    """Beside the mirror: the movement, how far we are, and the way to a person."""
    yield from _caption(kit, screen, box.left(kit.px(MIRROR_PX)).inset(kit.px(16)))
    panel = box.without(left=kit.px(MIRROR_PX + sizes.MARGIN_PX))
    panel = yield from _with_choices(kit, screen, panel)
    told = [p for p in _paragraphs(kit, screen) if p.words != screen.advice]
    if screen.lines:
        yield from column(kit, told, panel)
        return
    yield Drawing(kit, strokes(screen.art), panel.left(panel.w * 0.5))
    yield from _progress(kit, screen, told, panel.end(panel.w * 0.46))


def _caption(kit: Kit, screen: Screen, box: Box) -> Iterator[Widget]:
    """The one thing to mend stands in the mirror, where the person is looking."""
    if screen.advice:
        advice = [Paragraph(screen.advice, _styles(kit)["advice"], panel=True)]
        yield from column(kit, advice, box.foot(_column_height(kit, advice, box)))


def _progress(kit: Kit, screen: Screen, told: Sequence[Paragraph], box: Box) -> Iterator[Widget]:
    """第2个动作，共4个, with a mark for each movement; the hint below."""
    done, steps = screen.progress or (0, 0)
    for number, place in enumerate(columns(box.top(kit.px(44)), steps, kit.px(10))):
        yield Drawing(kit, tick if number < done else to_come, place)
    words = Paragraph(screen.progress_words, Style(sizes.HINT_PX, kit.theme.palette.ink, bold=True))
    yield from column(kit, [words, *told], box.without(top=kit.px(54)))


def portrait_box(kit: Kit, box: Box) -> Box:
    """Where the picture taken stands: upright, above the keys."""
    inner = box.inset(kit.px(sizes.MARGIN_PX), kit.px(20))
    inner = inner.without(foot=kit.px(sizes.KEY_HEIGHT_PX + 20))
    return inner.left(kit.px(380)).middle(inner.h * 0.8, inner.h)


def _portrait_body(kit: Kit, screen: Screen, box: Box) -> Iterator[Widget]:
    content = yield from _with_choices(kit, screen, box)
    yield from column(kit, _paragraphs(kit, screen), content.without(left=kit.px(430)))


_BODIES: dict[Layout, Callable[[Kit, Screen, Box], Iterator[Widget]]] = {
    Layout.HOME: _home_body,
    Layout.GUIDE: _guide_body,
    Layout.TABLE: _table_body,
    Layout.PAGE: _page_body,
    Layout.MIRROR: _mirror_body,
    Layout.PORTRAIT: _portrait_body,
}


# --- the whole screen ----------------------------------------------------------


class Stage(Widget):  # type: ignore[misc]
    """A screen in zones. A zone is built anew only when what it shows has changed, so that a key
    under a finger stays while the words around it move on.
    """

    def __init__(self, kit: Kit, width_px: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kit, self.box = kit, Box(0, 0, width_px, kit.height_px)
        self.screen: Screen | None = None
        self.picture: PictureFrame | None = None
        self._keys: dict[str, object] = {}
        self._zones: dict[str, Widget] = {}
        self._focus: int | None = None

    def show(self, screen: Screen) -> None:
        """Draw whatever differs from the screen before."""
        if self.screen is not None and self.screen.name != screen.name:
            self._focus = None
        self.screen = screen
        kit, px = self.kit, self.kit.px
        rest = self.box.without(top=px(sizes.BAND_HEIGHT_PX) if screen.band else 0)
        bar = px(sizes.BAR_HEIGHT_PX)
        inner = rest.without(top=bar, foot=bar)
        foot = rest.foot(bar)
        self._zone("band", screen.band, lambda: band(kit, screen, self.box.top(rest.y)))
        self._picture_zone(screen, inner)
        self._zone("body", _body_key(screen), lambda: body(kit, screen, inner))
        self._zone("header", _header_key(screen), lambda: header(kit, screen, rest.top(bar)))
        self._zone("footer", _footer_key(screen), lambda: footer(kit, screen, foot))
        # The footer's ground is repainted by its own zone, so the time goes on top of it.
        time_key = (_footer_key(screen), screen.footer.time_left, screen.footer.urgent)
        self._zone("time", time_key, lambda: time_left(kit, screen, foot))
        self._refocus()

    def _zone(self, name: str, key: object, build: Callable[[], Iterator[Widget]]) -> None:
        if name in self._zones and self._keys[name] == key:
            return
        if name in self._zones:
            self.remove_widget(self._zones[name])
        zone = Widget()
        for part in build() if key else ():
            zone.add_widget(part)
        self._keys[name], self._zones[name] = key, zone
        self.add_widget(zone)

    def _picture_zone(self, screen: Screen, inner: Box) -> None:
        """The mirror lives as long as the camera is shown, whatever the words say."""
        key = (screen.shows_preview, screen.shows_portrait)
        if self._keys.get("picture") == key:
            return
        self.picture = None
        if screen.shows_preview:
            self.picture = Mirror(self.kit, mirror_box(self.kit, inner))
        elif screen.shows_portrait:
            place = portrait_box(self.kit, inner)
            self.picture = PictureFrame(self.kit, place, mirrored=False)
        shown = self.picture
        self._zone("picture", key, lambda: iter([shown] if shown else []))

    def words(self) -> list[Words]:
        """All texts on the stage, from top to bottom."""
        found = [w for w in self.walk(restrict=True) if isinstance(w, Words)]
        return sorted(found, key=lambda w: (w.box.y, w.box.x))

    def all_keys(self) -> list[Key]:
        """All keys in the order of reading."""
        found = [k for k in self.walk(restrict=True) if isinstance(k, Key)]
        return sorted(found, key=lambda k: (k.box.y, k.box.x))

    def drawn_buttons(self) -> tuple[DrawnButton, ...]:
        centres = [(key.choice.label, *key.box.centre) for key in self.all_keys()]
        return tuple(DrawnButton(label, round(x), round(y)) for label, x, y in centres)

    # --- the keyboard ---

    def main_keys(self) -> list[Key]:
        """Keys 1, 2, 3: the main choices."""
        wanted = {choice.button for choice in self.screen.choices} if self.screen else set()
        return [key for key in self.all_keys() if key.choice.button in wanted]

    def move_focus(self, by: int) -> None:
        count = len(self.all_keys())
        if not count:
            return
        start = -1 if self._focus is None and by > 0 else (self._focus or 0)
        self._focus = (start + by) % count
        self._refocus()

    def focused(self) -> Key | None:
        keys = self.all_keys()
        return keys[self._focus] if self._focus is not None and self._focus < len(keys) else None

    def _refocus(self) -> None:
        chosen = self.focused()
        for key in self.all_keys():
            key.focus(key is chosen)


def _header_key(screen: Screen) -> object:
    return (screen.headline, bool(screen.prompt), screen.languages, screen.more_time)


def _footer_key(screen: Screen) -> object:
    return (screen.footer.terminal, screen.footer.buttons)


def _body_key(screen: Screen) -> object:
    return (
        screen.name,
        screen.layout,
        screen.lines,
        screen.fields,
        screen.advice,
        screen.hint,
        screen.note,
        screen.art,
        screen.tone,
        screen.progress,
        screen.progress_words,
        screen.choices,
    )


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

"""Our own drawings, as strokes on a sheet of 200 x 200 units. Nothing here knows who draws them.

A head is seen as in a mirror, beside the mirrored camera picture: the person's
left is the left of the sheet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from edge.ui.screen import Art
from edge.ui.theme import WHITE, Colour, Palette


class Pen(Protocol):
    """Draws on the sheet; the origin is at the bottom left. `width` is that of a stroke."""

    @property
    def colours(self) -> Palette: ...

    def paint(self, colour: Colour) -> None: ...

    def disc(self, x: float, y: float, rx: float, ry: float) -> None: ...

    def ring(self, x: float, y: float, rx: float, ry: float, width: float) -> None: ...

    def arc(self, x: float, y: float, r: float, start: float, end: float, width: float) -> None:
        """Angles in degrees clockwise from twelve o'clock."""
        ...

    def slab(self, x: float, y: float, w: float, h: float, radius: float) -> None: ...

    def frame(
        self, x: float, y: float, w: float, h: float, radius: float, width: float
    ) -> None: ...

    def line(self, *points: float, width: float) -> None: ...

    def triangle(self, *points: float) -> None: ...


Strokes = Callable[[Pen], None]


def strokes(art: Art) -> Strokes:
    """How a drawing is made."""
    return _ARTS[art]


def _nothing(pen: Pen) -> None:
    """A screen without a drawing."""


def _arrow(pen: Pen, x: float, y: float, dx: int, dy: int, length: float = 40) -> None:
    """A thick arrow from (x, y) in one of the four directions."""
    tip_x, tip_y = x + dx * length, y + dy * length
    pen.line(x, y, tip_x - dx * 14, tip_y - dy * 14, width=14)
    side_x, side_y = dy * 22, dx * 22
    base_x, base_y = tip_x - dx * 26, tip_y - dy * 26
    pen.triangle(tip_x, tip_y, base_x + side_x, base_y + side_y, base_x - side_x, base_y - side_y)


def _card_at(pen: Pen, x: float, y: float) -> None:
    colours = pen.colours
    pen.paint(colours.panel)
    pen.slab(x, y, 112, 70, 9)
    pen.paint(colours.side_ink)
    pen.frame(x, y, 112, 70, 9, 4)
    pen.slab(x + 12, y + 48, 42, 7, 3)
    pen.slab(x + 12, y + 33, 34, 7, 3)
    pen.slab(x + 12, y + 12, 88, 8, 3)
    pen.paint(colours.sky)
    pen.slab(x + 68, y + 26, 32, 34, 4)
    pen.paint(colours.side_ink)
    pen.disc(x + 84, y + 48, 7, 8)
    pen.disc(x + 84, y + 33, 12, 6)


def _reader(pen: Pen) -> None:
    colours = pen.colours
    pen.paint(colours.side_ink)
    pen.slab(14, 14, 172, 52, 14)
    pen.paint(colours.sky)
    pen.slab(30, 40, 140, 14, 7)


def _card(pen: Pen) -> None:
    _reader(pen)
    _card_at(pen, 44, 104)
    pen.paint(pen.colours.main)
    _arrow(pen, 100, 98, 0, -1, 38)


def _take_card(pen: Pen) -> None:
    _reader(pen)
    _card_at(pen, 44, 70)
    pen.paint(pen.colours.care_edge)
    _arrow(pen, 100, 150, 0, 1, 44)


def _wait(pen: Pen) -> None:
    colours = pen.colours
    pen.paint(colours.sky)
    pen.disc(100, 100, 78, 78)
    pen.paint(colours.panel)
    pen.disc(100, 100, 62, 62)
    pen.paint(colours.side_ink)
    pen.ring(100, 100, 78, 78, 6)
    pen.line(100, 100, 100, 146, width=9)
    pen.line(100, 100, 132, 82, width=9)
    pen.disc(100, 100, 8, 8)


def _person(pen: Pen) -> None:
    """Somebody behind a counter, with a speech bubble."""
    colours = pen.colours
    pen.paint(colours.main)
    pen.slab(42, 40, 96, 76, 36)
    pen.paint(colours.skin)
    pen.disc(90, 134, 30, 34)
    pen.paint(colours.side_ink)
    pen.ring(90, 134, 30, 34, 5)
    pen.disc(80, 138, 3.5, 4)
    pen.disc(101, 138, 3.5, 4)
    pen.arc(90, 130, 13, 115, 245, 4)
    pen.slab(12, 26, 176, 34, 8)
    pen.paint(colours.sky)
    pen.slab(134, 142, 58, 42, 14)
    pen.triangle(140, 150, 158, 144, 132, 130)
    pen.paint(colours.side_ink)
    for x in (149, 163, 177):
        pen.disc(x, 163, 4.5, 4.5)


def _bust(pen: Pen, x: float, y: float, coat: Colour, hair: Colour) -> None:
    """Head and shoulders around (x, y)."""
    colours = pen.colours
    pen.paint(coat)
    pen.slab(x - 44, y - 96, 88, 72, 34)
    pen.slab(x - 44, y - 96, 88, 34, 6)
    pen.paint(colours.skin)
    pen.disc(x, y, 28, 32)
    pen.paint(hair)
    pen.disc(x, y + 22, 24, 12)
    pen.paint(colours.side_ink)
    pen.ring(x, y, 28, 32, 5)
    pen.disc(x - 10, y + 4, 3.5, 4)
    pen.disc(x + 10, y + 4, 3.5, 4)
    pen.arc(x, y - 4, 12, 115, 245, 4)


def _people(pen: Pen) -> None:
    """An old person, and a younger one beside."""
    colours = pen.colours
    _bust(pen, 140, 112, colours.care_edge, colours.side_ink)
    _bust(pen, 62, 104, colours.main, colours.edge)


def _record(pen: Pen) -> None:
    """A sheet with somebody's picture and what is written about them."""
    colours = pen.colours
    pen.paint(colours.panel)
    pen.slab(36, 12, 128, 176, 10)
    pen.paint(colours.side_ink)
    pen.frame(36, 12, 128, 176, 10, 5)
    pen.paint(colours.sky)
    pen.slab(54, 112, 46, 56, 5)
    pen.paint(colours.side_ink)
    pen.disc(77, 146, 10, 11)
    pen.disc(77, 122, 17, 9)
    for x, y, w in ((112, 154, 36), (112, 134, 30), (54, 86, 92), (54, 62, 92), (54, 38, 58)):
        pen.slab(x, y, w, 9, 4)


def _head(
    pen: Pen, dx: float = 0, dy: float = 0, *, eyes: str = "open", mouth: str = "smile"
) -> None:
    """A head seen as in a mirror; the features shifted by (dx, dy) turn it."""
    colours = pen.colours
    pen.paint(colours.main)
    pen.slab(44, 0, 112, 42, 30)
    pen.paint(colours.skin)
    pen.slab(84, 28, 32, 34, 8)
    pen.disc(100, 104, 50, 60)
    pen.paint(colours.side_ink)
    pen.ring(100, 104, 50, 60, 6)
    for x in (80, 120):
        _eye(pen, x + dx, 116 + dy, eyes)
    pen.line(100 + dx * 1.35, 108 + dy, 100 + dx * 1.5, 96 + dy, width=5)
    if mouth == "open":
        pen.disc(100 + dx, 72 + dy, 17, 20)
        pen.paint(colours.bad)
        pen.disc(100 + dx, 62 + dy, 10, 7)
    else:
        pen.arc(100 + dx, 84 + dy, 17, 120, 240, 5)


def _eye(pen: Pen, x: float, y: float, eyes: str) -> None:
    if eyes == "open":
        pen.disc(x, y, 6, 7)
        return
    pen.arc(x, y + 8, 13, 125, 235, 5)
    for dx in (-9, 0, 9):
        pen.line(x + dx * 0.8, y - 5 + abs(dx) * 0.2, x + dx * 1.2, y - 14, width=3.5)


def _pointing(dx: int, dy: int) -> Strokes:
    """A head that has begun to turn, and an arrow the way it goes on."""

    def drawing(pen: Pen) -> None:
        _head(pen, dx * 16, dy * (20 if dy > 0 else 13))
        pen.paint(pen.colours.care_edge)
        if dx:
            _arrow(pen, 100 + dx * 56, 104, dx, 0, 42)
        else:
            _arrow(pen, 178, 104 - dy * 30, 0, dy, 66)

    return drawing


def _face(pen: Pen) -> None:
    _head(pen)
    pen.paint(pen.colours.main)
    for x, y, sx, sy in ((22, 184, 1, -1), (178, 184, -1, -1), (22, 26, 1, 1), (178, 26, -1, 1)):
        pen.line(x, y + 30 * sy, x, y, x + 30 * sx, y, width=7)


def _looking(pen: Pen) -> None:
    _head(pen, 0, 4)
    colours = pen.colours
    pen.paint(colours.side_ink)
    pen.slab(70, 176, 60, 22, 10)
    pen.paint(colours.sky)
    pen.disc(100, 187, 8, 8)
    pen.paint(colours.care_edge)
    for x in (30, 170):
        pen.line(x, 120, 100 + (x - 100) * 0.55, 176, width=4)


def _mouth(pen: Pen) -> None:
    _head(pen, mouth="open")


def _blink(pen: Pen) -> None:
    _head(pen, eyes="closed")


def _slip(pen: Pen) -> None:
    colours = pen.colours
    pen.paint(colours.side_ink)
    pen.slab(20, 116, 160, 66, 14)
    pen.paint(colours.sky)
    pen.disc(158, 162, 6, 6)
    pen.paint(colours.ink)
    pen.slab(40, 126, 120, 10, 5)
    pen.paint(colours.panel)
    pen.slab(52, 18, 96, 114, 3)
    pen.paint(colours.side_ink)
    pen.frame(52, 18, 96, 114, 3, 4)
    for y, w in ((108, 64), (90, 52), (72, 60)):
        pen.slab(68, y, w, 7, 3)


def _badge(pen: Pen, colour: Colour) -> None:
    pen.paint(pen.colours.panel)
    pen.disc(146, 46, 42, 42)
    pen.paint(colour)
    pen.disc(146, 46, 37, 37)
    pen.paint(WHITE)


def _slip_done(pen: Pen) -> None:
    _slip(pen)
    _badge(pen, pen.colours.good)
    pen.line(128, 46, 141, 32, 165, 62, width=9)


def _slip_failed(pen: Pen) -> None:
    _slip(pen)
    _badge(pen, pen.colours.care_edge)
    pen.line(146, 66, 146, 42, width=9)
    pen.disc(146, 27, 5.5, 5.5)


def _done(pen: Pen) -> None:
    colours = pen.colours
    pen.paint(colours.good)
    pen.disc(100, 100, 82, 82)
    pen.paint(WHITE)
    pen.line(58, 100, 88, 68, 144, 134, width=16)


def _code(pen: Pen) -> None:
    """A few squares that look like a QR code and hold nothing."""
    colours = pen.colours
    pen.paint(colours.panel)
    pen.slab(24, 24, 152, 152, 12)
    pen.paint(colours.side_ink)
    pen.frame(24, 24, 152, 152, 12, 5)
    for x, y in ((40, 116), (116, 116), (40, 40)):
        pen.frame(x, y, 44, 44, 3, 8)
        pen.slab(x + 14, y + 14, 16, 16, 2)
    for x, y in ((100, 100), (120, 84), (140, 90), (104, 60), (124, 44), (148, 64), (144, 40)):
        pen.slab(x, y, 14, 14, 2)


def _smiley(pen: Pen) -> None:
    """A round face without a mouth."""
    colours = pen.colours
    pen.paint(colours.skin)
    pen.disc(100, 100, 84, 84)
    pen.paint(colours.side_ink)
    pen.ring(100, 100, 84, 84, 9)
    pen.disc(72, 122, 9, 12)
    pen.disc(128, 122, 9, 12)


def _glad(pen: Pen) -> None:
    _smiley(pen)
    pen.arc(100, 100, 50, 110, 250, 11)


def _even(pen: Pen) -> None:
    _smiley(pen)
    pen.line(66, 66, 134, 66, width=11)


def _sorry(pen: Pen) -> None:
    _smiley(pen)
    pen.arc(100, 26, 46, -52, 52, 11)


def tick(pen: Pen) -> None:
    """A movement that is done."""
    pen.paint(pen.colours.good)
    pen.disc(100, 100, 96, 96)
    pen.paint(WHITE)
    pen.line(56, 100, 88, 66, 144, 136, width=26)


def to_come(pen: Pen) -> None:
    """A movement still to come."""
    pen.paint(pen.colours.side_ink)
    pen.ring(100, 100, 84, 84, 24)


def exclamation(pen: Pen) -> None:
    """Beside an advice, so that its colour is not alone."""
    pen.paint(pen.colours.care_ink)
    pen.disc(100, 100, 96, 96)
    pen.paint(WHITE)
    pen.line(100, 156, 100, 90, width=26)
    pen.disc(100, 50, 15, 15)


def cross(pen: Pen) -> None:
    """Beside a part that does not work."""
    pen.paint(pen.colours.bad)
    pen.disc(100, 100, 96, 96)
    pen.paint(WHITE)
    pen.line(62, 62, 138, 138, width=26)
    pen.line(62, 138, 138, 62, width=26)


_ARTS: dict[Art, Strokes] = {
    Art.NONE: _nothing,
    Art.CARD: _card,
    Art.TAKE_CARD: _take_card,
    Art.WAIT: _wait,
    Art.PERSON: _person,
    Art.PEOPLE: _people,
    Art.RECORD: _record,
    Art.FACE: _face,
    Art.LOOK: _looking,
    Art.LEFT: _pointing(-1, 0),
    Art.RIGHT: _pointing(1, 0),
    Art.UP: _pointing(0, 1),
    Art.DOWN: _pointing(0, -1),
    Art.MOUTH: _mouth,
    Art.BLINK: _blink,
    Art.SLIP: _slip,
    Art.SLIP_DONE: _slip_done,
    Art.SLIP_FAILED: _slip_failed,
    Art.DONE: _done,
    Art.CODE: _code,
    Art.GLAD: _glad,
    Art.EVEN: _even,
    Art.SORRY: _sorry,
}

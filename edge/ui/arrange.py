"""Where everything stands on a screen: from a `Screen` to widgets in boxes.

Each part of a screen is a generator of widgets. One that is a `Placing` also
returns the room it left over, so that parts can be stacked by handing boxes on.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from edge.session.events import Button
from edge.ui import theme as sizes
from edge.ui.controller import DrawnButton
from edge.ui.drawings import cross, exclamation, strokes, tick, to_come
from edge.ui.qr import modules
from edge.ui.screen import Art, Choice, Layout, Mark, Row, Screen, Tone, Weight
from edge.ui.theme import BAND, BAND_INK
from edge.ui.typeset import Box, columns, rows
from edge.ui.widgets import (
    SHRINK,
    Drawing,
    Group,
    Hatching,
    Key,
    Kit,
    Look,
    Mirror,
    PictureFrame,
    QrCode,
    Style,
    Surface,
    Tile,
    Words,
    typeset,
)

Placing = Generator[Any, None, Box]
"""Places widgets and returns the room that is left."""


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


def column(kit: Kit, paragraphs: Sequence[Paragraph], box: Box) -> Iterator[Any]:
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


def _paragraph(kit: Kit, paragraph: Paragraph, box: Box) -> Iterator[Any]:
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


def band(kit: Kit, screen: Screen, box: Box) -> Iterator[Any]:
    """The mark of simulated devices, hatched at both ends."""
    yield Surface(kit, box, BAND)
    for end in (box.left(kit.px(360)), box.end(kit.px(360))):
        yield Hatching(kit, end)
    style = Style(sizes.BAND_PX, BAND_INK, bold=True, align="center")
    yield Words(kit, screen.band, style, box.middle(box.w - kit.px(720), box.h))


def header(kit: Kit, screen: Screen, box: Box) -> Iterator[Any]:
    """The headline; at its end languages, the voice once more and, near the end, more time."""
    colours = kit.theme.palette
    yield Surface(kit, box, colours.header)
    inner = box.inset(kit.px(sizes.MARGIN_PX), kit.px(10))
    gap = kit.px(sizes.GAP_PX)
    look = Look(colours.header, colours.header_ink, colours.header_ink, colours.main)
    for choice in (*screen.languages, *((screen.repeat,) if screen.repeat else ())):
        yield _key(kit, choice, inner.end(kit.px(150)), look, sizes.HINT_PX)
        inner = inner.without(end=kit.px(150) + gap)
    if screen.more_time:
        look = Look(colours.urgent, colours.urgent_ink, colours.urgent_ink, colours.care)
        yield _key(kit, screen.more_time, inner.end(kit.px(270)), look, sizes.KEY_PX)
        inner = inner.without(end=kit.px(270) + gap)
    style = _styles(kit)["prompt" if screen.prompt else "title"]
    yield Words(kit, screen.headline, style, inner)


def _look(kit: Kit, weight: Weight) -> Look:
    colours = kit.theme.palette
    if weight is Weight.SIDE:
        return Look(colours.side, colours.side_ink, colours.side_ink, colours.sky)
    return Look(colours.main, colours.main_ink, colours.main, colours.header)


def _key(kit: Kit, choice: Choice, box: Box, look: Look, size_px: float) -> Key:
    return Key(kit, choice, box, look, Style(size_px, look.ink, bold=True, align="center"))


def choices(kit: Kit, screen: Screen, box: Box) -> Iterator[Any]:
    """The main keys side by side, all of one size."""
    places = columns(box, len(screen.choices), kit.px(sizes.GAP_PX))
    if len(screen.choices) == 1:
        places = [box.middle(min(box.w, kit.px(560)), box.h)]
    for choice, place in zip(screen.choices, places, strict=True):
        yield _key(kit, choice, place, _look(kit, choice.weight), sizes.KEY_PX)


FOOTER_KEY_PX = 170
TERMINAL_PX = 180
TIME_PX = 200


def footer(kit: Kit, screen: Screen, box: Box) -> Iterator[Any]:
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


def time_left(kit: Kit, screen: Screen, box: Box) -> Iterator[Any]:
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


def body(kit: Kit, screen: Screen, box: Box) -> Iterator[Any]:
    """Everything between header and footer but the mirror."""
    return _BODIES[screen.layout](kit, screen, box.inset(kit.px(sizes.MARGIN_PX), kit.px(20)))


def _home_body(kit: Kit, screen: Screen, box: Box) -> Iterator[Any]:
    gap = kit.px(sizes.MARGIN_PX)
    for choice, place in zip(screen.choices, columns(box.left(kit.px(560)), 1, gap), strict=True):
        look = _look(kit, choice.weight)
        style = Style(sizes.TABLE_PX, look.ink, bold=True, align="center")
        yield Tile(kit, choice, place, look, style, screen.art)
    yield from column(kit, _paragraphs(kit, screen), box.without(left=kit.px(560) + gap))


def _guide_body(kit: Kit, screen: Screen, box: Box) -> Iterator[Any]:
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


def _page_body(kit: Kit, screen: Screen, box: Box) -> Iterator[Any]:
    """Lines on a white sheet, the hint below."""
    content = yield from _with_choices(kit, screen, box)
    content = yield from _hint_at_foot(kit, screen, content)
    yield from _sheet(kit, content)
    style = _styles(kit)["body"]
    inner = content.inset(kit.px(30), kit.px(14))
    for words, place in zip(screen.lines, _shared(inner, len(screen.lines)), strict=True):
        yield Words(kit, words, style, place)


def _table_body(kit: Kit, screen: Screen, box: Box) -> Iterator[Any]:
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


def _sheet(kit: Kit, box: Box) -> Iterator[Any]:
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


def _mirror_body(kit: Kit, screen: Screen, box: Box) -> Iterator[Any]:
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


def _caption(kit: Kit, screen: Screen, box: Box) -> Iterator[Any]:
    """The one thing to mend stands in the mirror, where the person is looking."""
    if screen.advice:
        advice = [Paragraph(screen.advice, _styles(kit)["advice"], panel=True)]
        yield from column(kit, advice, box.foot(_column_height(kit, advice, box)))


def _progress(kit: Kit, screen: Screen, told: Sequence[Paragraph], box: Box) -> Iterator[Any]:
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


def _portrait_body(kit: Kit, screen: Screen, box: Box) -> Iterator[Any]:
    content = yield from _with_choices(kit, screen, box)
    yield from column(kit, _paragraphs(kit, screen), content.without(left=kit.px(430)))


CODE_SHARE = 0.5
"""Of the body's longer side at most."""


def _code_body(kit: Kit, screen: Screen, box: Box) -> Iterator[Any]:
    """The code as large as there is room, so that a phone reads it at arm's length."""
    gap = kit.px(sizes.MARGIN_PX)
    if box.h > box.w:
        side = min(box.w, box.h * CODE_SHARE)
        place, rest = box.top(side), box.without(top=side + gap)
    else:
        side = min(box.h, box.w * CODE_SHARE)
        place, rest = box.end(side), box.without(end=side + gap)
    yield QrCode(kit, modules(screen.code), place)
    content = yield from _with_choices(kit, screen, rest)
    yield from column(kit, _paragraphs(kit, screen), content)


KEYPAD_COLUMNS = 4
KEYPAD_PX = 690
"""Four keys of 150 with their gaps: 25 mm wide, 20 mm high."""
TYPED_PX = 56


def _keypad_body(kit: Kit, screen: Screen, box: Box) -> Iterator[Any]:
    """Left of the keys: what is asked for, what was typed, what was wrong with it."""
    panel = box.left(box.w - kit.px(KEYPAD_PX + sizes.MARGIN_PX))
    panel = yield from _with_choices(kit, screen, panel)
    shown = panel.top(kit.px(96))
    yield from _sheet(kit, shown)
    style = Style(TYPED_PX, kit.theme.palette.ink, bold=True, align="center")
    yield Words(kit, screen.typed, style, shown.inset(kit.px(16), kit.px(6)))
    yield from column(kit, _paragraphs(kit, screen), panel.without(top=kit.px(110)))


def keypad(kit: Kit, screen: Screen, box: Box) -> Iterator[Any]:
    """A zone of its own: what was typed changes under the next finger, the keys do not."""
    gap = kit.px(sizes.GAP_PX)
    inner = box.inset(kit.px(sizes.MARGIN_PX), kit.px(20)).end(kit.px(KEYPAD_PX))
    count = len(screen.keypad) // KEYPAD_COLUMNS
    height = kit.px(sizes.KEY_HEIGHT_PX)
    lines = rows(inner.middle(inner.w, count * height + (count - 1) * gap), [height] * count, gap)
    places = [place for line in lines for place in columns(line, KEYPAD_COLUMNS, gap)]
    for choice, place in zip(screen.keypad, places, strict=True):
        if choice is None:
            continue
        size_px = TYPED_PX if len(choice.label) == 1 else sizes.KEY_PX
        yield _key(kit, choice, place, _look(kit, choice.weight), size_px)


ROW_LABEL_PX = 205
_DRAWN = {Mark.GOOD: tick, Mark.CARE: exclamation, Mark.BAD: cross, Mark.NONE: to_come}


def _rows_body(kit: Kit, screen: Screen, box: Box) -> Iterator[Any]:
    """One part below the other: a mark, its name, how it is and what to do."""
    content = yield from _with_choices(kit, screen, box)
    content = yield from _hint_at_foot(kit, screen, content)
    if not screen.rows:
        return
    yield from _sheet(kit, content)
    inner = content.inset(kit.px(24), kit.px(4))
    for row, place in zip(screen.rows, _shared(inner, max(len(screen.rows), 3)), strict=False):
        yield from _row(kit, row, place)


def _row(kit: Kit, row: Row, place: Box) -> Iterator[Any]:
    colours = kit.theme.palette
    yield Drawing(kit, _DRAWN[row.mark], place.left(kit.px(44)))
    label = Style(sizes.HINT_PX, colours.ink, bold=True)
    rest = place.without(left=kit.px(62))
    yield Words(kit, row.label, label, rest.left(kit.px(ROW_LABEL_PX)))
    told = rest.without(left=kit.px(ROW_LABEL_PX + 16)).inset(0, kit.px(1))
    ink = colours.good if row.mark is Mark.GOOD else colours.ink
    state = Style(sizes.HINT_PX, ink, bold=row.mark is not Mark.GOOD)
    words = " ".join(part for part in (row.state, row.detail) if part)
    if not row.fix:
        yield Words(kit, words, state, told)
        return
    fix = Style(sizes.NOTE_PX, colours.quiet_ink)
    share = told.h * _share(kit, words, state, row.fix, fix, told.w)
    yield Words(kit, words, state, told.top(share))
    yield Words(kit, row.fix, fix, told.without(top=share))


def _share(kit: Kit, words: str, state: Style, fix_words: str, fix: Style, width: float) -> float:
    """How much of a row's height its first text gets: by lines, at the smallest size."""
    smallest = [
        typeset(kit, text, replace(style, size_px=style.floor_px), width).height_px
        for text, style in ((words, state), (fix_words, fix))
    ]
    return smallest[0] / sum(smallest)


_BODIES: dict[Layout, Callable[[Kit, Screen, Box], Iterator[Any]]] = {
    Layout.HOME: _home_body,
    Layout.GUIDE: _guide_body,
    Layout.TABLE: _table_body,
    Layout.PAGE: _page_body,
    Layout.MIRROR: _mirror_body,
    Layout.PORTRAIT: _portrait_body,
    Layout.KEYPAD: _keypad_body,
    Layout.ROWS: _rows_body,
    Layout.CODE: _code_body,
}


# --- the whole screen ----------------------------------------------------------


class Stage(Group):
    """A screen in zones. A zone is built anew only when what it shows has changed, so that a key
    under a finger stays while the words around it move on.
    """

    def __init__(self, kit: Kit, width_px: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kit, self.box = kit, Box(0, 0, width_px, kit.height_px)
        self.screen: Screen | None = None
        self.picture: PictureFrame | None = None
        self._keys: dict[str, object] = {}
        self._zones: dict[str, Any] = {}
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
        self._zone("keypad", screen.keypad, lambda: keypad(kit, screen, inner))
        self._zone("header", _header_key(screen), lambda: header(kit, screen, rest.top(bar)))
        self._zone("footer", _footer_key(screen), lambda: footer(kit, screen, foot))
        # The footer's ground is repainted by its own zone, so the time goes on top of it.
        time_key = (_footer_key(screen), screen.footer.time_left, screen.footer.urgent)
        self._zone("time", time_key, lambda: time_left(kit, screen, foot))
        self._refocus()

    def _zone(self, name: str, key: object, build: Callable[[], Iterator[Any]]) -> None:
        if name in self._zones and self._keys[name] == key:
            return
        if name in self._zones:
            self.remove_widget(self._zones[name])
        zone = Group()
        for part in build() if key else ():
            zone.add_widget(part)
        self._keys[name], self._zones[name] = key, zone
        self.add_widget(zone)

    def _picture_zone(self, screen: Screen, inner: Box) -> None:
        """The mirror lives as long as the camera is shown, whatever the words say."""
        key = (screen.shows_preview, screen.shows_portrait, screen.art is Art.CODE)
        if self._keys.get("picture") == key:
            return
        self.picture = None
        if screen.shows_preview:
            place = mirror_box(self.kit, inner)
            code = screen.art is Art.CODE  # a paper is held up, not a face
            seen = PictureFrame(self.kit, place, mirrored=True) if code else None
            self.picture = seen or Mirror(self.kit, place)
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

    def key_of(self, button: Button) -> Key | None:
        return next((key for key in self.all_keys() if key.choice.button is button), None)

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
    return (screen.headline, bool(screen.prompt), screen.languages, screen.repeat, screen.more_time)


def _footer_key(screen: Screen) -> object:
    return (screen.footer.terminal, screen.footer.buttons)


def _body_key(screen: Screen) -> object:
    return (
        screen.code,
        screen.name,
        screen.layout,
        screen.lines,
        screen.fields,
        screen.rows,
        screen.typed,
        screen.advice,
        screen.hint,
        screen.note,
        screen.art,
        screen.tone,
        screen.progress,
        screen.progress_words,
        screen.choices,
    )

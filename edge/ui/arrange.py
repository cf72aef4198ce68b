"""Where everything stands on a screen: from a `Screen` to pieces in boxes, for any panel. Pure.

    plan(kit, screen) -> Plan

The body has one builder for each `Layout`. What a screen says flows in blocks
(`flow`); where it needs more than one page, the key that turns them stands in
the place of the choices, which come with the last page: nobody decides before
they could read to the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from edge.session.events import Button
from edge.ui.drawings import cross, exclamation, strokes, tick, to_come
from edge.ui.flow import (
    GROWN,
    NARROW_MM,
    SHEET_PAD_MM,
    Block,
    Cell,
    Flowed,
    advice,
    flow,
    paragraph,
    sheet,
    total_height,
)
from edge.ui.frame import (
    PAD_MM,
    TIGHT_MM,
    Frame,
    Shape,
    band,
    below_band,
    fixed_keys,
    frame,
    key,
    labels,
    look_of,
    shape_of,
    strip,
    time_left,
    torn,
)
from edge.ui.pieces import (
    Code,
    Glass,
    Ground,
    Key,
    Kit,
    Piece,
    Sketch,
    Style,
    Text,
    style,
    text,
    typeset,
)
from edge.ui.qr import modules
from edge.ui.screen import Art, Choice, Layout, Mark, Row, Screen, Tone, Weight
from edge.ui.theme import GAP_MM, KEY_MM, Role
from edge.ui.typeset import Box, columns, longest_piece, rows, tears_words


@dataclass(frozen=True, slots=True)
class Plan:
    """A screen as it is to be drawn; `pages` it has in all."""

    pieces: tuple[Piece, ...]
    pages: int = 1

    @property
    def keys(self) -> list[Key]:
        """In the order of reading."""
        found = [piece for piece in self.pieces if isinstance(piece, Key)]
        return sorted(found, key=lambda k: (round(k.box.y), k.box.x))

    @property
    def texts(self) -> list[Text]:
        """All texts, those on keys too, from top to bottom."""
        found = [piece for piece in self.pieces if isinstance(piece, Text)]
        found += [part for k in self.keys for part in k.parts if isinstance(part, Text)]
        return sorted(found, key=lambda t: (t.box.y, t.box.x))

    @property
    def glass(self) -> Glass | None:
        return next((piece for piece in self.pieces if isinstance(piece, Glass)), None)


@dataclass(frozen=True, slots=True)
class Body:
    """What a body consists of, on how many pages, and whether it has room for turning them."""

    pieces: tuple[Piece, ...]
    pages: int = 1
    turns: bool = False


def plan(kit: Kit, screen: Screen) -> Plan:
    if screen.keypad and shape_of(kit) is not Shape.WIDE:
        return Plan(tuple(_dense(kit, screen)))
    mirror = screen.layout is Layout.MIRROR and not screen.prompt
    made, body = _framed(kit, screen, modest=mirror)
    if body.pages > 1:
        made, body = _framed(kit, screen, modest=True)
    if body.pages > 1:
        other, apart = _turned_beside(kit, screen, body.pages)
        if not body.turns or apart.pages < body.pages:
            made, body = other, apart
    return Plan((*made.pieces, *body.pieces), body.pages)


def _turned_beside(kit: Kit, screen: Screen, pages: int) -> tuple[Frame, Body]:
    """The key that turns pages stands among the footer's: more room for words, so fewer pages."""
    bare = replace(screen, turn=None)
    _, body = _framed(kit, bare, _turn(screen, pages), modest=True)
    if body.pages == 1:
        return _framed(kit, bare, modest=True)
    return _framed(kit, bare, _turn(screen, body.pages), modest=True)


def _framed(
    kit: Kit, screen: Screen, turn: Choice | None = None, *, modest: bool = False
) -> tuple[Frame, Body]:
    made = frame(kit, screen, turn, modest=modest)
    return made, _body(kit, screen, made)


def _body(kit: Kit, screen: Screen, made: Frame) -> Body:
    return _BODIES[screen.layout](kit, screen, made.body)


def _turn(screen: Screen, pages: int) -> Choice | None:
    """The key that turns pages says which one this is; on the last it is no main thing to do."""
    if screen.turn is None:
        return None
    number = screen.leaf % pages + 1
    weight = Weight.SIDE if number == pages else screen.turn.weight
    return replace(screen.turn, detail=f"{number}/{pages}", weight=weight)


# --- styles --------------------------------------------------------------------


def _styles(kit: Kit, screen: Screen) -> dict[str, Style]:
    found = _usual_styles(kit)
    if not screen.for_staff:
        return found
    smallest = found["note"].floor_dp
    return {name: replace(s, floor_dp=min(s.floor_dp, smallest)) for name, s in found.items()}


def _usual_styles(kit: Kit) -> dict[str, Style]:
    colours = kit.theme.palette
    return {
        "body": style(kit, Role.BODY, colours.ink),
        "lead": style(kit, Role.LEAD, colours.ink, bold=True),
        "good": style(kit, Role.LEAD, colours.good, bold=True),
        "label": style(kit, Role.BODY, colours.quiet_ink),
        "value": style(kit, Role.LEAD, colours.ink, bold=True),
        "advice": style(kit, Role.BODY, colours.care_ink, bold=True),
        "hint": style(kit, Role.HINT, colours.quiet_ink),
        "note": style(kit, Role.NOTE, colours.quiet_ink),
        "typed": style(kit, Role.TYPED, colours.ink, bold=True, align="center"),
    }


def _lines(kit: Kit, screen: Screen) -> list[Block]:
    look = _styles(kit, screen)
    lines = [paragraph(words, look["body"]) for words in screen.lines]
    if lines and screen.name == "finished":
        first = look["good"] if screen.tone is Tone.GOOD else look["lead"]
        lines[0] = paragraph(screen.lines[0], first)
    return lines


def _told(kit: Kit, screen: Screen) -> list[Block]:
    """The one thing to mend, the friendly hint, small print: always in this order."""
    look = _styles(kit, screen)
    alone = screen.layout is Layout.GUIDE and not screen.lines
    hint = look["body" if alone else "hint"]
    found = []
    if screen.advice:
        found.append(advice(screen.advice, look["advice"]))
    if screen.hint:
        found.append(paragraph(screen.hint, hint, spare=screen.hint_spare))
    if screen.note:
        found.append(paragraph(screen.note, look["note"]))
    return found


# --- the keys at the foot of a body ----------------------------------------------

HEIGHTS_MM = (KEY_MM, 24.0, 28.0, 32.0)
SINGLE_MM = 95.0
LABEL_DP = (24.0, 34.0)
"""Letters of a choice, usual and in elder mode; smaller only where there is no other way."""
LEAST_MM = 14.0
"""Words need so much height above the choices; with less, the choices are a page of their own."""


def _choice_keys(kit: Kit, choices: Sequence[Choice], box: Box) -> list[Key]:
    """Side by side as low as the labels allow; in rows of two, or one below the other, where
    they are too long."""
    one_row = [([box.foot(kit.mm(height))], len(choices)) for height in HEIGHTS_MM]
    in_rows = [(_lines_of_keys(kit, box, -(-len(choices) // n)), n) for n in (2, 1)]
    roomy = [(lines, n) for lines, n in in_rows if lines[0].y - box.y >= kit.mm(LEAST_MM)]
    easy = LABEL_DP[kit.theme.large]
    tries = [(Role.KEY, easy, *rows_of) for rows_of in (*one_row, *roomy)]
    tries += [(Role.KEY, 0.0, *rows_of) for rows_of in one_row]
    tries += [(Role.FRAME, 0.0, *rows_of) for rows_of in (*one_row, *in_rows)]
    made: list[Key] = []
    for role, least_dp, lines_of, across in tries:
        made = _keys_in(kit, choices, lines_of, across, role)
        labels_of = [part for k in made for part in k.parts if isinstance(part, Text)]
        easy_to_read = _smallest(made) >= kit.theme.dp(least_dp) and not torn(labels_of)
        if all(part.fits for part in labels_of) and (easy_to_read or not least_dp):
            break
    return _alike(kit, made)


def _smallest(keys: Sequence[Key]) -> float:
    """Pixels of the smallest letters that a label has; a second line may be smaller."""
    return min(k.parts[0].size_px for k in keys if isinstance(k.parts[0], Text))


def _alike(kit: Kit, keys: Sequence[Key]) -> list[Key]:
    """Keys that stand together have letters of the same size. One that is made smaller may break
    elsewhere and want to be smaller still."""
    size_px = _smallest(keys)
    made = [replace(k, parts=(_at_most(kit, k.parts[0], size_px), *k.parts[1:])) for k in keys]
    return made if _smallest(made) > size_px - 0.01 else _alike(kit, made)


def _at_most(kit: Kit, label: Ground | Sketch | Text, size_px: float) -> Text:
    assert isinstance(label, Text)
    unit = kit.theme.dp(1)
    look = Style(size_px / unit, label.floor_px / unit, label.ink, label.bold, label.align)
    return text(kit, label.words, look, label.box, whole=True)


def _lines_of_keys(kit: Kit, box: Box, count: int) -> list[Box]:
    gap, high = kit.mm(GAP_MM), kit.mm(KEY_MM)
    return rows(box.foot(count * high + (count - 1) * gap), [high] * count, gap)


def _keys_in(
    kit: Kit, choices: Sequence[Choice], lines: Sequence[Box], across: int, role: Role
) -> list[Key]:
    odd = len(choices) % across if len(lines) > 1 else 0
    counts = [odd or across, *[across] * (len(lines) - 1)]  # a single one comes first, and wide
    places = [
        p for n, line in zip(counts, lines, strict=True) for p in columns(line, n, kit.mm(GAP_MM))
    ]
    if len(choices) == 1:
        places = [lines[0].middle(min(lines[0].w, kit.mm(SINGLE_MM)), lines[0].h)]
    return [
        key(kit, choice, place, look_of(kit, choice.weight), role)
        for choice, place in zip(choices, places, strict=False)
    ]


Build = Callable[[Box, int, float], "Flowed | Body"]
"""Lays out what stands above the choices: room, number of the page, and how much of the room the
last page leaves to them."""


def _with_foot(kit: Kit, screen: Screen, box: Box, build: Build) -> Body:
    """A body above the choices; on all pages but the last, the key that turns stands there, if the
    body has one."""
    if not screen.choices:
        made = build(box, screen.leaf, 0.0)
        return Body(made.pieces, made.pages)
    keys = _choice_keys(kit, screen.choices, box)
    foot_px = box.bottom - keys[0].box.y + kit.mm(2.6)
    if screen.turn is None:
        made = build(box, screen.leaf, foot_px)
        last = screen.leaf % made.pages == made.pages - 1
        return Body((*made.pieces, *(keys if last else ())), made.pages)
    above = box.without(foot=foot_px)
    if above.h < kit.mm(LEAST_MM):
        return _choices_last(kit, screen, box, build, keys)
    made = build(above, screen.leaf, 0.0)
    if made.pages > 1 and screen.leaf % made.pages < made.pages - 1:
        foot = box.foot(box.bottom - keys[-1].box.y)
        return Body((*made.pieces, *_turning(kit, screen, made.pages, foot)), made.pages, True)
    return Body((*made.pieces, *keys), made.pages, turns=True)


def _choices_last(
    kit: Kit,
    screen: Screen,
    box: Box,
    build: Build,
    keys: Sequence[Key],
) -> Body:
    """Words first, page by page, then nothing but the choices."""
    foot = box.foot(kit.mm(KEY_MM))
    above = box.without(foot=foot.h + kit.mm(2.6))
    pages = build(above, 0, 0.0).pages + 1
    leaf = screen.leaf % pages
    if leaf == pages - 1:
        return Body(tuple(keys), pages, turns=True)
    made = build(above, leaf, 0.0)
    return Body((*made.pieces, *_turning(kit, screen, pages, foot)), pages, turns=True)


def _turning(kit: Kit, screen: Screen, pages: int, foot: Box) -> list[Key]:
    turn = _turn(screen, pages)
    place = foot.middle(min(foot.w, kit.mm(SINGLE_MM)), foot.h)
    return [key(kit, turn, place, look_of(kit, turn.weight), Role.KEY)] if turn else []


# --- bodies ----------------------------------------------------------------------

DRAWING_MM = (64.0, 44.0)
"""Beside the words of a wide panel."""


PICTURE_SHARES = (0.64, 0.56, 0.48, 0.4)
"""How much of a body keys with drawings take, as long as the words above fit on a page."""


def _pictured(kit: Kit, screen: Screen, box: Box) -> Body:
    """Large keys with a drawing each."""
    blocks = [*_lines(kit, screen), *_told(kit, screen)]
    for share in PICTURE_SHARES:
        foot = box.foot(max(box.h * share, kit.mm(KEY_MM)))
        made = flow(kit, blocks, box.without(foot=foot.h + kit.mm(2.6)), screen.leaf)
        if made.pages == 1:
            break
    places = columns(foot, len(screen.choices), kit.mm(GAP_MM))
    keys = [_picture_key(kit, c, p) for c, p in zip(screen.choices, places, strict=True)]
    return Body((*made.pieces, *_alike(kit, keys)), made.pages)


def _picture_key(kit: Kit, choice: Choice, box: Box) -> Key:
    look = look_of(kit, Weight.SIDE)
    words = style(kit, Role.KEY, look.ink, bold=True, align="center")
    inner = box.inset(kit.mm(1.5), kit.mm(1.5))
    smallest = replace(words, size_dp=words.floor_dp)
    height = max(typeset(kit, choice.label, smallest, inner.w).height_px, inner.h * 0.3)
    label = text(kit, choice.label, words, inner.foot(height), whole=True)
    picture = Sketch(inner.without(foot=height), strokes(choice.art))
    return Key(box, choice, look, (label, picture), kit.mm(0.5), kit.mm(2.8), kit.mm(GAP_MM / 2))


def _guide(kit: Kit, screen: Screen, box: Box) -> Body:
    if any(choice.art is not Art.NONE for choice in screen.choices):
        return _pictured(kit, screen, box)
    blocks = [*_lines(kit, screen), *_told(kit, screen)]
    return _with_foot(kit, screen, box, lambda *room: _illustrated(kit, screen, blocks, *room))


def _illustrated(
    kit: Kit, screen: Screen, blocks: Sequence[Block], box: Box, leaf: int, foot_px: float
) -> Flowed:
    """A drawing with the words, unless it would cost them a page or tear them."""
    plain = flow(kit, blocks, box, leaf, foot_px)
    if screen.art is Art.NONE or plain.pages > 1:
        return plain
    if not plain.pieces:
        side = box.h - foot_px
        return replace(plain, pieces=(Sketch(box.top(side), strokes(screen.art)),))
    for picture, room in _splits(kit, box.without(foot=foot_px)):
        made = flow(kit, blocks, room, leaf)
        legible = all(piece.fits for piece in made.pieces if isinstance(piece, Text))
        if legible and made.pages <= plain.pages and _torn(made) <= _torn(plain):
            drawing = Sketch(picture, strokes(screen.art))
            return replace(made, pieces=(drawing, *made.pieces))
    return plain


def _torn(made: Flowed) -> int:
    """How many texts end a line inside a word."""
    texts = [piece for piece in made.pieces if isinstance(piece, Text)]
    return sum(tears_words(text.words, text.lines) for text in texts)


def _splits(kit: Kit, box: Box) -> list[tuple[Box, Box]]:
    """Picture and room for words: side by side where it is wide, else one above the other."""
    if box.w > kit.mm(NARROW_MM):
        pairs = []
        for width in DRAWING_MM:
            side = min(kit.mm(width), box.h)
            picture = box.left(kit.mm(width)).middle(side * 0.95, side * 0.95)
            pairs.append((picture, box.without(left=kit.mm(width + 6))))
        return pairs
    heights = [h for h in (kit.mm(40), kit.mm(30), kit.mm(22)) if h < box.h * 0.62]
    above = [(box.top(h), box.without(top=h + kit.mm(2))) for h in heights]
    beside = [(box.left(kit.mm(22)), box.without(left=kit.mm(25)))]
    return [*above, *beside]


def _home(kit: Kit, screen: Screen, box: Box) -> Body:
    """The big tile of the service, and what people should know of the place."""
    blocks = [*_lines(kit, screen), *_told(kit, screen)]
    made, tile = _beside_tile(kit, screen, blocks, box)
    keys = [_tile(kit, choice, tile, screen.art) for choice in screen.choices[:1]]
    return Body((*keys, *made.pieces), made.pages)


def _beside_tile(kit: Kit, screen: Screen, blocks: Sequence[Block], box: Box) -> tuple[Flowed, Box]:
    if box.w > kit.mm(NARROW_MM):
        width = kit.mm(95)
        room = box.without(left=width + kit.mm(6.8))
        return flow(kit, blocks, room, screen.leaf), box.left(width)
    for share in (0.56, 0.48, 0.42):
        tile = box.top(max(box.h * share, kit.mm(24)))
        made = flow(kit, blocks, box.without(top=tile.h + kit.mm(2)), screen.leaf)
        if made.pages == 1 and not made.left_out:
            break
    return made, tile


def _tile(kit: Kit, choice: Choice, box: Box, art: Art) -> Key:
    """The big key of the first screen: a drawing and its words, above or beside each other; the
    words alone where they need all the room."""
    look = look_of(kit, choice.weight)
    words = style(kit, Role.TILE, look.ink, bold=True, align="center")
    inner = box.inset(kit.mm(3))
    plate, room = _plate(kit, box, inner)
    label = labels(kit, choice, room, words)
    picture: tuple[Ground | Sketch, ...] = (
        Ground(plate, kit.theme.palette.panel, radius_px=kit.mm(3)),
        Sketch(plate.middle(plate.h * 0.92, plate.h * 0.92), strokes(art)),
    )
    if not all(part.fits for part in label):
        picture, label = (), labels(kit, choice, inner, words)
    return Key(box, choice, look, (*picture, *label), kit.mm(0.5), kit.mm(2.8), kit.mm(GAP_MM / 2))


def _plate(kit: Kit, box: Box, inner: Box) -> tuple[Box, Box]:
    """Where the tile's drawing stands, and its words."""
    if box.h > kit.mm(52):
        room = inner.foot(kit.mm(26))
        plate = inner.without(foot=room.h + kit.mm(1.5))
        side = min(plate.w / 1.3, plate.h)
        return plate.middle(side * 1.3, side), room
    side = min(inner.h, inner.w * 0.34)
    return inner.left(side).middle(side, side), inner.without(left=side + kit.mm(2))


def _page(kit: Kit, screen: Screen, box: Box) -> Body:
    """Lines on a white sheet, the hint below."""
    blocks = [replace(block, sheet=True) for block in _lines(kit, screen)]
    blocks += _told(kit, screen)
    return _with_foot(kit, screen, box, lambda *room: flow(kit, blocks, *room))


def _table(kit: Kit, screen: Screen, box: Box) -> Body:
    """Label and value side by side on a white sheet."""
    blocks = [*_lines(kit, screen), *_fields(kit, screen, box), *_told(kit, screen)]
    return _with_foot(kit, screen, box, lambda *room: flow(kit, blocks, *room))


MANY_FIELDS = 4
"""With more, values are no larger than their labels."""


def _fields(kit: Kit, screen: Screen, box: Box) -> list[Block]:
    look = _styles(kit, screen)
    label, value = look["label"], look["value"]
    if len(screen.fields) > MANY_FIELDS:
        value = replace(label, ink=value.ink, bold=True)
    width = GROWN * max((_width(kit, label, words) for words, _ in screen.fields), default=0.0)
    whole = box.w - 2 * kit.mm(SHEET_PAD_MM[box.w < kit.mm(NARROW_MM)])
    rest = box.w - width - kit.mm(17)

    def field(name: str, words: str) -> Block:
        longest = _width(kit, value, longest_piece(words), value.floor_dp)
        beside, below = (len(typeset(kit, words, value, w, 0.0).lines) for w in (rest, whole))
        stacked = width > box.w * 0.42 or longest > rest or below + 1 < beside
        label_mm = None if stacked else (width + kit.mm(2)) / kit.mm(1)
        cells = Cell(name, label, label_mm), Cell(words, value)
        return Block(cells, sheet=True, stacked=stacked)

    return [field(name, words) for name, words in screen.fields]


def _width(kit: Kit, look: Style, words: str, size_dp: float = 0.0) -> float:
    return kit.measure(look.bold, kit.theme.dp(size_dp or look.size_dp), words)


_DRAWN = {Mark.GOOD: tick, Mark.CARE: exclamation, Mark.BAD: cross, Mark.NONE: to_come}


def _rows(kit: Kit, screen: Screen, box: Box) -> Body:
    """One part below the other: a mark, its name, how it is and what to do."""
    blocks = [block for row in screen.rows for block in _row(kit, row, box)]
    blocks += [*_lines(kit, screen), *_told(kit, screen)]
    return _with_foot(kit, screen, box, lambda *room: flow(kit, blocks, *room))


def _row(kit: Kit, row: Row, box: Box) -> list[Block]:
    """Name and state beside each other, what to do below; all of it small print for staff."""
    colours = kit.theme.palette
    good = row.mark is Mark.GOOD
    name = style(kit, Role.NOTE, colours.ink, bold=True)
    state = style(kit, Role.NOTE, colours.good if good else colours.ink, bold=not good)
    fix = style(kit, Role.NOTE, colours.quiet_ink)
    words = " ".join(part for part in (row.state, row.detail) if part)
    cells = [Cell(row.label, name), Cell(words, state)]
    if box.w > kit.mm(NARROW_MM):
        cells[0] = replace(cells[0], width_mm=38.0)
        first = Block(tuple(cells), mark=_DRAWN[row.mark], sheet=True)
    else:
        first = Block(tuple(cells), mark=_DRAWN[row.mark], sheet=True, stacked=True)
    if not row.fix:
        return [first]
    return [first, Block((Cell(row.fix, fix),), indented=True, sheet=True, below=True)]


MIRROR_MM = 105.0


def _mirror(kit: Kit, screen: Screen, box: Box) -> Body:
    """Beside the mirror: the movement, how far we are, and what is to be known."""

    def build(room: Box, leaf: int, foot_px: float) -> Body:
        return _mirrored(kit, replace(screen, leaf=leaf), room.without(foot=foot_px))

    return _with_foot(kit, screen, box, build)


def _mirrored(kit: Kit, screen: Screen, box: Box) -> Body:
    if shape_of(kit) is Shape.WIDE:
        glass, panel = box.left(kit.mm(MIRROR_MM)), box.without(left=kit.mm(MIRROR_MM + 6.8))
        caption = _caption(kit, screen, glass.inset(kit.mm(2.7)))
        return _beside_mirror(kit, screen, glass, panel, caption)
    caption = _caption(kit, screen, box)
    if caption:  # one plain thing at a time (E06)
        box = box.without(foot=box.bottom - _top(caption) + kit.mm(1.6))
    if screen.lines and caption:
        return Body((_glass(screen, box), *caption))
    if screen.lines:
        glass = box.top(max(kit.mm(26), box.h * 0.42))
        return _beside_mirror(kit, screen, glass, box.without(top=glass.h + kit.mm(2)), caption)
    glass = box.left(box.w * 0.52)
    return _beside_mirror(kit, screen, glass, box.without(left=glass.w + kit.mm(3)), caption)


def _beside_mirror(
    kit: Kit, screen: Screen, glass: Box, panel: Box, caption: Sequence[Piece]
) -> Body:
    first = (_glass(screen, glass), *caption)
    quiet = replace(screen, advice="")
    told = _told(kit, quiet)
    if screen.lines:
        made = flow(kit, [*_lines(kit, screen), *told], panel, screen.leaf)
        return Body((*first, *made.pieces), made.pages)
    return Body((*first, *_movement(kit, screen, told, panel)))


def _glass(screen: Screen, box: Box) -> Glass:
    """A face goes into an oval; a paper with a code is only held up."""
    return Glass(box, mirrored=True, oval=screen.art is not Art.CODE)


CAPTION_SHARE = 0.45
"""Of the mirror at most, as long as it can be: people look at themselves."""


def _caption(kit: Kit, screen: Screen, box: Box) -> tuple[Piece, ...]:
    """The one thing to mend stands in the mirror, where the person is looking."""
    if not screen.advice:
        return ()
    block = advice(screen.advice, _styles(kit, screen)["advice"])
    least = total_height(kit, [block], box.w, 0.0)
    made = flow(kit, [block], box.foot(min(max(box.h * CAPTION_SHARE, least), box.h)))
    drop = box.bottom - max(_foot(piece) for piece in made.pieces)
    return tuple(_moved(piece, drop) for piece in made.pieces)


def _foot(piece: Piece) -> float:
    return piece.box.bottom


def _top(pieces: Sequence[Piece]) -> float:
    return min(piece.box.y for piece in pieces)


def _moved(piece: Piece, down: float) -> Piece:
    box = piece.box
    return replace(piece, box=Box(box.x, box.y + down, box.w, box.h))


def _movement(kit: Kit, screen: Screen, told: Sequence[Block], box: Box) -> list[Piece]:
    """The drawing of the movement; 第2个动作，共4个, with a mark for each; the hint below."""
    words = style(kit, Role.HINT, kit.theme.palette.ink, bold=True)
    wide = box.w > box.h * 0.9
    picture = box.left(box.w * 0.5) if wide else box.top(box.h * 0.46)
    rest = box.end(box.w * 0.46) if wide else box.without(top=picture.h + kit.mm(1.5))
    done, steps = screen.progress or (0, 0)
    height = kit.mm(7.5)
    marks = rest.top(height)
    pieces: list[Piece] = [Sketch(picture, strokes(screen.art))]
    count = paragraph(screen.progress_words, words, spare=True)  # the marks say it, too
    blocks = [count, *told] if screen.progress else list(told)
    below = rest.without(top=height + kit.mm(1.7)) if steps else rest
    told_pieces = flow(kit, blocks, below).pieces
    if told_pieces:  # the marks stand right above the words they belong to
        marks = replace(marks, y=_top(told_pieces) - height - kit.mm(1.7))
    for number, place in enumerate(columns(marks, steps, kit.mm(1.7))):
        pieces.append(Sketch(place, tick if number < done else to_come))
    return [*pieces, *told_pieces]


def _portrait(kit: Kit, screen: Screen, box: Box) -> Body:
    """The picture taken stands upright beside the words."""
    blocks = [*_lines(kit, screen), *_told(kit, screen)]

    def build(room: Box, leaf: int, foot_px: float) -> Body:
        wide = kit.mm(64) if room.w > kit.mm(NARROW_MM) else room.w * 0.34
        above = room.without(foot=foot_px)
        height = min(above.h, wide * 1.2)
        glass = above.left(wide).middle(min(wide, height * 0.8), height)
        made = flow(kit, blocks, room.without(left=wide + kit.mm(4)), leaf, foot_px)
        return Body((Glass(glass, mirrored=False), *made.pieces), made.pages)

    return _with_foot(kit, screen, box, build)


CODE_SHARE = 0.5
"""Of the body's longer side at most."""


def _code(kit: Kit, screen: Screen, box: Box) -> Body:
    """The code as large as there is room, so that a phone reads it at arm's length: beside the
    words on a wide panel, else on a page of its own after them."""
    caption = paragraph(screen.caption, _styles(kit, screen)["body"])
    blocks = [*_lines(kit, screen), *_told(kit, screen)]
    if box.w > kit.mm(NARROW_MM):
        side = min(box.h, box.w * CODE_SHARE)
        made = _with_foot(
            kit, screen, box.without(end=side + kit.mm(4)), lambda *room: flow(kit, blocks, *room)
        )
        return replace(
            made, pieces=(*_captioned(kit, screen, caption, box.end(side)), *made.pieces)
        )

    def build(room: Box, leaf: int, foot_px: float) -> Body:
        told = flow(kit, blocks, room, leaf)
        pages = told.pages + 1
        if leaf % pages < told.pages:
            return Body(told.pieces, pages)
        return Body(_code_page(kit, screen, caption, room.without(foot=foot_px)), pages)

    return _with_foot(kit, screen, box, build)


def _captioned(kit: Kit, screen: Screen, caption: Block, box: Box) -> tuple[Piece, ...]:
    """The code, and below it what it is for."""
    height = total_height(kit, [caption], box.w, 0.0)
    told = flow(kit, [caption], box.foot(height)).pieces
    return (_drawn_code(screen, box.without(foot=height + kit.mm(1))), *told)


CODE_SIDES = (1.0, 0.9, 0.8, 0.7)
"""Of the height there is; smaller where the words beside it need more room."""


def _code_page(kit: Kit, screen: Screen, caption: Block, box: Box) -> tuple[Piece, ...]:
    """Beside the code what it is for; below, where it finds no room there."""
    for share in CODE_SIDES:
        place = box.end(min(box.h * share, box.w * 0.62))
        told = flow(kit, [caption], box.without(end=place.w + kit.mm(3)))
        if told.pages == 1 and all(t.fits for t in told.pieces if isinstance(t, Text)):
            return (_drawn_code(screen, place), *told.pieces)
    side = min(box.w, box.h * 0.6)
    told = flow(kit, [caption], box.without(top=side + kit.mm(2)))
    return (_drawn_code(screen, box.top(side)), *told.pieces)


def _drawn_code(screen: Screen, box: Box) -> Code:
    return Code(box, tuple(tuple(row) for row in modules(screen.code)))


# --- keypads ---------------------------------------------------------------------

PAD_KEY_MM = 25.0
TYPED_MM = 16.0


def _pad_columns(count: int, lines: int) -> int:
    """As few columns as hold all keys on so many lines."""
    return max(4, -(-count // lines))


def _keypad(kit: Kit, screen: Screen, box: Box) -> Body:
    """Left of the keys: what is asked for, what was typed, what was wrong with it."""
    gap, high = kit.mm(GAP_MM), kit.mm(KEY_MM)
    lines = max(1, int((box.h + gap) // (high + gap)))
    count = _pad_columns(len(screen.keypad), lines)
    lines = -(-len(screen.keypad) // count)
    width = min(kit.mm(PAD_KEY_MM), (box.w * 0.66 - gap * (count - 1)) / count)
    width = max(width, kit.mm(KEY_MM))
    block = box.end(count * width + (count - 1) * gap)
    block = block.middle(block.w, lines * high + (lines - 1) * gap)
    places = [p for r in rows(block, [high] * lines, gap) for p in columns(r, count, gap)]
    panel = box.without(end=block.w + kit.mm(6.8))
    return _typed_beside(kit, screen, panel, places)


def _typed_beside(kit: Kit, screen: Screen, panel: Box, places: Sequence[Box]) -> Body:
    keys = _pad_keys(kit, screen, places)
    shown = panel.top(kit.mm(TYPED_MM))
    typed = text(
        kit, screen.typed, _styles(kit, screen)["typed"], shown.inset(kit.mm(2.5), kit.mm(1))
    )
    rest = panel.without(top=shown.h + kit.mm(2.4))
    blocks = [*_lines(kit, screen), *_told(kit, screen)]

    def build(room: Box, leaf: int, foot_px: float) -> Body:
        made = flow(kit, blocks, room, leaf, foot_px)
        return Body((sheet(kit, shown), typed, *made.pieces, *keys), made.pages)

    return _with_foot(kit, screen, rest, build)


def _pad_keys(kit: Kit, screen: Screen, places: Sequence[Box]) -> list[Key]:
    pairs = zip(screen.keypad, places, strict=False)
    return [_pad_key(kit, choice, place) for choice, place in pairs if choice]


def _pad_key(kit: Kit, choice: Choice, place: Box) -> Key:
    role = Role.TYPED if len(choice.label) == 1 else Role.KEY
    return key(kit, choice, place, look_of(kit, choice.weight), role)


# --- a keypad on 7 inches ----------------------------------------------------------


def _dense(kit: Kit, screen: Screen) -> list[Piece]:
    """Eighteen keys is all that a 7 inch panel holds: the keypad, the choices, the footer and, as
    far as there is room, the strip. Language and letters can be changed on the help page.
    """
    whole = below_band(kit, screen)
    main = [(choice, look_of(kit, choice.weight)) for choice in screen.choices]
    fixed = sorted(fixed_keys(kit, screen), key=lambda k: _RANK.get(k[0].button, len(_RANK)))
    firm = [*main, *fixed]
    grid = _grid(kit, whole, len(screen.keypad), len(firm))
    colours = kit.theme.palette
    pieces: list[Piece] = [*band(kit, screen), Ground(whole, colours.ground)]
    pieces += _pad_keys(kit, screen, grid.pad)
    strips = [(choice, look_of(kit, Weight.SIDE)) for choice in strip(screen)]
    for (choice, look), place in zip([*firm, *strips], grid.others, strict=False):
        pieces.append(key(kit, choice, place, look, Role.FRAME))
    return [*pieces, *_dense_words(kit, screen, grid.words)]


_RANK = {
    button: rank
    for rank, button in enumerate(
        (Button.BACK, Button.CALL_STAFF, Button.HOME, Button.MORE_TIME, Button.HELP, Button.SCAN)
    )
}
"""What comes first where there is not room for all; a touch anywhere gives more time, too."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Places for the keypad, for other keys in the order of their importance, and for words."""

    pad: list[Box]
    others: list[Box]
    words: Box


def _grid(kit: Kit, box: Box, count: int, needed: int) -> Grid:
    """`count` keys of the keypad and `needed` others; the strip gets what is left of the rows."""
    gap, high = kit.mm(GAP_MM), kit.mm(KEY_MM)
    box = box.inset(kit.mm(TIGHT_MM), kit.mm(PAD_MM))
    across = int((box.w + gap) // (high + gap))
    down = int((box.h + gap) // (high + gap))
    block = box.foot(down * high + (down - 1) * gap)
    cells = [columns(r, across, gap) for r in rows(block, [high] * down, gap)]
    if shape_of(kit) is Shape.SMALL:
        wide = _pad_columns(count, down)
        pad = [p for line in cells for p in line[-wide:]]
        others = [p for line in cells for p in line[:-wide]] + pad[count:]
        return Grid(pad[:count], others, box.without(foot=block.h + kit.mm(1)))
    lines = -(-count // across)
    pad = _by_columns([p for line in cells[-lines:] for p in line], count)
    others = [p for line in cells[1:-lines] for p in line]
    first = cells[0]
    words = Box(box.x, box.y, box.w, first[0].bottom - box.y - kit.mm(1))
    if needed > len(others):
        others.append(first[-1])
        words = words.without(end=first[-1].w + gap / 2)
    return Grid(pad, others, words)


def _by_columns(places: list[Box], count: int) -> list[Box]:
    """A keypad comes in rows of four; in rows of three, its fourth column is the last row."""
    if count % 4 or count > len(places):
        return places[:count]
    three, fourth = iter(places), iter(places[count * 3 // 4 :])
    return [next(fourth) if number % 4 == 3 else next(three) for number in range(count)]


def _dense_words(kit: Kit, screen: Screen, box: Box) -> list[Piece]:
    """Title and what was typed; what was wrong with it takes the title's place."""
    look, colours = _styles(kit, screen), kit.theme.palette
    pieces: list[Piece] = []
    if screen.footer.urgent:
        clock, box = _clock(kit, box)
        pieces += time_left(kit, screen, clock)
    ink = colours.care_ink if screen.advice else colours.ink
    small = replace(look["lead"], floor_dp=24, ink=ink, bold=not screen.advice)
    told, shown = _dense_halves(kit, screen, small, box)
    if screen.advice:
        pieces.append(Ground(told, colours.care, colours.care_edge, kit.mm(0.5), kit.mm(1.6)))
    typed = replace(look["typed"], floor_dp=24)
    words = text(kit, screen.advice or screen.headline, small, told.inset(kit.mm(1.2), 0))
    digits = text(kit, screen.typed, typed, shown.inset(kit.mm(1), 0))
    return [*pieces, words, sheet(kit, shown), digits]


def _clock(kit: Kit, box: Box) -> tuple[Box, Box]:
    """Beside a keypad on 7 inches the time stands only when it runs out."""
    if box.w > kit.mm(90):
        return box.end(kit.mm(26)), box.without(end=kit.mm(28))
    return box.top(kit.mm(6)), box.without(top=kit.mm(6.6))


def _dense_halves(kit: Kit, screen: Screen, look: Style, box: Box) -> tuple[Box, Box]:
    """Room for title or advice, and for what was typed: beside or above each other."""
    if box.w > kit.mm(90):
        return box.left(box.w * 0.55), box.end(box.w * 0.43)
    words = screen.advice or screen.headline
    smallest = replace(look, size_dp=look.floor_dp)
    needed = typeset(kit, words, smallest, box.w - kit.mm(2.4)).height_px + kit.mm(0.2)
    height = min(max(needed, box.h * 0.48), box.h - kit.mm(5.9))
    return box.top(height), box.without(top=height + kit.mm(0.8))


_BODIES: dict[Layout, Callable[[Kit, Screen, Box], Body]] = {
    Layout.HOME: _home,
    Layout.GUIDE: _guide,
    Layout.TABLE: _table,
    Layout.PAGE: _page,
    Layout.MIRROR: _mirror,
    Layout.PORTRAIT: _portrait,
    Layout.KEYPAD: _keypad,
    Layout.ROWS: _rows,
    Layout.CODE: _code,
}

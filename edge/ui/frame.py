"""What is the same on every screen: band, title, language strip, footer, time left; and the room
they leave.

A landscape panel of 10 inches has a bar above and one below. On 7 inches bars
would leave too little: there the keys stand in columns at the right, and on an
upright panel in rows of three. Every key is 20 mm and has 5 mm around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from edge.session.events import Button
from edge.ui.pieces import (
    Ground,
    Key,
    Kit,
    Look,
    Piece,
    Stripes,
    Style,
    Text,
    fitted,
    style,
    text,
    typeset,
)
from edge.ui.screen import Choice, Screen, Weight
from edge.ui.theme import BAND, BAND_INK, GAP_MM, KEY_MM, Role
from edge.ui.typeset import Box, columns, rows, tears_words

BAND_MM = 5.2
PAD_MM = 1.75
"""Between a key and the edge of its bar."""
BAR_MM = KEY_MM + 2 * PAD_MM
MARGIN_MM = 6.8
TIGHT_MM = 3.0
"""Margin of a small panel."""
STATUS_MM = 6.6
"""The line with terminal number and time left on a small panel."""


class Shape(Enum):
    """How the frame stands around the body."""

    WIDE = "wide"
    SMALL = "small"
    TALL = "tall"


def shape_of(kit: Kit) -> Shape:
    panel = kit.theme.panel
    if panel.height_px > panel.width_px:
        return Shape.TALL
    return Shape.WIDE if panel.height_px >= kit.mm(110) else Shape.SMALL


@dataclass(frozen=True, slots=True)
class Frame:
    """The pieces around the body, and the room for it."""

    pieces: tuple[Piece, ...]
    body: Box


def whole(kit: Kit) -> Box:
    return Box(0, 0, kit.theme.panel.width_px, kit.theme.panel.height_px)


def frame(kit: Kit, screen: Screen, turn: Choice | None = None, *, modest: bool = False) -> Frame:
    """Everything but the body; `turn` is the key that turns a page, where the body has none.

    On a small panel a `modest` title is as small as it may be, for the body's sake.
    """
    top = list(band(kit, screen))
    rest = below_band(kit, screen)
    build = {Shape.WIDE: _wide, Shape.SMALL: _small, Shape.TALL: _tall}[shape_of(kit)]
    made = build(kit, screen, rest, (turn,) if turn else (), TITLE_SHARE[modest])
    return Frame((*top, *made.pieces), made.body)


def below_band(kit: Kit, screen: Screen) -> Box:
    return whole(kit).without(top=kit.mm(BAND_MM) if screen.band else 0)


def band(kit: Kit, screen: Screen) -> Iterator[Piece]:
    """The mark of simulated devices, hatched at both ends."""
    if not screen.band:
        return
    box = whole(kit).top(kit.mm(BAND_MM))
    yield Ground(box, BAND)
    words = style(kit, Role.BAND, BAND_INK, bold=True, align="center")
    middle = box.middle(min(box.w * 0.5, kit.mm(75)), box.h)
    for end in (box.left(middle.x - box.x), box.end(box.right - middle.right)):
        yield Stripes(end, kit.mm(6))
    yield text(kit, screen.band, words, middle)


# --- keys ----------------------------------------------------------------------


def look_of(kit: Kit, weight: Weight) -> Look:
    colours = kit.theme.palette
    if weight is Weight.SIDE:
        return Look(colours.side, colours.side_ink, colours.side_ink, colours.pressed)
    return Look(colours.main, colours.main_ink, colours.main, colours.header)


def _strip_look(kit: Kit) -> Look:
    colours = kit.theme.palette
    return Look(colours.header, colours.header_ink, colours.header_ink, colours.main)


def _urgent_look(kit: Kit) -> Look:
    colours = kit.theme.palette
    return Look(colours.urgent, colours.urgent_ink, colours.urgent_ink, colours.care)


EDGES_MM = (1.8, 1.0)
"""Between a label and the edge of its key."""
WORTH = 0.9
"""Letters may be so much smaller for the sake of a wider edge."""


def torn(parts: Sequence[Text]) -> bool:
    """Whether a word is torn at the end of a line."""
    return any(tears_words(part.words, part.lines) for part in parts)


def key(kit: Kit, choice: Choice, box: Box, look: Look, role: Role) -> Key:
    """A key with its label, and a second line below it where there is one; the words keep away from
    its edge as far as they can."""
    words = style(kit, role, look.ink, bold=True, align="center")
    tries = [labels(kit, choice, box.inset(kit.mm(e), kit.mm(1.0)), words) for e in EDGES_MM]
    fitting = [parts for parts in tries if all(part.fits for part in parts)]
    good = [parts for parts in fitting if not torn(parts)] or fitting or tries[-1:]
    largest = max(parts[0].size_px for parts in good)
    parts = next(parts for parts in good if parts[0].size_px >= largest * WORTH)
    return Key(box, choice, look, parts, kit.mm(0.5), kit.mm(2.8), kit.mm(GAP_MM / 2))


def labels(kit: Kit, choice: Choice, room: Box, words: Style) -> tuple[Text, ...]:
    if not choice.detail:
        return (text(kit, choice.label, words, room, whole=True),)
    below = style(kit, Role.FRAME, words.ink, align="center")
    smallest = replace(below, size_dp=below.floor_dp)
    least = typeset(kit, choice.detail, smallest, room.w).height_px
    second = text(kit, choice.detail, below, room.foot(max(least, room.h * 0.28)))
    first = text(kit, choice.label, words, room.without(foot=second.height_px), whole=True)
    both = room.middle(room.w, first.height_px + second.height_px)
    return (
        replace(first, box=both.top(first.height_px)),
        replace(second, box=both.foot(second.height_px)),
    )


def strip(screen: Screen) -> tuple[Choice, ...]:
    """The keys that concern the screen itself: its voice, its letters, its language."""
    extra = tuple(choice for choice in (screen.repeat, screen.large) if choice)
    return (*extra, *screen.languages)


# --- 10 inches -------------------------------------------------------------------


def _wide(
    kit: Kit,
    screen: Screen,
    rest: Box,
    turn: Sequence[Choice],
    share: float,  # noqa: ARG001
) -> Frame:
    bar = kit.mm(BAR_MM)
    top, head = _header(kit, screen, rest)
    pieces = (*head, *_footer(kit, screen, rest.foot(bar), turn))
    body = rest.without(top=top, foot=bar).inset(kit.mm(MARGIN_MM), kit.mm(3.4))
    return Frame(pieces, body)


STRIP_KEY_MM = 25.0
MORE_TIME_MM = 40.0


def _header(kit: Kit, screen: Screen, rest: Box) -> tuple[float, list[Piece]]:
    """The headline; at its end the strip and, near the end of the time, more of it. As high as
    its keys, or as the headline in its smallest letters."""
    gap, width = kit.mm(GAP_MM), kit.mm(STRIP_KEY_MM)
    bar = kit.mm(BAR_MM)
    inner = rest.top(bar).inset(kit.mm(MARGIN_MM), kit.mm(PAD_MM))
    keys: list[Piece] = []
    for choice in reversed(strip(screen)):
        keys.append(key(kit, choice, inner.end(width), _strip_look(kit), Role.FRAME))
        inner = inner.without(end=width + gap)
    if screen.more_time:
        width = kit.mm(MORE_TIME_MM)
        keys.append(key(kit, screen.more_time, inner.end(width), _urgent_look(kit), Role.KEY))
        inner = inner.without(end=width + gap)
    look = headline(kit, screen)
    needed = typeset(kit, screen.headline, look, inner.w, 0.0).height_px
    bar = max(bar, needed + kit.mm(1.6))
    words = text(
        kit, screen.headline, look, Box(inner.x, rest.y, inner.w, bar).inset(0, kit.mm(0.8))
    )
    return bar, [Ground(rest.top(bar), kit.theme.palette.header), *keys, words]


def headline(kit: Kit, screen: Screen) -> Style:
    role = Role.PROMPT if screen.prompt else Role.TITLE
    return style(kit, role, kit.theme.palette.header_ink, bold=True)


TERMINAL_MM = 20.0
TIME_MM = 29.5
FOOTER_SLOTS = 6
_BACK, _HELP, _SCAN = (Button.BACK,), (Button.HELP,), (Button.SCAN,)
_HOME, _CALL = (Button.HOME, Button.SURVEY), (Button.CALL_STAFF, Button.FEEDBACK)
Slots = dict[Button, int]


def _in_order(*slots: Sequence[Button]) -> Slots:
    return {button: slot for slot, buttons in enumerate(slots) for button in buttons}


_BAR_SLOTS = _in_order(_BACK, _HELP, _HOME, _CALL, _SCAN)
"""Where a key of the footer stands. No screen has two of one slot."""
_THREES_SLOTS = _in_order(_HELP, _HOME, _CALL, _BACK, _SCAN)
"""In lines of three: those that no screen after the card lacks make the first."""


def _footer(kit: Kit, screen: Screen, box: Box, turn: Sequence[Choice]) -> Iterator[Piece]:
    """Terminal number and the keys that work everywhere."""
    yield Ground(box, kit.theme.palette.footer)
    inner = box.inset(kit.mm(MARGIN_MM), kit.mm(PAD_MM))
    quiet = style(kit, Role.FRAME, kit.theme.palette.quiet_ink)
    yield text(kit, screen.footer.terminal, quiet, inner.left(kit.mm(TERMINAL_MM)))
    yield from time_left(kit, screen, inner.end(kit.mm(TIME_MM)).inset(0, kit.mm(3)))
    gap = kit.mm(GAP_MM)
    middle = inner.without(left=kit.mm(TERMINAL_MM) + gap, end=kit.mm(TIME_MM) + gap)
    placed = _slotted((*screen.footer.buttons, *turn), _BAR_SLOTS, FOOTER_SLOTS)
    count = max(FOOTER_SLOTS, *(slot + 1 for slot in placed)) if placed else 0
    places = columns(middle, count, gap)
    for slot, choice in placed.items():
        yield key(kit, choice, places[slot], look_of(kit, choice.weight), Role.FRAME)


def _slotted(choices: Sequence[Choice], slots: Slots, room: int) -> dict[int, Choice]:
    """A key has its own slot, so that it stands at the same place on every screen. One that has
    none within the `room` takes what is free there, from the end, or the next after it."""
    own = {slots.get(choice.button, room): choice for choice in choices}
    placed = {slot: choice for slot, choice in own.items() if slot < room}
    for choice in choices:
        if choice not in placed.values():
            free = (slot for slot in reversed(range(room)) if slot not in placed)
            placed[next(free, max(placed, default=-1) + 1)] = choice
    return placed


def time_left(kit: Kit, screen: Screen, box: Box) -> Iterator[Piece]:
    """剩余N秒; in the last half minute on a bright ground."""
    if not screen.footer.time_left:
        return
    colours = kit.theme.palette
    ink = colours.ink
    if screen.footer.urgent:
        ink = colours.urgent_ink
        yield Ground(box, colours.urgent, ink, kit.mm(0.5), kit.mm(1.6))
    words = style(kit, Role.FRAME, ink, bold=True, align="center")
    yield text(kit, screen.footer.time_left, words, box.inset(kit.mm(1), 0))


# --- 7 inches --------------------------------------------------------------------


def fixed_keys(kit: Kit, screen: Screen, turn: Sequence[Choice] = ()) -> list[tuple[Choice, Look]]:
    """The footer's keys as they stand on a small panel, more time among them."""
    found = [(choice, look_of(kit, choice.weight)) for choice in (*screen.footer.buttons, *turn)]
    more = screen.more_time
    return [(more, _urgent_look(kit)), *found] if more else found


def _small(kit: Kit, screen: Screen, rest: Box, turn: Sequence[Choice], share: float) -> Frame:
    """The strip in the last column, the footer's keys in one or two before it."""
    gap, width, pad = kit.mm(GAP_MM), kit.mm(KEY_MM), kit.mm(PAD_MM)
    colours = kit.theme.palette
    column = rest.end(width + gap)
    pieces: list[Piece] = [Ground(column, colours.header)]
    cells = _three(kit, column.end(width + gap / 2).left(width).inset(0, pad))
    for choice, place in _from_the_end(strip(screen), cells):
        pieces.append(key(kit, choice, place, _strip_look(kit), Role.FRAME))
    rest = rest.without(end=column.w)
    for line in _lines_of_three(kit, screen, turn):
        column = rest.end(width + gap)
        pieces.append(Ground(column, colours.footer))
        cells = _three(kit, column.end(width + gap / 2).left(width).inset(0, pad))
        for cell, (choice, look) in line.items():
            pieces.append(key(kit, choice, cells[cell], look, Role.FRAME))
        rest = rest.without(end=column.w)
    return _titled(kit, screen, rest, pieces, share)


def _from_the_end(choices: Sequence[Choice], cells: Sequence[Box]) -> Iterator[tuple[Choice, Box]]:
    """A silent screen has one key less, and the others stay where they are."""
    return zip(choices, cells[max(0, len(cells) - len(choices)) :], strict=False)


def _lines_of_three(
    kit: Kit, screen: Screen, turn: Sequence[Choice]
) -> list[dict[int, tuple[Choice, Look]]]:
    """The footer's keys in as few lines of three as hold them, each in its slot if it can be."""
    looks = {choice.button: (choice, look) for choice, look in fixed_keys(kit, screen, turn)}
    room = -(-len(screen.footer.buttons) // 3) * 3
    extra = (*turn, *([screen.more_time] if screen.more_time else []))
    placed = _slotted((*screen.footer.buttons, *extra), _THREES_SLOTS, room)
    lines: dict[int, dict[int, tuple[Choice, Look]]] = {}
    for slot, choice in sorted(placed.items()):
        lines.setdefault(slot // 3, {})[slot % 3] = looks[choice.button]
    return list(lines.values())


def _three(kit: Kit, box: Box) -> list[Box]:
    gap = kit.mm(GAP_MM)
    return rows(box, [(box.h - 2 * gap) / 3] * 3, gap)


def _tall(kit: Kit, screen: Screen, rest: Box, turn: Sequence[Choice], share: float) -> Frame:
    """The strip above the title, the footer in rows of three, the first of them lowest."""
    gap, bar = kit.mm(GAP_MM), kit.mm(BAR_MM)
    colours = kit.theme.palette
    inner = rest.inset(kit.mm(TIGHT_MM), 0)
    pieces: list[Piece] = [Ground(rest.top(bar), colours.header)]
    row = inner.top(bar).inset(0, kit.mm(PAD_MM))
    for choice, place in _from_the_end(strip(screen), columns(row, 3, gap)):
        pieces.append(key(kit, choice, place, _strip_look(kit), Role.FRAME))
    lines = _lines_of_three(kit, screen, turn)
    count = len(lines)
    height = kit.mm(count * KEY_MM + (count - 1) * GAP_MM + 2 * PAD_MM) if lines else 0.0
    foot = rest.foot(height)
    pieces.append(Ground(foot, colours.footer))
    grid = inner.foot(height).inset(0, kit.mm(PAD_MM))
    for line, place in zip(reversed(lines), rows(grid, [kit.mm(KEY_MM)] * count, gap), strict=True):
        cells = columns(place, 3, gap)
        for cell, (choice, look) in line.items():
            pieces.append(key(kit, choice, cells[cell], look, Role.FRAME))
    return _titled(kit, screen, rest.without(top=bar, foot=height), pieces, share)


TITLE_SHARE = {False: 0.3, True: 0.0}
"""A title is given no more of a small panel's free height, as long as it can be smaller."""


def _titled(kit: Kit, screen: Screen, rest: Box, pieces: list[Piece], share: float) -> Frame:
    """Title above, terminal number and time left below, the body in between."""
    colours = kit.theme.palette
    look = headline(kit, screen)
    inner = rest.inset(kit.mm(TIGHT_MM), 0)
    setting = fitted(kit, screen.headline, look, inner.top(rest.h * share), whole=True)
    height = setting.height_px + kit.mm(2.4)
    bar = rest.top(height)
    pieces.append(Ground(bar, colours.header))
    words = inner.top(height).inset(0, kit.mm(1.2))
    pieces.append(text(kit, screen.headline, look, words, whole=True))
    status = inner.foot(kit.mm(STATUS_MM))
    quiet = style(kit, Role.FRAME, colours.quiet_ink)
    half = status.w * 0.46
    pieces.append(text(kit, screen.footer.terminal, quiet, status.left(half)))
    pieces.extend(time_left(kit, screen, status.end(half).inset(0, kit.mm(0.3))))
    body = rest.without(top=height, foot=status.h).inset(kit.mm(TIGHT_MM), kit.mm(1.6))
    return Frame(tuple(pieces), body)

"""Texts one below the other: as large as there is room for, and on pages where there is too little.

Nothing scrolls. What does not fit at the smallest letters allowed goes on to the
next page; a paragraph longer than a page is cut between two lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from edge.ui.drawings import Strokes, exclamation
from edge.ui.pieces import (
    LINE_HEIGHT,
    SHRINK,
    Ground,
    Kit,
    Piece,
    Setting,
    Sketch,
    Style,
    text,
    typeset,
)
from edge.ui.typeset import Box

GROWN = 1.15
"""How much larger than usual letters may be where there is room for it."""

GAP_MM = 2.2
PANEL_PAD_MM = 2.0
SHEET_PAD_MM = (4.5, 2.0)
"""On a wide column, on a narrow one."""
SHEET_ROW_PAD_MM = 0.35
SHEET_EDGE_MM = 0.7
SHEET_AIR_MM = 1.6
"""Between the words and the edge of a sheet: at least, and as much more where there is room."""
MARK_MM = 7.2
NARROW_MM = 110.0


@dataclass(frozen=True, slots=True)
class Cell:
    """One text of a block; `width_mm` where the column is fixed."""

    words: str = field(repr=False)
    style: Style
    width_mm: float | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Cells side by side (`stacked`: one below the other) with a mark before them.

    A `panel` has a ground of its own; blocks of a `sheet` share a white one.
    `spare` may be left out where there is no room: something else says it, too.
    `below` belongs to the block above it and stands on the same page; `indented` begins where
    it does after its mark.
    """

    cells: tuple[Cell, ...]
    mark: Strokes | None = None
    panel: bool = False
    sheet: bool = False
    stacked: bool = False
    spare: bool = False
    below: bool = False
    indented: bool = False


def paragraph(words: str, style: Style, *, spare: bool = False) -> Block:
    return Block((Cell(words, style),), spare=spare)


def advice(words: str, style: Style) -> Block:
    """The one thing to mend, with a mark so that its colour is not alone."""
    return Block((Cell(words, style),), mark=exclamation, panel=True)


@dataclass(frozen=True, slots=True)
class Flowed:
    """The pieces of one page, how many pages there are, and how small the letters became."""

    pieces: tuple[Piece, ...]
    pages: int
    shrunk: float
    left_out: int = 0


def flow(
    kit: Kit, blocks: Sequence[Block], box: Box, leaf: int = 0, foot_px: float = 0.0
) -> Flowed:
    """Lay blocks out in the middle of a box; the last page leaves `foot_px` of it free."""
    last = box.without(foot=foot_px)
    shrunk = _shrunk(kit, blocks, last)
    kept = list(blocks)
    while shrunk is None and any(block.spare for block in kept):
        kept.remove(next(block for block in reversed(kept) if block.spare))
        shrunk = _shrunk(kit, kept, last)
    if shrunk is not None:
        return Flowed(tuple(_placed(kit, kept, last, shrunk)), 1, shrunk, len(blocks) - len(kept))
    sheets = min((_pages(kit, b, box, foot_px) for b in (kept, blocks)), key=len)
    number = leaf % len(sheets)
    room = last if number == len(sheets) - 1 else box
    return Flowed(tuple(_placed(kit, sheets[number], room, 0.0)), len(sheets), 0.0)


def _shrunk(kit: Kit, blocks: Sequence[Block], box: Box) -> float | None:
    """How large letters can be for everything to fit; `None` if not even the smallest do. A sheet
    keeps air around its words as long as they can give way."""
    by = GROWN
    smallest = min((_smallest(block) for block in blocks), default=1.0)
    air = kit.mm(2 * SHEET_AIR_MM) if any(block.sheet for block in blocks) else 0.0
    while total_height(kit, blocks, box.w, by) + (
        air if by > 1 else air / 2 if by > smallest else 0.0
    ) > box.h + 0.5 or _too_wide(kit, blocks, box.w, by):
        if by <= smallest:
            return None
        by = max(by * SHRINK, smallest)
    return by


def _too_wide(kit: Kit, blocks: Sequence[Block], width: float, by: float) -> bool:
    """Whether a long word stands over the end of its column; the smallest letters are taken as
    they are."""
    return any(
        by * cell.style.size_dp > cell.style.floor_dp and setting.width_px > place.w + 0.5
        for block in blocks
        for cell, place, setting in _settings(kit, block, width, by)
    )


def _smallest(block: Block) -> float:
    return min(cell.style.floor_dp / cell.style.size_dp for cell in block.cells)


# --- heights -------------------------------------------------------------------


def total_height(kit: Kit, blocks: Sequence[Block], width: float, by: float) -> float:
    """With the smallest gaps."""
    gaps = sum(_gaps(kit, blocks))
    sheet = any(block.sheet for block in blocks)
    pad = 2 * kit.mm(SHEET_EDGE_MM) if sheet else 0.0
    return pad + gaps + sum(_height(kit, block, width, by) for block in blocks)


def _gaps(kit: Kit, blocks: Sequence[Block]) -> list[float]:
    return [0.0 if a.sheet and b.sheet else kit.mm(GAP_MM) for a, b in pairwise(blocks)]


def _room(kit: Kit, block: Block, box: Box) -> Box:
    """Where the words of a block stand, without pads and mark."""
    if block.panel:
        box = box.inset(kit.mm(PANEL_PAD_MM))
    elif block.sheet:
        pad = SHEET_PAD_MM[box.w < kit.mm(NARROW_MM)]
        box = box.inset(kit.mm(pad), kit.mm(SHEET_ROW_PAD_MM))
    return box.without(left=kit.mm(MARK_MM + 2.0)) if block.mark or block.indented else box


def _columns(kit: Kit, block: Block, box: Box) -> list[Box]:
    """Side by side: fixed columns first, the rest shared."""
    gap = kit.mm(3.0)
    fixed = sum(kit.mm(cell.width_mm) for cell in block.cells if cell.width_mm)
    free = sum(not cell.width_mm for cell in block.cells)
    rest = (box.w - fixed - gap * (len(block.cells) - 1)) / max(free, 1)
    places, x = [], box.x
    for cell in block.cells:
        width = kit.mm(cell.width_mm) if cell.width_mm else rest
        places.append(Box(x, box.y, width, box.h))
        x += width + gap
    return places


def _settings(
    kit: Kit, block: Block, width: float, by: float
) -> Iterator[tuple[Cell, Box, Setting]]:
    room = _room(kit, block, Box(0, 0, width, 0))
    places = [room] * len(block.cells) if block.stacked else _columns(kit, block, room)
    for cell, place in zip(block.cells, places, strict=True):
        yield cell, place, typeset(kit, cell.words, cell.style, place.w, by)


def _cell_heights(kit: Kit, block: Block, width: float, by: float) -> list[float]:
    return [setting.height_px for _, _, setting in _settings(kit, block, width, by)]


def _height(kit: Kit, block: Block, width: float, by: float) -> float:
    heights = _cell_heights(kit, block, width, by)
    inner = sum(heights) if block.stacked else max(heights)
    if block.mark:
        inner = max(inner, kit.mm(MARK_MM))
    pad = PANEL_PAD_MM if block.panel else SHEET_ROW_PAD_MM if block.sheet else 0.0
    return inner + 2 * kit.mm(pad)


# --- places --------------------------------------------------------------------


def _placed(kit: Kit, blocks: Sequence[Block], box: Box, by: float) -> Iterator[Piece]:
    heights = [_height(kit, block, box.w, by) for block in blocks]
    spare = max(0.0, box.h - total_height(kit, blocks, box.w, by))
    air = min(spare / 4, kit.mm(SHEET_AIR_MM)) if any(block.sheet for block in blocks) else 0.0
    more = min((spare - 2 * air) / (len(blocks) + 1), kit.mm(GAP_MM))
    ends = [a.sheet is not b.sheet for a, b in pairwise(blocks)]
    gaps = [
        gap + air * end + more * (not below.below)
        for gap, end, below in zip(_gaps(kit, blocks), ends, blocks[1:], strict=True)
    ]
    edge = kit.mm(SHEET_EDGE_MM) + air
    y = box.y + (box.h - sum(heights) - sum(gaps)) / 2
    places = []
    for height, gap in zip(heights, [*gaps, 0.0], strict=False):
        places.append(Box(box.x, y, box.w, height))
        y += height + gap
    yield from _sheet(kit, blocks, places, edge)
    for block, place in zip(blocks, places, strict=True):
        yield from _block(kit, block, place, by)


def _sheet(
    kit: Kit, blocks: Sequence[Block], places: Sequence[Box], edge: float
) -> Iterator[Piece]:
    on_it = [place for block, place in zip(blocks, places, strict=True) if block.sheet]
    if on_it:
        first, last = on_it[0], on_it[-1]
        ground = Box(first.x, first.y - edge, first.w, last.bottom - first.y + 2 * edge)
        yield sheet(kit, ground)


def sheet(kit: Kit, box: Box) -> Ground:
    """A white ground with a thin edge."""
    colours = kit.theme.palette
    return Ground(box, colours.panel, colours.edge, kit.mm(0.35), kit.mm(2.4))


def _block(kit: Kit, block: Block, box: Box, by: float) -> Iterator[Piece]:
    colours = kit.theme.palette
    if block.panel:
        yield Ground(box, colours.care, colours.care_edge, kit.mm(0.5), kit.mm(2.4))
    room = _room(kit, block, box)
    if block.mark:
        side = kit.mm(MARK_MM)
        yield Sketch(Box(room.x - side - kit.mm(2.0), room.y, side, room.h), block.mark)
    if block.stacked:
        y = room.y
        for cell, height in zip(block.cells, _cell_heights(kit, block, box.w, by), strict=True):
            yield text(kit, cell.words, _sized(cell.style, by), Box(room.x, y, room.w, height))
            y += height
        return
    for cell, place in zip(block.cells, _columns(kit, block, room), strict=True):
        yield text(kit, cell.words, _sized(cell.style, by), place)


def _sized(look: Style, by: float) -> Style:
    return replace(look, size_dp=max(look.size_dp * by, look.floor_dp))


# --- pages ---------------------------------------------------------------------


def _pages(kit: Kit, blocks: Sequence[Block], box: Box, foot_px: float) -> list[list[Block]]:
    """At the smallest letters, as much on each page as fits; what is to be mended comes first."""
    pages: list[list[Block]] = [[]]
    for part in _parts(kit, sorted(blocks, key=lambda block: not block.panel), box):
        if pages[-1] and not _fits(kit, [*pages[-1], *part], box):
            pages.append([])
        pages[-1].extend(part)
    last = box.without(foot=foot_px)
    if not _fits(kit, pages[-1], last):
        pages.append(_moved_on(kit, pages[-1], last))
    return pages


def _fits(kit: Kit, blocks: Sequence[Block], box: Box) -> bool:
    return total_height(kit, blocks, box.w, 0.0) <= box.h + 0.5


def _moved_on(kit: Kit, page: list[Block], room: Box) -> list[Block]:
    """Takes the end of a page away, half of it at most, for a page that has less room."""
    moved: list[Block] = []
    for group in reversed(_groups(page)):
        if len(page) - len(group) <= len(moved) or not _fits(kit, [*group, *moved], room):
            break
        moved = [*group, *moved]
        del page[-len(group) :]
    return moved


def _groups(blocks: Sequence[Block]) -> list[list[Block]]:
    """A block and those that stand below it."""
    groups: list[list[Block]] = []
    for block in blocks:
        if block.below and groups:
            groups[-1].append(block)
        else:
            groups.append([block])
    return groups


def _parts(kit: Kit, blocks: Sequence[Block], box: Box) -> Iterator[list[Block]]:
    """What stands together; a group that is higher than a page comes in parts."""
    for group in _groups(blocks):
        if _fits(kit, group, box):
            yield group
        else:
            yield from ([part] for block in group for part in _cut(kit, block, box))


def _cut(kit: Kit, block: Block, box: Box) -> list[Block]:
    """A block, or a paragraph longer than a page in pieces of some lines each."""
    if _fits(kit, [block], box):
        return [block]
    if len(block.cells) > 1:
        apart = [replace(block, cells=(replace(c, width_mm=None),)) for c in block.cells]
        return [part for one in apart for part in _cut(kit, one, box)]
    (cell,) = block.cells
    room = _room(kit, block, box)
    setting = typeset(kit, cell.words, cell.style, room.w, 0.0)
    count = max(1, int(room.h // (setting.size_px * LINE_HEIGHT)))
    chunks = [setting.lines[i : i + count] for i in range(0, len(setting.lines), count)]
    return [replace(block, cells=(replace(cell, words=w),)) for w in _joined(cell.words, chunks)]


def _joined(words: str, chunks: Sequence[Sequence[str]]) -> Iterator[str]:
    """The stretch of the text that each chunk of lines covers."""
    at = 0
    for lines in chunks:
        begin = words.index(lines[0], at)
        for line in lines:
            at = words.index(line, at) + len(line)
        yield words[begin:at]

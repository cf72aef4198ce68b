"""Where lines break and where boxes stand. Pure arithmetic; pixels from the top left corner."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

Measure = Callable[[str], float]
"""Width of a string in pixels."""

# A piece is what may not be torn apart: a Latin word, or one Chinese character,
# each with the opening marks before it and the closing marks after it.
_PIECE = re.compile(r"[（“‘《【「]*(?:[!-~\u00a0-\u024f’]+|[^ ])[，。、；：！？）”’》】」…]* *")


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; `x`, `y` is its top left corner."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        return self.x + self.w

    @property
    def bottom(self) -> float:
        return self.y + self.h

    @property
    def centre(self) -> tuple[float, float]:
        return self.x + self.w / 2, self.y + self.h / 2

    def inset(self, dx: float, dy: float | None = None) -> Box:
        dy = dx if dy is None else dy
        return Box(self.x + dx, self.y + dy, self.w - 2 * dx, self.h - 2 * dy)

    def top(self, height: float) -> Box:
        return Box(self.x, self.y, self.w, height)

    def foot(self, height: float) -> Box:
        return Box(self.x, self.bottom - height, self.w, height)

    def left(self, width: float) -> Box:
        return Box(self.x, self.y, width, self.h)

    def end(self, width: float) -> Box:
        return Box(self.right - width, self.y, width, self.h)

    def without(self, *, top: float = 0, foot: float = 0, left: float = 0, end: float = 0) -> Box:
        return Box(self.x + left, self.y + top, self.w - left - end, self.h - top - foot)

    def middle(self, width: float, height: float) -> Box:
        """A box of this size around the same centre."""
        x, y = self.centre
        return Box(x - width / 2, y - height / 2, width, height)

    def holds(self, x: float, y: float) -> bool:
        return self.x <= x < self.right and self.y <= y < self.bottom


def columns(box: Box, count: int, gap: float) -> list[Box]:
    """Equal boxes side by side."""
    width = (box.w - gap * (count - 1)) / max(count, 1)
    return [Box(box.x + i * (width + gap), box.y, width, box.h) for i in range(count)]


def rows(box: Box, heights: Iterable[float], gap: float) -> list[Box]:
    """Boxes of these heights one below the other, from the top."""
    placed, y = [], box.y
    for height in heights:
        placed.append(Box(box.x, y, box.w, height))
        y += height + gap
    return placed


TORN = 0.15
"""What it costs to end a line inside a Chinese clause, against 1 for an empty line."""


def wrap(text: str, width: float, measure: Measure) -> list[str]:
    """As few lines as fit the width, about equally long, ending where the sense does if they can.

    No line starts with a closing mark. A piece wider than the width stands on
    a line of its own and is too wide; whoever calls makes the letters smaller.
    """
    pieces = _PIECE.findall(text) or [text]
    ends = [0.0, *itertools.accumulate(measure(piece) for piece in pieces)]
    count = _fewest(ends, width)
    return ["".join(pieces[a:b]).strip() for a, b in _best(pieces, ends, width, count)]


def _fewest(ends: list[float], width: float) -> int:
    lines, start = 1, 0
    for end in range(1, len(ends)):
        if ends[end] - ends[start] > width and end - 1 > start:
            lines, start = lines + 1, end - 1
    return lines


def _best(pieces: list[str], ends: list[float], width: float, count: int) -> list[tuple[int, int]]:
    """The cheapest way to cut all pieces into `count` lines, by the cost of what is left blank."""
    total = len(pieces)
    paths: dict[int, tuple[float, list[tuple[int, int]]]] = {0: (0.0, [])}
    for left in reversed(range(count)):
        longer: dict[int, tuple[float, list[tuple[int, int]]]] = {}
        for start, (cost, path) in paths.items():
            for end in range(start + 1, total - left + 1):
                used = ends[end] - ends[start]
                if used > width and end > start + 1:
                    break
                paid = cost + (1 - used / width) ** 2 + TORN * _tears(pieces[end - 1], end, total)
                if end not in longer or paid < longer[end][0]:
                    longer[end] = (paid, [*path, (start, end)])
        paths = longer
    return paths[total][1]


def _tears(piece: str, end: int, total: int) -> bool:
    return end < total and piece[-1] not in " ，。、；：！？）”’》】」…"

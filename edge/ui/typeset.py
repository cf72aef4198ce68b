"""Where lines break and where boxes stand. Pure arithmetic; pixels from the top left corner."""

from __future__ import annotations

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


def wrap(text: str, width: float, measure: Measure) -> list[str]:
    """As few lines as fit the width, and these about equally long.

    No line starts with a closing mark. A piece wider than the width stands on
    a line of its own and is too wide; whoever calls makes the letters smaller.
    """
    pieces = _PIECE.findall(text)
    lines = _greedy(pieces, width, measure)
    return _even(pieces, width, measure, lines) if len(lines) > 1 else lines


def _greedy(pieces: list[str], width: float, measure: Measure) -> list[str]:
    lines, line = [], ""
    for piece in pieces:
        if line and measure((line + piece).rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece
    return [*lines, line.rstrip()]


def _even(pieces: list[str], width: float, measure: Measure, lines: list[str]) -> list[str]:
    """The narrowest setting with the same number of lines leaves no lonely last word."""
    low, high, best = width / 2, width, lines
    for _ in range(6):
        middle = (low + high) / 2
        tried = _greedy(pieces, middle, measure)
        if len(tried) == len(lines) and max(map(measure, tried)) <= width:
            high, best = middle, tried
        else:
            low = middle
    return best

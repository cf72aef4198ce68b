"""Round things out of straight pieces. Pure arithmetic, in pixels."""

from __future__ import annotations

import math

PIECES_PER_ROOT_PX = 1.76
"""Of a quarter circle: a chord over an angle a lies r (1 - cos(a/2)) off, here below 0.1 px."""


def quarter_pieces(radius_px: float) -> int:
    """Straight pieces that a quarter of a circle needs. Kivy takes 45 for every corner and 180
    for the smallest dot, and each costs six triangles, of a kilobyte each if GL is software."""
    return math.ceil(PIECES_PER_ROOT_PX * math.sqrt(max(radius_px, 1)))


def frame(x: float, y: float, w: float, h: float, radius_px: float, half_px: float) -> list[float]:
    """The middle of a line, `half_px` to each side, around a box with round corners: x, y, x, y,
    ... counterclockwise from the right (where y goes up); whoever draws it closes it."""
    count = quarter_pieces(radius_px + half_px)
    right, top = x + w - radius_px, y + h - radius_px
    left, foot = x + radius_px, y + radius_px
    points = []
    for corner, (cx, cy) in enumerate(((right, top), (left, top), (left, foot), (right, foot))):
        for step in range(count + 1):
            angle = (corner + step / count) * math.pi / 2
            points += [cx + radius_px * math.cos(angle), cy + radius_px * math.sin(angle)]
    return points

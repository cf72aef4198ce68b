"""Round things out of straight pieces."""

from __future__ import annotations

import itertools
import math

import pytest

from edge.ui.curves import frame, quarter_pieces


@pytest.mark.parametrize("radius_px", [1, 4, 9.3, 16, 40, 150, 400])
def test_no_piece_is_a_tenth_of_a_pixel_off_and_none_is_too_many(radius_px: float) -> None:
    def off(pieces: int) -> float:
        return radius_px * (1 - math.cos(math.pi / 4 / pieces))

    assert off(quarter_pieces(radius_px)) <= 0.1
    assert quarter_pieces(radius_px) <= 2 or off(quarter_pieces(radius_px) - 2) > 0.1


def test_a_frame_goes_once_around_and_stays_in_its_box() -> None:
    numbers = frame(10, 20, 100, 60, 12, 1)
    points = list(zip(numbers[::2], numbers[1::2], strict=True))
    assert min(x for x, _ in points) == pytest.approx(10)
    assert max(x for x, _ in points) == pytest.approx(110)
    assert min(y for _, y in points) == pytest.approx(20)
    assert max(y for _, y in points) == pytest.approx(80)
    sides = itertools.pairwise([*points, points[0]])
    around = sum(ax * by - bx * ay for (ax, ay), (bx, by) in sides)
    corners = (4 - math.pi) * 12**2
    assert around / 2 == pytest.approx(100 * 60 - corners, abs=4 * 12 * 0.1)

"""A head that turns, and photographs that fade into each other."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edge.models.faces import Box
from edge.models.mixture import PATCH_PX, left_over, patch_of
from edge.models.observation import Limits

FACE = Box(220.0, 120.0, 420.0, 380.0)


def scene(shift_px: float) -> np.ndarray:
    """Soft blobs that wander before a wall that stays."""
    blobs = np.random.default_rng(3).integers(0, 255, (12, 16, 3)).astype(np.uint8)
    image = cv2.resize(blobs, (640, 480), interpolation=cv2.INTER_CUBIC)
    move = np.array([[1.0, 0.0, shift_px], [0.0, 1.0, 0.0]])
    return cv2.warpAffine(image, move, (640, 480), borderMode=cv2.BORDER_REFLECT)


def patch(image: np.ndarray) -> np.ndarray:
    found = patch_of(image, FACE)
    assert found is not None
    return found


BEFORE, AFTER = scene(0), scene(40)


def fade(part: float) -> np.ndarray:
    noise = np.random.default_rng(int(100 * part)).normal(0, 3, BEFORE.shape)
    both = (1 - part) * BEFORE + part * AFTER + noise
    return patch(np.clip(both, 0, 255).astype(np.uint8))


def test_what_wanders_is_no_mixture_of_its_ends() -> None:
    between = [patch(scene(shift)) for shift in (10, 20, 30)]
    left = left_over(between, patch(BEFORE), patch(AFTER))
    assert left is not None
    assert left > Limits().mixture + 0.1


@pytest.mark.parametrize("parts", [(0.5,), (0.2, 0.4, 0.6, 0.8), (0.3,), (0.85,)])
def test_what_fades_is_nothing_else(parts) -> None:
    left = left_over([fade(part) for part in parts], patch(BEFORE), patch(AFTER))
    assert left is not None
    assert left < Limits().mixture - 0.1


def test_a_frame_like_one_of_the_ends_lies_between_nothing() -> None:
    ends = patch(BEFORE), patch(AFTER)
    assert left_over([], *ends) is None
    assert left_over([patch(BEFORE), patch(AFTER)], *ends) is None
    assert left_over([patch(BEFORE)], ends[0], ends[0]) is None


def test_the_place_may_reach_over_the_edge_but_not_out_of_the_picture() -> None:
    found = patch_of(BEFORE, Box(-50.0, -40.0, 150.0, 160.0))
    assert found is not None
    assert found.shape == (PATCH_PX * PATCH_PX,)
    assert patch_of(BEFORE, Box(700.0, 120.0, 900.0, 380.0)) is None
    assert patch_of(BEFORE, Box(300.0, 200.0, 300.0, 200.0)) is None


PATCHES = arrays.arrays(np.float32, PATCH_PX * PATCH_PX, elements=st.floats(0, 255, width=32))


@settings(max_examples=50, deadline=None)
@given(st.lists(PATCHES, max_size=3), PATCHES, PATCHES)
def test_whatever_is_seen_the_share_is_one(between, before, after) -> None:
    left = left_over(between, before, after)
    assert left is None or 0.0 <= left <= 1.0 + 1e-3

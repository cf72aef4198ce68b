"""Faces as numbers."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.models.embedding import (
    CHIP_POINTS,
    LIKENESS_THRESHOLD,
    MATCH_DISTANCE,
    Embedder,
    chip_of,
    distance,
    likeness,
    match_distance,
)
from edge.models.faces import Follower
from edge.models.geometry import ALIGNMENT
from edge.models.preprocess import similarity
from tests.helpers_models import admiral, astronaut


@pytest.fixture(scope="module")
def embedder(models_dir):
    return Embedder(models_dir)


@pytest.fixture(scope="module")
def meshes(models_dir):
    follower = Follower(models_dir)
    return {"astronaut": follower.find_one(astronaut()), "admiral": follower.find_one(admiral())}


@given(one=st.floats(0, 10), two=st.floats(0, 10))
def test_likeness_falls_with_distance_and_stays_within_0_and_1(one, two) -> None:
    near, far = sorted((one, two))
    assert 0.0 <= likeness(far) <= likeness(near) <= 1.0


def test_the_threshold_stands_for_the_distance() -> None:
    assert LIKENESS_THRESHOLD == likeness(MATCH_DISTANCE) == pytest.approx(0.58434, abs=1e-5)
    assert likeness(MATCH_DISTANCE + 1e-6) < LIKENESS_THRESHOLD
    assert (likeness(0.0), likeness(5.0)) == (1.0, 0.0)


def test_the_chip_has_the_eyes_and_the_nose_where_dlib_wants_them(meshes) -> None:
    points = meshes["astronaut"].points
    matrix = similarity(points[list(ALIGNMENT), :2], CHIP_POINTS)
    placed = points[list(ALIGNMENT), :2] @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(placed - CHIP_POINTS).max() < 6
    assert CHIP_POINTS[0, 0] > CHIP_POINTS[2, 0]  # the own left eye is on the right


def test_the_same_face_is_near_and_another_is_far(embedder, meshes) -> None:
    plain = embedder.embed(astronaut(), meshes["astronaut"].points)
    assert plain.shape == (128,)
    dim = (astronaut() * 0.6).astype(np.uint8)
    small = cv2.GaussianBlur(dim, (0, 0), 1.5)
    again = embedder.embed(small, meshes["astronaut"].points)
    other = embedder.embed(admiral(), meshes["admiral"].points)
    assert 0.0 < match_distance([again], plain) < MATCH_DISTANCE
    assert match_distance([other], plain) > MATCH_DISTANCE + 0.1


def test_averaging_brings_nobody_nearer() -> None:
    """Two views of a stranger, to both sides of one direction: their mean is that direction."""
    ahead, aside, reference = np.eye(3)
    views = [1.4 * ahead + 0.8 * aside, 1.4 * ahead - 0.8 * aside]
    assert match_distance(views, 1.3 * reference) == pytest.approx(np.sqrt(2))
    assert match_distance(views, ahead) == pytest.approx(0.0)
    assert distance(np.mean(views, axis=0), ahead) > 0.3


def test_a_mirrored_chip_is_the_same_face(embedder, meshes) -> None:
    chip = chip_of(astronaut(), meshes["astronaut"].points)
    mirrored = np.ascontiguousarray(chip[:, ::-1])
    assert distance(embedder.embed_chip(chip), embedder.embed_chip(mirrored)) < 1e-5

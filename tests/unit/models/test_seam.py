"""One face or two, on neighbouring frames."""

import numpy as np
import pytest

from edge.drivers.sim import head, portrait
from edge.models.embedding import Embedder, chip_of
from edge.models.faces import Follower
from edge.models.observation import Limits
from edge.models.seam import ALIKE, Seam, glance_of


@pytest.fixture(scope="module")
def chips(models_dir):
    follower, found = Follower(models_dir), {}
    for spec in (portrait.ASTRONAUT, portrait.ADMIRAL):
        drawn = head.Head(spec)
        for yaw in (0, 2, 33):
            image = drawn.render(head.Pose(yaw))
            found[spec.name, yaw] = chip_of(image, follower.find_one(image).points)
    return found


@pytest.fixture
def seam(models_dir) -> Seam:
    return Seam(Embedder(models_dir))


def test_the_first_face_has_nothing_to_differ_from(seam, chips) -> None:
    assert seam.see(chips["admiral", 0]) == 0.0


def test_a_small_movement_needs_no_second_look(seam, chips) -> None:
    seam.see(chips["admiral", 0])
    assert seam.see(chips["admiral", 2]) == 0.0


def test_a_great_movement_is_looked_at_and_is_the_same_person(seam, chips) -> None:
    seam.see(chips["astronaut", 0])
    assert 0.0 < seam.see(chips["astronaut", 33]) < Limits().seam


@pytest.mark.parametrize("yaw", [0, 33])
def test_another_face_is_a_seam(seam, chips, yaw) -> None:
    seam.see(chips["astronaut", 0])
    assert seam.see(chips["admiral", yaw]) > Limits().seam


def test_an_embedding_is_worked_out_once(seam, chips) -> None:
    seam.see(chips["astronaut", 0])
    assert seam.embedding() is seam.embedding()


def test_nobody_has_no_embedding(seam) -> None:
    with pytest.raises(ValueError, match="no face"):
        seam.embedding()


def test_a_glance_at_nothing_is_unlike_everything() -> None:
    """Black on black: no correlation, so the costly look decides."""
    black = glance_of(np.zeros((150, 150, 3), np.uint8))
    assert (black * black).sum() < ALIKE

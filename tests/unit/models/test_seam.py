"""One face or two, on neighbouring frames."""

from dataclasses import replace

import numpy as np
import pytest

from edge.drivers.sim import head, portrait
from edge.models.embedding import Embedder, chip_of
from edge.models.faces import Follower
from edge.models.observation import Limits
from edge.models.seam import ALIKE, Seam, glance_of


@pytest.fixture(scope="module")
def faces(models_dir):
    follower, found = Follower(models_dir), {}
    for spec in (portrait.ASTRONAUT, portrait.ADMIRAL):
        drawn = head.Head(spec)
        for yaw in (0, 2, 33):
            image = drawn.render(head.Pose(yaw))
            found[spec.name, yaw] = image, follower.find_one(image)
    return found


@pytest.fixture
def seam(models_dir) -> Seam:
    return Seam(Embedder(models_dir))


def test_the_first_face_has_nothing_to_differ_from(seam, faces) -> None:
    assert seam.see(*faces["admiral", 0]) == 0.0


def test_a_small_movement_needs_no_second_look(seam, faces) -> None:
    seam.see(*faces["admiral", 0])
    assert seam.see(*faces["admiral", 2]) == 0.0


def test_a_great_movement_is_looked_at_and_is_the_same_person(seam, faces) -> None:
    seam.see(*faces["astronaut", 0])
    assert 0.0 < seam.see(*faces["astronaut", 33]) < Limits().seam


@pytest.mark.parametrize("yaw", [0, 33])
def test_another_face_is_a_seam(seam, faces, yaw) -> None:
    seam.see(*faces["astronaut", 0])
    assert seam.see(*faces["admiral", yaw]) > Limits().seam


def test_an_embedding_is_worked_out_once(seam, faces) -> None:
    seam.see(*faces["astronaut", 0])
    assert seam.embedding() is seam.embedding()


def test_nobody_has_no_embedding(seam) -> None:
    with pytest.raises(ValueError, match="no face"):
        seam.embedding()


def test_a_glance_at_nothing_is_unlike_everything(faces) -> None:
    """Black on black: no correlation, so the costly look decides."""
    _, mesh = faces["admiral", 0]
    black = glance_of(replace(mesh, cut=np.zeros_like(mesh.cut)))
    assert black @ black < ALIKE
    assert glance_of(mesh) @ glance_of(mesh) == pytest.approx(1.0)


def test_a_chip_is_cut_from_the_frame_of_its_face_and_once(seam, faces) -> None:
    image, mesh = faces["astronaut", 33]
    seam.see(*faces["admiral", 0])
    seam.see(image, mesh)
    assert np.array_equal(seam.chip(), chip_of(image, mesh.points))
    assert seam.chip() is seam.chip()

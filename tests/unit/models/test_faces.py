"""Finding and following faces on a public-domain portrait."""

import math

import numpy as np
import pytest

from edge.models import faces
from edge.models.faces import Box, Detection, Detector, Follower, Lids
from edge.models.geometry import eye_distance, pose_of
from edge.models.preprocess import Square
from tests.helpers_models import admiral, astronaut, mesh, printed


@pytest.fixture(scope="module")
def follower(models_dir):
    return Follower(models_dir)


def test_anchors_are_the_cells_of_two_grids() -> None:
    anchors = faces._anchors()
    assert anchors.shape == (896, 2)
    assert anchors[0] == pytest.approx([0.5 / 16, 0.5 / 16])
    assert anchors[0].tolist() == anchors[1].tolist() != anchors[2].tolist()
    assert anchors[2] == pytest.approx([1.5 / 16, 0.5 / 16])
    assert anchors[512:518] == pytest.approx(np.full((6, 2), 0.5 / 8))
    assert anchors[-1] == pytest.approx([7.5 / 8, 7.5 / 8])


def test_overlap_of_boxes() -> None:
    box = Box(0, 0, 10, 10)
    assert box.overlap(box) == 1.0
    assert box.overlap(Box(5, 0, 15, 10)) == pytest.approx(1 / 3)
    assert box.overlap(Box(10, 0, 20, 10)) == 0.0
    assert box.overlap(Box(-5, 20, 5, 30)) == 0.0


def test_of_boxes_on_one_face_the_surest_stays() -> None:
    def detection(left, score):
        return Detection(Box(left, 0, left + 10, 10), np.zeros((6, 2)), score)

    kept = faces._suppressed([detection(0, 0.6), detection(1, 0.9), detection(40, 0.7)])
    assert [face.score for face in kept] == [0.9, 0.7]


def test_the_astronauts_face_is_where_it_is(models_dir) -> None:
    (face,) = Detector(models_dir).find(astronaut())
    assert face.score > 0.9
    assert face.box.overlap(Box(175, 70, 275, 180)) > 0.5
    right_eye, left_eye = face.keypoints[:2]
    assert right_eye == pytest.approx([203, 102], abs=8)
    assert left_eye == pytest.approx([246, 104], abs=8)


@pytest.mark.parametrize("size", [(480, 640), (640, 480), (300, 600)])
def test_a_face_is_found_whatever_the_shape_of_the_picture(models_dir, size) -> None:
    rows, columns = size
    image = np.full((rows, columns, 3), 90, np.uint8)
    image[0:300, columns - 300 :] = astronaut()[:300, 70:370]
    (face,) = Detector(models_dir).find(image)
    assert face.keypoints[0] == pytest.approx([columns - 300 + 133, 102], abs=10)


@pytest.mark.parametrize("off", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_points_that_are_no_numbers_are_no_face(off, axis) -> None:
    """And the next look goes where this one went, so that nothing breaks on them."""
    square, cut = Square(320, 240, 200, 0.1), np.zeros((192, 192, 3), np.uint8)
    points = mesh().astype(np.float32)
    points[7, axis] = off
    found = faces._mesh(square, cut, points, 1.0)
    assert found.presence == 0.0
    assert found.roi is square
    assert np.isfinite(found.points).all()


def test_a_face_of_no_size_is_no_face() -> None:
    square, cut = Square(320, 240, 200), np.zeros((192, 192, 3), np.uint8)
    found = faces._mesh(square, cut, np.full((468, 3), 50, np.float32), 1.0)
    assert found.presence == 0.0
    assert found.roi is square


def test_a_box_without_a_width_is_no_detection() -> None:
    assert Box(0, 0, 10, 10).is_one
    wrong = [Box(10, 0, 0, 10), Box(0, 5, 9, 5), Box(0, math.nan, 9, 9), Box(0, 0, math.inf, 9)]
    assert not any(box.is_one for box in wrong)
    assert faces._suppressed([Detection(box, np.zeros((6, 2)), 0.9) for box in wrong]) == []


def test_an_empty_picture_has_no_face(follower) -> None:
    follower.forget()
    sight = follower.look(np.full((480, 640, 3), 128, np.uint8))
    assert (sight.mesh, sight.track, sight.faces) == (None, 0, 0)


def test_a_track_lives_as_long_as_the_face_and_a_new_one_has_a_new_number(follower) -> None:
    follower.forget()
    photo, empty = printed(astronaut()[:300, 70:370]), np.zeros((480, 640, 3), np.uint8)
    images = [photo, photo, empty, photo]
    assert [follower.look(image).track for image in images] == [1, 1, 0, 2]


def test_a_face_somewhere_else_is_another_track(follower) -> None:
    follower.forget()
    photo = astronaut()[:300, 70:370]
    here = printed(photo, shift=(-170, 0), tall_px=300)
    there = printed(photo, shift=(170, 0), tall_px=300)
    assert [follower.look(image).track for image in (here, here, there)] == [1, 1, 2]


def test_a_face_that_jumps_by_half_its_width_is_another_track(follower) -> None:
    """The mesh would still catch it, but so it would catch another face."""
    follower.forget()
    photo = astronaut()[:300, 70:370]
    images = [printed(photo), printed(photo), printed(photo, shift=(70, 20))]
    assert [follower.look(image).track for image in images] == [1, 1, 2]


def test_a_face_that_moves_on_stays_one_track(follower) -> None:
    follower.forget()
    photo = astronaut()[:300, 70:370]
    path = [printed(photo, 0, 0, t, (4 * t, t)) for t in range(20)]
    assert {follower.look(image).track for image in path} == {1}


def test_a_second_face_is_counted_within_ten_frames(follower) -> None:
    follower.forget()
    left = printed(astronaut()[:300, 70:370], shift=(-150, 0), tall_px=300)
    right = printed(admiral()[:420, 90:430], shift=(150, 0), tall_px=300)
    both = np.where(np.arange(640)[None, :, None] < 320, left, right)
    first = [follower.look(left).faces for _ in range(5)]
    assert set(first) == {1}
    later = [follower.look(both).faces for _ in range(faces.DETECT_EVERY)]
    assert later[-1] == 2


def test_roll_is_followed_and_measured(follower) -> None:
    follower.forget()
    photo = astronaut()[:300, 70:370]
    level = follower.look(printed(photo)).mesh
    for roll in range(26):
        sight = follower.look(printed(photo, roll_deg=roll))
    tilt = pose_of(sight.mesh.points).roll - pose_of(level.points).roll
    assert tilt == pytest.approx(25, abs=3)
    assert eye_distance(sight.mesh.points) == pytest.approx(eye_distance(level.points), rel=0.06)


def test_lids_of_open_eyes(models_dir, follower) -> None:
    mesh = follower.find_one(astronaut())
    opening = Lids(models_dir).opening(astronaut(), mesh)
    mirrored = np.ascontiguousarray(astronaut()[:, ::-1])
    other = Lids(models_dir).opening(mirrored, follower.find_one(mirrored))
    assert 0.25 < opening < 0.5
    assert other == pytest.approx(opening, abs=0.06)

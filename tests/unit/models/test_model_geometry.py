"""Poses, openings and depth from points whose truth is known."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.models import geometry
from edge.models.preprocess import Square, image_of, picture_of, similarity, warped
from edge.ports import Picture
from tests.helpers_models import mesh, rotation


@pytest.mark.parametrize("angle", [-40.0, -10.0, 0.0, 10.0, 40.0])
def test_each_angle_has_its_own_sign(angle) -> None:
    level = geometry.UPRIGHT_PITCH_DEG
    assert geometry.pose_of(mesh(yaw_deg=angle)).yaw == pytest.approx(angle)
    assert geometry.pose_of(mesh(pitch_deg=angle)).pitch + level == pytest.approx(angle)
    assert geometry.pose_of(mesh(roll_deg=angle)).roll == pytest.approx(angle)


def test_the_own_left_is_the_right_of_the_picture() -> None:
    ahead, turned = mesh(), mesh(yaw_deg=25)
    assert turned[4, 0] > ahead[4, 0]
    assert geometry.pose_of(turned).yaw > 0
    up = mesh(pitch_deg=25)
    assert up[4, 1] < ahead[4, 1]
    assert geometry.pose_of(up).pitch > geometry.pose_of(ahead).pitch


@pytest.mark.parametrize("angle", [20.0, 30.0, 45.0, -20.0, -30.0, -45.0])
@pytest.mark.parametrize("axis", ["yaw_deg", "pitch_deg"])
def test_a_head_shows_depth_that_grows(axis, angle) -> None:
    neutral = geometry.rigid_points(mesh())
    half = geometry.nose_parallax(neutral, geometry.rigid_points(mesh(**{axis: angle / 2})))
    full = geometry.nose_parallax(neutral, geometry.rigid_points(mesh(**{axis: angle})))
    assert full >= 0.10
    assert half < full


@given(
    yaw=st.floats(-55, 55), pitch=st.floats(-45, 45), roll=st.floats(-30, 30), far=st.floats(2, 9)
)
def test_no_view_of_a_plane_shows_depth(yaw, pitch, roll, far) -> None:
    flat = geometry.rigid_points(mesh()) - [320, 240]
    world = np.hstack([flat, np.zeros((len(flat), 1))]) @ rotation(yaw, pitch, roll).T
    seen = world[:, :2] / (1 + world[:, 2:] / (far * 100))
    assert geometry.nose_parallax(flat, seen) < 1e-3


def test_points_in_one_place_have_no_depth_and_no_error() -> None:
    assert geometry.nose_parallax(np.zeros((12, 2)), np.zeros((12, 2))) == 0.0


def test_mouth_and_lids_open_in_parts_of_their_width() -> None:
    points = mesh()
    assert geometry.mouth_opening(points) == 0.0
    points[14, 1] += 11
    assert geometry.mouth_opening(points) == pytest.approx(0.25)
    contour = np.zeros((71, 3))
    contour[8, 0] = 40
    contour[[11, 12, 13], 1] = -10
    assert geometry.lid_opening(contour) == pytest.approx(0.25)
    assert geometry.lid_opening(np.zeros((71, 3))) == 0.0


RAMPS = np.stack(np.broadcast_arrays(*np.ogrid[0:240, 0:240], 255), -1).astype(np.uint8)


@given(
    x=st.floats(-100, 340),
    y=st.floats(-100, 340),
    side=st.floats(10, 400),
    angle=st.floats(-3, 3),
)
def test_a_cut_shows_what_is_where_its_points_are(x, y, side, angle) -> None:
    """A picture whose colours are its coordinates: green is x, red is y, blue says inside."""
    square, size = Square(x, y, side, angle), 48
    cut = square.cut(RAMPS, size)
    grid = np.stack(np.meshgrid(np.arange(size), np.arange(size)), -1).reshape(-1, 2)
    there = square.to_image(grid.astype(np.float64), size).reshape(size, size, 2)
    inside = ((there > 0.5) & (there < 238.5)).all(-1)
    assert cut[inside][:, 1] == pytest.approx(there[inside][:, 0], abs=1.1)
    assert cut[inside][:, 0] == pytest.approx(there[inside][:, 1], abs=1.1)
    outside = ((there < -1.5) | (there > 240.5)).any(-1)
    assert (cut[outside] == 0).all()


def test_a_square_beside_the_picture_is_black() -> None:
    assert not Square(-500, 100, 60, 0.3).cut(RAMPS, 64).any()


def test_depth_keeps_the_scale_of_a_cut() -> None:
    moved = Square(10, 20, 96).to_image(np.array([[96.0, 96.0, 5.0]]), 192)
    assert moved == pytest.approx(np.array([[10.0, 20.0, 2.5]]))


def test_similarity_finds_turn_scale_and_shift() -> None:
    source = np.array([[0.0, 0], [10, 0], [10, 20], [3, 7], [1, 9]])
    turn = 2.5 * np.array([[math.cos(0.4), -math.sin(0.4)], [math.sin(0.4), math.cos(0.4)]])
    found = similarity(source, source @ turn.T + [5, -8])
    assert found == pytest.approx(np.hstack([turn, [[5], [-8]]]), abs=1e-9)


def test_strong_shrinking_keeps_the_place() -> None:
    image = np.zeros((1200, 1200, 3), np.uint8)
    cv2.circle(image, (800, 400), 60, (255, 255, 255), -1)
    small = warped(image, np.array([[0.125, 0, 0], [0, 0.125, 0]]), 150)
    ys, xs = np.nonzero(small[..., 0] > 127)
    assert (xs.mean(), ys.mean()) == pytest.approx((100, 50), abs=0.6)


@pytest.mark.parametrize(
    "picture",
    [
        Picture(640, 480, b""),
        Picture(640, 480, b"\0" * (640 * 480 * 3 - 1)),
        Picture(10, 10, b"\0" * 300),
        Picture(0, 0, b""),
        Picture(16, 48, b"\0" * (16 * 48 * 3)),
        Picture(32, 320, b"\0" * (32 * 320 * 3)),
        Picture(32, 8224, b""),
        Picture(40, 40, memoryview(b"\0" * (2 * 40 * 40 * 3))[::2]),
        Picture(-64, -64, b"\0" * (64 * 64 * 3)),
    ],
)
def test_a_buffer_that_does_not_fit_is_no_image(picture) -> None:
    assert image_of(picture) is None


def test_a_huge_picture_is_made_smaller_before_anybody_looks() -> None:
    """8K keeps its proportions and its colours; full HD is left as it is."""
    huge = np.zeros((4320, 7680, 3), np.uint8)
    huge[2160:] = 200
    image = image_of(picture_of(huge))
    assert image.shape == (1080, 1920, 3)
    assert (image[:540] == 0).all()
    assert (image[540:] == 200).all()
    assert image_of(Picture(1920, 1080, bytes(1920 * 1080 * 3))).shape == (1080, 1920, 3)


def test_a_picture_is_its_own_array() -> None:
    image = np.random.default_rng(0).integers(0, 256, (64, 48, 3), np.uint8)
    assert np.array_equal(image_of(picture_of(image)), image)
    assert image_of(Picture(48, 64, memoryview(image.tobytes())))[5, 7, 2] == image[5, 7, 2]

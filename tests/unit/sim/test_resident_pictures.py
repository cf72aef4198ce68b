"""What simulated people look like, measured on the pictures and with the public face mesh."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from edge.domain.errors import DeviceError, Fault
from edge.drivers.sim.head import EYES_PX, Head, Pose, cut_scene, head_of
from edge.drivers.sim.portrait import ADMIRAL, ASTRONAUT, PortraitSpec, card_portrait, read_portrait
from edge.drivers.sim.resident import (
    DOWN_DEG,
    SIZE,
    UP_DEG,
    YAW_DEG,
    EmptyChair,
    PrintedPhoto,
    Resident,
)
from tests.sim_clock import HandClock

BOTH = pytest.mark.parametrize("spec", [ASTRONAUT, ADMIRAL], ids=lambda spec: spec.name)
NOSE, MOUTH = (1,), (13, 14)


def moved_to(spec, landmarks, picture, reach=90):
    """How far a feature of the portrait moved in `picture`: x and y in pixels."""
    scene = cut_scene(spec, SIZE)
    x, y = scene.points[list(landmarks), :2].mean(axis=0).round().astype(int)
    patch = scene.rgb[y - 18 : y + 18, x - 18 : x + 18]
    around = picture[y - reach : y + reach, x - reach : x + reach]
    match = cv2.matchTemplate(around, patch, cv2.TM_CCOEFF_NORMED)
    _, _, _, (found_x, found_y) = cv2.minMaxLoc(match)
    return found_x + 18 - reach, found_y + 18 - reach


def after(person, clock, words, seconds):
    person.hear(words)
    clock.advance(seconds)
    return person.picture(clock())


@pytest.fixture
def clock():
    return HandClock()


@BOTH
def test_picture_is_what_a_camera_delivers(spec, clock):
    picture = Resident(spec, clock, seed=1).picture(clock())
    assert picture.shape == (480, 640, 3)
    assert picture.dtype == np.uint8


@BOTH
def test_own_left_is_the_pictures_right(spec, clock):
    turned = after(Resident(spec, clock, seed=1), clock, "请向左转头", 1.8)
    assert moved_to(spec, NOSE, turned)[0] > 20
    clock.advance(5)
    turned = after(Resident(spec, clock, seed=1), clock, "Turn your head to the right", 1.8)
    assert moved_to(spec, NOSE, turned)[0] < -20


@BOTH
def test_raised_and_lowered_heads(spec, clock):
    raised = after(Resident(spec, clock, seed=1), clock, "请抬头", 1.8)
    assert moved_to(spec, MOUTH, raised)[1] < -12
    clock.advance(5)
    lowered = after(Resident(spec, clock, seed=1), clock, "请低头", 1.8)
    assert moved_to(spec, MOUTH, lowered)[1] > 12


@BOTH
def test_nose_moves_farther_than_the_eyes(spec):
    """Depth, measured without any face model."""
    turned = head_of(spec, SIZE).render(Pose(yaw_deg=20))
    eyes = [moved_to(spec, pair, turned)[0] for pair in ((33, 133), (362, 263))]
    assert moved_to(spec, NOSE, turned)[0] > np.mean(eyes) + 8


@BOTH
def test_room_stays_where_it_is_while_the_head_turns(spec):
    head = head_of(spec, SIZE)
    rest = head.render(Pose())
    for pose in (Pose(YAW_DEG), Pose(-YAW_DEG), Pose(0, UP_DEG), Pose(0, -DOWN_DEG)):
        turned = head.render(pose)
        assert not np.array_equal(turned, rest)
        for corner in (np.s_[:, :60], np.s_[:, -60:], np.s_[440:, :100]):
            assert np.array_equal(turned[corner], rest[corner])


@BOTH
def test_lids_cover_the_eyes_and_only_them(spec):
    head, scene = head_of(spec, SIZE), cut_scene(spec, SIZE)
    rest, shut = (head.render(Pose(lids=lids)).astype(int) for lids in (0, 1))
    for upper, lower in scene.lids:
        x, y = np.concatenate([upper, lower]).mean(axis=0).round().astype(int)
        iris = np.s_[y - 3 : y + 3, x - 4 : x + 4]
        assert shut[iris].mean() > rest[iris].mean() + 25
    assert np.abs(shut - rest)[int(scene.points[NOSE, 1][0]) :].max() == 0


@BOTH
def test_open_mouth_is_dark_inside(spec):
    head, scene = head_of(spec, SIZE), cut_scene(spec, SIZE)
    x, y = scene.points[list(MOUTH), :2].mean(axis=0).round().astype(int)
    rest, wide = (head.render(Pose(mouth=mouth)).astype(int) for mouth in (0, 1))
    inside = np.s_[y + 14 : y + 20, x - 5 : x + 5]
    assert wide[inside].mean() < 60
    assert rest[inside].mean() > 100


@BOTH
def test_movement_is_smooth(spec):
    """No step between two frames of a slow turn is larger than the others: fields blend."""
    head = head_of(spec, SIZE)
    frames = [head.render(Pose(yaw_deg=a)).astype(int) for a in np.arange(10, 22, 1.0)]
    steps = [np.abs(b - a).mean() for a, b in pairwise(frames)]
    assert max(steps) < 1.6 * min(steps)


def test_a_frame_is_never_the_same_twice(clock):
    person = Resident(ASTRONAUT, clock, seed=1)
    a, b = person.picture(clock()), person.picture(clock())
    assert not np.array_equal(a, b)
    assert np.abs(a.astype(int) - b).mean() < 5


@BOTH
def test_card_photo(spec):
    photo = card_portrait(spec)
    assert photo.shape == (126, 102, 3)
    assert photo.std() > 30


def test_missing_portrait_names_the_cure():
    with pytest.raises(DeviceError, match="install the demo extra") as caught:
        read_portrait(PortraitSpec("x", "no_such_package", "x.png", (1, 1), (0, 0, 1, 1)))
    assert caught.value.fault is Fault.ABSENT


def test_print_is_a_plane(clock):
    """Four points in a row keep their cross ratio in any view of a plane."""
    photo = PrintedPhoto(ASTRONAUT, clock)
    row = np.array([[[60.0, 200]], [[180.0, 200]], [[260.0, 200]], [[400.0, 200]]])
    ratios = []
    for yaw, pitch in ((0, 0), (45, 0), (0, 40), (-30, 20)):
        seen = cv2.perspectiveTransform(row, photo._plane(yaw, pitch))[:, 0]
        a, b, c, d = seen
        ratios.append(
            np.linalg.norm(c - a)
            * np.linalg.norm(d - b)
            / (np.linalg.norm(c - b) * np.linalg.norm(d - a))
        )
    assert np.ptp(ratios) < 1e-9
    assert np.linalg.norm(photo._plane(45, 0) - photo._plane(0, 0)) > 0.1


@pytest.mark.parametrize("with_edges", [True, False])
def test_print_follows_turns_but_cannot_blink(with_edges, clock):
    photo = PrintedPhoto(ADMIRAL, clock, with_edges=with_edges)
    rest = photo.picture(clock()).astype(int)
    blinked = after(photo, clock, "请眨眼", 0.8).astype(int)
    clock.advance(5)
    turned = after(photo, clock, "请向左转头", 1.8).astype(int)
    assert np.abs(turned - rest).mean() > 3 * np.abs(blinked - rest).mean()


def test_empty_chair_is_deaf(clock):
    chair = EmptyChair()
    before = chair.picture(clock()).astype(int)
    chair.hear("请抬头")
    chair.see(["请抬头"])
    clock.advance(1.5)
    assert np.abs(chair.picture(clock()) - before).mean() < 3


# What the public models read from these pictures; the checker asks for 20, 18, 0.10 and 0.6.


@pytest.fixture(scope="module")
def readers(models_dir):
    from tests.tools.face_mesh import FaceMesh, LidLines

    return FaceMesh(models_dir / "face_mesh.tflite"), LidLines(models_dir / "eye_contour.tflite")


@BOTH
@pytest.mark.parametrize(
    ("pose", "axis", "least_deg"),
    [
        (Pose(YAW_DEG), 0, 22),
        (Pose(-YAW_DEG), 0, -22),
        (Pose(0, UP_DEG), 1, 19),
        (Pose(0, -DOWN_DEG), 1, -19),
    ],
)
def test_mesh_reads_turns_and_depth(readers, spec, pose, axis, least_deg):
    from tests.tools.face_mesh import nose_parallax, turn_deg

    mesh, head = readers[0], head_of(spec, SIZE)
    rest, _ = mesh.read(head.render(Pose()), cut_scene(spec, SIZE).points.astype(float))
    turned, presence = mesh.read(head.render(pose), rest)
    angle = turn_deg(rest, turned)[axis]
    assert angle * np.sign(least_deg) >= abs(least_deg)
    assert nose_parallax(rest, turned) >= 0.15
    assert presence > 0.95


@BOTH
def test_mesh_reads_mouth_and_lids(readers, spec):
    from tests.tools.face_mesh import lid_gap, mouth_openness

    mesh, lids = readers
    head = head_of(spec, SIZE)
    pictures = [head.render(pose) for pose in (Pose(), Pose(lids=1), Pose(mouth=1))]
    start = cut_scene(spec, SIZE).points.astype(float)
    rest, shut, wide = (mesh.read(picture, start)[0] for picture in pictures)
    assert mouth_openness(wide) > mouth_openness(rest) + 0.2
    assert lid_gap(lids.read(pictures[1], shut)) < 0.55 * lid_gap(lids.read(pictures[0], rest))


@pytest.mark.parametrize("with_edges", [True, False])
def test_mesh_is_not_turned_by_a_print(readers, with_edges, clock):
    from tests.tools.face_mesh import nose_parallax, turn_deg

    photo = PrintedPhoto(ASTRONAUT, clock, with_edges=with_edges)
    start = cut_scene(ASTRONAUT, SIZE).points.astype(float)
    rest, _ = readers[0].read(photo._view(0, 0, 0), start)
    for tilt in ((45, 0), (-45, 0), (0, 40), (0, -40)):
        turned, _ = readers[0].read(photo._view(*tilt, 0), rest, rounds=6)
        assert max(map(abs, turn_deg(rest, turned))) < 15
        assert nose_parallax(rest, turned) < 0.10


def test_eyes_lie_apart_as_planned():
    for spec in (ASTRONAUT, ADMIRAL):
        points = cut_scene(spec, SIZE).points
        apart = points[[362, 263], :2].mean(0) - points[[33, 133], :2].mean(0)
        assert np.hypot(*apart) == pytest.approx(EYES_PX, abs=0.5)


def test_a_head_that_reaches_the_edge_of_the_picture_turns_too() -> None:
    """A collar that moves down to the last row has no rim below it."""
    scene = cut_scene(ASTRONAUT, (640, 480))
    low = replace(
        scene,
        points=scene.points + np.float32([0, 110, 0]),
        lids=scene.lids + np.float32([0, 110]),
        centre=(scene.centre[0], scene.centre[1] + 110),
    )
    head = Head(low)
    ahead, down = head.render(Pose()), head.render(Pose(pitch_deg=-20.0))
    assert down.shape == (480, 640, 3)
    assert (ahead[-6:] != down[-6:]).any()

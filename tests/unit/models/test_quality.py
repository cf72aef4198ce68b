"""Glare, masks, dark glasses and a covered lens, painted here."""

import cv2
import numpy as np
import pytest

from edge.drivers.sim.head import Pose, head_of
from edge.drivers.sim.portrait import ADMIRAL, ASTRONAUT
from edge.models import quality
from edge.models.embedding import chip_of
from edge.models.faces import Follower
from edge.models.observation import Limits

LIMITS = Limits()
LOWER_FACE = [197, 50, 117, 132, 58, 136, 149, 148, 152, 377, 378, 365, 288, 361, 346, 280]


@pytest.fixture(scope="module", params=[ASTRONAUT, ADMIRAL], ids=lambda spec: spec.name)
def face(request, models_dir):
    """A picture and its landmarks."""
    rgb = head_of(request.param, (640, 480)).render(Pose())
    return rgb, Follower(models_dir).find_one(rgb).points


def painted(rgb, shape, colour):
    layer = np.zeros(rgb.shape[:2], np.float32)
    cv2.fillPoly(layer, [np.asarray(shape).round().astype(np.int32)], 1.0)
    soft = cv2.GaussianBlur(layer, (0, 0), 1.5)[..., None]
    return (rgb * (1 - soft) + np.array(colour) * soft).astype(np.uint8)


def oval(points, ends, wide, high):
    middle, width = points[list(ends), :2].mean(0), np.hypot(*np.ptp(points[list(ends), :2], 0))
    around = np.linspace(0, 2 * np.pi, 40)
    return middle + width * np.c_[wide * np.cos(around), high * np.sin(around)]


def lips_and_eyes(rgb, points):
    return quality.lips_and_eyes(chip_of(rgb, points))


@pytest.mark.parametrize("light", [0.5, 1.0])
def test_a_bare_face_is_not_covered(face, light) -> None:
    lips, eyes = lips_and_eyes((face[0] * light).astype(np.uint8), face[1])
    assert lips > 1.5 * LIMITS.min_lips
    assert eyes > 1.3 * LIMITS.min_eyes


@pytest.mark.parametrize("colour", [(235, 238, 240), (60, 60, 66), (120, 170, 200)])
def test_a_mask_covers_the_lips(face, colour) -> None:
    worn = painted(face[0], face[1][LOWER_FACE, :2], colour)
    assert lips_and_eyes(worn, face[1])[0] < LIMITS.min_lips


def test_a_hand_before_the_mouth_covers_the_lips(face) -> None:
    rgb, points = face
    skin = rgb[tuple(points[50, 1::-1].round().astype(int))]
    held = painted(rgb, oval(points, (61, 291), 1.2, 0.8), skin)
    assert lips_and_eyes(held, points)[0] < LIMITS.min_lips


def test_dark_glasses_cover_the_eyes(face) -> None:
    rgb, points = face
    for eye in ((33, 133), (362, 263)):
        rgb = painted(rgb, oval(points, eye, 0.95, 0.7), (25, 25, 28))
    assert lips_and_eyes(rgb, points)[1] < LIMITS.min_eyes


def test_what_is_behind_is_measured_beside_the_face() -> None:
    rgb = np.full((480, 640, 3), 200, np.uint8)
    rgb[:, 200:440] = 40
    assert quality.behind(rgb, 200, 440) == pytest.approx(200, abs=1)
    assert quality.behind(rgb, 0, 640) == 0.0


def test_a_covered_lens_shows_nothing_and_a_dim_room_something() -> None:
    chance = np.random.default_rng(1)
    dark = np.clip(chance.normal(4, 2, (480, 640, 3)), 0, 255).astype(np.uint8)
    assert quality.is_blank(dark)
    room = dark.copy()
    room[:, 300:] += 30
    assert not quality.is_blank(room)

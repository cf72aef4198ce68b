"""The screen as a light source: before a simulated head, sheets and a screen."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.domain.light import CHIP_S, chip_at, codes
from edge.evaluate import light
from edge.evaluate.light import Hall, campaign, session
from edge.models.geometry import Pose
from edge.models.screen_light import Answer, Reading, judge, read
from tests.helpers_models import mesh

AHEAD = Pose(0.0, 0.0, 0.0)


def test_orders_are_many_balanced_and_never_monotonous() -> None:
    assert len(set(codes())) == len(codes()) > 1500
    for code in codes():
        assert sum(code) == 0
        assert max(len(list(run)) for _, run in itertools.groupby(code)) <= 3


def test_the_screen_changes_at_most_three_times_a_second() -> None:
    assert CHIP_S >= 1 / 3


def test_nothing_is_shown_before_and_after() -> None:
    code = codes()[7]
    shown = [chip_at(code, (number + 0.5) * CHIP_S) for number in range(-1, 15)]
    assert shown == [0, *code, 0]


@pytest.mark.parametrize("ratio", [0.3, 0.15, 0.05])
def test_a_head_follows(ratio: float) -> None:
    assert campaign("head", Hall(ratio), 12, seed=1)[Answer.FOLLOWS] >= 11


@pytest.mark.parametrize("ratio", [0.3, 0.15, 0.05, 0.01])
@pytest.mark.parametrize("kind", ["flat_print", "cut_print", "screen"])
def test_nothing_flat_is_taken_for_a_head(kind: str, ratio: float) -> None:
    assert campaign(kind, Hall(ratio), 12, seed=1)[Answer.FOLLOWS] == 0


def test_a_screen_that_should_have_followed_is_told_from_a_bright_hall() -> None:
    assert campaign("screen", Hall(0.3), 6, seed=2) == {Answer.ABSENT: 6}
    assert campaign("screen", Hall(0.02), 6, seed=2) == {Answer.ABSTAINS: 6}


def test_without_knowing_the_hall_an_absent_answer_is_none() -> None:
    readings, code = session("screen", Hall(0.3), np.random.default_rng(3))
    assert judge(readings, code, 0, expected=None).answer is Answer.ABSTAINS


def test_another_order_than_the_one_shown_does_not_fit() -> None:
    """A recording made under other hues."""
    rng = np.random.default_rng(4)
    readings, shown = session("head", Hall(0.3), rng)
    found = [judge(readings, code, 0, 0.009).answer for code in codes()[::40] if code != shown]
    assert found.count(Answer.FOLLOWS) <= len(found) * 0.5
    assert judge(readings, tuple(-chip for chip in shown), 0, 0.009).answer is Answer.ABSENT


def test_a_head_that_turns_a_little_shows_other_skin_and_still_follows() -> None:
    """What turning changes is told from what the light changes."""
    rng = np.random.default_rng(6)
    steady, code = session("head", Hall(0.3), rng)
    turning = []
    for number, one in enumerate(steady):
        yaw, pitch = 8 * np.sin(number / 9), 5 * np.sin(number / 14)
        redder = np.array([1 + 0.02 * yaw, 1.0, 1.0]) * (1 + 0.01 * pitch)
        turning.append(replace(one, sides=one.sides * redder, yaw=yaw, pitch=pitch))
    unknown = [replace(one, yaw=0.0, pitch=0.0) for one in turning]
    assert judge(turning, code, 0, 0.009).answer is Answer.FOLLOWS
    assert judge(unknown, code, 0, 0.009).answer is not Answer.FOLLOWS


def test_too_few_frames_say_nothing() -> None:
    readings, code = session("head", Hall(0.3), np.random.default_rng(5))
    assert judge(readings[:30], code, 0, 0.009).answer is Answer.ABSTAINS
    assert judge([], code, 0, 0.009).answer is Answer.ABSTAINS


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_reading_breaks_it(data: st.DataObject) -> None:
    number = st.floats(allow_nan=True, allow_infinity=True, width=32)
    colour = st.tuples(number, number, number).map(lambda rgb: np.array(rgb, np.float64))
    when = data.draw(st.lists(st.integers(-(10**12), 10**12), min_size=41, max_size=60))
    readings = [Reading(at, *(data.draw(colour) for _ in range(3)), None) for at in when]
    assert judge(readings, codes()[0], 0, 0.009).answer in Answer


def test_places_are_read_where_the_mesh_has_them() -> None:
    points = mesh()
    points[[5, 195]] = points[4]
    points[[227, 447, 137, 366]] = points[[234, 454, 234, 454]]
    image = np.zeros((480, 640, 3), np.uint8)
    x, y = np.rint(points[4, :2]).astype(int)
    image[y - 3 : y + 3, x - 3 : x + 3] = (200, 100, 50)
    image[:, :100] = (10, 20, 30)
    got = read(image, points, 0, AHEAD)
    assert got.nose[0] > got.sides[0] == 0
    assert got.behind is not None
    assert got.behind[2] > got.behind[0] > 0


def test_a_face_half_out_of_the_picture_is_read_as_far_as_it_goes() -> None:
    points = mesh() + np.array([2000, 0, 0])
    got = read(np.zeros((480, 640, 3), np.uint8), points, 0, AHEAD)
    assert np.isnan(got.nose).all()


def test_the_simulator_knows_its_physics() -> None:
    """Nose before sides before the wall, and a sheet all alike."""
    head = [light.reflected("head", place) for place in ("nose", "cheeks", "sides", "behind")]
    assert head == sorted(head, reverse=True)
    assert head[0] > 2 * head[2]
    assert len({light.reflected("flat_print", place) for place in light.PLACES}) == 1

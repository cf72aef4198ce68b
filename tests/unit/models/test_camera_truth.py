"""Frames of a sensor, of a still picture, of a loop."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.models.camera_truth import CameraTruth, Doubt

STEP_NS = 66_000_000


def told(frames, times=None) -> frozenset:
    truth = CameraTruth()
    for number, frame in enumerate(frames):
        truth.see(frame, times[number] if times else number * STEP_NS)
    return truth.doubts


def sensor(count: int, sigma: float = 1.0, seed: int = 1) -> list:
    rng = np.random.default_rng(seed)
    scene = rng.uniform(20, 220, (120, 160, 3))
    return [
        np.clip(np.rint(scene + rng.normal(0, sigma, scene.shape)), 0, 255).astype(np.uint8)
        for _ in range(count)
    ]


def test_a_sensor_is_believed_even_before_a_still_scene() -> None:
    assert told(sensor(40)) == frozenset()
    assert told(sensor(40, sigma=0.4)) == frozenset()


def test_a_still_picture_has_no_noise() -> None:
    assert told(sensor(1) * 40) == {Doubt.NO_NOISE}


def test_a_film_in_a_loop_comes_back() -> None:
    assert told(sensor(15) * 3) == {Doubt.LOOPED}


def test_a_frame_handed_out_twice_is_no_loop() -> None:
    doubled = [frame for frame in sensor(20) for _ in range(2)]
    assert Doubt.LOOPED not in told(doubled)


@pytest.mark.parametrize(
    "times",
    [
        [0] * 40,
        [number * STEP_NS for number in range(20)] * 2,
    ],
    ids=["stand still", "run backwards"],
)
def test_a_clock_that_is_no_cameras(times) -> None:
    assert told(sensor(40), times) == {Doubt.TIMES}


def test_frames_in_gusts_say_nothing() -> None:
    """A busy machine drops frames, too."""
    truth = CameraTruth()
    for number, frame in enumerate(sensor(40)):
        truth.see(frame, (number + 8 * (number // 4)) * STEP_NS)
    assert truth.doubts == frozenset()
    assert not truth.can_tell


def test_a_hiccup_is_forgiven() -> None:
    times = [(number + (6 if number > 20 else 0)) * STEP_NS for number in range(40)]
    assert told(sensor(40), times) == frozenset()


def test_too_few_frames_say_nothing() -> None:
    assert told(sensor(1) * 10) == frozenset()


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=16, max_size=20))
def test_frames_that_change_their_size_break_nothing(sizes) -> None:
    told([np.zeros((height, width, 3), np.uint8) for height, width in sizes])


@pytest.mark.eval_data
def test_real_films_are_noisy_and_a_real_film_in_a_loop_is_noticed(eval_data) -> None:
    for clip in sorted((eval_data / "live").glob("clip_*.mkv"))[:4]:
        film = cv2.VideoCapture(str(clip))
        seen = [film.read()[1] for _ in range(45)]
        assert Doubt.NO_NOISE not in told(seen), clip.name
        assert Doubt.LOOPED in told(seen + seen), clip.name

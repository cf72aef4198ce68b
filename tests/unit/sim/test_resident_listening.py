"""Simulated people do what they are told: late, once, and only what they understood."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from edge.drivers.sim.listening import Gesture, Listener, understood
from tests.sim_clock import HandClock

STEP_S = 0.02


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def ears(clock):
    return Listener(clock, seed=7)


def watch(ears, clock, seconds):
    """Movements that began within that time: gesture, when, how long, greatest amount."""
    began, seen, before = clock.now_ns, [], Gesture.AHEAD
    while clock.now_ns < began + seconds * 1e9:
        clock.advance(STEP_S)
        gesture, amount = ears.doing(clock())
        if gesture is not Gesture.AHEAD and gesture is not before:
            seen.append([gesture, (clock.now_ns - began) / 1e9, 0.0, 0.0])
        if gesture is not Gesture.AHEAD:
            seen[-1][2] += STEP_S
            seen[-1][3] = max(seen[-1][3], amount)
        before = gesture
    return seen


@pytest.mark.parametrize(
    ("words", "gesture"),
    [
        ("请抬头", Gesture.UP),
        ("请低头", Gesture.DOWN),
        ("请向左转头", Gesture.LEFT),
        ("请向右转头", Gesture.RIGHT),
        ("请张嘴", Gesture.MOUTH),
        ("请张开嘴。", Gesture.MOUTH),
        ("请眨眼", Gesture.BLINK),
        ("请眨一下眼", Gesture.BLINK),
        ("请看摄像头，保持不动", Gesture.AHEAD),
        ("完成动作后请注视摄像头。", Gesture.AHEAD),
        ("Raise your head", Gesture.UP),
        ("Lower your head", Gesture.DOWN),
        ("Please turn your head to the left.", Gesture.LEFT),
        ("TURN YOUR HEAD TO THE RIGHT", Gesture.RIGHT),
        ("Turn your head to your right", Gesture.RIGHT),
        ("Open your mouth", Gesture.MOUTH),
        ("Blink", Gesture.BLINK),
        ("Look at the camera and hold still", Gesture.AHEAD),
        ("请抬头。完成动作后请注视摄像头。", Gesture.UP),
        ("Blink\nThen look at the camera", Gesture.BLINK),
        ("您可能要抬头、低头或眨眼", None),
        ("Raise your head or lower your head when asked", None),
        ("请把身份证放在读卡区", None),
        ("Blinking lights mean the printer is busy", None),
        ("", None),
    ],
)
def test_words_are_understood(words, gesture):
    assert understood(words) is gesture


@pytest.mark.parametrize("seed", range(20))
def test_reacts_after_half_a_second_and_before_a_whole_one(seed, clock):
    ears = Listener(clock, seed)
    ears.hear("请抬头")
    (only,) = watch(ears, clock, 4)
    gesture, began_s, lasted_s, most = only
    assert gesture is Gesture.UP
    assert 0.5 <= began_s <= 0.9 + 2 * STEP_S
    assert lasted_s == pytest.approx(1.8, abs=0.1)
    assert most == pytest.approx(1.0)


def test_same_seed_same_person(clock):
    pair = [Listener(clock, 3), Listener(clock, 3)]
    for ears in pair:
        ears.hear("请低头")
    moments = random.Random(1).sample(range(3_000_000_000), 50)
    for moment in sorted(moments):
        a, b = (ears.doing(clock.now_ns + moment) for ears in pair)
        assert a == b


def test_blink_is_short_but_long_enough_for_a_slow_camera(ears, clock):
    ears.hear("Blink")
    shut = 0
    for _ in range(200):
        clock.advance(0.01)
        gesture, amount = ears.doing(clock())
        shut += gesture is Gesture.BLINK and amount > 0.5
    assert 15 <= shut <= 25  # hundredths of a second


def test_said_and_shown_is_one_prompt(ears, clock):
    ears.see(["请抬头", "完成动作后请注视摄像头。"])
    clock.advance(0.3)
    ears.hear("请抬头")
    for _ in range(5):
        ears.see(["请抬头", "完成动作后请注视摄像头。"])
    assert [seen[0] for seen in watch(ears, clock, 6)] == [Gesture.UP]


def test_repeated_after_a_pause_acts_again(ears, clock):
    ears.hear("请眨眼")
    assert len(watch(ears, clock, 4)) == 1
    ears.hear("请眨眼")
    assert len(watch(ears, clock, 4)) == 1


def test_prompt_that_comes_back_on_the_screen_acts_again(ears, clock):
    ears.see(["Open your mouth"])
    assert len(watch(ears, clock, 4)) == 1
    ears.see(["Look at the camera"])
    ears.see(["Open your mouth"])
    assert len(watch(ears, clock, 4)) == 1


def test_prompt_that_stays_on_the_screen_acts_once(ears, clock):
    raised = [False]
    for _ in range(500):
        ears.see(["请抬头"])
        clock.advance(STEP_S)
        raised.append(ears.doing(clock())[0] is Gesture.UP)
    assert sum(now and not before for before, now in pairwise(raised)) == 1


def test_looking_at_the_camera_ends_a_movement_early(ears, clock):
    ears.hear("请向左转头")
    while ears.doing(clock())[0] is Gesture.AHEAD:
        clock.advance(STEP_S)
    ears.hear("请看摄像头")
    (only,) = watch(ears, clock, 4)
    assert only[2] == pytest.approx(1.4, abs=0.1)  # there, properly held, and back
    assert only[3] == pytest.approx(1.0)


def test_a_prompt_during_a_movement_waits_for_its_end(ears, clock):
    ears.hear("请向左转头")
    watch(ears, clock, 1.2)
    ears.hear("请抬头")
    left, up = watch(ears, clock, 5)
    assert (left[0], up[0]) == (Gesture.LEFT, Gesture.UP)
    assert up[1] >= left[1] + left[2] - STEP_S
    assert up[2] == pytest.approx(1.8, abs=0.1)


def test_only_the_newest_waiting_prompt_is_followed(ears, clock):
    ears.hear("请抬头")
    clock.advance(0.2)
    ears.hear("请低头")
    assert [seen[0] for seen in watch(ears, clock, 5)] == [Gesture.DOWN]


def test_looking_at_the_camera_does_not_cancel_what_was_asked(ears, clock):
    ears.hear("请抬头")
    ears.hear("请看着屏幕上方的摄像头")
    assert [seen[0] for seen in watch(ears, clock, 5)] == [Gesture.UP]


@pytest.mark.parametrize("seed", range(10))
def test_eyes_blink_by_themselves_only_long_after_a_prompt(seed, clock):
    ears = Listener(clock, seed)
    ears.hear("请看摄像头")
    assert watch(ears, clock, 5.9) == []
    blinks = watch(ears, clock, 20)
    assert {seen[0] for seen in blinks} == {Gesture.BLINK}
    assert 3 <= len(blinks) <= 8


def test_own_blinks_stop_as_soon_as_somebody_speaks(ears, clock):
    watch(ears, clock, 10)
    ears.hear("请抬头")
    watch(ears, clock, 0.4)  # a blink under way may end
    assert [seen[0] for seen in watch(ears, clock, 5)] == [Gesture.UP]

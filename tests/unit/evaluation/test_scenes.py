"""The neighbour's own geometry: where sheets and bodies are, known from elsewhere."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from edge.domain.challenge import Action, Prompt
from edge.evaluate.people import packaged
from edge.evaluate.scenes import sheets
from edge.evaluate.scenes.attacks import KINDS, Masks
from edge.evaluate.scenes.bodies import Body, Hand, Manner, Tilt, brisk, slow
from edge.evaluate.scenes.cast import Group, in_turn
from edge.evaluate.scenes.films import Film, order_of
from edge.evaluate.scenes.sheets import Bend, Sheet, View
from edge.evaluate.scenes.sitters import SIZE, card_of, laid_out

ROOM = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
VIEW = View(eyes_px=100.0, focal_px=690.0)


def board() -> Sheet:
    """A smooth picture, so that two renderings of it can be compared by their colours."""
    y, x = np.indices((520, 420))
    rgb = np.dstack([x / 2, y / 2.2, 120 + 60 * np.sin(x / 40) * np.cos(y / 50)])
    return Sheet(rgb.astype(np.uint8), eyes_px=95.0, face_px=210.0)


def width_of(picture: np.ndarray) -> int:
    """Columns of the middle row that show the sheet."""
    return int((picture[SIZE[1] // 2].sum(axis=1) > 0).sum())


def test_a_flat_sheet_that_turns_grows_narrow_by_the_cosine() -> None:
    ahead = width_of(sheets.on_room(board(), ROOM, VIEW, Tilt()))
    turned = width_of(sheets.on_room(board(), ROOM, VIEW, Tilt(yaw_deg=40.0)))
    assert ahead == pytest.approx(420 * 100 / 95, abs=3)
    assert turned / ahead == pytest.approx(math.cos(math.radians(40)), rel=0.08)


@pytest.mark.parametrize("axis_deg", [0.0, 45.0, 90.0])
@pytest.mark.parametrize("tilt", [Tilt(), Tilt(25.0, -10.0, 8.0, 0.03, 0.0, 1.1)])
def test_a_bend_too_wide_to_see_is_flat(axis_deg, tilt) -> None:
    flat = sheets.on_room(board(), ROOM, VIEW, tilt)
    bent = sheets.bent_on_room(board(), ROOM, VIEW, tilt, Bend(400.0, axis_deg))
    apart = np.abs(flat.astype(int) - bent).max(axis=2)
    assert np.quantile(apart, 0.95) <= 6


def test_a_bent_sheet_hides_its_sides_and_keeps_its_middle() -> None:
    flat = sheets.on_room(board(), ROOM, VIEW, Tilt())
    bent = sheets.bent_on_room(board(), ROOM, VIEW, Tilt(), Bend(0.8, 0.0))
    radius, away = 0.8 * 210, VIEW.focal_px * 95 / 100  # in px of the sheet
    side, behind = radius * math.sin(210 / radius), radius * (1 - math.cos(210 / radius))
    assert width_of(bent) == pytest.approx(2 * side * VIEW.focal_px / (away + behind), abs=6)
    middle = np.s_[235:245, 315:325]
    assert np.abs(flat[middle].astype(int) - bent[middle]).mean() < 4


def test_the_bend_is_about_its_own_axis() -> None:
    upright = sheets.bent_on_room(board(), ROOM, VIEW, Tilt(), Bend(0.8, 0.0))
    level = sheets.bent_on_room(board(), ROOM, VIEW, Tilt(), Bend(0.8, 90.0))
    assert width_of(upright) < 0.85 * width_of(level)


def test_a_body_answers_late_reaches_and_comes_back() -> None:
    body = Body(Manner(0.5, 60.0, 30.0, 25.0, 22.0, 33.0, 28.0))
    body.move(Prompt.LEFT, 0.4, 0.1)
    assert body.yaw == 0.0
    for number in range(20):
        body.move(Prompt.LEFT, 0.6 + number / 10, 0.1)
    assert 30.0 < body.yaw <= 33.0
    for number in range(20):
        body.move(Prompt.LOOK_AHEAD, number / 10, 0.1)
    assert body.yaw == 0.0


def test_old_people_are_slower_than_brisk_ones() -> None:
    old, young = slow(np.random.default_rng(1)), brisk(np.random.default_rng(1))
    assert old.reaction_s > young.reaction_s
    assert old.speed_deg_per_s < young.speed_deg_per_s


def test_a_hand_never_tilts_further_than_it_may() -> None:
    for seed in range(20):
        hand = Hand(np.random.default_rng(seed), most_deg=60.0)
        for number in range(60):
            hand.move(Prompt.DOWN, number / 10, 0.1)
        assert 20.0 <= -hand.tilt(0.0).pitch_deg <= 61.0


def test_a_film_shows_its_order_in_its_order() -> None:
    order = (Action.UP, Action.LEFT, Action.BLINK, Action.MOUTH)
    film = Film(order, brisk(np.random.default_rng(3)))
    poses = [film.pose(number / 30) for number in range(600)]
    firsts = [
        next(n for n, pose in enumerate(poses) if shown(pose))
        for shown in (
            lambda pose: pose.pitch_deg > 15,
            lambda pose: pose.yaw_deg > 20,
            lambda pose: pose.lids > 0.8,
            lambda pose: pose.mouth > 0.5,
        )
    ]
    assert firsts == sorted(firsts)
    assert abs(poses[-1].yaw_deg) < 3


def test_orders_of_films_are_orders_of_the_kiosk() -> None:
    for seed in range(50):
        order = order_of(np.random.default_rng(seed))
        assert {"yaw", "pitch"} <= {action.axis for action in order}


def test_landmarks_stay_on_the_face_when_a_photograph_is_laid_out() -> None:
    sitter = packaged()[0]
    laid = laid_out(sitter, SIZE, 1.7, 0.53)
    assert laid.points[:, :2].mean(axis=0) == pytest.approx((320, 0.53 * 480), abs=0.5)
    assert laid.eyes_px == pytest.approx(1.7 * sitter.eyes_px, rel=1e-3)
    assert card_of(sitter).shape == (126, 102, 3)


def test_everybody_has_their_turn_before_anybody_has_another() -> None:
    her, him = packaged()
    again = replace(her, photo="astronaut/2")
    row = in_turn([her, again, him], 0)
    assert [one.photo for one in row] == ["astronaut", "admiral", "astronaut/2"]
    assert in_turn([her, again, him], 4)[0] is him


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.startswith(("flat", "bent"))])
def test_the_same_seed_draws_the_same_session(kind) -> None:
    def frame() -> np.ndarray:
        everyone = packaged()
        group = Group(everyone, everyone, np.random.default_rng(5))
        show = KINDS[kind](group, np.random.default_rng(6))
        return [show.draw(Prompt.LEFT, t / 10, t / 10) for t in range(12)][-1]

    assert np.array_equal(frame(), frame())


@pytest.mark.parametrize("edge", [True, False])
def test_a_mask_is_the_same_whenever_it_is_made(edge) -> None:
    """They are made when they are worn first, in the order that the kiosk happens to ask for."""
    sitter = packaged()[0]
    sheet = sheets.printed(sitter, np.random.default_rng(1), edge=edge)
    first, later = (Masks(sheet, sheets.on_sheet(sitter, edge=edge)) for _ in range(2))
    shut, wide_open = first.shut(1.0), first.wide_open(1.0)
    assert np.array_equal(later.wide_open(1.0).rgb, wide_open.rgb)
    assert np.array_equal(later.shut(1.0).rgb, shut.rgb)
    assert np.array_equal(first.shut(0.0).rgb, sheet.rgb)
    for mask in (shut, wide_open):
        assert (mask.rgb != sheet.rgb).any(axis=2).mean() > 0.002

"""The verification protocol: what is compared with what, and how the shares are taken."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from edge.domain.errors import ConfigError
from edge.evaluate import verification
from edge.evaluate.verification import Set, attempts, fnmr_at, read_people, squeezed, verify
from edge.models.embedding import match_distance
from tests.helpers_models import admiral, astronaut


def unit(*numbers: float) -> np.ndarray:
    return np.array(numbers, np.float64)


def test_fnmr_is_taken_at_the_largest_threshold_that_lets_no_more_through() -> None:
    other = np.linspace(0.5, 1.0, 1000)
    mated = np.array([0.1, 0.5, other[10] - 1e-9, other[10], 0.9])
    share, threshold = fnmr_at(mated, other, 1e-2)
    assert threshold == other[10]
    assert np.mean(other < threshold) == pytest.approx(1e-2)
    assert share == pytest.approx(2 / 5)


def test_an_fmr_smaller_than_one_attempt_lets_nobody_through() -> None:
    share, threshold = fnmr_at(np.array([0.2, 0.6]), np.array([0.5, 0.7]), 1e-4)
    assert (share, threshold) == (0.5, 0.5)


def test_a_picture_is_never_compared_with_the_card_made_of_it() -> None:
    views = [unit(1, 0.1 * k, 0) for k in range(4)]
    tried = attempts({"a": views, "b": views}, {"a": views, "b": views}, averaged=1, seed=0)
    assert int(tried.mated.sum()) == 2 * 4 * 3
    assert int((~tried.mated).sum()) == 2 * 4 * 4
    assert (tried.distance[tried.mated] > 0).all()
    assert (tried.distance[~tried.mated] == 0).sum() == 2 * 4


def test_a_face_that_is_not_found_is_counted_and_takes_no_part() -> None:
    views = [unit(1, 0), None, unit(1, 0.1)]
    tried = attempts({"a": views, "b": views}, {"a": views, "b": views}, averaged=1, seed=0)
    assert tried.not_found == 4
    assert tried.distance.size == 2 * 2 * 1 + 2 * 2 * 2


def test_averages_need_enough_other_pictures() -> None:
    views = [unit(1, 0.1 * k) for k in range(6)]
    tried = attempts({"a": views, "b": views[:3]}, {"a": views, "b": views[:3]}, 5, seed=0)
    assert set(tried.live) == {0}
    assert int(tried.mated.sum()) == 6 * verification.DRAWS


def test_the_card_is_small_in_pixels_and_in_bytes() -> None:
    small = squeezed(np.ascontiguousarray(astronaut()))
    assert small.shape == (126, 102, 3)
    again = io.BytesIO()
    Pillow.fromarray(small).save(again, "WEBP", quality=100)
    assert again.tell() > verification.CARD_BYTES, "there was something to squeeze"


def test_the_card_is_as_good_as_its_bytes_allow() -> None:
    """Against every quality there is, which takes five times as long."""
    picture = np.ascontiguousarray(admiral())
    small = Pillow.fromarray(picture).resize(verification.CARD_SIZE_PX, Pillow.Resampling.BICUBIC)
    for quality in range(95, -1, -1):
        packed = io.BytesIO()
        small.save(packed, "WEBP", quality=quality, method=4)
        if packed.tell() <= verification.CARD_BYTES:
            break
    assert np.array_equal(squeezed(picture), np.asarray(Pillow.open(packed).convert("RGB")))


def test_distances_taken_all_at_once_are_the_kiosks_own() -> None:
    chance = np.random.default_rng(3)
    probes = [list(chance.normal(0, 1, (count, 128))) for count in (1, 5, 1, 5)]
    cards = list(chance.normal(0, 1, (4, 128)))
    singly = [match_distance(*pair) for pair in zip(probes, cards, strict=True)]
    assert verification._distances(probes, cards) == pytest.approx(singly, abs=1e-12)


@pytest.mark.parametrize("name", verification.HARD)
def test_what_is_hard_changes_the_picture_and_keeps_its_shape(name: str) -> None:
    picture = np.ascontiguousarray(astronaut())
    spoilt = verification.HARD[name](picture, np.random.default_rng(1))
    assert spoilt.shape == picture.shape
    assert spoilt.dtype == np.uint8
    assert np.abs(spoilt.astype(int) - picture).mean() > 1


def test_the_interval_comes_from_people_and_not_from_pictures() -> None:
    """One of four people is never known again: the share hangs on how often that one is drawn."""
    chance = np.random.default_rng(0)
    live, card = (side.ravel() for side in np.meshgrid(np.arange(4), np.arange(4)))
    live, card = np.tile(live, 50), np.tile(card, 50)
    distance = np.where(live == card, 0.1, 0.8) + chance.uniform(0, 0.05, live.size)
    distance[(live == 3) & (card == 3)] = 0.9  # further than anybody else
    tried = verification.Attempts(distance, live, card, not_found=0)
    figures = Set(tried, people=4, averaged=1, seed=0).figures()
    assert figures["fnmr_at_fmr_1e-2"] == pytest.approx(0.25)
    low, high = figures["fnmr_at_fmr_1e-2_ci95"]
    assert low == 0.0
    assert high >= 0.5
    assert (figures["mated"], figures["non_mated"]) == (200, 600)


def test_a_folder_without_people_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="at least two people"):
        read_people(tmp_path)


def test_a_file_that_is_no_picture_is_named(tmp_path: Path) -> None:
    for person in ("a", "b"):
        (tmp_path / person).mkdir()
        for number in range(2):
            Pillow.fromarray(astronaut()).save(tmp_path / person / f"{number}.png")
    (tmp_path / "b" / "notes.txt").write_text("not a picture")
    with pytest.raises(ConfigError, match=r"notes\.txt"):
        read_people(tmp_path)


def test_two_people_through_the_models(models_dir: Path) -> None:
    """Every picture of either is nearer to the own card than to the other's."""
    people = {
        name: [np.ascontiguousarray(np.roll(picture, shift, axis=1)) for shift in range(0, 12, 2)]
        for name, picture in (("astronaut", astronaut()), ("admiral", admiral()))
    }
    heard: list[str] = []
    sets = verify(people, models_dir, seed=1, hard=False, step=heard.append)
    assert len(heard) == verification.looks(people, hard=False)
    for one in sets.values():
        figures = one.figures()
        assert figures["fnmr_at_fmr_1e-2"] == 0.0
        assert figures["at_product_threshold"] == {
            "distance": verification.MATCH_DISTANCE,
            "fnmr": 0.0,
            "fmr": 0.0,
        }

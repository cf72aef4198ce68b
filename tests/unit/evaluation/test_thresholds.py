"""Thresholds are frozen: whoever changes one says so before there is a report."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date

import pytest

from edge.domain.errors import ConfigError
from edge.evaluate import thresholds
from edge.evaluate.settings import HERE
from edge.models.observation import Limits

TODAY = date(2026, 11, 23)
NUMBERS = {"check.parallax": 0.1, "liveness": 0.5}


@pytest.fixture
def folder(tmp_path):
    thresholds.freeze(tmp_path, NUMBERS, TODAY, "first")
    return tmp_path


def test_the_frozen_thresholds_of_this_repository_are_the_products() -> None:
    """If this fails: python -m edge evaluate --freeze "what changed, and on which data"."""
    found = thresholds.verify(HERE, thresholds.of_the_product())
    assert found == thresholds.history(HERE)[-1]["sha256"]


def test_every_number_of_the_check_is_among_them() -> None:
    product = thresholds.of_the_product()
    usual, slow = asdict(Limits()), asdict(Limits.slow())
    differ = [name for name in usual if usual[name] != slow[name]]
    assert len(product) == len(usual) + len(differ) + 3
    assert product["check.parallax"] == Limits().parallax
    assert {name: product[f"slow.{name}"] for name in differ} == {n: slow[n] for n in differ}


def test_frozen_thresholds_verify(folder) -> None:
    assert thresholds.verify(folder, NUMBERS) == thresholds.sha256_of(NUMBERS)


def test_a_threshold_that_moved_is_named_until_it_is_frozen_with_a_reason(folder) -> None:
    moved = {**NUMBERS, "check.parallax": 0.08}
    with pytest.raises(ConfigError, match=r"check\.parallax.*--freeze"):
        thresholds.verify(folder, moved)
    thresholds.freeze(folder, moved, TODAY, "0.08, chosen on development seeds")
    assert thresholds.verify(folder, moved)
    assert [row["why"] for row in thresholds.history(folder)][1].startswith("0.08")


def test_a_new_threshold_counts_as_a_change(folder) -> None:
    with pytest.raises(ConfigError, match=r"check\.new"):
        thresholds.verify(folder, {**NUMBERS, "check.new": 1.0})


def test_frozen_numbers_edited_by_hand_are_not_in_the_history(folder) -> None:
    file = folder / "thresholds.toml"
    file.write_text(file.read_text().replace('"liveness" = 0.5', '"liveness" = 0.4'))
    with pytest.raises(ConfigError, match="last entry"):
        thresholds.verify(folder, {**NUMBERS, "liveness": 0.4})

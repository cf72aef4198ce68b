"""Every attack of the list is refused, named, and changes nothing (feature 14)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attack.attacks import ATTACKS
from tests.attack.cuts import campaign
from tests.attack.world import World, fast_folder, outcome, snapshot_of


@pytest.fixture
def world() -> Iterator[World]:
    with tempfile.TemporaryDirectory(dir=fast_folder()) as folder:
        yield World(Path(folder))


@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_f14_an_attack_is_refused_and_named(name: str, world: World) -> None:
    before = snapshot_of(world)
    told = ATTACKS[name](world)
    found = outcome(name, world, told, before)
    assert found.refused, found.reason


def test_there_are_enough_of_them() -> None:
    assert len(ATTACKS) >= 60


def test_without_an_attack_the_release_is_taken(world: World) -> None:
    """Else all of the above could pass on a kiosk that takes nothing at all."""
    before = snapshot_of(world)
    told = world.turn(world.assign())
    assert not outcome("none", world, told, before).refused
    assert told.phase.value == "trial"


def test_f14_cuts_anywhere_leave_exactly_one_whole_release() -> None:
    """A short form of the 2,000 of `make attack`."""
    found = campaign(60, seed=14)
    assert found["kills"] > 30
    assert (found["bricked"], found["two_releases"]) == (0, 0)

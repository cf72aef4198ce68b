"""Rings and the stop (feature 14; figures of `docs/scale.md` come from the same engine)."""

from __future__ import annotations

import random
from collections import Counter
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.fleet.rollout import Policy, Tally, Verdict, judge, lower_bound, rings_of

POLICY = Policy()
FLEET = {f"K-{number:04}": f"pi{number % 2}" for number in range(1000)}
RESTED = POLICY.soak_s


def exposed_by(rate: float, chance: random.Random, policy: Policy = POLICY) -> tuple[int, bool]:
    """Play one roll-out in virtual time; how many kiosks it reached and whether it was stopped."""
    rings = rings_of(policy, FLEET, chance.randrange(1, 10**6))
    outcomes: list[bool] = []
    for number, ring in enumerate(rings):
        before = len(outcomes)
        for _ in ring:
            outcomes.append(chance.random() < rate)
            if judge(policy, tally(number, outcomes, before)) is Verdict.STOP:
                return len(outcomes), True
    return len(outcomes), False


def tally(ring: int, outcomes: list[bool], before: int, quiet_s: float = 0.0) -> Tally:
    """Of failures so far; those of the open ring come after `before`."""
    here = outcomes[before:]
    total, failed = len(outcomes), sum(outcomes)
    return Tally(ring, total, total - failed, failed, len(here) - sum(here), sum(here), quiet_s)


def test_f14_a_release_that_fails_on_one_kiosk_in_twenty_is_stopped_early() -> None:
    chance = random.Random(14)
    runs = [exposed_by(0.05, chance) for _ in range(200)]
    reached = sorted(count for count, _ in runs)
    assert median(reached) <= 100
    assert reached[189] <= 450
    assert sum(stopped for _, stopped in runs) >= 198


def test_f14_a_good_release_is_hardly_ever_stopped() -> None:
    chance = random.Random(15)
    assert sum(exposed_by(0.005, chance)[1] for _ in range(400)) <= 20


def test_f14_a_release_that_breaks_every_kiosk_reaches_two() -> None:
    assert exposed_by(1.0, random.Random(1)) == (2, True)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (Tally(0, 10, 9, 0, 9, 0, RESTED), Verdict.WAIT),
        (Tally(0, 10, 10, 0, 10, 0, RESTED - 1), Verdict.WAIT),
        (Tally(0, 10, 10, 0, 10, 0, RESTED), Verdict.NEXT),
        (Tally(0, 3, 1, 2, 1, 2, 0), Verdict.STOP),
        (Tally(0, 10, 9, 1, 9, 1, RESTED), Verdict.NEXT),
        (Tally(0, 10, 8, 2, 8, 2, 0), Verdict.STOP),
        (Tally(3, 250, 246, 4, 46, 4, 0), Verdict.STOP),  # by its open ring alone
        (Tally(4, 1000, 990, 10, 495, 5, RESTED), Verdict.DONE),
    ],
)
def test_the_verdict(found: Tally, verdict: Verdict) -> None:
    assert judge(POLICY, found) is verdict


def test_the_interval_is_wilsons() -> None:
    """Worked by hand: 5 of 100, z = 1.6449."""
    assert lower_bound(5, 100) == pytest.approx(0.02463, abs=1e-4)
    assert lower_bound(0, 50) == 0.0


def test_rings_hold_everybody_once_and_every_kind_early() -> None:
    rings = rings_of(POLICY, FLEET, 7)
    assert [len(ring) for ring in rings] == [10, 40, 150, 300, 500]
    assert Counter(kiosk for ring in rings for kiosk in ring) == Counter(dict.fromkeys(FLEET, 1))
    assert Counter(FLEET[kiosk] for kiosk in rings[0]) == {"pi0": 5, "pi1": 5}
    assert rings[0] != rings_of(POLICY, FLEET, 8)[0]


@given(st.integers(1, 40), st.integers(0, 10**6))
def test_every_fleet_has_rings_however_small(count: int, serial: int) -> None:
    fleet = {f"K-{number}": str(number % 3) for number in range(count)}
    rings = rings_of(POLICY, fleet, serial)
    assert sorted(kiosk for ring in rings for kiosk in ring) == sorted(fleet)


def test_a_policy_that_never_ends_is_refused() -> None:
    with pytest.raises(ValueError, match="rings"):
        Policy(rings=(0.1, 0.5))

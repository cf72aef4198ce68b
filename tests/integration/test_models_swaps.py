"""Two people cut against each other never pass; residents on their own always do.

A small form of `tests/tools/models_swaps.py`, which plays many more.
"""

import itertools

import numpy as np
import pytest

from edge.domain.challenge import Action, Reason
from edge.models.observation import Limits
from edge.models.watcher import Watcher
from tests.face_swaps import ATTACKS, PAIRS, RATES, SPECS, Cast, order_of, try_it
from tests.helpers_models import PromptedCamera

ORDERS = (
    (Action.LEFT, Action.MOUTH, Action.DOWN, Action.BLINK),
    (Action.UP, Action.RIGHT, Action.BLINK, Action.LEFT),
)
NO_SEAM = Limits(seam=9.0)
NO_PROOFS = Limits(same_person=9.0, other_person=9.0)
NEITHER = Limits(seam=9.0, same_person=9.0, other_person=9.0)
NAMES = [attack.name for attack in ATTACKS]


@pytest.fixture(scope="module")
def cast() -> Cast:
    return Cast()


@pytest.fixture(scope="module")
def watcher(models_dir) -> Watcher:
    nobody = PromptedCamera(lambda *_: np.zeros((480, 640, 3), np.uint8))
    return Watcher(nobody, models_dir, nobody.mono_ns)


def play(watcher, cast, attack, pair, index, limits=None):
    victim, helper = pair
    rate, order = RATES[index % len(RATES)], ORDERS[index % len(ORDERS)]
    watcher._limits = limits
    camera = cast.attack(victim, helper, attack, seed=index, step_s=1 / rate)
    return try_it(watcher, camera, order, victim)


@pytest.mark.parametrize("pair", PAIRS, ids="+".join)
@pytest.mark.parametrize("index", range(len(ATTACKS)), ids=NAMES)
def test_two_people_never_pass_as_one(watcher, cast, index, pair) -> None:
    verdict = play(watcher, cast, ATTACKS[index], pair, index)
    assert not verdict.live
    assert verdict.reasons[0] in (Reason.FACE_CHANGED, Reason.TIMED_OUT)  # or never proven


@pytest.mark.parametrize("limits", [NO_SEAM, NO_PROOFS], ids=["proofs alone", "seam alone"])
@pytest.mark.parametrize("index", [0, 3, 4, 8, 9])
def test_each_of_the_two_layers_is_enough_alone(watcher, cast, index, limits) -> None:
    verdict = play(watcher, cast, ATTACKS[index], PAIRS[index % 2], index, limits)
    assert not verdict.live
    assert verdict.reasons[0] in (Reason.FACE_CHANGED, Reason.TIMED_OUT)  # or never proven


@pytest.mark.parametrize("index", [0, 4, 8])
def test_the_attacks_are_good_enough_to_pass_without_both(watcher, cast, index) -> None:
    """Otherwise the tests above would show nothing."""
    assert play(watcher, cast, ATTACKS[index], PAIRS[index % 2], index, NEITHER).passed


@pytest.mark.parametrize(("name", "rate"), list(itertools.product(SPECS, RATES)))
def test_e03_residents_pass_at_every_frame_rate(watcher, cast, name, rate) -> None:
    watcher._limits = None
    order = order_of(np.random.default_rng(rate))
    verdict = try_it(watcher, cast.honest(name, seed=rate, step_s=1 / rate), order, name)
    assert verdict.passed
    assert verdict.actions == order

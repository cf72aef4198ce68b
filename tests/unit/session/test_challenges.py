"""Which movements are asked for."""

import itertools
import random
import secrets
from collections import Counter

import pytest

from edge.domain.challenge import MOVEMENTS, Action
from edge.session.challenges import FLOOR, draw, sequences

ALL_BUT = [
    frozenset(left_out)
    for count in range(7)
    for left_out in itertools.combinations(MOVEMENTS, count)
]


@pytest.mark.parametrize("left_out", ALL_BUT, ids=lambda some: "+".join(a.value for a in some))
def test_k24_whoever_guesses_has_enough_to_guess_among_or_a_person_decides(left_out) -> None:
    found = sequences(left_out)
    assert len(found) >= FLOOR or not found
    assert len(set(found)) == len(found)
    for sequence in found:
        assert not set(sequence) & left_out
        assert {"yaw", "pitch"} <= {action.axis for action in sequence}
        assert all(a is not b for a, b in itertools.pairwise(sequence))
        assert 4 <= len(sequence) <= 6


@pytest.mark.parametrize(
    ("left_out", "count", "steps"),
    [
        ((), 536, 4),
        ((Action.BLINK,), 272, 4),
        ((Action.BLINK, Action.MOUTH), 320, 5),
        ((Action.UP,), 910, 5),
        ((Action.LEFT, Action.BLINK), 274, 5),
        ((Action.LEFT, Action.UP), 782, 6),
        ((Action.LEFT, Action.UP, Action.BLINK), 0, 0),
        ((Action.LEFT, Action.RIGHT), 0, 0),
    ],
)
def test_a_shorter_repertoire_takes_more_steps(left_out, count, steps) -> None:
    found = sequences(frozenset(left_out))
    assert len(found) == count
    assert {len(sequence) for sequence in found} == ({steps} if steps else set())


def test_where_no_sequence_is_safe_nothing_is_drawn() -> None:
    assert draw(secrets.choice, frozenset({Action.UP, Action.DOWN})) == ()


def test_g4_every_sequence_is_as_likely_as_every_other() -> None:
    """Chi-square over 535 degrees of freedom: p > 0.001 below 642; the seed makes it the same."""
    chance, draws = random.Random(7), 53_600
    seen = Counter(movements(draw(chance.choice)) for _ in range(draws))
    expected = draws / len(sequences())
    chi_square = sum((seen[one] - expected) ** 2 / expected for one in sequences())
    assert len(seen) == 536
    assert chi_square < 642


def movements(drawn: tuple[Action, ...]) -> tuple[Action, ...]:
    return tuple(action for action in drawn if action is not Action.STILL)


def test_now_and_then_one_is_asked_to_keep_still_between_two_movements() -> None:
    chance = random.Random(8)
    rows = [draw(chance.choice) for _ in range(3000)]
    still = [row for row in rows if Action.STILL in row]
    assert len(still) / len(rows) == pytest.approx(1 / 3, abs=0.03)
    assert {row.index(Action.STILL) for row in still} == {1, 2, 3}
    assert all(row.count(Action.STILL) == 1 and len(row) == 5 for row in still)


def test_who_cannot_keep_still_is_not_asked_to() -> None:
    chance, without = random.Random(9), frozenset({Action.STILL})
    rows = {draw(chance.choice, without) for _ in range(300)}
    assert all(Action.STILL not in row for row in rows)
    assert len(sequences(without)) == 536

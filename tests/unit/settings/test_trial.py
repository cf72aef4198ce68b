"""The trial of a new broker address, with time injected."""

from __future__ import annotations

from edge.domain.timebase import NS_PER_S
from edge.domain.trial import (
    MAX_STARTS,
    LinkState,
    Moment,
    failed,
    heard,
    is_over,
    started,
    want,
)

OLD, NEW = {"broker.port": 1883}, {"broker.port": 8884}


def at(seconds: float, boot: str = "b1") -> Moment:
    return Moment(boot, int(seconds * NS_PER_S))


def on_trial() -> LinkState:
    return started(want(LinkState(OLD), 7, NEW, at(0), 300), at(2), 300)


def test_a_new_address_is_in_force_while_it_is_tried_and_the_old_one_is_kept() -> None:
    state = on_trial()
    assert state.in_force == NEW
    assert state.good == OLD
    assert not is_over(state, at(299))


def test_without_the_registrys_word_the_old_address_returns() -> None:
    state = on_trial()
    assert is_over(state, at(300))
    after = failed(state)
    assert after.in_force == OLD
    assert (after.failed, after.failed_version) == (NEW, 7)


def test_the_registrys_word_makes_it_good() -> None:
    after = heard(on_trial())
    assert after == LinkState(NEW)
    assert not is_over(after, at(10_000))


def test_starts_within_one_boot_do_not_prolong_a_trial() -> None:
    state = started(on_trial(), at(200), 300)
    assert is_over(state, at(300))


def test_a_reboot_gives_the_whole_time_again_but_not_for_ever() -> None:
    state = on_trial()
    for boot in range(2, MAX_STARTS + 1):
        state = started(state, at(1, f"b{boot}"), 300)
        assert state.trial is not None
        assert not is_over(state, at(300, f"b{boot}"))
        assert is_over(state, at(301, f"b{boot}"))
    after = started(state, at(1, "b-last"), 300)
    assert after.trial is None
    assert after.in_force == OLD
    assert after.failed == NEW


def test_what_failed_is_not_tried_again_until_something_else_was_wanted() -> None:
    state = failed(on_trial())
    assert want(state, 8, NEW, at(900), 300) == state
    taken_back = want(state, 9, OLD, at(901), 300)
    assert taken_back == LinkState(OLD)
    assert want(taken_back, 10, NEW, at(902), 300).trial is not None


def test_another_wish_in_the_middle_of_a_trial_starts_another_trial() -> None:
    other = {"broker.port": 8885}
    state = want(on_trial(), 8, other, at(100), 300)
    assert state.trial is not None
    assert state.in_force == other
    assert state.good == OLD
    assert not is_over(state, at(399))
    assert want(state, 9, OLD, at(110), 300) == LinkState(OLD)


def test_the_same_wish_again_changes_nothing() -> None:
    state = on_trial()
    assert want(state, 8, NEW, at(250), 300) is state
    assert started(LinkState(OLD), at(0), 300) == LinkState(OLD)

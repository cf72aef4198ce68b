"""Buckets: a flood is cut, a backlog is not, and nobody pays for somebody else."""

from __future__ import annotations

from cloud_bridge.bridge.throttle import TELL_EVERY_S, Cost, Throttle


def spend(throttle: Throttle, kiosk: str, cost: Cost, times: int, now_s: float = 0.0) -> int:
    """How many of so many messages are looked at."""
    seen = 0
    for _ in range(times):
        if throttle.admits(kiosk, now_s):
            throttle.charge(kiosk, cost.value, now_s)
            seen += 1
    return seen


def test_each_kind_of_message_has_its_price() -> None:
    assert spend(Throttle(), "k", Cost.NEW, 15_000) == 15_000
    assert spend(Throttle(), "k", Cost.PLAIN, 15_000) == 1000
    assert spend(Throttle(), "k", Cost.REFUSED, 15_000) == 100


def test_who_was_shut_out_comes_back_after_a_rest_and_not_in_drops() -> None:
    throttle = Throttle()
    spend(throttle, "k", Cost.REFUSED, 200)
    assert spend(throttle, "k", Cost.REFUSED, 10, now_s=19) == 0
    assert spend(throttle, "k", Cost.REFUSED, 100, now_s=20) == 10
    assert spend(throttle, "other", Cost.REFUSED, 10, now_s=20) == 10


def test_what_was_dropped_is_told_at_once_and_then_seldom() -> None:
    throttle = Throttle()
    spend(throttle, "k", Cost.REFUSED, 150)
    assert throttle.to_tell(1.0) == {"k": 50}
    spend(throttle, "k", Cost.REFUSED, 5, now_s=2)
    assert throttle.to_tell(3.0) == {}
    assert throttle.to_tell(1.0 + TELL_EVERY_S) == {"k": 5}
    assert throttle.to_tell(1.0 + 2 * TELL_EVERY_S) == {}

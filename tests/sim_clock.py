"""A clock that moves only when somebody waits on it."""

from __future__ import annotations

from edge.domain.timebase import NS_PER_S, MonoNs


class HandClock:
    """Call it for the time; `advance` is also a `pause` for simulated devices."""

    def __init__(self) -> None:
        self.now_ns = 5 * NS_PER_S

    def __call__(self) -> MonoNs:
        return MonoNs(self.now_ns)

    def advance(self, seconds: float) -> None:
        self.now_ns += round(seconds * NS_PER_S)

"""Darken the picture for a moment and see whether it was darkened: a sensor obeys, a film does not.

The moment is drawn anew for each try. Half a stop less light is 0.86 of a picture's level.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

from edge.domain.timebase import NS_PER_S, MonoNs
from edge.ports import Camera

STOPS = 0.5
DIM_S = 0.7
SETTLE_S = 0.35  # until a setting shows in the pictures
BEFORE_S, AFTER_S = 0.3, 0.9
FOLLOWS = 0.95  # of the level before and after: what moves in the picture changes less


@dataclass(slots=True)
class Nudge:
    """Ask `wants_level`, then `see` each frame's level; `answer` at the end of the try."""

    camera: Camera
    begins_ns: MonoNs
    _levels: list[tuple[float, float]] = field(default_factory=list)  # since the beginning, grey
    _dimmed: bool | None = None  # None: not yet; False: over, or the camera cannot
    _can: bool = True

    @classmethod
    def drawn(cls, camera: Camera, now_ns: MonoNs, uniform: Callable[[], float]) -> Nudge:
        """`uniform` in 0..1 decides when, some 0.4 to 2 seconds from now."""
        return cls(camera, MonoNs(now_ns + int((0.4 + 1.6 * uniform()) * NS_PER_S)))

    def wants_level(self, at_ns: MonoNs) -> bool:
        return self._can and self._since_s(at_ns) <= DIM_S + AFTER_S

    def see(self, level: float, at_ns: MonoNs) -> None:
        since_s = self._since_s(at_ns)
        self._levels.append((since_s, level))
        if self._dimmed is None and since_s >= 0:
            self._dimmed = self._can = self.camera.nudge_exposure(STOPS)
        elif self._dimmed and since_s >= DIM_S:
            self.end()

    def end(self) -> None:
        """Whatever happens, the exposure goes back to what it was."""
        if self._dimmed:
            self._dimmed = False
            self.camera.nudge_exposure(0.0)

    @property
    def answer(self) -> bool | None:
        """`None` where the camera cannot, or too few frames came to tell."""
        before = self._between(-BEFORE_S, 0.0)
        dim = self._between(SETTLE_S, DIM_S)
        after = self._between(DIM_S + SETTLE_S, DIM_S + AFTER_S)
        if not self._can or before is None or dim is None or after is None:
            return None
        return dim <= FOLLOWS * min(before, after)

    def _between(self, first_s: float, last_s: float) -> float | None:
        some = [level for since_s, level in self._levels if first_s <= since_s <= last_s]
        return median(some) if len(some) >= 2 else None

    def _since_s(self, at_ns: MonoNs) -> float:
        return (at_ns - self.begins_ns) / NS_PER_S

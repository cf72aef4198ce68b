"""Whether it is one and the same face all through a try."""

from __future__ import annotations

from edge.domain.challenge import Reason
from edge.domain.timebase import MonoNs
from edge.models.observation import Limits, Observation, seconds


class Continuity:
    """Watches over an unbroken track, and over who it is wherever that could have changed.

    One short break is forgiven if the face that comes back proves to be the same.
    A camera that pauses breaks nothing, but nobody knows what happened meanwhile.
    """

    def __init__(self, limits: Limits, track: int) -> None:
        self.unproven = True
        self._limits = limits
        self._track = track
        self._losses = 0
        self._lost_ns: MonoNs | None = None
        self._last_ns: MonoNs | None = None

    def ask(self) -> None:
        """From now on the face has to prove again who it is."""
        self.unproven = True

    def see(self, seen: Observation) -> Reason | None:
        if self._last_ns is not None and seconds(self._last_ns, seen.at_ns) > self._limits.loss_s:
            self.unproven = True
        self._last_ns = seen.at_ns
        if seen.face is None:
            self._lost_ns = seen.at_ns if self._lost_ns is None else self._lost_ns
            return Reason.FACE_LOST if self._is_too_long(seen) else None
        if seen.track != self._track and not self._forgives(seen):
            return Reason.FACE_LOST
        self._lost_ns = None
        return self._prove(seen)

    def _is_too_long(self, seen: Observation) -> bool:
        lost_ns = self._lost_ns
        return lost_ns is not None and seconds(lost_ns, seen.at_ns) > self._limits.loss_s

    def _forgives(self, seen: Observation) -> bool:
        self._losses += 1
        self._track = seen.track
        self.unproven = True
        return self._losses <= self._limits.losses and not self._is_too_long(seen)

    def _prove(self, seen: Observation) -> Reason | None:
        if seen.identity is None:
            return None
        if seen.identity > self._limits.same_person:
            return Reason.FACE_CHANGED
        self.unproven = False
        return None

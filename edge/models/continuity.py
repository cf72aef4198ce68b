"""Whether it is one and the same face all through a try."""

from __future__ import annotations

import math

from edge.domain.challenge import Reason
from edge.domain.timebase import MonoNs
from edge.models.geometry import Pose
from edge.models.observation import Limits, Observation, seconds


class Continuity:
    """Watches over an unbroken track, and over who it is wherever that could have changed.

    One short break is forgiven if the face that comes back proves to be the same.
    A camera that pauses breaks nothing, but nobody knows what happened meanwhile.
    Neither does anybody after a jump that no head can make.
    """

    def __init__(self, limits: Limits, track: int) -> None:
        self.unproven = True
        self.run = 0  # one more after each break: what was seen before it proves nothing now
        self._limits = limits
        self._track = track
        self._losses = 0
        self._lost_ns: MonoNs | None = None
        self._last_ns: MonoNs | None = None
        self._pose: tuple[MonoNs, Pose] | None = None

    def ask(self) -> None:
        """From now on the face has to prove again who it is."""
        self.unproven = True

    def see(self, seen: Observation, *, ahead: bool) -> Reason | None:
        """`ahead`: it looks ahead, where one and the same face is always alike.

        Every comparison fails closed: a number that is none (NaN) is no proof.
        """
        if self._last_ns is not None and seconds(self._last_ns, seen.at_ns) > self._limits.loss_s:
            self._break()
        self._last_ns = seen.at_ns
        if seen.face is None:
            self._lost_ns = seen.at_ns if self._lost_ns is None else self._lost_ns
            return Reason.FACE_LOST if self._is_too_long(seen) else None
        if seen.track != self._track and not self._forgives(seen):
            return Reason.FACE_LOST
        self._lost_ns = None
        if self._jumps(seen.at_ns, seen.face.pose):
            self._break()
        return self._prove(seen, ahead=ahead)

    def _break(self) -> None:
        self.unproven = True
        self.run += 1

    def _is_too_long(self, seen: Observation) -> bool:
        lost_ns = self._lost_ns
        return lost_ns is not None and seconds(lost_ns, seen.at_ns) > self._limits.loss_s

    def _forgives(self, seen: Observation) -> bool:
        self._losses += 1
        self._track = seen.track
        self._break()
        return self._losses <= self._limits.losses and not self._is_too_long(seen)

    def _jumps(self, at_ns: MonoNs, pose: Pose) -> bool:
        """Whether the head is further from where it was than a head can turn meanwhile."""
        before, self._pose = self._pose, (at_ns, pose)
        if before is None:
            return False
        then_ns, was = before
        reach = max(self._limits.jump, self._limits.jump_per_s * seconds(then_ns, at_ns))
        return not (abs(pose.yaw - was.yaw) <= reach and abs(pose.pitch - was.pitch) <= reach)

    def _prove(self, seen: Observation, *, ahead: bool) -> Reason | None:
        if not seen.seam <= self._limits.seam:
            return Reason.FACE_CHANGED
        if seen.identity is None:
            return None
        if math.isnan(seen.identity) or (ahead and seen.identity > self._limits.other_person):
            return Reason.FACE_CHANGED
        if seen.identity <= self._limits.same_person:
            self.unproven = False
        return None

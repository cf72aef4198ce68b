"""Whether frames come from a sensor: no two alike, always a little noise, a steady clock.

A still picture fed in has no noise, a film that runs in a loop brings back frames bit by bit,
and a program that plays frames has neither the evenness nor the small shake of a camera's
clock. What this cannot see: a film that never repeats, with noise added. For that there are
the camera inside the case, its fixed identity and the challenges.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import Enum
from statistics import median

import numpy as np
import numpy.typing as npt

from edge.domain.timebase import NS_PER_S, MonoNs
from edge.models.preprocess import Image

EVERY_PX = 4  # a sixteenth of the pixels is plenty, and costs a tenth of a millisecond


class Doubt(Enum):
    """Why frames may not come from a sensor; advice for staff, it refuses nobody."""

    LOOPED = "looped"  # a frame came back, bit by bit
    NO_NOISE = "no_noise"  # neighbouring frames hardly differ
    TIMES = "times"  # moments run backwards, stand still or are too even or too wild


@dataclass(frozen=True, slots=True)
class Limits:
    min_frames: int = 15
    unchanged: float = 0.98  # of pixels, from frame to frame; a lens cap still shows noise
    repeated: int = 2  # frames that came back; one may be a driver handing out a frame twice
    wild: float = 4.0  # longest interval over the median one; a busy machine reaches 3
    gaps: float = 0.1  # share of intervals that may be as long as that


class CameraTruth:
    """Feed `see` with every frame of a try; ask for `doubts` at its end."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._digests: set[int] = set()
        self._repeated = 0
        self._unchanged: list[float] = []
        self._times: list[MonoNs] = []
        self._before: npt.NDArray[np.uint8] | None = None

    def see(self, image: Image, at_ns: MonoNs) -> None:
        """Keeps a number and a sixteenth of the frame before, nothing else."""
        few = np.ascontiguousarray(image[::EVERY_PX, ::EVERY_PX])
        digest = zlib.crc32(few.data)
        if digest in self._digests and not self._is_same_as_before(few):
            self._repeated += 1
        self._digests.add(digest)
        if self._before is not None and self._before.shape == few.shape:
            self._unchanged.append(float(np.mean(few == self._before)))
        self._before = few
        self._times.append(at_ns)

    def _is_same_as_before(self, few: npt.NDArray[np.uint8]) -> bool:
        """A camera that hands out a frame twice is slow, not looped: that is lack of noise."""
        return self._before is not None and np.array_equal(few, self._before)

    @property
    def doubts(self) -> frozenset[Doubt]:
        """Empty also while there are too few frames to say."""
        if len(self._times) < self.limits.min_frames:
            return frozenset()
        found = {
            Doubt.LOOPED: self._repeated >= self.limits.repeated,
            Doubt.NO_NOISE: median(self._unchanged or [0.0]) >= self.limits.unchanged,
            Doubt.TIMES: self._odd_times(),
        }
        return frozenset(doubt for doubt, holds in found.items() if holds)

    def _odd_times(self) -> bool:
        steps = np.diff(np.array(self._times, np.float64)) / NS_PER_S
        usual = float(np.median(steps))
        if usual <= 0 or (steps < 0).any():
            return True
        return float(np.mean(steps > self.limits.wild * usual)) > self.limits.gaps

"""Whether frames come from a sensor: no two alike, always a little noise, a steady clock.

A still picture fed in has no noise, a film that runs in a loop brings back frames bit by bit,
and a program that plays frames may not keep a camera's time. What this cannot see: a film that
never repeats, with noise added. For that there are the camera inside the case, its fixed
identity, the nudge of the exposure (`edge.models.exposure`) and the challenges.
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

ROWS = 12  # of a frame, spread over it: plenty, and costs some hundredths of a millisecond


class Doubt(Enum):
    """Why frames may not come from our sensor; for staff, it refuses nobody."""

    LOOPED = "looped"  # a frame came back, bit by bit
    NO_NOISE = "no_noise"  # neighbouring frames hardly differ
    TIMES = "times"  # moments run backwards or stand still
    IDENTITY = "identity"  # another camera than the one this kiosk was commissioned with
    UNRESPONSIVE = "unresponsive"  # the exposure was changed, and the picture was not


@dataclass(frozen=True, slots=True)
class Limits:
    min_frames: int = 15
    unchanged: float = 0.98  # of values, from frame to frame; a lens cap still shows noise
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
        """Keeps a number and some rows of the frame before, nothing else."""
        few = np.ascontiguousarray(image[:: max(1, image.shape[0] // ROWS)])
        before, self._before = self._before, few
        alike = 0.0
        if before is not None and before.shape == few.shape:
            alike = np.count_nonzero(few == before) / few.size
            self._unchanged.append(alike)
        # The middle of the rows is enough to know a frame again.
        digest = zlib.crc32(np.ascontiguousarray(few[:, :: max(1, few.shape[1] // 64)]).data)
        # A camera that hands out a frame twice is slow, not looped: that is lack of noise.
        self._repeated += digest in self._digests and alike < 1
        self._digests.add(digest)
        self._times.append(at_ns)

    @property
    def level(self) -> float:
        """Mean grey of the newest frame."""
        return 0.0 if self._before is None else float(self._before[:, ::4].mean())

    @property
    def can_tell(self) -> bool:
        """Not with few frames, nor with frames that come in gusts: a busy machine does that, too,
        as does a program that plays them."""
        return len(self._times) >= self.limits.min_frames and not self._in_gusts()

    @property
    def doubts(self) -> frozenset[Doubt]:
        """Empty also while there are too few frames to say."""
        if len(self._times) < self.limits.min_frames:
            return frozenset()
        found = {
            Doubt.LOOPED: self._repeated >= self.limits.repeated,
            Doubt.NO_NOISE: median(self._unchanged or [0.0]) >= self.limits.unchanged,
            Doubt.TIMES: float(np.median(self._steps_s())) <= 0 or (self._steps_s() < 0).any(),
        }
        return frozenset(doubt for doubt, holds in found.items() if holds)

    def _steps_s(self) -> npt.NDArray[np.float64]:
        return np.diff(np.array(self._times, np.float64)) / NS_PER_S

    def _in_gusts(self) -> bool:
        steps = self._steps_s()
        return float(np.mean(steps > self.limits.wild * np.median(steps))) > self.limits.gaps

"""Whether two frames, one right after the other, show one and the same face.

A cut from one face to another, done well, moves no landmark further than a head does: eyes
can be laid on eyes. The skin between them does change. So every pair of neighbouring frames
is compared at a glance, and only where the glance finds them unlike, by their embeddings.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from edge.models.embedding import Embedder, Embedding, distance
from edge.models.preprocess import Image

GLANCE_PX = 16
# Correlation of two glances. Ideal cuts between two portraits stayed below 0.56; heads
# that turn at 30 frames a second stay above 0.94, so that the costly look is rare there.
ALIKE = 0.8


@dataclass(slots=True)
class _Seen:
    """One frame's face: `chip` as in `Embedder.embed_chip`."""

    chip: Image = field(repr=False)
    glance: npt.NDArray[np.float64] = field(repr=False)
    embedding: Embedding | None = field(repr=False, default=None)


class Seam:
    """Of one try; holds the newest face only. Show it every face in order of time."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._newest: _Seen | None = None

    def see(self, chip: Image) -> float:
        """Distance of the embeddings to the face before; 0 where a glance is enough."""
        before, now = self._newest, _Seen(chip, glance_of(chip))
        self._newest = now
        if before is None or float((before.glance * now.glance).sum()) >= ALIKE:
            return 0.0
        return distance(self._embedding(before), self._embedding(now))

    def embedding(self) -> Embedding:
        """Of the newest face, worked out once at most."""
        if self._newest is None:
            raise ValueError("no face seen yet")
        return self._embedding(self._newest)

    def _embedding(self, seen: _Seen) -> Embedding:
        if seen.embedding is None:
            seen.embedding = self._embedder.embed_chip(seen.chip)
        return seen.embedding


def glance_of(chip: Image) -> npt.NDArray[np.float64]:
    """(16, 16) grey, without its mean and of length 1: the product of two is their correlation."""
    small = cv2.resize(chip, (GLANCE_PX, GLANCE_PX), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float64)
    grey -= grey.mean()
    return np.asarray(grey / max(float(np.linalg.norm(grey)), 1e-9), np.float64)

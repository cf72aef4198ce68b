"""Whether two frames, one right after the other, show one and the same face.

A cut from one face to another, done well, moves no landmark further than a head does: eyes
can be laid on eyes. The skin between them does change. So every pair of neighbouring frames
is compared at a glance, and only where the glance finds them unlike, by their embeddings.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from edge.models.embedding import CHIP_POINTS, CHIP_PX, Embedder, Embedding, chip_of, distance
from edge.models.faces import Mesh
from edge.models.geometry import ALIGNMENT
from edge.models.preprocess import Image, similarity

GLANCE_PX = 16
SAMPLED_PX = 2 * GLANCE_PX
SAMPLED_POINTS = CHIP_POINTS * SAMPLED_PX / CHIP_PX
# Correlation of two glances. Ideal cuts between two portraits stayed below 0.56; heads
# that turn at 30 frames a second stay above 0.94, so that the costly look is rare there.
ALIKE = 0.8

Glance = npt.NDArray[np.float32]


@dataclass(slots=True)
class _Seen:
    """One frame's face; `chip` as in `Embedder.embed_chip`."""

    image: Image = field(repr=False)
    mesh: Mesh = field(repr=False)
    glance: Glance = field(repr=False)
    chip: Image | None = field(repr=False, default=None)
    embedding: Embedding | None = field(repr=False, default=None)


class Seam:
    """Of one try; holds the newest face only. Show it every face in order of time."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._newest: _Seen | None = None

    def see(self, image: Image, mesh: Mesh) -> float:
        """Distance of the embeddings to the face before; 0 where a glance is enough."""
        before, now = self._newest, _Seen(image, mesh, glance_of(mesh))
        self._newest = now
        if before is None or float(before.glance @ now.glance) >= ALIKE:
            return 0.0
        return distance(self._embedding(before), self._embedding(now))

    def chip(self) -> Image:
        """Of the newest face, cut out once at most."""
        return _chip(self._last())

    def embedding(self) -> Embedding:
        """Of the newest face, worked out once at most."""
        return self._embedding(self._last())

    def _last(self) -> _Seen:
        if self._newest is None:
            raise ValueError("no face seen yet")
        return self._newest

    def _embedding(self, seen: _Seen) -> Embedding:
        if seen.embedding is None:
            seen.embedding = self._embedder.embed_chip(_chip(seen))
        return seen.embedding


def _chip(seen: _Seen) -> Image:
    if seen.chip is None:
        seen.chip = chip_of(seen.image, seen.mesh.points)
    return seen.chip


def glance_of(mesh: Mesh) -> Glance:
    """(256,) grey, 16 x 16 of the aligned face, without its mean and of length 1: the product
    of two is their correlation."""
    own = mesh.on_cut.take(ALIGNMENT, 0)[:, :2].astype(np.float64)
    where = similarity(own, SAMPLED_POINTS)
    face = cv2.warpAffine(
        mesh.cut, where, (SAMPLED_PX, SAMPLED_PX), borderMode=cv2.BORDER_REPLICATE
    )
    small = cv2.resize(
        cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), (GLANCE_PX, GLANCE_PX), interpolation=cv2.INTER_AREA
    )
    grey = small.astype(np.float32).ravel()
    grey -= grey.mean()
    return np.asarray(grey / max(math.sqrt(grey @ grey), 1e-9), np.float32)

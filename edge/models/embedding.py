"""Faces as 128 numbers, and how alike two of them are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from edge.models.geometry import ALIGNMENT
from edge.models.preprocess import Image, Points, similarity, warped
from edge.models.runtime import Model

Embedding = npt.NDArray[np.float64]

CHIP_PX = 150
CHIP_PADDING = 0.25
# dlib's mean positions of the five alignment points on an unpadded unit chip
# (image_transforms/interpolation.h), in the order of `geometry.ALIGNMENT`.
_MEAN_FACE = np.array(
    [
        [0.8595674595992, 0.2134981538014],
        [0.6460604764104, 0.2289674387677],
        [0.1205750620789, 0.2137274526848],
        [0.3340850613712, 0.2290642403242],
        [0.4901123135679, 0.6277975316475],
    ]
)
CHIP_POINTS = (_MEAN_FACE + CHIP_PADDING) / (1 + 2 * CHIP_PADDING) * CHIP_PX

# Of 1,000 pairs of different people at most one passes (FMR 1e-3), with five live pictures
# averaged: 0.358 against portraits squeezed to the card's 1,024 bytes and 0.347 against plain
# ones, on the 12 development people of the evaluation, 5,280 unlike draws each; the smaller one,
# rounded down. `evaluation/` reports what that does to other people.
MATCH_DISTANCE = 0.345
MAX_DISTANCE = 0.83  # unlike faces lie at 0.55 and more; beyond this a score would say nothing


def likeness(distance: float) -> float:
    """1 - distance / 0.83, kept within 0..1: higher is more alike, as `Score` wants it."""
    return min(1.0, max(0.0, 1.0 - distance / MAX_DISTANCE))


class Embedder:
    """dlib's face ResNet on an aligned chip, averaged with its mirror image."""

    def __init__(self, models_dir: Path) -> None:
        self._model = Model("face_embedding", models_dir)
        self._model.warm_up()

    def wipe(self) -> None:
        """Nothing of a picture stays in the network's memory."""
        self._model.warm_up()

    def embed(self, image: Image, points: Points) -> Embedding:
        """(128,) for the face whose mesh is `points`."""
        return self.embed_chip(chip_of(image, points))

    def embed_chip(self, chip: Image) -> Embedding:
        """(128,) for a (150, 150, 3) chip."""
        both = [self._model.run_on(side)[0][0] for side in (chip, cv2.flip(chip, 1))]
        return np.asarray(np.mean(both, axis=0), np.float64)


def chip_of(image: Image, points: Points) -> Image:
    matrix = similarity(points[list(ALIGNMENT), :2], CHIP_POINTS)
    return warped(image, matrix, CHIP_PX)


def distance(one: Embedding, other: Embedding) -> float:
    """Euclidean, as the network was trained for; dlib's own limit for one person is 0.6."""
    return float(np.linalg.norm(one - other))


def match_distance(frames: Sequence[Embedding], reference: Embedding) -> float:
    """0..2: how far the mean of `frames` points away from `reference`, on the unit sphere.

    A mean is shorter than what it is the mean of, which brings strangers nearer: at a plain
    distance of 0.50 their pairs passed three times as often averaged as one by one.
    """
    return distance(_direction(np.mean(frames, axis=0)), _direction(reference))


def face_of(frames: Sequence[Embedding]) -> bytes:
    """What is kept of somebody as a template: the mean's direction as float32."""
    return _direction(np.mean(frames, axis=0)).astype("<f4").tobytes()


def kept_face(face: bytes) -> Embedding | None:
    """A template read back; `None` for anything else."""
    if len(face) != FACE_BYTES:
        return None
    found = np.frombuffer(face, "<f4").astype(np.float64)
    return found if np.isfinite(found).all() and found.any() else None


def _direction(embedding: Embedding) -> Embedding:
    return np.asarray(embedding / np.linalg.norm(embedding), np.float64)


FACE_BYTES = 128 * 4
LIKENESS_THRESHOLD = likeness(MATCH_DISTANCE)

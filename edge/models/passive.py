"""MiniFASNet's look at a few frontal frames: advice, and never more than that.

It sees the face and its surroundings in two cuts, 2.7 and 4 face heights wide, and says how
much of what it sees is skin. On pictures unlike those it has learned from it is wrong about
living people, so its word goes to staff and decides nothing (see docs/models.md).
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np

from edge.domain.errors import ModelError
from edge.models.faces import Box
from edge.models.minifasnet import SIDE_PX
from edge.models.preprocess import Floats, Image
from edge.models.runtime import Model, sha256_of_model

CUTS = {"minifasnet_near": 2.7, "minifasnet_wide": 4.0}
REAL = 1  # of the three shares
FRAMES = 3  # of a try


class Passive:
    """Both networks. Not for two threads at once."""

    sha256 = hashlib.sha256("".join(map(sha256_of_model, CUTS)).encode()).hexdigest()
    """Of the two files' hashes, one after the other."""

    def __init__(self, models_dir: Path) -> None:
        self._models = {name: Model(name, models_dir) for name in CUTS}

    @classmethod
    def if_installed(cls, models_dir: Path) -> Passive | None:
        """`None` also where a file is damaged: nobody is kept waiting for the want of advice."""
        try:
            return cls(models_dir)
        except ModelError:
            return None

    def wipe(self) -> None:
        """Nothing of a picture stays in the networks' memory."""
        for model in self._models.values():
            model.warm_up()

    def real(self, image: Image, face: Box) -> float:
        """Share of `real`, 0..1: the mean of both networks, as their authors have it."""
        shares = [
            model.run(cut(image, face, CUTS[name])[None])[0][0][REAL]
            for name, model in self._models.items()
        ]
        return float(np.mean(shares))


def cut(image: Image, face: Box, scale: float) -> Floats:
    """The authors' cut: the box grown about its middle, pushed back into the picture, 80 x 80."""
    height, width = image.shape[:2]
    wide, high = face.right - face.left, face.bottom - face.top
    scale = min((height - 1) / high, (width - 1) / wide, scale)
    x, y = (face.left + face.right) / 2, (face.top + face.bottom) / 2
    half_x, half_y = wide * scale / 2, high * scale / 2
    x = min(max(x, half_x), width - 1 - half_x)
    y = min(max(y, half_y), height - 1 - half_y)
    rows = slice(int(y - half_y), int(y + half_y) + 1)
    columns = slice(int(x - half_x), int(x + half_x) + 1)
    small = cv2.resize(image[rows, columns], (SIDE_PX, SIDE_PX))
    return np.asarray(small, np.float32)

"""A visitor's own picture on the simulated card, so that anybody at a laptop can try the kiosk.

Asked for in the terminal first; one frame is kept, in memory, and gone with the process.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from edge.app.compose import camera
from edge.app.config import Config
from edge.domain.errors import ConfigError, DeviceError, Fault
from edge.models.faces import Detector
from edge.models.watcher import head_and_shoulders
from edge.ports import Frame, Picture

QUESTION = (
    "The simulated ID card needs a portrait to compare you with.\n"
    "May one picture of you be taken now? It stays in memory and is gone when this ends. [y/N] "
)
FRAMES_TRIED = 150


def take_with_consent(config: Config, models_dir: Path) -> Picture:
    """Ask, then take the first frame that shows one face. Raises `ConfigError` on a no."""
    sys.stderr.write(QUESTION)
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes", "是"):
        raise ConfigError("CAMERA=webcam", "not without a picture; use the simulated resident")
    detector = Detector(models_dir)
    device = camera(config, None)
    device.open()
    with device.stream() as frames:
        for tried, frame in enumerate(frames):
            portrait = _portrait(detector, frame)
            if portrait is not None:
                return portrait
            if tried >= FRAMES_TRIED:
                break
    raise DeviceError("camera", Fault.EMPTY, "no single face was seen; sit in front of the camera")


def _portrait(detector: Detector, frame: Frame) -> Picture | None:
    picture = frame.picture
    shape = (picture.height, picture.width, 3)
    image = np.frombuffer(picture.rgb, np.uint8).reshape(shape)
    faces = detector.find(image)
    if len(faces) != 1:
        return None
    cut = np.ascontiguousarray(head_and_shoulders(image, faces[0].box))
    return Picture(cut.shape[1], cut.shape[0], cut.tobytes())

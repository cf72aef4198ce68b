"""Faces for tests of the models: points whose truth is known, and cameras that answer prompts."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from edge.domain.challenge import Action, Prompt
from edge.domain.record import Provenance
from edge.models.preprocess import picture_of
from edge.models.watcher import Watcher
from edge.ports import Frame, Health, Look, Picture, WatchOrder


def rotation(yaw_deg: float, pitch_deg: float, roll_deg: float = 0.0) -> np.ndarray:
    """Turn to the own left, up, clockwise as seen; image axes x right, y down, z away."""
    yaw, pitch, roll = np.radians([yaw_deg, pitch_deg, roll_deg])
    left = np.array(
        [[math.cos(yaw), 0, -math.sin(yaw)], [0, 1, 0], [math.sin(yaw), 0, math.cos(yaw)]]
    )
    up = np.array(
        [[1, 0, 0], [0, math.cos(pitch), math.sin(pitch)], [0, -math.sin(pitch), math.cos(pitch)]]
    )
    tilt = np.array(
        [[math.cos(roll), -math.sin(roll), 0], [math.sin(roll), math.cos(roll), 0], [0, 0, 1]]
    )
    return tilt @ up @ left


def mesh(yaw_deg=0.0, pitch_deg=0.0, roll_deg=0.0) -> np.ndarray:
    """468 points of an egg whose named landmarks stand where they do on a face."""
    points = np.zeros((468, 3))
    points[33], points[263] = (-45, -30, 15), (45, -30, 15)
    points[133], points[362] = (-18, -30, 8), (18, -30, 8)
    points[234], points[454] = (-70, -10, 60), (70, -10, 60)
    points[[10, 151, 9]] = [(0, -80, 0), (0, -65, 0), (0, -50, 0)]
    points[[2, 164]] = [(0, 20, 0), (0, 28, 0)]
    points[[1, 4]] = [(0, 10, -30), (0, 5, -32)]
    points[[61, 291]] = [(-25, 45, 8), (25, 45, 8)]
    points[[13, 14, 78, 308]] = [(0, 45, 0), (0, 45, 0), (-22, 45, 8), (22, 45, 8)]
    points[[50, 280]] = [(-45, 5, 15), (45, 5, 15)]
    points[[105, 334]] = [(-35, -50, 8), (35, -50, 8)]
    return points @ rotation(yaw_deg, pitch_deg, roll_deg).T + [320, 240, 0]


STEP_S = 1 / 15


class PromptedCamera:
    """A camera whose scene knows the prompt: `scene(prompt, since_s)` draws the next image.

    `tell` is how the test passes the prompt on, as a screen would to a person.
    """

    name = "camera"
    provenance = Provenance.SIMULATED

    def __init__(
        self,
        scene: Callable[[Prompt, float], np.ndarray],
        frames: int = 1000,
        step_s: float = STEP_S,
    ) -> None:
        self.scene = scene
        self.step_s = step_s
        self.opened = 0
        self.frames = frames
        self.at_s = 0.0
        self.is_open = False
        self._prompt, self._since_s = Prompt.FRAME_FACE, 0.0

    def open(self) -> None: ...

    def close(self) -> None: ...

    def health(self) -> Health:
        return Health(True, "a test's camera")

    def mono_ns(self) -> int:
        return int(self.at_s * 1e9)

    def tell(self, prompt: Prompt) -> None:
        if prompt is not self._prompt:
            self._prompt, self._since_s = prompt, self.at_s

    @contextlib.contextmanager
    def stream(self) -> Iterator[Iterator[Frame]]:
        self.is_open = True
        self.opened += 1
        try:
            yield self._frames()
        finally:
            self.is_open = False

    def _frames(self) -> Iterator[Frame]:
        for _ in range(self.frames):
            self.at_s += self.step_s
            drawn = self.scene(self._prompt, self.at_s - self._since_s)
            picture = drawn if isinstance(drawn, Picture) else picture_of(drawn)
            yield Frame(picture, self.mono_ns())


def watch(
    watcher: Watcher,
    camera: PromptedCamera,
    actions: tuple[Action, ...],
    reference: Picture | None = None,
) -> list[Look]:
    """One whole try; the last look has the result."""
    looks = []
    watcher._camera = camera  # models take a second to load: one watcher serves many cameras
    watcher._mono_ns = camera.mono_ns
    for look in watcher.watch(WatchOrder(actions, reference)):
        camera.tell(look.progress.prompt)
        looks.append(look)
    return looks


def package_picture(package: str, path: str) -> np.ndarray:
    """A picture inside an installed package, RGB."""
    folder = Path(find_spec(package).origin).parent
    return np.ascontiguousarray(cv2.imread(str(folder / path))[..., ::-1])


def astronaut() -> np.ndarray:
    return package_picture("skimage", "data/astronaut.png")


def admiral() -> np.ndarray:
    return package_picture("matplotlib", "mpl-data/sample_data/grace_hopper.jpg")


def printed(
    photo: np.ndarray,
    yaw_deg: float = 0.0,
    pitch_deg: float = 0.0,
    roll_deg: float = 0.0,
    shift: tuple[float, float] = (0.0, 0.0),
    tall_px: float = 460.0,
) -> np.ndarray:
    """A flat photo `tall_px` high, held 60 cm before a 640x480 camera with a 50 degree view."""
    focal_px, far = 690.0, 690.0
    rows, columns = photo.shape[:2]
    scale = tall_px / rows
    x, y = columns / 2 * scale, rows / 2 * scale
    corners = np.array([[-x, -y, 0], [x, -y, 0], [x, y, 0], [-x, y, 0]])
    world = corners @ rotation(yaw_deg, pitch_deg, roll_deg).T + [shift[0], shift[1], far]
    seen = world[:, :2] / world[:, 2:] * focal_px + [320, 240]
    paper = np.float32([[0, 0], [columns, 0], [columns, rows], [0, rows]])
    place = cv2.getPerspectiveTransform(paper, seen.astype(np.float32))
    return cv2.warpPerspective(photo, place, (640, 480), borderValue=(130, 125, 120))

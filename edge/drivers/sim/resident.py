"""Simulated people in front of the camera, and the empty chair they leave behind.

`hear`, `see` and `picture` of one person are called from one thread at a time;
`room.Room` sees to that.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from edge.domain.timebase import NS_PER_S, MonoNs
from edge.drivers.sim import glow
from edge.drivers.sim.head import EYES_PX, Pose, cut_scene, head_of, rotation
from edge.drivers.sim.listening import Gesture, Listener
from edge.drivers.sim.portrait import PortraitSpec, Rgb
from edge.drivers.sim.scenery import empty_room, photograph

SIZE = (640, 480)
YAW_DEG = 33.0
UP_DEG = 27.0
DOWN_DEG = 24.0
SENSOR_NOISE = 1.8  # standard deviation in grey levels


class Person(Protocol):
    """Whoever is in the room."""

    def hear(self, words: str) -> None: ...

    def see(self, texts: Iterable[str]) -> None: ...

    def picture(self, now_ns: int) -> Rgb:
        """What a camera sees at that moment."""
        ...

    @property
    def shares(self) -> glow.Shares:
        """How much of the screen's light each place of the picture sends back."""
        ...


class Resident:
    """A pensioner who follows prompts, a little later than asked."""

    def __init__(
        self,
        portrait: PortraitSpec,
        mono_ns: Callable[[], MonoNs],
        seed: int = 1,
        size: tuple[int, int] = SIZE,
    ) -> None:
        self._head = head_of(portrait, size)
        scene = cut_scene(portrait, size)
        middle = scene.points[:, :2].mean(axis=0)
        self.shares = glow.of_head(size, (float(middle[0]), float(middle[1])), scene.radii)
        self._ears = Listener(mono_ns, seed)
        self._sensor = Sensor(size, seed)
        self.hear = self._ears.hear
        self.see = self._ears.see

    def picture(self, now_ns: int) -> Rgb:
        """480 x 640 x 3 unless made for another size."""
        pose = pose_of(*self._ears.doing(now_ns), *sway_deg(now_ns))
        return self._sensor.expose(self._head.render(pose))


def pose_of(gesture: Gesture, amount: float, sway_yaw: float, sway_pitch: float) -> Pose:
    """A person's left is the picture's right."""
    yaw = {Gesture.LEFT: YAW_DEG, Gesture.RIGHT: -YAW_DEG}.get(gesture, 0.0) * amount
    pitch = {Gesture.UP: UP_DEG, Gesture.DOWN: -DOWN_DEG}.get(gesture, 0.0) * amount
    return Pose(
        yaw + sway_yaw,
        pitch + sway_pitch,
        lids=amount if gesture is Gesture.BLINK else 0.0,
        mouth=amount if gesture is Gesture.MOUTH else 0.0,
    )


def sway_deg(now_ns: int) -> tuple[float, float]:
    """Nobody holds quite still: yaw and pitch of about half a degree."""
    t = now_ns / NS_PER_S
    yaw = 0.5 * math.sin(t * 1.1) + 0.25 * math.sin(t * 2.7 + 1)
    return yaw, 0.35 * math.sin(t * 0.9 + 2) + 0.2 * math.sin(t * 2.1)


class EmptyChair:
    """Nobody: deaf, blind and motionless."""

    def __init__(self, size: tuple[int, int] = SIZE) -> None:
        self._room = empty_room(size)
        self.shares = glow.even(size, 0.06)
        self._sensor = Sensor(size, seed=0)

    def hear(self, words: str) -> None:
        """Nobody listens."""

    def see(self, texts: Iterable[str]) -> None:
        """Nobody reads."""

    def picture(self, now_ns: int) -> Rgb:
        del now_ns  # nothing moves here
        return self._sensor.expose(self._room)


class PrintedPhoto:
    """Somebody out of view who holds up a photograph and tilts it as the prompts ask.

    It is a plane seen through a pinhole; it cannot blink or open its mouth.
    """

    FOCAL_PX = 900.0

    def __init__(
        self,
        portrait: PortraitSpec,
        mono_ns: Callable[[], MonoNs],
        seed: int = 1,
        *,
        with_edges: bool = True,
        yaw_deg: float = 45.0,
        pitch_deg: float = 40.0,
        size: tuple[int, int] = SIZE,
    ) -> None:
        self._size = size
        self._tilt = (yaw_deg, pitch_deg)
        self.shares = glow.even(size, glow.PAPER)
        self._sheet, self._cover = photograph(portrait, with_edges)
        self._room = empty_room(size)
        self._ears = Listener(mono_ns, seed)
        self._sensor = Sensor(size, seed)
        self.hear = self._ears.hear
        self.see = self._ears.see

    def picture(self, now_ns: int) -> Rgb:
        gesture, amount = self._ears.doing(now_ns)
        yaw_sign = (gesture is Gesture.LEFT) - (gesture is Gesture.RIGHT)
        pitch_sign = (gesture is Gesture.UP) - (gesture is Gesture.DOWN)
        yaw, pitch = sway_deg(now_ns)
        yaw += yaw_sign * self._tilt[0] * amount
        pitch += pitch_sign * self._tilt[1] * amount
        return self._sensor.expose(self._view(yaw, pitch, now_ns / NS_PER_S))

    def _view(self, yaw_deg: float, pitch_deg: float, t_s: float) -> Rgb:
        """The sheet, tilted, before the room; a hand trembles by a pixel or two."""
        place = self._plane(yaw_deg, pitch_deg)
        place = _moved(1.6 * math.sin(t_s * 1.7), 1.2 * math.sin(t_s * 2.3 + 1)) @ place
        sheet = cv2.warpPerspective(
            self._sheet, place, self._size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        cover = cv2.warpPerspective(self._cover, place, self._size)[..., None]
        light = (
            1
            - 0.10 * abs(math.sin(math.radians(yaw_deg)))
            + 0.12 * math.sin(math.radians(pitch_deg))
        )
        mixed = self._room + cover * (sheet * np.float32(light) - self._room)
        return np.asarray(np.clip(mixed, 0, 255), dtype=np.uint8)

    def _plane(self, yaw_deg: float, pitch_deg: float) -> npt.NDArray[np.float64]:
        """Homography from the sheet to the picture."""
        height, width = self._sheet.shape[:2]
        focal = self.FOCAL_PX * self._size[0] / 640
        away = focal * 200 / (2.2 * EYES_PX * self._size[0] / 640)
        turn = rotation(yaw_deg, pitch_deg)
        flat = turn[:, :2] @ _moved(-width / 2, -height / 2)[:2]
        solid = flat + np.array([[0, 0, 0], [0, 0, 0], [0, 0, away]])
        lens = np.array([[focal, 0, self._size[0] / 2], [0, focal, self._size[1] / 2], [0, 0, 1]])
        return np.asarray(lens @ solid)


def _moved(x: float, y: float) -> npt.NDArray[np.float64]:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])


class Sensor:
    """A camera's grain: one large noise picture, read at another place for each frame."""

    SLACK_PX = 64

    def __init__(self, size: tuple[int, int], seed: int) -> None:
        shape = (size[1] + self.SLACK_PX, size[0] + self.SLACK_PX, 3)
        grain = np.random.default_rng(seed).normal(0, SENSOR_NOISE, shape)
        self._grain = np.round(grain).astype(np.int16)
        self._random = random.Random(seed)

    def expose(self, rgb: Rgb) -> Rgb:
        x, y = (self._random.randrange(self.SLACK_PX) for _ in range(2))
        grain = self._grain[y : y + rgb.shape[0], x : x + rgb.shape[1]]
        return np.asarray(cv2.add(rgb, grain, dtype=cv2.CV_8U))

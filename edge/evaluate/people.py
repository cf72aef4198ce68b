"""The people of one half of the split: photographs found, and landmarks read on them.

The landmarks are data to the generators; whoever makes an attack may use the same public
models as the kiosk does.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from edge.drivers.sim import portrait
from edge.drivers.sim.head import Head, Pose
from edge.evaluate.scenes.sitters import Shape, Sitter, head_of
from edge.models import geometry
from edge.models.faces import EYE_PX, Follower, Lids
from edge.models.preprocess import Image, Points, Square, scaled
from edge.models.runtime import Model

PHOTOS_EACH = 3
MAX_YAW_DEG = 9.0
MAX_NOD_DEG = 6.0  # against the same person's other photographs
MAX_PITCH_DEG = 18.0  # who holds the head lower or higher does not look into the camera
ENLARGED = 3
RIM_PX = 60  # round the enlarged photograph: the detector wants room about a face
UPPER, LOWER = (0, 9, 10, 11, 12, 13, 14, 15, 8), (0, 1, 2, 3, 4, 5, 6, 7, 8)
EXTREMES = (Pose(33.0), Pose(-33.0), Pose(0.0, 27.0), Pose(0.0, -24.0))
MOST_OF_SHUT_LIDS = 0.55  # of the own open ones
HAIR = (0.66, 0.72, 0.1)  # half width in face widths; half height, and rise, in face heights


def packaged() -> list[Sitter]:
    """The portraits that the simulated residents wear."""
    found = []
    for spec in (portrait.ASTRONAUT, portrait.ADMIRAL):
        lids, points = portrait.read_lids(spec), portrait.read_landmarks(spec)
        rgb = portrait.read_portrait(spec)
        found.append(Sitter(spec.name, spec.name, rgb, points, lids, spec.head))
    return found


def photographed(data: Path, people: tuple[str, ...], models_dir: Path) -> list[Sitter]:
    """Frontal photographs of each, eyes widest open first, `PHOTOS_EACH` at most."""
    reader = _Reader(models_dir)
    found: list[Sitter] = []
    for person in people:
        looks = list(reader.all_of(data / "verify" / person))
        level = median(pose.pitch for pose, _ in looks)
        frontal = [sitter for pose, sitter in looks if _is_frontal(pose, level)]
        found += sorted(frontal, key=_eyes_open, reverse=True)[:PHOTOS_EACH]
    return found


def _is_frontal(pose: geometry.Pose, level_deg: float) -> bool:
    level = abs(pose.pitch - level_deg) <= MAX_NOD_DEG and abs(pose.pitch) <= MAX_PITCH_DEG
    return level and abs(pose.yaw) <= MAX_YAW_DEG


def _eyes_open(sitter: Sitter) -> float:
    upper, lower = sitter.lids[:, 0], sitter.lids[:, 1]
    return float((lower[..., 1] - upper[..., 1]).max(axis=1).mean() / sitter.eyes_px)


def names_in(data: Path) -> tuple[str, ...]:
    """Every person of the folder; s2 before s10."""
    folders = [path.name for path in (data / "verify").iterdir() if path.is_dir()]
    return tuple(sorted(folders, key=lambda name: (len(name), name)))


class _Reader:
    def __init__(self, models_dir: Path) -> None:
        self._follower = Follower(models_dir)
        self._contour = Model("eye_contour", models_dir)

    def all_of(self, folder: Path) -> Iterator[tuple[geometry.Pose, Sitter]]:
        """Each photograph in which a face is found, with how the head is held."""
        for file in sorted(folder.glob("*.pgm")):
            bgr = cv2.imread(str(file))
            if bgr is None:
                continue  # not a picture, though it is called one
            rgb = np.asarray(bgr[..., ::-1], np.uint8)
            large = cv2.resize(rgb, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)
            image = np.ascontiguousarray(np.pad(large, ((RIM_PX,) * 2,) * 2 + ((0, 0),), "edge"))
            mesh = self._follower.find_one(image)
            if mesh is not None:
                pose = geometry.pose_of(mesh.points)
                photo = f"{folder.name}/{file.stem}"
                yield pose, self._sitter(folder.name, photo, rgb, image, mesh.points)

    def _sitter(self, person: str, photo: str, rgb: Image, image: Image, points: Points) -> Sitter:
        lids = _shrunk(np.array([self._lids(image, points, eye) for eye in (0, 1)]))
        own = points.copy()
        own[:, :2] = _shrunk(points[:, :2])
        own[:, 2] /= ENLARGED
        wide, high = own[:, 0].max() - own[:, 0].min(), own[:, 1].max() - own[:, 1].min()
        x, y = own[:, :2].mean(axis=0)
        head = (float(x), float(y - HAIR[2] * high), HAIR[0] * wide, HAIR[1] * high)
        return Sitter(person, photo, rgb, own.astype(np.float32), lids.astype(np.float32), head)

    def _lids(self, image: Image, points: Points, eye: int) -> Points:
        """Lid (upper, lower), 9 points from left to right: (2, 9, 2)."""
        square = geometry.eye_square(points, (geometry.RIGHT_EYE, geometry.LEFT_EYE)[eye])
        level = Square(square.x, square.y, square.side)
        cut = level.cut(image, EYE_PX)
        raw, _iris = self._contour.run(scaled(cut[:, ::-1] if eye else cut, 0.0, 1.0))
        contour = raw.reshape(-1, 3)[:16, :2].astype(np.float64)
        if eye:
            contour[:, 0] = EYE_PX - 1 - contour[:, 0]
        lines = level.to_image(contour, EYE_PX)
        order = -1 if eye else 1
        return np.array([lines[list(lid)][::order] for lid in (UPPER, LOWER)])


def _shrunk(points: Points) -> Points:
    """From the enlarged photograph with its rim to the photograph's own pixels."""
    return (points - RIM_PX + 0.5) / ENLARGED - 0.5


def who_can_play(sitters: list[Sitter], models_dir: Path) -> list[Sitter]:
    """Those whose drawn head is still read as a head in the extremes of what is asked for.

    A control of the drawing, not of the check: small photographs with thick glasses or a
    lowered gaze make lids that nobody would take for closed eyes. Depth, angles and likeness
    are not looked at. Photographs that fail here stay in the attacks made of stills.
    """
    follower, lids = Follower(models_dir), Lids(models_dir)
    return [one for one in sitters if _can_play(one, follower, lids)]


def _can_play(sitter: Sitter, follower: Follower, lids: Lids) -> bool:
    head = head_of(sitter, Shape())
    rest = head.render(Pose())
    mesh = follower.find_one(rest)
    if mesh is None:
        return False
    own = lids.opening(rest, mesh)
    shut = head.render(Pose(lids=1.0))
    blinked = follower.find_one(shut)
    if blinked is None or lids.opening(shut, blinked) > MOST_OF_SHUT_LIDS * own:
        return False
    return all(_is_seen(head, pose, follower) for pose in EXTREMES)


def _is_seen(head: Head, extreme: Pose, follower: Follower) -> bool:
    """Followed on the way from rest to the extreme and there."""
    follower.forget()
    ways = (
        Pose(part * extreme.yaw_deg, part * extreme.pitch_deg)
        for part in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    )
    return all(follower.look(head.render(way)).mesh is not None for way in ways)

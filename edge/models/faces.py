"""Faces on a picture: found by BlazeFace, then followed by the face mesh alone.

The detector runs when no face is followed, and now and then beside a followed face
to notice a second person. All points are pixels of the picture as the camera gave
it (never mirrored), so the picture's left edge is the person's own right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from edge.models.geometry import LEFT_EYE, RIGHT_EYE, eye_square, lid_opening
from edge.models.preprocess import Image, Points, Square
from edge.models.runtime import Model

MIN_DETECTION_SCORE = 0.5
MIN_PRESENCE = 0.5
NMS_OVERLAP = 0.3
DETECTOR_PX = 128
MESH_PX = 192
EYE_PX = 64
MESH_POINTS = 468
ROI_MARGIN = 1.5  # MediaPipe's: half as much again as the box, on which the mesh was trained
MIN_FACE_PX = 8.0
DETECT_EVERY = 10  # frames between two looks for a second face
MIN_TRACK_OVERLAP = 0.4  # of a face with itself one frame earlier
SAME_FACE_OVERLAP = 0.2  # of a detection with the followed face
OTHER_FACE_AREA = 0.25  # of the followed face; smaller ones stand well behind

EYE_CORNERS = (33, 263)  # outer, the person's right and left


@dataclass(frozen=True, slots=True)
class Box:
    """Edges in px."""

    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: Box) -> float:
        """Intersection over union, 0..1."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.bottom, other.bottom) - max(self.top, other.top)
        if wide <= 0 or high <= 0:
            return 0.0
        both = wide * high
        return both / (self.area + other.area - both)

    @property
    def is_one(self) -> bool:
        """Whether it has a width and a height, and every edge is a number."""
        return 0.0 < self.right - self.left < math.inf and 0.0 < self.bottom - self.top < math.inf

    @property
    def area(self) -> float:
        return (self.right - self.left) * (self.bottom - self.top)


@dataclass(frozen=True, slots=True)
class Detection:
    """`keypoints` is (6, 2): right eye, left eye, nose, mouth, right ear, left ear."""

    box: Box
    keypoints: Points
    score: float

    def roi(self) -> Square:
        box, (right, left) = self.box, self.keypoints[:2]
        side = max(box.right - box.left, box.bottom - box.top) * ROI_MARGIN
        angle = math.atan2(left[1] - right[1], left[0] - right[0])
        return Square((box.left + box.right) / 2, (box.top + box.bottom) / 2, side, angle)


def _anchors() -> Points:
    """Centres (896, 2) in 0..1: two per cell of a 16 x 16 grid, then six per cell of 8 x 8."""
    grids = []
    for cells, per_cell in ((16, 2), (8, 6)):
        ticks = (np.arange(cells) + 0.5) / cells
        grid = np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2)
        grids.append(np.repeat(grid, per_cell, axis=0))
    return np.concatenate(grids)


class Detector:
    """BlazeFace short range: faces up to about 2 m away."""

    def __init__(self, models_dir: Path) -> None:
        self._model = Model("face_detector", models_dir)
        self._model.warm_up()
        self._anchors = _anchors()

    def wipe(self) -> None:
        """Nothing of a picture stays in the network's memory."""
        self._model.warm_up()

    def find(self, image: Image) -> list[Detection]:
        """Faces on the image, the surest first."""
        height, width = image.shape[:2]
        whole = Square(width / 2, height / 2, max(width, height))
        cut = whole.cut(image, DETECTOR_PX)
        raw, logits = self._model.run_on(cut)
        scores = _sigmoid(logits[0, :, 0])
        sure = np.flatnonzero(scores >= MIN_DETECTION_SCORE)
        points = self._decode(raw[0, sure].astype(np.float64), sure)
        faces = [
            _detection(whole.to_image(face, DETECTOR_PX), float(score))
            for face, score in zip(points, scores[sure], strict=True)
        ]
        return _suppressed(faces)

    def _decode(self, raw: Points, which: npt.NDArray[np.intp]) -> Points:
        """(n, 8, 2) in px of the detector's input: two corners, then six keypoints."""
        centre = raw[:, 0:2] + self._anchors[which] * DETECTOR_PX
        half = raw[:, 2:4] / 2
        keypoints = raw[:, 4:16].reshape(-1, 6, 2) + self._anchors[which, None] * DETECTOR_PX
        corners = np.stack([centre - half, centre + half], 1)
        return np.concatenate([corners, keypoints], 1)


def _sigmoid(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    clipped = np.clip(logits.astype(np.float64), -60.0, 60.0)
    return np.asarray(1.0 / (1.0 + np.exp(-clipped)), np.float64)


def _detection(points: Points, score: float) -> Detection:
    (left, top), (right, bottom) = points[:2]
    return Detection(Box(left, top, right, bottom), points[2:], score)


def _suppressed(faces: list[Detection]) -> list[Detection]:
    """Greedy non-maximum suppression; what has no size is no face."""
    kept: list[Detection] = []
    for face in sorted((one for one in faces if one.box.is_one), key=lambda one: -one.score):
        if all(face.box.overlap(other.box) < NMS_OVERLAP for other in kept):
            kept.append(face)
    return kept


@dataclass(frozen=True, slots=True)
class Mesh:
    """`points` is (468, 3) in px of the image, z away from the camera; `presence` 0..1.

    `cut` is what the mesh was fitted on, (192, 192, 3), and `on_cut` the points there: whoever
    wants the colour of the skin or a small picture of the face need not go back to the image.
    `roi` is where to look for the same face on the next image.
    """

    points: Points = field(repr=False)
    presence: float
    box: Box
    roi: Square
    cut: Image = field(repr=False)
    on_cut: npt.NDArray[np.float32] = field(repr=False)


def _nothing(where: Square, cut: Image) -> Mesh:
    """Points that are no numbers, or all in one place: no face; the next look goes there too."""
    none = np.zeros((MESH_POINTS, 3))
    return Mesh(none, 0.0, Box(0.0, 0.0, 0.0, 0.0), where, cut, none.astype(np.float32))


def _mesh(where: Square, cut: Image, on_cut: npt.NDArray[np.float32], presence: float) -> Mesh:
    if not np.isfinite(on_cut).all():
        return _nothing(where, cut)
    points = where.to_image(on_cut.astype(np.float64), MESH_PX)
    right, left = points.take(EYE_CORNERS, 0)
    angle = math.atan2(left[1] - right[1], left[0] - right[0])
    cos, sin = math.cos(angle), math.sin(angle)
    # As they are, and turned so that the eyes are level: one row per coordinate
    rows = np.array([[1.0, 0.0], [0.0, 1.0], [cos, sin], [-sin, cos]]) @ points[:, :2].T
    left_px, top_px, *low = rows.min(1).tolist()
    right_px, bottom_px, *high = rows.max(1).tolist()
    x, y = (low[0] + high[0]) / 2, (low[1] + high[1]) / 2
    side = max(high[0] - low[0], high[1] - low[1]) * ROI_MARGIN
    if side < MIN_FACE_PX:
        return _nothing(where, cut)
    roi = Square(cos * x - sin * y, sin * x + cos * y, side, angle)
    return Mesh(points, presence, Box(left_px, top_px, right_px, bottom_px), roi, cut, on_cut)


class Mesher:
    """The 468-point face mesh."""

    def __init__(self, models_dir: Path) -> None:
        self._model = Model("face_mesh", models_dir)
        self._model.warm_up()

    def wipe(self) -> None:
        """Nothing of a picture stays in the network's memory."""
        self._model.warm_up()

    def fit(self, image: Image, roi: Square) -> Mesh:
        cut = roi.cut(image, MESH_PX)
        raw, logit = self._model.run_on(cut)
        presence = 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, logit.item()))))
        return _mesh(roi, cut, raw.reshape(MESH_POINTS, 3), presence)


class Lids:
    """How far the eyes are open, by the eye contour model: finer than the mesh's own lids."""

    def __init__(self, models_dir: Path) -> None:
        self._model = Model("eye_contour", models_dir)
        self._model.warm_up()

    def wipe(self) -> None:
        """Nothing of a picture stays in the network's memory."""
        self._model.warm_up()

    def opening(self, image: Image, mesh: Mesh) -> float:
        """Mean eye aspect ratio of both eyes. The model was made for the right eye."""
        right = eye_square(mesh.points, RIGHT_EYE).cut(image, EYE_PX)
        left = cv2.flip(eye_square(mesh.points, LEFT_EYE).cut(image, EYE_PX), 1)
        return (self._of(right) + self._of(np.asarray(left, np.uint8))) / 2

    def _of(self, eye: Image) -> float:
        contour, _iris = self._model.run_on(eye)
        return lid_opening(contour.reshape(-1, 3).astype(np.float64))


@dataclass(frozen=True, slots=True)
class Sight:
    """What one image shows. `track` is 0 without a face and new after every break."""

    mesh: Mesh | None
    track: int
    faces: int


class Follower:
    """Follows the nearest face from image to image; one detection starts it."""

    def __init__(self, models_dir: Path) -> None:
        self._detector = Detector(models_dir)
        self._mesher = Mesher(models_dir)
        self.forget()

    def forget(self) -> None:
        """Start anew: another person, another try."""
        self._mesh: Mesh | None = None
        self._track = 0
        self._tracks = 0
        self._others = 0
        self._age = 0

    def wipe(self) -> None:
        """Forget, down to the networks' memory."""
        self.forget()
        self._detector.wipe()
        self._mesher.wipe()

    def look(self, image: Image) -> Sight:
        self._follow(image)
        if self._mesh is None:
            self._start(image)
        elif self._age % DETECT_EVERY == 0:
            self._others = self._count_others(self._detector.find(image))
        self._age += 1
        faces = 0 if self._mesh is None else 1 + self._others
        return Sight(self._mesh, self._track, faces)

    def _follow(self, image: Image) -> None:
        """Fit the mesh where the face was; a jump or a faint answer ends the track."""
        before = self._mesh
        if before is None:
            return
        now = self._mesher.fit(image, before.roi)
        same = now.presence >= MIN_PRESENCE and before.box.overlap(now.box) >= MIN_TRACK_OVERLAP
        self._mesh, self._track = (now, self._track) if same else (None, 0)

    def _start(self, image: Image) -> None:
        found = self._detector.find(image)
        mesh = self._settled(image, found)
        if mesh is not None:
            self._tracks += 1
            self._mesh, self._track, self._age = mesh, self._tracks, 0
            self._others = self._count_others(found)

    def find_one(self, image: Image) -> Mesh | None:
        """The nearest face of a single picture; the track is left as it is."""
        return self._settled(image, self._detector.find(image))

    def _settled(self, image: Image, found: list[Detection]) -> Mesh | None:
        """Fit three times: from the box of a detection the mesh still moves by degrees."""
        if not found:
            return None
        nearest = max(found, key=lambda face: face.box.area)
        mesh = self._mesher.fit(image, nearest.roi())
        for _ in range(2):
            mesh = self._mesher.fit(image, mesh.roi)
        return mesh if mesh.presence >= MIN_PRESENCE else None

    def _count_others(self, found: list[Detection]) -> int:
        """Faces besides the followed one, passers-by far behind left out."""
        if self._mesh is None:
            return 0
        box = self._mesh.box
        others = [face for face in found if face.box.overlap(box) < SAME_FACE_OVERLAP]
        return sum(face.box.area >= OTHER_FACE_AREA * box.area for face in others)

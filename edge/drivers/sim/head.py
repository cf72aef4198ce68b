"""A head that turns, nods, blinks and opens its mouth, made of one frontal portrait.

The portrait is laid on a relief: the 468 face landmarks give its depth inside
the face, outside it falls back to the middle of the head at the outline of
hair or hat; from there on the movement fades out, so that shoulders and room
stay where they are. Turning the relief gives, for each output pixel, the place
in the portrait it comes from. These fields are computed once for a row of
angles and blended while running; lids and lips move on the portrait itself
before it is laid on the relief.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from edge.drivers.sim.lids_and_lips import blinking, speaking, without_eyes
from edge.drivers.sim.portrait import (
    LEFT_CHEEK,
    RIGHT_CHEEK,
    Floats,
    PortraitSpec,
    Rgb,
    placed,
    read_landmarks,
    read_lids,
)

EYES_PX = 96.0  # distance of the eyes' centres in a picture 640 wide
CELL_PX = 5  # of the grid that carries the relief
DEPTH_CELL_PX = 10  # depth is worked out on a coarser one: it is smooth
SOFTNESS_PX = 9.0  # steps in depth are rounded off this far
MAP_STEP = 2  # fields are computed for every second pixel
STEP_DEG = 8.0  # between two computed fields
YAW_LIMIT_DEG = 40.0
PITCH_LIMIT_DEG = 32.0
PIVOT = 0.42  # behind the landmarks' zero, in face widths
OUTLINE_DEPTH = 0.5  # the same, of the outline of hair or hat
EYE_DISTANCE = 4.5  # of the camera, in face widths
RIM = 1.08  # of the face's reach: up to here the edge of the face keeps its depth
YAWS_DEG = np.arange(-YAW_LIMIT_DEG, YAW_LIMIT_DEG + STEP_DEG / 2, STEP_DEG).tolist()
PITCHES_DEG = np.arange(-PITCH_LIMIT_DEG, PITCH_LIMIT_DEG + STEP_DEG / 2, STEP_DEG).tolist()
ANGLES = np.linspace(-np.pi, np.pi, 361)
LEVELS = 9  # of lids and lips, from shut to open


@dataclass(frozen=True, slots=True)
class Pose:
    """Angles in degrees; positive yaw turns to the picture's right, positive pitch is up.

    `lids` and `mouth` run from 0 (as in the portrait) to 1 (shut, or wide open).
    """

    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    lids: float = 0.0
    mouth: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """The portrait cut to the picture's size; lengths in its pixels."""

    rgb: Rgb
    points: Floats  # 468 x 3
    lids: Floats  # 2 x 2 x 9 x 2, see `read_lids`
    centre: tuple[float, float]  # of the head's outline
    radii: tuple[float, float]

    @property
    def face_px(self) -> float:
        return float(self.points[RIGHT_CHEEK, 0] - self.points[LEFT_CHEEK, 0])


def cut_scene(spec: PortraitSpec, size: tuple[int, int]) -> Scene:
    """Scale the portrait so that the eyes lie `EYES_PX` apart; the face is below the middle."""
    points = read_landmarks(spec)
    eyes = np.linalg.norm(points[[33, 133], :2].mean(0) - points[[362, 263], :2].mean(0))
    scale = EYES_PX * size[0] / 640 / float(eyes)
    x, y = points[:, :2].mean(axis=0)
    shift = np.array([size[0] / 2 - scale * x, size[1] * 0.53 - scale * y])
    place = np.c_[np.eye(2) * scale, shift]
    rgb = placed(spec, place, size)
    moved = points * scale
    moved[:, :2] += shift.astype(np.float32)
    hx, hy, rx, ry = spec.head
    centre = (scale * hx + float(shift[0]), scale * hy + float(shift[1]))
    lids = read_lids(spec) * scale + shift.astype(np.float32)
    return Scene(rgb, moved, lids, centre, (rx * scale, ry * scale))


class Head:
    """Pictures of one person's head in any `Pose`; `size` is width and height in pixels."""

    def __init__(self, who: PortraitSpec | Scene, size: tuple[int, int] = (640, 480)) -> None:
        scene = who if isinstance(who, Scene) else cut_scene(who, size)
        relief = Relief(scene)
        fields = [*relief.yaw_fields(), *relief.pitch_fields()]
        part = _moving_part(fields)
        self._part = _times(part, MAP_STEP)  # all else stays as it is in every pose
        self._inner = _without_rim(self._part)
        cropped = [np.ascontiguousarray(field[part]) for field in fields]
        self._yaw, self._pitch = cropped[: len(YAWS_DEG)], cropped[len(YAWS_DEG) :]
        steps = np.linspace(0, 1, LEVELS)
        skin = without_eyes(scene.rgb, scene.points, scene.lids)
        lids = [blinking(scene.rgb, skin, scene.lids, float(s)) for s in steps]
        mouth = [speaking(scene.rgb, scene.points, float(s)) for s in steps]
        self._lids, self._mouth = (list(map(_with_fourth, row)) for row in (lids, mouth))
        self._rest = _centres(part)

    def render(self, pose: Pose) -> Rgb:
        """height x width x 3."""
        move = _between(self._yaw, pose.yaw_deg, YAW_LIMIT_DEG)
        move += _between(self._pitch, pose.pitch_deg, PITCH_LIMIT_DEG)
        move += self._rest
        high, wide = self._rest.shape[:2]
        field = cv2.resize(move, (wide * MAP_STEP, high * MAP_STEP))[1:-1, 1:-1]
        skin = self._skin(pose)
        picture = cv2.cvtColor(skin, cv2.COLOR_RGBA2RGB)
        moved = cv2.remap(skin, field, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        picture[self._inner] = cv2.cvtColor(moved, cv2.COLOR_RGBA2RGB)
        return np.asarray(picture, np.uint8)

    def _skin(self, pose: Pose) -> Rgb:
        row, amount = (self._mouth, pose.mouth) if pose.mouth > 0 else (self._lids, pose.lids)
        return row[round(min(1.0, max(0.0, amount)) * (LEVELS - 1))]


def _with_fourth(rgb: Rgb) -> Rgb:
    """OpenCV draws four channels twice as fast as three, to the same values."""
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2RGBA), np.uint8)


@lru_cache(maxsize=4)
def head_of(spec: PortraitSpec, size: tuple[int, int]) -> Head:
    """Heads take most of a second to prepare; each is prepared once."""
    return Head(spec, size)


def _between(row: list[Floats], angle_deg: float, limit_deg: float) -> Floats:
    """Blend the two computed fields next to `angle_deg`."""
    place = (min(limit_deg, max(-limit_deg, angle_deg)) + limit_deg) / STEP_DEG
    low = min(int(place), len(row) - 2)
    return np.asarray(cv2.addWeighted(row[low], 1 - (place - low), row[low + 1], place - low, 0))


Part = tuple[slice, slice]


def _moving_part(fields: list[Floats]) -> Part:
    """Rows and columns outside which no field moves anything, and a rim of two more where the
    picture has them."""
    moves = np.any([field.any(axis=2) for field in fields], axis=0)
    rows, columns = np.flatnonzero(moves.any(axis=1)), np.flatnonzero(moves.any(axis=0))
    high, wide = moves.shape
    return (
        slice(max(0, int(rows[0]) - 2), min(high, int(rows[-1]) + 3)),
        slice(max(0, int(columns[0]) - 2), min(wide, int(columns[-1]) + 3)),
    )


def _times(part: Part, factor: int) -> Part:
    rows, columns = (slice(one.start * factor, one.stop * factor) for one in part)
    return rows, columns


def _without_rim(part: Part) -> Part:
    rows, columns = (slice(one.start + 1, one.stop - 1) for one in part)
    return rows, columns


def _centres(part: Part) -> Floats:
    """Where in the picture the middle of each cell lies that the fields are computed for."""
    rows, columns = part
    x, y = np.meshgrid(np.arange(columns.start, columns.stop), np.arange(rows.start, rows.stop))
    return (np.dstack([x, y]) * MAP_STEP + (MAP_STEP - 1) / 2).astype(np.float32)


class Relief:
    """The scene as a grid with depth, cut into triangles."""

    def __init__(self, scene: Scene) -> None:
        height, width = scene.rgb.shape[:2]
        self._scene = scene
        self._map_size = (width // MAP_STEP, height // MAP_STEP)
        xs = np.linspace(0, width, width // CELL_PX + 1)
        ys = np.linspace(0, height, height // CELL_PX + 1)
        gx, gy = np.meshgrid(xs, ys)
        self._flat = np.c_[gx.ravel(), gy.ravel()]
        outline = Outline.of(scene)
        relief = _depth_on(scene, outline, xs, ys)
        self._depth = cv2.GaussianBlur(relief, (0, 0), SOFTNESS_PX / CELL_PX).ravel()
        self._weight = outline.weight(self._flat)
        self._triangles = _triangles(len(xs), len(ys), self._weight > 0)

    def yaw_fields(self) -> list[Floats]:
        """Displacements from one limit to the other in steps of `STEP_DEG`."""
        return [self.field(angle, 0.0) for angle in YAWS_DEG]

    def pitch_fields(self) -> list[Floats]:
        return [self.field(0.0, angle) for angle in PITCHES_DEG]

    def field(self, yaw_deg: float, pitch_deg: float) -> Floats:
        """For each second output pixel, how far away in the portrait its colour lies."""
        moved, near = self._project(yaw_deg, pitch_deg)
        owner = self._draw(moved, near)
        back = self._inverse(moved)
        width, height = self._map_size
        centre = (np.indices((height, width)).astype(np.float32) * MAP_STEP) + (MAP_STEP - 1) / 2
        y, x = centre
        a = back[owner]  # height x width x 2 x 3
        field = a[..., 0] * x[..., None] + a[..., 1] * y[..., None] + a[..., 2]
        field -= np.dstack([x, y])
        return np.where(owner[..., None] < 0, 0, field).astype(np.float32)

    def _project(self, yaw_deg: float, pitch_deg: float) -> tuple[Floats, Floats]:
        scene, face = self._scene, self._scene.face_px
        pivot = np.array([*scene.points[:, :2].mean(axis=0), PIVOT * face])
        solid = np.c_[self._flat, self._depth]
        turned = (solid - pivot) @ rotation(yaw_deg, pitch_deg).T + pivot
        shift = _seen(turned, pivot, face) - _seen(solid, pivot, face)
        moved = self._flat + shift * self._weight[:, None]
        return moved.astype(np.float32), turned[:, 2].astype(np.float32)

    def _draw(self, moved: Floats, near: Floats) -> npt.NDArray[np.int32]:
        """Which triangle each output pixel shows, -1 for none; the farthest are drawn first."""
        width, height = self._map_size
        owner = np.full((height, width), -1, dtype=np.int32)
        depth = near[self._triangles].mean(axis=1)
        fixed = np.round(((moved - (MAP_STEP - 1) / 2) / MAP_STEP) * 16).astype(np.int32)
        order = np.argsort(-depth)
        for i, corners in zip(order.tolist(), fixed[self._triangles[order]], strict=True):
            cv2.fillConvexPoly(owner, corners, i, cv2.LINE_8, 4)
        return owner

    def _inverse(self, moved: Floats) -> Floats:
        """Per triangle the affine map (2 x 3) from output pixels back to the portrait."""
        out, source = moved[self._triangles].astype(np.float64), self._flat[self._triangles]
        (ax, ay), (bx, by) = ((out[:, corner] - out[:, 0]).T for corner in (1, 2))
        area = ax * by - ay * bx
        area[np.abs(area) < 1e-3] = np.inf  # too thin to be seen: all of it shows one place
        along, across = (
            np.stack([by, -bx], 1) / area[:, None],
            np.stack([-ay, ax], 1) / area[:, None],
        )
        one, other = source[:, 1] - source[:, 0], source[:, 2] - source[:, 0]
        turn = one[:, :, None] * along[:, None] + other[:, :, None] * across[:, None]
        shift = source[:, 0] - np.einsum("nij,nj->ni", turn, out[:, 0])
        return np.concatenate([turn, shift[..., None]], 2).astype(np.float32)


def rotation(yaw_deg: float, pitch_deg: float) -> npt.NDArray[np.float64]:
    """x right, y down, z away from the camera; the nose points along -z."""
    a, b = np.radians(-yaw_deg), np.radians(pitch_deg)
    yaw = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    pitch = np.array([[1, 0, 0], [0, np.cos(b), np.sin(b)], [0, -np.sin(b), np.cos(b)]])
    return np.asarray(yaw @ pitch)


def _seen(
    solid: npt.NDArray[np.float64], pivot: npt.NDArray[np.float64], face_px: float
) -> npt.NDArray[np.float64]:
    """Perspective about the pivot's axis; the plane z = 0 keeps its size."""
    away = EYE_DISTANCE * face_px
    return np.asarray(pivot[:2] + (solid[:, :2] - pivot[:2]) * (away / (away + solid[:, 2:])))


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """Seen from the middle of the face, how far face and head reach, per direction.

    Each field holds one length in pixels per `ANGLES`; between `inner` and
    `outer` the movement fades out.
    """

    middle: npt.NDArray[np.float64]
    face: npt.NDArray[np.float64]
    inner: npt.NDArray[np.float64]
    outer: npt.NDArray[np.float64]

    @classmethod
    def of(cls, scene: Scene) -> Outline:
        middle = scene.points[:, :2].mean(axis=0).astype(np.float64)
        face = _reach(_hull(scene.points[:, :2]) - middle)
        ring = np.c_[np.cos(ANGLES), np.sin(ANGLES)] * scene.radii + scene.centre
        head = _reach(ring - middle)
        inner = _smooth(np.maximum(face * RIM, head * 0.72))
        return cls(middle, face, inner, np.maximum(_smooth(head * 1.04), inner * 1.3))

    def weight(self, flat: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """1 where everything turns with the head, 0 where nothing does."""
        away = flat - self.middle
        angle, reach = np.arctan2(away[:, 1], away[:, 0]), np.hypot(*away.T)
        inner, outer = (np.interp(angle, ANGLES, r) for r in (self.inner, self.outer))
        fade = np.clip((outer - reach) / (outer - inner), 0, 1)
        return np.asarray(fade * fade * (3 - 2 * fade))

    def ring(self, reach: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Points (n x 2) at that reach, in every tenth direction."""
        way = np.c_[np.cos(ANGLES), np.sin(ANGLES)] * reach[:, None]
        return np.asarray((way + self.middle)[::10])


def _hull(points: Floats) -> npt.NDArray[np.float64]:
    """The hull with points close to each other along its sides."""
    hull = cv2.convexHull(points.astype(np.float32))[:, 0].astype(np.float64)
    along = np.linspace(0, 1, 20, endpoint=False)[:, None, None]
    return np.asarray((hull * (1 - along) + np.roll(hull, -1, 0) * along).reshape(-1, 2))


def _reach(away: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return _by_angle(away, np.hypot(*away.T))


def _by_angle(
    away: npt.NDArray[np.float64], values: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """One value per `ANGLES` out of values at points round the middle."""
    return np.interp(ANGLES, np.arctan2(away[:, 1], away[:, 0]), values, period=2 * np.pi)


def _smooth(reach: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Round off corners: mean over 40 degrees."""
    wide = np.concatenate([reach[-41:-1], reach, reach[1:41]])
    return np.convolve(wide, np.ones(41) / 41, "same")[40:-40]


def _depth_on(
    scene: Scene, outline: Outline, xs: npt.NDArray[np.float64], ys: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Depth at every x and y, len(ys) x len(xs), linear between coarser points."""
    few_x = np.linspace(xs[0], xs[-1], round(xs[-1] / DEPTH_CELL_PX) + 1)
    few_y = np.linspace(ys[0], ys[-1], round(ys[-1] / DEPTH_CELL_PX) + 1)
    gx, gy = np.meshgrid(few_x, few_y)
    few = _depth(scene, outline, np.c_[gx.ravel(), gy.ravel()]).reshape(gx.shape)
    return np.asarray(_between_points(few_y, ys) @ few @ _between_points(few_x, xs).T)


def _between_points(
    few: npt.NDArray[np.float64], many: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Weights (many x few) of linear interpolation."""
    return np.array([np.interp(many, few, unit) for unit in np.eye(len(few))]).T


def _depth(
    scene: Scene, outline: Outline, flat: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Depth over the whole picture: a thin plate through landmarks, their rim and the outline."""
    behind = OUTLINE_DEPTH * scene.face_px
    solid = scene.points.astype(np.float64)
    edge = cv2.convexHull(scene.points[:, :2].astype(np.float32), returnPoints=False)[:, 0]
    rim = _smooth(_by_angle(solid[edge, :2] - outline.middle, solid[edge, 2]))[::10]
    inside = np.delete(solid, edge, axis=0)
    far = np.concatenate([outline.ring(outline.outer), outline.ring(outline.outer * 1.4)])
    edges = [outline.ring(outline.face * f) for f in (1.0, RIM)]
    knots = np.concatenate([inside[:, :2], *edges, far])
    heights = np.concatenate([inside[:, 2], rim, rim, np.full(len(far), behind)])
    return np.minimum(thin_plate(knots, heights, flat), behind)


def thin_plate(
    knots: npt.NDArray[np.float64], values: npt.NDArray[np.float64], at: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Smooth surface through `values` at `knots` (n x 2), read at the points `at` (m x 2)."""
    n = len(knots)
    plane = np.c_[np.ones(n), knots]
    left = np.zeros((n + 3, n + 3))
    left[:n, :n] = _bend(knots, knots) + np.eye(n) * 1.0
    left[:n, n:], left[n:, :n] = plane, plane.T
    weights = np.linalg.solve(left, np.concatenate([values, np.zeros(3)]))
    return np.asarray(_bend(at, knots) @ weights[:n] + np.c_[np.ones(len(at)), at] @ weights[n:])


def _bend(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    squared = np.square(a[:, :1] - b[:, 0]) + np.square(a[:, 1:] - b[:, 1])
    return np.asarray(0.5 * squared * np.log(squared + 1e-9))


def _triangles(columns: int, rows: int, moves: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Two triangles per cell that has a moving corner."""
    index = np.arange(columns * rows).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    both = np.concatenate(
        [np.stack([a, b, c], 2).reshape(-1, 3), np.stack([b, d, c], 2).reshape(-1, 3)]
    )
    return np.asarray(both[moves[both].any(axis=1)])

"""Paper and screens in space: flat or bent round a cylinder, seen through a pinhole."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge.drivers.sim.head import rotation
from edge.drivers.sim.portrait import Rgb
from edge.evaluate.scenes.bodies import Rng, Tilt
from edge.evaluate.scenes.sitters import SIZE, Sitter, laid_out

Matrix = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
FACE_PX = 210.0  # on the sheet, cheek to cheek
SHEET_PX = (420, 520)
WALL_PX = (1000, 900)  # a poster larger than any view of it: no edge is ever seen
RAYS_EVERY_PX = 4
PAPER = (244, 243, 238)
CASE = (18, 18, 20)


@dataclass(frozen=True, eq=False)
class Sheet:
    """A picture on paper or on a screen; lengths of the face in its pixels."""

    rgb: Rgb = field(repr=False)
    eyes_px: float
    face_px: float

    @cached_property
    def four(self) -> Rgb:
        """With a fourth channel: OpenCV warps four faster than three, to the same values.

        The fourth is 255, and 0 on the outermost pixels: half of it or more is on the sheet.
        """
        four = cv2.cvtColor(self.rgb, cv2.COLOR_RGB2RGBA)
        four[[0, -1], :, 3] = 0
        four[:, [0, -1], 3] = 0
        return np.asarray(four, np.uint8)


def printed(sitter: Sitter, rng: Rng, *, edge: bool) -> Sheet:
    """On paper, through JPEG and a printer; with a white rim if its edge is to be seen."""
    laid = on_sheet(sitter, edge=edge)
    return Sheet(on_paper(laid.rgb, rng, edge=edge), laid.eyes_px, laid.face_px)


def on_paper(rgb: Rgb, rng: Rng, *, edge: bool) -> Rgb:
    rgb = _jpeg(rgb, int(rng.integers(35, 96)))
    rgb = _toned(rgb, contrast=rng.uniform(0.7, 1.0), lift=rng.uniform(5.0, 40.0))
    if edge:
        rim = int(rng.integers(6, 26))
        cv2.rectangle(rgb, (0, 0), (rgb.shape[1] - 1, rgb.shape[0] - 1), PAPER, rim)
    return rgb


def displayed(sitter: Sitter, rng: Rng, *, edge: bool) -> Sheet:
    """On a screen: JPEG, its own pixels (moire once a camera looks at them), bezel, bluish."""
    laid = on_sheet(sitter, edge=edge)
    return Sheet(on_screen(laid.rgb, rng, edge=edge), laid.eyes_px, laid.face_px)


def on_screen(rgb: Rgb, rng: Rng, *, edge: bool) -> Rgb:
    rgb = _jpeg(rgb, int(rng.integers(35, 96)))
    rgb = pixelled(rgb, screen_grid(rgb.shape[1], rgb.shape[0], rng))
    if edge:
        rim = int(rng.integers(8, 34))
        cv2.rectangle(rgb, (0, 0), (rgb.shape[1] - 1, rgb.shape[0] - 1), CASE, rim)
    return rgb


@lru_cache(maxsize=64)
def on_sheet(sitter: Sitter, *, edge: bool) -> Sitter:
    """The photograph as large as the sheet is; without an edge it fills every view."""
    return laid_out(sitter, SHEET_PX if edge else WALL_PX, FACE_PX / sitter.face_px, 0.52)


def _jpeg(rgb: Rgb, quality: int) -> Rgb:
    _, data = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    bgr = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return np.ascontiguousarray(np.asarray(bgr, np.uint8)[..., ::-1])


def _toned(rgb: Rgb, contrast: float, lift: float) -> Rgb:
    return np.asarray(cv2.convertScaleAbs(rgb, alpha=contrast, beta=lift), np.uint8)


def screen_grid(width: int, height: int, rng: Rng) -> Rgb:
    """Brightness of a screen's dots, 0..255: columns of red, green and blue, dark rows between."""
    period, depth = rng.uniform(2.1, 3.4), rng.uniform(0.06, 0.3)
    x = np.arange(width)[None, :, None] * 2 * math.pi / period
    y = np.arange(height)[:, None, None] * 2 * math.pi / period
    colour = x + np.array([0.0, 2.1, 4.2])
    white = np.array([0.95, 0.98, 1.0]) * 255
    columns = white * (1 - depth * 0.6 * (0.5 + 0.5 * np.cos(colour)))
    rows = white * (depth * 0.4 * (0.5 + 0.5 * np.cos(y)))
    return np.asarray(columns.astype(np.float32) - rows.astype(np.float32)).astype(np.uint8)


def pixelled(rgb: Rgb, grid: Rgb) -> Rgb:
    return np.asarray(cv2.multiply(rgb, grid, scale=1 / 255), np.uint8)


@dataclass(frozen=True, slots=True)
class View:
    """Where the camera is: the eyes of an untilted sheet are `eyes_px` apart."""

    eyes_px: float
    focal_px: float
    light: float = 1.0


def on_room(sheet: Sheet, room: Rgb, view: View, tilt: Tilt) -> Rgb:
    """The flat sheet, tilted, before the room."""
    place = _plane(sheet, view, tilt)
    height, width = sheet.rgb.shape[:2]
    corners = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float64)
    outline = cv2.perspectiveTransform(corners, place)[0]
    part = _about(outline)
    if part is None:
        return room
    left, top, wide, high = part
    here = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1.0]])
    seen = cv2.warpPerspective(sheet.four, here @ place, (wide, high), flags=cv2.INTER_LINEAR)
    solid = np.zeros((high, wide), np.uint8)
    fine = 4  # bits of sub-pixel drawing
    shape = np.round((outline - [left, top]) * 2**fine).astype(np.int32)
    cv2.fillConvexPoly(solid, shape, 255, cv2.LINE_8, fine)
    return _laid_over(room, seen, solid, (left, top), _shade(view, tilt))


def _about(outline: Matrix) -> tuple[int, int, int, int] | None:
    """Left, top, width and height of the part of the picture that the outline lies in."""
    x, y, wide, high = cv2.boundingRect(outline.astype(np.float32))
    left, top = max(0, x - 1), max(0, y - 1)
    right, bottom = min(SIZE[0], x + wide + 1), min(SIZE[1], y + high + 1)
    return (left, top, right - left, bottom - top) if left < right and top < bottom else None


def _shade(view: View, tilt: Tilt) -> float:
    """A tilted sheet gets less light from ahead and, tilted up, more from the ceiling."""
    lean = 1 - 0.1 * abs(math.sin(math.radians(tilt.yaw_deg)))
    return view.light * (lean + 0.12 * math.sin(math.radians(tilt.pitch_deg)))


def _laid_over(
    room: Rgb, seen: Rgb, solid: npt.NDArray[np.uint8], corner: tuple[int, int], light: float
) -> Rgb:
    """The room with what is `seen` of a sheet, four channels, where it is `solid`, from `corner`
    (left, top) on."""
    (left, top), (high, wide) = corner, solid.shape
    lit = cv2.convertScaleAbs(cv2.cvtColor(seen, cv2.COLOR_RGBA2RGB), alpha=light)
    if solid.shape == room.shape[:2] and cv2.countNonZero(solid) == solid.size:
        return np.asarray(lit, np.uint8)
    picture = room.copy()
    cv2.copyTo(lit, solid, picture[top : top + high, left : left + wide])
    return picture


def _away(sheet: Sheet, view: View, tilt: Tilt) -> float:
    """Distance of the sheet's middle from the pinhole, in px of the sheet."""
    return view.focal_px * sheet.eyes_px / (view.eyes_px * tilt.nearer)


def _turn(tilt: Tilt) -> Matrix:
    roll = math.radians(tilt.roll_deg)
    cos, sin = math.cos(roll), math.sin(roll)
    return np.asarray(
        np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
        @ rotation(tilt.yaw_deg, tilt.pitch_deg)
    )


def _middle(view: View, tilt: Tilt, away: float) -> Matrix:
    """Of the sheet, in space."""
    return np.array([tilt.right, tilt.down, 0.0]) * SIZE[0] * away / view.focal_px + [0, 0, away]


def _plane(sheet: Sheet, view: View, tilt: Tilt) -> Matrix:
    """Homography from the sheet's pixels to the picture's."""
    height, width = sheet.rgb.shape[:2]
    away, focal = _away(sheet, view, tilt), view.focal_px
    centred = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1.0]])
    solid = _turn(tilt)[:, :2] @ centred[:2]
    solid[:, 2] += _middle(view, tilt, away)
    lens = np.array([[focal, 0, SIZE[0] / 2], [0, focal, SIZE[1] / 2], [0, 0, 1]])
    return np.asarray(lens @ solid)


@dataclass(frozen=True, slots=True)
class Bend:
    """Round a cylinder: its radius in face widths, its axis in degrees from upright."""

    radius: float
    axis_deg: float


def bent_on_room(sheet: Sheet, room: Rgb, view: View, tilt: Tilt, bend: Bend) -> Rgb:
    """The sheet, bent with its middle towards the camera and tilted, before the room."""
    across, along, hit = _hits(sheet, view, tilt, bend)
    height, width = sheet.rgb.shape[:2]
    on = hit & (across > 0) & (across < width) & (along > 0) & (along < height)
    part = _cells_about(on)
    if part is None:
        return room
    rows, columns = part
    x, y = _each_pixel(across[part]), _each_pixel(along[part])
    seen = cv2.remap(sheet.four, x, y, cv2.INTER_LINEAR)
    solid = cv2.threshold(cv2.extractChannel(seen, 3), 127, 255, cv2.THRESH_BINARY)[1]
    if not hit[part].all():
        near = _each_pixel(hit[part].astype(np.uint8) * 255)
        solid = cv2.bitwise_and(solid, cv2.threshold(near, 127, 255, cv2.THRESH_BINARY)[1])
    corner = columns.start * RAYS_EVERY_PX, rows.start * RAYS_EVERY_PX
    return _laid_over(room, seen, np.asarray(solid, np.uint8), corner, _shade(view, tilt))


def _cells_about(on: npt.NDArray[np.bool_]) -> tuple[slice, slice] | None:
    """Rows and columns of the grid that have any, with a rim of one more."""
    rows, columns = np.flatnonzero(on.any(axis=1)), np.flatnonzero(on.any(axis=0))
    if not rows.size:
        return None
    top, left = max(0, int(rows[0]) - 1), max(0, int(columns[0]) - 1)
    return np.s_[top : int(rows[-1]) + 2, left : int(columns[-1]) + 2]


def _each_pixel(cells: npt.NDArray[Any]) -> npt.NDArray[Any]:
    size = cells.shape[1] * RAYS_EVERY_PX, cells.shape[0] * RAYS_EVERY_PX
    return np.asarray(cv2.resize(np.ascontiguousarray(cells), size))


def _hits(
    sheet: Sheet, view: View, tilt: Tilt, bend: Bend
) -> tuple[Singles, Singles, npt.NDArray[np.bool_]]:
    """For every fourth pixel, where its ray meets the sheet (sheet px), and whether it does.

    In the sheet's own frame, axis along `v`: the ray o + t d meets x^2 + (z - r)^2 = r^2
    first at the smaller t.
    """
    axis = math.radians(bend.axis_deg)
    own = np.array(
        [[math.cos(axis), math.sin(axis), 0], [-math.sin(axis), math.cos(axis), 0], [0, 0, 1]]
    )
    into = own @ _turn(tilt).T
    ox, ov, oz = (into @ -_middle(view, tilt, _away(sheet, view, tilt))).tolist()
    dx, dv, dz = into.astype(np.float32) @ _rays(view.focal_px)
    r = bend.radius * sheet.face_px
    a = dx * dx + dz * dz
    half = ox * dx + (oz - r) * dz
    under = half * half - a * (ox**2 + (oz - r) ** 2 - r**2)
    t = (-half - np.sqrt(np.maximum(under, 0))) / a
    u, v = r * np.arctan2(ox + t * dx, r - oz - t * dz), ov + t * dv
    height, width = sheet.rgb.shape[:2]
    (cos, sin), (less_sin, also_cos) = own[:2, :2].tolist()
    across = cos * u + less_sin * v + width / 2
    along = sin * u + also_cos * v + height / 2
    return across.reshape(_GRID), along.reshape(_GRID), (under > 0).reshape(_GRID)


_GRID = (SIZE[1] // RAYS_EVERY_PX, SIZE[0] // RAYS_EVERY_PX)


@lru_cache(maxsize=1)
def _rays(focal_px: float) -> Singles:
    """Directions (3, n) through the middle of every fourth pixel's cell."""
    y, x = (np.indices(_GRID) + 0.5) * RAYS_EVERY_PX
    ones = np.full(x.size, focal_px)
    rays = np.stack([x.ravel() - SIZE[0] / 2, y.ravel() - SIZE[1] / 2, ones]) / focal_px
    return rays.astype(np.float32)

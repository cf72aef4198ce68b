"""Paper and screens in space: flat or bent round a cylinder, seen through a pinhole."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from edge.drivers.sim.head import rotation
from edge.drivers.sim.portrait import Rgb
from edge.evaluate.scenes.bodies import Rng, Tilt
from edge.evaluate.scenes.sitters import SIZE, Sitter, laid_out

Matrix = npt.NDArray[np.float64]
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
        """With a fourth channel: OpenCV warps four faster than three, to the same values."""
        return np.asarray(cv2.cvtColor(self.rgb, cv2.COLOR_RGB2RGBA), np.uint8)


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
    grid = 1 - depth * (0.6 * (0.5 + 0.5 * np.cos(colour)) + 0.4 * (0.5 + 0.5 * np.cos(y)))
    grid = grid * np.array([0.95, 0.98, 1.0])
    return np.asarray(grid * 255, np.uint8)


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
    four = cv2.warpPerspective(sheet.four, place, SIZE, flags=cv2.INTER_LINEAR)
    seen = np.asarray(cv2.cvtColor(four, cv2.COLOR_RGBA2RGB), np.uint8)
    height, width = sheet.rgb.shape[:2]
    corners = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float64)
    outline = cv2.perspectiveTransform(corners, place)[0]
    solid = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    fine = 4  # bits of sub-pixel drawing
    cv2.fillConvexPoly(solid, np.round(outline * 2**fine).astype(np.int32), 255, cv2.LINE_8, fine)
    return _laid_over(room, seen, solid, _shade(view, tilt))


def _shade(view: View, tilt: Tilt) -> float:
    """A tilted sheet gets less light from ahead and, tilted up, more from the ceiling."""
    lean = 1 - 0.1 * abs(math.sin(math.radians(tilt.yaw_deg)))
    return view.light * (lean + 0.12 * math.sin(math.radians(tilt.pitch_deg)))


def _laid_over(room: Rgb, seen: Rgb, solid: npt.NDArray[np.uint8], light: float) -> Rgb:
    lit = cv2.convertScaleAbs(seen, alpha=light)
    return np.asarray(cv2.copyTo(lit, cv2.inRange(solid, 128, 255), room.copy()), np.uint8)


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
    x, y = (cv2.resize(one, SIZE, interpolation=cv2.INTER_LINEAR) for one in (across, along))
    seen = cv2.remap(sheet.rgb, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    height, width = sheet.rgb.shape[:2]
    inside = (
        cv2.inRange(values, 0.0, most) for values, most in ((x, width - 1e-3), (y, height - 1e-3))
    )
    hits = cv2.inRange(cv2.resize(hit, SIZE), 0.5, 2.0)
    solid = np.asarray(cv2.bitwise_and(cv2.bitwise_and(*inside), hits), np.uint8)
    return _laid_over(room, seen, solid, _shade(view, tilt))


def _hits(
    sheet: Sheet, view: View, tilt: Tilt, bend: Bend
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """For every fourth pixel, where its ray meets the sheet (sheet px), and whether it does.

    In the sheet's own frame, axis along `v`: the ray o + t d meets x^2 + (z - r)^2 = r^2
    first at the smaller t.
    """
    axis = math.radians(bend.axis_deg)
    own = np.array(
        [[math.cos(axis), math.sin(axis), 0], [-math.sin(axis), math.cos(axis), 0], [0, 0, 1]]
    )
    into = own @ _turn(tilt).T
    start = into @ -_middle(view, tilt, _away(sheet, view, tilt))
    d = into @ _rays(view.focal_px)
    r = bend.radius * sheet.face_px
    a = d[0] ** 2 + d[2] ** 2
    half = start[0] * d[0] + (start[2] - r) * d[2]
    under = half**2 - a * (start[0] ** 2 + (start[2] - r) ** 2 - r**2)
    t = (-half - np.sqrt(np.maximum(under, 0))) / a
    x, v, z = (start[:, None] + t * d).reshape(3, *_GRID)
    u = r * np.arctan2(x, r - z)
    height, width = sheet.rgb.shape[:2]
    across = own[0, 0] * u + own[1, 0] * v + width / 2
    along = own[0, 1] * u + own[1, 1] * v + height / 2
    hit = (under > 0).reshape(_GRID)
    return across.astype(np.float32), along.astype(np.float32), hit.astype(np.float32)


_GRID = (SIZE[1] // RAYS_EVERY_PX, SIZE[0] // RAYS_EVERY_PX)


def _rays(focal_px: float) -> Matrix:
    """Directions (3, n) through the middle of every fourth pixel's cell."""
    y, x = (np.indices(_GRID) + 0.5) * RAYS_EVERY_PX
    ones = np.full(x.size, focal_px)
    return np.stack([x.ravel() - SIZE[0] / 2, y.ravel() - SIZE[1] / 2, ones]) / focal_px

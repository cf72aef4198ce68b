"""Closes the eyes and opens the mouth of a frontal portrait.

Both work column by column: skin above a moved edge is stretched, skin below
it is squeezed, and what lies between parted lips is painted dark.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edge.drivers.sim.portrait import LEFT_CHEEK, RIGHT_CHEEK, Floats, Rgb

Column = npt.NDArray[np.float64]
"""One number per column of the picture."""

# Numbers of landmarks, from the picture's left to its right.
EYES = (
    ((33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133)),
    ((362, 398, 384, 385, 386, 387, 388, 466, 263), (362, 382, 381, 380, 374, 373, 390, 249, 263)),
)
UPPER_LIP = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LOWER_LIP = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
JAW = (172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397)
NOSE_BASE = 2

LASHES = 0.16  # of the eye's height: how far the dark edge reaches below the upper lid's line
LID_SKIN = 1.0  # of the eye's height: skin above the eye that is stretched over it
LID_SKIN_BEHIND_GLASSES = 0.55
MOUTH_DROP = 0.17  # of the face's width, lower lip
UPPER_LIP_RISE = 0.1  # of the drop
CHIN_DROP = 0.75  # of the drop
NECK_PX = 70  # below the chin, where the neck takes the movement up
DARK, TONGUE = (38, 14, 14), (116, 58, 56)


def blinking(rgb: Rgb, points: Floats, amount: float, glasses: bool) -> Rgb:
    """Lids between as they are (0) and shut (1)."""
    skin = LID_SKIN_BEHIND_GLASSES if glasses else LID_SKIN
    field = _straight(rgb)
    for upper, lower in EYES:
        _lower_lid(field, points, upper, lower, amount, skin)
    return _sampled(rgb, field)


def _lower_lid(
    field: Floats,
    points: Floats,
    upper: tuple[int, ...],
    lower: tuple[int, ...],
    amount: float,
    skin: float,
) -> None:
    columns = _columns(points, upper)
    lid, bottom = _line(points, upper, columns), _line(points, lower, columns)
    height = float((bottom - lid).max())
    edge = lid + LASHES * (bottom - lid)
    moved = edge + amount * (bottom - edge)
    rows = np.arange(field.shape[0], dtype=np.float64)
    for x, at, to in zip(columns, edge, moved, strict=True):
        top = at - skin * height
        inside = (rows >= top) & (rows < to)
        field[inside, int(x), 1] = np.interp(rows[inside], (top, to), (top, at))


def speaking(rgb: Rgb, points: Floats, amount: float) -> Rgb:
    """Mouth between as it is (0) and wide open (1)."""
    if amount == 0:
        return rgb
    columns = _columns(points, JAW)
    upper, lower = _line(points, UPPER_LIP, columns), _line(points, LOWER_LIP, columns)
    drop_px = amount * MOUTH_DROP * float(points[RIGHT_CHEEK, 0] - points[LEFT_CHEEK, 0])
    down = drop_px * _bell(columns)
    gap = drop_px * (1 + UPPER_LIP_RISE) * _parting(points, columns)
    lip_to, lower_to = upper + down - gap, lower + down
    field = _straight(rgb)
    _drop_jaw(field, points, columns, (upper, lower), (lip_to, lower_to), down)
    return _darken(_sampled(rgb, field), columns, lip_to + (lower - upper), lower_to)


def _bell(columns: Column) -> Column:
    """1 in the middle of the jaw, 0 at its corners."""
    across = (columns - columns.mean()) / (columns[-1] - columns[0]) * 2
    return np.asarray(np.cos(across * np.pi / 2) ** 2)


def _parting(points: Floats, columns: Column) -> Column:
    """How far the lips part, 1 in the middle, 0 from the corners on: half an ellipse."""
    left, right = points[UPPER_LIP[0], 0], points[UPPER_LIP[-1], 0]
    across = (columns - (left + right) / 2) / ((right - left) / 2)
    return np.sqrt(np.clip(1 - across**2, 0, None))


def _drop_jaw(
    field: Floats,
    points: Floats,
    columns: Column,
    lips: tuple[Column, Column],
    lips_to: tuple[Column, Column],
    down: Column,
) -> None:
    rows = np.arange(field.shape[0], dtype=np.float64)
    nose = float(points[NOSE_BASE, 1])
    chin = _line(points, JAW, columns)
    for i, x in enumerate(columns):
        upper, lower, neck = lips[0][i], lips[1][i], chin[i] + NECK_PX
        bite = lips_to[0][i] + (lower - upper)
        to = (nose, lips_to[0][i], bite, lips_to[1][i], chin[i] + CHIN_DROP * down[i], neck)
        source = (nose, upper, lower, lower, chin[i], neck)
        inside = (rows >= nose) & (rows < neck)
        field[inside, int(x), 1] = np.interp(rows[inside], to, source)


def _darken(rgb: Rgb, columns: Column, top: Column, bottom: Column) -> Rgb:
    """Paint the mouth's inside between two lines, with a hint of the tongue below."""
    rows = np.arange(rgb.shape[0], dtype=np.float64)[:, None]
    depth = (rows - top) / np.maximum(bottom - top, 1e-3)
    inside = ((depth > 0) & (depth < 1) & (bottom - top > 1)).astype(np.float32)
    mask = np.zeros(rgb.shape[:2], np.float32)
    tongue = np.zeros(rgb.shape[:2], np.float32)
    at = columns.astype(int)
    mask[:, at] = inside
    tongue[:, at] = inside * np.clip((depth - 0.55) / 0.5, 0, 1) * _bell(columns) ** 2
    mask, tongue = cv2.GaussianBlur(mask, (0, 0), 1.4), cv2.GaussianBlur(tongue, (0, 0), 3.0)
    flesh = np.array(DARK) + tongue[..., None] * (np.array(TONGUE) - DARK)
    mixed = rgb + mask[..., None] * (flesh - rgb)
    return np.asarray(np.clip(mixed, 0, 255), dtype=np.uint8)


def _columns(points: Floats, line: tuple[int, ...]) -> Column:
    return np.arange(np.ceil(points[line[0], 0]), points[line[-1], 0])


def _line(points: Floats, line: tuple[int, ...], columns: Column) -> Column:
    """Height of a line of landmarks over each column."""
    chosen = points[list(line)]
    return np.interp(columns, chosen[:, 0], chosen[:, 1])


def _straight(rgb: Rgb) -> Floats:
    x, y = np.meshgrid(np.arange(rgb.shape[1]), np.arange(rgb.shape[0]))
    return np.dstack([x, y]).astype(np.float32)


def _sampled(rgb: Rgb, field: Floats) -> Rgb:
    return np.asarray(cv2.remap(rgb, field, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))

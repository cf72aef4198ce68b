"""Closes the eyes and opens the mouth of a frontal portrait.

A lid is skin drawn over the eye from above, with the lashes at its edge. The jaw
drops column by column, and what lies between the parted lips is painted dark.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edge.drivers.sim.portrait import LEFT_CHEEK, RIGHT_CHEEK, Floats, Rgb

Column = npt.NDArray[np.float64]
"""One number per column of the picture."""
Part = tuple[slice, slice]
"""Rows and columns of a picture."""

# Numbers of landmarks, from the picture's left to its right.
UPPER_LIP = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LOWER_LIP = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
JAW = (172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397)
NOSE_BASE = 2
CHEEKS = (50, 280)

RIM_PX = 32  # round eyes or jaw: farther away nothing of them changes anything
SPREAD_ROUNDS = 400
LASHES_PX = 13  # width of the brush that takes the lashes away with the eye
LASH_LINE_PX = 1.6
LASH_STRENGTH = 0.75
LASH_COLOUR = (58, 38, 30)
MOUTH_DROP = 0.21  # of the face's width, lower lip
UPPER_LIP_RISE = 0.1  # of the drop
CHIN_DROP = 0.75  # of the drop
NECK_PX = 70  # below the chin, where the neck takes the movement up
DARK, TONGUE = (38, 14, 14), (116, 58, 56)


def blinking(rgb: Rgb, skin: Floats, lids: Floats, amount: float) -> Rgb:
    """Lids between as they are (0) and shut (1); `skin` comes from `without_eyes`."""
    if amount == 0:
        return rgb
    part = _about_eyes(rgb, lids)
    eyes = rgb[part].astype(np.float32)
    for upper, lower in lids - _corner(part):
        eyes = _lower_lid(eyes, skin, upper, lower, amount)
    picture = rgb.copy()
    picture[part] = np.clip(eyes, 0, 255)
    return picture


def _about_eyes(rgb: Rgb, lids: Floats) -> Part:
    low, high = lids.reshape(-1, 2).min(0), lids.reshape(-1, 2).max(0)
    return _about(rgb, (low[1], high[1]), (low[0], high[0]))


def _about(rgb: Rgb, rows: tuple[float, float], columns: tuple[float, float]) -> Part:
    """From the first to the second and `RIM_PX` more, as far as the picture reaches."""
    top, left = (max(0, int(first) - RIM_PX) for first, _ in (rows, columns))
    bottom, right = (int(last) + RIM_PX for _, last in (rows, columns))
    return slice(top, min(bottom, rgb.shape[0])), slice(left, min(right, rgb.shape[1]))


def _corner(part: Part) -> npt.NDArray[np.int64]:
    """Of its left and its top, x and y."""
    return np.array([part[1].start, part[0].start])


def without_eyes(rgb: Rgb, points: Floats, lids: Floats) -> Floats:
    """Skin where the eyes and their lashes were, filled in from around them; of that part only."""
    part = _about_eyes(rgb, lids)
    tint, rgb = _tint(rgb, points), rgb[part]
    hole = np.zeros(rgb.shape[:2], np.uint8)
    for upper, lower in lids - _corner(part):
        ring = np.concatenate([upper, lower[::-1]]).astype(np.int32)
        cv2.fillPoly(hole, [ring], 255)
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (LASHES_PX, LASHES_PX))
    hole = cv2.dilate(hole, brush)
    bright = cv2.morphologyEx(rgb, cv2.MORPH_CLOSE, brush)  # what is left of the lashes goes
    grey = _filled(cv2.GaussianBlur(bright, (0, 0), 2), hole > 0).mean(axis=2, keepdims=True)
    return np.asarray(grey * tint, dtype=np.float32)


def _tint(rgb: Rgb, points: Floats) -> Column:
    """The colour of the cheeks over their brightness: R, G, B."""
    x, y = points[list(CHEEKS), :2].round().astype(int).T
    colour = cv2.blur(rgb, (9, 9))[y, x].mean(axis=0)
    return np.asarray(colour / colour.mean())


def _filled(rgb: Rgb, hole: npt.NDArray[np.bool_]) -> Rgb:
    """Spread the colours round a hole into it, as heat spreads (Jacobi's method)."""
    ys, xs = np.nonzero(hole)
    box = np.s_[ys.min() - 2 : ys.max() + 3, xs.min() - 2 : xs.max() + 3]
    inside, patch = hole[box], rgb[box].astype(np.float32)
    patch[inside] = patch[~inside].mean(axis=0)
    for _ in range(SPREAD_ROUNDS):
        cv2.copyTo(cv2.blur(patch, (3, 3)), inside.astype(np.uint8), patch)
    filled = rgb.copy()
    filled[box] = np.clip(patch, 0, 255)
    return filled


def _lower_lid(
    picture: Floats, skin: Floats, upper: Floats, lower: Floats, amount: float
) -> Floats:
    """Draw the lid down to its moved edge, and the lashes along that edge."""
    columns = np.arange(np.ceil(upper[0, 0]) - 3, upper[-1, 0] + 3)
    lid = np.interp(columns, upper[:, 0], upper[:, 1])
    edge = lid + amount * (np.interp(columns, lower[:, 0], lower[:, 1]) + 1 - lid)
    rows = np.arange(picture.shape[0], dtype=np.float64)[:, None]
    covered = np.clip(edge - rows + 0.5, 0, 1) * np.clip((rows - lid + LASHES_PX / 2 + 2) / 4, 0, 1)
    taper = np.sin(np.linspace(0, np.pi, len(columns))) ** 0.4
    lash = np.exp(-(((rows - edge) / LASH_LINE_PX) ** 2)) * taper * LASH_STRENGTH
    fold = 1 - 0.12 * np.exp(-(((rows - edge + 3) / 5) ** 2)) * amount
    cover, line = np.zeros((2, *picture.shape[:2], 1), np.float32)
    shade = np.ones_like(cover)
    at = columns.astype(int)
    cover[:, at, 0], line[:, at, 0], shade[:, at, 0] = covered, lash, fold
    cover = cv2.GaussianBlur(cover, (0, 0), 0.8)[..., None] * min(1.0, amount * 3)
    closed = picture + cover * (skin * shade - picture)
    line = cv2.GaussianBlur(line, (0, 0), 0.7)[..., None] * min(1.0, amount * 3)
    return np.asarray(closed + line * (np.array(LASH_COLOUR, np.float32) - closed))


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
    part = _about_jaw(rgb, points, columns)
    field = _straight(part)
    _drop_jaw(field, part, points, columns, (upper, lower), (lip_to, lower_to), down)
    picture = rgb.copy()
    left, top = _corner(part)
    bite, lower_to = lip_to + (lower - upper) - top, lower_to - top
    picture[part] = _darken(_sampled(rgb, field), columns - left, bite, lower_to)
    return picture


def _about_jaw(rgb: Rgb, points: Floats, columns: Column) -> Part:
    neck = float(_line(points, JAW, columns).max()) + NECK_PX
    return _about(rgb, (points[NOSE_BASE, 1], neck), (columns[0], columns[-1]))


def _bell(columns: Column) -> Column:
    """1 in the middle of the jaw, 0 at its corners."""
    across = (columns - columns.mean()) / (columns[-1] - columns[0]) * 2
    return np.asarray(np.cos(across * np.pi / 2) ** 1.5)


def _parting(points: Floats, columns: Column) -> Column:
    """How far the lips part, 1 in the middle, 0 from the corners on: half an ellipse."""
    left, right = points[UPPER_LIP[0], 0], points[UPPER_LIP[-1], 0]
    across = (columns - (left + right) / 2) / ((right - left) / 2)
    return np.asarray(np.sqrt(np.clip(1 - across**2, 0, None)))


def _drop_jaw(
    field: Floats,
    part: Part,
    points: Floats,
    columns: Column,
    lips: tuple[Column, Column],
    lips_to: tuple[Column, Column],
    down: Column,
) -> None:
    rows = np.arange(part[0].start, part[0].stop, dtype=np.float64)
    nose = float(points[NOSE_BASE, 1])
    chin = _line(points, JAW, columns)
    for i, x in enumerate(columns):
        upper, lower, neck = lips[0][i], lips[1][i], chin[i] + NECK_PX
        bite = lips_to[0][i] + (lower - upper)
        to = (nose, lips_to[0][i], bite, lips_to[1][i], chin[i] + CHIN_DROP * down[i], neck)
        source = (nose, upper, lower, lower, chin[i], neck)
        inside = (rows >= nose) & (rows < neck)
        field[inside, int(x) - part[1].start, 1] = np.interp(rows[inside], to, source)


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


def _straight(part: Part) -> Floats:
    rows, columns = part
    x, y = np.meshgrid(np.arange(columns.start, columns.stop), np.arange(rows.start, rows.stop))
    return np.dstack([x, y]).astype(np.float32)


def _sampled(rgb: Rgb, field: Floats) -> Rgb:
    return np.asarray(cv2.remap(rgb, field, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))

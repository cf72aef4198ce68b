"""The office behind whoever stands at the kiosk, and a photograph on paper; all painted here."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edge.drivers.sim.portrait import (
    LEFT_CHEEK,
    RIGHT_CHEEK,
    PortraitSpec,
    Rgb,
    placed,
    read_landmarks,
)

WALL, WALL_SHADE = (214, 208, 194), (178, 172, 158)
FLOOR = (134, 116, 96)
WOOD, WOOD_DARK, CUSHION = (150, 104, 62), (104, 68, 40), (92, 108, 120)
PAPER, SKIN, NAIL = (246, 246, 242), (214, 164, 136), (234, 190, 168)
PAPER_PX = (360, 450)  # the photograph on paper, width and height
MARGIN_PX = 60  # room round the paper for the hands that hold it


def empty_room(size: tuple[int, int]) -> Rgb:
    """An office wall and an empty chair, a little out of focus; painted 640 x 480, then scaled."""
    down = np.linspace(0, 1, 480)[:, None, None]
    across = np.linspace(-1, 1, 640)[None, :, None]
    light = np.clip(1 - 0.8 * (across + 0.35) ** 2 - 0.25 * down, 0, 1)
    room = (np.array(WALL_SHADE) + light * (np.array(WALL) - WALL_SHADE)).astype(np.uint8)
    cv2.rectangle(room, (0, 415), (640, 480), FLOOR, -1)
    cv2.rectangle(room, (0, 405), (640, 415), (226, 220, 208), -1)
    _window(room)
    _chair(room)
    soft = cv2.GaussianBlur(room, (0, 0), 2.2)
    return np.asarray(cv2.resize(soft, size, interpolation=cv2.INTER_AREA))


def _window(room: Rgb) -> None:
    cv2.rectangle(room, (30, 40), (170, 250), (236, 232, 224), -1)
    for x in (42, 104):
        for y in (52, 150):
            cv2.rectangle(room, (x, y), (x + 54, y + 88), (222, 234, 242), -1)


def _chair(room: Rgb) -> None:
    for x in (232, 396):
        cv2.rectangle(room, (x, 232), (x + 16, 480), WOOD, -1)
        cv2.rectangle(room, (x + 12, 232), (x + 16, 480), WOOD_DARK, -1)
    cv2.rectangle(room, (226, 214), (418, 246), WOOD, -1)
    cv2.rectangle(room, (226, 240), (418, 246), WOOD_DARK, -1)
    cv2.rectangle(room, (256, 262), (388, 384), CUSHION, -1)
    cv2.rectangle(room, (256, 372), (388, 384), (70, 84, 96), -1)
    cv2.rectangle(room, (214, 432), (430, 480), CUSHION, -1)
    cv2.rectangle(room, (214, 432), (430, 442), (112, 128, 140), -1)


def photograph(spec: PortraitSpec, with_edges: bool) -> tuple[Rgb, npt.NDArray[np.float32]]:
    """Paper with the portrait, and how much of it covers what is behind (0..1).

    With edges it has a white rim and two hands holding it, and a margin of
    `MARGIN_PX` round it; without, it is a poster larger than any view of it.
    """
    face = _portrait_on(spec, PAPER_PX if with_edges else (1600, 1600))
    if not with_edges:
        return face, np.ones(face.shape[:2], np.float32)
    cv2.rectangle(face, (0, 0), (PAPER_PX[0] - 1, PAPER_PX[1] - 1), PAPER, 22)
    m = MARGIN_PX
    sheet = cv2.copyMakeBorder(face, m, m, m, m, cv2.BORDER_CONSTANT, value=PAPER)
    cover = np.zeros(sheet.shape[:2], np.float32)
    cover[m:-m, m:-m] = 1
    for side in (-1, 1):
        _hand(sheet, cover, side)
    return sheet, np.asarray(cv2.GaussianBlur(cover, (0, 0), 0.8))


def _portrait_on(spec: PortraitSpec, size: tuple[int, int]) -> Rgb:
    """The face about 200 pixels wide in the middle of the sheet."""
    points = read_landmarks(spec)
    scale = 200 / float(points[RIGHT_CHEEK, 0] - points[LEFT_CHEEK, 0])
    x, y = points[:, :2].mean(axis=0)
    place = np.array([[scale, 0, size[0] / 2 - scale * x], [0, scale, size[1] * 0.52 - scale * y]])
    return placed(spec, place, size)


def _hand(sheet: Rgb, cover: npt.NDArray[np.float32], side: int) -> None:
    """A hand at the left (-1) or right (1) edge: fingers behind the paper, thumb before it."""
    x = sheet.shape[1] / 2 + side * PAPER_PX[0] / 2
    y = sheet.shape[0] * 0.74
    fist = np.zeros(cover.shape, np.float32)
    cv2.ellipse(fist, _px(x + side * 4, y + 34), (34, 50), side * 14, 0, 360, 1.0, -1)
    fist = fist * (1 - cover)
    _paint(sheet, cover, fist, np.float32(0.82))
    thumb = np.zeros(cover.shape, np.float32)
    cv2.line(thumb, _px(x + side * 22, y + 30), _px(x - side * 22, y), 1.0, 30, cv2.LINE_AA)
    shadow = cv2.GaussianBlur(np.roll(thumb, (7, -3 * side), (0, 1)), (0, 0), 5)
    sheet[:] = sheet * (1 - 0.35 * shadow[..., None])
    _paint(sheet, cover, thumb, np.float32(1.0))
    nail = np.zeros(cover.shape, np.float32)
    cv2.ellipse(nail, _px(x - side * 24, y - 2), (11, 8), side * 34, 0, 360, 1.0, -1)
    soft = cv2.GaussianBlur(nail, (0, 0), 1.4)[..., None]
    sheet[:] = sheet + soft * (np.array(NAIL) - sheet)


def _paint(
    sheet: Rgb, cover: npt.NDArray[np.float32], shape: npt.NDArray[np.float32], light: np.float32
) -> None:
    """Skin over a shape (0..1), darker towards its edges."""
    soft = cv2.GaussianBlur(shape, (0, 0), 1.2)
    rounded = 0.62 + 0.42 * cv2.GaussianBlur(shape, (0, 0), 8)[..., None]
    sheet[:] = np.clip(sheet + soft[..., None] * (np.array(SKIN) * rounded * light - sheet), 0, 255)
    np.maximum(cover, soft, out=cover)


def _px(x: float, y: float) -> tuple[int, int]:
    return round(x), round(y)

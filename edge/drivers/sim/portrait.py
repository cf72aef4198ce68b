"""The portraits that simulated people wear, and where the landmarks lie in them.

The pictures themselves are not ours: both are in the public domain and come
with packages of the demo extra (scikit-image, matplotlib). Only the landmarks
are kept here, see `data/README.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from edge.domain.errors import DeviceError, Fault

DATA = Path(__file__).parent / "data"

Rgb = npt.NDArray[np.uint8]
"""height x width x 3, R then G then B."""

Floats = npt.NDArray[np.float32]

CARD_PX = (102, 126)  # width and height of the photo on the card's chip
CARD_FACE_SHARE = 0.57  # of the card photo's width, cheek to cheek
LEFT_CHEEK, RIGHT_CHEEK = 234, 454  # as seen in the picture


@dataclass(frozen=True, slots=True)
class PortraitSpec:
    """A picture inside an installed package; lengths in pixels of that picture."""

    name: str
    package: str
    path: str
    size: tuple[int, int]  # width, height
    head: tuple[float, float, float, float]  # ellipse round hair or hat: centre x, y, radii


ASTRONAUT = PortraitSpec(
    "astronaut", "skimage", "data/astronaut.png", (512, 512), (227, 101, 77, 90)
)
ADMIRAL = PortraitSpec(
    "admiral",
    "matplotlib",
    "mpl-data/sample_data/grace_hopper.jpg",
    (512, 600),
    (260, 182, 116, 160),
)


def read_portrait(spec: PortraitSpec) -> Rgb:
    """The whole picture as it lies in its package, found without importing the package."""
    found = find_spec(spec.package)
    folders = (found.submodule_search_locations if found else None) or []
    for folder in folders:
        bgr = cv2.imread(str(Path(folder) / spec.path), cv2.IMREAD_COLOR)
        if bgr is not None and (bgr.shape[1], bgr.shape[0]) == spec.size:
            return np.ascontiguousarray(bgr[..., ::-1])
    raise DeviceError(
        "simulated person",
        Fault.ABSENT,
        f"portrait {spec.path} of package {spec.package} not found: install the demo extra",
        retry=False,
    )


def read_landmarks(spec: PortraitSpec) -> Floats:
    """468 x 3 in pixels of the portrait; z in the same unit, smaller is nearer."""
    with np.load(DATA / "landmarks.npz") as file:
        return np.asarray(file[spec.name], dtype=np.float32)


def read_lids(spec: PortraitSpec) -> Floats:
    """Eye, lid (upper, lower), 9 points from left to right, x and y: 2 x 2 x 9 x 2."""
    with np.load(DATA / "landmarks.npz") as file:
        return np.asarray(file[spec.name + "_lids"], dtype=np.float32)


def placed(spec: PortraitSpec, place: npt.NDArray[np.float64], size: tuple[int, int]) -> Rgb:
    """The portrait moved by `place` (2 x 3) into a larger picture; beyond it its edges, blurred."""
    rgb = read_portrait(spec)
    inside = cv2.warpAffine(np.ones(rgb.shape[:2], np.float32), place, size)
    inside = cv2.GaussianBlur(cv2.erode(inside, np.ones((25, 25))), (0, 0), 6)[..., None]
    sheet = cv2.warpAffine(rgb, place, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    beyond = cv2.GaussianBlur(sheet, (0, 0), 30)
    return np.asarray(beyond + inside * (sheet.astype(np.float32) - beyond), dtype=np.uint8)


def card_portrait(spec: PortraitSpec) -> Rgb:
    """Head and shoulders as on an identity card: 126 x 102 x 3."""
    points = read_landmarks(spec)
    face_px = float(points[RIGHT_CHEEK, 0] - points[LEFT_CHEEK, 0])
    scale = CARD_PX[0] * CARD_FACE_SHARE / face_px
    x, y = points[:, :2].mean(axis=0)
    place = np.array(
        [[scale, 0, CARD_PX[0] / 2 - scale * x], [0, scale, CARD_PX[1] * 0.54 - scale * y]]
    )
    sized = cv2.GaussianBlur(read_portrait(spec), (0, 0), max(0.01, 0.45 / scale))
    return np.asarray(
        cv2.warpAffine(
            sized, place, CARD_PX, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
    )

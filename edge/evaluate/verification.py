"""The verification protocol: live pictures of people against card photos of people.

    folder/<person>/<picture>     one face on each; any format that Pillow reads

Every picture once plays the card: 102 x 126 pixels, squeezed to 1,024 bytes like the one on
the chip. All other pictures of everybody play the live side, one by one or five averaged as
the kiosk does it. Attempts of one person against the own card are mated, all others are not.

FNMR is the share of mated attempts refused, FMR the share of non-mated ones accepted. FNMR at
an FMR is taken at the largest threshold that lets no larger share of non-mated attempts pass.
Intervals are 95 % by bootstrap over people: attempts of one person hang together.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from edge.domain.errors import ConfigError
from edge.models.embedding import MATCH_DISTANCE, Embedder, Embedding
from edge.models.faces import Follower
from edge.models.preprocess import Image
from edge.models.watcher import embed_reference

CARD_SIZE_PX = (102, 126)
CARD_BYTES = 1024
COARSE = 8  # steps of quality that are tried first; within one, each
AVERAGED = 5  # live pictures in one attempt; the kiosk takes up to eight
DRAWS = 3  # attempts of each person against each card when averaging
FMRS = (1e-2, 1e-3, 1e-4)
BOOTSTRAPS = 500
LIVE_SCALE = 3.0  # so that a 92 x 112 picture is about as large as a face at the kiosk
LIVE_BORDER = 0.2  # of the width: a camera sees more than the face

Photographs = Mapping[str, Sequence[Image]]
Floats = npt.NDArray[np.float64]
Spoil = Callable[[Image, np.random.Generator], Image]


def read_people(folder: Path, people: Sequence[str] | None = None) -> dict[str, list[Image]]:
    """Pictures by person, in order of file name. Raises `ConfigError`."""
    found: dict[str, list[Image]] = {}
    for person in sorted(path for path in folder.glob("*") if path.is_dir()):
        if people is None or person.name in people:
            pictures = [_read(path) for path in sorted(person.iterdir()) if path.is_file()]
            if len(pictures) > 1:
                found[person.name] = pictures
    if len(found) < 2:
        wanted = "a folder for each of at least two people, with at least two pictures in each"
        raise ConfigError(str(folder), f"needs {wanted}")
    return found


def _read(path: Path) -> Image:
    try:
        with Pillow.open(path) as picture:
            return np.asarray(picture.convert("RGB"))
    except (UnidentifiedImageError, OSError, Pillow.DecompressionBombError) as error:
        raise ConfigError(str(path), "is not a picture; take it out of the folder") from error


def squeezed(image: Image) -> Image:
    """As the card's chip has it: shape (126, 102, 3), in the best WebP of at most 1,024 bytes.

    The chip's own codec is licensed; WebP of the same size stands in for it.
    """
    small = Pillow.fromarray(image).resize(CARD_SIZE_PX, Pillow.Resampling.BICUBIC)
    tried = {quality: _packed(small, quality) for quality in range(0, 96, COARSE)}
    near = max((one for one, packed in tried.items() if packed.tell() <= CARD_BYTES), default=None)
    if near is None:
        raise ConfigError("picture", f"does not fit into {CARD_BYTES} bytes at any quality")
    finer = {quality: _packed(small, quality) for quality in range(near, near + COARSE)}
    best = max(one for one, packed in finer.items() if packed.tell() <= CARD_BYTES)
    return np.asarray(Pillow.open(finer[best]).convert("RGB"))


def _packed(picture: Pillow.Image, quality: int) -> io.BytesIO:
    packed = io.BytesIO()
    picture.save(packed, "WEBP", quality=quality, method=4)
    return packed


# --- the hard set: what a hall does to the live side ------------------------------------------


def blurred(image: Image, _: np.random.Generator) -> Image:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), image.shape[1] / 80), np.uint8)


def dark(image: Image, _: np.random.Generator) -> Image:
    return np.asarray(image * 0.4, np.uint8)


def noisy(image: Image, chance: np.random.Generator) -> Image:
    return np.clip(image + chance.normal(0, 8, image.shape), 0, 255).astype(np.uint8)


def half_size(image: Image, _: np.random.Generator) -> Image:
    height, width = image.shape[:2]
    small = cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def turned(image: Image, chance: np.random.Generator) -> Image:
    return _rolled(image, yaw_deg=8 * _either(chance), pitch_deg=0)


def nodded(image: Image, chance: np.random.Generator) -> Image:
    return _rolled(image, yaw_deg=0, pitch_deg=6 * _either(chance))


def all_together(image: Image, chance: np.random.Generator) -> Image:
    """Each a little less than alone; the kiosk asks for better light and distance before this."""
    posed = _rolled(image, yaw_deg=6 * _either(chance), pitch_deg=4 * _either(chance))
    soft = cv2.GaussianBlur(half_size(posed, chance), (0, 0), image.shape[1] / 130)
    dim = soft * 0.6 + chance.normal(0, 5, image.shape)
    return np.asarray(np.clip(dim, 0, 255), np.uint8)


HARD: dict[str, Spoil] = {
    "blurred": blurred,
    "dark": dark,
    "noisy": noisy,
    "half_size": half_size,
    "yaw": turned,
    "pitch": nodded,
    "all_together": all_together,
}


def _either(chance: np.random.Generator) -> int:
    return int(chance.choice([-1, 1]))


def _rolled(image: Image, yaw_deg: float, pitch_deg: float) -> Image:
    """The picture on a barrel of 0.62 widths that turns: near a face's own turn when small."""
    height, width = image.shape[:2]
    radius = 0.62 * width

    def source(along: npt.NDArray[np.float32], size: int, angle_deg: float) -> Any:
        angle = np.arcsin(np.clip((along - size / 2) / radius, -0.999, 0.999))
        back = np.clip(angle - np.deg2rad(angle_deg), -np.pi / 2, np.pi / 2)
        return (size / 2 + radius * np.sin(back)).astype(np.float32)

    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    moved = cv2.remap(
        image,
        source(x, width, yaw_deg),
        source(y, height, pitch_deg),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(moved, np.uint8)


# --- pictures to numbers ----------------------------------------------------------------------


class Faces:
    """Embeddings through the product's own models; `None` where no face is found."""

    def __init__(self, models_dir: Path) -> None:
        self._follower = Follower(models_dir)
        self._embedder = Embedder(models_dir)

    def card(self, image: Image) -> Embedding | None:
        return embed_reference(squeezed(image), self._follower, self._embedder)

    def live(self, image: Image) -> Embedding | None:
        edge = round(LIVE_BORDER * image.shape[1])
        framed = cv2.copyMakeBorder(image, edge, edge, edge, edge, cv2.BORDER_REPLICATE)
        scale = LIVE_SCALE * 92 / image.shape[1]
        framed = cv2.resize(framed, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        mesh = self._follower.find_one(np.asarray(framed, np.uint8))
        return None if mesh is None else self._embedder.embed(framed, mesh.points)


Gallery = dict[str, list[Embedding | None]]


@dataclass(frozen=True, slots=True)
class Attempts:
    """Distances 0..2, with the person of each side by number; embeddings stay inside."""

    distance: Floats
    live: npt.NDArray[np.int64]
    card: npt.NDArray[np.int64]
    not_found: int  # pictures of either side on which no face was found

    @property
    def mated(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.live == self.card)


def attempts(cards: Gallery, live: Gallery, averaged: int, seed: int) -> Attempts:
    """Every live picture, or draws of `averaged`, against every card; never against itself."""
    chance = np.random.default_rng(seed)
    rows = [
        (probe, reference, live_no, card_no)
        for card_no, person in enumerate(cards)
        for index, reference in enumerate(cards[person])
        if reference is not None
        for live_no, other in enumerate(live)
        for probe in _probes(live[other], index if other == person else None, averaged, chance)
    ]
    lost = sum(one is None for side in (cards, live) for row in side.values() for one in row)
    if not rows:
        return Attempts(np.empty(0), np.empty(0, np.int64), np.empty(0, np.int64), lost)
    probes, references, of_live, of_cards = zip(*rows, strict=True)
    return Attempts(_distances(probes, references), np.array(of_live), np.array(of_cards), lost)


def _distances(probes: Sequence[Sequence[Embedding]], references: Sequence[Embedding]) -> Floats:
    """`match_distance` of each pair, all at once."""
    means = np.array([np.add.reduce(probe) for probe in probes])  # no need to divide a direction
    apart = _directions(means) - _directions(np.array(references))
    return np.asarray(np.sqrt(np.square(apart).sum(axis=1)))


def _directions(rows: Floats) -> Floats:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def _probes(
    pictures: Sequence[Embedding | None],
    left_out: int | None,
    averaged: int,
    chance: np.random.Generator,
) -> Iterator[list[Embedding]]:
    usable = [one for at, one in enumerate(pictures) if one is not None and at != left_out]
    if averaged == 1:
        yield from ([one] for one in usable)
    elif len(usable) >= averaged:
        for _ in range(DRAWS):
            yield [usable[at] for at in chance.choice(len(usable), averaged, replace=False)]


# --- numbers to figures -----------------------------------------------------------------------


def fnmr_at(mated: Floats, other: Floats, fmr: float) -> tuple[float, float]:
    """FNMR and the threshold: the largest that lets at most `fmr` of the non-mated pass."""
    allowed = int(np.floor(fmr * other.size))
    threshold = float(np.partition(other, allowed)[allowed])
    return float(np.mean(mated >= threshold)), threshold


@dataclass(frozen=True, slots=True)
class Set:
    """One row of the report."""

    attempts: Attempts = field(repr=False)
    people: int
    averaged: int
    seed: int

    def figures(self) -> dict[str, Any]:
        mated = self.attempts.mated
        near, far = self.attempts.distance[mated], self.attempts.distance[~mated]
        spread = self._bootstrap()
        row: dict[str, Any] = {}
        for fmr in FMRS:
            word = f"fnmr_at_fmr_{fmr:.0e}".replace("e-0", "e-")
            row[word], row[f"threshold_at_fmr_{fmr:.0e}".replace("e-0", "e-")] = fnmr_at(
                near, far, fmr
            )
            row[f"{word}_ci95"] = spread[fmr]
        return row | {
            "mated": int(near.size),
            "non_mated": int(far.size),
            "people": self.people,
            "averaged": self.averaged,
            "faces_not_found": self.attempts.not_found,
            "at_product_threshold": {
                "distance": MATCH_DISTANCE,
                "fnmr": float(np.mean(near > MATCH_DISTANCE)),
                "fmr": float(np.mean(far <= MATCH_DISTANCE)),
            },
        }

    def _bootstrap(self) -> dict[float, list[float]]:
        """95 % of `BOOTSTRAPS` draws of as many people, two different ones at least."""
        chance = np.random.default_rng(self.seed)
        pairs = self._by_pair()
        found: dict[float, list[float]] = {fmr: [] for fmr in FMRS}
        while len(found[FMRS[0]]) < BOOTSTRAPS:
            drawn = chance.integers(0, self.people, self.people)
            if len(set(drawn)) == 1:
                continue
            near = np.concatenate([pairs[one, one] for one in drawn])
            far = np.concatenate([pairs[a, b] for a in drawn for b in drawn if a != b])
            for fmr in FMRS:
                found[fmr].append(fnmr_at(near, far, fmr)[0])
        return {
            fmr: [float(edge) for edge in np.percentile(values, [2.5, 97.5])]
            for fmr, values in found.items()
        }

    def _by_pair(self) -> dict[tuple[int, int], Floats]:
        tried = self.attempts
        return {
            (a, b): tried.distance[(tried.live == a) & (tried.card == b)]
            for a in range(self.people)
            for b in range(self.people)
        }

    def det(self, points: int = 200) -> dict[str, list[float]]:
        """The DET curve: FMR and FNMR at thresholds from the strictest to the laxest."""
        mated = self.attempts.mated
        near, far = self.attempts.distance[mated], self.attempts.distance[~mated]
        thresholds = np.quantile(far, np.geomspace(1 / far.size, 1, points))
        return {
            "fmr": [float(np.mean(far < one)) for one in thresholds],
            "fnmr": [float(np.mean(near >= one)) for one in thresholds],
        }


def verify(
    people: Photographs,
    models_dir: Path,
    *,
    seed: int,
    hard: bool = True,
    step: Callable[[str], None] = lambda _: None,
) -> dict[str, Set]:
    """All sets by name; `step` hears of each picture looked at. `card_1kb_hard` is all spoils
    together; each alone is a set of its own. Without six pictures of somebody: single frames only.
    """
    faces = Faces(models_dir)
    cards = _gallery(people, lambda image, _: faces.card(image), seed, step)
    live = _gallery(people, lambda image, _: faces.live(image), seed, step)

    def compared(side: Gallery, averaged: int) -> Set:
        return Set(attempts(cards, side, averaged, seed), len(people), averaged, seed)

    sets = {"card_1kb_single_frame": compared(live, 1)}
    if max(map(len, people.values())) <= AVERAGED:
        return sets
    sets["card_1kb"] = compared(live, AVERAGED)
    for name, spoil in HARD.items() if hard else ():
        spoilt = _gallery(people, _after(spoil, faces), seed, step)
        sets[_hard(name)] = compared(spoilt, AVERAGED)
    return sets


def _after(spoil: Spoil, faces: Faces) -> Callable[..., Embedding | None]:
    return lambda image, chance: faces.live(spoil(image, chance))


def _hard(name: str) -> str:
    return "card_1kb_hard" if name == "all_together" else f"card_1kb_hard_{name}"


def looks(people: Photographs, *, hard: bool = True) -> int:
    """How often `verify` calls `step`."""
    return sum(map(len, people.values())) * (2 + (len(HARD) if hard else 0))


def _gallery(
    people: Photographs,
    embed: Callable[[Image, np.random.Generator], Embedding | None],
    seed: int,
    step: Callable[[str], None],
) -> Gallery:
    chance = np.random.default_rng(seed)
    found: Gallery = {}
    for person, pictures in people.items():
        found[person] = []
        for picture in pictures:
            found[person].append(embed(picture, chance))
            step(person)
    return found

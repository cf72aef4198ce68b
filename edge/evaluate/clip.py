"""Any recording of anybody, judged by the check's own rules: live, attack or insufficient.

A free recording answers no prompts. So every movement that happens in it is looked for, and
each is judged by the very code that judges it at the kiosk (`edge.models.movement`): from near
this person's own neutral to the end of the hold, in one piece, by one person, with the depth of
a head. Time may run backwards: a recording that begins turned away shows its turn on the way
to the middle.

live          at least one turn and one nod with depth, one person, one unbroken track
attack        something that no living person does: a face that leans like a sheet without
              depth, a movement without depth, one face that becomes another
insufficient  everything else; never a success

What is not asked here, because a recording cannot be asked: whether somebody answers. A film
of the right person that is filmed again comes out as live; only prompts stop it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from statistics import median

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageSequence, UnidentifiedImageError

from edge.domain.challenge import MOVEMENTS, Action, Hint, Reason
from edge.domain.errors import ConfigError
from edge.domain.timebase import NS_PER_S, MonoNs
from edge.models.embedding import Embedder, Embedding, chip_of, match_distance
from edge.models.faces import Follower, Lids
from edge.models.geometry import PLANE, nose_parallax
from edge.models.movement import Blink, Done, Movement, Neutral
from edge.models.observation import FaceView, Limits, Observation, seconds
from edge.models.preprocess import Image, Points
from edge.models.seam import Seam
from edge.models.watcher import view_of

MOST_S = 120.0  # longer recordings are judged by their beginning
MOST_WIDE_PX = 1280  # wider ones are made smaller first
STILL_PICTURES = {".gif", ".webp", ".png"}  # what Pillow reads as a row of frames
# Parallax per degree of lean on development data, beyond 30 degrees: prints at most 0.0037,
# drawn heads at least 0.0065. People who speak and sign stayed below 26 degrees.
LEAN_DEG = 30.0
LEAN_PARALLAX_PER_DEG = 0.0045  # eye distances
MOST_IN_COMPANY = 0.2  # of the frames
NEVER_AHEAD, NO_TURN, NO_NOD = "never_ahead", "no_turn", "no_nod"


class Judgement(Enum):
    """What a recording shows."""

    LIVE = "live"
    ATTACK = "attack"
    INSUFFICIENT = "insufficient"


@dataclass(frozen=True, slots=True)
class Step:
    """One movement with its depth: measured over needed parallax, `None` for lids and lips."""

    action: Action
    at_s: float
    depth: float | None


@dataclass(frozen=True, slots=True)
class Clip:
    """What one recording came to. `neutral` says how the neutral was found."""

    judgement: Judgement
    steps: tuple[Step, ...]
    reasons: tuple[str, ...]
    frames: int
    with_face: float
    seconds: float
    neutral: str


@dataclass(slots=True)
class _Face:
    """One frame with a face; `chip` as in `Embedder.embed_chip`."""

    seen: Observation
    view: FaceView
    chip: Image = field(repr=False)
    embedding: Embedding | None = field(repr=False, default=None)


class Judge:
    """Models are loaded once; judges one recording after the other."""

    def __init__(self, models_dir: Path, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._follower = Follower(models_dir)
        self._lids = Lids(models_dir)
        self._embedder = Embedder(models_dir)

    def judge(self, path: Path) -> Clip:
        """Raises `ConfigError` when the file is no recording."""
        seen, faces = self._look(path)
        if not seen:
            raise ConfigError(str(path), "has no frame that could be read")
        part = _longest(faces, self._limits.loss_s)
        found, neutral, steps = set[str](), "none", list[Step]()
        ahead = _ahead(part, self._limits)
        if ahead:
            still = _still(ahead, self._limits)
            neutral = "still" if still else "in passing"
            steps, found = self._movements(part, still or _nearest(ahead))
        else:
            found.add(NEVER_AHEAD if faces else Reason.FACE_LOST.value)
        found |= _surroundings(seen, faces, part, self._limits)
        axes = {step.action.axis for step in steps}
        found |= {word for axis, word in (("yaw", NO_TURN), ("pitch", NO_NOD)) if axis not in axes}
        share = len(faces) / len(seen)
        lasts_s = seconds(seen[0].at_ns, seen[-1].at_ns)
        judgement = _judgement(found)
        order = tuple(sorted(found))
        return Clip(judgement, tuple(steps), order, len(seen), share, lasts_s, neutral)

    # --- seeing -----------------------------------------------------------------

    def _look(self, path: Path) -> tuple[list[Observation], list[_Face]]:
        seam = Seam(self._embedder)
        self._follower.forget()
        seen, faces = list[Observation](), list[_Face]()
        for at_ns, image in frames_of(path):
            sight = self._follower.look(image)
            one = Observation(at_ns, sight.faces, sight.track)
            if sight.mesh is not None:
                view = view_of(image, sight.mesh, self._lids.opening(image, sight.mesh))
                chip = chip_of(image, sight.mesh.points)
                one = replace(one, face=view, seam=seam.see(image, sight.mesh))
                if view.is_sound:
                    faces.append(_Face(one, view, chip))
            seen.append(one)
        return seen, faces

    def _embedding(self, face: _Face) -> Embedding:
        if face.embedding is None:
            face.embedding = self._embedder.embed_chip(face.chip)
        return face.embedding

    # --- movements -----------------------------------------------------------------

    def _movements(self, part: list[_Face], still: list[_Face]) -> tuple[list[Step], set[str]]:
        neutral = Neutral.of([face.view for face in still])
        first = self._embedding(still[len(still) // 2])
        steps, found = list[Step](), set[str]()
        for action in MOVEMENTS:
            for run in _excursions(part, action, neutral, self._limits):
                judged, depth = self._one(action, run, neutral, first)
                if judged is Done.DONE:
                    steps.append(Step(action, run[-1].seen.at_ns / NS_PER_S, depth))
                elif judged in (Reason.FLAT, Reason.FACE_CHANGED):
                    found.add(judged.value)
        if _leans_flat(part, neutral, self._limits):
            found.add(Reason.FLAT.value)
        return sorted(steps, key=lambda step: step.at_s), found

    def _one(
        self, action: Action, run: list[_Face], neutral: Neutral, first: Embedding
    ) -> tuple[Done | Reason | None, float | None]:
        """Judge one excursion as it came, or else as it went back."""
        judged, depth = self._fed(action, run, neutral, first)
        if judged is Done.DONE:
            return judged, depth
        backwards, deep = self._fed(action, _mirrored(run), neutral, first)
        return (backwards, deep) if backwards is Done.DONE else (judged or backwards, depth)

    def _fed(
        self, action: Action, run: list[_Face], neutral: Neutral, first: Embedding
    ) -> tuple[Done | Reason | None, float | None]:
        asked_ns = MonoNs(run[0].seen.at_ns - NS_PER_S)  # long enough ago for any reaction
        blink = action is Action.BLINK
        movement = (
            Blink(neutral, self._limits, asked_ns)
            if blink
            else Movement(action, neutral, self._limits, asked_ns)
        )
        for face in run:
            seen = face.seen
            if movement.wants_identity(seen, face.view):
                seen = replace(seen, identity=match_distance([self._embedding(face)], first))
            judged = movement.see(seen, face.view)
            if judged is not None:
                return judged, movement.margin
        return None, None


def _judgement(found: set[str]) -> Judgement:
    if found & {Reason.FLAT.value, Reason.FACE_CHANGED.value}:
        return Judgement.ATTACK
    return Judgement.INSUFFICIENT if found else Judgement.LIVE


# --- frames -----------------------------------------------------------------------


def frames_of(path: Path) -> Iterator[tuple[MonoNs, Image]]:
    """Time since the beginning, and the frame in RGB; at most `MOST_S`."""
    if not path.is_file():
        raise ConfigError(str(path), "is not a file")
    rows = _row_of_pictures(path) if path.suffix.lower() in STILL_PICTURES else _film(path)
    for at_s, image in rows:
        if at_s > MOST_S:
            return
        yield MonoNs(round(at_s * NS_PER_S)), _reasonable(image)


def _row_of_pictures(path: Path) -> Iterator[tuple[float, Image]]:
    try:
        with Pillow.open(path) as film:
            at_s = 0.0
            for frame in ImageSequence.Iterator(film):
                yield at_s, np.asarray(frame.convert("RGB"))
                at_s += frame.info.get("duration", 100) / 1000
    except (UnidentifiedImageError, OSError, Pillow.DecompressionBombError) as error:
        raise ConfigError(str(path), "is not a recording that can be read") from error


def _film(path: Path) -> Iterator[tuple[float, Image]]:
    film = cv2.VideoCapture(str(path))
    try:
        fps, number = film.get(cv2.CAP_PROP_FPS), 0
        step_s = 1 / fps if 1 <= fps <= 240 else 1 / 30
        while True:
            there, bgr = film.read()
            if not there:
                return
            yield number * step_s, np.ascontiguousarray(bgr[..., ::-1])
            number += 1
    finally:
        film.release()


def _reasonable(image: Image) -> Image:
    scale = MOST_WIDE_PX / image.shape[1]
    if scale >= 1:
        return image
    return np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))


# --- parts of a recording --------------------------------------------------------------


def _longest(faces: list[_Face], loss_s: float) -> list[_Face]:
    """The longest piece with one track and without a gap."""
    pieces: list[list[_Face]] = []
    for face in faces:
        last = pieces[-1][-1].seen if pieces else None
        same = last and last.track == face.seen.track
        if last and same and seconds(last.at_ns, face.seen.at_ns) <= loss_s:
            pieces[-1].append(face)
        else:
            pieces.append([face])
    return max(pieces, key=len, default=[])


def _ahead(part: list[_Face], limits: Limits) -> list[_Face]:
    return [
        face
        for face in part
        if abs(face.view.pose.yaw) <= limits.max_neutral_yaw
        and abs(face.view.pose.pitch) <= limits.max_neutral_pitch
    ]


def _still(ahead: list[_Face], limits: Limits) -> list[_Face]:
    """The first moment without movement, as long as the check's own baseline."""
    for start in range(len(ahead)):
        piece = list[_Face]()
        for face in ahead[start:]:
            piece.append(face)
            if _spread(piece) > limits.max_neutral_spread:
                break
            lasts_s = seconds(piece[0].seen.at_ns, face.seen.at_ns)
            if lasts_s >= limits.baseline_s and len(piece) >= limits.baseline_frames:
                return piece
    return []


def _spread(piece: list[_Face]) -> float:
    yaws = [face.view.pose.yaw for face in piece]
    pitches = [face.view.pose.pitch for face in piece]
    return max(max(yaws) - min(yaws), max(pitches) - min(pitches))


def _nearest(ahead: list[_Face], count: int = 3) -> list[_Face]:
    """Where nobody keeps still: the frames that look most nearly into the camera."""
    level = median(face.view.pose.pitch for face in ahead)
    return sorted(
        ahead, key=lambda face: abs(face.view.pose.yaw) + abs(face.view.pose.pitch - level)
    )[:count]


def _excursions(
    part: list[_Face], action: Action, neutral: Neutral, limits: Limits
) -> Iterator[list[_Face]]:
    """Pieces from near the neutral, out beyond the threshold and back, as far as recorded."""
    run, reached = list[_Face](), False
    for face in part:
        amount = _amount(face, action, neutral, limits)
        run.append(face)
        reached = reached or amount >= 1.0
        if amount <= limits.centre:
            if reached:
                yield run
                run, reached = [face], False
            else:
                run = run[-5:]
    if reached:
        yield run


def _amount(face: _Face, action: Action, neutral: Neutral, limits: Limits) -> float:
    if action is not Action.BLINK:
        return neutral.amounts(face.view, limits)[action]
    open_part = (face.view.lids or 0.0) / max(neutral.lids, 1e-6)
    return (1 - open_part) / (1 - limits.blink)


def _mirrored(run: list[_Face]) -> list[_Face]:
    """The same piece with time running backwards."""
    end_ns = run[-1].seen.at_ns + run[0].seen.at_ns
    return [
        replace(face, seen=replace(face.seen, at_ns=MonoNs(end_ns - face.seen.at_ns)))
        for face in reversed(run)
    ]


def _leans_flat(part: list[_Face], neutral: Neutral, limits: Limits) -> bool:
    """Whether the face leans as a sheet leans, for the time of a hold, and shows no depth."""
    since: MonoNs | None = None
    for face in part:
        lean = lean_deg(neutral.rigid, face.view.rigid)
        deep = nose_parallax(neutral.rigid, face.view.rigid) >= LEAN_PARALLAX_PER_DEG * lean
        if lean < LEAN_DEG or deep:
            since = None
            continue
        since = face.seen.at_ns if since is None else since
        if seconds(since, face.seen.at_ns) >= limits.hold_s:
            return True
    return False


def lean_deg(neutral: Points, now: Points) -> float:
    """How far the near-planar points lean against the neutral ones, as a distant sheet would.

    The best affine map has the singular values 1 and cos(lean), but for its scale.
    """
    plane = len(PLANE)
    known = np.c_[neutral[:plane], np.ones(plane)]
    fitted, *_ = np.linalg.lstsq(known, now[:plane], rcond=None)
    large, small = np.linalg.svd(fitted[:2], compute_uv=False)
    return float(np.degrees(np.arccos(np.clip(small / max(large, 1e-9), 0.0, 1.0))))


def _surroundings(
    seen: Sequence[Observation], faces: list[_Face], part: list[_Face], limits: Limits
) -> set[str]:
    """What else stands in the way of being believed."""
    found = set[str]()
    if any(face.seen.seam > limits.seam for face in faces):
        found.add(Reason.FACE_CHANGED.value)
    if len(part) < len(faces):
        found.add(Reason.FACE_LOST.value)
    if sum(one.faces > 1 for one in seen) > MOST_IN_COMPANY * len(seen):
        found.add(Hint.TWO_FACES.value)
    sizes = [face.view.eye_distance_px for face in part]
    if sizes and max(sizes) < limits.min_eye_distance_px:
        found.add(Hint.TOO_FAR.value)
    return found

"""The check in front of the camera, as pure code: observations in, prompts and a verdict out.

    FRAMING -> BASELINE -> for each action: CENTRE -> ASKED -> FINAL -> passed
                                        any of them -> failed, with reasons

FRAMING waits, patiently and with one hint at a time, for one well-lit face. BASELINE
learns this person's own neutral pose, lids and mouth. CENTRE waits until the person
looks ahead again, ASKED shows the prompt and judges the reaction. FINAL collects
frontal frames for the comparison and the portrait.

What makes it hard to cheat: the order is not known beforehand, a reaction that is too
quick or that was under way fails, the face may not change, and a turn of the head must
show depth. Depth is judged by `nose_parallax` alone, on x and y: a flat picture, however
tilted, stays below 0.1 eye distances, a head passes it at 15 degrees and it grows with
the angle. A bent print or a replayed film can pass geometry; see docs/security.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from statistics import median

import numpy as np

from edge.domain.challenge import Action, Hint, Prompt, Reason, WatchProgress
from edge.domain.timebase import NS_PER_S, MonoNs
from edge.models.geometry import Pose, nose_parallax
from edge.models.preprocess import Points


@dataclass(frozen=True, slots=True)
class Limits:
    """Every number the check decides by. Angles are differences to the neutral, in mesh degrees."""

    # A face that can be judged
    min_eye_distance_px: float = 60.0  # below, landmarks shake too much for the depth test
    min_turned_eye_distance_px: float = 36.0  # the same, foreshortened by 50 degrees
    max_face_width: float = 0.75  # of the picture
    max_off_centre: float = 0.25  # of the picture's width or height, middle of the face
    min_brightness: float = 45.0  # grey 0..255
    max_brightness: float = 225.0
    min_sharpness: float = 8.0  # variance of the Laplacian
    max_neutral_yaw: float = 15.0
    max_neutral_pitch: float = 25.0
    framing_s: float = 60.0
    # The neutral
    baseline_s: float = 0.6
    baseline_frames: int = 5
    max_neutral_spread: float = 6.0
    # A movement
    yaw: float = 20.0  # a flat print, tilted up to 50 degrees, reached 11.3 at most
    pitch: float = 18.0  # a flat print reached 7.9 at most
    mouth: float = 0.18  # over the own mouth at rest; one who smiles at rest has only 0.21 left
    blink: float = 0.6  # of the own open lids
    lids_open_again: float = 0.8
    blink_min_s: float = 0.03
    blink_max_s: float = 3.0
    onset: float = 0.5  # of the threshold: from here a movement counts as begun
    centre: float = 0.4  # of the threshold: within this the head looks ahead
    centre_s: float = 0.3
    remind_s: float = 2.0
    reaction_s: float = 0.25  # nobody reacts sooner to a prompt
    window_s: float = 8.0  # patient with old people; per action, and to come back to the middle
    hold_s: float = 0.25
    wrong_hold_s: float = 0.15
    # Depth
    parallax: float = 0.10  # eye distances, at 20 degrees; a flat print stayed below 0.08
    parallax_per_degree: float = 0.005  # more is asked for beyond 20 degrees
    growth: float = 0.6  # parallax in the first part of a turn, at most this part of the held one
    # The same person all the time
    loss_s: float = 0.3
    losses: int = 1
    same_person: float = 0.6  # distance of embeddings; a real turn reached 0.48, others 0.75 up
    # The comparison
    frontal_frames: int = 8


@dataclass(frozen=True, slots=True)
class FaceView:
    """One face on one frame. `off_centre` is x, y and `width` in parts of the picture."""

    pose: Pose
    eye_distance_px: float
    mouth: float
    lids: float | None  # mean of both eyes; only when `Check.wants_lids`
    off_centre: tuple[float, float]
    width: float
    brightness: float
    sharpness: float
    rigid: Points = field(repr=False)  # (12, 2) from `geometry.rigid_points`


@dataclass(frozen=True, slots=True)
class Observation:
    """One frame, judged. `identity` is the distance to the first frontal frame, if asked for."""

    at_ns: MonoNs
    faces: int
    track: int = 0
    face: FaceView | None = None
    identity: float | None = None


@dataclass(frozen=True, slots=True)
class _Neutral:
    yaw: float
    pitch: float
    mouth: float
    lids: float
    rigid: Points = field(repr=False)


class Stage(Enum):
    FRAMING = "framing"
    BASELINE = "baseline"
    CENTRE = "centre"
    ASKED = "asked"
    FINAL = "final"
    PASSED = "passed"
    FAILED = "failed"


def _seconds(start: MonoNs, end: MonoNs) -> float:
    return (end - start) / NS_PER_S


class Check:
    """One try. Feed `see` with observations in order of time until `finished`."""

    def __init__(self, actions: tuple[Action, ...], limits: Limits | None = None) -> None:
        self.actions = actions
        self.limits = limits or Limits()
        self.stage = Stage.FRAMING
        self.step = 0
        self.reasons: tuple[Reason, ...] = ()
        self.frontal_frames = 0
        self.margins: dict[str, float] = {}  # per axis, the smallest parallax over the needed one
        self._stage_since: MonoNs | None = None
        self._began: MonoNs | None = None
        self._hint: Hint | None = Hint.NO_FACE
        self._track = 0
        self._lost_since: MonoNs | None = None
        self._losses = 0
        self._unproven = False  # the face came back, or a step ended: ask who it is
        self._neutral: _Neutral | None = None
        self._steady: list[Observation] = []
        self._turn: list[tuple[MonoNs, float, float]] = []  # time, amount, parallax
        self._held_since: MonoNs | None = None
        self._wrong_since: MonoNs | None = None
        self._begun = False

    # --- what the watcher may ask ---------------------------------------------

    @property
    def finished(self) -> bool:
        return self.stage in (Stage.PASSED, Stage.FAILED)

    @property
    def wants_lids(self) -> bool:
        """Lids are only measured where they count: they cost two inferences."""
        learning = self.stage in (Stage.FRAMING, Stage.BASELINE)
        return Action.BLINK in self.actions if learning else self._action is Action.BLINK

    @property
    def wants_identity(self) -> bool:
        """Whether the next observation should say how far the face is from the first one."""
        return self._unproven or self.stage is Stage.FINAL

    @property
    def done(self) -> tuple[Action, ...]:
        return self.actions[: self.step]

    @property
    def evidence(self) -> float | None:
        """How clearly depth was seen: 0..1, 0.5 where it is just enough; `None` if not yet seen.

        With m the smallest ratio of measured to needed parallax over the turns so far:
        m / (1 + m). A try that ends without a turn on both axes has proven nothing: 0.
        """
        if self.stage is Stage.PASSED and set(self.margins) != {"yaw", "pitch"}:
            return 0.0
        if not self.margins:
            return None
        least = min(self.margins.values())
        return least / (1.0 + least)

    def progress(self) -> WatchProgress:
        return WatchProgress(self._prompt(), self._hint, self.step, len(self.actions))

    def _prompt(self) -> Prompt:
        if self.stage is Stage.FRAMING:
            return Prompt.FRAME_FACE
        if self.stage is Stage.ASKED:
            return Prompt.of(self.actions[self.step])
        return Prompt.LOOK_AHEAD

    @property
    def _action(self) -> Action | None:
        asked = self.stage in (Stage.CENTRE, Stage.ASKED) and self.step < len(self.actions)
        return self.actions[self.step] if asked else None

    # --- one observation -----------------------------------------------------

    def see(self, seen: Observation) -> WatchProgress:
        """Take in one frame and say what to show now."""
        if self._began is None:
            self._began = self._stage_since = seen.at_ns
        if not self.finished:
            self._dispatch(seen)
        return self.progress()

    def _dispatch(self, seen: Observation) -> None:
        if self.stage in (Stage.FRAMING, Stage.BASELINE):
            self._prepare(seen)
            return
        face = self._continued(seen)
        if face is None or self.finished:
            return
        self._hint = Hint.TWO_FACES if seen.faces > 1 else None
        if seen.faces > 1:
            self._restart_hold()
        match self.stage:
            case Stage.CENTRE:
                self._centre(seen, face)
            case Stage.ASKED:
                self._asked(seen, face)
            case Stage.FINAL:
                self._final(seen, face)

    def _enter(self, stage: Stage, at_ns: MonoNs) -> None:
        self.stage, self._stage_since = stage, at_ns
        self._hint = None
        self._restart_hold()
        self._turn = []
        self._wrong_since = None
        self._begun = False

    def _restart_hold(self) -> None:
        self._held_since = None

    def _fail(self, reason: Reason) -> None:
        self.stage, self.reasons, self._hint = Stage.FAILED, (reason,), None

    def _elapsed(self, seen: Observation) -> float:
        return _seconds(self._stage_since or seen.at_ns, seen.at_ns)

    # --- framing and baseline -------------------------------------------------

    def _prepare(self, seen: Observation) -> None:
        if _seconds(self._began or seen.at_ns, seen.at_ns) > self.limits.framing_s:
            self._fail(Reason.TIMED_OUT if seen.face else Reason.FACE_LOST)
            return
        self._hint = self._quality(seen)
        if self._hint not in (None, Hint.LOOK_AT_CAMERA) or seen.track != self._track:
            self._steady = []
            self._track = seen.track
            if self.stage is not Stage.FRAMING:
                self._reframe(seen)
            return
        if self.stage is Stage.FRAMING:
            self._enter(Stage.BASELINE, seen.at_ns)
        self._learn(seen)

    def _reframe(self, seen: Observation) -> None:
        hint = self._hint
        self._enter(Stage.FRAMING, seen.at_ns)
        self._hint = hint

    def _quality(self, seen: Observation) -> Hint | None:
        """The one thing to mend first."""
        face, limits = seen.face, self.limits
        if face is None:
            return Hint.NO_FACE
        checks = (
            (seen.faces > 1, Hint.TWO_FACES),
            (face.width > limits.max_face_width, Hint.TOO_NEAR),
            (face.eye_distance_px < limits.min_eye_distance_px, Hint.TOO_FAR),
            (max(map(abs, face.off_centre)) > limits.max_off_centre, Hint.OFF_CENTRE),
            (face.brightness < limits.min_brightness, Hint.TOO_DARK),
            (face.brightness > limits.max_brightness, Hint.TOO_BRIGHT),
            (face.sharpness < limits.min_sharpness, Hint.BLURRED),
            (not self._is_frontal(face), Hint.LOOK_AT_CAMERA),
        )
        return next((hint for bad, hint in checks if bad), None)

    def _is_frontal(self, face: FaceView) -> bool:
        yaw, pitch = abs(face.pose.yaw), abs(face.pose.pitch)
        return yaw <= self.limits.max_neutral_yaw and pitch <= self.limits.max_neutral_pitch

    def _learn(self, seen: Observation) -> None:
        """Take the median of a short while without movement as this person's neutral."""
        self._steady.append(seen)
        if self._hint is Hint.LOOK_AT_CAMERA or not self._is_still():
            self._steady = [] if self._hint else self._steady[-1:]
            return
        long_enough = _seconds(self._steady[0].at_ns, seen.at_ns) >= self.limits.baseline_s
        if long_enough and len(self._steady) >= self.limits.baseline_frames:
            self._neutral = _neutral_of([one.face for one in self._steady if one.face])
            self._steady = []
            self._unproven = True
            self._next_step(seen)

    def _is_still(self) -> bool:
        faces = [one.face for one in self._steady if one.face]
        yaws = [face.pose.yaw for face in faces]
        pitches = [face.pose.pitch for face in faces]
        spread = max(max(yaws) - min(yaws), max(pitches) - min(pitches))
        return spread <= self.limits.max_neutral_spread

    def _next_step(self, seen: Observation) -> None:
        last = self.step >= len(self.actions)
        self._enter(Stage.FINAL if last else Stage.CENTRE, seen.at_ns)

    # --- the same face all the time ------------------------------------------

    def _continued(self, seen: Observation) -> FaceView | None:
        """The face if it is still the one followed, else `None`; may fail the check."""
        if seen.face is None:
            self._lose(seen)
            return None
        if seen.track != self._track and not self._regain(seen):
            return None
        self._lost_since = None
        if seen.identity is not None and not self._is_same(seen.identity):
            return None
        return seen.face

    def _lose(self, seen: Observation) -> None:
        self._hint = Hint.NO_FACE
        self._restart_hold()
        if self._lost_since is None:
            self._lost_since = seen.at_ns
        if _seconds(self._lost_since, seen.at_ns) > self.limits.loss_s:
            self._fail(Reason.FACE_LOST)

    def _regain(self, seen: Observation) -> bool:
        """One short break is forgiven if the face that comes back proves to be the same."""
        self._losses += 1
        gap = _seconds(self._lost_since or seen.at_ns, seen.at_ns)
        if self._losses > self.limits.losses or gap > self.limits.loss_s:
            self._fail(Reason.FACE_LOST)
            return False
        self._track = seen.track
        self._unproven = True
        return True

    def _is_same(self, identity: float) -> bool:
        if identity > self.limits.same_person:
            self._fail(Reason.FACE_CHANGED)
            return False
        self._unproven = False
        return True

    # --- back to the middle ----------------------------------------------------

    def _centre(self, seen: Observation, face: FaceView) -> None:
        if self._rests(seen, face) and not self._unproven:
            self._enter(Stage.ASKED, seen.at_ns)
        elif self._elapsed(seen) > self.limits.window_s:
            self._fail(Reason.TIMED_OUT)

    def _rests(self, seen: Observation, face: FaceView) -> bool:
        """True once the face has looked ahead, mouth and eyes at ease, for a moment."""
        at_rest = all(abs(part) <= self.limits.centre for part in self._parts(face).values())
        if not at_rest or seen.faces > 1:
            self._remind(seen)
            self._restart_hold()
            return False
        self._held_since = self._held_since or seen.at_ns
        return _seconds(self._held_since, seen.at_ns) >= self.limits.centre_s

    def _remind(self, seen: Observation) -> None:
        """The prompt says it already; say it twice only to somebody who did not hear."""
        if self._hint is None and self._elapsed(seen) > self.limits.remind_s:
            self._hint = Hint.LOOK_AT_CAMERA

    def _parts(self, face: FaceView) -> dict[str, float]:
        """How far each movement has gone, in parts of its threshold; signed for yaw and pitch."""
        neutral, limits = self._known_neutral(), self.limits
        return {
            "yaw": (face.pose.yaw - neutral.yaw) / limits.yaw,
            "pitch": (face.pose.pitch - neutral.pitch) / limits.pitch,
            "mouth": (face.mouth - neutral.mouth) / limits.mouth,
        }

    def _known_neutral(self) -> _Neutral:
        if self._neutral is None:
            raise RuntimeError("no neutral before the baseline is done")
        return self._neutral

    # --- an action is asked for -------------------------------------------------

    def _asked(self, seen: Observation, face: FaceView) -> None:
        action = self.actions[self.step]
        if face.eye_distance_px < self.limits.min_turned_eye_distance_px:
            self._hint = Hint.TOO_FAR
            self._restart_hold()
        elif self._goes_wrong(seen, face, action):
            self._fail(Reason.WRONG_ACTION)
        elif action is Action.BLINK:
            self._judge_blink(seen, face)
        else:
            self._judge_movement(seen, face, action)
        if self.stage is Stage.ASKED and self._elapsed(seen) > self.limits.window_s:
            self._fail(Reason.TIMED_OUT)

    def _goes_wrong(self, seen: Observation, face: FaceView, action: Action) -> bool:
        """Another movement of the head, fully made and kept, while the asked one is not begun."""
        parts = self._parts(face)
        asked = _toward(action, parts)
        wrong = max(
            _toward(other, parts)
            for other in (Action.LEFT, Action.RIGHT, Action.UP, Action.DOWN)
            if other is not action
        )
        if wrong < 1.0 or asked >= self.limits.onset:
            self._wrong_since = None
            return False
        self._wrong_since = self._wrong_since or seen.at_ns
        return _seconds(self._wrong_since, seen.at_ns) >= self.limits.wrong_hold_s

    def _too_early(self, seen: Observation) -> bool:
        """Note the beginning of the reaction; nobody answers a prompt that fast."""
        if not self._begun:
            self._begun = True
            if self._elapsed(seen) < self.limits.reaction_s:
                self._fail(Reason.TOO_EARLY)
                return True
        return False

    def _judge_movement(self, seen: Observation, face: FaceView, action: Action) -> None:
        amount = _toward(action, self._parts(face))
        parallax = nose_parallax(self._known_neutral().rigid, face.rigid)
        if seen.faces == 1:
            self._turn.append((seen.at_ns, amount, parallax))
        if amount >= self.limits.onset and self._too_early(seen):
            return
        if amount < 1.0 or seen.faces > 1:
            self._restart_hold()
            return
        self._held_since = self._held_since or seen.at_ns
        if _seconds(self._held_since, seen.at_ns) >= self.limits.hold_s:
            self._judge_depth(seen, action)

    def _judge_depth(self, seen: Observation, action: Action) -> None:
        if action.axis == "face":
            self._complete(seen)
            return
        margin = self._margin(action)
        self.margins[action.axis] = min(margin, self.margins.get(action.axis, margin))
        if margin < 1.0 or not self._grew():
            self._fail(Reason.FLAT)
        else:
            self._complete(seen)

    def _margin(self, action: Action) -> float:
        """Parallax of the held frames over what their angle asks for."""
        limits = self.limits
        threshold = limits.yaw if action.axis == "yaw" else limits.pitch
        held = [(amount * threshold, parallax) for at, amount, parallax in self._held()]
        ratios = [parallax / self._needed(angle) for angle, parallax in held]
        return median(ratios)

    def _needed(self, angle: float) -> float:
        return self.limits.parallax + self.limits.parallax_per_degree * max(0.0, angle - 20.0)

    def _held(self) -> list[tuple[MonoNs, float, float]]:
        start = self._held_since
        return [one for one in self._turn if start is not None and one[0] >= start]

    def _grew(self) -> bool:
        """Depth shows gradually as a head turns; a picture that is swapped in does not grow."""
        held = median(parallax for _, _, parallax in self._held())
        small = [parallax for _, amount, parallax in self._turn if amount < self.limits.onset]
        return not small or median(small) <= self.limits.growth * held

    def _judge_blink(self, seen: Observation, face: FaceView) -> None:
        """Closed, then open again, slowly too; a chance blink right on the prompt is none."""
        if face.lids is None:
            return
        open_part = face.lids / max(self._known_neutral().lids, 1e-6)
        if open_part <= self.limits.blink:
            by_chance = self._held_since is None and self._elapsed(seen) < self.limits.reaction_s
            if not by_chance:
                self._held_since = self._held_since or seen.at_ns
        elif open_part >= self.limits.lids_open_again and self._held_since is not None:
            closed_s = _seconds(self._held_since, seen.at_ns)
            self._restart_hold()
            if self.limits.blink_min_s <= closed_s <= self.limits.blink_max_s:
                self._complete(seen)

    def _complete(self, seen: Observation) -> None:
        self.step += 1
        self._unproven = True
        self._next_step(seen)

    # --- the frames for the comparison -----------------------------------------

    def _final(self, seen: Observation, face: FaceView) -> None:
        """Count frontal frames of the proven face; the watcher keeps what it needs of them."""
        if self._is_still_ahead(face) and seen.identity is not None and seen.faces == 1:
            self.frontal_frames += 1
        else:
            self._remind(seen)
        if self.frontal_frames >= self.limits.frontal_frames:
            self.stage = Stage.PASSED
        elif self._elapsed(seen) > self.limits.window_s:
            self._fail(Reason.TIMED_OUT)

    def _is_still_ahead(self, face: FaceView) -> bool:
        parts = self._parts(face)
        return all(abs(part) <= self.limits.centre for part in parts.values())


def _neutral_of(faces: list[FaceView]) -> _Neutral:
    lids = [face.lids for face in faces if face.lids is not None]
    return _Neutral(
        yaw=median(face.pose.yaw for face in faces),
        pitch=median(face.pose.pitch for face in faces),
        mouth=median(face.mouth for face in faces),
        lids=median(lids) if lids else 0.0,
        rigid=np.mean([face.rigid for face in faces], axis=0),
    )


def _toward(action: Action, parts: dict[str, float]) -> float:
    """How far the asked movement has gone, 1.0 at its threshold."""
    match action:
        case Action.LEFT:
            return parts["yaw"]
        case Action.RIGHT:
            return -parts["yaw"]
        case Action.UP:
            return parts["pitch"]
        case Action.DOWN:
            return -parts["pitch"]
        case Action.MOUTH:
            return parts["mouth"]
        case Action.BLINK:
            return 0.0

"""The check in front of the camera, as pure code: observations in, prompts and a verdict out.

    FRAMING -> BASELINE -> for each action: CENTRE -> ASKED -> FINAL -> PASSED
                                    any of them -> FAILED, with reasons

FRAMING waits, patiently and with one hint at a time, for one well-lit face. BASELINE
learns this person's own neutral pose, lids and mouth. CENTRE waits until the person
looks ahead again, ASKED shows the prompt and judges the reaction. FINAL collects
frontal frames for the comparison and the portrait.

What makes it hard to cheat: the order is not known beforehand, a reaction that is too
quick or that was under way fails, every movement proves on its own frames who makes it,
no two neighbouring frames may show two faces, and a turn of the head must show depth.
Depth is judged by `nose_parallax` alone, on x and y: a flat picture, however tilted, stays
below 0.1 eye distances, a head passes it at 15 degrees and it grows with the angle. What
geometry cannot tell: a strongly bent print, and a film of the right person that answers
the prompts. Those need light, texture and people.
"""

from __future__ import annotations

from enum import Enum

from edge.domain.challenge import Action, Hint, Prompt, Reason, WatchProgress
from edge.domain.timebase import MonoNs
from edge.models.continuity import Continuity
from edge.models.movement import Blink, Done, Hold, Movement, Neutral, Stillness
from edge.models.observation import FaceView, Limits, Observation, seconds


class Stage(Enum):
    FRAMING = "framing"
    BASELINE = "baseline"
    CENTRE = "centre"
    ASKED = "asked"
    FINAL = "final"
    PASSED = "passed"
    FAILED = "failed"


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
        self._hint: Hint | None = Hint.NO_FACE
        self._began_ns: MonoNs | None = None
        self._stage_ns = MonoNs(0)
        self._track = 0
        self._steady: list[Observation] = []
        self._at_rest = Hold()
        self._neutral: Neutral | None = None
        self._continuity: Continuity | None = None
        self._movement: Movement | Blink | Stillness | None = None

    # --- what the watcher may ask ---------------------------------------------

    @property
    def finished(self) -> bool:
        return self.stage in (Stage.PASSED, Stage.FAILED)

    @property
    def wants_quality(self) -> bool:
        """What is behind the face and before it matters until there is a neutral."""
        return self._neutral is None

    @property
    def wants_lids(self) -> bool:
        """Lids are only measured where they count: they cost two inferences."""
        if self.stage in (Stage.FRAMING, Stage.BASELINE):
            return Action.BLINK in self.actions
        return isinstance(self._movement, Blink)

    @property
    def wants_patch(self) -> bool:
        """A turn or a nod is to be told from a fade."""
        return isinstance(self._movement, Movement) and self._movement.turns

    def wants_identity(self, seen: Observation) -> bool:
        """Whether this very observation should say how far its face is from the first one."""
        if seen.face is None or self._neutral is None or self._continuity is None:
            return False
        if self.stage is Stage.CENTRE:
            ahead = self._neutral.is_ahead(seen.face, self.limits)
            return ahead and self._continuity.unproven
        if self.stage is Stage.FINAL:
            return self._neutral.is_ahead(seen.face, self.limits)
        if self._movement and self._movement.wants_identity(seen, seen.face):
            return True
        return self._continuity.unproven

    @property
    def done(self) -> tuple[Action, ...]:
        return self.actions[: self.step]

    @property
    def evidence(self) -> float | None:
        """How clearly depth was seen: 0..1, 0.5 where it is just enough; `None` if not yet seen.

        With m the smallest ratio of measured to needed parallax over the turns so far:
        m / (1 + m). A try that passes without a turn on both axes has proven nothing: 0.
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

    # --- one observation -----------------------------------------------------

    def see(self, seen: Observation) -> WatchProgress:
        """Take in one frame and say what to show now. A face with a NaN in it is none."""
        if seen.face and not seen.face.is_sound:
            seen = Observation(seen.at_ns, faces=0)
        if self._began_ns is None:
            self._began_ns = self._stage_ns = seen.at_ns
        if self._neutral is None or self._continuity is None:
            self._prepare(seen, self._began_ns)
        elif not self.finished:
            self._judge(seen, self._neutral, self._continuity)
        return self.progress()

    def _judge(self, seen: Observation, neutral: Neutral, continuity: Continuity) -> None:
        run = continuity.run
        ahead = seen.face is not None and neutral.is_ahead(seen.face, self.limits)
        broken = continuity.see(seen, ahead=ahead)
        if broken:
            self._fail(broken)
            return
        if continuity.run != run:
            self._restart()
        self._hint = self._running_hint(seen)
        if seen.face is None or self._hint:
            self._interrupt()
        elif self.stage is Stage.CENTRE:
            self._centre(seen, seen.face, neutral, continuity)
        elif self.stage is Stage.ASKED:
            self._asked(seen, seen.face, continuity)
        elif self.stage is Stage.FINAL:
            self._final(seen, seen.face, neutral)
        if not self.finished and self._elapsed_s(seen) > self.limits.window_s:
            self._fail(Reason.TIMED_OUT)

    def _running_hint(self, seen: Observation) -> Hint | None:
        if seen.face is None:
            return Hint.NO_FACE
        if seen.faces > 1:
            return Hint.TWO_FACES
        too_far = seen.face.eye_distance_px < self.limits.min_turned_eye_distance_px
        return Hint.TOO_FAR if too_far else None

    def _interrupt(self) -> None:
        self._at_rest.since = None
        if self._movement:
            self._movement.interrupt()

    def _restart(self) -> None:
        self._at_rest.since = None
        if self._movement:
            self._movement.restart()

    def _enter(self, stage: Stage, seen: Observation) -> None:
        self.stage, self._stage_ns = stage, seen.at_ns
        self._at_rest = Hold()
        self._movement = None

    def _fail(self, reason: Reason) -> None:
        self.stage, self.reasons, self._hint = Stage.FAILED, (reason,), None

    def _elapsed_s(self, seen: Observation) -> float:
        return seconds(self._stage_ns, seen.at_ns)

    # --- framing and baseline -------------------------------------------------

    def _prepare(self, seen: Observation, began_ns: MonoNs) -> None:
        if self.finished:
            return
        self._hint = self._quality(seen)
        same = seen.track == self._track and seen.seam <= self.limits.seam
        usable = self._hint in (None, Hint.LOOK_AT_CAMERA) and same
        self._track = seen.track
        if seconds(began_ns, seen.at_ns) > self.limits.framing_s:
            self._fail(Reason.TIMED_OUT if seen.face else Reason.FACE_LOST)
        elif not usable:
            self._steady = []
            self._enter(Stage.FRAMING, seen)
        else:
            if self.stage is Stage.FRAMING:
                self._enter(Stage.BASELINE, seen)
            self._learn(seen)

    def _quality(self, seen: Observation) -> Hint | None:
        """The one thing to mend first."""
        face, limits = seen.face, self.limits
        if face is None:
            return Hint.COVERED if seen.blank else Hint.NO_FACE
        checks = (
            (seen.faces > 1, Hint.TWO_FACES),
            (face.width > limits.max_face_width, Hint.TOO_NEAR),
            (face.eye_distance_px < limits.min_eye_distance_px, Hint.TOO_FAR),
            (max(map(abs, face.off_centre)) > limits.max_off_centre, Hint.OFF_CENTRE),
            (face.brightness < limits.min_brightness, Hint.TOO_DARK),
            (face.brightness > limits.max_brightness, Hint.TOO_BRIGHT),
            (self._is_dazzled(face), Hint.BACKLIGHT),
            (face.sharpness < limits.min_sharpness, Hint.BLURRED),
            (abs(face.pose.yaw) > limits.max_neutral_yaw, Hint.LOOK_AT_CAMERA),
            (abs(face.pose.pitch) > limits.max_neutral_pitch, Hint.LOOK_AT_CAMERA),
            (face.lips < limits.min_lips or face.eyes < limits.min_eyes, Hint.COVERED),
        )
        return next((hint for bad, hint in checks if bad), None)

    def _is_dazzled(self, face: FaceView) -> bool:
        glare = max(self.limits.min_glare, self.limits.backlight * face.brightness)
        return face.behind > glare

    def _learn(self, seen: Observation) -> None:
        """Wait for a short while without movement and take it as this person's neutral."""
        self._steady = [] if self._hint else [*self._steady, seen]
        if not self._steady:
            return
        if not self._is_still():
            self._steady = [seen]
        lasted_s = seconds(self._steady[0].at_ns, seen.at_ns)
        if lasted_s >= self.limits.baseline_s and len(self._steady) >= self.limits.baseline_frames:
            self._neutral = Neutral.of([one.face for one in self._steady if one.face])
            self._continuity = Continuity(self.limits, seen.track)
            self._next_step(seen)

    def _is_still(self) -> bool:
        faces = [one.face for one in self._steady if one.face]
        yaws = [face.pose.yaw for face in faces]
        pitches = [face.pose.pitch for face in faces]
        spread = max(max(yaws) - min(yaws), max(pitches) - min(pitches))
        return spread <= self.limits.max_neutral_spread

    def _next_step(self, seen: Observation) -> None:
        last = self.step >= len(self.actions)
        self._enter(Stage.FINAL if last else Stage.CENTRE, seen)

    # --- the actions, and the frames for the comparison -------------------------

    def _centre(
        self, seen: Observation, face: FaceView, neutral: Neutral, continuity: Continuity
    ) -> None:
        """Ask for the next movement once the face, proven, has rested for a moment."""
        ahead = neutral.is_ahead(face, self.limits)
        rested = self._at_rest.lasts(seen, ahead, self.limits.centre_s)
        if rested and not continuity.unproven:
            self._enter(Stage.ASKED, seen)
            self._movement = self._expect(self.actions[self.step], neutral, seen.at_ns)
        elif not ahead:
            self._remind(seen)

    def _expect(
        self, action: Action, neutral: Neutral, at_ns: MonoNs
    ) -> Movement | Blink | Stillness:
        if action is Action.STILL:
            return Stillness(neutral, self.limits)
        if action is Action.BLINK:
            return Blink(neutral, self.limits, at_ns)
        return Movement(action, neutral, self.limits, at_ns)

    def _asked(self, seen: Observation, face: FaceView, continuity: Continuity) -> None:
        movement = self._movement
        judgement = movement.see(seen, face) if movement else None
        if movement and movement.margin is not None:
            axis = self.actions[self.step].axis
            self.margins[axis] = min(movement.margin, self.margins.get(axis, movement.margin))
        if movement and movement.needs_rest:
            self._hint = Hint.LOOK_AT_CAMERA
        elif movement and not movement.begun and self._is_time_to_repeat(seen):
            self._hint = Hint.AGAIN
        if isinstance(judgement, Reason):
            self._fail(judgement)
        elif judgement is Done.DONE:
            self.step += 1
            continuity.ask()
            self._next_step(seen)

    def _is_time_to_repeat(self, seen: Observation) -> bool:
        late_s = self._elapsed_s(seen) - self.limits.again_s
        return 0.0 <= late_s < self.limits.again_for_s

    def _final(self, seen: Observation, face: FaceView, neutral: Neutral) -> None:
        """Count frontal frames of the proven face; the watcher keeps what it needs of them."""
        proven = seen.identity is not None and seen.identity <= self.limits.same_person
        if neutral.is_ahead(face, self.limits) and proven:
            self.frontal_frames += 1
        else:
            self._remind(seen)
        if self.frontal_frames >= self.limits.frontal_frames:
            self.stage = Stage.PASSED

    def _remind(self, seen: Observation) -> None:
        """The prompt says it already; say it twice only to somebody who did not hear."""
        if self._elapsed_s(seen) > self.limits.remind_s:
            self._hint = Hint.LOOK_AT_CAMERA

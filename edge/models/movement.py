"""Whether an asked movement was made: by this person, in time, and with the depth of a head."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum
from statistics import mean, median

import numpy as np

from edge.domain.challenge import Action, Reason
from edge.domain.timebase import MonoNs
from edge.models.geometry import nose_parallax
from edge.models.mixture import Patch, left_over
from edge.models.observation import FaceView, Limits, Observation, seconds
from edge.models.preprocess import Points

HEAD_MOVEMENTS = (Action.LEFT, Action.RIGHT, Action.UP, Action.DOWN)


class Done(Enum):
    """The movement was made as asked."""

    DONE = "done"


Judgement = Done | Reason | None


@dataclass(frozen=True, slots=True)
class Neutral:
    """How this person looks when looking ahead; `rigid` as in `FaceView`."""

    yaw: float
    pitch: float
    mouth: float
    lids: float
    rigid: Points = field(repr=False)

    @classmethod
    def of(cls, faces: list[FaceView]) -> Neutral:
        """The medians of a short while without movement."""
        lids = [face.lids for face in faces if face.lids is not None]
        return cls(
            yaw=median(face.pose.yaw for face in faces),
            pitch=median(face.pose.pitch for face in faces),
            mouth=median(face.mouth for face in faces),
            lids=median(lids) if lids else 0.0,
            rigid=np.mean([face.rigid for face in faces], axis=0),
        )

    def amounts(self, face: FaceView, limits: Limits) -> dict[Action, float]:
        """How far each movement has gone from here; 1.0 at its threshold.

        A mouth seen from aside is narrower, and its height over its width larger for that.
        """
        yaw = (face.pose.yaw - self.yaw) / limits.yaw
        narrower = math.cos(math.radians(face.pose.yaw - self.yaw))
        pitch = (face.pose.pitch - self.pitch) / limits.pitch
        return {
            Action.LEFT: yaw,
            Action.RIGHT: -yaw,
            Action.UP: pitch,
            Action.DOWN: -pitch,
            Action.MOUTH: (face.mouth * narrower - self.mouth) / limits.mouth,
            Action.BLINK: 0.0,
        }

    def is_ahead(self, face: FaceView, limits: Limits) -> bool:
        return all(amount <= limits.centre for amount in self.amounts(face, limits).values())


class Hold:
    """How long something has been so without a break."""

    def __init__(self) -> None:
        self.since: MonoNs | None = None

    def lasts(self, seen: Observation, so: bool, needed_s: float) -> bool:
        if not so:
            self.since = None
            return False
        self.since = seen.at_ns if self.since is None else self.since
        return seconds(self.since, seen.at_ns) >= needed_s


class Proofs:
    """Who makes a movement: the nearest of its own frames, against the first frontal one.

    The nearest, because a face far turned away is like nobody; how far it is turned is up to
    the person. That the others are not somebody else's is what `Continuity` sees to.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._taken: list[tuple[MonoNs, float]] = []

    def forget(self) -> None:
        self._taken = []

    def wants(self, at_ns: MonoNs) -> bool:
        """Not every frame: one costs more than all the rest of what is done with a frame."""
        if not self._taken:
            return True
        return seconds(self._taken[-1][0], at_ns) >= self._limits.proof_every_s

    def take(self, seen: Observation) -> None:
        if seen.identity is not None:
            self._taken.append((seen.at_ns, seen.identity))

    @property
    def given(self) -> bool:
        return len(self._taken) >= self._limits.proofs and self._nearest <= self._limits.same_person

    @property
    def denied(self) -> bool:
        """Whether twice as many frames as would prove it are all of somebody else."""
        many = len(self._taken) >= 2 * self._limits.proofs
        return many and self._nearest > self._limits.other_person

    @property
    def _nearest(self) -> float:
        return mean(sorted(identity for _, identity in self._taken)[: self._limits.proofs])


@dataclass(frozen=True, slots=True)
class Sample:
    """One frame of a movement; `rigid` as in `FaceView`, `patch` as in `Observation`."""

    at_ns: MonoNs
    amount: float
    rigid: Points = field(repr=False)
    patch: Patch | None = field(repr=False)


class Movement:
    """One head or mouth movement, from its prompt until it is done or wrong.

    It counts as one piece only: from near the neutral to the end of the hold without a
    break in between, and by somebody who is proven while it is held.
    """

    def __init__(self, action: Action, neutral: Neutral, limits: Limits, asked_ns: MonoNs) -> None:
        self.margin: float | None = None  # measured over needed parallax, once judged
        self._action = action
        self._neutral = neutral
        self._limits = limits
        self._asked_ns = asked_ns
        self._begun = False
        self._held = Hold()
        self._wrong = Hold()
        self._proofs = Proofs(limits)
        self._samples: list[Sample] = []

    @property
    def begun(self) -> bool:
        return self._begun

    @property
    def turns(self) -> bool:
        """Whether it is a turn or a nod of the head."""
        return self._action.axis != "face"

    @property
    def needs_rest(self) -> bool:
        """Whether the beginning was not seen in one piece, so that it has to be made again."""
        return not self._early() or self._skips

    @property
    def _skips(self) -> bool:
        """Whether the head was never seen turning: one photograph after the other never is.

        Where frames are rare a quick head is not, either.
        """
        since = self._held.since
        if not self.turns or since is None:
            return False
        before = [sample for sample in self._samples if sample.at_ns < since]
        if not before or self._turned(before, since):
            return False
        return seconds(before[-1].at_ns, since) <= self._limits.skip_s

    def _turned(self, before: list[Sample], since: MonoNs) -> bool:
        """Whether the last way from the middle to the hold was seen, and was no fade."""
        limits = self._limits
        starts = [n for n, sample in enumerate(before) if sample.amount <= limits.centre]
        way = before[starts[-1] + 1 :] if starts else before
        if not any(sample.amount < 1.0 for sample in way):
            return False
        held = next(sample for sample in self._samples if sample.at_ns >= since)
        return not starts or not self._fades(before[starts[-1]], way, held)

    def _fades(self, start: Sample, way: list[Sample], held: Sample) -> bool:
        between = [sample.patch for sample in way if sample.patch is not None]
        if start.patch is None or held.patch is None or not between:
            return False
        left = left_over(between, start.patch, held.patch)
        return left is not None and left < self._limits.mixture

    def wants_identity(self, seen: Observation, face: FaceView) -> bool:
        amount = self._neutral.amounts(face, self._limits)[self._action]
        return amount >= self._limits.onset and self._proofs.wants(seen.at_ns)

    def see(self, seen: Observation, face: FaceView) -> Judgement:
        amounts = self._neutral.amounts(face, self._limits)
        amount = amounts[self._action]
        if self._goes_wrong(seen, amounts):
            return Reason.WRONG_ACTION
        if self._begins_too_early(seen, amount):
            return Reason.TOO_EARLY
        self._samples.append(Sample(seen.at_ns, amount, face.rigid, seen.patch))
        if amount < self._limits.onset:
            self._proofs.forget()
        lasts = self._held.lasts(seen, amount >= 1.0, self._limits.hold_s)
        self._proofs.take(seen)
        return self._judge_held() if lasts and not self.needs_rest else None

    def interrupt(self) -> None:
        """What was held so far does not count: the face was away or not alone."""
        self._held.since = None
        self._proofs.forget()

    def restart(self) -> None:
        """Nothing seen so far counts: it may have been another face."""
        self.interrupt()
        self._samples = []

    def _goes_wrong(self, seen: Observation, amounts: dict[Action, float]) -> bool:
        """Another movement of the head fully made and kept, the asked one not even begun."""
        wrong = max(amounts[other] for other in HEAD_MOVEMENTS if other is not self._action)
        so = wrong >= 1.0 and amounts[self._action] < self._limits.onset
        return self._wrong.lasts(seen, so, self._limits.wrong_hold_s)

    def _begins_too_early(self, seen: Observation, amount: float) -> bool:
        """Nobody answers a prompt that fast: the movement was under way before it."""
        if self._begun or amount < self._limits.onset:
            return False
        self._begun = True
        return seconds(self._asked_ns, seen.at_ns) < self._limits.reaction_s

    def _judge_held(self) -> Judgement:
        """Depth only of somebody who is proven."""
        if self._proofs.given:
            return self._judge_depth()
        return Reason.FACE_CHANGED if self._proofs.denied else None

    def _judge_depth(self) -> Judgement:
        if not self.turns:
            return Done.DONE
        held = [sample for sample in self._samples if sample.at_ns >= (self._held.since or 0)]
        depths = [self._parallax(sample.rigid) for sample in held]
        needed = [self._needed(sample.amount) for sample in held]
        self.margin = median(depth / need for depth, need in zip(depths, needed, strict=True))
        deep = self.margin >= 1.0 and self._grew(median(depths))
        return Done.DONE if deep else Reason.FLAT

    def _needed(self, amount: float) -> float:
        limits = self._limits
        angle = amount * (limits.yaw if self._action.axis == "yaw" else limits.pitch)
        return limits.parallax + limits.parallax_per_degree * max(0.0, angle - limits.yaw)

    def _grew(self, held_parallax: float) -> bool:
        """Depth comes gradually as a head turns; with a picture swapped in it does not grow."""
        early = median(self._parallax(rigid) for rigid in self._early())
        return early <= self._limits.growth * held_parallax

    def _early(self) -> list[Points]:
        """The face near the neutral, before the hold and in one piece with it."""
        return [one.rigid for one in self._samples if one.amount < self._limits.onset]

    def _parallax(self, rigid: Points) -> float:
        """Only worked out once a movement is judged: it costs as much as a cut-out."""
        return nose_parallax(self._neutral.rigid, rigid)


class Blink:
    """Both eyes closed and open again, slowly too; a chance blink on the prompt is none."""

    margin: float | None = None
    needs_rest = begun = False

    def __init__(self, neutral: Neutral, limits: Limits, asked_ns: MonoNs) -> None:
        self._neutral = neutral
        self._limits = limits
        self._asked_ns = asked_ns
        self._closed_ns: MonoNs | None = None
        self._wrong = Hold()
        self._proofs = Proofs(limits)

    def wants_identity(self, seen: Observation, face: FaceView) -> bool:
        """Of the closed eyes, and of the ones that open again."""
        if self._closed_ns is None:
            return face.lids is not None and self._open_part(face.lids) <= self._limits.blink
        return self._proofs.wants(seen.at_ns) or self._opens(face)

    def see(self, seen: Observation, face: FaceView) -> Judgement:
        amounts = self._neutral.amounts(face, self._limits)
        turned = max(amounts[other] for other in HEAD_MOVEMENTS) >= 1.0
        if self._wrong.lasts(seen, turned, self._limits.wrong_hold_s):
            return Reason.WRONG_ACTION
        if face.lids is None:
            return None
        return self._judge_lids(seen, self._open_part(face.lids))

    def _open_part(self, lids: float) -> float:
        return lids / max(self._neutral.lids, 1e-6)

    def _opens(self, face: FaceView) -> bool:
        return face.lids is not None and self._open_part(face.lids) >= self._limits.lids_open_again

    def interrupt(self) -> None:
        """An eye that closed before the break need not be the one that opens after it."""
        self._closed_ns = None

    def restart(self) -> None:
        """Nothing seen so far counts: it may have been another face."""
        self.interrupt()

    def _judge_lids(self, seen: Observation, open_part: float) -> Judgement:
        if open_part <= self._limits.blink:
            self._closes(seen)
            return None
        if self._closed_ns is None:
            return None
        self._proofs.take(seen)
        if open_part < self._limits.lids_open_again:
            return None
        closed_s = seconds(self._closed_ns, seen.at_ns)
        self._closed_ns = None
        fits = self._limits.blink_min_s <= closed_s <= self._limits.blink_max_s
        return Done.DONE if fits and self._proofs.given else None

    def _closes(self, seen: Observation) -> None:
        if self._closed_ns is None:
            if seconds(self._asked_ns, seen.at_ns) < self._limits.reaction_s:
                return
            self._closed_ns = seen.at_ns
            self._proofs.forget()
        self._proofs.take(seen)


class Stillness:
    """No movement for a while, by somebody who is proven. Lids and lips are nobody's fault."""

    margin: float | None = None
    needs_rest, begun = False, True

    def __init__(self, neutral: Neutral, limits: Limits) -> None:
        self._neutral = neutral
        self._limits = limits
        self._rest = Hold()
        self._wrong = Hold()
        self._proofs = Proofs(limits)

    def wants_identity(self, seen: Observation, face: FaceView) -> bool:  # noqa: ARG002
        return self._proofs.wants(seen.at_ns) and not self._proofs.given

    def see(self, seen: Observation, face: FaceView) -> Judgement:
        """A little unrest begins the while anew, a whole movement is one too many."""
        amounts = self._neutral.amounts(face, self._limits)
        moved = max(amounts[action] for action in HEAD_MOVEMENTS)
        if self._wrong.lasts(seen, moved >= 1.0, self._limits.wrong_hold_s):
            return Reason.WRONG_ACTION
        self._proofs.take(seen)
        rested = self._rest.lasts(seen, moved < self._limits.onset, self._limits.still_s)
        return Done.DONE if rested and self._proofs.given else None

    def interrupt(self) -> None:
        """What was not seen was not still."""
        self._rest.since = None

    def restart(self) -> None:
        """Nothing seen so far counts: it may have been another face."""
        self.interrupt()
        self._proofs.forget()

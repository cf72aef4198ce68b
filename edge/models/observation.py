"""What the check is told of each frame, and every number it decides by."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from edge.domain.timebase import NS_PER_S, MonoNs
from edge.models.geometry import Pose
from edge.models.mixture import Patch
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
    backlight: float = 2.2  # what is behind is so many times brighter than the face
    min_glare: float = 150.0  # grey; darker surroundings dazzle no camera
    min_lips: float = 0.03  # `quality.lips_and_eyes`
    min_eyes: float = 0.45
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
    mouth: float = 0.15  # over the own mouth at rest; drawn mouths reached as little as 0.16
    blink: float = 0.6  # of the own open lids
    lids_open_again: float = 0.8
    blink_min_s: float = 0.03
    blink_max_s: float = 3.0
    onset: float = 0.5  # of the threshold: from here a movement counts as begun
    centre: float = 0.4  # of the threshold: within this the head looks ahead
    centre_s: float = 0.15
    remind_s: float = 2.0
    reaction_s: float = 0.25  # nobody reacts sooner to a prompt
    window_s: float = 8.0  # patient with old people; per action, and to come back to the middle
    hold_s: float = 0.25
    wrong_hold_s: float = 0.15
    skip_s: float = 0.14  # in which a head is not at rest and turned without a frame in between
    mixture: float = 0.35  # left over by the ends of a turn, see `mixture.left_over`
    again_s: float = 4.0  # without a beginning: the prompt is given once more
    again_for_s: float = 1.5
    still_s: float = 1.2
    # Depth
    parallax: float = 0.10  # eye distances, at 20 degrees; a flat print stayed below 0.08
    parallax_per_degree: float = 0.005  # more is asked for beyond 20 degrees
    growth: float = 0.6  # parallax in the first part of a turn, at most this part of the held one
    # The same person all the time
    loss_s: float = 0.3
    losses: int = 1
    # Between directions of embeddings, 0..2. The two nearest frames of a movement lie, on
    # development data, at most 0.31 from the first frontal frame for 11 of 12 people (0.37 for
    # one), and those of somebody else at least 0.354: of 21,321 pairs 4 were nearer than 0.36.
    same_person: float = 0.36  # proves who it is
    other_person: float = 0.48  # ends the try: one frontal frame, or all of a movement, beyond it
    # Between whole embeddings:
    seam: float = 0.5  # from frame to frame; one person reached 0.36, two portraits began at 0.62
    proofs: int = 2  # frames of each movement that say who made it
    proof_every_s: float = 0.1  # while a movement is held: each costs two inferences
    jump: float = 10.0  # degrees between two frames that need no explanation
    jump_per_s: float = 300.0  # a real, quick turn reached 220
    # The comparison
    frontal_frames: int = 5  # as many as the comparison was measured with

    @classmethod
    def slow(cls) -> Limits:
        """More time for everything, and no movement any smaller: whoever wants to cheat can ask
        for this pace as well."""
        return cls(framing_s=90.0, window_s=12.0, again_s=6.0, blink_max_s=5.0)


@dataclass(frozen=True, slots=True)
class FaceView:
    """One face on one frame. `off_centre` is x, y and `width` in parts of the picture."""

    pose: Pose
    eye_distance_px: float
    mouth: float
    lids: float | None  # mean of both eyes; only when the check wants it
    off_centre: tuple[float, float]
    width: float
    brightness: float
    sharpness: float
    rigid: Points = field(repr=False)  # (12, 2) from `geometry.rigid_points`
    # Only where the check wants them:
    behind: float = 0.0  # mean grey beside the face
    lips: float = 1.0  # `quality.lips_and_eyes`
    eyes: float = 1.0

    @property
    def is_sound(self) -> bool:
        """Whether every number is one: a NaN would slip through most comparisons."""
        pose = (self.pose.yaw, self.pose.pitch, self.pose.roll)
        light = (self.brightness, self.sharpness, self.behind, self.lips, self.eyes)
        lids = () if self.lids is None else (self.lids,)
        numbers = (*pose, self.eye_distance_px, self.mouth, *lids, *self.off_centre, self.width)
        return all(map(math.isfinite, (*numbers, *light))) and bool(np.isfinite(self.rigid).all())


@dataclass(frozen=True, slots=True)
class Observation:
    """One frame, judged.

    `identity` is how far the direction of its embedding is from the first frontal frame's, if
    asked for; `seam` the distance to the frame before, 0 where the two are alike at a glance
    (see `seam.Seam`); `patch` what lies where the face was when a movement was asked for.
    """

    at_ns: MonoNs
    faces: int
    track: int = 0
    face: FaceView | None = None
    identity: float | None = None
    seam: float = 0.0
    patch: Patch | None = field(repr=False, default=None)
    blank: bool = False  # nothing to be seen at all: something is before the lens


def seconds(start: MonoNs, end: MonoNs) -> float:
    return (end - start) / NS_PER_S

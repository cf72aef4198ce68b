"""What the check is told of each frame, and every number it decides by."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from edge.domain.timebase import NS_PER_S, MonoNs
from edge.models.geometry import Pose
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
    # Distances of embeddings. To the first frontal frame a real turn reached 0.51 at 50 degrees
    # and drawn heads 0.48; another drawn head, turned, came down to 0.59.
    same_person: float = 0.55  # proves who it is; the median of a held movement must, too
    other_person: float = 0.6  # one frame beyond this ends the try
    seam: float = 0.5  # from frame to frame; one person reached 0.36, two portraits began at 0.62
    proofs: int = 2  # frames of each movement that say who made it, at least
    proof_every_s: float = 0.1  # while a movement is held: each costs two inferences
    jump: float = 10.0  # degrees between two frames that need no explanation
    jump_per_s: float = 300.0  # a real, quick turn reached 220
    # The comparison
    frontal_frames: int = 8


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

    @property
    def is_sound(self) -> bool:
        """Whether every number is one: a NaN would slip through most comparisons."""
        pose = (self.pose.yaw, self.pose.pitch, self.pose.roll)
        light = (self.brightness, self.sharpness)
        lids = () if self.lids is None else (self.lids,)
        numbers = (*pose, self.eye_distance_px, self.mouth, *lids, *self.off_centre, self.width)
        return all(map(math.isfinite, (*numbers, *light))) and bool(np.isfinite(self.rigid).all())


@dataclass(frozen=True, slots=True)
class Observation:
    """One frame, judged.

    `identity` is the distance to the first frontal frame, if asked for; `seam` the one to
    the frame before, 0 where the two are alike at a glance (see `seam.Seam`).
    """

    at_ns: MonoNs
    faces: int
    track: int = 0
    face: FaceView | None = None
    identity: float | None = None
    seam: float = 0.0


def seconds(start: MonoNs, end: MonoNs) -> float:
    return (end - start) / NS_PER_S

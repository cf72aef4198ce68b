"""Parallax against angle for each kind, read by the public mesh; for the report's picture only.

No prompt of the check is needed: every scene is asked to turn and to nod once, and each frame
is compared with its own first ones, as `edge.models.movement` does.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edge.domain.challenge import Prompt
from edge.evaluate.campaign import GENERATORS, LIVE, Company
from edge.evaluate.scenes.attacks import BENT_RADII
from edge.evaluate.scenes.cast import Group, Show, in_turn
from edge.evaluate.scenes.sitters import Sitter
from edge.models import geometry
from edge.models.faces import Follower
from edge.models.preprocess import Points

KINDS = (LIVE, "flat_print", "flat_screen", *(f"bent_print_{radius}" for radius in BENT_RADII))
SHOTS = ((Prompt.LOOK_AHEAD, 0.8), (Prompt.LEFT, 2.2), (Prompt.LOOK_AHEAD, 2.0), (Prompt.UP, 2.2))
RESTING_FRAMES = 5

Cloud = list[tuple[str, float, float]]
"""Axis, apparent angle in degrees, parallax in eye distances."""


def clouds(company: Company, seeds: Sequence[int]) -> dict[str, Cloud]:
    sitters = [one for one in company.sitters() if one.photo in company.players]
    return {kind: cloud(kind, sitters, company.models_dir, seeds) for kind in KINDS}


def cloud(kind: str, sitters: Sequence[Sitter], models_dir: Path, seeds: Sequence[int]) -> Cloud:
    follower, found = Follower(models_dir), Cloud()
    for seed in seeds:
        rng = np.random.default_rng([zlib.crc32(f"{kind} depth".encode()), seed])
        cast = in_turn(sitters, seed)
        group = Group(cast, sitters, np.random.default_rng([zlib.crc32(b"depth"), seed]))
        found += _of_show(GENERATORS[kind](group, rng), follower)
    return found


def _of_show(show: Show, follower: Follower) -> Cloud:
    follower.forget()
    rest: list[tuple[geometry.Pose, Points]] = []
    found, at_s = Cloud(), 0.0
    for prompt, lasts_s in SHOTS:
        for number in range(round(lasts_s * show.fps)):
            at_s += 1 / show.fps
            mesh = follower.look(show.draw(prompt, number / show.fps, at_s)).mesh
            if mesh is None:
                continue
            seen = geometry.pose_of(mesh.points), geometry.rigid_points(mesh.points)
            if len(rest) < RESTING_FRAMES:
                rest.append(seen)
            elif prompt is not Prompt.LOOK_AHEAD:
                found.append(
                    _against(rest, *seen, axis="yaw" if prompt is Prompt.LEFT else "pitch")
                )
    return found


def _against(
    rest: list[tuple[geometry.Pose, Points]],
    pose: geometry.Pose,
    rigid: Points,
    axis: str,
) -> tuple[str, float, float]:
    neutral = np.median([getattr(one, axis) for one, _ in rest])
    own = np.mean([points for _, points in rest], axis=0)
    return axis, abs(getattr(pose, axis) - float(neutral)), geometry.nose_parallax(own, rigid)

"""The extra layers, each apart: what it says of the living and of each kind of attack.

Screen light is asked before the physical simulator (`edge.evaluate.light`), camera truth on
streams of a drawn sensor and of what is fed in instead of one. Counts, never a mean over kinds.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from edge.domain.record import LayerState
from edge.domain.timebase import MonoNs
from edge.evaluate import light
from edge.models.camera_truth import CameraTruth
from edge.models.layers import OF_LIGHT
from edge.models.preprocess import Image

HALLS = (0.3, 0.15, 0.05, 0.01)  # the screen's light on a nose over the hall's
SESSIONS, FRAMES, STEP_NS = 10, 60, 50_000_000


def measure(seed: int) -> dict[str, dict[str, dict[str, int]]]:
    """layer -> kind -> state -> count."""
    return {"screen_light": _screen_light(seed), "camera_truth": _camera_truth(seed)}


def _counts(states: Counter[LayerState]) -> dict[str, int]:
    return {state.value: states[state] for state in LayerState if state is not LayerState.OFF}


def _screen_light(seed: int) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for kind in light.KINDS:
        states: Counter[LayerState] = Counter()
        for ratio in HALLS:
            for answer, count in light.campaign(kind, light.Hall(ratio), SESSIONS, seed).items():
                states[OF_LIGHT[answer]] += count
        found["live" if kind == "head" else kind] = _counts(states)
    return found


def _camera_truth(seed: int) -> dict[str, dict[str, int]]:
    return {
        kind: _counts(Counter(_told(feed, seed + number) for number in range(SESSIONS)))
        for kind, feed in _FEEDS.items()
    }


def _told(feed: Callable[[Iterator[Image]], Iterator[Image]], seed: int) -> LayerState:
    truth = CameraTruth()
    for number, image in enumerate(itertools.islice(feed(_sensor(seed)), FRAMES)):
        truth.see(image, MonoNs(number * STEP_NS))
    if truth.doubts:
        return LayerState.SUSPICIOUS
    return LayerState.CONSISTENT if truth.can_tell else LayerState.ABSTAINED


def _sensor(seed: int) -> Iterator[Image]:
    rng = np.random.default_rng(seed)
    scene = rng.uniform(20, 220, (120, 160, 3))
    while True:
        noisy: Any = scene + rng.normal(0, 1.0, scene.shape)
        yield np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


_FEEDS: dict[str, Callable[[Iterator[Image]], Iterator[Image]]] = {
    "live": lambda frames: frames,
    "injected_still": lambda frames: itertools.repeat(next(frames)),
    "looped": lambda frames: itertools.cycle(list(itertools.islice(frames, 20))),
    "repeated": lambda frames: (image for one in frames for image in (one, one, one)),
}

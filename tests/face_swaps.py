"""Two people before one camera, cut against each other frame by frame, and honest residents.

The cuts are as good as cuts can be: both heads are drawn at the same place and size, and the
picture changes from one frame to the next. `victim` is on the card, `helper` does the work.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from edge.domain.challenge import Action, Prompt
from edge.domain.record import Verdict
from edge.drivers.sim import head, portrait
from edge.drivers.sim.resident import Sensor, sway_deg
from edge.models.preprocess import picture_of
from edge.models.watcher import Watcher
from tests.helpers_models import PromptedCamera, watch

Image = np.ndarray
SPECS = {"astronaut": portrait.ASTRONAUT, "admiral": portrait.ADMIRAL}
PAIRS = (("astronaut", "admiral"), ("admiral", "astronaut"))
RATES = (10, 20, 30)
SIZE = (640, 480)
REST = (0.0, 0.0, 0.0, 0.0)
POSES = {  # yaw, pitch, lids, mouth; large enough that nobody fails for doing too little
    Prompt.LEFT: (33.0, 0.0, 0.0, 0.0),
    Prompt.RIGHT: (-33.0, 0.0, 0.0, 0.0),
    Prompt.UP: (0.0, 27.0, 0.0, 0.0),
    Prompt.DOWN: (0.0, -24.0, 0.0, 0.0),
    Prompt.MOUTH: (0.0, 0.0, 0.0, 1.0),
    Prompt.BLINK: (0.0, 0.0, 1.0, 0.0),
}
ASKED = tuple(POSES)
RESTING = (Prompt.FRAME_FACE, Prompt.LOOK_AHEAD)


@dataclass
class Body:
    """Moves as prompted, with a person's reaction time, speed and unrest."""

    rng: np.random.Generator
    pose: np.ndarray = field(default_factory=lambda: np.array(REST))

    def __post_init__(self) -> None:
        self.reaction_s = self.rng.uniform(0.35, 1.1)
        self.speed = self.rng.uniform(40.0, 100.0)
        self.blink_s = self.rng.uniform(0.3, 0.6)

    def move(self, prompt: Prompt, since_s: float, step_s: float) -> None:
        late_s = since_s - self.reaction_s
        target = np.array(POSES.get(prompt, REST)) if late_s > 0 else self.pose
        if prompt is Prompt.BLINK and late_s > self.blink_s:
            target = np.array(REST)
        reach = np.array([self.speed, self.speed, 12.0, 5.0]) * step_s
        self.pose = self.pose + np.clip(target - self.pose, -reach, reach)

    def drawn_pose(self, at_s: float) -> head.Pose:
        yaw, pitch = sway_deg(int(at_s * 1e9))
        return head.Pose(self.pose[0] + yaw, self.pose[1] + pitch, self.pose[2], self.pose[3])

    def amount(self, prompt: Prompt) -> float:
        """How far the asked movement has gone, 0..1."""
        whole = np.abs(POSES.get(prompt, REST)).max()
        return float(np.abs(self.pose).max() / whole) if whole else 0.0


@dataclass
class Stage:
    """What an attack decides by, at one frame. `shown` counts the prompts for movements."""

    prompt: Prompt
    shown: int
    amount: float  # of the asked movement
    at_rest: bool


Cut = Callable[[Stage], bool]
"""Whether the helper is to be seen on this frame."""


def always_for_movements(stage: Stage) -> bool:
    return stage.prompt in ASKED


def under_way(stage: Stage) -> bool:
    """Cut in only when the movement has gone a third of its way, and out with its prompt."""
    return stage.prompt in ASKED and stage.amount > 0.35


def at_the_end(stage: Stage) -> bool:
    """Cut in at nearly the whole movement."""
    return stage.prompt in ASKED and stage.amount > 0.9


def until_back(stage: Stage) -> bool:
    """The helper also comes back to the middle; the cut is between two faces that look ahead."""
    return stage.prompt in ASKED or (stage.shown > 0 and not stage.at_rest)


def from_first_prompt_on(stage: Stage) -> bool:
    return stage.shown > 0


def one_movement(number: int) -> Cut:
    return lambda stage: stage.prompt in ASKED and stage.shown == number


def during_return(number: int) -> Cut:
    """The victim makes the first movements; on a way back to the middle the helper takes over."""

    def cut(stage: Stage) -> bool:
        returning = stage.shown == number and stage.prompt in RESTING
        return stage.shown > number or (returning and not stage.at_rest)

    return cut


def return_only(number: int) -> Cut:
    """The helper makes one movement, and the cut back comes half-way on the return."""

    def cut(stage: Stage) -> bool:
        out = stage.prompt in ASKED and stage.shown == number
        back = stage.prompt in RESTING and stage.shown == number and not stage.at_rest
        return out or back

    return cut


@dataclass(frozen=True, slots=True)
class Attack:
    """`frozen`: the victim is one still picture, not somebody who moves along."""

    name: str
    cut: Cut
    frozen: bool = False


ATTACKS = (
    Attack("a still, helper moves", always_for_movements, frozen=True),
    Attack("a still, cut under way", under_way, frozen=True),
    Attack("a still, cut at the end", at_the_end, frozen=True),
    Attack("a still, cut at rest", until_back, frozen=True),
    Attack("b alive, helper moves", always_for_movements),
    Attack("b alive, cut under way", under_way),
    Attack("b alive, cut at rest", until_back),
    Attack("b alive, helper from the first prompt on", from_first_prompt_on),
    Attack("c one movement, the first", one_movement(1)),
    Attack("c one movement, the second", one_movement(2)),
    Attack("c one movement, the last", one_movement(4)),
    Attack("d return, helper goes on", during_return(1)),
    Attack("d return, helper goes on late", during_return(3)),
    Attack("d helper moves and returns", return_only(2)),
)


class Cast:
    """The two heads; preparing one takes most of a second, so they are prepared once."""

    def __init__(self) -> None:
        self.heads = {name: head.Head(spec, SIZE) for name, spec in SPECS.items()}

    def honest(self, name: str, seed: int, step_s: float) -> PromptedCamera:
        return self._camera(self.heads[name], self.heads[name], lambda _: False, seed, step_s)

    def attack(
        self, victim: str, helper: str, attack: Attack, seed: int, step_s: float
    ) -> PromptedCamera:
        first, second = self.heads[victim], self.heads[helper]
        return self._camera(first, second, attack.cut, seed, step_s, frozen=attack.frozen)

    def _camera(
        self,
        victim: head.Head,
        helper: head.Head,
        cut: Cut,
        seed: int,
        step_s: float,
        *,
        frozen: bool = False,
    ) -> PromptedCamera:
        body, sensor = Body(np.random.default_rng(seed)), Sensor(SIZE, seed)
        still = sensor.expose(victim.render(head.Pose()))
        prompts = [Prompt.FRAME_FACE]

        def scene(prompt: Prompt, since_s: float) -> Image:
            if prompt is not prompts[-1]:
                prompts.append(prompt)
            body.move(prompt, since_s, step_s)
            shown = sum(one in ASKED for one in prompts)
            at_rest = float(np.abs(body.pose).max()) < 0.5
            helping = cut(Stage(prompt, shown, body.amount(prompt), at_rest))
            if frozen and not helping:
                if prompt in RESTING:
                    body.pose = np.array(REST)  # unseen, the helper is back at once
                return still
            pose = body.drawn_pose(camera.at_s)
            return sensor.expose((helper if helping else victim).render(pose))

        camera = PromptedCamera(scene, frames=int(120 / step_s), step_s=step_s)
        return camera


def try_it(
    watcher: Watcher, camera: PromptedCamera, order: tuple[Action, ...], card: str
) -> Verdict:
    reference = picture_of(portrait.card_portrait(SPECS[card]))
    result = watch(watcher, camera, order, reference)[-1].result
    if result is None:
        raise AssertionError("the last look has no result")
    return result.verdict


def order_of(rng: np.random.Generator) -> tuple[Action, ...]:
    """Four movements, no two alike one after the other, a turn and a nod among them."""
    actions = list(Action)
    while True:
        order = tuple(actions[int(n)] for n in rng.integers(0, len(actions), 4))
        repeats = any(a is b for a, b in pairwise(order))
        if not repeats and {"yaw", "pitch"} <= {one.axis for one in order}:
            return order

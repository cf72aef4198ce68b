"""Living people who follow the prompts: rendered heads in many shapes, lights and manners."""

from __future__ import annotations

from dataclasses import replace

from edge.domain.challenge import Prompt
from edge.drivers.sim.portrait import Rgb
from edge.evaluate.scenes.bodies import Body, Rng, brisk, slow
from edge.evaluate.scenes.cast import Group, Show
from edge.evaluate.scenes.lens import Lens, Light

RATES = (5.0, 8.0, 10.0, 12.0, 15.0, 20.0, 25.0, 30.0)
SLOW_SHARE = 0.35


def living(group: Group, rng: Rng) -> Show:
    """The card holder, alone, in the light of an office: bright, dim or from one side.

    Half of them go by the voice, half of the slow ones have chosen elder mode.
    """
    is_slow, fps = bool(rng.random() < SLOW_SHARE), float(rng.choice(RATES))
    manner = slow(rng) if is_slow else brisk(rng)
    by_ear, elder_mode = bool(rng.random() < 0.5), is_slow and bool(rng.random() < 0.5)
    body = Body(replace(manner, by_ear=by_ear))
    light = Light(
        gain=rng.uniform(0.55, 1.25),
        shadow=rng.uniform(0.1, 0.5) if rng.random() < 0.4 else 0.0,
        grain=rng.uniform(1.0, 5.0),
        blur_px=rng.uniform(0.4, 1.3) if rng.random() < 0.3 else 0.0,
    )
    lens, head = Lens(light, rng), group.head

    def draw(prompt: Prompt, since_s: float, at_s: float) -> Rgb:
        body.move(prompt, since_s, 1 / fps)
        return lens.expose(head.render(body.pose(at_s)))

    facts: dict[str, str | float] = {
        "manner": "slow" if is_slow else "brisk",
        "by_ear": by_ear,
        "gain": light.gain,
        "shadow": light.shadow,
        "depth": group.shape.depth,
        "eyes_px": group.shape.eyes_px,
    }
    return Show(fps, (group.sitter.person,), group.card, draw, facts, slow=elder_mode)

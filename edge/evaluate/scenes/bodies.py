"""How people and hands move when they hear a prompt."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from edge.domain.challenge import Prompt
from edge.drivers.sim.head import Pose

Rng = np.random.Generator
TURNS = {  # a person's left is the picture's right
    Prompt.LEFT: (1.0, 0.0),
    Prompt.RIGHT: (-1.0, 0.0),
    Prompt.UP: (0.0, 1.0),
    Prompt.DOWN: (0.0, -1.0),
}
RESTING = (Prompt.FRAME_FACE, Prompt.LOOK_AHEAD)
CREEP_DEG_PER_S = 4.0  # who is not told that it is enough turns a little further,
CREEP_MOUTH_PER_S = 0.1  # or opens the mouth a little wider
COMING_BACK = 0.6  # of the reaction: it needs no choice, and one knows that it comes
# When the interim Chinese voice has said the word that counts (左, 抬头, 张嘴, 看), in seconds
# from the beginning of its prompt; `python -m edge voice build`, measured on its clips.
HEARD_S = {
    Prompt.LEFT: 1.35,
    Prompt.RIGHT: 1.3,
    Prompt.UP: 1.05,
    Prompt.DOWN: 1.05,
    Prompt.MOUTH: 1.2,
    Prompt.BLINK: 1.2,
    Prompt.LOOK_AHEAD: 0.35,  # that it says something new is enough
}


@dataclass(frozen=True, slots=True)
class Manner:
    """One person's or hand's way of following. Angles are the true ones of head or sheet."""

    reaction_s: float
    speed_deg_per_s: float
    yaw_deg: float
    up_deg: float
    down_deg: float
    most_yaw_deg: float
    most_pitch_deg: float
    blink_s: float = 0.4
    mouth_per_s: float = 4.0
    mouth: float = 1.0
    unrest_deg: float = 0.5
    phase: float = 0.0
    by_ear: bool = False  # waits for the word; others see the sign on the screen

    def after_s(self, prompt: Prompt) -> float:
        """From the prompt to the beginning of the movement."""
        heard_s = HEARD_S.get(prompt, 0.0) if self.by_ear else 0.0
        return heard_s + self.reaction_s * (COMING_BACK if prompt in RESTING else 1.0)

    def reacting(self, reaction_s: float) -> Manner:
        return replace(self, reaction_s=reaction_s)


def brisk(rng: Rng) -> Manner:
    return Manner(
        reaction_s=rng.uniform(0.35, 0.9),
        speed_deg_per_s=rng.uniform(50.0, 110.0),
        yaw_deg=rng.uniform(29.0, 37.0),
        up_deg=rng.uniform(22.0, 29.0),
        down_deg=rng.uniform(20.0, 26.0),
        most_yaw_deg=39.0,
        most_pitch_deg=30.0,
        blink_s=rng.uniform(0.25, 0.6),
        mouth_per_s=rng.uniform(3.0, 6.0),
        mouth=rng.uniform(0.75, 1.0),
        unrest_deg=rng.uniform(0.2, 0.8),
        phase=rng.uniform(0.0, 10.0),
    )


def slow(rng: Rng) -> Manner:
    """An old person: late, slow, less far, less steady."""
    return Manner(
        reaction_s=rng.uniform(0.9, 1.5),
        speed_deg_per_s=rng.uniform(18.0, 40.0),
        yaw_deg=rng.uniform(26.0, 32.0),
        up_deg=rng.uniform(19.0, 26.0),
        down_deg=rng.uniform(18.0, 24.0),
        most_yaw_deg=36.0,
        most_pitch_deg=27.0,
        blink_s=rng.uniform(0.4, 0.9),
        mouth_per_s=rng.uniform(1.5, 3.0),
        mouth=rng.uniform(0.65, 1.0),
        unrest_deg=rng.uniform(0.6, 1.4),
        phase=rng.uniform(0.0, 10.0),
    )


class Body:
    """A head that follows prompts. Call `move` once a frame."""

    def __init__(self, manner: Manner) -> None:
        self.manner = manner
        self.yaw = self.pitch = self.lids = self.mouth = 0.0

    def move(self, prompt: Prompt, since_s: float, step_s: float) -> None:
        late_s = since_s - self.manner.after_s(prompt)
        if late_s <= 0:
            return
        yaw, pitch = self.aim(prompt, late_s)
        blinking = prompt is Prompt.BLINK and late_s <= self.manner.blink_s
        reach = self.manner.speed_deg_per_s * step_s
        self.yaw = _towards(self.yaw, yaw, reach)
        self.pitch = _towards(self.pitch, pitch, reach)
        self.lids = _towards(self.lids, float(blinking), 9.0 * step_s)
        most = min(1.0, self.manner.mouth + CREEP_MOUTH_PER_S * late_s)
        wide = most if prompt is Prompt.MOUTH else 0.0
        self.mouth = _towards(self.mouth, wide, self.manner.mouth_per_s * step_s)

    def aim(self, prompt: Prompt, late_s: float) -> tuple[float, float]:
        """Yaw and pitch wanted now."""
        manner, (across, up) = self.manner, TURNS.get(prompt, (0.0, 0.0))
        creep = CREEP_DEG_PER_S * late_s
        yaw = min(manner.most_yaw_deg, manner.yaw_deg + creep)
        pitch = min(manner.most_pitch_deg, (manner.up_deg if up > 0 else manner.down_deg) + creep)
        return across * yaw, up * pitch

    def pose(self, at_s: float) -> Pose:
        yaw, pitch = sway(at_s + self.manner.phase, self.manner.unrest_deg)
        return Pose(self.yaw + yaw, self.pitch + pitch, self.lids, self.mouth)


def _towards(now: float, aim: float, reach: float) -> float:
    return now + min(reach, max(-reach, aim - now))


def sway(at_s: float, unrest_deg: float) -> tuple[float, float]:
    """Nobody holds quite still."""
    yaw = math.sin(at_s * 1.1) + 0.5 * math.sin(at_s * 2.7 + 1)
    pitch = 0.7 * math.sin(at_s * 0.9 + 2) + 0.4 * math.sin(at_s * 2.1)
    return unrest_deg * yaw, unrest_deg * pitch


@dataclass(frozen=True, slots=True)
class Tilt:
    """How a sheet is held: degrees, its middle in parts of the picture's width, and nearness."""

    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    right: float = 0.0
    down: float = 0.0
    nearer: float = 1.0
    bend: float = 1.0  # of the sheet's own bend, for those who bend it while they tilt it


class Hand:
    """Holds a sheet or a screen and tilts it as far as `yaw_deg` and `pitch_deg` when asked.

    Some roll it, move it aside or bring it nearer in the same movement, because that makes
    a picture look as if more had happened.
    """

    def __init__(self, rng: Rng, *, most_deg: float = 60.0) -> None:
        self._reaction_s = rng.uniform(0.35, 0.9)
        self._speed = rng.uniform(40.0, 140.0)
        self._yaw_deg = rng.uniform(25.0, most_deg)
        self._pitch_deg = rng.uniform(22.0, most_deg)
        self._roll = rng.uniform(-12.0, 12.0) * (rng.random() < 0.5)
        self._shift = rng.uniform(-0.08, 0.08) * (rng.random() < 0.5)
        self._nearer = rng.uniform(0.85, 1.25) if rng.random() < 0.4 else 1.0
        self._phase = rng.uniform(0.0, 10.0)
        self._yaw = self._pitch = 0.0

    def move(self, prompt: Prompt, since_s: float, step_s: float) -> None:
        if since_s < self._reaction_s:
            return
        across, up = TURNS.get(prompt, (0.0, 0.0))
        reach = self._speed * step_s
        self._yaw = _towards(self._yaw, across * self._yaw_deg, reach)
        self._pitch = _towards(self._pitch, up * self._pitch_deg, reach)

    def tilt(self, at_s: float) -> Tilt:
        yaw, pitch = self._yaw, self._pitch
        part = max(abs(yaw) / self._yaw_deg, abs(pitch) / self._pitch_deg)
        shake, tremble = sway(at_s * 1.6 + self._phase, 0.35)
        return Tilt(
            yaw + shake,
            pitch + tremble,
            self._roll * part + 0.3 * shake,
            self._shift * math.copysign(part, yaw) + 0.002 * shake,
            0.002 * tremble,
            1.0 + (self._nearer - 1.0) * part,
            part,
        )

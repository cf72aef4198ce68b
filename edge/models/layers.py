"""The layers beside movements and depth, each behind its own switch, each reported apart.

None of them refuses anybody, and none speaks for anybody: a doubt of the camera or of the
screen's light brings a member of staff, the passive model's is advice (see
`edge.domain.record.LayerResult`), and what cannot be told counts as if nobody had asked.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from statistics import fmean

import numpy as np

from edge.domain.challenge import Reason, WatchProgress
from edge.domain.light import ScreenLight, draw_long
from edge.domain.record import Layer, LayerResult, LayerState
from edge.domain.timebase import MonoNs
from edge.models import screen_light
from edge.models.camera_truth import CameraTruth, Doubt
from edge.models.exposure import Nudge
from edge.models.faces import Mesh
from edge.models.observation import FaceView
from edge.models.passive import FRAMES, Passive
from edge.models.preprocess import Image
from edge.models.screen_light import Answer, Reading
from edge.ports import Camera, Frame

PARTS = 4  # orders of hues one after the other: longer than most tries
MAX_TURN_DEG = 10.0  # beyond that, other skin lies where the light is read
VIRTUAL = "virtual:"

OF_LIGHT = {
    Answer.FOLLOWS: LayerState.CONSISTENT,
    Answer.UNIFORM: LayerState.SUSPICIOUS,
    Answer.ABSENT: LayerState.SUSPICIOUS,
    Answer.ABSTAINS: LayerState.ABSTAINED,
}


@dataclass(frozen=True, slots=True)
class Layers:
    """Which layers look. `passive` is there where its switch is on and its files are installed.

    `screen_lux` is what the glowing screen alone adds on a face; `camera_id` what the camera
    called itself when the kiosk was commissioned, empty for any.
    """

    screen_light: bool = False
    screen_lux: float = 30.0
    passive: Passive | None = None
    passive_floor: float = 0.05
    camera_truth: bool = False
    camera_id: str = ""

    def begin(self, camera: Camera, mono_ns: Callable[[], MonoNs]) -> LayersTry:
        return LayersTry(self, camera, mono_ns)


@dataclass(slots=True)
class LayersTry:
    """What the layers see of one try; nothing of it outlives the try."""

    layers: Layers
    camera: Camera
    mono_ns: Callable[[], MonoNs]
    light: ScreenLight | None = None
    _truth: CameraTruth = field(default_factory=CameraTruth)
    _nudge: Nudge | None = None
    _readings: list[Reading] = field(default_factory=list, repr=False)
    _lux: list[float] = field(default_factory=list)
    _real: list[float] = field(default_factory=list, repr=False)

    # --- each frame --------------------------------------------------------------

    def frame(self, image: Image, frame: Frame) -> None:
        """Every frame that is a picture, whether somebody is in it or not."""
        if not self.layers.camera_truth:
            return
        self._truth.see(image, frame.captured_ns)
        if self._nudge is not None and self._nudge.wants_level(frame.captured_ns):
            self._nudge.see(self._truth.level, frame.captured_ns)

    def face(self, image: Image, frame: Frame, mesh: Mesh | None, face: FaceView | None) -> None:
        """Every frame once the check knows this person's neutral."""
        if self.layers.camera_truth and self._nudge is None:
            self._nudge = Nudge.drawn(self.camera, frame.captured_ns, _uniform)
        if not self.layers.screen_light or mesh is None or face is None:
            return
        if self.light is None:
            self.camera.lock_exposure()
            self.light = ScreenLight(draw_long(secrets.choice, PARTS), self.mono_ns())
        if max(abs(face.pose.yaw), abs(face.pose.pitch)) <= MAX_TURN_DEG:
            self._readings.append(
                screen_light.read(image, mesh.points, frame.captured_ns, face.pose)
            )
            self._lux += [frame.lux] if frame.lux else []

    def frontal(self, image: Image, mesh: Mesh) -> None:
        """One of the frames that the comparison keeps."""
        passive = self.layers.passive
        if passive is not None and len(self._real) < FRAMES:
            self._real.append(passive.real(image, mesh.box))

    def lit(self, progress: WatchProgress) -> WatchProgress:
        """With what the screen has to shine."""
        return replace(progress, light=self.light) if self.light else progress

    def close(self) -> None:
        """The camera as it was; also when the try is left before its end."""
        if self._nudge is not None:
            self._nudge.end()
        if self.light is not None:
            self.camera.lock_exposure(False)

    # --- at the end ----------------------------------------------------------------

    def results(self) -> tuple[LayerResult, ...]:
        return (self._of_light(), self._of_passive(), self._of_camera())

    def _of_light(self) -> LayerResult:
        if not self.layers.screen_light:
            return LayerResult(Layer.SCREEN_LIGHT, LayerState.OFF)
        if self.light is None:
            return LayerResult(Layer.SCREEN_LIGHT, LayerState.ABSTAINED)
        lux = float(np.median(self._lux)) if self._lux else None
        expected = screen_light.expected_gain(self.layers.screen_lux, lux) if lux else None
        found = screen_light.judge(self._readings, self.light.code, self.light.began_ns, expected)
        return LayerResult(Layer.SCREEN_LIGHT, OF_LIGHT[found.answer])

    def _of_passive(self) -> LayerResult:
        if self.layers.passive is None:
            return LayerResult(Layer.PASSIVE, LayerState.OFF)
        if not self._real:
            return LayerResult(Layer.PASSIVE, LayerState.ABSTAINED)
        score = fmean(self._real)
        odd = score < self.layers.passive_floor
        state = LayerState.SUSPICIOUS if odd else LayerState.CONSISTENT
        return LayerResult(Layer.PASSIVE, state, score, Passive.sha256)

    def _of_camera(self) -> LayerResult:
        if not self.layers.camera_truth:
            return LayerResult(Layer.CAMERA_TRUTH, LayerState.OFF)
        if self.doubts():
            return LayerResult(Layer.CAMERA_TRUTH, LayerState.SUSPICIOUS)
        told = self._truth.can_tell
        return LayerResult(
            Layer.CAMERA_TRUTH, LayerState.CONSISTENT if told else LayerState.ABSTAINED
        )

    def doubts(self) -> frozenset[Doubt]:
        found = set(self._truth.doubts)
        if self._nudge is not None and self._nudge.answer is False:
            found.add(Doubt.UNRESPONSIVE)
        name = self.camera.identity()
        wanted = self.layers.camera_id
        if name.startswith(VIRTUAL) or (wanted and name != wanted):
            found.add(Doubt.IDENTITY)
        return frozenset(found)


def reasons_of(results: tuple[LayerResult, ...]) -> list[Reason]:
    """Why a person is asked for; advice is no reason."""
    words = {Layer.CAMERA_TRUTH: Reason.CAMERA, Layer.SCREEN_LIGHT: Reason.LIGHT}
    return [words[one.name] for one in results if one.calls_for_a_person]


def _uniform() -> float:
    return secrets.randbelow(1000) / 1000

"""The extra layers in a running check: a resident in the simulated room, and what is fed in."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from edge.domain.challenge import Action, Prompt, Reason
from edge.domain.record import Layer, LayerState, Verdict
from edge.drivers.sim import glow
from edge.drivers.sim.camera import SimCamera
from edge.drivers.sim.portrait import ASTRONAUT, card_portrait
from edge.drivers.sim.resident import Resident
from edge.drivers.sim.room import HALL_LUX, Room
from edge.models.layers import Layers
from edge.models.preprocess import picture_of
from edge.models.watcher import Watcher
from edge.ports import Frame, Look, Picture, WatchOrder
from edge.session.states import Language
from edge.ui.glow import BLUISH, YELLOWISH
from edge.ui.texts import text
from tests.sim_clock import HandClock

pytestmark = pytest.mark.timeout(120)

ORDER = (Action.LEFT, Action.UP, Action.MOUTH, Action.RIGHT)
FPS = 20.0
COLOURS = {1: YELLOWISH, -1: BLUISH}


class Stand:
    """Resident, room, screen and camera on one clock that moves when the camera waits."""

    def __init__(self, models_dir, layers: Layers, *, lux: float | None = HALL_LUX) -> None:
        self.clock, self.room = HandClock(), Room()
        self.person = Resident(ASTRONAUT, self.clock)
        self.room.enter(self.person)
        self.camera = SimCamera(self.room, self.clock, FPS, self.clock.advance, lux)
        self.feed = self.camera
        self.models_dir, self.layers = models_dir, layers
        self.glows: list[tuple[int, str]] = []

    def check(self, watch_for: Callable[[Look], None] = lambda look: None) -> Verdict:
        watcher = Watcher(self.feed, self.models_dir, self.clock, layers=self.layers)
        card = picture_of(card_portrait(ASTRONAUT))
        prompt = None
        for look in watcher.watch(WatchOrder(ORDER, card)):
            watch_for(look)
            if look.progress.prompt is not prompt:
                prompt = look.progress.prompt
                self.room.hear(_spoken(prompt))
            light = look.progress.light
            hue = light.hue_at(self.clock()) if light else None
            colour = COLOURS[hue.value] if hue else ""
            self.room.shine(colour)
            self.glows.append((self.clock(), colour))
            if look.result is not None:
                return look.result.verdict
        raise AssertionError("the stream ended")


def _spoken(prompt: Prompt) -> str:
    return text(Language.ZH, f"prompt.{prompt.value}") if prompt is not Prompt.FRAME_FACE else ""


def state(verdict: Verdict, layer: Layer) -> LayerState:
    return next(one.state for one in verdict.layers if one.name is layer)


class Fed:
    """A camera whose frames somebody exchanges on the way; the rest answers as before."""

    def __init__(self, real: SimCamera, feed: Callable[[Iterator[Frame]], Iterator[Frame]]):
        self._real, self._feed = real, feed
        self.name, self.provenance, self.identity = real.name, real.provenance, real.identity
        self.lock_exposure, self.nudge_exposure = real.lock_exposure, real.nudge_exposure

    @contextmanager
    def stream(self):
        with self._real.stream() as frames:
            yield self._feed(frames)


# --- camera truth --------------------------------------------------------------------

TRUTH = Layers(camera_truth=True)


def test_a_real_camera_before_a_resident_is_believed(models_dir) -> None:
    stand = Stand(models_dir, replace(TRUTH, camera_id="simulated"))
    levels: list[float] = []

    def note(look: Look) -> None:
        levels.append(float(np.frombuffer(look.frame.picture.rgb, np.uint8)[::97].mean()))

    verdict = stand.check(note)
    assert verdict.passed
    assert state(verdict, Layer.CAMERA_TRUTH) is LayerState.CONSISTENT
    assert min(levels) < 0.9 * np.median(levels), "the exposure was nudged"
    assert levels[-1] > 0.97 * np.median(levels), "and given back"


def looped(frames: Iterator[Frame]) -> Iterator[Frame]:
    film = [next(frames).picture for _ in range(30)]
    for picture in itertools.cycle(film):
        yield replace(next(frames), picture=picture)


def still(frames: Iterator[Frame]) -> Iterator[Frame]:
    first = next(frames).picture
    return (replace(frame, picture=first) for frame in frames)


def twice(frames: Iterator[Frame]) -> Iterator[Frame]:
    """Each picture three times: a slow film on a fast wire."""
    for frame in frames:
        yield frame
        for _ in range(2):
            yield replace(next(frames), picture=frame.picture)


def with_constant_noise(frames: Iterator[Frame]) -> Iterator[Frame]:
    """Everything right, fresh noise as well, but a picture that obeys no exposure."""
    rng, levels = np.random.default_rng(1), None
    for frame in frames:
        rgb = np.frombuffer(frame.picture.rgb, np.uint8).reshape(480, 640, 3).astype(float)
        levels = rgb.mean() if levels is None else levels
        steady = rgb * levels / rgb.mean() + rng.normal(0, 1.8, rgb.shape)
        made = np.clip(np.rint(steady), 0, 255).astype(np.uint8)
        yield replace(frame, picture=Picture(640, 480, made.tobytes()))


def backwards(frames: Iterator[Frame]) -> Iterator[Frame]:
    for number, frame in enumerate(frames):
        back_ns = 30_000_000 if number % 2 else 0
        yield replace(frame, captured_ns=frame.captured_ns - 3 * back_ns)


@pytest.mark.parametrize("feed", [looped, still, twice, with_constant_noise, backwards])
def test_what_is_fed_in_instead_is_noticed(models_dir, feed) -> None:
    stand = Stand(models_dir, TRUTH)
    stand.feed = Fed(stand.camera, feed)
    verdict = stand.check()
    assert state(verdict, Layer.CAMERA_TRUTH) is LayerState.SUSPICIOUS
    assert Reason.CAMERA in verdict.reasons
    assert not verdict.passed


@pytest.mark.parametrize("name", ["virtual:OBS", "another camera"])
def test_another_camera_is_noticed_and_brings_a_person(models_dir, name) -> None:
    stand = Stand(models_dir, replace(TRUTH, camera_id="simulated"))
    stand.camera.identity = lambda: name
    verdict = stand.check()
    assert verdict.live
    assert verdict.alike
    assert verdict.doubted
    assert not verdict.passed


def test_switched_off_nothing_is_asked_and_nothing_changes(models_dir) -> None:
    stand = Stand(models_dir, Layers())
    stand.camera.identity = lambda: "virtual:OBS"
    stand.camera.nudge_exposure = None  # would fail if it were asked
    stand.camera.lock_exposure = None
    verdict = stand.check()
    assert verdict.passed
    assert {one.state for one in verdict.layers} == {LayerState.OFF}
    assert {one.name for one in verdict.layers} == set(Layer)
    assert {colour for _, colour in stand.glows} == {""}


def test_a_try_that_is_left_gives_the_exposure_back(models_dir) -> None:
    stand = Stand(models_dir, Layers(camera_truth=True, screen_light=True))
    asked: list[tuple[str, object]] = []
    stand.camera.nudge_exposure = lambda stops: not asked.append(("nudge", stops))
    stand.camera.lock_exposure = lambda locked=True: not asked.append(("lock", locked))

    class Gone(Exception):
        pass

    def leave(_look: Look) -> None:
        if ("nudge", 0.5) in asked:
            raise Gone

    with pytest.raises(Gone):
        stand.check(leave)
    assert asked == [("lock", True), ("nudge", 0.5), ("nudge", 0.0), ("lock", False)]


# --- screen light ----------------------------------------------------------------------

LIGHT = Layers(screen_light=True)


def test_a_resident_before_the_glowing_screen_is_never_suspected(models_dir) -> None:
    """Whether the light also speaks for them depends on how much they move."""
    stand = Stand(models_dir, LIGHT)
    verdict = stand.check()
    assert state(verdict, Layer.SCREEN_LIGHT) is not LayerState.SUSPICIOUS
    assert verdict.passed
    moments = [at for at, _ in stand.glows]
    changes = [
        at
        for (at, one), (_, other) in zip(stand.glows[1:], stand.glows, strict=False)
        if one != other
    ]
    assert len(changes) > 10
    busiest = max(sum(at <= c < at + 10**9 for c in changes) for at in moments)
    assert busiest <= 3


@pytest.mark.parametrize(
    ("share", "said"),
    [(glow.PAPER, LayerState.SUSPICIOUS), (glow.GLASS, LayerState.SUSPICIOUS)],
    ids=["as evenly as paper", "as little as a screen"],
)
def test_what_answers_unlike_a_head_is_odd(models_dir, share, said) -> None:
    stand = Stand(models_dir, LIGHT)
    stand.person.shares = glow.even((640, 480), share)
    verdict = stand.check()
    assert state(verdict, Layer.SCREEN_LIGHT) is said
    assert Reason.LIGHT in verdict.reasons
    assert verdict.live
    assert not verdict.passed


def test_in_the_sun_it_abstains(models_dir) -> None:
    stand = Stand(models_dir, replace(LIGHT, screen_lux=30), lux=20_000)
    stand.person.shares = glow.even((640, 480), 0.002)
    verdict = stand.check()
    assert state(verdict, Layer.SCREEN_LIGHT) is LayerState.ABSTAINED
    assert verdict.passed


def test_no_answer_where_the_camera_tells_no_light_is_no_suspicion(models_dir) -> None:
    stand = Stand(models_dir, LIGHT, lux=None)
    stand.person.shares = glow.even((640, 480), glow.GLASS)
    assert state(stand.check(), Layer.SCREEN_LIGHT) is LayerState.ABSTAINED

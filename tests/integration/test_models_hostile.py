"""Whatever a camera hands over, a try ends with a reason, goes on with a hint, or says that the
camera failed; nothing else ever leaves the watcher, and no frame needs memory without bound."""

import contextlib
import itertools
from collections.abc import Iterable, Iterator

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.domain.challenge import Action, Hint, Prompt, Reason, WatchProgress
from edge.domain.errors import DeviceError, Fault
from edge.drivers.sim import head, portrait
from edge.models.preprocess import picture_of
from edge.models.watcher import Watcher
from edge.ports import Frame, Look, Picture, WatchOrder
from tests.helpers_models import PromptedCamera

ORDER = WatchOrder((Action.LEFT, Action.UP))
NS = 1_000_000_000
HD, EIGHT_K = (1280, 720), (7680, 4320)


class HostileCamera(PromptedCamera):
    """Hands over what it is told to, with the times it is told; the wall clock goes on evenly."""

    def __init__(self, frames: Iterable[tuple[Picture, int]], step_s: float = 1 / 30) -> None:
        super().__init__(lambda *_: np.zeros((480, 640, 3), np.uint8))
        self.told = frames
        self.step_s = step_s

    def _frames(self) -> Iterator[Frame]:
        for picture, captured_ns in self.told:
            self.at_s += self.step_s
            yield Frame(picture, captured_ns)


@pytest.fixture(scope="module")
def watcher(models_dir) -> Watcher:
    nobody = PromptedCamera(lambda *_: np.zeros((480, 640, 3), np.uint8))
    return Watcher(nobody, models_dir, nobody.mono_ns)


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    return head.Head(portrait.ASTRONAUT).render(head.Pose())


def see(watcher: Watcher, camera: HostileCamera) -> tuple[list[Look], DeviceError | None]:
    """The whole try, and how the camera failed if it did."""
    watcher._camera, watcher._mono_ns = camera, camera.mono_ns
    looks, failed = list[Look](), None
    try:
        for look in watcher.watch(ORDER):
            assert isinstance(look.progress, WatchProgress)
            looks.append(look)
    except DeviceError as error:
        failed = error
    assert not camera.is_open
    return looks, failed


def even(pictures: Iterable[Picture], fps: float) -> Iterator[tuple[Picture, int]]:
    return ((picture, round((n + 1) / fps * NS)) for n, picture in enumerate(pictures))


def ended(watcher: Watcher, pictures: Iterable[Picture], fps: float) -> Reason:
    """The first reason of a try that had to end by itself."""
    camera = HostileCamera(even(pictures, fps), 1 / fps)
    looks, failed = see(watcher, camera)
    assert failed is None
    verdict = looks[-1].result.verdict
    assert not verdict.live
    assert not verdict.passed
    return verdict.reasons[0]


# --- one way of being hostile at a time ---------------------------------------------------


@pytest.mark.parametrize("fps", [1, 5, 30, 120])
def test_somebody_who_never_moves_times_out_at_any_rate(watcher, face, fps) -> None:
    """A frozen camera that still counts its frames looks just like that."""
    assert ended(watcher, itertools.repeat(picture_of(face)), fps) is Reason.TIMED_OUT


@pytest.mark.parametrize("kind", ["black", "white", "noise"])
def test_a_picture_of_nothing_ends_with_a_reason(watcher, kind) -> None:
    rng = np.random.default_rng(20261123)
    views = {
        "black": lambda: np.zeros((480, 640, 3), np.uint8),
        "white": lambda: np.full((480, 640, 3), 255, np.uint8),
        "noise": lambda: rng.integers(0, 256, (480, 640, 3), np.uint8),
    }
    pictures = (picture_of(views[kind]()) for _ in itertools.count())
    assert ended(watcher, pictures, 5.0) is Reason.FACE_LOST


def halves(face: np.ndarray) -> Iterator[Picture]:
    """The lower half of every second frame did not arrive."""
    torn = face.copy()
    torn[240:] = 0
    return itertools.cycle([picture_of(face), picture_of(torn)])


def cut_short(face: np.ndarray) -> Iterator[Picture]:
    rgb = face.tobytes()
    return itertools.cycle(Picture(640, 480, rgb[:size]) for size in (0, 1, 640, len(rgb) - 1))


def wrongly_shaped(face: np.ndarray) -> Iterator[Picture]:
    """As many bytes as it should have, for another width and height."""
    shapes = ((480, 640), (1280, 240), (64, 4800), (1, 307200), (307200, 1), (0, 0), (-640, -480))
    return itertools.cycle(Picture(*shape, face.tobytes()) for shape in shapes)


@pytest.mark.parametrize("broken", [halves, cut_short, wrongly_shaped])
def test_broken_frames_end_with_a_reason(watcher, face, broken) -> None:
    assert ended(watcher, broken(face), 5.0) in (Reason.FACE_LOST, Reason.TIMED_OUT)


def test_a_face_of_sixty_four_pixels_is_asked_to_come_nearer_or_not_seen(watcher, face) -> None:
    tiny = picture_of(cv2.resize(face, (64, 64), interpolation=cv2.INTER_AREA))
    looks, _ = see(watcher, HostileCamera(even([tiny] * 20, 30.0)))
    assert {look.progress.hint for look in looks} <= {Hint.TOO_FAR, Hint.NO_FACE}


def test_8k_frames_are_followed_in_bounded_memory(watcher, face) -> None:
    large = cv2.resize(face, EIGHT_K, interpolation=cv2.INTER_NEAREST)
    picture = Picture(*EIGHT_K, memoryview(large).cast("B"))
    before_bytes = most_resident_bytes()
    looks, failed = see(watcher, HostileCamera(even([picture] * 20, 5.0)))
    assert failed.fault is Fault.SILENT
    assert looks[-1].progress.prompt is Prompt.LEFT
    assert most_resident_bytes() - before_bytes < large.nbytes / 2


def most_resident_bytes() -> int:
    with open("/proc/self/status", encoding="ascii") as file:
        row = next(line for line in file if line.startswith("VmHWM"))
    return int(row.split()[1]) * 1024


@pytest.mark.parametrize(
    "times",
    [
        lambda n: 5 * NS,
        lambda n: (1000 - n) * NS,
        lambda n: -n * NS,
        lambda n: 10**15 if n == 3 else n * NS // 30,
    ],
    ids=["still", "backwards", "below zero", "far ahead once"],
)
def test_time_that_does_not_go_on_is_a_fault_of_the_camera(watcher, face, times) -> None:
    picture = picture_of(face)
    camera = HostileCamera((picture, times(n)) for n in range(1000))
    looks, failed = see(watcher, camera)
    if failed:
        assert failed.fault is Fault.GARBLED
        assert failed.retry
        assert 5 < camera.at_s < 6
    else:
        assert looks[-1].result.verdict.reasons[0] is Reason.TIMED_OUT


def test_a_stream_that_stops_is_a_fault_of_the_camera(watcher, face) -> None:
    _, failed = see(watcher, HostileCamera(even([picture_of(face)] * 7, 30.0)))
    assert failed.fault is Fault.SILENT


def test_the_next_try_with_a_sound_camera_knows_nothing_of_it(watcher, face) -> None:
    see(watcher, HostileCamera((picture_of(face), 5 * NS) for _ in range(1000)))
    looks, _ = see(watcher, HostileCamera(even([picture_of(face)] * 30, 30.0)))
    assert looks[0].progress.prompt is Prompt.FRAME_FACE
    assert looks[-1].progress.prompt is not Prompt.FRAME_FACE


# --- all of it in any order ---------------------------------------------------------------


def pieces(face: np.ndarray) -> list[Picture]:
    """What the fuzz puts together; large buffers are made once."""
    rng = np.random.default_rng(7)
    high, wide = 240, 320
    return [
        *(picture_of(face) for _ in range(3)),
        picture_of(face[:, ::-1]),
        picture_of(cv2.resize(face, HD)),
        picture_of(cv2.resize(face, (64, 64))),
        picture_of(cv2.resize(face, (33, 250))),
        picture_of(face[150:330, 250:420]),
        picture_of(rng.integers(0, 256, (high, wide, 3), np.uint8)),
        Picture(wide, high, bytes(wide * high * 3)),
        Picture(wide, high, b"\xff" * (wide * high * 3)),
        Picture(wide, high, rng.bytes(wide * high * 3 - 1)),
        Picture(wide, high, memoryview(rng.bytes(2 * wide * high * 3))[::2]),
        Picture(0, 0, b""),
        Picture(0, 480, b""),
        Picture(-4, -4, b"\0" * 48),
        Picture(3840, 2160, memoryview(np.zeros(3840 * 2160 * 3, np.uint8))),
        Picture(10**9, 10**9, b""),
    ]


@pytest.fixture(scope="module")
def parts(face) -> list[Picture]:
    return pieces(face)


moments = st.integers(-(10**12), 10**12) | st.integers(0, NS // 5) | st.just(NS // 30)
scripts = st.lists(st.tuples(st.integers(0, 17), moments), min_size=1, max_size=40)


@given(script=scripts, step_s=st.sampled_from([0.0, 0.008, 0.033, 1.0, 60.0]))
@settings(max_examples=120, deadline=None)
def test_no_script_of_frames_breaks_the_watcher(watcher, parts, script, step_s) -> None:
    """Any pictures, any steps in time, at any pace of the wall clock."""
    at_ns = itertools.accumulate(step_ns for _, step_ns in script)
    frames = [(parts[which], moment) for (which, _), moment in zip(script, at_ns, strict=True)]
    looks, failed = see(watcher, HostileCamera(frames, step_s))
    results = [look.result for look in looks if look.result]
    assert bool(failed) != bool(results)
    for result in results:
        assert result.verdict.reasons
        assert not result.verdict.live


@given(script=st.lists(st.integers(0, 17), max_size=3), which=st.integers(0, 17))
@settings(max_examples=40, deadline=None)
def test_no_reference_picture_breaks_the_watcher(watcher, parts, script, which) -> None:
    camera = HostileCamera(even([parts[one] for one in script], 30.0))
    watcher._camera, watcher._mono_ns = camera, camera.mono_ns
    with contextlib.suppress(DeviceError):
        for look in watcher.watch(WatchOrder(ORDER.actions, parts[which])):
            assert look.result is None

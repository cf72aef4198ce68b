"""The driver of the Pi's camera over a strict stand-in of its library."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from types import ModuleType

import numpy as np
import pytest

from edge.domain.errors import DeviceError, Fault
from edge.drivers import camera_pi
from edge.drivers.camera_pi import PiCamera
from edge.ports import Frame
from tests.camera_bench import grey_of, library, mono_ns, rgb_of, unload_library


@pytest.fixture
def lib() -> Iterator[ModuleType]:
    made = library()
    yield made
    assert not any(camera.is_open for camera in made.BENCH.seen)
    assert [camera._out for camera in made.BENCH.seen] == [0] * len(made.BENCH.seen)
    unload_library()


def camera(**settings: object) -> PiCamera:
    settings.setdefault("source", "0")
    settings.setdefault("fps", 50)
    return PiCamera(mono_ns=mono_ns, **settings)  # type: ignore[arg-type]


def frames_of(device: PiCamera, count: int = 1) -> list[Frame]:
    with device.stream() as frames:
        return [next(frames) for _ in range(count)]


def assert_bars(frame: Frame) -> None:
    """Red, green, blue from left to right, also at the very edges."""
    rgb = rgb_of(frame)
    height, width = rgb.shape[:2]
    for bar, colour in enumerate(np.eye(3, dtype=np.uint8) * 255):
        left, right = bar * width // 3, (bar + 1) * width // 3
        assert (rgb[:, left:right] == colour).all(), f"bar {bar} is {rgb[height // 2, left + 1]}"


# --- colour and geometry ---


@pytest.mark.parametrize("size", [(640, 480), (1280, 720), (650, 362)])
def test_red_is_red(lib: ModuleType, size: tuple[int, int]) -> None:
    assert_bars(frames_of(camera(size_px=size))[0])


def test_the_swapped_format_would_be_seen(lib: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_pi, "RGB_IN_MEMORY", "RGB888")
    with pytest.raises(AssertionError, match="bar 0"):
        assert_bars(frames_of(camera())[0])


@pytest.mark.parametrize("given", ["RGB888", "XRGB8888"])
def test_a_format_that_libcamera_adjusted_is_refused(lib: ModuleType, given: str) -> None:
    lib.BENCH.adjusts = {"BGR888": given}
    with pytest.raises(DeviceError, match=given) as caught:
        frames_of(camera())
    assert caught.value.fault is Fault.REFUSED
    assert not caught.value.retry


@pytest.mark.parametrize("grey_px", [(320, 240), (150, 90)])
def test_grey_is_the_same_moment_without_padding(lib: ModuleType, grey_px: tuple[int, int]) -> None:
    grey = grey_of(frames_of(camera(grey_px=grey_px))[0])
    assert grey.shape == grey_px[::-1]
    third = grey_px[0] // 3
    bars = [grey[:, n * third + 1 : (n + 1) * third - 1] for n in range(3)]
    assert [int(bar.min()) for bar in bars] == [int(bar.max()) for bar in bars] == [76, 150, 29]


def corner(width: int, height: int) -> np.ndarray:
    """White in the upper left corner only."""
    scene = np.zeros((height, width, 3))
    scene[: height // 4, : width // 4] = 1.0
    return scene


@pytest.mark.parametrize(("upside_down", "lit"), [(False, (0, 0)), (True, (-1, -1))])
def test_never_mirrored_and_turned_only_when_told(
    lib: ModuleType, upside_down: bool, lit: tuple[int, int]
) -> None:
    lib.BENCH.scene = corner
    rgb = rgb_of(frames_of(camera(upside_down=upside_down))[0])
    bright = [at for at in ((0, 0), (0, -1), (-1, 0), (-1, -1)) if rgb[at].min() > 200]
    assert bright == [lit]


# --- light and focus ---


def grey_room(brightness: float) -> Callable[[int, int], np.ndarray]:
    return lambda width, height: np.full((height, width, 3), brightness)


def test_exposure_is_in_whole_periods_of_50_hz_lamps(lib: ModuleType) -> None:
    lib.BENCH.scene = grey_room(0.2)
    device = camera(fps=20)
    with device.stream() as frames:
        for _ in range(4):
            next(frames)
        assert device._metadata["ExposureTime"] % 10_000 == 0


@pytest.mark.parametrize("missing", ["AeFlickerMode", "AfMode", "FrameDurationLimits"])
def test_a_control_that_is_not_offered_is_not_set(lib: ModuleType, missing: str) -> None:
    lib.BENCH.withheld = frozenset({missing})
    assert_bars(frames_of(camera())[0])


def test_focuses_all_the_time_where_there_is_a_motor(lib: ModuleType) -> None:
    device = camera()
    with device.stream() as frames:
        for _ in range(8):
            next(frames)
        assert device._metadata["AfState"] == 2


def test_a_lens_without_a_motor_is_left_alone(lib: ModuleType) -> None:
    lib.BENCH.sensors = [lib.MODULE_1]
    assert_bars(frames_of(camera())[0])


def test_locked_exposure_does_not_follow_the_light(lib: ModuleType) -> None:
    lib.BENCH.scene = grey_room(0.2)
    device = camera()
    with device.stream() as frames:
        for _ in range(12):
            before = rgb_of(next(frames)).mean()
        assert device.lock_exposure()
        lib.BENCH.scene = grey_room(0.3)
        locked = [rgb_of(next(frames)).mean() for _ in range(8)][-1]
        assert locked == pytest.approx(before * 1.5, rel=0.03)
        assert device.lock_exposure(False)
        let_go = [rgb_of(next(frames)).mean() for _ in range(12)][-1]
        assert let_go == pytest.approx(before, rel=0.1)


@pytest.mark.parametrize("locked", [False, True])
def test_a_nudge_darkens_by_what_was_asked_for_and_goes_back(lib: ModuleType, locked: bool) -> None:
    lib.BENCH.scene = grey_room(0.2)
    device = camera()
    with device.stream() as frames:

        def level(count: int) -> float:
            return float([rgb_of(next(frames)).mean() for _ in range(count)][-1])

        before = level(12)
        assert not locked or device.lock_exposure()
        assert device.nudge_exposure(0.5)
        assert level(8) == pytest.approx(before / 2**0.5, rel=0.05)
        assert device.nudge_exposure(0.0)
        assert level(12) == pytest.approx(before, rel=0.1)


def test_a_frame_tells_the_light_and_the_camera_its_name(lib: ModuleType) -> None:
    device = camera()
    frames_of(device)
    assert device.identity() == device.health().words.partition(";")[0]


def test_exposure_cannot_be_locked_where_it_is_not_told(lib: ModuleType) -> None:
    device = camera()
    with device.stream() as frames:
        assert not device.lock_exposure()  # no frame seen yet
        next(frames)
        device._metadata.pop("ExposureTime")
        assert not device.lock_exposure()


# --- which camera, and what can be wrong with it ---


def test_health_names_the_fixed_identity(lib: ModuleType) -> None:
    lib.BENCH.sensors = [lib.MODULE_1, lib.MODULE_3]
    device = camera(source=lib.MODULE_3.camera_id)
    device.open()
    assert device.health().words == f"imx708 at {lib.MODULE_3.camera_id}"
    frames_of(device)
    assert lib.BENCH.seen[-1]._sensor is lib.MODULE_3


def test_another_camera_than_the_named_one_is_absent(lib: ModuleType) -> None:
    device = camera(source=lib.MODULE_1.camera_id)
    with pytest.raises(DeviceError, match=r"found: .*imx708") as caught:
        device.open()
    assert caught.value.fault is Fault.ABSENT
    assert device.health().fix
    lib.BENCH.sensors = [lib.MODULE_1]
    assert device.health().ok


def test_a_dark_picture_is_told_but_works(lib: ModuleType) -> None:
    lib.BENCH.scene = grey_room(0.0)
    device = camera()
    frames_of(device)
    assert device.health().ok
    assert device.health().words.endswith("dark")
    lib.BENCH.scene = grey_room(0.2)
    frames_of(device, 3)
    assert not device.health().words.endswith("dark")


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(DeviceError, match="python3-picamera2") as caught:
        camera().open()
    assert caught.value.fault is Fault.ABSENT


def test_a_camera_that_somebody_else_has_is_refused(lib: ModuleType) -> None:
    lib.BENCH.busy = True
    with pytest.raises(DeviceError, match="__init__ sequence") as caught:
        frames_of(camera())
    assert caught.value.fault is Fault.REFUSED
    lib.BENCH.busy = False
    assert_bars(frames_of(camera())[0])


def test_open_only_inside_the_stream(lib: ModuleType) -> None:
    device = camera()
    device.open()
    device.health()
    assert lib.BENCH.seen == []
    with device.stream() as frames:
        next(frames)
        assert lib.BENCH.seen[-1].is_open
    assert not lib.BENCH.seen[-1].is_open


# --- time ---


def test_a_hang_is_silent_and_the_next_stream_runs(lib: ModuleType) -> None:
    lib.BENCH.frames_until_hang = 3
    device = camera(hang_s=0.2)
    seen: list[Frame] = []
    with pytest.raises(DeviceError) as caught, device.stream() as frames:
        seen.extend(frames)
    assert caught.value.fault is Fault.SILENT
    assert mono_ns() - lib.BENCH.seen[-1]._last_ns < 1_000_000_000
    lib.BENCH.frames_until_hang = None
    assert len(frames_of(device, 5)) == 5


def test_a_late_frame_is_dropped(lib: ModuleType) -> None:
    device = camera()
    with device.stream() as frames:
        next(frames)
        lib.BENCH.late_ns = 600_000_000
        fresh = _later(lib, lambda: setattr(lib.BENCH, "late_ns", 0), frames)
    assert mono_ns() - fresh.captured_ns < 500_000_000


def _later(lib: ModuleType, mend: Callable[[], None], frames: Iterator[Frame]) -> Frame:
    """The next frame, of a camera that is mended some frames later."""
    real, seen = lib.BENCH.scene, []

    def scene(width: int, height: int) -> np.ndarray:
        seen.append(1)
        if len(seen) == 20:
            mend()
        return real(width, height)

    lib.BENCH.scene = scene
    return next(frames)


def test_nothing_but_late_frames_is_silence(lib: ModuleType) -> None:
    lib.BENCH.late_ns = 600_000_000
    with pytest.raises(DeviceError, match="no fresh frame") as caught:
        frames_of(camera(first_frame_s=0.3))
    assert caught.value.fault is Fault.SILENT


def test_a_slow_reader_gets_the_present(lib: ModuleType) -> None:
    with camera().stream() as frames:
        for _ in range(3):
            time.sleep(0.12)
            assert mono_ns() - next(frames).captured_ns < 60_000_000


def test_frames_stay_what_they_are(lib: ModuleType) -> None:
    first, *_ = frames_of(camera(), 12)
    assert_bars(first)

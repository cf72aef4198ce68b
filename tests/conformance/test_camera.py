"""What every `Camera` promises, simulated or on the desk."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

from edge.app import cameras
from edge.domain.errors import DeviceError, Fault
from edge.domain.record import Provenance
from edge.domain.timebase import MonoNs
from edge.drivers.camera_opencv import OpencvCamera
from edge.drivers.sim.camera import SimCamera
from edge.drivers.sim.resident import EmptyChair
from edge.ports import Camera, Frame
from tests.camera_bench import library, mono_ns, processed, unload_library

WIDTH, HEIGHT, FPS, FRAMES = 96, 64, 50, 20


@dataclass
class Rig:
    """A camera, and one like it that must fail: its fault in the end."""

    camera: Camera
    broken: Camera
    fault: Fault
    size: tuple[int, int] | None
    provenance: Provenance


def film(folder: Path) -> Path:
    """A second's worth of pure red that gets brighter."""
    path = folder / "film.avi"
    fourcc = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(path), fourcc, FPS, (WIDTH, HEIGHT))
    for i in range(FRAMES):
        writer.write(np.full((HEIGHT, WIDTH, 3), (0, 0, 60 + 8 * i), np.uint8))
    writer.release()
    return path


def simulated() -> Rig:
    hanging = SimCamera(EmptyChair(), lambda: MonoNs(next(times)), pause=lambda s: None)
    times = iter(range(0, 10**12, 10**8))
    hanging.freeze()
    camera = SimCamera(EmptyChair(), mono_ns, fps=100)
    return Rig(camera, hanging, Fault.SILENT, (640, 480), Provenance.SIMULATED)


def from_file(folder: Path) -> Rig:
    camera = OpencvCamera(f"file:{film(folder)}", mono_ns)
    broken = OpencvCamera(str(folder / "nothing.avi"), mono_ns)
    return Rig(camera, broken, Fault.ABSENT, (WIDTH, HEIGHT), Provenance.SIMULATED)


def on_a_pi() -> Rig:
    """The driver over the pretended library."""
    from edge.drivers.camera_pi import PiCamera

    library()
    camera, absent = PiCamera("0", mono_ns), PiCamera("7", mono_ns)
    return Rig(camera, absent, Fault.ABSENT, (640, 480), Provenance.LIVE)


def in_a_process(behaviour: str) -> Rig:
    camera, broken = processed(behaviour), processed("absent")
    return Rig(camera, broken, Fault.ABSENT, (640, 480), Provenance.SIMULATED)


def on_the_desk(address: str, *, alone: bool) -> Rig:
    """`0` or `/dev/video0` is a webcam, `pi:0` the Pi's own."""
    kind, _, source = address.rpartition(":")
    make = cameras.in_own_process if alone else cameras.direct
    camera, absent = make(kind or "opencv", source), make(kind or "opencv", "99")
    return Rig(camera, absent, Fault.ABSENT, None, Provenance.LIVE)


@pytest.fixture(
    params=["sim", "file", "pi", "process", "pi-process", "hardware", "hardware-process"]
)
def rig(request: pytest.FixtureRequest, tmp_path: Path, hardware: dict[str, str]) -> Iterator[Rig]:
    if request.param == "sim":
        made = simulated()
    elif request.param == "file":
        made = from_file(tmp_path)
    elif request.param == "pi":
        made = on_a_pi()
    elif request.param == "process":
        made = in_a_process("sim")
    elif request.param == "pi-process":
        made = in_a_process("pi")
    elif "camera" in hardware:
        made = on_the_desk(hardware["camera"], alone=request.param == "hardware-process")
    else:
        pytest.skip("no camera on this desk: --hardware camera=0 adds /dev/video0")
    yield made
    made.camera.close()
    made.broken.close()
    unload_library()


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    """No thread, no process, no descriptor, nothing in the shared memory."""
    before = left_behind()
    threads = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= threads
    files, children, shared = left_behind()
    assert files <= before[0], "fewer is another test's garbage that was collected meanwhile"
    assert (children, shared) == before[1:]


def test_opens_and_closes_twice(rig: Rig) -> None:
    for _ in range(2):
        rig.camera.open()
        rig.camera.open()
        rig.camera.close()
        rig.camera.close()
    rig.broken.close()


def test_streams_again_after_a_stream(rig: Rig) -> None:
    rig.camera.open()
    for _ in range(2):
        with rig.camera.stream() as frames:
            assert next(frames).picture.width > 0


def test_frames_have_their_size_and_times_go_forward(rig: Rig) -> None:
    with rig.camera.stream() as frames:
        seen = [next(frames) for _ in range(5)]
    for frame in seen:
        picture = frame.picture
        assert len(picture.rgb) == picture.width * picture.height * 3
        assert rig.size in (None, (picture.width, picture.height))
    times = [frame.captured_ns for frame in seen]
    assert times == sorted(set(times))


def test_no_frame_outside_a_stream(rig: Rig) -> None:
    with rig.camera.stream() as frames:
        next(frames)
    assert list(frames) == []


def test_close_ends_a_running_stream(rig: Rig) -> None:
    with rig.camera.stream() as frames:
        next(frames)
        rig.camera.close()
        assert len(list(frames)) == 0


def test_close_from_another_thread_ends_a_running_stream(rig: Rig) -> None:
    with rig.camera.stream() as frames:
        next(frames)
        closer = threading.Thread(target=rig.camera.close)
        closer.start()
        for _ in frames:
            pass
        closer.join(10)


def test_streams_one_at_a_time(rig: Rig) -> None:
    with (
        rig.camera.stream(),
        pytest.raises(DeviceError) as caught,
        rig.camera.stream(),
    ):
        pass
    assert caught.value.fault is Fault.REFUSED


def test_an_error_inside_the_stream_shuts_the_camera(rig: Rig) -> None:
    kept: list[Iterator[Frame]] = []
    with pytest.raises(ZeroDivisionError):
        _look_and_fail(rig.camera, kept)
    assert list(kept[0]) == []
    assert len(kept) == 1


def _look_and_fail(camera: Camera, kept: list[Iterator[Frame]]) -> None:
    with camera.stream() as frames:
        kept.append(frames)
        next(frames)
        raise ZeroDivisionError


def test_fails_within_the_family(rig: Rig) -> None:
    with pytest.raises(DeviceError) as caught:
        _first_frame(rig.broken)
    assert caught.value.fault is rig.fault
    health = rig.broken.health()
    assert not health.ok
    assert health.fix


def _first_frame(camera: Camera) -> object:
    camera.open()
    with camera.stream() as frames:
        return next(frames)


def test_locks_the_exposure_only_while_streaming_if_at_all(rig: Rig) -> None:
    assert not rig.camera.lock_exposure()
    with rig.camera.stream() as frames:
        next(frames)
        can = rig.camera.lock_exposure()
        assert next(frames).picture.width > 0
        assert rig.camera.lock_exposure(False) == can
        assert next(frames).picture.width > 0
    assert not rig.camera.lock_exposure()


def test_nudges_the_exposure_only_while_streaming_if_at_all(rig: Rig) -> None:
    assert not rig.camera.nudge_exposure(0.5)
    with rig.camera.stream() as frames:
        next(frames)
        can = rig.camera.nudge_exposure(0.5)
        assert next(frames).picture.width > 0
        assert rig.camera.nudge_exposure(0.0) == can
        assert next(frames).picture.width > 0
    assert not rig.camera.nudge_exposure(0.5)


def test_says_the_same_of_itself_each_time(rig: Rig) -> None:
    """A film has no identity; whatever has one keeps it."""
    told = []
    for _ in range(2):
        rig.camera.open()
        told.append(rig.camera.identity())
        rig.camera.close()
    assert told[0] == told[1]
    assert told[0].isprintable()


def test_health_and_provenance(rig: Rig) -> None:
    assert rig.camera.health().ok
    assert rig.camera.provenance is rig.provenance


# --- the video file and the webcam driver alone ---


def test_file_plays_twice_and_ends(tmp_path: Path) -> None:
    camera = OpencvCamera(str(film(tmp_path)), mono_ns)
    with camera.stream() as frames:
        reds = [bytes(frame.picture.rgb)[0] for frame in frames]
    falls = sum(b < a - 50 for a, b in pairwise(reds))
    assert falls == 1
    assert FRAMES < len(reds) <= 2 * FRAMES


def test_file_is_red_first(tmp_path: Path) -> None:
    with OpencvCamera(str(film(tmp_path)), mono_ns).stream() as frames:
        red, green, blue = bytes(next(frames).picture.rgb)[:3]
    assert red > 40
    assert max(green, blue) < 20


def test_file_keeps_its_own_speed_and_drops_for_a_slow_reader(tmp_path: Path) -> None:
    clock = mono_ns
    camera = OpencvCamera(str(film(tmp_path)), clock)
    with camera.stream() as frames:
        began_ns, shown = clock(), 0
        for frame in frames:
            shown += 1
            pause_until(clock, frame.captured_ns + 100_000_000)
        lasted_s = (clock() - began_ns) / 1e9
    assert lasted_s == pytest.approx(2 * FRAMES / FPS, abs=0.4)
    assert shown < FRAMES


def pause_until(clock: Callable[[], MonoNs], due_ns: int) -> None:
    """A reader that is busy until then."""
    while clock() < due_ns:
        threading.Event().wait(0.005)


def test_unreadable_file_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "not-a-film.avi"
    path.write_bytes(b"no film" * 100)
    with pytest.raises(DeviceError, match="file:PATH") as caught:
        _first_frame(OpencvCamera(str(path), mono_ns))
    assert caught.value.fault is Fault.ABSENT


def test_missing_webcam_says_what_to_do() -> None:
    camera = OpencvCamera("99", mono_ns)
    assert camera.provenance is Provenance.LIVE
    with pytest.raises(DeviceError, match="no camera at index 99: plug a camera in") as caught:
        camera.open()
    assert caught.value.fault is Fault.ABSENT


def test_hanging_source_is_noticed(tmp_path: Path) -> None:
    """A pipe nobody writes to: opening it never returns, like a webcam that hangs."""
    pipe = tmp_path / "hangs"
    os.mkfifo(pipe)
    camera = OpencvCamera(str(pipe), mono_ns, first_frame_s=0.2, hang_s=0.1)
    with pytest.raises(DeviceError) as caught, camera.stream() as frames:
        next(frames)
    assert caught.value.fault is Fault.SILENT
    assert camera.health().words == "the camera hangs"
    with pytest.raises(DeviceError) as again, camera.stream():
        pass
    assert again.value.fault is Fault.REFUSED
    free(pipe)


def left_behind() -> tuple[int, int, set[str]]:
    here = psutil.Process()
    return here.num_fds(), len(here.children(recursive=True)), set(os.listdir("/dev/shm"))


def free(pipe: Path) -> None:
    """Let go whoever waits for a writer, until nobody does."""
    grabbers = [t for t in threading.enumerate() if t.name == "camera grabber"]
    while any(thread.is_alive() for thread in grabbers):
        try:
            os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:  # nobody has it open for reading just now
            for thread in grabbers:
                thread.join(0.05)


@pytest.mark.eval_data
def test_real_clip(eval_data: Path) -> None:
    clip = min((eval_data / "live").glob("clip_*.mkv"))
    with OpencvCamera(str(clip), mono_ns).stream() as frames:
        pictures = [next(frames).picture for _ in range(10)]
    assert {(p.width, p.height) for p in pictures} == {(640, 480)}

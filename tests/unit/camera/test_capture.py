"""A camera in a process of its own: hangs, deaths, leftovers, and what gets through."""

from __future__ import annotations

import mmap
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from edge.app import cameras
from edge.domain.errors import DeviceError, Fault
from edge.domain.record import Provenance
from edge.domain.timebase import MonoNs
from edge.drivers.capture import LOOK_AGAIN_NS, CaptureProcess
from edge.ports import Frame
from tests.camera_bench import assert_no_child, mono_ns, own_children, processed, rgb_of

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def once_before() -> None:
    """What the first child opens for good is not the matter of whichever test comes first."""
    with processed("counts").stream() as frames:
        next(frames)


@pytest.fixture(autouse=True)
def nothing_left_behind(once_before: None) -> Iterator[None]:
    here = psutil.Process()
    files = here.num_fds()
    before = set(threading.enumerate()), set(os.listdir("/dev/shm"))
    yield
    assert_no_child()
    assert here.num_fds() <= files, "fewer is another test's garbage that was collected meanwhile"
    assert (set(threading.enumerate()), set(os.listdir("/dev/shm"))) == before
    assert "memfd:frames" not in Path("/proc/self/maps").read_text()


def until_it_fails(
    camera: CaptureProcess, after_the_first: Callable[[], None] = lambda: None
) -> tuple[DeviceError, float, int]:
    """The error, how long after the last frame it came, and how many frames there were."""
    last_ns, count = mono_ns(), 0
    try:
        with camera.stream() as frames:
            for _ in frames:
                last_ns, count = mono_ns(), count + 1
                if count == 1:
                    after_the_first()
    except DeviceError as error:
        return error, (mono_ns() - last_ns) / 1e9, count
    pytest.fail("it did not fail")


def child() -> psutil.Process:
    (only,) = own_children()
    return only


# --- hangs ---


@pytest.mark.parametrize("behaviour", ["hangs", "holds", "pi-hangs", "pi-never-closes"])
def test_a_hang_ends_within_3_s_and_the_next_stream_runs_within_5_s(behaviour: str) -> None:
    camera = processed(behaviour)
    error, waited_s, count = until_it_fails(camera)
    assert error.fault is Fault.SILENT
    assert count == 3
    assert waited_s < 3
    assert_no_child()
    began_ns = mono_ns()
    with camera.stream() as frames:
        assert next(frames).picture.width == 640
        assert (mono_ns() - began_ns) / 1e9 < 5


@pytest.mark.parametrize("behaviour", ["hangs-at-start", "pi-never-opens"])
def test_a_hang_before_the_first_frame(behaviour: str) -> None:
    error, waited_s, count = until_it_fails(processed(behaviour, first_frame_s=0.6))
    assert error.fault is Fault.SILENT
    assert count == 0
    assert waited_s < 3


def test_close_from_another_thread_lets_go_of_a_reader_that_waits() -> None:
    camera = processed("hangs", hang_s=30.0)
    with camera.stream() as frames:
        for _ in range(3):
            next(frames)
        closer = threading.Timer(0.2, camera.close)
        closer.start()
        began_s = time.monotonic()
        assert list(frames) == []
        assert time.monotonic() - began_s < 1
        closer.join()


# --- deaths ---


def test_a_killed_process_is_noticed_at_once_and_replaced() -> None:
    camera = processed("counts", hang_s=30.0)
    error, waited_s, _ = until_it_fails(camera, lambda: os.kill(child().pid, signal.SIGKILL))
    assert error.fault is Fault.SILENT
    assert waited_s < 10, "noticed by its death, not by its silence"
    with camera.stream() as frames:
        assert next(frames).picture.width == 640


PARENT = """
import sys
from tests.camera_bench import processed
with processed(sys.argv[1]).stream() as frames:
    for number, frame in enumerate(frames):
        if number == 2:
            print("streaming", flush=True)
"""


@pytest.mark.parametrize("behaviour", ["counts", "hangs", "holds"])
def test_the_process_dies_with_the_kiosk(behaviour: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, behaviour], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "streaming\n"
        (orphan,) = psutil.Process(parent.pid).children()
        parent.kill()
    orphan.wait(5)  # raises when it does not end


def test_a_command_that_cannot_be_started() -> None:
    camera = CaptureProcess(["/nowhere/python"], mono_ns)
    error, _, _ = until_it_fails(camera)
    assert error.fault is Fault.REFUSED


# --- what gets through ---


def test_frames_are_whole_and_new() -> None:
    """Every byte of a frame is its number: a torn one would show."""
    with processed("counts").stream() as frames:
        first = next(frames)
        time.sleep(0.5)
        seen = [next(frames) for _ in range(5)]
        age_ns = mono_ns() - seen[-1].captured_ns
    numbers = [number_of(frame) for frame in seen]
    assert numbers == sorted(set(numbers))
    assert numbers[0] - number_of(first) >= 8  # those that nobody took were dropped
    assert age_ns < 60_000_000


def number_of(frame: Frame) -> int:
    rgb = rgb_of(frame)
    assert rgb.min() == rgb.max()
    return int(rgb.max())


def test_a_frame_outlives_the_stream() -> None:
    with processed("counts").stream() as frames:
        kept = next(frames)
        number = number_of(kept)
        next(frames)
    assert number_of(kept) == number


def test_the_camera_s_own_error_gets_through() -> None:
    error, _, _ = until_it_fails(processed("absent"))
    assert (error.fault, error.retry) == (Fault.ABSENT, False)
    assert "look at the cable" in error.detail


def test_a_frame_that_cannot_be_is_not_believed() -> None:
    error, _, _ = until_it_fails(processed("huge"))
    assert error.fault is Fault.GARBLED


def test_the_memory_is_zeroed_at_the_end() -> None:
    """Looked at through the descriptor that the process itself holds."""
    with processed("counts").stream() as frames:
        next(frames)
        folder = Path(f"/proc/{child().pid}/fd")
        name = next(fd for fd in folder.iterdir() if "memfd:frames" in os.readlink(fd))
        descriptor = os.open(name, os.O_RDWR)
    try:
        with mmap.mmap(descriptor, 640 * 480 * 3) as seen:
            assert seen[:] == bytes(len(seen))
    finally:
        os.close(descriptor)


def test_five_streams_leave_nothing() -> None:
    camera = processed("counts")
    for _ in range(5):
        with camera.stream() as frames:
            next(frames)
    assert_no_child()


# --- the network ---


@pytest.mark.parametrize(("behaviour", "called"), [("calls", False), ("calls-freely", True)])
def test_the_process_has_no_network(
    behaviour: str, called: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("PORT", str(server.getsockname()[1]))
        camera = processed(behaviour)
        camera.open()
    assert camera.health().words == ("called" if called else "cannot call")


# --- whether it is there ---


def test_an_absent_camera_is_looked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugged = tmp_path / "plugged"
    monkeypatch.setenv("PRESENT", str(plugged))
    later_ns = 0
    camera = processed("absent", clock=lambda: MonoNs(mono_ns() + later_ns))
    assert not camera.health().ok
    assert camera.health().fault is Fault.ABSENT
    plugged.touch()
    assert not camera.health().ok  # too early to look again
    later_ns = LOOK_AGAIN_NS
    assert camera.health().ok


def test_a_hang_does_not_mean_that_the_camera_is_gone() -> None:
    camera = processed("hangs", hang_s=0.3)
    until_it_fails(camera)
    assert camera.health().ok


# --- as the kiosk starts it ---


def test_a_webcam_behind_a_process(tmp_path: Path) -> None:
    absent = cameras.in_own_process("opencv", "99")
    assert absent.provenance is Provenance.LIVE
    assert not absent.health().ok
    with pytest.raises(DeviceError, match="plug a camera in") as caught:
        absent.open()
    assert caught.value.fault is Fault.ABSENT


def test_a_pi_s_camera_on_a_machine_that_is_none() -> None:
    absent = cameras.in_own_process("pi", "0")
    with pytest.raises(DeviceError, match="python3-picamera2") as caught:
        absent.open()
    assert caught.value.fault is Fault.ABSENT


def test_a_real_picture_through_the_kiosk_s_own_process(tmp_path: Path) -> None:
    import cv2
    import numpy as np

    path = tmp_path / "red.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 20, (96, 64))
    for _ in range(20):
        writer.write(np.full((64, 96, 3), (0, 0, 200), np.uint8))
    writer.release()
    camera = cameras.in_own_process("file", str(path))
    assert camera.provenance is Provenance.SIMULATED
    with camera.stream() as frames:
        red, green, blue = rgb_of(next(frames))[32, 48]
    assert red > 180
    assert max(green, blue) < 30

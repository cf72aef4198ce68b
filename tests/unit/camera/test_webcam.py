"""The webcam driver over a pretended V4L2 device that can be unplugged."""

from __future__ import annotations

import os
import pty
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.domain.errors import DeviceError, Fault
from edge.domain.record import Provenance
from edge.drivers import camera_opencv
from edge.drivers.camera_opencv import OpencvCamera
from tests.camera_bench import mono_ns, rgb_of

MJPG = cv2.VideoWriter.fourcc(*"MJPG")
AUTOMATIC = 3.0  # V4L2_EXPOSURE_APERTURE_PRIORITY, what webcams call automatic


class Socket:
    """A USB socket: a character device stands at `path` while a camera is plugged in.

    A terminal's other end serves as the device node: it goes when its master is closed.
    """

    def __init__(self) -> None:
        self.manual_exposure = True
        self.light = 100.0
        self.captures: list[Webcam] = []
        self.path = ""
        self._ends: tuple[int, int] | None = None
        self.plug()

    def plug(self) -> None:
        self._ends = pty.openpty()
        path = os.ttyname(self._ends[1])
        assert self.path in ("", path)  # the lowest free number, as a camera gets its own again
        self.path = path

    def unplug(self) -> None:
        if self._ends is not None:
            for end in self._ends:
                os.close(end)
        self._ends = None

    @property
    def plugged(self) -> bool:
        return self._ends is not None

    def open(self, source: str | int, backend: int) -> Webcam:
        assert (source, backend) == (self.path, cv2.CAP_V4L2)
        self.captures.append(Webcam(self))
        return self.captures[-1]


class Webcam:
    """Does what `cv2.VideoCapture` does over V4L2; unknown properties are refused."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.opened = socket.plugged
        self.thread = threading.get_ident()
        self.values: dict[int, float] = {
            cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"YUYV"),
            cv2.CAP_PROP_FRAME_WIDTH: 1280,
            cv2.CAP_PROP_FRAME_HEIGHT: 720,
            cv2.CAP_PROP_FPS: 30,
            cv2.CAP_PROP_BUFFERSIZE: 4,
            cv2.CAP_PROP_EXPOSURE: 157,
            cv2.CAP_PROP_AUTO_EXPOSURE: AUTOMATIC,
            cv2.CAP_PROP_AUTO_WB: 1,
        }
        self.order: list[int] = []

    def get(self, name: int) -> float:
        assert threading.get_ident() == self.thread, "a capture belongs to one thread"
        return self.values.get(name, -1.0 if name == cv2.CAP_PROP_FRAME_COUNT else 0.0)

    def set(self, name: int, value: float) -> bool:
        assert threading.get_ident() == self.thread, "a capture belongs to one thread"
        if not self.opened or name not in self.values:
            return False
        if name == cv2.CAP_PROP_AUTO_EXPOSURE and not self.socket.manual_exposure:
            return False
        self.order.append(name)
        self.values[name] = value
        return True

    def read(self) -> tuple[bool, np.ndarray | None]:
        if not (self.opened and self.socket.plugged):
            return False, None
        threading.Event().wait(0.01)
        if self.values[cv2.CAP_PROP_AUTO_EXPOSURE] == AUTOMATIC:
            self.values[cv2.CAP_PROP_EXPOSURE] = 15_700 / self.socket.light
        level = self.socket.light * self.values[cv2.CAP_PROP_EXPOSURE] / 157
        size = (int(self.values[cv2.CAP_PROP_FRAME_HEIGHT]), int(self.values[3]))
        picture = np.zeros((*size, 3), np.uint8)
        picture[:, :, 2] = min(level, 255)  # red, in the order of OpenCV
        picture[0, 0] = 255
        return True, picture

    def release(self) -> None:
        self.opened = False


@pytest.fixture
def usb() -> Iterator[Socket]:
    made = Socket()
    yield made
    made.unplug()
    assert not any(capture.opened for capture in made.captures)


def camera(usb: Socket, **settings: bool) -> OpencvCamera:
    return OpencvCamera(usb.path, mono_ns, video_capture=usb.open, **settings)


def test_asks_for_compressed_pictures_of_our_size_and_rate(usb: Socket) -> None:
    device = camera(usb)
    assert device.provenance is Provenance.LIVE
    with device.stream() as frames:
        picture = next(frames).picture
    assert (picture.width, picture.height) == (640, 480)
    values, order = usb.captures[0].values, usb.captures[0].order
    assert values[cv2.CAP_PROP_FOURCC] == MJPG
    assert values[cv2.CAP_PROP_FPS] == 20
    assert values[cv2.CAP_PROP_BUFFERSIZE] == 1
    assert order[0] == cv2.CAP_PROP_FOURCC


@pytest.mark.parametrize(("upside_down", "lit"), [(False, (0, 0)), (True, (-1, -1))])
def test_red_is_red_and_turned_only_when_told(
    usb: Socket, upside_down: bool, lit: tuple[int, int]
) -> None:
    with camera(usb, upside_down=upside_down).stream() as frames:
        rgb = rgb_of(next(frames))
    assert tuple(rgb[240, 320]) == (100, 0, 0)
    assert tuple(rgb[lit]) == (255, 255, 255)


def test_locked_exposure_does_not_follow_the_light(usb: Socket) -> None:
    device = camera(usb)
    with device.stream() as frames:
        assert rgb_of(next(frames))[240, 320, 0] == 100
        assert device.lock_exposure()
        usb.light = 150.0
        assert [rgb_of(next(frames))[240, 320, 0] for _ in range(4)][-1] == 150
        assert device.lock_exposure(False)
        assert [rgb_of(next(frames))[240, 320, 0] for _ in range(4)][-1] == 100
    assert usb.captures[0].values[cv2.CAP_PROP_AUTO_WB] == 1


def test_a_camera_without_manual_exposure_says_so(usb: Socket) -> None:
    usb.manual_exposure = False
    device = camera(usb)
    with device.stream() as frames:
        next(frames)
        assert not device.lock_exposure()
        assert not device.lock_exposure(False)


def test_unplugged_while_streaming_and_back(usb: Socket) -> None:
    device = camera(usb)
    with pytest.raises(DeviceError) as caught:
        _stream_and_unplug(device, usb)
    assert caught.value.fault is Fault.ABSENT
    assert not device.health().ok
    assert device.health().fault is Fault.ABSENT
    with pytest.raises(DeviceError, match="plug a camera in"):
        device.open()
    usb.plug()
    assert device.health().ok
    with device.stream() as frames:
        assert next(frames).picture.width == 640


def _stream_and_unplug(device: OpencvCamera, usb: Socket) -> None:
    with device.stream() as frames:
        for _ in frames:
            usb.unplug()


def test_device_nodes_are_cameras_also_while_they_are_gone(tmp_path: Path) -> None:
    assert OpencvCamera("/dev/v4l/by-id/none", mono_ns).provenance is Provenance.LIVE
    assert OpencvCamera(str(tmp_path / "film.avi"), mono_ns).provenance is Provenance.SIMULATED


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"idVendor": "046d", "idProduct": "0825", "serial": "A1"}, "046d:0825 A1"),
        ({"idVendor": "046d", "idProduct": "0825"}, "046d:0825 port 1-2"),
    ],
)
def test_a_webcam_is_named_as_its_bus_names_it(tmp_path, words, said) -> None:
    usb = tmp_path / "devices" / "usb1" / "1-2"
    video = usb / "1-2:1.0" / "video4linux" / "video7"
    video.mkdir(parents=True)
    for name, word in words.items():
        (usb / name).write_text(word + "\n")
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "video7").symlink_to(video)
    assert camera_opencv._identity_of(tmp_path / "video7", tmp_path / "class") == said


def test_a_program_that_plays_a_camera_is_called_virtual(tmp_path) -> None:
    video = tmp_path / "devices" / "virtual" / "video4linux" / "video9"
    video.mkdir(parents=True)
    (video / "name").write_text("OBS Virtual Camera\n")
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "video9").symlink_to(video)
    told = camera_opencv._identity_of(tmp_path / "video9", tmp_path / "class")
    assert told == "virtual:OBS Virtual Camera"
    assert camera_opencv._identity_of(tmp_path / "video1", tmp_path / "class") == ""

"""QR codes by camera: what is read, and that the camera is shut whenever nobody waits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import qrcode

from edge.domain.errors import DeviceError, Fault
from edge.drivers.scanner_camera import CameraScanner, codes_in
from edge.drivers.sim.camera import SimCamera, picture_of
from edge.ports import Frame
from tests.scanner_bench import EMPTY, Sight, qr_scene
from tests.sim_clock import HandClock


class Desk:
    def __init__(self) -> None:
        self.clock = HandClock()
        self.sight = Sight()
        self.camera = SimCamera(self.sight, self.clock, pause=self.clock.advance)
        self.scanner = CameraScanner(self.camera, self.clock)
        self.scanner.open()


@pytest.mark.parametrize(
    ("code", "size_px"),
    [
        ("K-0001", 90),
        ("健在 K-0001", 120),
        ("https://a.example/?q=1", 240),
        ("0123456789" * 30, 360),
    ],
)
def test_a_code_in_view_is_read(code: str, size_px: int) -> None:
    assert codes_in(picture_of(qr_scene(code, size_px, top_px=50))) == [code]


def test_a_gb18030_code_is_read_as_chinese() -> None:
    made = qrcode.QRCode()
    made.add_data(qrcode.util.QRData("健在".encode("gb18030"), mode=qrcode.util.MODE_8BIT_BYTE))
    picture = made.make_image().convert("RGB")
    assert codes_in(picture_of(np.asarray(picture, np.uint8))) == ["健在"]


def test_an_empty_room_holds_no_code() -> None:
    assert codes_in(picture_of(EMPTY)) == []


def test_the_camera_is_open_only_while_somebody_waits() -> None:
    desk = Desk()
    assert desk.sight.frames == 0
    assert desk.scanner.wait_for_code(1.0) is None
    seen = desk.sight.frames
    assert seen > 0
    with desk.camera.stream():
        """Free again: a second stream would be refused."""
    assert desk.sight.frames == seen
    assert desk.camera.delivered_closed == 0


def test_the_camera_is_shut_when_a_code_was_found() -> None:
    desk = Desk()
    desk.sight.show("A")
    assert desk.scanner.wait_for_code(1.0) == "A"
    with desk.camera.stream():
        pass


def test_a_camera_in_use_by_a_check_is_left_alone() -> None:
    desk = Desk()
    with desk.camera.stream() as frames:
        with pytest.raises(DeviceError) as call:
            desk.scanner.wait_for_code(1.0)
        assert call.value.fault is Fault.REFUSED
        desk.scanner.close()
        assert next(frames)


def test_a_scanner_closed_while_the_camera_opens_looks_no_longer() -> None:
    desk = Desk()

    class Opening(SimCamera):
        @contextmanager
        def stream(self) -> Iterator[Iterator[Frame]]:
            with super().stream() as frames:
                scanner.close()
                yield frames

    camera = Opening(desk.sight, desk.clock, pause=desk.clock.advance)
    scanner = CameraScanner(camera, desk.clock)
    scanner.open()
    assert scanner.wait_for_code(10.0) is None
    assert desk.sight.frames <= 1


def test_a_camera_that_hangs_is_an_error() -> None:
    desk = Desk()
    desk.camera.freeze()
    with pytest.raises(DeviceError) as call:
        desk.scanner.wait_for_code(10.0)
    assert call.value.fault is Fault.SILENT

"""The simulated camera's own habits; what every camera promises is in conformance/."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from edge.domain.errors import DeviceError, Fault
from edge.drivers.sim.camera import HANG_S, SimCamera
from tests.sim_clock import HandClock


class Dial:
    """Shows the time it is asked for, in tenths of seconds."""

    def __init__(self):
        self.asked = []

    def picture(self, now_ns):
        self.asked.append(now_ns)
        return np.full((480, 640, 3), now_ns // 100_000_000 % 256, np.uint8)


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def camera(clock):
    return SimCamera(Dial(), clock, fps=20, pause=clock.advance)


def test_keeps_its_pace(camera):
    with camera.stream() as frames:
        times = [next(frames).captured_ns for _ in range(5)]
    assert np.diff(times).tolist() == [50_000_000] * 4


def test_slow_reader_gets_the_present(camera, clock):
    with camera.stream() as frames:
        next(frames)
        clock.advance(3)
        frame = next(frames)
    assert frame.captured_ns == clock.now_ns
    assert frame.picture.rgb[0] == clock.now_ns // 100_000_000 % 256
    assert camera.delivered == 2


def test_frozen_camera_fails_after_two_seconds(camera, clock):
    with camera.stream() as frames:
        next(frames)
        camera.freeze()
        before_ns = clock.now_ns
        with pytest.raises(DeviceError) as caught:
            next(frames)
    assert caught.value.fault is Fault.SILENT
    assert (clock.now_ns - before_ns) / 1e9 == pytest.approx(HANG_S, abs=0.1)
    assert not camera.health().ok


def test_k_no_frame_is_made_or_delivered_while_closed(clock):
    """The consent test stands on this: closed means nobody even looks."""
    dial = Dial()
    camera = SimCamera(dial, clock, pause=clock.advance)
    camera.open()
    with camera.stream() as frames:
        next(frames)
        camera.close()
        assert list(frames) == []
    assert list(frames) == []
    assert len(dial.asked) == camera.delivered == 1
    assert camera.delivered_closed == 0


def test_frame_under_way_is_dropped_when_the_shutter_shuts(clock):
    class Closing(Dial):
        def picture(self, now_ns):
            camera.close()
            return super().picture(now_ns)

    camera = SimCamera(Closing(), clock, pause=clock.advance)
    with camera.stream() as frames:
        assert list(frames) == []
    assert (camera.delivered, camera.delivered_closed) == (0, 0)


def test_close_wakes_a_waiting_reader(clock):
    """Real waiting this time: a frame an hour, and a close from elsewhere."""
    camera = SimCamera(Dial(), clock, fps=1 / 3600)
    with camera.stream() as frames:
        next(frames)
        closer = threading.Thread(target=camera.close)
        closer.start()
        assert list(frames) == []
        closer.join(10)

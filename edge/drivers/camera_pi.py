"""A camera on the ribbon cable of a Raspberry Pi, through picamera2.

libcamera names a format by how a pixel lies in a little-endian word, numpy shows
the bytes: what is called `BGR888` arrives as R, G, B. The wrong name swaps red and
blue, which no exception tells and which spoils the face models; so what was
configured is compared with what was asked for before the first frame.

picamera2 and libcamera come with Raspberry Pi OS only and are imported when the
camera is opened. A call into libcamera may hang for ever: run this in a process
of its own (`edge.drivers.capture`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from edge.domain.errors import DeviceError, Fault
from edge.domain.record import Provenance
from edge.domain.timebase import NS_PER_S, MonoNs
from edge.ports import Frame, Grey, Health, Picture

RGB_IN_MEMORY = "BGR888"
YUV = "YUV420"
HALF_MAINS_PERIOD_US = 10_000  # lamps on 50 Hz mains flicker at 100 Hz
FLICKER_MANUAL = 1
AF_CONTINUOUS = 2
FIRST_FRAME_S = 2.5
HANG_S = 2.0
LATE_NS = NS_PER_S // 2
DARK = 8  # mean luma of a covered lens
INSTALL = "install the Debian package python3-picamera2, make the venv with --system-site-packages"
UNCOVER = "take the cap off, clean the lens, switch the light on"
CABLE = "switch off, then seat the camera's ribbon cable at both ends; keep it away from the reader"


class PiCamera:
    """`source` is a number in libcamera's list, or the fixed id that `health` shows.

    `upside_down` turns the picture by 180 degrees for a camera mounted so; nothing
    here mirrors. `size_px` and `grey_px` are (width, height), even numbers.
    """

    name = "camera"
    provenance = Provenance.LIVE

    def __init__(
        self,
        source: str,
        mono_ns: Callable[[], MonoNs],
        *,
        upside_down: bool = False,
        size_px: tuple[int, int] = (640, 480),
        grey_px: tuple[int, int] = (320, 240),
        fps: int = 20,
        first_frame_s: float = FIRST_FRAME_S,
        hang_s: float = HANG_S,
    ) -> None:
        self._source = source
        self._mono_ns = mono_ns
        self._upside_down = upside_down
        self._size_px, self._grey_px = size_px, grey_px
        self._period_us = 1_000_000 // fps
        self._patience_s = (first_frame_s, hang_s)
        self._health = Health(True, "not tried yet")
        self._dark = False
        self._streaming = threading.Lock()
        self._stop = threading.Event()
        self._device: Any = None
        self._metadata: dict[str, Any] = {}
        self._held: dict[str, Any] = {}  # exposure and gain while they are locked
        self._identity = ""

    def open(self) -> None:
        """Only looks whether it is there: the camera itself opens with the stream."""
        self._find()

    def close(self) -> None:
        """Ends a running stream at its next frame, from any thread."""
        self._stop.set()

    def health(self) -> Health:
        """With the fixed id of the camera; looks whether it is there while nothing streams."""
        if not self._streaming.locked():
            with suppress(DeviceError):  # it is in `_health`
                self._find()
        if self._health.ok and self._dark:
            return Health(True, f"{self._health.words}; the picture is dark", UNCOVER)
        return self._health

    def lock_exposure(self, locked: bool = True) -> bool:
        device, seen = self._device, self._metadata
        held = [name for name in ("ExposureTime", "AnalogueGain", "ColourGains") if name in seen]
        if device is None or not {"ExposureTime", "AnalogueGain"} <= set(held):
            return False
        if locked:
            wanted = {"AeEnable": False, "AwbEnable": False} | {name: seen[name] for name in held}
        else:  # zero gives a value back to the automatic
            wanted = {"AeEnable": True, "AwbEnable": True, "ExposureTime": 0, "AnalogueGain": 0.0}
        self._held = wanted if locked else {}
        with self._vendor_errors():
            device.set_controls(_offered(wanted, device.camera_controls))
        return True

    def nudge_exposure(self, stops: float) -> bool:
        """By the gain where it has room, because a shorter exposure lets lamps flicker."""
        device = self._device
        if stops == 0 and not self._held:
            return self.lock_exposure(False)
        now = self._held or self._metadata
        if device is None or not {"ExposureTime", "AnalogueGain"} <= set(now):
            return False
        time_us, gain = now["ExposureTime"], now["AnalogueGain"] / 2**stops
        if gain < 1:
            time_us, gain = max(1, round(time_us * gain)), 1.0
        wanted = {"AeEnable": False, "ExposureTime": time_us, "AnalogueGain": gain}
        with self._vendor_errors():
            device.set_controls(_offered(wanted, device.camera_controls))
        return True

    def identity(self) -> str:
        return self._identity

    @contextmanager
    def stream(self) -> Iterator[Iterator[Frame]]:
        if not self._streaming.acquire(blocking=False):
            raise DeviceError(self.name, Fault.REFUSED, "already streaming", retry=False)
        try:
            self._stop.clear()
            with self._running() as device:
                frames = self._frames(device)
                try:
                    yield frames
                finally:
                    self._stop.set()
                    frames.close()
        finally:
            self._streaming.release()

    # --- the device ---

    def _find(self) -> int:
        """The number of our camera in libcamera's list, which changes with what is plugged in."""
        with self._vendor_errors():
            cameras = _library().global_camera_info()
        for number, camera in enumerate(cameras):
            if self._source in (str(number), camera["Id"]):
                self._identity = f"{camera.get('Model', '?')} at {camera['Id']}"
                self._health = Health(True, self._identity)
                return number
        there = ", ".join(camera["Id"] for camera in cameras) or "none"
        raise self._failed(Fault.ABSENT, f"no camera {self._source}; found: {there}", CABLE)

    @contextmanager
    def _running(self) -> Iterator[Any]:
        number = self._find()
        with self._vendor_errors():
            device = _library()(number)
        try:
            with self._vendor_errors():
                device.configure(self._configuration(device))
                self._check(device.camera_configuration())
                device.start()
            self._device, self._metadata, self._held = device, {}, {}
            yield device
        finally:
            self._device = None
            with self._vendor_errors():
                device.close()

    def _configuration(self, device: Any) -> Any:
        from libcamera import ColorSpace, Transform

        turned = self._upside_down
        width, height = device.sensor_resolution
        wanted = {
            "FrameDurationLimits": (self._period_us, self._period_us),
            "AeFlickerMode": FLICKER_MANUAL,
            "AeFlickerPeriod": HALF_MAINS_PERIOD_US,
            "AfMode": AF_CONTINUOUS,
        }
        return device.create_video_configuration(
            main={"size": self._size_px, "format": RGB_IN_MEMORY},
            lores={"size": self._grey_px, "format": YUV},
            raw=None,
            transform=Transform(hflip=turned, vflip=turned),
            colour_space=ColorSpace.Sycc(),  # luma from 0 to 255; video's own default is 16 to 235
            controls=_offered(wanted, device.camera_controls),
            # Half the sensor's size is read binned, with the whole view; smaller modes are cut out.
            sensor={"output_size": (width // 2, height // 2)},
        )

    def _check(self, given: dict[str, Any]) -> None:
        """libcamera adjusts what it does not like and says so in a log line only."""
        asked = {"main": (RGB_IN_MEMORY, self._size_px), "lores": (YUV, self._grey_px)}
        for stream, (form, size_px) in asked.items():
            got = (given[stream]["format"], tuple(given[stream]["size"]))
            if got != (form, size_px):
                why = f"{stream} stream is {got}, asked for {(form, size_px)}"
                raise self._failed(Fault.REFUSED, why, "use a supported camera", retry=False)

    # --- frames ---

    def _frames(self, device: Any) -> Generator[Frame, None, None]:
        first_frame_s, hang_s = self._patience_s
        patience_s = first_frame_s
        while not self._stop.is_set():
            frame = self._fresh(device, patience_s)
            patience_s = hang_s
            if not self._stop.is_set():
                yield frame

    def _fresh(self, device: Any, patience_s: float) -> Frame:
        """The next frame that is not late."""
        due_ns = self._mono_ns() + int(patience_s * NS_PER_S)
        while (left_ns := due_ns - self._mono_ns()) > 0:
            with self._vendor_errors():
                frame = self._take(device, left_ns / NS_PER_S)
            if frame is not None and self._mono_ns() - frame.captured_ns < LATE_NS:
                return frame
        raise self._failed(Fault.SILENT, f"no fresh frame for {patience_s:.1f} s", CABLE)

    def _take(self, device: Any, timeout_s: float) -> Frame | None:
        try:
            request = device.capture_request(wait=timeout_s)
        except TimeoutError:
            device.cancel_all_and_flush()  # closing would wait for ever behind this job
            return None
        try:
            rgb, yuv = request.make_array("main"), request.make_array("lores")
            self._metadata = request.get_metadata()
        finally:
            request.release()
        return self._frame(rgb, yuv)

    def _frame(self, rgb: Any, yuv: Any) -> Frame:
        """`rgb` is height x width x 3; of `yuv` the first rows are luma, padded on the right."""
        (width, height), (grey_width, grey_height) = self._size_px, self._grey_px
        if rgb.shape != (height, width, 3):
            raise self._failed(Fault.GARBLED, f"a frame of shape {rgb.shape}", "restart the kiosk")
        luma = yuv[:grey_height, :grey_width]
        self._dark = float(luma.mean()) < DARK
        return Frame(
            Picture(width, height, memoryview(rgb).cast("B")),
            # The kernel stamps the start of the exposure; boot and monotonic clock are one here,
            # because a kiosk never sleeps.
            MonoNs(min(self._metadata["SensorTimestamp"], self._mono_ns())),
            Grey(grey_width, grey_height, luma.tobytes()),
            self._metadata.get("Lux"),
        )

    # --- errors ---

    @contextmanager
    def _vendor_errors(self) -> Iterator[None]:
        try:
            yield
        except ImportError as error:
            raise self._failed(Fault.ABSENT, f"no module {error.name}", INSTALL) from error
        except (RuntimeError, OSError, ValueError, LookupError) as error:
            raise self._failed(Fault.REFUSED, f"{type(error).__name__}: {error}", CABLE) from error

    def _failed(self, fault: Fault, why: str, fix: str, *, retry: bool = True) -> DeviceError:
        self._health = Health(False, why, fix, fault)
        return DeviceError(self.name, fault, f"{why}: {fix}", retry=retry)


def _library() -> Any:
    from picamera2 import Picamera2

    return Picamera2


def _offered(wanted: dict[str, Any], offered: dict[str, Any]) -> dict[str, Any]:
    """Setting what a camera lacks is an error; a lens without a motor has no `AfMode`, say."""
    return {name: value for name, value in wanted.items() if name in offered}

"""A webcam on a laptop or a video file, through OpenCV.

A thread of its own fetches frames, because a camera that hangs never returns
from `read`. It keeps only the newest frame and lives no longer than the
stream; the device is opened and released in it.
"""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2

from edge.domain.errors import DeviceError, Fault
from edge.domain.record import Provenance
from edge.domain.timebase import NS_PER_S, MonoNs
from edge.ports import Frame, Health, Picture

FIRST_FRAME_S = 6.0  # webcams need seconds to find their exposure
HANG_S = 2.0
PLAYS = 2  # of a video file: once, and once again
WANTED_PX = (640, 480)
WANTED_FPS = 20
COMPRESSED = cv2.VideoWriter.fourcc(*"MJPG")  # raw pictures leave a USB 2 bus room for few frames
EXPOSURE_MANUAL = 1  # V4L2_EXPOSURE_MANUAL; what it was before is put back
FIX = "plug a camera in, name another in camera_source, or use a video file: file:PATH"


class OpencvCamera:
    """`source` is a V4L2 number or path, or a video file (`file:PATH` or just the path)."""

    name = "camera"

    def __init__(
        self,
        source: str,
        mono_ns: Callable[[], MonoNs],
        *,
        upside_down: bool = False,
        first_frame_s: float = FIRST_FRAME_S,
        hang_s: float = HANG_S,
        video_capture: Callable[..., cv2.VideoCapture] = cv2.VideoCapture,
    ) -> None:
        self._video_capture = video_capture
        self._upside_down = upside_down
        self._source = source.removeprefix("file:")
        self._device = _is_device(source)
        self._mono_ns = mono_ns
        self._patience_s = (first_frame_s, hang_s)
        self._grabber: _Grabber | None = None
        self.provenance = Provenance.LIVE if self._device else Provenance.SIMULATED

    def open(self) -> None:
        """Only looks whether it is there: the camera itself opens with the stream."""
        if not self._path().exists():
            raise self._absent()

    def close(self) -> None:
        """Ends a running stream, from any thread."""
        if self._grabber:
            self._grabber.stop()

    def health(self) -> Health:
        if not self._path().exists():
            return Health(False, f"no camera at {self._source}", FIX, Fault.ABSENT)
        if self._grabber and self._grabber.is_stuck():
            fix = "unplug the camera and plug it in again"
            return Health(False, "the camera hangs", fix, Fault.SILENT)
        name = f" ({self.identity()})" if self.identity() else ""
        return Health(True, f"{'camera' if self._device else 'video file'} {self._source}{name}")

    def lock_exposure(self, locked: bool = True) -> bool:
        grabber = self._grabber
        if grabber is None or not self._device:
            return False
        return grabber.hold(locked, self._patience_s[1])

    def nudge_exposure(self, stops: float) -> bool:  # noqa: ARG002
        """Webcams differ in what they make of a value, and many tell another than they use."""
        return False

    def identity(self) -> str:
        """Maker, product and serial number as the USB bus has them; a film has no identity."""
        return _identity_of(self._path(), _SYSFS) if self._device else ""

    @contextmanager
    def stream(self) -> Iterator[Iterator[Frame]]:
        self.open()
        if self._grabber and self._grabber.is_alive():
            raise DeviceError(self.name, Fault.REFUSED, "already streaming, or still hanging")
        grabber = self._grabber = _Grabber(
            self._capture, self._mono_ns, PLAYS, upside_down=self._upside_down
        )
        frames = self._frames(grabber)
        grabber.start()
        try:
            yield frames
        finally:
            grabber.stop()
            grabber.join(self._patience_s[1])
            frames.close()

    def _frames(self, grabber: _Grabber) -> Generator[Frame, None, None]:
        first_frame_s, hang_s = self._patience_s
        patience_s = first_frame_s
        while True:
            frame = grabber.newest(patience_s)
            if frame is None and grabber.failed:
                raise self._absent()
            if frame is None and grabber.is_alive() and not grabber.stopping:
                raise DeviceError(self.name, Fault.SILENT, f"no frame for {patience_s:.0f} s")
            if frame is None:
                return
            patience_s = hang_s
            yield frame

    def _capture(self) -> cv2.VideoCapture:
        if not self._device:
            return self._video_capture(self._source)
        number = int(self._source) if self._source.isdecimal() else self._source
        capture = self._video_capture(number, cv2.CAP_V4L2)
        capture.set(cv2.CAP_PROP_FOURCC, COMPRESSED)  # first: sizes and rates depend on it
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, WANTED_PX[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, WANTED_PX[1])
        capture.set(cv2.CAP_PROP_FPS, WANTED_FPS)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        return capture

    def _path(self) -> Path:
        return Path(f"/dev/video{self._source}" if self._source.isdecimal() else self._source)

    def _absent(self) -> DeviceError:
        where = "index" if self._source.isdecimal() else "path"
        what = "camera" if self._device else "playable video"
        return DeviceError(self.name, Fault.ABSENT, f"no {what} at {where} {self._source}: {FIX}")


def _is_device(source: str) -> bool:
    """A webcam by number or by path, also while it is unplugged."""
    if source.isdecimal() or source.startswith("/dev/"):
        return True
    path = Path(source.removeprefix("file:"))
    return path.exists() and stat.S_ISCHR(path.stat().st_mode)


_SYSFS = Path("/sys/class/video4linux")


def _identity_of(device: Path, sysfs: Path) -> str:
    """From the kernel's own list of video devices, where one that a program feeds is virtual."""
    found = (sysfs / device.resolve().name).resolve()
    if not found.is_dir():
        return ""
    if "virtual" in found.parts:
        return f"virtual:{_word(found / 'name')}"
    usb = next((folder for folder in found.parents if (folder / "idVendor").is_file()), None)
    if usb is None:
        return f"{_word(found / 'name')} at {found.parent.parent.name}"
    serial = _word(usb / "serial") or f"port {usb.name}"
    return f"{_word(usb / 'idVendor')}:{_word(usb / 'idProduct')} {serial}"


def _word(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:  # not every device has every word
        return ""


class _Grabber(threading.Thread):
    """Fetches frames into a slot for one; a newer frame replaces one nobody took."""

    def __init__(
        self,
        capture: Callable[[], cv2.VideoCapture],
        mono_ns: Callable[[], MonoNs],
        plays: int,
        *,
        upside_down: bool = False,
    ) -> None:
        super().__init__(name="camera grabber", daemon=True)
        self._make_capture = capture
        self._mono_ns = mono_ns
        self._plays = plays
        self._upside_down = upside_down
        self._hold: bool | None = None  # an order to lock or unlock that waits for its turn
        self._held = False
        self._automatic: tuple[float, float] | None = None
        self._slot: Frame | None = None
        self._changed = threading.Condition()
        self._done = False
        self._stop_asked = threading.Event()
        self.failed = False

    @property
    def stopping(self) -> bool:
        return self._stop_asked.is_set()

    def stop(self) -> None:
        self._stop_asked.set()
        with self._changed:
            self._changed.notify_all()

    def is_stuck(self) -> bool:
        return self.stopping and self.is_alive()

    def newest(self, patience_s: float) -> Frame | None:
        """Waits for a frame not handed out before; `None` when there is none."""
        with self._changed:
            self._changed.wait_for(lambda: self._slot or self._done or self.stopping, patience_s)
            frame, self._slot = self._slot, None
            return None if self.stopping else frame

    def hold(self, locked: bool, patience_s: float) -> bool:
        """Lock or unlock between two frames, in the thread that owns the device."""
        with self._changed:
            self._hold = locked
            obeyed = self._changed.wait_for(lambda: self._hold is None or self._done, patience_s)
            return obeyed and self._held and not self._done

    def run(self) -> None:
        capture = self._make_capture()
        try:
            self._grab_all(capture)
        finally:
            capture.release()
            with self._changed:
                self._done = True
                self._changed.notify_all()

    def _grab_all(self, capture: cv2.VideoCapture) -> None:
        fps = capture.get(cv2.CAP_PROP_FPS)
        length = capture.get(cv2.CAP_PROP_FRAME_COUNT)  # 0 or less for cameras
        grabbed, start_ns = 0, self._mono_ns()
        plays = self._plays
        while not self.stopping:
            if self._grab(capture):
                grabbed += 1
                self._obey(capture)
            elif length > 0 and plays > 1 and grabbed:
                plays -= 1
                capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
            else:
                self.failed = grabbed == 0 or length <= 0
                return
            if length > 0 and fps > 0:
                self._wait_until(start_ns + int(grabbed / fps * NS_PER_S))

    def _grab(self, capture: cv2.VideoCapture) -> bool:
        found, bgr = capture.read()
        if not found:
            return False
        rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
        if self._upside_down:
            rgb = cv2.rotate(rgb, cv2.ROTATE_180)
        height, width = rgb.shape[:2]
        with self._changed:
            self._slot = Frame(Picture(width, height, rgb.tobytes()), self._mono_ns())
            self._changed.notify_all()
        return True

    def _obey(self, capture: cv2.VideoCapture) -> None:
        with self._changed:
            if self._hold is not None:
                self._held = self._lock(capture) if self._hold else self._unlock(capture)
                self._hold = None
                self._changed.notify_all()

    def _lock(self, capture: cv2.VideoCapture) -> bool:
        """Freeze what the automatic found. False where the camera has no manual exposure."""
        exposure = capture.get(cv2.CAP_PROP_EXPOSURE)
        automatic = (capture.get(cv2.CAP_PROP_AUTO_EXPOSURE), capture.get(cv2.CAP_PROP_AUTO_WB))
        if not capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, EXPOSURE_MANUAL):
            return False
        if self._automatic is None:
            self._automatic = automatic
        capture.set(cv2.CAP_PROP_EXPOSURE, exposure)
        capture.set(cv2.CAP_PROP_AUTO_WB, 0)  # cheap cameras have none to switch off
        return True

    def _unlock(self, capture: cv2.VideoCapture) -> bool:
        if self._automatic is None:
            return False
        exposure, white_balance = self._automatic
        capture.set(cv2.CAP_PROP_AUTO_WB, white_balance)
        self._automatic = None
        return bool(capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, exposure))

    def _wait_until(self, due_ns: int) -> None:
        while not self.stopping and (left_ns := due_ns - self._mono_ns()) > 0:
            self._stop_asked.wait(left_ns / NS_PER_S)

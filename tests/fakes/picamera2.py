"""A strict stand-in for picamera2, written from its documentation and observed behaviour.

Where the real library shrugs (an unknown key in a configuration, a value outside a
control's range, a sensor mode that does not exist) this one raises. Arrays come in the
byte order of the real ones, rows padded with rubbish; frames need free buffers; exposure,
white balance and focus answer to the controls. `BENCH` is the hand of the test: the scene,
the cameras that are plugged in, and what hangs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from libcamera import CONTROLS, ColorSpace, Transform

YUV_FORMATS = {"NV21", "NV12", "YUV420", "YVU420", "YVYU", "YUYV", "UYVY", "VYUY"}
RGB_FORMATS = {"BGR888", "RGB888", "XBGR8888", "XRGB8888", "RGB161616", "BGR161616"}
ORDER = {"RGB888": "BGR", "BGR888": "RGB", "XBGR8888": "RGBX", "XRGB8888": "BGRX"}
"""Bytes of a pixel in memory; formats that are not here are known but not made."""

STREAM_KEYS = ("format", "size", "stride", "preserve_ar")
STRIDE_BYTES = 64  # Pi 5; 32 on a Pi 4
RUBBISH = 0xA5
TARGET = 0.45  # mean that the automatic exposure wants
REFERENCE_US = 10_000  # a scene value of 1.0 is white after so much exposure at gain 1

COMMON_CONTROLS: dict[str, tuple[Any, Any, Any]] = {
    "AeEnable": (False, True, True),
    "AeFlickerMode": (0, 1, 0),
    "AeFlickerPeriod": (100, 1_000_000, None),
    "AnalogueGain": (1.0, 16.0, 1.0),
    "AnalogueGainMode": (0, 1, 0),
    "AwbEnable": (False, True, True),
    "Brightness": (-1.0, 1.0, 0.0),
    "ColourGains": (0.0, 32.0, None),
    "ExposureTime": (1, 66_666, 20_000),
    "ExposureTimeMode": (0, 1, 0),
    "FrameDurationLimits": (16_667, 220_417_486, None),
    "NoiseReductionMode": (0, 4, 0),
}
"""Lowest, highest and first value, as in src/ipa/rpi/common/ipa_base.cpp of raspberrypi/libcamera
with the sensor's own limits put in (exposure, gain and frame duration change with its mode)."""

BACK_TO_AUTOMATIC = ("ExposureTime", "AnalogueGain")
"""Below their lowest value, but picamera2 takes a zero for "no longer fixed" and sends the mode."""

FOCUS_CONTROLS: dict[str, tuple[Any, Any, Any]] = {
    "AfMode": (0, 2, 0),
    "AfTrigger": (0, 1, 0),
    "LensPosition": (0.0, 32.0, 1.0),
}


@dataclass
class Sensor:
    """A camera on a ribbon cable."""

    model: str
    camera_id: str
    resolution: tuple[int, int]
    modes: tuple[tuple[int, int], ...]
    focus: bool


MODULE_3 = Sensor(
    "imx708",
    "/base/axi/pcie@120000/rp1/i2c@88000/imx708@1a",
    (4608, 2592),
    ((1536, 864), (2304, 1296), (4608, 2592)),
    focus=True,
)
MODULE_1 = Sensor(
    "ov5647",
    "/base/soc/i2c0mux/i2c@1/ov5647@36",
    (2592, 1944),
    ((640, 480), (1296, 972), (1920, 1080), (2592, 1944)),
    focus=False,
)


def bars(width: int, height: int) -> np.ndarray:
    """Red, green and blue from left to right, 0..1."""
    picture = np.zeros((height, width, 3))
    for channel in range(3):
        picture[:, channel * width // 3 : (channel + 1) * width // 3, channel] = 1.0
    return picture


@dataclass
class Bench:
    sensors: list[Sensor] = field(default_factory=lambda: [MODULE_3])
    scene: Callable[[int, int], np.ndarray] = bars
    withheld: frozenset[str] = frozenset()  # controls this libcamera does not have
    adjusts: dict[str, str] = field(default_factory=dict)  # format asked for -> format given
    frames_until_hang: int | None = None
    hangs_in: frozenset[str] = frozenset()  # methods that never return
    late_ns: int = 0  # how old frames are when they arrive
    busy: bool = False
    seen: list[Picamera2] = field(default_factory=list)

    def pass_by(self, method: str) -> None:
        while method in self.hangs_in:
            time.sleep(3600)


BENCH = Bench()


class Controls:
    """Set names must be offered by the camera and values be in range."""

    def __init__(self, picam2: Picamera2, controls: dict[str, Any] | None = None) -> None:
        self._picam2 = picam2
        self._values: dict[str, Any] = {}
        self._lock = threading.Lock()
        self.set_controls(controls or {})

    def set_controls(self, controls: dict[str, Any]) -> None:
        with self._lock:
            for name, value in controls.items():
                if name not in self._picam2.camera_controls:
                    raise RuntimeError(f"Control {name} is not advertised by libcamera")
                if not CONTROLS[name].accepts(value):
                    raise TypeError(f"{name} = {value!r} is no {CONTROLS[name].kind.__name__}")
                low, high, _ = self._picam2.camera_controls[name]
                if name in BACK_TO_AUTOMATIC and not value:
                    low = value
                for part in value if isinstance(value, tuple) else (value,):
                    if not low <= part <= high:
                        raise ValueError(f"{name} = {value} is outside {low}..{high}")
                self._values[name] = value

    def make_dict(self) -> dict[str, Any]:
        with self._lock:
            return dict(self._values)


class CompletedRequest:
    """A filled set of buffers that must go back by `release`, once."""

    def __init__(self, request: dict[str, np.ndarray], picam2: Picamera2) -> None:
        self.request: dict[str, np.ndarray] | None = request
        self.ref_count = 1
        self.picam2 = picam2
        self._metadata = picam2._metadata()

    def make_array(self, name: str) -> np.ndarray:
        if self.request is None:
            raise RuntimeError("used after release")
        config = self.picam2.camera_config.get(name)
        if config is None:
            raise RuntimeError(f"Stream {name!r} is not defined")
        (width, height), buffer = config["size"], self.request[name]
        if config["format"] in YUV_FORMATS:
            return buffer.reshape(height * 3 // 2, config["stride"]).copy()
        depth = len(ORDER[config["format"]])
        rows = buffer.reshape(height, config["stride"])[:, : width * depth]
        return np.ascontiguousarray(rows).reshape(height, width, depth)

    def get_metadata(self) -> dict[str, Any]:
        if self.request is None:
            raise RuntimeError("used after release")
        return dict(self._metadata)

    def release(self) -> None:
        self.ref_count -= 1
        if self.ref_count < 0:
            raise RuntimeError("CompletedRequest: lock now has negative ref_count")
        self.request = None
        self.picam2._returned()


class Picamera2:
    """One camera, opened by the constructor; nobody else can have it until `close`."""

    @staticmethod
    def global_camera_info() -> list[dict[str, Any]]:
        BENCH.pass_by("global_camera_info")
        return [
            {"Model": s.model, "Location": 2, "Rotation": 180, "Id": s.camera_id, "Num": number}
            for number, s in enumerate(BENCH.sensors)
        ]

    def __init__(
        self, camera_num: int = 0, verbose_console: Any = None, tuning: Any = None,
        allocator: Any = None,
    ) -> None:  # fmt: skip
        BENCH.pass_by("__init__")
        if camera_num >= len(BENCH.sensors):
            raise RuntimeError(f"No camera number {camera_num} found")
        if BENCH.busy or any(other.is_open for other in BENCH.seen):
            raise RuntimeError("Camera __init__ sequence did not complete.")
        self._sensor = BENCH.sensors[camera_num]
        self.sensor_resolution = self._sensor.resolution
        self.camera_config: dict[str, Any] = {}
        self.controls = Controls(self)
        self.started = False
        self.is_open = True
        self._changed = threading.Condition()
        self._queue: list[CompletedRequest] = []
        self._out = 0
        self._jobs = 0
        self._frame = 0
        self._last_ns = 0
        self._focus_frames = 0
        self._set: dict[str, Any] = {}
        self._exposure_us, self._gain, self._colour_gains = 20_000, 1.0, (1.8, 1.6)
        self._thread: threading.Thread | None = None
        BENCH.seen.append(self)

    @property
    def camera_controls(self) -> dict[str, tuple[Any, Any, Any]]:
        offered = COMMON_CONTROLS | (FOCUS_CONTROLS if self._sensor.focus else {})
        return {name: span for name, span in offered.items() if name not in BENCH.withheld}

    # --- configuration ---

    def create_video_configuration(
        self, main: Any = {}, lores: Any = None, raw: Any = {}, transform: Any = Transform(),  # noqa: B006, B008
        colour_space: Any = None, buffer_count: int = 6, controls: Any = {}, display: Any = "main",  # noqa: B006
        encode: Any = "main", queue: bool = True, sensor: Any = {}, use_case: str = "video",  # noqa: B006
    ) -> dict[str, Any]:  # fmt: skip
        if not self.is_open:
            raise RuntimeError("Camera not opened")
        whole = {"format": "XBGR8888", "size": (1280, 720), "preserve_ar": True}
        main = _stream(whole, main)
        half = {"format": "YUV420", "size": main["size"], "preserve_ar": False}
        limits: dict[str, Any] = {"NoiseReductionMode": 1, "FrameDurationLimits": (33333, 33333)}
        if not set(limits) <= set(self.camera_controls):
            limits = {}
        return {
            "use_case": use_case,
            "transform": transform,
            "colour_space": colour_space or ColorSpace.Smpte170m(),
            "buffer_count": buffer_count,
            "queue": queue,
            "main": main,
            "lores": None if lores is None else _stream(half, lores),
            "raw": None if raw is None else _stream({"format": "SRGGB10"}, raw),
            "controls": limits | controls,
            "sensor": sensor,
            "display": display,
            "encode": encode,
        }

    def configure(self, camera_config: dict[str, Any]) -> None:
        BENCH.pass_by("configure")
        if self.started:
            raise RuntimeError("Camera must be stopped before configuring")
        _check(camera_config, self._sensor)
        config = {key: dict(v) if isinstance(v, dict) else v for key, v in camera_config.items()}
        for name in ("main", "lores"):
            if config[name] is not None:
                form = BENCH.adjusts.get(config[name]["format"], config[name]["format"])
                config[name] |= {"format": form, "stride": _stride(form, config[name]["size"][0])}
        self.camera_config = config
        self.controls = Controls(self, config["controls"])

    def camera_configuration(self) -> dict[str, Any]:
        return self.camera_config

    def set_controls(self, controls: dict[str, Any]) -> None:
        self.controls.set_controls(controls)

    # --- running ---

    def start(self, config: Any = None, show_preview: bool = False) -> None:
        BENCH.pass_by("start")
        if config is not None:
            self.configure(config)
        if not self.camera_config:
            raise RuntimeError("Camera has not been configured")
        self.started = True
        self._thread = threading.Thread(target=self._run, name="fake libcamera", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        BENCH.pass_by("stop")
        if self._jobs:
            raise RuntimeError("the real one waits for ever behind the job that timed out")
        with self._changed:
            self.started = False
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
        for request in self._queue:
            request.release()
        self._queue = []

    def close(self) -> None:
        BENCH.pass_by("close")
        if self.is_open:
            self.stop()
            self.is_open = False

    def capture_request(
        self, wait: float | bool | None = None, signal_function: Any = None, flush: Any = None
    ) -> CompletedRequest:
        BENCH.pass_by("capture_request")
        if wait is False or signal_function is not None or flush is not None:
            raise NotImplementedError("this fake waits only")
        timeout_s = None if wait is None or wait is True else wait
        with self._changed:
            if self._jobs:
                raise RuntimeError("a job that timed out is still in the queue and takes frames")
            self._jobs += 1
            if not self._changed.wait_for(lambda: self._queue, timeout_s):
                raise TimeoutError
            self._jobs -= 1
            return self._queue.pop(0)

    def cancel_all_and_flush(self) -> None:
        with self._changed:
            self._jobs = 0

    # --- the camera itself ---

    def _run(self) -> None:
        while True:
            period_s = self._now("FrameDurationLimits", (33333, 33333))[0] / 1e6
            with self._changed:
                self._changed.wait_for(lambda: not self.started, period_s)
                if not self.started:
                    return
                hung = (
                    BENCH.frames_until_hang is not None and self._frame >= BENCH.frames_until_hang
                )
                if hung or self._out >= self.camera_config["buffer_count"]:
                    continue
                self._complete()

    def _complete(self) -> None:
        """One frame: the newest stays in the queue, an older one goes back unseen."""
        self._set |= self.controls.make_dict()
        self._expose()
        self._frame += 1
        self._focus_frames += self._now("AfMode", 0) == 2
        self._out += 1
        while self._queue:
            self._queue.pop(0).release()
        self._queue.append(CompletedRequest(self._buffers(), self))
        self._changed.notify_all()

    def _returned(self) -> None:
        self._out -= 1

    def _now(self, name: str, default: Any) -> Any:
        return self._set.get(name, self.controls.make_dict().get(name, default))

    def _scene(self, width: int, height: int) -> np.ndarray:
        light = BENCH.scene(width, height) * (self._exposure_us / REFERENCE_US * self._gain)
        gains = np.array([self._colour_gains[0] / 1.8, 1.0, self._colour_gains[1] / 1.6])
        picture = np.clip(light * gains * 255, 0, 255).astype(np.uint8)
        turn = self.camera_config["transform"]
        return picture[:: -1 if turn.vflip else 1, :: -1 if turn.hflip else 1]

    def _expose(self) -> None:
        """Half the way to the target each frame, exposure first and in whole flicker periods."""
        light = float(BENCH.scene(32, 24).mean()) or 1e-3
        wanted_us = TARGET / light * REFERENCE_US
        if self._now("AeEnable", True) and not self._now("ExposureTime", 0):
            limit_us = self._now("FrameDurationLimits", (33333, 33333))[1]
            self._exposure_us = int(min((self._exposure_us + wanted_us) / 2, limit_us))
            period_us = self._now("AeFlickerPeriod", 0)
            if self._now("AeFlickerMode", 0) == 1 and period_us and self._exposure_us > period_us:
                self._exposure_us -= self._exposure_us % period_us
        else:
            self._exposure_us = self._now("ExposureTime", 0) or self._exposure_us
        if self._now("AeEnable", True) and not self._now("AnalogueGain", 0):
            self._gain = float(np.clip(wanted_us / self._exposure_us, 1.0, 16.0))
        else:
            self._gain = self._now("AnalogueGain", 0) or self._gain
        if not self._now("AwbEnable", True):
            self._colour_gains = self._now("ColourGains", self._colour_gains)

    def _metadata(self) -> dict[str, Any]:
        self._last_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        taken_ns = self._last_ns - BENCH.late_ns
        metadata = {
            "SensorTimestamp": taken_ns,
            "ExposureTime": self._exposure_us,
            "AnalogueGain": self._gain,
            "DigitalGain": 1.0,
            "ColourGains": self._colour_gains,
            "Lux": 200.0,
        }
        if self._sensor.focus:
            metadata["AfState"] = 0 if not self._focus_frames else 1 + (self._focus_frames > 5)
            metadata["LensPosition"] = 1.5
        return metadata

    def _buffers(self) -> dict[str, np.ndarray]:
        return {
            name: _packed(
                self._scene(*self.camera_config[name]["size"]),
                self.camera_config[name],
                full_range=self.camera_config["colour_space"] == ColorSpace.Sycc(),
            )
            for name in ("main", "lores")
            if self.camera_config[name] is not None
        }


def _stream(defaults: dict[str, Any], updates: dict[str, Any]) -> dict[str, Any]:
    for key in updates:
        if key not in STREAM_KEYS:
            raise ValueError(f"Bad key {key!r}: valid stream configuration keys are {STREAM_KEYS}")
    return defaults | updates


def _check(config: dict[str, Any], sensor: Sensor) -> None:
    known = {"use_case", "transform", "colour_space", "buffer_count", "queue", "main", "lores"}
    if unknown := set(config) - known - {"raw", "controls", "sensor", "display", "encode"}:
        raise RuntimeError(f"unknown keys {unknown}")
    if not isinstance(config["transform"], Transform):
        raise RuntimeError("Transform has incorrect type")
    if not isinstance(config["colour_space"], ColorSpace):
        raise RuntimeError("Colour space has incorrect type")
    for name in ("main", "lores"):
        if config[name] is not None:
            _check_stream(config[name], name)
    if config["lores"] is not None:
        (wide, high), (main_wide, main_high) = config["lores"]["size"], config["main"]["size"]
        if wide > main_wide or high > main_high:
            raise RuntimeError("lores stream dimensions may not exceed main stream")
        if config["lores"]["format"] not in YUV_FORMATS:
            raise RuntimeError("lores stream must be YUV")
    if unknown := set(config["sensor"]) - {"bit_depth", "output_size"}:
        raise RuntimeError(f"Unexpected keys {unknown} in sensor configuration")
    if config["sensor"].get("output_size", sensor.modes[0]) not in sensor.modes:
        raise RuntimeError(f"no sensor mode {config['sensor']['output_size']}")


def _check_stream(stream: dict[str, Any], name: str) -> None:
    if stream["format"] not in YUV_FORMATS | RGB_FORMATS:
        raise RuntimeError(f"Bad format {stream['format']} in stream {name}")
    if stream["format"] != "YUV420" and stream["format"] not in ORDER:
        raise NotImplementedError(f"this fake makes no {stream['format']}")
    size = stream["size"]
    if type(size) is not tuple or len(size) != 2:
        raise RuntimeError(f"size in {name} stream should be (width, height)")
    if size[0] % 2 or size[1] % 2 or min(size) < 16:
        raise RuntimeError("width and height should be even")


def _stride(form: str, width: int) -> int:
    """Bytes of a row; of YUV420 the half as wide chroma rows must fit too, so never just full."""
    if form == "YUV420":
        return (width // (2 * STRIDE_BYTES) + 1) * 2 * STRIDE_BYTES
    row = width * len(ORDER[form])
    return (row // STRIDE_BYTES + 1) * STRIDE_BYTES


def _packed(rgb: np.ndarray, config: dict[str, Any], *, full_range: bool) -> np.ndarray:
    """The bytes that the hardware would write, padding included."""
    height, width = rgb.shape[:2]
    form, stride = config["format"], config["stride"]
    if form == "YUV420":
        rgb = np.ascontiguousarray(rgb)
        planes = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420).ravel()  # luma from 16 to 235
        if full_range:
            planes[: height * width] = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).ravel()
        luma = np.full((height, stride), RUBBISH, np.uint8)
        luma[:, :width] = planes[: height * width].reshape(height, width)
        chroma = np.full((height, stride // 2), RUBBISH, np.uint8)
        chroma[:, : width // 2] = planes[height * width :].reshape(height, width // 2)
        return np.concatenate([luma.ravel(), chroma.ravel()])
    order = ["RGBX".index(letter) for letter in ORDER[form]]
    pixels = np.dstack([rgb, np.full((height, width), 255, np.uint8)])[:, :, order]
    rows = np.full((height, stride), RUBBISH, np.uint8)
    rows[:, : width * len(order)] = pixels.reshape(height, -1)
    return rows.ravel()

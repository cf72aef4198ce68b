"""QR codes read by the kiosk's own camera, for places without a scanner.

The camera is open only while somebody waits for a code. A frame is looked at
for codes by ZXing and dropped; nothing looks for a face in it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import zxingcpp

from edge.domain.errors import DeviceError, Fault
from edge.domain.timebase import NS_PER_S, MonoNs
from edge.drivers.scan_lines import MAX_CODE, Repeats, decode
from edge.ports import Camera, Health, Picture

NAME = "scanner"


def codes_in(picture: Picture) -> list[str]:
    """The texts of all QR codes in view."""
    rgb = np.frombuffer(picture.rgb, np.uint8).reshape(picture.height, picture.width, 3)
    # ZXing wants to know the order of colours; one channel is enough for black on white.
    green = np.ascontiguousarray(rgb[:, :, 1])
    found = zxingcpp.read_barcodes(green, formats=zxingcpp.BarcodeFormat.QRCode)
    texts = (decode(code.bytes) for code in found if 0 < len(code.bytes) <= MAX_CODE)
    return [text for text in texts if text]


class CameraScanner:
    """Implements `Scanner`. Opening a camera takes time, so wait long rather than often."""

    name = NAME
    borrows_camera = True

    def __init__(self, camera: Camera, mono_ns: Callable[[], MonoNs]) -> None:
        self.provenance = camera.provenance
        self._camera = camera
        self._mono_ns = mono_ns
        self._repeats = Repeats()
        self._closing = threading.Event()
        self._closing.set()
        self._looking = threading.Event()

    def open(self) -> None:
        """Only looks whether the camera is there."""
        self._closing.clear()
        self._camera.open()

    def close(self) -> None:
        """Ends a wait from any thread; a camera that somebody else uses goes on."""
        self._closing.set()
        if self._looking.is_set():
            self._camera.close()

    def health(self) -> Health:
        return self._camera.health()

    def wait_for_code(self, timeout_s: float) -> str | None:
        """Outlasts its limit by one frame, the first of which may take seconds."""
        if self._closing.is_set():
            raise DeviceError(NAME, Fault.ABSENT, "closed", retry=False)
        end_ns = self._mono_ns() + int(timeout_s * NS_PER_S)
        with self._camera.stream() as frames:
            self._looking.set()
            try:
                for frame in frames:
                    code = self._new_code(frame.picture)
                    if code is not None or self._closing.is_set() or self._mono_ns() >= end_ns:
                        return code
            finally:
                self._looking.clear()
        return None

    def _new_code(self, picture: Picture) -> str | None:
        for code in codes_in(picture):
            if self._repeats.is_new(code, self._mono_ns()):
                return code
        return None

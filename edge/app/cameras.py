"""From the name of a camera in the site file to its driver, directly or in its own process."""

from __future__ import annotations

import sys

from edge.app.clock import mono_ns
from edge.ports import Camera


def direct(kind: str, source: str, *, upside_down: bool = False) -> Camera:
    if kind == "pi":
        from edge.drivers.camera_pi import PiCamera

        return PiCamera(source, mono_ns, upside_down=upside_down)
    from edge.drivers.camera_opencv import OpencvCamera

    return OpencvCamera(source, mono_ns, upside_down=upside_down)


def in_own_process(kind: str, source: str, *, upside_down: bool = False) -> Camera:
    """The same camera behind a process that can be killed when it hangs."""
    from edge.drivers import capture

    command = [sys.executable, "-m", "edge.app.camera_process", kind, source, str(int(upside_down))]
    here = direct(kind, source)  # never streams; a webcam is seen to be there by its file alone
    return capture.CaptureProcess(
        command,
        mono_ns,
        provenance=here.provenance,
        presence=None if kind == "pi" else here.health,
        first_frame_s=capture.PI_PATIENCE if kind == "pi" else capture.WEBCAM_PATIENCE,
    )

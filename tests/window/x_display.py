"""An X display of its own for a test, with nobody looking."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def x_display() -> Iterator[dict[str, str]]:
    """What a program with a window needs in its environment."""
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with server:
        try:
            assert server.stdout is not None
            display = f":{server.stdout.readline().strip()}"
            yield {"DISPLAY": display, "SDL_VIDEODRIVER": "x11"}
        finally:
            server.terminate()

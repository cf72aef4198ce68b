"""The camera's process for a kiosk whose room is simulated elsewhere (`tests.tools.room`).

    python -m tests.tools.room_camera SOCKET ORDERS ANSWERS MEMORY MODE

Started by `edge.drivers.capture` as the real one is; it only hands frames on.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager

from edge.domain.record import Provenance
from edge.domain.timebase import MonoNs
from edge.drivers.capture_child import die_with_parent, serve
from edge.ports import Frame, Health, Picture


class FarCamera:
    """Implements `Camera`: what the room's camera sees."""

    name = "camera"
    provenance = Provenance.SIMULATED

    def __init__(self, path: str) -> None:
        self._path = path
        self._line: socket.socket | None = None

    def open(self) -> None:
        """It is there as long as the room is."""

    def close(self) -> None:
        if self._line is not None:
            self._line.shutdown(socket.SHUT_RDWR)

    def health(self) -> Health:
        return Health(True, "looks into a room elsewhere")

    def lock_exposure(self, locked: bool = True) -> bool:
        return self._line is not None

    def nudge_exposure(self, stops: float) -> bool:
        if self._line is not None:
            self._line.sendall(f"{stops}\n".encode())
        return self._line is not None

    def identity(self) -> str:
        return "simulated"

    @contextmanager
    def stream(self) -> Iterator[Iterator[Frame]]:
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(self._path)
            line.sendall(b"c")
            self._line = line
            with closing(_frames(line)) as frames:
                yield frames
            self._line = None


def _frames(line: socket.socket) -> Generator[Frame]:
    with line.makefile("rb") as heard:
        while numbers := heard.readline():
            width, height, captured_ns, lux = json.loads(numbers)
            rgb = heard.read(width * height * 3)
            if len(rgb) == width * height * 3:
                yield Frame(Picture(width, height, rgb), MonoNs(captured_ns), lux=lux)


def main(arguments: list[str]) -> None:
    path, orders, answers, memory, mode = arguments
    die_with_parent()
    serve(FarCamera(path), (int(orders), int(answers), int(memory)), mode)


if __name__ == "__main__":
    main(sys.argv[1:])
    os._exit(0)

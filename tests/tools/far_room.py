"""A simulated room that is in another process, as a kiosk's composition root takes it.

Nothing simulated is imported here: the reader and the printer are ports, the camera is a process
as in real life, and what is drawn and said goes down a line to whoever stands there.
"""

from __future__ import annotations

import json
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from edge.domain.record import Provenance
from edge.domain.timebase import MonoNs
from edge.drivers.capture import CaptureProcess
from edge.ui.controller import DrawnScreen

VISIT_S = 90.0
"""Longer than the room's own limit, so that its word is heard."""


@contextmanager
def open_room(folder: Path, day: str = "good-day") -> Iterator[Path]:
    """The room as a process beside this one; where its door is."""
    path = folder / "room.sock"
    command = [sys.executable, "-m", "tests.tools.room", str(path), day]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        if not process.stdout.readline():
            raise RuntimeError("the room did not open")
        yield path
        process.communicate()  # the end of its input is its end
    path.unlink()


class FarRoom:
    """Takes the place of `edge.app.world.World`. Whoever touches gives `touch` before a visit."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._line = socket.socket(socket.AF_UNIX)
        self._line.connect(str(path))
        self._line.sendall(b"k")
        self._heard = self._line.makefile(encoding="utf-8")
        ports = json.loads(self._heard.readline())
        self.sam, self.printer = _Port(ports["sam"]), _Port(ports["printer"])
        self.room = SimpleNamespace(hear=lambda words: self._tell(heard=words))
        self.touch: Callable[[float, float], None] = lambda _x, _y: None
        self._gone: queue.Queue[bool] = queue.Queue()
        self._sending = threading.Lock()
        self._reader = threading.Thread(target=self._listen, name="far-room")
        self._reader.start()

    def camera(self, mono_ns: Callable[[], MonoNs]) -> CaptureProcess:
        command = [sys.executable, "-m", "tests.tools.room_camera", str(self._path)]
        return CaptureProcess(command, mono_ns, provenance=Provenance.SIMULATED)

    def see(self, drawn: DrawnScreen) -> None:
        self._tell(name=drawn.name, texts=drawn.texts, buttons=drawn.buttons, glow=drawn.glow)

    def visit(self) -> bool:
        """Somebody comes, does what they came for and goes; false if they got stuck."""
        self._tell(visit=True)
        return self._gone.get(timeout=VISIT_S)

    def close(self) -> None:
        self._line.shutdown(socket.SHUT_RDWR)
        self._reader.join()
        self._heard.close()
        self._line.close()

    def _tell(self, **words: object) -> None:
        with self._sending:
            self._line.sendall(json.dumps(words).encode() + b"\n")

    def _listen(self) -> None:
        for words in self._heard:
            self._take(json.loads(words))

    def _take(self, told: dict[str, Any]) -> None:
        if "touch" in told:
            self.touch(*told["touch"])
        else:
            self._gone.put(told["gone"])


@dataclass(frozen=True, slots=True)
class _Port:
    port: str

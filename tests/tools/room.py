"""A simulated room in a process of its own: reader, printer, and somebody with eyes, ears, hands.

    python -m tests.tools.room SOCKET [DAY]

So a kiosk can be measured that has nothing simulated in its own process. It prints a line when
it is there, then serves `SOCKET` until its standard input ends: a kiosk (lines of JSON both
ways, the first with the ports of reader and printer; `tests.tools.far_room`), and its camera's
process whenever that streams (`tests.tools.room_camera`).
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from contextlib import closing, suppress
from typing import Any, BinaryIO

from edge.app.clock import mono_ns
from edge.app.world import World, make_world
from edge.drivers.sim.hand import Glance, Hand
from edge.drivers.sim.scenario import SCENARIOS
from edge.ports import Camera, Frame

DOTS = 384
VISIT_S = 45.0
READING_S = 0.1
"""How long somebody who knows the kiosk looks at a screen before they touch it."""


class Person:
    """Whoever is before the kiosk at the other end of a connection, one visit after the other."""

    def __init__(self, world: World, wishes: tuple[str, ...], line: socket.socket) -> None:
        self._world, self._wishes, self._line = world, wishes, line
        self._hand: Hand | None = None
        self._glance: Glance | None = None

    def attend(self) -> None:
        """Until the kiosk hangs up."""
        self._tell(sam=self._world.sam.port, printer=self._world.printer.port)
        for words in self._line.makefile(encoding="utf-8"):
            self._take(json.loads(words))
        if self._hand is not None:
            self._hand.close()

    def _take(self, told: dict[str, Any]) -> None:
        if "heard" in told:
            self._world.room.hear(told["heard"])
        elif "visit" in told:
            threading.Thread(target=self._visit, name="visit", daemon=True).start()
        else:
            self._see(told)

    def _see(self, seen: dict[str, Any]) -> None:
        texts = tuple(seen["texts"])
        self._world.room.see(texts)
        self._world.room.shine(seen["glow"])
        self._glance = Glance(seen["name"], texts, tuple(map(tuple, seen["buttons"])))
        if self._hand is not None:
            self._hand.see(self._glance)

    def _visit(self) -> None:
        """From the first screen to the door."""
        hand = Hand(
            self._wishes,
            touch=lambda x, y: self._tell(touch=(x, y)),
            lay_card=lambda: self._world.lay_card(0),
            take_card=self._world.sam.lift,
            reading_s=READING_S,
        )
        self._hand = hand
        hand.start()
        if self._glance is not None:
            hand.see(self._glance)
        gone = hand.wait_until_gone(VISIT_S)
        if not gone:
            self._world.sam.lift()
        self._hand = None
        hand.close()
        self._tell(gone=gone)

    def _tell(self, **words: object) -> None:
        with suppress(OSError):  # the kiosk has gone, and whoever reads notices
            self._line.sendall(json.dumps(words).encode() + b"\n")


def show(camera: Camera, line: socket.socket) -> None:
    """Frames to the camera's process until it hangs up; its orders about exposure meanwhile."""
    obey = threading.Thread(target=_obey, args=(camera, line), name="obey", daemon=True)
    obey.start()
    gone = suppress(BrokenPipeError, ConnectionResetError)
    with gone, line.makefile("wb") as out, camera.stream() as frames:
        for frame in frames:
            _send(out, frame)
    obey.join(5)


def _send(out: BinaryIO, frame: Frame) -> None:
    picture = frame.picture
    numbers = [picture.width, picture.height, frame.captured_ns, frame.lux]
    out.write(json.dumps(numbers).encode() + b"\n")
    out.write(picture.rgb)
    out.flush()


def _obey(camera: Camera, line: socket.socket) -> None:
    with suppress(ConnectionResetError):
        for order in line.makefile():
            camera.nudge_exposure(float(order))
    camera.close()


def attend(world: World, wishes: tuple[str, ...], line: socket.socket) -> None:
    with line:
        who = line.recv(1)
        if who == b"k":
            Person(world, wishes, line).attend()
        elif who == b"c":
            show(world.camera(mono_ns), line)


def main(arguments: list[str]) -> None:
    path, *rest = arguments
    scenario = SCENARIOS[rest[0] if rest else "good-day"]
    with (
        closing(make_world(scenario, mono_ns, DOTS)) as world,
        socket.socket(socket.AF_UNIX) as desk,
    ):
        desk.bind(path)
        desk.listen()
        print("open", flush=True)
        threading.Thread(target=_serve, args=(desk, world, scenario.wishes), daemon=True).start()
        sys.stdin.read()


def _serve(desk: socket.socket, world: World, wishes: tuple[str, ...]) -> None:
    while True:
        line, _ = desk.accept()
        threading.Thread(target=attend, args=(world, wishes, line), daemon=True).start()


if __name__ == "__main__":
    main(sys.argv[1:])

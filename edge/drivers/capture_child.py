"""The other end of `edge.drivers.capture`: any camera, served to the kiosk line by line.

It ends when its stream does, when the kiosk closes the pipe of orders, and when the kiosk
dies; the last also while a vendor library holds the interpreter, because the kernel sees to it.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

from edge.domain.errors import DeviceError
from edge.ports import Camera, Frame, Health

CLONE_NEWNET, CLONE_NEWUSER = 0x40000000, 0x10000000
PR_SET_PDEATHSIG = 1
LEAVING_S = 3.0  # to stop the camera, before the process just ends


def serve(camera: Camera, descriptors: tuple[int, int, int], mode: str) -> None:
    """Look or stream as `mode` says; `descriptors` are orders, answers and the shared memory."""
    desk = _Desk(camera, *descriptors)
    try:
        camera.open()
        desk.greet(camera.health())
        if mode == "stream":
            desk.run()
    except DeviceError as error:
        desk.fail(error)


def shut_out_network() -> None:
    """Leave the network, unless the service manager has put us outside already.

    Call it first: a process with threads may not. Raises `OSError` when neither holds, because
    a process that sees people must not be able to tell anybody.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) and libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) and _networks():
        raise OSError(ctypes.get_errno(), "cannot shut out the network; use the systemd unit")


def _networks() -> set[str]:
    """Interfaces with an address or a route, but for the loopback."""
    with open("/proc/self/net/route") as routes, open("/proc/self/net/if_inet6") as addresses:
        four = {line.split()[0] for line in routes.readlines()[1:]}
        six = {line.split()[-1] for line in addresses}
    return (four | six) - {"lo"}


def die_with_parent() -> None:
    """Also when the parent is killed, and when our own interpreter no longer runs."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class _Desk:
    """Keeps the newest frame, and hands it over when it is asked for."""

    def __init__(self, camera: Camera, orders: int, answers: int, memory: int) -> None:
        self._camera = camera
        self._orders, self._answers = orders, answers
        self._pages = mmap.mmap(memory, 0)
        self._lock = threading.Lock()
        self._newest: Frame | None = None
        self._wanted = False
        self._over = threading.Event()
        self._told: Health | None = None
        threading.Thread(target=self._obey, name="orders", daemon=True).start()

    def greet(self, health: Health) -> None:
        self._told = health
        self._say(_told(health) | {"identity": self._camera.identity()})

    def fail(self, error: DeviceError) -> None:
        self._say({"error": [error.fault.value, error.detail, error.retry]})

    def run(self) -> None:
        if self._over.is_set():
            return
        with self._camera.stream() as frames:
            for frame in frames:
                with self._lock:
                    self._newest = frame
                    self._hand_over()
                if self._over.is_set():
                    break
        self._say({"ended": True})

    def _hand_over(self) -> None:
        """Nothing is written into the memory unless the kiosk waits for it."""
        frame = self._newest
        if not self._wanted or frame is None:
            return
        self._wanted, self._newest = False, None
        picture, grey = frame.picture, frame.grey
        size = len(picture.rgb)
        numbers = [picture.width, picture.height, frame.captured_ns, 0, 0]
        self._pages[:size] = picture.rgb
        if grey is not None:
            self._pages[size : size + len(grey.luma)] = grey.luma
            numbers[3:] = [grey.width, grey.height]
        self._say({"frame": numbers, "lux": frame.lux} | self._news())

    def _news(self) -> dict[str, Any]:
        health = self._camera.health()
        if health == self._told:
            return {}
        self._told = health
        return _told(health)

    def _say(self, answer: dict[str, Any]) -> None:
        os.write(self._answers, json.dumps(answer).encode() + b"\n")

    # --- the thread that obeys ---

    def _obey(self) -> None:
        for order in self._lines():
            if order == b"next":
                with self._lock:
                    self._wanted = True
                    self._hand_over()
            elif order in (b"lock", b"unlock"):
                self._say({"obeyed": self._camera.lock_exposure(order == b"lock")})
            elif order.startswith(b"nudge "):
                self._say({"obeyed": self._camera.nudge_exposure(float(order[6:]))})
            else:
                break
        self._over.set()
        self._camera.close()
        threading.Event().wait(LEAVING_S)
        os._exit(1)

    def _lines(self) -> Iterator[bytes]:
        """Until the kiosk closes its end or dies."""
        rest = b""
        while heard := os.read(self._orders, 4096):
            *lines, rest = (rest + heard).split(b"\n")
            yield from lines


def _told(health: Health) -> dict[str, Any]:
    fault = health.fault and health.fault.value
    return {"health": [health.ok, health.words, health.fix, fault]}

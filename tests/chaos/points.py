"""Named places in the product's flow where a process may be killed.

A point wraps a function of the running process from outside; the product has no hook. At
the point, either the process itself or the broker gets SIGKILL.
"""

from __future__ import annotations

import importlib
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from tests.chaos import disk

Matches = Callable[[tuple[Any, ...]], bool]


@dataclass(frozen=True, slots=True)
class Point:
    """`where` is `module:Class.method`; `when` is `before`, `after`, `halfway` through what it
    sends, or a number: that write to the disk, counted from where it begins.


    `of` is a word that must stand in one of the arguments. `victim` is who dies.
    """

    process: str
    where: str
    when: str | int
    of: str = ""
    victim: str = ""

    @property
    def dies(self) -> str:
        return self.victim or self.process


_JOURNAL = "edge.store.journal:SqliteJournal.commit"
_OUTBOX = "edge.store.outbox:SqliteOutbox"
_LINK = "edge.sync.mqtt_link:MqttLink"
_INGEST = "cloud_bridge.bridge.ingest:Ingest.ingest"
_BRIDGE = "cloud_bridge.bridge.mqtt_link:MqttLink"

POINTS = {
    "kiosk: card read": Point("kiosk", "edge.app.runner:Runner._look_up", "before"),
    "kiosk: camera check begins": Point("kiosk", "edge.app.runner:Runner._watch", "before"),
    "kiosk: before the commit": Point("kiosk", _JOURNAL, "before"),
    "kiosk: record sealed, not written": Point(
        "kiosk", "edge.app.sealing:Keyring.payload", "after"
    ),
    "kiosk: first write of the commit": Point("kiosk", _JOURNAL, 1),
    "kiosk: fifth write of the commit": Point("kiosk", _JOURNAL, 5),
    "kiosk: committed, screen does not say it": Point("kiosk", _JOURNAL, "after"),
    "kiosk: done on the screen, no receipt": Point(
        "kiosk", "edge.app.runner:Runner._print", "before"
    ),
    "kiosk: receipt printed, nobody knows": Point(
        "kiosk", "edge.drivers.printer_escpos:EscposPrinter.print_receipt", "after"
    ),
    "sync: connected": Point("sync", f"{_LINK}._tell_up", "after"),
    "sync: before publishing": Point("sync", f"{_LINK}.publish", "before", "/up/rec"),
    "sync: half of a record on the wire": Point("sync", f"{_LINK}.publish", "halfway", "/up/rec"),
    "sync: published, not noted": Point("sync", f"{_LINK}.publish", "after", "/up/rec"),
    "sync: noting that it was sent": Point("sync", f"{_OUTBOX}.tried", 1),
    "sync: acknowledged, row not dropped": Point("sync", f"{_OUTBOX}.acknowledged", "before"),
    "sync: dropping the row": Point("sync", f"{_OUTBOX}.acknowledged", 1),
    "sync: row dropped": Point("sync", f"{_OUTBOX}.acknowledged", "after"),
    "sync: roster comes": Point("sync", "edge.store.inbox:Inbox.put", "before"),
    "bridge: record arrived": Point("bridge", _INGEST, "before"),
    "bridge: first write of filing": Point("bridge", _INGEST, 1),
    "bridge: sixth write of filing": Point("bridge", _INGEST, 6),
    "bridge: filed, not acknowledged": Point("bridge", _INGEST, "after"),
    "bridge: acknowledged, broker not told": Point("bridge", f"{_BRIDGE}.done", "before"),
    "bridge: broker told": Point("bridge", f"{_BRIDGE}.done", "after"),
    "broker: kiosk has published": Point(
        "sync", f"{_LINK}.publish", "after", "/up/rec", victim="broker"
    ),
    "broker: sync has an answer": Point(
        "sync", f"{_OUTBOX}.acknowledged", "before", victim="broker"
    ),
    "broker: bridge has a record": Point("bridge", _INGEST, "before", victim="broker"),
    "broker: bridge has answered": Point("bridge", f"{_BRIDGE}.done", "before", victim="broker"),
}


def arm(point: Point, victim_pid: int, folder: str) -> None:
    """From now on, the first time this process comes there, the victim is killed.

    `folder`: where the databases are whose writes are counted.
    """
    kill = _Once(victim_pid)
    module, _, path = point.where.partition(":")
    name, _, method = path.partition(".")
    owner = getattr(importlib.import_module(module), name)
    if point.when == "halfway":
        _arm_socket(kill)
    setattr(owner, method, _wrapped(getattr(owner, method), point, kill, folder))


class _Once:
    """SIGKILL for one process, one time."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.halfway = False

    def __call__(self) -> None:
        pid, self._pid = self._pid, 0
        if pid:
            os.kill(pid, signal.SIGKILL)


def _wrapped(real: Any, point: Point, kill: _Once, folder: str) -> Any:
    @wraps(real)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        here = not point.of or any(point.of in arg for arg in args if isinstance(arg, str))
        if not here:
            return real(*args, **kwargs)
        if point.when == "before":
            kill()
        if isinstance(point.when, int):
            disk.at_write(folder, point.when, kill)
        kill.halfway = point.when == "halfway"
        answer = real(*args, **kwargs)
        if point.when == "after":
            kill()
        return answer

    return wrapper


def _arm_socket(kill: _Once) -> None:
    """The next large write on a TLS connection sends half of it and is the last."""
    from edge.sync.mqtt_link import _TidySocket

    real = _TidySocket.send

    def send(self: Any, data: Any, flags: int = 0) -> int:
        if kill.halfway and len(data) > 500:
            real(self, bytes(data)[: len(data) // 2], flags)
            kill()
        return int(real(self, data, flags))

    _TidySocket.send = send  # type: ignore[method-assign]

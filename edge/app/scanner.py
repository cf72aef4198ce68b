"""The scanner while the kiosk runs: every code becomes an event, its loss and return are told.

Only a scanner with an eye of its own is listened to all day. One that looks
through the kiosk's camera stays shut until the person asks for it.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event as Flag

from edge.app.health import HealthBoard
from edge.domain.errors import DeviceError
from edge.ports import Scanner
from edge.session.events import CodeScanned

LISTEN_S = 0.5
"""Longest time it is deaf to `stop`."""


def keep_scanning(
    scanner: Scanner, post: Callable[[CodeScanned], None], health: HealthBoard, stop: Flag
) -> None:
    """Listen until `stop`; returns after a loss, which the board knows then."""
    try:
        scanner.open()
        while not stop.is_set():
            code = scanner.wait_for_code(LISTEN_S)
            health.well("scanner")  # a port that opens and then fails is not back yet
            if code is not None:
                post(CodeScanned(code))
    except DeviceError as error:
        health.lost("scanner", error)

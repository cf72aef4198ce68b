"""The one place that knows how each device is while the kiosk runs.

Any thread may tell it; it says a change once: one log line when a device is
lost, one when it is back, one row for the disk. What it is told again and
again changes nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from edge.domain.errors import DeviceError
from edge.domain.health import Condition, DeviceState
from edge.domain.timebase import Stamp

log = logging.getLogger("edge.health")


class HealthBoard:
    """Device by device the newest `DeviceState`; empty until a device was first heard of."""

    def __init__(self, now: Callable[[], Stamp]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._states: dict[str, DeviceState] = {}
        self._unwritten: dict[str, DeviceState] = {}

    def lost(self, device: str, error: DeviceError) -> None:
        self.report(device, Condition(error.fault.value), error.detail)

    def well(self, device: str) -> bool:
        """True if it was lost until now."""
        was_lost = self.is_lost(device)
        self.report(device, Condition.OK)
        return was_lost

    def is_lost(self, device: str) -> bool:
        known = self._states.get(device)
        return known is not None and not known.condition.works

    def works(self, device: str) -> bool:
        """False also before anything was heard of it."""
        known = self._states.get(device)
        return known is not None and known.condition.works

    def lost_devices(self) -> tuple[str, ...]:
        return tuple(state.device for state in self.states() if not state.condition.works)

    def report(self, device: str, condition: Condition, detail: str = "") -> None:
        with self._lock:
            before = self._states.get(device)
            if before is not None and before.condition is condition:
                return
            state = DeviceState(device, condition, detail, self._now().iso)
            self._states[device] = self._unwritten[device] = state
        _log_change(before, state)

    def states(self) -> tuple[DeviceState, ...]:
        with self._lock:
            return tuple(self._states[name] for name in sorted(self._states))

    def unwritten(self) -> tuple[DeviceState, ...]:
        """What has changed since it was last `written`."""
        with self._lock:
            return tuple(self._unwritten.values())

    def written(self, state: DeviceState) -> None:
        with self._lock:
            if self._unwritten.get(state.device) is state:
                del self._unwritten[state.device]


def _log_change(before: DeviceState | None, now: DeviceState) -> None:
    """A device that is lost in another way than before is still lost: no second line."""
    worked = before is None or before.condition.works
    if worked and not now.condition.works:
        words = (now.device, now.condition.value, now.detail)
        log.warning("device=%s state=lost fault=%s detail=%s", *words)
    elif not worked and now.condition.works:
        log.info("device=%s state=back", now.device)
    elif worked and now.condition is not (before.condition if before else Condition.OK):
        log.info("device=%s state=%s", now.device, now.condition.value)

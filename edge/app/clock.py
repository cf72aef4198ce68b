"""The one place where the kiosk reads a clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge import RELEASED
from edge.domain.timebase import ClockTrust, MonoNs, Stamp

_SYNCHRONISED = Path("/run/systemd/timesync/synchronized")
_RTC = Path("/sys/class/rtc/rtc0")
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def mono_ns() -> MonoNs:
    """Nanoseconds since boot, suspend included (CLOCK_BOOTTIME)."""
    return MonoNs(time.clock_gettime_ns(time.CLOCK_BOOTTIME))


class SystemTime:
    """The machine's own clocks, and a time that has certainly passed (`floor`).

    A clock behind the floor is wrong: then it is at least the floor and the time since boot.
    """

    def __init__(self) -> None:
        self.boot_id = _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else "unknown"
        self._floor = datetime(RELEASED.year, RELEASED.month, RELEASED.day, tzinfo=UTC)

    def raise_floor(self, seen: datetime | None) -> None:
        """`seen`: when the network last told the time, in an earlier run."""
        self._floor = max(self._floor, seen or self._floor)

    def now(self) -> Stamp:
        return at(datetime.now(UTC), mono_ns(), self.boot_id, self._floor, _trust())

    def mono_ns(self) -> MonoNs:
        return mono_ns()


def at(wall: datetime, boot_ns: MonoNs, boot_id: str, floor: datetime, trust: ClockTrust) -> Stamp:
    """The moment at which a clock showed `wall`."""
    if wall >= floor:
        return Stamp(wall, boot_ns, boot_id, trust)
    return Stamp(
        floor + timedelta(microseconds=boot_ns // 1000), boot_ns, boot_id, ClockTrust.FLOOR
    )


def _trust() -> ClockTrust:
    """timesyncd touches a file once it has heard from a server; a battery clock is second best."""
    if _SYNCHRONISED.exists():
        return ClockTrust.NTP
    return ClockTrust.RTC if _RTC.exists() else ClockTrust.UNKNOWN

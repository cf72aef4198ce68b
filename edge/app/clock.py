"""The one place where the kiosk reads a clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime
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
    """The machine's own clocks."""

    def __init__(self) -> None:
        self.boot_id = _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else "unknown"

    def now(self) -> Stamp:
        return Stamp(datetime.now(UTC), mono_ns(), self.boot_id, _trust())

    def mono_ns(self) -> MonoNs:
        return mono_ns()


def _trust() -> ClockTrust:
    """timesyncd touches a file once it has heard from a server; a battery clock is second best,
    and neither is believed when it is behind the program itself."""
    if datetime.now(UTC).date() < RELEASED:
        return ClockTrust.UNKNOWN  # earlier than this program was written
    if _SYNCHRONISED.exists():
        return ClockTrust.NTP
    return ClockTrust.RTC if _RTC.exists() else ClockTrust.UNKNOWN

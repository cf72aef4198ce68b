"""What the kiosk knows about time, and how much it may be trusted.

A Pi without a battery clock boots in the past. So a moment is never a bare
wall-clock time: it carries the time since boot and a grade of trust, and all
deadlines inside the kiosk are computed from the time since boot.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from typing import NewType, Protocol

MonoNs = NewType("MonoNs", int)
"""Nanoseconds on a clock that only moves forward while the machine is up."""

NS_PER_S = 1_000_000_000

CHINA = timezone(timedelta(hours=8))
"""The whole country keeps one time, without summer time."""


class ClockTrust(Enum):
    """How the wall clock was last set, best first."""

    NTP = "ntp"
    SIGNED = "signed"
    RTC = "rtc"
    FLOOR = "floor"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Stamp:
    """One moment. `utc` is what the wall clock said, `boot_ns` is what really passed."""

    utc: datetime
    boot_ns: MonoNs
    boot_id: str
    trust: ClockTrust

    def __post_init__(self) -> None:
        if self.utc.tzinfo is None:
            raise ValueError("a Stamp needs an aware time in UTC")

    @property
    def is_sure(self) -> bool:
        """Whether the wall clock may be printed on paper (E17)."""
        return self.trust in (ClockTrust.NTP, ClockTrust.SIGNED, ClockTrust.RTC)

    @property
    def local(self) -> datetime:
        """What a clock on the wall of the hall shows."""
        return self.utc.astimezone(CHINA)

    @property
    def iso(self) -> str:
        """RFC 3339 in UTC with milliseconds, for example `2026-11-23T03:00:00.000Z`."""
        text = self.utc.astimezone(UTC).isoformat(timespec="milliseconds")
        return text.replace("+00:00", "Z")


class TimeSource(Protocol):
    """Where the runner gets its time; tests bring their own."""

    def now(self) -> Stamp: ...

    def mono_ns(self) -> MonoNs: ...

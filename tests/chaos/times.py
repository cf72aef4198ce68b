"""A kiosk's clocks in a world whose true time a campaign moves."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta

from edge.app.clock import SystemTime, at
from edge.domain.timebase import ClockTrust, MonoNs, Stamp

BOOT_S = 15.0
"""How long the machine has been up when the kiosk starts."""


class World:
    """True time: it runs like ours, and jumps when told."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._began_s = time.monotonic()
        self._skipped = timedelta()

    def now(self) -> datetime:
        passed = timedelta(seconds=time.monotonic() - self._began_s)
        return self._start + self._skipped + passed

    def skip(self, much: timedelta) -> None:
        self._skipped += much


class KioskTime(SystemTime):
    """The clocks of a machine that just booted; what it makes of them is the product's.

    `wrong` is how far its wall clock is from the truth, `trust` how it was last set.
    """

    def __init__(
        self, world: World, trust: ClockTrust = ClockTrust.RTC, wrong: timedelta = timedelta()
    ) -> None:
        super().__init__()
        self.trust, self.wrong = trust, wrong
        self.boot_id = str(uuid.uuid4())
        self._world = world
        self._booted = world.now() - timedelta(seconds=BOOT_S)

    def now(self) -> Stamp:
        wall = (self._world.now() + self.wrong).astimezone(UTC)
        return at(wall, self.mono_ns(), self.boot_id, self._floor, self.trust)

    def mono_ns(self) -> MonoNs:
        up = self._world.now() - self._booted
        return MonoNs(up // timedelta(microseconds=1) * 1000)

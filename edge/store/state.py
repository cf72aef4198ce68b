"""Small facts the two processes tell each other through the database."""

from __future__ import annotations

from edge.domain.timebase import NS_PER_S, TimeSource
from edge.store.database import Database

LINK_FRESH_S = 90


class SyncState:
    """How the link is, and how often the sync process was started.

    `times` must count from boot in every process alike (CLOCK_BOOTTIME).
    """

    def __init__(self, database: Database, times: TimeSource) -> None:
        self._database = database
        self._times = times

    def link_seen(self) -> None:
        """Note that the broker is connected now; good for `LINK_FRESH_S` seconds."""
        now = self._times.now()
        with self._database.write():
            self._set("link_seen", f"{now.boot_id} {now.boot_ns}")
            self._set("link_last_seen", now.iso)

    def link_last_seen(self) -> str:
        """RFC 3339 by this machine's clock, sure or not; empty before the first time."""
        return self._get("link_last_seen")

    def link_lost(self) -> None:
        self._set("link_seen", "")

    def link_is_up(self) -> bool:
        """A note from another boot, or one that nobody renewed, is worth nothing."""
        boot_id, _, boot_ns = self._get("link_seen").partition(" ")
        now = self._times.now()
        if boot_id != now.boot_id or not boot_ns.isdigit():
            return False
        return 0 <= now.boot_ns - int(boot_ns) <= LINK_FRESH_S * NS_PER_S

    def next_boot_seq(self) -> int:
        """Counts starts of the sync process: 1, 2, 3 …"""
        with self._database.write():
            number = int(self._get("boot_seq") or "0") + 1
            self._set("boot_seq", str(number))
        return number

    def _get(self, name: str) -> str:
        row = self._database.row("SELECT value FROM state WHERE name = ?", [name])
        return str(row[0]) if row else ""

    def _set(self, name: str, value: str) -> None:
        with self._database.write() as db:
            db.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", [name, value])

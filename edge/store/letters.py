"""Finished messages that are no records, on their way between the two processes.

The kiosk process seals and signs, the sync process carries: neither the question who
somebody is nor the answer can be read by the process that has the network. What nobody
waits for any more is thrown away with the next letter.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge.domain.timebase import NS_PER_S, TimeSource
from edge.ports import Letter
from edge.store.database import Database

_WAITED_FOR = "boot_id = ? AND until_ns > ?"


class Letters:
    """Times count from boot: a letter of another boot is one that nobody waits for."""

    def __init__(self, database: Database, times: TimeSource) -> None:
        self._database = database
        self._times = times

    def put(self, letter_id: str, leaf: str, payload: bytes, wait_s: float) -> None:
        """Hand a letter to the sync process; the kiosk process calls this."""
        boot_id, now_ns = self._now()
        until_ns = now_ns + int(wait_s * NS_PER_S)
        with self._database.write() as db:
            db.execute(f"DELETE FROM letters WHERE NOT ({_WAITED_FOR})", [boot_id, now_ns])
            db.execute(
                "INSERT INTO letters (letter_id, leaf, payload, boot_id, until_ns) "
                "VALUES (?, ?, ?, ?, ?)",
                [letter_id, leaf, payload, boot_id, until_ns],
            )

    def unsent(self) -> Sequence[Letter]:
        """What the sync process has to carry, oldest first."""
        boot_id, now_ns = self._now()
        rows = self._database.rows(
            "SELECT letter_id, leaf, payload, until_ns FROM letters "
            f"WHERE NOT sent AND {_WAITED_FOR} ORDER BY rowid",
            [boot_id, now_ns],
        )
        return [
            Letter(letter_id, leaf, payload, (until_ns - now_ns) / NS_PER_S)
            for letter_id, leaf, payload, until_ns in rows
        ]

    def sent(self, letter_id: str) -> None:
        with self._database.write() as db:
            db.execute("UPDATE letters SET sent = 1 WHERE letter_id = ?", [letter_id])

    def answered(self, letter_id: str, payload: bytes) -> bool:
        """Keep the answer for the kiosk process; False if nobody waits for it."""
        boot_id, now_ns = self._now()
        open_ = self._database.row(
            f"SELECT 1 FROM letters WHERE letter_id = ? AND sent AND {_WAITED_FOR}",
            [letter_id, boot_id, now_ns],
        )
        if open_ is None:
            return False
        with self._database.write() as db:
            db.execute("UPDATE letters SET answer = ? WHERE letter_id = ?", [payload, letter_id])
        return True

    def answer(self, letter_id: str) -> bytes | None:
        """The answer to a letter, once there is one."""
        row = self._database.row("SELECT answer FROM letters WHERE letter_id = ?", [letter_id])
        return bytes(row[0]) if row and row[0] is not None else None

    def drop(self, letter_id: str) -> None:
        """Forget a letter and its answer."""
        with self._database.write() as db:
            db.execute("DELETE FROM letters WHERE letter_id = ?", [letter_id])

    def _now(self) -> tuple[str, int]:
        now = self._times.now()
        return now.boot_id, now.boot_ns

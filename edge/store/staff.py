"""The list of staff badges and the wrong tries at them, unreadable without the data key."""

from __future__ import annotations

import json
import logging
from datetime import datetime
from typing import Any

from edge.domain.staff import Tries
from edge.store.database import Database
from edge.store.inbox import Inbox
from edge.store.vault import SealedError, Vault

_log = logging.getLogger(__name__)

KIND = "jianzai.staff"
"""The sync process files messages under their schema, see `edge.wire.messages`."""


class StaffStore:
    """One list at a time, as the registry wrote it. The kiosk process alone uses this."""

    def __init__(self, database: Database, data_key: bytes) -> None:
        self._database = database
        self._inbox = Inbox(database)
        self._vault = Vault(data_key)
        self._offered = ""

    def waiting(self) -> bytes | None:
        """A sealed list that arrived and was neither taken in nor refused yet."""
        found = self._inbox.peek(KIND)
        if found is None:
            return None
        self._offered = found[0]
        return found[1]

    def done(self) -> None:
        """The waiting one is of no more use, unless a newer one has come meanwhile."""
        self._inbox.done(KIND, self._offered)

    def replace(self, version: int, body: bytes, boot_id: str, boot_ns: int) -> bool:
        """Keep this list from now on; False, and nothing changes, unless it is newer.

        One that no longer opens counts as none: it must not keep the next one out.
        """
        came = json.dumps([version, boot_id, boot_ns]).encode()
        with self._database.write():
            known = self._known_version()
            self.done()
            if known is not None and version <= known:
                return False
            self._put("list", body)
            self._put("came", came)
        return True

    def _known_version(self) -> int | None:
        try:
            held = self.held()
        except SealedError as error:
            _log.error("staff_list=lost error=%s", error)
            return None
        return held[0] if held else None

    def held(self) -> tuple[int, bytes, str, int] | None:
        """Version and body of the list, and in which boot and when in it the list came."""
        body, came = self._get("list"), self._get("came")
        if body is None or came is None:
            return None
        version, boot_id, boot_ns = json.loads(came)
        return version, body, boot_id, boot_ns

    def tries(self, badge: str) -> Tries | None:
        row = self._all_tries().get(badge)
        if row is None:
            return None
        version, failed, until = row
        return Tries(version, failed, datetime.fromisoformat(until) if until else None)

    def note_tries(self, badge: str, tries: Tries | None) -> None:
        """On the disk before this returns: pulling the plug forgives nothing."""
        with self._database.write():
            rows = self._all_tries()
            rows.pop(badge, None)
            if tries is not None:
                until = tries.until.isoformat() if tries.until else None
                rows[badge] = [tries.version, tries.failed, until]
            self._put("tries", json.dumps(rows).encode())

    def _all_tries(self) -> dict[str, list[Any]]:
        """Begun anew when they no longer open: else no try would ever be counted again."""
        try:
            plain = self._get("tries")
        except SealedError as error:
            _log.error("staff_tries=lost error=%s", error)
            return {}
        rows: dict[str, list[Any]] = json.loads(plain) if plain else {}
        return rows

    def _get(self, name: str) -> bytes | None:
        row = self._database.row("SELECT sealed FROM staff WHERE name = ?", [name])
        return self._vault.open(row[0], f"staff {name}") if row else None

    def _put(self, name: str, plain: bytes) -> None:
        sealed = self._vault.seal(plain, f"staff {name}")
        with self._database.write() as db:
            db.execute("INSERT OR REPLACE INTO staff VALUES (?, ?)", [name, sealed])

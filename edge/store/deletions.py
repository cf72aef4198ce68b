"""The registry's orders to delete templates, as they wait for the kiosk process."""

from __future__ import annotations

from edge.store.database import Database
from edge.store.inbox import Inbox

KIND = "jianzai.forget"
"""The sync process files messages under their schema, see `edge.wire.messages`."""
_VERSION = "deletions_version"


class DeletionOrders:
    """One list at a time; an older one than was carried out is not carried out again."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._inbox = Inbox(database)
        self._offered = ""

    def waiting(self) -> bytes | None:
        found = self._inbox.peek(KIND)
        if found is None:
            return None
        self._offered = found[0]
        return found[1]

    def is_new(self, version: int) -> bool:
        """Whoever replays an old list must not delete what was enrolled since."""
        row = self._database.row("SELECT value FROM state WHERE name = ?", [_VERSION])
        return row is None or int(row[0]) < version

    def done(self, version: int | None = None) -> None:
        """The waiting one is carried out, or of no use; unless a newer one has come meanwhile."""
        with self._database.write() as db:
            self._inbox.done(KIND, self._offered)
            if version is not None:
                row = [_VERSION, str(version)]
                db.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", row)

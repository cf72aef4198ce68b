"""What the centre wants this kiosk's settings to be: the newest signed message, kept as it came."""

from __future__ import annotations

from edge.store.database import Database
from edge.store.inbox import Inbox

WISH_KIND = "jianzai.desired"
"""The schema of the messages, see `edge.wire.messages`."""


class WishBox:
    """The sync process puts, the kiosk process looks.

    A message is kept when it was taken over, too: if the files of `settings_files` are damaged,
    it is taken over again.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._inbox = Inbox(database)

    def put(self, version: int, payload: bytes) -> bool:
        """False, and nothing changes, unless it is newer than all before: whoever repeats an old
        message, its signature whole, gets nowhere."""
        with self._database.write() as db:
            if version <= self.seen():
                return False
            db.execute("INSERT OR REPLACE INTO state VALUES ('wish_seen', ?)", [str(version)])
            self._inbox.put(WISH_KIND, payload)
        return True

    def seen(self) -> int:
        """Version of the newest that came, 0 for none."""
        row = self._database.row("SELECT value FROM state WHERE name = 'wish_seen'")
        return int(row[0]) if row else 0

    def newest(self) -> tuple[str, bytes] | None:
        """Hash and bytes of the newest, taken over or not."""
        return self._inbox.peek(WISH_KIND)

"""Messages for the kiosk process, which alone has the key that opens them."""

from __future__ import annotations

import hashlib

from edge.store.database import Database


class Inbox:
    """The newest message of each kind. The sync process puts, the kiosk process reads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, kind: str, payload: bytes) -> bool:
        """False if it is the message that was put last: a retained one comes with every connect."""
        sha256 = hashlib.sha256(payload).hexdigest()
        with self._database.write() as db:
            known = self._database.row("SELECT sha256 FROM inbox WHERE kind = ?", [kind])
            if known == (sha256,):
                return False
            db.execute("INSERT OR REPLACE INTO inbox VALUES (?, ?, ?)", [kind, sha256, payload])
        return True

    def peek(self, kind: str) -> tuple[str, bytes] | None:
        """Hash and bytes of the message that waits, if one does."""
        row = self._database.row(
            "SELECT sha256, payload FROM inbox WHERE kind = ? AND payload IS NOT NULL", [kind]
        )
        return (str(row[0]), bytes(row[1])) if row else None

    def done(self, kind: str, sha256: str) -> None:
        """Forget a message's bytes, unless a newer one has taken its place."""
        with self._database.write() as db:
            db.execute(
                "UPDATE inbox SET payload = NULL WHERE kind = ? AND sha256 = ?", [kind, sha256]
            )

    def received(self, kind: str) -> bool:
        """Whether any message of this kind ever came, read or not."""
        return self._database.row("SELECT 1 FROM inbox WHERE kind = ?", [kind]) is not None

"""How loud the staff of this place want the kiosk, kept over a restart."""

from __future__ import annotations

from edge.store.database import Database


class VolumeNote:
    """The choice, 0..100, beside the volume that was set for this kiosk when it was made."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self, configured: int) -> int | None:
        """`None` when nobody chose, or the kiosk has been set to something else since."""
        row = self._database.row("SELECT value FROM state WHERE name = 'volume'")
        chosen, _, when = str(row[0]).partition(" ") if row else ("", "", "")
        return int(chosen) if when == str(configured) else None

    def save(self, chosen: int, configured: int) -> None:
        with self._database.write() as db:
            db.execute(
                "INSERT OR REPLACE INTO state VALUES ('volume', ?)", [f"{chosen} {configured}"]
            )

    def forget(self) -> None:
        with self._database.write() as db:
            db.execute("DELETE FROM state WHERE name = 'volume'")

"""Who is expected at this site, unreadable without the device's data key."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

from edge.domain.cycles import Cycle
from edge.domain.people import CardKey, PastProof, PersonId, RosterEntry
from edge.store.database import Database
from edge.store.vault import Vault

PART = "roster_is_part"
"""In `state` when not all of the roster in force could be saved from a damaged database."""


class SealedRoster:
    """The roster in force is the one with the highest version; the one before it is kept."""

    def __init__(self, database: Database, data_key: bytes) -> None:
        self._database = database
        self._vault = Vault(data_key)

    def version(self) -> int:
        """Version in force; 0 before the first roster came."""
        row = self._database.row("SELECT value FROM state WHERE name = 'roster_version'")
        return int(row[0]) if row else 0

    def replace(self, version: int, entries: Iterable[RosterEntry]) -> bool:
        """Swap the whole roster at once; False, and nothing changes, unless it is newer.

        Over one of which only a part was saved, the same version counts as newer.
        """
        with self._database.write() as db:
            current = self.version()
            if version < current or (version == current and not self._is_part()):
                return False
            db.execute("DELETE FROM roster WHERE version < ? OR version >= ?", [current, version])
            db.execute("DELETE FROM state WHERE name = ?", [PART])
            for entry in entries:
                sealed = self._vault.seal(_encode(entry), _place(version, entry.key))
                db.execute("INSERT INTO roster VALUES (?, ?, ?)", [version, entry.key, sealed])
            db.execute("INSERT OR REPLACE INTO state VALUES ('roster_version', ?)", [str(version)])
        return True

    def _is_part(self) -> bool:
        return self._database.row("SELECT 1 FROM state WHERE name = ?", [PART]) is not None

    def find(self, key: CardKey) -> RosterEntry | None:
        version = self.version()
        row = self._database.row(
            "SELECT sealed FROM roster WHERE version = ? AND card_key = ?", [version, key]
        )
        return _decode(self._vault.open(row[0], _place(version, key)), key) if row else None


def _place(version: int, key: CardKey) -> str:
    return f"roster {version} {key}"


def _encode(entry: RosterEntry) -> bytes:
    fields = {
        "person": entry.person_id,
        "name": entry.masked_name,
        "category": entry.category,
        "due": entry.due_by.isoformat(),
        "certified": entry.certified_on.isoformat() if entry.certified_on else None,
        "cycle": entry.cycle.value,
        "early": entry.early_days,
        "past": [[proof.day.isoformat(), proof.method] for proof in entry.past],
        "staff": entry.to_staff,
    }
    return json.dumps(fields, ensure_ascii=False).encode()


def _decode(plain: bytes, key: CardKey) -> RosterEntry:
    fields: dict[str, Any] = json.loads(plain)
    certified = fields["certified"]
    return RosterEntry(
        key=key,
        person_id=PersonId(fields["person"]),
        masked_name=fields["name"],
        category=fields["category"],
        due_by=date.fromisoformat(fields["due"]),
        certified_on=date.fromisoformat(certified) if certified else None,
        past=tuple(PastProof(date.fromisoformat(day), how) for day, how in fields["past"]),
        cycle=Cycle(fields["cycle"]),
        early_days=fields.get("early"),
        to_staff=fields.get("staff") is True,
    )

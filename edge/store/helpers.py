"""How many people each card named today (帮亲友), and the numbers people are called by.

Of a card only a keyed hash is kept that differs every day, and only until the day is over.
Both live in `state`, one row each.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import date

from edge.domain.people import CardKey
from edge.store.database import Database

TARGETS_A_DAY = 3
LAST_TICKET = 99
NO_DAY = "-"
_KEPT = "SELECT value FROM state WHERE name = 'helped'"


class HelperBook:
    """Used by the session thread alone. A `day` is any word that changes once a day."""

    def __init__(self, database: Database, data_key: bytes) -> None:
        self._database = database
        self._key = data_key

    def may(self, helper: CardKey, day: str) -> bool:
        """Whether this card may name one more person."""
        return len(self._named(day).get(self._hash(day, helper), ())) < TARGETS_A_DAY

    def admit(self, helper: CardKey, target: CardKey, day: str) -> bool:
        """Count this target once; False if it would be one too many. Days before are forgotten."""
        who, whom = self._hash(day, helper), self._hash(day, helper + target)
        with self._database.write() as db:
            named = self._named(day)
            known = named.setdefault(who, [])
            if whom in known:
                return True
            if len(known) >= TARGETS_A_DAY:
                return False
            known.append(whom)
            value = json.dumps([day, named])
            db.execute("INSERT OR REPLACE INTO state VALUES ('helped', ?)", [value])
        return True

    def forget_other_days(self, day: str) -> None:
        """Also where nobody helps anybody any more."""
        if self._database.row(_KEPT) is not None and not self._named(day):
            with self._database.write() as db:
                db.execute("DELETE FROM state WHERE name = 'helped'")

    def _named(self, day: str) -> dict[str, list[str]]:
        row = self._database.row(_KEPT)
        if row is None:
            return {}
        kept_day, named = json.loads(row[0])
        return dict(named) if kept_day == day else {}

    def _hash(self, day: str, key: str) -> str:
        words = f"jianzai helper 1\n{day}\n{key}".encode()
        return hmac.new(self._key, words, hashlib.sha256).hexdigest()[:32]


class TicketBook:
    """1, 2, 3 …, each day from the beginning, after 99 once more."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def next(self, day: date | None) -> int:
        """The number of whoever calls next. Without a trusted day the count just goes on."""
        row = self._database.row("SELECT value FROM state WHERE name = 'ticket'")
        kept_day, last = row[0].split() if row else (NO_DAY, "0")
        fresh = day is not None and kept_day not in (day.isoformat(), NO_DAY)
        return 1 if fresh else int(last) % LAST_TICKET + 1

    def take(self, number: int, day: date | None) -> None:
        """On the disk before the record: a power cut leaves a number out and gives none twice."""
        with self._database.write() as db:
            value = f"{day.isoformat() if day else NO_DAY} {number}"
            db.execute("INSERT OR REPLACE INTO state VALUES ('ticket', ?)", [value])

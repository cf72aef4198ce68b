"""The kiosk's signed word for everything it has deleted; itself never deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from edge.store.database import Database
from edge.store.records import Records
from edge.store.seal import Seal


@dataclass(frozen=True, slots=True)
class Gone:
    """What was taken away: all that was older than `until`.

    Of records also which (`first` to `last`) and the hash of the last, to which the chain
    goes on; 0 and empty for other things.
    """

    what: str
    count: int
    until: date
    first: int = 0
    last: int = 0
    sha256: str = ""


class Proofs:
    """Written in the transaction that deletes."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal

    def add(self, gone: Gone, epoch: str = "") -> None:
        """`first` and `last` are places in `epoch`; without one, in this database's own."""
        epoch = epoch or Records(self._database).epoch
        facts = asdict(gone) | {"until": gone.until.isoformat(), "epoch": epoch}
        row = [gone.what, epoch, gone.first, gone.last, self._seal.sign(facts)]
        with self._database.write() as db:
            db.execute(
                "INSERT INTO proofs (what, epoch, first, last, payload) VALUES (?, ?, ?, ?, ?)",
                row,
            )

    def all(self) -> list[Mapping[str, Any]]:
        """What was signed, oldest first; a row whose signature does not hold is empty."""
        rows = self._database.rows("SELECT payload FROM proofs ORDER BY number")
        return [self._seal.facts_of(bytes(payload)) or {} for (payload,) in rows]


def is_pruned(database: Database, epoch: str, place: int) -> bool:
    """Whether there is a word that the record of this place was taken away."""
    sql = "SELECT 1 FROM proofs WHERE what = 'records' AND epoch = ? AND ? BETWEEN first AND last"
    return database.row(sql, [epoch, place]) is not None

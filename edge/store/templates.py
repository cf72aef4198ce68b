"""Face templates: a database file of their own, which only the kiosk's user can open.

Neither the key nor the folder is the sync process's: what has the network cannot read them,
encrypted or not. A template is bound to its person and goes with one call.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from edge.domain.errors import StoreError
from edge.domain.people import PersonId
from edge.store.database import Database
from edge.store.vault import Vault

STEPS = (
    (
        "001_first",
        (
            """CREATE TABLE templates (
                person_id TEXT PRIMARY KEY,
                model_sha256 TEXT NOT NULL,
                expires TEXT NOT NULL,
                sealed BLOB NOT NULL
            ) STRICT, WITHOUT ROWID""",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Template:
    """`embedding`: what the model of that hash made of a face, as bytes of float32."""

    person_id: PersonId
    model_sha256: str
    expires: date
    embedding: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class TemplateRow:
    """What can be seen of a template without the key."""

    person_id: PersonId
    model_sha256: str
    expires: date


class TemplateStore:
    """Raises `StoreError`. Only `put` and `find` need the key."""

    def __init__(self, folder: Path, template_key: bytes | None = None) -> None:
        self._vault = Vault(template_key) if template_key is not None else None
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
            path = folder / "templates.db"
            if not path.exists():  # else the locks of whoever has it open would go
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise StoreError(f"{folder}: {error.strerror}") from error
        self._database = Database(path, STEPS)

    def close(self) -> None:
        self._database.close()

    def put(self, template: Template) -> None:
        """A newer one takes the place of the one before it."""
        sealed = self._key().seal(template.embedding, _place(template.person_id))
        expires = template.expires.isoformat()
        row = [template.person_id, template.model_sha256, expires, sealed]
        with self._database.write() as db:
            db.execute("INSERT OR REPLACE INTO templates VALUES (?, ?, ?, ?)", row)

    def find(self, person_id: PersonId) -> Template | None:
        row = self._database.row(
            "SELECT model_sha256, expires, sealed FROM templates WHERE person_id = ?", [person_id]
        )
        if row is None:
            return None
        embedding = self._key().open(row[2], _place(person_id))
        return Template(person_id, row[0], date.fromisoformat(row[1]), embedding)

    def delete(self, person_id: PersonId) -> bool:
        """Somebody withdrew: it is overwritten when this returns. False if there was none."""
        with self._database.write() as db:
            there = self._database.row("SELECT 1 FROM templates WHERE person_id = ?", [person_id])
            db.execute("DELETE FROM templates WHERE person_id = ?", [person_id])
        if not self._database.forget_deleted():
            raise StoreError("deleted, but somebody is reading the file: delete it once more")
        return there is not None

    def rows(self) -> list[TemplateRow]:
        """By person."""
        rows = self._database.rows(
            "SELECT person_id, model_sha256, expires FROM templates ORDER BY person_id"
        )
        return [
            TemplateRow(PersonId(who), model, date.fromisoformat(day)) for who, model, day in rows
        ]

    def expired(self, today: date) -> list[TemplateRow]:
        return [row for row in self.rows() if row.expires < today]

    def _key(self) -> Vault:
        if self._vault is None:
            raise StoreError("the template key is needed for this")
        return self._vault


def _place(person_id: PersonId) -> str:
    return f"template {person_id}"

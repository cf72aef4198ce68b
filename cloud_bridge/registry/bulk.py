"""Many rows at once, by each engine's own fast way: `executemany` on SQLite, COPY on PostgreSQL.

For rows this program made up itself. Nothing is checked here but what the database checks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.core.management.color import no_style
from django.db import connection, models

Row = Sequence[Any]


def stamp(at: datetime) -> str:
    """A moment as `Table` takes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


class Table:
    """Takes rows of the named columns; every other column gets its default."""

    def __init__(self, model: type[models.Model], *columns: str) -> None:
        fields = {field.column: field for field in model._meta.concrete_fields}
        given = set(columns)
        rest = [field for field in model._meta.concrete_fields if field.column not in given]
        if unknown := given - set(fields):
            raise ValueError(f"{model.__name__}: no columns {sorted(unknown)}")
        self.name = model._meta.db_table
        self._columns = (*columns, *(field.column for field in rest if not field.primary_key))
        self._defaults = tuple(_plain(field) for field in rest if not field.primary_key)

    def insert(self, rows: Sequence[Row]) -> None:
        """Values as texts, numbers, bytes or None; moments as `YYYY-MM-DD HH:MM:SS` in UTC."""
        quoted = ", ".join(connection.ops.quote_name(column) for column in self._columns)
        name = connection.ops.quote_name(self.name)
        whole = ((*row, *self._defaults) for row in rows)
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                with cursor.copy(f"COPY {name} ({quoted}) FROM STDIN") as copy:
                    for row in whole:
                        copy.write_row(row)
                return
            marks = ", ".join("?" * len(self._columns))
            cursor.connection.executemany(f"INSERT INTO {name} ({quoted}) VALUES ({marks})", whole)


def _plain(field: Any) -> Any:
    """A default as it is stored."""
    value = field.get_default()
    return json.dumps(value) if isinstance(value, list | dict) else value


@contextmanager
def in_a_hurry(kinds: Sequence[type[models.Model]]) -> Iterator[None]:
    """For filling these tables from nothing: indexes are made and references checked at the
    end, and a power cut in between leaves a database that has to be made anew."""
    quick, sure = _HURRY[connection.vendor]
    _run(quick)
    aside = _aside([kind._meta.db_table for kind in kinds])
    _run([drop for drop, _make in aside])
    try:
        yield
    finally:
        _run([make for _drop, make in aside])
        _run(sure)


_HURRY = {
    "postgresql": (
        ["SET synchronous_commit = off", "SET maintenance_work_mem = '256MB'"],
        ["SET synchronous_commit = on", "RESET maintenance_work_mem"],
    ),
    "sqlite": (
        ["PRAGMA synchronous = OFF", "PRAGMA cache_size = -400000"],
        ["PRAGMA synchronous = FULL", "PRAGMA cache_size = -2000"],
    ),
}
_ASIDE = {
    "postgresql": """
        SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
               format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname,
                      pg_get_constraintdef(c.oid))
        FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
        WHERE c.contype = 'f' AND t.relname IN ({marks})
        UNION ALL
        SELECT format('DROP INDEX %%s', indexrelid::regclass), pg_get_indexdef(indexrelid)
        FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
        WHERE NOT i.indisunique AND t.relname IN ({marks})""",
    "sqlite": """
        SELECT 'DROP INDEX "' || name || '"', sql FROM sqlite_master
        WHERE type = 'index' AND tbl_name IN ({marks}) AND sql NOT LIKE 'CREATE UNIQUE%%'""",
}


def _aside(tables: Sequence[str]) -> list[tuple[str, str]]:
    """How to drop, and how to make again, what only makes questions fast or sure."""
    marks = ", ".join(["%s"] * len(tables))
    query = _ASIDE[connection.vendor].format(marks=marks)
    with connection.cursor() as cursor:
        cursor.execute(query, [*tables] * query.count(marks))
        return list(cursor.fetchall())


def renumber(*kinds: type[models.Model]) -> None:
    """Rows were inserted with numbers of their own: the next number comes after them."""
    _run(connection.ops.sequence_reset_sql(no_style(), list(kinds)))


def settle() -> None:
    """Let the engine look at what it has, so that it plans by figures and not by guesses."""
    _run(["VACUUM ANALYZE"] if connection.vendor == "postgresql" else ["ANALYZE"])


def _run(statements: Sequence[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)

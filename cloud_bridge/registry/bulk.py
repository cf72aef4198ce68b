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
    """For filling these tables from nothing: indexes are made at the end, and a power cut
    in between leaves a database that has to be made anew."""
    quick, sure = _HURRY[connection.vendor]
    _run(quick)
    indexes = _indexes([kind._meta.db_table for kind in kinds])
    _run([f"DROP INDEX {connection.ops.quote_name(name)}" for name in indexes])
    try:
        yield
    finally:
        _run(list(indexes.values()))
        _run(sure)


_HURRY = {
    "postgresql": (["SET synchronous_commit = off"], ["SET synchronous_commit = on"]),
    "sqlite": (
        ["PRAGMA synchronous = OFF", "PRAGMA cache_size = -400000"],
        ["PRAGMA synchronous = FULL", "PRAGMA cache_size = -2000"],
    ),
}
_INDEXES = {
    "postgresql": """
        SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i
        JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
        WHERE t.relname IN ({marks}) AND NOT i.indisunique""",
    "sqlite": """
        SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name IN ({marks})
        AND sql NOT LIKE 'CREATE UNIQUE%%'""",
}


def _indexes(tables: Sequence[str]) -> dict[str, str]:
    """Name and definition of those that only make questions fast."""
    query = _INDEXES[connection.vendor].format(marks=", ".join(["%s"] * len(tables)))
    with connection.cursor() as cursor:
        cursor.execute(query, tables)
        return dict(cursor.fetchall())


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

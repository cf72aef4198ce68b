"""Many new rows of one table, at little more than what the driver itself needs for them.

Django's own way of saying so costs several times what a record's signature does. Nothing but
plain values may be in the rows; their keys, where the database makes them, stay unknown.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from django.db import connection, models

_encode = json.JSONEncoder().encode
_PLAIN = (
    models.CharField,
    models.IntegerField,
    models.BooleanField,
    models.BinaryField,
    models.ForeignKey,
)
"""What both drivers take as it is; everything else is asked for its form."""


def insert(rows: Sequence[models.Model]) -> None:
    """All or none, inside the caller's transaction. Raises what `bulk_create` would."""
    if not rows:
        return
    kind: Any = type(rows[0])
    statement, fields = _plan(kind)
    forms = [(name, _form(field)) for name, field in fields]
    many(statement, [[form(getattr(row, name)) for name, form in forms] for row in rows])


def many(statement: str, values: Sequence[Sequence[Any]]) -> None:
    """One statement with `%s` for every row of values."""
    with connection.cursor() as django_cursor, connection.wrap_database_errors:
        if connection.vendor != "postgresql":
            django_cursor.executemany(statement, values)
            return
        import psycopg

        # Django's cursor writes values into the text; this one prepares the statement once.
        with psycopg.Cursor(connection.connection) as cursor:
            cursor.executemany(statement, values)


@cache
def _plan(model: Any) -> tuple[str, tuple[tuple[str, Any], ...]]:
    fields = [one for one in model._meta.concrete_fields if not isinstance(one, models.AutoField)]
    names = ", ".join(connection.ops.quote_name(one.column) for one in fields)
    marks = ", ".join(["%s"] * len(fields))
    table = connection.ops.quote_name(model._meta.db_table)
    statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"
    return statement, tuple((one.attname, one) for one in fields)


def _form(field: Any) -> Callable[[Any], Any]:
    if isinstance(field, _PLAIN):
        return _as_it_is
    if isinstance(field, models.JSONField):
        return _json
    if isinstance(field, models.DateTimeField):
        return connection.ops.adapt_datetimefield_value
    if isinstance(field, models.DateField):
        return connection.ops.adapt_datefield_value
    return lambda value: field.get_db_prep_save(value, connection)


def _json(value: Any) -> str | None:
    if value is None:
        return None
    return "[]" if value == [] else _encode(value)


def _as_it_is(value: Any) -> Any:
    return value

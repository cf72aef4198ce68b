"""Pages that stay right while rows are added: each starts after the last key of the one before."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any

from ninja.errors import HttpError

MOST = 200
CURSOR_CHARACTERS = 200


def cut(rows: Any, key: str, after: str, limit: int) -> tuple[list[Any], str | None]:
    """Up to `limit` of a queryset, by ascending `key`, and the cursor of the next page, if any."""
    if after:
        rows = rows.filter(**{f"{key}__gt": _key_of(after, type_of(rows, key))})
    found = list(rows.order_by(key)[: limit + 1])
    return found[:limit], _cursor(found, key) if len(found) > limit else None


def type_of(rows: Any, key: str) -> type:
    field = rows.model._meta.get_field(key)
    return int if field.get_internal_type().endswith("AutoField") else str


def _cursor(found: Sequence[Any], key: str) -> str:
    last = getattr(found[-2], key)
    return base64.urlsafe_b64encode(json.dumps(last).encode()).decode().rstrip("=")


def _key_of(cursor: str, kind: type) -> Any:
    """A cursor names a place in the order and gives no right to anything."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        key = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise HttpError(400, "after: not a cursor of this API") from error
    if type(key) is not kind or not _storable(key):
        raise HttpError(400, "after: not a cursor of this API")
    return key


def _storable(key: Any) -> bool:
    return 0 <= key < 2**63 if isinstance(key, int) else key.isprintable() and key.isascii()

"""How often somebody may try. A bucket that runs dry with time, kept in the database.

In the database, because several processes serve one console. A try beyond the limit writes
nothing: whoever floods a page costs reads, not writes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.crypto import salted_hmac

from cloud_bridge.registry.models import DoorTally


@dataclass(frozen=True, slots=True)
class Limit:
    """`burst` tries at once, then one every `every_s` seconds."""

    burst: int
    every_s: float


def wait_s(key: str, limit: Limit, now: datetime) -> int:
    """Whole seconds until the next try is allowed; 0 if it is now. Counts nothing."""
    row = DoorTally.objects.filter(pk=_hashed(key)).first()
    return _wait(_level(row, limit, now), limit)


def take(key: str, limit: Limit, now: datetime) -> int:
    """Count a try if it is allowed; returns as `wait_s` does."""
    return wait_s(key, limit, now) or _take(key, limit, now)


@transaction.atomic
def _take(key: str, limit: Limit, now: datetime) -> int:
    row, _made = DoorTally.objects.select_for_update().get_or_create(
        pk=_hashed(key), defaults={"level": 0, "at": now}
    )
    level = _level(row, limit, now)
    wait = _wait(level, limit)
    if wait == 0:
        DoorTally.objects.filter(pk=row.pk).update(level=level + 1, at=now)
    return wait


def forget_dry(now: datetime) -> int:
    """Drop what was not touched for a day: by then every bucket is dry."""
    dropped, _ = DoorTally.objects.filter(at__lt=now - timedelta(days=1)).delete()
    return int(dropped)


def _level(row: DoorTally | None, limit: Limit, now: datetime) -> float:
    """How many tries still count."""
    if row is None:
        return 0.0
    passed = (now - row.at).total_seconds()
    return float(max(row.level - passed / limit.every_s, 0.0))


def _wait(level: float, limit: Limit) -> int:
    return max(math.ceil((level + 1 - limit.burst) * limit.every_s), 0)


def _hashed(key: str) -> str:
    """Keys name addresses, which are not kept."""
    return salted_hmac("limits", key, algorithm="sha256").hexdigest()

"""Of several bridge workers only one sends rosters and lists, asks, and keeps the log's seals.

Everything it does may be done twice without harm, so a lease that two hold for a moment, because
their clocks differ, costs nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from cloud_bridge.registry.models import Lease

BRIDGE = "bridge"
LASTS = timedelta(seconds=10)


def hold(holder: str, now: datetime) -> bool:
    """Take or keep it; False while somebody else has it."""
    Lease.objects.get_or_create(pk=BRIDGE)
    far = Q(until__gt=now + 2 * LASTS)  # written by a clock that was wrong
    free = Q(holder=holder) | Q(until=None) | Q(until__lte=now) | far
    return bool(_row().filter(free).update(holder=holder, until=now + LASTS))


def leave(holder: str) -> None:
    """Whoever asks next has it."""
    _row().filter(holder=holder).update(holder="", until=None)


def _row() -> Any:
    return Lease.objects.filter(pk=BRIDGE)

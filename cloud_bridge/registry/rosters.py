"""Which kiosks' rosters have to be sent anew, and when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import F, Q

from cloud_bridge.registry.models import Device, Region

QUIET = timedelta(minutes=10)
"""Certifications change a roster all day long; it is not sent for them more often than this."""


def serving(region_codes: Iterable[str]) -> Any:
    """The kiosks on whose rosters people of these regions are."""
    above = {code for region in set(region_codes) for code in _at_and_above(region)}
    return Device.objects.filter(site__region__in=above)


def send_anew(devices: Any) -> int:
    """Mark rosters as due; returns how many.

    The version moves too, so that a roster just on its way does not count as this one.
    """
    due: int = devices.update(roster_due=True, roster_version=F("roster_version") + 1)
    return due


def mark_stale(devices: Any) -> None:
    """One kiosk after the other, always in the same order: several workers do this at once."""
    rows = Device.objects.filter(pk__in=devices.values("pk")).order_by("pk")
    rows = rows.select_for_update(no_key=True)
    fresh = [pk for pk, stale in rows.values_list("pk", "roster_stale") if not stale]
    Device.objects.filter(pk__in=fresh).update(roster_stale=True)


def _at_and_above(code: str) -> Iterator[str]:
    yield code
    if (parent := Region.parent_code(code)) != code:
        yield from _at_and_above(parent)


def to_send(now: datetime, today: date) -> Any:
    """Asked for, written for another day, or behind the records for long enough."""
    rested = Q(roster_sent_at=None) | Q(roster_sent_at__lte=now - QUIET)
    stale = Q(roster_stale=True) & rested
    return Device.objects.filter(Q(roster_due=True) | ~Q(roster_day=today) | stale)

"""Whether a kiosk's word on the time may be believed; pure.

A battery clock can be years off and call itself sure. What the centre knows for
certain is when it first heard of the kiosk, what time it is now, and that a
kiosk's records follow each other.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from edge.domain.timebase import ClockTrust

SLACK = timedelta(minutes=10)
"""Clocks that are set by the network still differ, and are put right by this much now and then."""

_SURE = {ClockTrust.NTP.value, ClockTrust.SIGNED.value, ClockTrust.RTC.value}


def is_unsure(
    finished: datetime,
    trust: object,
    now: datetime,
    *,
    enrolled: datetime | None,
    before: datetime | None,
) -> bool:
    """`enrolled`: when the kiosk was added. `before`: finish of its last believed record."""
    if not isinstance(trust, str) or trust not in _SURE or finished > now + SLACK:
        return True
    return any(floor is not None and finished < floor - SLACK for floor in (enrolled, before))

"""What the registry can know of a record's time from the chain alone, against the truth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from edge.domain.timebase import ClockTrust, MonoNs, Stamp
from edge.wire.notices import ClockCorrection

NTP_ERR = timedelta(seconds=1)
SURE_WITHIN = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Between:
    """The true time lies in here."""

    earliest: datetime
    latest: datetime


def stamp_of(fields: dict[str, Any]) -> Stamp:
    """As `messages.stamp_fields` wrote it."""
    utc = datetime.fromisoformat(fields["utc"])
    trust = ClockTrust(fields["trust"])
    return Stamp(utc, MonoNs(fields["boot_ns"]), fields["boot_id"], trust)


def verdict(stamp: Stamp, corrections: dict[str, ClockCorrection], truth: datetime) -> str:
    """`known`: an interval that holds it; `at_least`: only what it cannot be before."""
    told = _between(stamp, corrections.get(stamp.boot_id))
    if told is not None:
        if not told.earliest <= truth <= told.latest:
            return "false"
        return "wide" if told.latest - told.earliest > SURE_WITHIN else "known"
    if stamp.trust is ClockTrust.FLOOR:
        return "at_least" if truth >= stamp.utc - NTP_ERR else "false"
    return "said_unsure"


def _between(stamp: Stamp, correction: ClockCorrection | None) -> Between | None:
    if stamp.trust is ClockTrust.NTP:
        return Between(stamp.utc - NTP_ERR, stamp.utc + NTP_ERR)
    if correction is None:
        return None
    ago = timedelta(microseconds=(correction.boot_ns - stamp.boot_ns) // 1000)
    middle = datetime.fromisoformat(correction.utc) - ago
    err = timedelta(milliseconds=correction.err_ms)
    return Between(middle - err, middle + err)

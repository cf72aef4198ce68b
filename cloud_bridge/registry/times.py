"""When a record really was made, as far as is known; the record itself is never touched.

A kiosk whose clock was not believed says so, and counts the time since it was switched on. If
the network told it the time later in the same boot, its correction leads from there back to
every record of that boot. Else what is left is the order: after the last record whose clock
was believed, before it was filed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cloud_bridge.registry.models import Certification, FiledRecord, KioskNotice, Rehearsal
from edge.domain.timebase import ClockTrust
from edge.wire.messages import CLOCK

_SET = (ClockTrust.NTP.value, ClockTrust.SIGNED.value)


@dataclass(frozen=True, slots=True)
class Span:
    """It was between these two moments; `corrected`: by the kiosk's own later word."""

    earliest: datetime
    latest: datetime
    corrected: bool


def span_of(record: FiledRecord) -> Span | None:
    """Nothing for a record whose own time is good."""
    stamp = record.finished
    if stamp.get("trust") in _SET and not record.clock_unsure:
        return None
    notice = (
        KioskNotice.objects.filter(
            device_id=record.device_id, schema=CLOCK, about=stamp.get("boot_id", "")
        )
        .order_by("filed_at")
        .last()
    )
    if notice is not None:
        return corrected(notice.body, stamp)
    if not record.clock_unsure:
        return None
    return Span(_after(record), record.filed_at, corrected=False)


def corrected(correction: dict[str, Any], stamp: dict[str, Any]) -> Span | None:
    """Nothing if the time since boot is out of range, as only a fault could make it."""
    back_ns = correction["boot_ns"] - stamp.get("boot_ns", 0)
    try:
        moment = datetime.fromisoformat(correction["utc"]) - timedelta(microseconds=back_ns // 1000)
        spread = timedelta(milliseconds=correction["err_ms"])
        return Span(moment - spread, moment + spread, corrected=True)
    except OverflowError:
        return None


def _after(record: FiledRecord) -> datetime:
    """Finish of the last record before it that was believed, or when the kiosk was added."""
    here = {"device_id": record.device_id, "epoch": record.epoch, "clock_unsure": False}
    found = [
        moment
        for table in (Certification, Rehearsal)
        for moment in table.objects.filter(**here, seq__lt=record.seq)
        .order_by("-seq")
        .values_list("finished_at", flat=True)[:1]
    ]
    floors: list[datetime] = [each for each in (*found, record.device.created_at) if each]
    latest: datetime = record.filed_at
    return min(max(floors, default=latest), latest)

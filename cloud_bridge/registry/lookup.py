"""What became of a record, in one answer for the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cloud_bridge.registry.models import Certification, FiledRecord, Quarantine, Rehearsal

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RecordStatus:
    """`status` is filed, quarantined or unknown; a filed one may have quarantined rivals."""

    record_id: str
    status: str
    provenance: str = ""
    outcome: str = ""
    kiosk_id: str = ""
    receipt_no: str = ""
    person_id: str = ""
    certified_on: str = ""
    finished_at: str = ""
    filed_at: str = ""
    sha256: str = ""
    quarantined: int = 0
    reasons: tuple[str, ...] = ()
    counts: bool = False
    doubts: tuple[str, ...] = ()


def record_status(record_id: str) -> RecordStatus:
    aside = list(Quarantine.objects.filter(record_id=record_id))
    for table in (Certification, Rehearsal):
        row = table.objects.filter(record_id=record_id).first()
        if row:
            return _filed(row, aside)
    if aside:
        return RecordStatus(
            record_id,
            "quarantined",
            kiosk_id=aside[0].kiosk_id,
            sha256=aside[0].sha256,
            quarantined=len(aside),
            reasons=tuple(item.reason for item in aside),
        )
    return RecordStatus(record_id, UNKNOWN)


def newest(limit: int) -> list[RecordStatus]:
    """The newest filed records of both kinds, newest first."""
    rows: list[Any] = []
    for table in (Certification, Rehearsal):
        rows += table.objects.order_by("-filed_at", "-record_id").defer("envelope")[:limit]
    rows.sort(key=lambda row: (row.filed_at, row.record_id), reverse=True)
    return [_filed(row, []) for row in rows[:limit]]


def _filed(row: FiledRecord, aside: list[Any]) -> RecordStatus:
    return RecordStatus(
        record_id=row.record_id,
        status="filed",
        provenance="live" if isinstance(row, Certification) else "simulated",
        outcome=row.outcome,
        kiosk_id=row.device_id,
        receipt_no=row.receipt_no,
        person_id=row.person_id or "",
        certified_on=row.certified_on.isoformat(),
        finished_at=row.finished_at.isoformat(),
        filed_at=row.filed_at.isoformat(),
        sha256=row.sha256,
        quarantined=len(aside),
        reasons=tuple(row.reasons),
        counts=getattr(row, "counts", False),
        doubts=tuple(getattr(row, "doubts", ())),
    )

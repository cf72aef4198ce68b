"""What was kept aside, and its way back once the reason is gone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from cloud_bridge.bridge.ingest import Ingest
from cloud_bridge.bridge.opening import Arrival
from cloud_bridge.registry import audit
from cloud_bridge.registry.models import Quarantine
from cloud_bridge.registry.vault import Vault

NOT_WHOLE = "not_whole"


@dataclass(frozen=True, slots=True)
class Item:
    """One kept arrival in plain words; nothing of its sealed body."""

    id: int
    kiosk_id: str
    record_id: str
    reason: str
    times: int
    size_bytes: int
    kept_whole: bool
    sha256: str
    first_seen_at: str
    last_seen_at: str


def newest(limit: int) -> list[Item]:
    return [item(row) for row in Quarantine.objects.order_by("-last_seen_at")[:limit]]


def item(row: Quarantine) -> Item:
    return Item(
        id=row.pk,
        kiosk_id=row.kiosk_id,
        record_id=row.record_id,
        reason=row.reason,
        times=row.times,
        size_bytes=row.size_bytes,
        kept_whole=_is_whole(row),
        sha256=row.sha256,
        first_seen_at=row.first_seen_at.isoformat(),
        last_seen_at=row.last_seen_at.isoformat(),
    )


def header(row: Quarantine) -> dict[str, Any]:
    """What the outside of the envelope says, if it is one; checked by nobody yet."""
    try:
        fields = json.loads(bytes(row.payload))
    except (ValueError, RecursionError):
        return {}
    names = ("schema", "v", "id", "from", "to", "chain")
    return {name: fields.get(name) for name in names} if isinstance(fields, dict) else {}


def refile(row: Quarantine, ingest: Ingest, vault: Vault, who: str, now: datetime) -> str:
    """Check an arrival again and file it: what still stands against it, or nothing.

    What was filed leaves the quarantine; its envelope is kept with the record, and the
    bridge tells the kiosk, which has kept its own all the while (`OwedAck`).
    """
    with transaction.atomic():
        why = ingest.refile(_arrival(row), now) if _is_whole(row) else NOT_WHOLE
        if not why:
            row.delete()
        elif why != NOT_WHOLE:
            Quarantine.objects.filter(pk=row.pk).update(reason=why)
        target = ("record", row.record_id)
        audit.write(vault, who, "quarantine.refile", target, reason=why or "filed")
    return why


def _is_whole(row: Quarantine) -> bool:
    return bool(len(row.payload) == row.size_bytes)


def _arrival(row: Quarantine) -> Arrival:
    """The kiosk was unknown when it came: its envelope says who it is, its signature whether."""
    sender = row.kiosk_id or header(row).get("from")
    return Arrival(sender if isinstance(sender, str) else "", bytes(row.payload))

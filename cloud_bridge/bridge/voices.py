"""Files what people do with their own data, and what they say of the service.

Both have a place in their kiosk's chain. A look at one's own data goes into the audit log
beside every other look; a correction becomes a task. What was made with simulated devices is
filed and noted as such, and gives nobody work.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cloud_bridge.bridge.opening import OpenedMatter, OpenedOpinion
from cloud_bridge.registry import audit, badges
from cloud_bridge.registry.models import Device, Matter, Opinion, Person, Task
from cloud_bridge.registry.vault import Vault
from edge.domain.matters import MatterKind
from edge.domain.record import Provenance


def matter_of(
    told: OpenedMatter, device: Device, person: Person | None, vault: Vault, now: datetime
) -> Matter:
    body = told.body
    return Matter(
        **_place(told, device, now),
        person=person,
        subject_name=body.name,
        subject_key=vault.lookup(body.id_number),
        subject_sealed=vault.seal(body.id_number, body.matter_id),
        kind=body.kind,
        about=body.about,
        number=body.number,
        proven=body.proven,
        badge=body.badge,
        consent=body.consent,
        liveness=body.liveness,
        at=body.at,
        simulated=told.provenance is Provenance.SIMULATED,
        software=body.software,
    )


def opinion_of(told: OpenedOpinion, device: Device, now: datetime) -> Opinion:
    body = told.body
    return Opinion(
        **_place(told, device, now),
        ratings=list(body.ratings),
        grievance=body.grievance,
        number=body.number,
        at=body.at,
        simulated=told.provenance is Provenance.SIMULATED,
    )


def _place(told: OpenedMatter | OpenedOpinion, device: Device, now: datetime) -> dict[str, Any]:
    return {
        "record_id": told.record_id,
        "device": device,
        "epoch": told.chain.epoch,
        "seq": told.chain.seq,
        "prev_sha256": told.chain.prev_sha256,
        "sha256": told.sha256,
        "envelope": told.payload,
        "filed_at": now,
    }


def write(row: Matter, vault: Vault, now: datetime) -> None:
    """Filed, in the audit log, and a task if somebody has to do something."""
    row.save(force_insert=True)
    region = row.person.region_id if row.person else row.device.site.region_id
    target = ("person", row.person_id) if row.person_id else ("device", row.device_id)
    audit.write(
        vault,
        f"kiosk {row.device_id}"[:60],
        f"{'staff' if row.badge else 'self'}.{row.kind}"[:30],
        target,
        reason=_reason(row),
        region_code=region,
        at=now,
    )
    if row.kind == MatterKind.CORRECTION.value and not row.simulated:
        kind = Task.Kind.CORRECTION
        Task.objects.create(
            kind=kind, person=row.person, matter=row, region_id=region, created_at=now
        )


def _reason(row: Matter) -> str:
    """When and what, and under whose badge; the entry names the person by id."""
    what = row.about or ("proven" if row.proven else "not proven")
    words = [row.at.isoformat(timespec="seconds"), what]
    if row.badge:
        words = [words[0], row.about or "vouched", f"badge {row.badge}", _standing(row)]
    return " ".join(filter(None, [*words, "simulated" if row.simulated else ""]))


def _standing(row: Matter) -> str:
    """A badge that may not vouch there opens nothing for a kiosk in order: it shows."""
    may = badges.may_witness(row.badge, row.device.site.region_id, row.at)
    return "" if may else "may not"

"""The tamper-evident log: every look at a person and every change, one chained entry each."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import transaction
from django.utils import timezone

from cloud_bridge.registry.models import ROOT_REGION, AuditEntry, AuditHead
from cloud_bridge.registry.vault import Vault
from edge.wire.envelope import canonical

SYSTEM = "system"


@transaction.atomic
def write(
    vault: Vault,
    who: str,
    action: str,
    target: tuple[str, str],
    *,
    reason: str = "",
    region_code: str = ROOT_REGION,
    at: datetime | None = None,
) -> None:
    """Add an entry about `target`, a pair of kind and id; ids only, never names or numbers."""
    head = AuditHead.objects.select_for_update().get(pk=1)
    kind, object_id = target
    entry = AuditEntry(
        number=head.number + 1,
        at=at or timezone.now(),
        who=who,
        action=action,
        object_kind=kind,
        object_id=object_id,
        reason=reason[:200],
        region_code=region_code,
    )
    entry.chain_hash = vault.audit_hash(head.chain_hash, _content(entry))
    entry.save(force_insert=True)
    head.number, head.chain_hash = entry.number, entry.chain_hash
    head.save()


def first_broken(vault: Vault) -> int | None:
    """Number of the first entry that was changed, removed or added by hand; None if whole."""
    previous, expected = "0" * 64, 1
    for entry in AuditEntry.objects.order_by("number").iterator():
        chain_hash = vault.audit_hash(previous, _content(entry))
        if entry.number != expected or entry.chain_hash != chain_hash:
            return expected
        previous, expected = chain_hash, expected + 1
    head = AuditHead.objects.get(pk=1)
    whole = (head.number, head.chain_hash) == (expected - 1, previous)
    return None if whole else expected


def _content(entry: AuditEntry) -> bytes:
    return canonical(
        [
            entry.number,
            entry.at.astimezone(UTC).isoformat(),
            entry.who,
            entry.action,
            entry.object_kind,
            entry.object_id,
            entry.reason,
            entry.region_code,
        ]
    )

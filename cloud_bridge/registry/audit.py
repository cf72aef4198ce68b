"""The tamper-evident log: every look at a person and every change, one chained entry each.

One chain would make everybody wait for everybody, so there are several: whoever writes takes one
that nobody else is writing. The number of chains is fixed, and now and then a signed checkpoint
binds all their ends together.

| tampering | what shows it |
|---|---|
| an entry is changed, removed, moved or made by hand | the hash of its place in its chain |
| entries are cut off the end, or a whole chain is emptied | the head of the chain, sealed |
| head and entries are put back to what they were once | the next checkpoint, and its entry |
| a checkpoint is changed | its signature |
| a checkpoint is removed | the one after it, and the entry about it |
| everything is put back to last week | the digest on paper |
"""

from __future__ import annotations

import base64
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from cloud_bridge.logs import redacted
from cloud_bridge.registry import rows
from cloud_bridge.registry.models import ROOT_REGION, AuditCheckpoint, AuditEntry, AuditHead
from cloud_bridge.registry.vault import Vault
from edge.wire.envelope import canonical, sha256_hex

SYSTEM = "system"
CHAINS = 16
"""More than ever write at once; one row each. Never fewer than a database was made with."""
NO_HASH = "0" * 64
CHECKPOINT = "audit.checkpoint"
_INSERT = (
    "INSERT INTO registry_auditentry (chain, place, at, who, action, object_kind, object_id,"
    " reason, region_code, chain_hash) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
_PREFIX = b"jianzai audit checkpoint 1\n"
"""What is signed here can never be passed off as an envelope, nor the other way round."""


@dataclass(frozen=True, slots=True)
class Note:
    """One entry to be written. `target`: kind and id; ids only, never names or numbers."""

    who: str
    action: str
    target: tuple[str, str]
    reason: str = ""
    region_code: str = ROOT_REGION


@dataclass(frozen=True, slots=True)
class Broken:
    """The first thing that is not as it was written; `number` of the entry, chain or checkpoint.

    `what`: `entry`; `end` (entries are missing at the end of a chain), `chain`, `checkpoint`.
    """

    what: str
    number: int

    def __str__(self) -> str:
        return (
            f"the end of chain {self.number}"
            if self.what == "end"
            else f"{self.what} {self.number}"
        )


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
    write_all(vault, [Note(who, action, target, reason, region_code)], at)


@transaction.atomic
def write_all(vault: Vault, notes: Sequence[Note], at: datetime | None = None) -> None:
    """Add entries that belong together, at the price of one.

    What somebody typed as a reason may hold an identity number all the same; none is kept.
    """
    if not notes:
        return
    head = _free_head()
    at = at or timezone.now()
    iso, stored = at.astimezone(UTC).isoformat(), connection.ops.adapt_datetimefield_value(at)
    entries = []
    for note in notes:
        told = (note.who, note.action, *note.target, redacted(note.reason)[:200], note.region_code)
        head.number += 1
        content = canonical([head.number, iso, *told])
        head.chain_hash = vault.audit_hash(head.chain_hash, content)
        entries.append((head.pk, head.number, stored, *told, head.chain_hash))
    rows.many(_INSERT, entries)
    ours = AuditHead.objects.filter(pk=head.pk)
    ours.update(number=head.number, chain_hash=head.chain_hash, seal=_seal(vault, head))


def _free_head() -> AuditHead:
    """A chain that nobody is writing; SQLite has one writer at a time and knows no such locks."""
    heads = AuditHead.objects.order_by("pk")
    free: AuditHead | None = heads.select_for_update(skip_locked=True).first()
    return free or heads.select_for_update().get(pk=random.randint(1, CHAINS))


def checkpoint(vault: Vault, key: Ed25519PrivateKey, now: datetime) -> AuditCheckpoint | None:
    """Bind the chains' ends together; None if nothing was written since the last one."""
    with transaction.atomic():
        last = AuditCheckpoint.objects.order_by("-number").first()
        heads = [[row.pk, row.number, row.chain_hash] for row in AuditHead.objects.order_by("pk")]
        if last is not None and _total(heads) <= _total(last.heads) + 1:  # its own entry
            return None
        row = AuditCheckpoint(
            number=last.number + 1 if last else 1,
            at=now,
            heads=heads,
            previous=last.sha256 if last else NO_HASH,
        )
        content = _statement(row)
        row.sha256 = sha256_hex(content)
        row.signature = base64.b64encode(key.sign(_PREFIX + content)).decode()
        row.save(force_insert=True)
        target = ("checkpoint", str(row.number))
        write(vault, SYSTEM, CHECKPOINT, target, reason=row.sha256, at=now)
    return row


def first_broken(vault: Vault, key: Ed25519PublicKey | None = None) -> Broken | None:
    """What was changed, removed or added by hand first; None if everything is whole.

    `key`: the registry's public one; without it the checkpoints' signatures are not looked at.
    """
    return next(_broken(vault, key), None)


def _broken(vault: Vault, key: Ed25519PublicKey | None) -> Iterator[Broken]:
    """What is written meanwhile is no fault: entries are read before heads, heads before more."""
    checkpoints = list(AuditCheckpoint.objects.order_by("number"))
    reader = _Reader(vault, checkpoints)
    for chain in range(1, CHAINS + 1):
        yield from reader.faults(chain)
    there = dict(AuditCheckpoint.objects.values_list("number", "sha256"))
    for number, sha256 in reader.told:
        if there.get(number) != sha256:
            yield Broken("checkpoint", number)
    yield from _checkpoint_faults(checkpoints, reader.seen, key)


class _Reader:
    """Walks along the chains. `seen`: the hashes at the places that checkpoints speak of;
    `told`: the checkpoints that entries speak of."""

    def __init__(self, vault: Vault, checkpoints: Iterable[AuditCheckpoint]) -> None:
        self._vault = vault
        self._wanted = {(c, place) for row in checkpoints for c, place, _ in _rows(row.heads)}
        self.seen: dict[tuple[int, int], str] = {}
        self.told: list[tuple[int, str]] = []

    def faults(self, chain: int) -> Iterator[Broken]:
        entries = AuditEntry.objects.filter(chain=chain)
        last = entries.aggregate(last=Max("place"))["last"] or 0
        head = AuditHead.objects.filter(pk=chain).first()
        if head is None:
            yield Broken("chain", chain)
            return
        previous, place, number = genesis(chain), 0, 0
        self.seen[chain, 0] = previous
        for entry in entries.filter(place__lte=head.number).order_by("place").iterator():
            place += 1
            chain_hash = self._vault.audit_hash(previous, _content(entry))
            if entry.place != place:
                yield Broken("entry", number + 1)
                return
            if entry.chain_hash != chain_hash or entry.number <= number:
                yield Broken("entry", entry.number)
                return
            self._note(entry)
            previous, number = chain_hash, entry.number
        as_sealed = (place, previous, _seal(self._vault, head))
        if (head.number, head.chain_hash, head.seal) != as_sealed or last > head.number:
            yield Broken("end", chain)

    def _note(self, entry: AuditEntry) -> None:
        if entry.action == CHECKPOINT:
            self.told.append((int(entry.object_id), entry.reason))
        if (entry.chain, entry.place) in self._wanted:
            self.seen[entry.chain, entry.place] = entry.chain_hash


def _checkpoint_faults(
    checkpoints: Iterable[AuditCheckpoint],
    seen: dict[tuple[int, int], str],
    key: Ed25519PublicKey | None,
) -> Iterator[Broken]:
    previous = NO_HASH
    for number, row in enumerate(checkpoints, start=1):
        as_written = row.number == number and row.previous == previous and _is_signed(row, key)
        fits = all(seen.get((chain, place)) == it for chain, place, it in _rows(row.heads))
        if not as_written or not fits:
            yield Broken("checkpoint", number)
            return
        previous = row.sha256


def _is_signed(row: AuditCheckpoint, key: Ed25519PublicKey | None) -> bool:
    content = _statement(row)
    if sha256_hex(content) != row.sha256:
        return False
    try:
        if key is not None:
            key.verify(base64.b64decode(row.signature), _PREFIX + content)
    except (InvalidSignature, ValueError):
        return False
    return True


def genesis(chain: int) -> str:
    """What the first entry of a chain is chained to; another for each, none is moved whole."""
    return f"{chain - 1:064x}"


def _seal(vault: Vault, head: AuditHead) -> str:
    return seal(vault, head.pk, head.number, head.chain_hash)


def seal(vault: Vault, chain: int, number: int, chain_hash: str) -> str:
    return vault.audit_hash("head", canonical([chain, number, chain_hash]))


def _rows(heads: Any) -> Iterator[tuple[int, int, str]]:
    """What is no such table was tampered with, and its signature says so."""
    for row in heads if isinstance(heads, list) else ():
        if isinstance(row, list) and len(row) == 3:
            chain, place, chain_hash = row
            yield chain, place, chain_hash


def _total(heads: Any) -> int:
    return sum(place for _, place, _ in _rows(heads))


def _statement(row: AuditCheckpoint) -> bytes:
    return canonical([row.number, row.at.astimezone(UTC).isoformat(), row.heads, row.previous])


def _content(entry: AuditEntry) -> bytes:
    """As it was before there was more than one chain: older entries stay what they are."""
    return canonical(
        [
            entry.place,
            entry.at.astimezone(UTC).isoformat(),
            entry.who,
            entry.action,
            entry.object_kind,
            entry.object_id,
            entry.reason,
            entry.region_code,
        ]
    )

"""The chains that a batch belongs to: locked, so that two workers never file into one at a time.

A record that comes in its turn is judged by what stands in the chain's own row; only one that
comes late, twice or before its time is looked up among everything filed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Max

from cloud_bridge.bridge.opening import AnyOpened
from cloud_bridge.registry import gaps
from cloud_bridge.registry import rows as fast
from cloud_bridge.registry.models import (
    Certification,
    ChainState,
    KioskNotice,
    Matter,
    Opinion,
    Rehearsal,
    StaffDeed,
    TemplateEvent,
)

FILED: tuple[Any, ...] = (
    Certification, Rehearsal, StaffDeed, KioskNotice, Matter, Opinion, TemplateEvent,
)  # fmt: skip
"""Everything that has a place in a kiosk's chain."""
_TIMED: tuple[Any, ...] = (Certification, Rehearsal)

_UPDATE = (
    "UPDATE registry_chainstate SET highest = %s, tip_seq = %s, tip_sha256 = %s, sure_seq = %s,"
    " sure_at = %s WHERE id = %s"
)

Key = tuple[str, str]
"""Kiosk and epoch."""


@dataclass(frozen=True, slots=True)
class Place:
    """What is filed at one place of a chain."""

    sha256: str
    prev_sha256: str


@dataclass(slots=True)
class _Chain:
    """One chain. `sure`: records whose clock was believed, as far as they are known here."""

    row: ChainState
    places: dict[int, Place] = field(default_factory=dict)
    noted: list[int] = field(default_factory=list)
    sure: dict[int, datetime] = field(default_factory=dict)


class Chains:
    def __init__(self, now: datetime) -> None:
        self._now = now
        self._chains: dict[Key, _Chain] = {}

    def lock(self, records: Iterable[AnyOpened]) -> None:
        """Always in the same order; nobody else files into these chains until the commit."""
        keys = {_key(record) for record in records}
        rows = _rows(keys)
        new = [
            ChainState(device_id=kiosk, epoch=epoch, began_at=self._now, tip_seq=0, sure_seq=0)
            for kiosk, epoch in sorted(keys - rows.keys())
        ]
        if new:
            ChainState.objects.bulk_create(new, ignore_conflicts=True)
            rows = _rows(keys)
        self._chains = {key: _Chain(row) for key, row in rows.items()}
        for chain in self._chains.values():
            if chain.row.tip_seq is None:
                _find_tip(chain.row)

    def load(self, records: Sequence[AnyOpened]) -> None:
        """What is filed at and beside the places that these records claim."""
        wanted: dict[Key, list[int]] = defaultdict(list)
        for record in records:
            wanted[_key(record)].append(record.chain.seq)
        for key, seqs in wanted.items():
            row = self._chains[key].row
            if min(seqs) <= row.tip_seq:
                self._look_up(key, seqs)
            else:  # nothing is filed behind the tip; what is before it cannot matter
                self._chains[key].places[row.tip_seq] = Place(row.tip_sha256, "")

    def _look_up(self, key: Key, seqs: list[int]) -> None:
        places = {near for seq in seqs for near in (seq - 1, seq, seq + 1)}
        chain = self._chains[key]
        fields = ("seq", "sha256", "prev_sha256")
        rows = _everywhere(FILED, _here(key) | {"seq__in": places}, fields)
        chain.places.update((seq, Place(*hashes)) for seq, *hashes in rows)
        chain.sure = self._sure_between(key, min(seqs), max(seqs))

    def _sure_between(self, key: Key, first: int, last: int) -> dict[int, datetime]:
        """Those from the last one before `first` on."""
        here = _here(key) | {"clock_unsure": False}
        newest = [table.objects.filter(**here, seq__lt=first) for table in _TIMED]
        before = max((rows.aggregate(m=Max("seq"))["m"] or 0 for rows in newest), default=0)
        span = here | {"seq__gte": before, "seq__lte": last}
        return dict(_everywhere(_TIMED, span, ("seq", "finished_at")))

    def note(self, record: AnyOpened) -> None:
        """It has arrived, whatever becomes of it."""
        self._chains[_key(record)].noted.append(record.chain.seq)

    def misfit(self, record: AnyOpened) -> str:
        """A chain is one line: each place once, each record naming the hash before it.

        Records may come in any order, so both neighbours are asked, if they are there.
        """
        places, seq = self._chains[_key(record)].places, record.chain.seq
        if seq in places:
            return "fork"
        before, after = places.get(seq - 1), places.get(seq + 1)
        broken = (before and seq > 1 and before.sha256 != record.chain.prev_sha256) or (
            after and after.prev_sha256 != record.sha256
        )
        return "chain" if broken else ""

    def add(self, record: AnyOpened) -> None:
        chain, seq = self._chains[_key(record)], record.chain.seq
        chain.places[seq] = Place(record.sha256, record.chain.prev_sha256)
        if seq > chain.row.tip_seq:
            chain.row.tip_seq, chain.row.tip_sha256 = seq, record.sha256

    def believed_before(self, record: AnyOpened) -> datetime | None:
        """Finish of the kiosk's last record before this one whose clock was believed."""
        chain, seq = self._chains[_key(record)], record.chain.seq
        known = {at_seq: at for at_seq, at in chain.sure.items() if at_seq < seq}
        if chain.row.sure_at is not None and chain.row.sure_seq < seq:
            known[chain.row.sure_seq] = chain.row.sure_at
        return known[max(known)] if known else None

    def believe(self, record: AnyOpened, finished_at: datetime) -> None:
        chain, seq = self._chains[_key(record)], record.chain.seq
        chain.sure[seq] = finished_at
        if chain.row.sure_at is None or seq > chain.row.sure_seq:
            chain.row.sure_seq, chain.row.sure_at = seq, finished_at

    def write(self) -> None:
        rows = [chain.row for chain in self._chains.values()]
        for chain in self._chains.values():
            _note(chain.row, chain.noted)
        moment = connection.ops.adapt_datetimefield_value
        fast.many(_UPDATE, [
            (row.highest, row.tip_seq, row.tip_sha256, row.sure_seq, moment(row.sure_at), row.pk)
            for row in rows
        ])  # fmt: skip


def _note(row: ChainState, seqs: Sequence[int]) -> None:
    highest, missing = gaps.note(row.highest, row.gaps, seqs)
    row.highest = highest
    if missing != row.gaps:
        row.missing = [list(span) for span in missing]
        row.save(update_fields=["missing"])


def known(record_ids: Sequence[str]) -> dict[str, str]:
    """Hashes of those that are filed, whatever they are."""
    if not record_ids:
        return {}
    marks = ", ".join(["%s"] * len(record_ids))
    tables = [connection.ops.quote_name(table._meta.db_table) for table in FILED]
    each = (f"SELECT record_id, sha256 FROM {name} WHERE record_id IN ({marks})" for name in tables)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(each), list(record_ids) * len(tables))
        return dict(cursor.fetchall())


def _key(record: AnyOpened) -> Key:
    return record.kiosk_id, record.chain.epoch


def _here(key: Key) -> dict[str, Any]:
    return {"device_id": key[0], "epoch": key[1]}


def _rows(keys: set[Key]) -> dict[Key, ChainState]:
    rows = ChainState.objects.select_for_update().order_by("device_id", "epoch")
    found = rows.filter(device__in={kiosk for kiosk, _ in keys}, epoch__in={e for _, e in keys})
    return {key: row for row in found if (key := (row.device_id, row.epoch)) in keys}


def _everywhere(tables: Sequence[Any], where: dict[str, Any], fields: tuple[str, ...]) -> Any:
    """One question to several tables."""
    first, *others = [table.objects.filter(**where).values_list(*fields) for table in tables]
    return first.union(*others, all=True)


def _find_tip(row: ChainState) -> None:
    """Of a chain from before rows knew their tip; once."""
    here = _here((row.device_id, row.epoch))
    filed = _everywhere(FILED, here, ("seq", "sha256"))
    row.tip_seq, row.tip_sha256 = filed.order_by("-seq").first() or (0, "")
    sure = _everywhere(_TIMED, here | {"clock_unsure": False}, ("seq", "finished_at"))
    row.sure_seq, row.sure_at = sure.order_by("-seq").first() or (0, None)

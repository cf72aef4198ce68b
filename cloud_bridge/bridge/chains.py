"""The chains that a batch belongs to: locked, so that two workers never file into one at a time.

A record that comes in its turn is judged by what stands in the chain's own row; only one that
comes late, twice or before its time is looked up among everything filed.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q

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

LOOK_BACK = 64
"""A late record's neighbours with a believed clock are looked for this far back first."""
_UPDATE = (
    "UPDATE registry_chainstate SET highest = %s, missing = %s, tip_seq = %s, tip_sha256 = %s,"
    " sure_seq = %s, sure_at = %s WHERE id = %s"
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
        late = {}
        for key, seqs in wanted.items():
            row = self._chains[key].row
            if min(seqs) <= row.tip_seq:
                late[key] = seqs
            else:  # nothing is filed behind the tip; what is before it cannot matter
                self._chains[key].places[row.tip_seq] = Place(row.tip_sha256, "")
        if late:
            self._look_up(late)

    def _look_up(self, late: dict[Key, list[int]]) -> None:
        """Of all chains with one question for places and one for clocks."""
        near = {
            key: sorted({n for seq in seqs for n in (seq - 1, seq, seq + 1)})
            for key, seqs in late.items()
        }
        for kiosk, epoch, seq, *hashes in _at_places(near):
            self._chains[kiosk, epoch].places[seq] = Place(*hashes)
        spans = {key: (max(min(seqs) - LOOK_BACK, 0), max(seqs)) for key, seqs in late.items()}
        for kiosk, epoch, seq, finished_at in _sure_within(spans):
            self._chains[kiosk, epoch].sure[seq] = finished_at
        for key, seqs in late.items():
            sure = self._chains[key].sure
            if spans[key][0] and not any(seq < min(seqs) for seq in sure):
                sure |= _last_sure_before(key, min(seqs))

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
        fast.many(_UPDATE, [_written(chain) for chain in self._chains.values()])


def _written(chain: _Chain) -> tuple[Any, ...]:
    """The values of `_UPDATE`."""
    row, moment = chain.row, connection.ops.adapt_datetimefield_value
    highest, missing = gaps.note(row.highest, row.gaps, chain.noted)
    tip = (row.tip_seq, row.tip_sha256, row.sure_seq, moment(row.sure_at))
    return highest, json.dumps(missing), *tip, row.pk


def known(record_ids: Sequence[str]) -> dict[str, str]:
    """Hashes of those that are filed, whatever they are."""
    if not record_ids:
        return {}
    where = f"record_id IN ({_marks(record_ids)})"
    return dict(_everywhere(FILED, "record_id, sha256", where, list(record_ids)))


def _at_places(near: dict[Key, list[int]]) -> list[Any]:
    each = [f"(device_id = %s AND epoch = %s AND seq IN ({_marks(n)}))" for n in near.values()]
    values = [value for key, seqs in near.items() for value in (*key, *seqs)]
    names = "device_id, epoch, seq, sha256, prev_sha256"
    return _everywhere(FILED, names, " OR ".join(each), values)


def _sure_within(spans: dict[Key, tuple[int, int]]) -> list[Any]:
    """The kiosks' records whose clock was believed, with the moment they were finished."""
    rows = [
        table.objects.filter(clock_unsure=False).filter(
            Q(*(Q(**_here(key), seq__range=span) for key, span in spans.items()), _connector=Q.OR)
        )
        for table in _TIMED
    ]
    fields = ("device_id", "epoch", "seq", "finished_at")
    return [row for found in rows for row in found.values_list(*fields)]


def _last_sure_before(key: Key, seq: int) -> dict[int, datetime]:
    before = _here(key) | {"clock_unsure": False, "seq__lt": seq}
    rows = [table.objects.filter(**before).order_by("-seq") for table in _TIMED]
    return dict(row for found in rows for row in found.values_list("seq", "finished_at")[:1])


def _key(record: AnyOpened) -> Key:
    return record.kiosk_id, record.chain.epoch


def _here(key: Key) -> dict[str, Any]:
    return {"device_id": key[0], "epoch": key[1]}


def _rows(keys: set[Key]) -> dict[Key, ChainState]:
    rows = ChainState.objects.select_for_update().order_by("device_id", "epoch")
    found = rows.filter(device__in={kiosk for kiosk, _ in keys}, epoch__in={e for _, e in keys})
    return {key: row for row in found if (key := (row.device_id, row.epoch)) in keys}


def _everywhere(tables: Sequence[Any], names: str, where: str, values: list[Any]) -> list[Any]:
    """One question to several tables, in plain SQL: Django's way of asking it costs more than
    finding the answer."""
    quoted = [connection.ops.quote_name(table._meta.db_table) for table in tables]
    each = " UNION ALL ".join(f"SELECT {names} FROM {table} WHERE {where}" for table in quoted)
    with connection.cursor() as cursor:
        cursor.execute(each, values * len(tables))
        found: list[Any] = cursor.fetchall()
    return found


def _marks(values: Sequence[Any]) -> str:
    return ", ".join(["%s"] * len(values))


def _find_tip(row: ChainState) -> None:
    """Of a chain from before rows knew their tip; once."""
    here = _here((row.device_id, row.epoch))
    tips = [
        table.objects.filter(**here).order_by("-seq").values_list("seq", "sha256")[:1]
        for table in FILED
    ]
    row.tip_seq, row.tip_sha256 = max((tip for found in tips for tip in found), default=(0, ""))
    sure = _last_sure_before((row.device_id, row.epoch), row.tip_seq + 1)
    row.sure_seq, row.sure_at = max(sure.items(), default=(0, None))

"""Files records: each once, acknowledged only after the commit.

A batch is one transaction. Whatever order, repetition or crash comes between
kiosk and registry, a record id is filed at most once, and the answer to the
same bytes is always the same kind of yes.

| what arrived | what becomes of it | answer |
|---|---|---|
| new record id | filed; LIVE and SIMULATED in tables of their own | FILED |
| known id, same bytes | nothing | KNOWN |
| known id, other bytes | quarantine | QUARANTINED |
| LIVE from a demonstration kiosk | quarantine | QUARANTINED |
| PASSED without consent, liveness or likeness | quarantine | QUARANTINED |
| another record has its place in the chain (fork) | quarantine | QUARANTINED |
| hash of its neighbour in the chain differs | quarantine | QUARANTINED |
| wrong signature, seal, topic or form | quarantine | none |
| anything beyond the quarantine's bound | counted | none |
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.db import DataError, IntegrityError, transaction
from django.db.models import F

from cloud_bridge.bridge import chains, clocks, templates, voices
from cloud_bridge.bridge.chains import Chains
from cloud_bridge.bridge.opening import (
    AnyOpened,
    Arrival,
    Opened,
    OpenedDeed,
    OpenedMatter,
    OpenedNotice,
    OpenedOpinion,
    OpenedTemplate,
    Refused,
    is_borne_out,
    open_arrival,
)
from cloud_bridge.registry import audit, doubts, events, helpers, rechecks, rosters, standing
from cloud_bridge.registry import rows as fast
from cloud_bridge.registry.audit import Note
from cloud_bridge.registry.events import Event, News
from cloud_bridge.registry.models import (
    Certification,
    Device,
    FiledRecord,
    KioskNotice,
    Matter,
    Opinion,
    OwedAck,
    Person,
    Proof,
    Quarantine,
    Rehearsal,
    StaffDeed,
    Task,
)
from cloud_bridge.registry.vault import Vault, VaultError
from edge.domain.errors import KioskError
from edge.domain.record import Outcome, Provenance
from edge.domain.timebase import CHINA
from edge.wire import keys
from edge.wire.envelope import sha256_hex
from edge.wire.messages import Ack, AckStatus

log = logging.getLogger(__name__)

_UNFILEABLE = (
    IntegrityError,
    DataError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    KioskError,
    VaultError,
)

Sound = AnyOpened

MAX_KEPT_BYTES = 64 * 1024
MAX_KEPT_PER_DEVICE = 200


@dataclass(frozen=True, slots=True)
class Reply:
    """An acknowledgement for one kiosk."""

    kiosk_id: str
    ack: Ack


class Ingest:
    """Holds the registry's keys; the database is Django's."""

    def __init__(self, seal_key: X25519PrivateKey, vault: Vault) -> None:
        self.seal_key = seal_key
        self._vault = vault

    def ingest(self, arrivals: Sequence[Arrival], now: datetime) -> list[Reply]:
        """File a batch; what is returned is on the disk.

        Should anything about one arrival, or about the rows it needs, be beyond what was
        thought of, each is tried alone: one bad record must not hold up the others, let
        alone end the process. A database that is away (`OperationalError`) is the caller's.
        """
        try:
            return self._batch(arrivals, now)
        except _UNFILEABLE as error:
            if len(arrivals) == 1:
                return self._once_more(arrivals[0], now, error)
            return [reply for arrival in arrivals for reply in self.ingest([arrival], now)]

    def refile(self, arrival: Arrival, now: datetime) -> str:
        """File what was kept aside; the reason if something still stands against it.

        This may be another process than the bridge's, which owes the kiosk the answer.
        """
        try:
            devices = _devices([arrival])
            opened = self._open(arrival, _sign_key(devices.get(arrival.kiosk_id)))
            if isinstance(opened, Refused):
                return opened.reason
            with transaction.atomic():
                batch = _Batch(self._vault, now, devices)
                why = batch.file_alone(opened)
                batch.owe()
                return why
        except _UNFILEABLE as error:
            log.error("unfileable kiosk=%s error=%s", arrival.kiosk_id, type(error).__name__)
            return "unfileable"

    def _once_more(self, arrival: Arrival, now: datetime, error: Exception) -> list[Reply]:
        """Another worker may have been first with the same row, which can be seen by now."""
        if not isinstance(error, IntegrityError):
            return self._set_aside(arrival, now, error)
        try:
            return self._batch([arrival], now)
        except _UNFILEABLE as again:
            return self._set_aside(arrival, now, again)

    def _set_aside(self, arrival: Arrival, now: datetime, error: Exception) -> list[Reply]:
        log.error("unfileable kiosk=%s error=%s", arrival.kiosk_id, type(error).__name__)
        with transaction.atomic():
            batch = _Batch(self._vault, now, _devices([arrival]))
            batch.quarantine(arrival, Refused("unfileable"))
            batch.write()
        return []

    def _batch(self, arrivals: Sequence[Arrival], now: datetime) -> list[Reply]:
        devices = _devices(arrivals)
        sign_keys = {kiosk_id: _sign_key(device) for kiosk_id, device in devices.items()}
        results = [self._open(arrival, sign_keys.get(arrival.kiosk_id)) for arrival in arrivals]
        with transaction.atomic():
            batch = _Batch(self._vault, now, devices)
            batch.load([result for result in results if not isinstance(result, Refused)])
            for arrival, result in zip(arrivals, results, strict=True):
                if isinstance(result, Refused):
                    batch.quarantine(arrival, result)
                else:
                    batch.file(result)
            batch.write()
        return batch.replies

    def _open(self, arrival: Arrival, sign_key: Ed25519PublicKey | None) -> Sound | Refused:
        try:
            return open_arrival(arrival, sign_key, self.seal_key)
        except Refused as refused:
            return refused


class _Batch:
    """What one transaction will write."""

    def __init__(self, vault: Vault, now: datetime, devices: Mapping[str, Device]) -> None:
        self._vault = vault
        self._now = now
        self._devices = devices
        self._known: dict[str, str] = {}
        self._people: dict[str, Person] = {}
        self._rows: dict[type[FiledRecord], list[Any]] = {Certification: [], Rehearsal: []}
        self._live: list[tuple[Opened, Certification]] = []
        self._deeds: list[StaffDeed] = []
        self._matters: list[Matter] = []
        self._opinions: list[Opinion] = []
        self._templates: list[OpenedTemplate] = []
        self._witnessed: list[FiledRecord] = []
        self._notices: list[KioskNotice] = []
        self._tasks: list[Task] = []
        self._chains = Chains(now)
        self._certified_in: set[str] = set()
        self._proofs: list[Proof] = []
        self._news: list[News] = []
        self.replies: list[Reply] = []

    def load(self, opened: Sequence[Sound]) -> None:
        """Read what the batch will be compared with: known ids, and the persons by number.

        Nobody else writes to these chains and persons from here to the commit.
        """
        self._chains.lock(opened)
        self._known = chains.known([record.record_id for record in opened])
        records = [record for record in opened if isinstance(record, Opened | OpenedMatter)]
        numbers = {self._vault.lookup(record.body.id_number) for record in records}
        people = Person.objects.defer("number_sealed", "birth", "sex", "created_at")
        people = people.select_for_update(no_key=True).order_by("pk")
        found = people.filter(number_key__in=numbers)
        self._people = {person.number_key: person for person in found}
        self._chains.load([record for record in opened if not self._is_known(record)])

    def file(self, record: Sound) -> None:
        self._chains.note(record)
        if self._is_known(record):
            self._reply(record, AckStatus.KNOWN)
        elif why := self._objection(record):
            self._keep_aside(record, why)
        else:
            self._add(record)

    def file_alone(self, record: Sound) -> str:
        """Load, file and write one record that was kept aside, or say what stands against it."""
        self.load([record])
        why = "" if self._is_known(record) else self._objection(record)
        if not why:
            self.file(record)
            self.write()
        return why

    def owe(self) -> None:
        """Leave the answers to the bridge."""
        for reply in self.replies:
            OwedAck.objects.create(
                device_id=reply.kiosk_id, record_id=reply.ack.record_id, sha256=reply.ack.sha256
            )

    def _is_known(self, record: Sound) -> bool:
        return self._known.get(record.record_id) == record.sha256

    def quarantine(self, arrival: Arrival, refused: Refused) -> bool:
        """Keep a refused arrival for staff; False if this kiosk's share is used up."""
        device = self._devices.get(arrival.kiosk_id)
        kiosk_id = device.kiosk_id if device else ""
        sha256 = sha256_hex(arrival.payload)
        same = Quarantine.objects.filter(kiosk_id=kiosk_id, sha256=sha256)
        if same.update(times=F("times") + 1, last_seen_at=self._now):
            return True
        if Quarantine.objects.filter(kiosk_id=kiosk_id).count() >= MAX_KEPT_PER_DEVICE:
            dropped = Device.objects.filter(kiosk_id=kiosk_id)
            dropped.update(quarantine_dropped=F("quarantine_dropped") + 1)
            return False
        Quarantine.objects.create(
            device=device,
            kiosk_id=kiosk_id,
            record_id=refused.record_id,
            reason=refused.reason,
            sha256=sha256,
            size_bytes=len(arrival.payload),
            payload=arrival.payload[:MAX_KEPT_BYTES],
            first_seen_at=self._now,
            last_seen_at=self._now,
        )
        log.warning("quarantined kiosk=%s reason=%s", kiosk_id, refused.reason)
        return True

    def write(self) -> None:
        """Templates first: a record of the same batch may rest on one."""
        for told in self._templates:
            device = self._devices[told.kiosk_id]
            templates.file(told, device, self._vault, self._now)
        for record, row in self._live:
            self._follow(record, row)
        for rows in self._rows.values():
            fast.insert(rows)
        standing.prove(self._proofs)
        for deed in self._deeds:
            self._write_deed(deed)
        for matter in self._matters:
            voices.write(matter, self._vault, self._now)
        Opinion.objects.bulk_create(self._opinions)
        for row in self._witnessed:
            rechecks.of_record(row, self._now)
        KioskNotice.objects.bulk_create(self._notices)
        Task.objects.bulk_create(self._tasks)
        if self._news:
            events.tell(self._news, self._now)
        if self._certified_in:
            rosters.mark_stale(rosters.serving(self._certified_in))
        self._log()
        self._chains.write()

    def _objection(self, record: Sound) -> str:
        """Why a new record may not be filed; nothing if it may."""
        device = self._devices[record.kiosk_id]
        if record.record_id in self._known:
            return "other_bytes"
        if device.simulated_only and record.provenance is Provenance.LIVE:
            return "demo_device_live"
        if isinstance(record, Opened) and not is_borne_out(record):
            return "inconsistent"
        return self._chains.misfit(record)

    def _keep_aside(self, record: Sound, reason: str) -> None:
        arrival = Arrival(record.kiosk_id, record.payload)
        if self.quarantine(arrival, Refused(reason, record.record_id)):
            self._reply(record, AckStatus.QUARANTINED)

    def _add(self, record: Sound) -> None:
        self._known[record.record_id] = record.sha256
        self._chains.add(record)
        if isinstance(record, OpenedDeed):
            self._deeds.append(self._deed(record))
        elif isinstance(record, OpenedNotice):
            self._notices.append(self._notice(record))
        elif isinstance(record, OpenedMatter):
            self._matters.append(self._matter(record))
        elif isinstance(record, OpenedTemplate):
            self._templates.append(record)
        elif isinstance(record, OpenedOpinion):
            device = self._devices[record.kiosk_id]
            self._opinions.append(voices.opinion_of(record, device, self._now))
        else:
            self._add_record(record)
        self._reply(record, AckStatus.FILED)

    def _add_record(self, record: Opened) -> None:
        live = record.provenance is Provenance.LIVE
        table = Certification if live else Rehearsal
        row = table(**self._columns(record))
        if not row.clock_unsure:
            self._chains.believe(record, row.finished_at)
        self._rows[table].append(row)
        if row.witness and row.outcome == Outcome.PASSED.value:
            self._witnessed.append(row)
        if live:
            self._live.append((record, row))

    def _notice(self, notice: OpenedNotice) -> KioskNotice:
        chain = notice.chain
        log.warning("notice kiosk=%s schema=%s", notice.kiosk_id, notice.schema)
        return KioskNotice(
            record_id=notice.record_id,
            device=self._devices[notice.kiosk_id],
            schema=notice.schema,
            about=notice.about,
            body=asdict(notice.body),
            epoch=chain.epoch,
            seq=chain.seq,
            prev_sha256=chain.prev_sha256,
            sha256=notice.sha256,
            envelope=notice.payload,
            filed_at=self._now,
        )

    def _matter(self, record: OpenedMatter) -> Matter:
        device = self._devices[record.kiosk_id]
        person = self._people.get(self._vault.lookup(record.body.id_number))
        return voices.matter_of(record, device, person, self._vault, self._now)

    def _deed(self, record: OpenedDeed) -> StaffDeed:
        body, chain = record.body, record.chain
        return StaffDeed(
            record_id=body.event_id,
            device=self._devices[record.kiosk_id],
            badge=body.badge,
            deed=body.deed,
            at=body.at,
            simulated=record.provenance is Provenance.SIMULATED,
            epoch=chain.epoch,
            seq=chain.seq,
            prev_sha256=chain.prev_sha256,
            sha256=record.sha256,
            envelope=record.payload,
            filed_at=self._now,
        )

    def _write_deed(self, deed: StaffDeed) -> None:
        """Filed, and in the audit log beside what staff did here; the log's time is today's."""
        deed.save(force_insert=True)
        when = deed.at.isoformat(timespec="seconds")
        audit.write(
            self._vault,
            f"badge {deed.badge or '?'}",
            f"kiosk.{deed.deed}",
            ("device", deed.device_id),
            reason=f"{when} simulated" if deed.simulated else when,
            region_code=deed.device.site.region_id,
            at=self._now,
        )

    def _log(self) -> None:
        """Every record, with enough of its hash that none can be exchanged afterwards."""
        filed = [row for rows in self._rows.values() for row in rows]
        audit.write_all(self._vault, list(map(_note_of, filed)), self._now)

    def _follow(self, record: Opened, row: Certification) -> None:
        """What a record about somebody who stood there brings with it."""
        if row.person and doubts.judge(row, row.person, self._devices[record.kiosk_id].site):
            self._certified_in.add(row.person.region_id)
            self._proofs.append(standing.by_kiosk(row))
        kind = doubts.task_kind(row)
        if kind:
            place = row.person or self._devices[record.kiosk_id].site
            self._tasks.append(doubts.task_of(row, kind, place.region_id, self._now))
        if kind is Task.Kind.REVIEW:
            facts = {"record": row.record_id, "on": row.certified_on.isoformat()}
            where = place.region_id
            self._news.append(News(Event.NEEDS_REVIEW, row.person_id or "", where, facts))

    def _columns(self, record: Opened) -> dict[str, Any]:
        body = record.body
        number_key = self._vault.lookup(body.id_number) if body.id_number else ""
        unsure = self._clock_unsure(record)
        counted = self._now if unsure else record.finished_at
        return {
            "record_id": body.record_id,
            "device": self._devices[record.kiosk_id],
            "site_name": body.site,
            "person": self._people.get(number_key),
            "subject_name": body.name,
            "subject_key": number_key,
            "subject_sealed": self._vault.seal(body.id_number, body.record_id),
            **helpers.columns(body.helper, body.record_id, self._vault),
            "named_by": body.named_by,
            "ticket": body.ticket,
            "witness": body.witness,
            "assisted_reason": body.assisted_reason,
            "card_kind": body.card_kind,
            "flags": list(body.flags),
            "method": body.method,
            "outcome": body.outcome,
            "reasons": list(body.reasons),
            "attempts": body.attempts,
            "receipt_no": body.receipt_no,
            "reader_id": body.reader_id,
            "consent": body.consent,
            "liveness": body.liveness,
            "started": body.started,
            "finished": body.finished,
            "finished_at": record.finished_at,
            "certified_on": counted.astimezone(CHINA).date(),
            "clock_unsure": unsure,
            "software": body.software,
            "epoch": record.chain.epoch,
            "seq": record.chain.seq,
            "prev_sha256": record.chain.prev_sha256,
            "envelope": record.payload,
            "sha256": record.sha256,
            "filed_at": self._now,
        }

    def _clock_unsure(self, record: Opened) -> bool:
        return clocks.is_unsure(
            record.finished_at,
            record.body.finished.get("trust"),
            self._now,
            enrolled=self._devices[record.kiosk_id].created_at,
            before=self._chains.believed_before(record),
        )

    def _reply(self, record: Sound, status: AckStatus) -> None:
        ack = Ack(record.record_id, record.sha256, status)
        self.replies.append(Reply(record.kiosk_id, ack))


def _note_of(row: FiledRecord) -> Note:
    place = row.person or row.device.site
    simulated = "" if isinstance(row, Certification) else " simulated"
    return Note(
        f"kiosk {row.device_id}"[:60],
        "record.filed",
        ("record", row.record_id),
        f"{row.outcome} {row.sha256[:32]}{simulated}",
        place.region_id,
    )


def _sign_key(device: Device | None) -> Ed25519PublicKey | None:
    return keys.verifying_key(device.sign_pub) if device else None


def _devices(arrivals: Iterable[Arrival]) -> dict[str, Device]:
    ids = {arrival.kiosk_id for arrival in arrivals}
    rows = Device.objects.select_related("site__region").filter(kiosk_id__in=ids)
    return {row.kiosk_id: row for row in rows}

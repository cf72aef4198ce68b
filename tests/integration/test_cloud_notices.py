"""What kiosks tell of themselves: new chains, and what time it really was."""

from __future__ import annotations

import uuid
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cloud_bridge.bridge.opening import Arrival
from cloud_bridge.registry import times
from cloud_bridge.registry.models import Certification, ChainState, Device, KioskNotice, Quarantine
from edge.app.disk import KioskDisk
from edge.ports import Position
from edge.store.outbox import SqliteOutbox
from edge.wire import messages
from edge.wire.envelope import Chain, Header, sha256_hex, sign
from edge.wire.messages import AckStatus
from edge.wire.notices import ClockCorrection, NewEpoch, notice_body
from tests.fixtures_cloud import ENROLLED, NOW, TestKiosk, TestRegistry
from tests.store_world import Premises

FILED, KNOWN, QUARANTINED = AckStatus.FILED, AckStatus.KNOWN, AckStatus.QUARANTINED


def send(registry: TestRegistry, *payloads: bytes) -> list[AckStatus]:
    arrivals = [Arrival("k-001", payload) for payload in payloads]
    return [reply.ack.status for reply in registry.ingest.ingest(arrivals, NOW)]


def notice(kiosk: TestKiosk, schema: str, body: bytes, **changes: Any) -> bytes:
    """In clear, at the next place of the kiosk's chain."""
    chain = Chain(kiosk.epoch, next(kiosk._seqs), kiosk._prev_sha256)
    fields = {"message_id": str(uuid.uuid4()), "chain": chain} | changes
    header = Header(schema, sender=kiosk.kiosk_id, recipient=messages.REGISTRY, **fields)
    payload = sign(header, body, kiosk.sign_key)
    kiosk._prev_sha256 = sha256_hex(payload)
    return payload


def new_chain(kiosk: TestKiosk, saved: int = 2) -> bytes:
    body = notice_body(NewEpoch("damaged", kiosk.epoch, saved, saved, 1))
    kiosk.epoch, kiosk._prev_sha256 = "epoch-2", ""
    kiosk._seqs = iter(range(1, 100))  # type: ignore[assignment]
    return notice(kiosk, messages.EPOCH, body)


def correction(boot_id: str = "b-1", **changes: Any) -> bytes:
    facts: dict[str, Any] = {
        "boot_id": boot_id,
        "boot_ns": 600 * 10**9,
        "utc": "2026-11-23T04:00:00.000Z",
        "trust": "ntp",
        "offset_ms": 3_600_000,
        "err_ms": 1000,
    }
    return notice_body(ClockCorrection(**(facts | changes)))


def test_a_new_chain_is_announced_and_the_old_records_come_once(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    old = [kiosk.record(), kiosk.record()]
    assert send(registry, old[0]) == [FILED]
    first = new_chain(kiosk)
    after = kiosk.record()
    assert send(registry, *old, first, after, first) == [KNOWN, FILED, FILED, FILED, KNOWN]
    assert send(registry, first) == [KNOWN]
    assert Certification.objects.count() == 3
    told = KioskNotice.objects.get()
    assert (told.schema, told.about, told.seq) == (messages.EPOCH, "epoch-1", 1)
    assert told.body["salvaged"] == 2
    assert [state.missing for state in ChainState.objects.order_by("epoch")] == [[], []]
    [device] = Device.objects.prefetch_related("notices")
    assert device.recovery == told


def test_a_notice_has_its_place_in_the_chain_like_a_record(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    kiosk.record()
    before = Chain(kiosk.epoch, 1, "")
    payload = notice(kiosk, messages.CLOCK, correction())
    fork = notice(kiosk, messages.CLOCK, correction(), chain=Chain(kiosk.epoch, 2, "f" * 64))
    assert send(registry, payload, fork) == [FILED, QUARANTINED]
    assert Quarantine.objects.get().reason == "fork"
    assert ChainState.objects.get().missing == [[before.seq, before.seq]]


@pytest.mark.parametrize(
    "body",
    [
        b"nonsense",
        b"[]",
        correction(utc="yesterday"),
        correction(utc="2026-11-23T04:00:00"),
        correction(boot_ns=-1),
        correction(err_ms=2**60),
        correction(boot_id="b\0"),
        correction(boot_id="b" * 65),
    ],
)
def test_a_notice_that_is_none_is_kept_aside(registry: TestRegistry, body: bytes) -> None:
    kiosk = registry.kiosk()
    send(registry, notice(kiosk, messages.CLOCK, body))
    assert not KioskNotice.objects.exists()
    assert Quarantine.objects.get().reason == "body"


def record_at(kiosk: TestKiosk, registry: TestRegistry, **stamp: Any) -> Certification:
    finished = kiosk.body()["finished"] | stamp
    payload = kiosk.record(finished=finished, started=finished)
    assert send(registry, payload) == [FILED]
    return Certification.objects.get(sha256=sha256_hex(payload))


def test_e17_a_correction_says_when_a_record_was_really_made(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    row = record_at(kiosk, registry, trust="unknown", boot_ns=540 * 10**9)
    other = record_at(kiosk, registry, trust="unknown", boot_id="b-2")
    good = record_at(kiosk, registry, trust="ntp")
    assert send(registry, notice(kiosk, messages.CLOCK, correction())) == [FILED]
    span = times.span_of(row)
    assert span is not None
    assert span.corrected
    assert span.earliest == datetime(2026, 11, 23, 3, 58, 59, tzinfo=UTC)
    assert span.latest - span.earliest == timedelta(seconds=2)
    assert times.span_of(good) is None
    unsure = times.span_of(other)
    assert unsure is not None
    assert not unsure.corrected
    assert (unsure.earliest, unsure.latest) == (ENROLLED, NOW)


def test_without_a_correction_the_neighbours_in_the_chain_are_what_is_known(
    registry: TestRegistry,
) -> None:
    kiosk = registry.kiosk()
    before = record_at(kiosk, registry, trust="ntp")
    row = record_at(kiosk, registry, trust="unknown", boot_id="b-9")
    span = times.span_of(row)
    assert span is not None
    assert (span.earliest, span.latest) == (before.finished_at, NOW)


def test_e14_what_a_damaged_kiosk_saved_reaches_the_registry_once(
    registry: TestRegistry, tmp_path: Path
) -> None:
    """The real disk of a kiosk, damaged with two of five records acknowledged."""
    kiosk = registry.kiosk()
    premises = Premises(tmp_path, key=kiosk.sign_key, kiosk_id="k-001")

    def commit(disk: KioskDisk) -> bytes:
        body = kiosk.body()

        def build(place: Position) -> bytes:
            chain = Chain(place.epoch, place.seq, place.prev_sha256)
            return kiosk.wrap(body, chain=chain)

        return disk.commit(body["record_id"], "record", build).payload

    with closing(premises.disk()) as disk:
        old = [commit(disk) for _ in range(5)]
    assert send(registry, *old[:2]) == [FILED, FILED]
    premises.path.write_bytes(b"damaged" * 3000)
    with closing(premises.disk()) as disk:
        commit(disk)
        due = SqliteOutbox(disk.database, premises.times).due(99)
    assert send(registry, *(row.payload for row in due)) == [KNOWN] * 2 + [FILED] * 5
    assert Certification.objects.count() == 6
    assert KioskNotice.objects.get().body["salvaged"] == 5
    assert all(state.missing == [] for state in ChainState.objects.all())
    assert not Quarantine.objects.exists()

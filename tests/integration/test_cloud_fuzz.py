"""Thousands of broken messages, from outside and from an enrolled kiosk: no exception ever."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from cloud_bridge.bridge import ingest as ingest_module
from cloud_bridge.bridge.opening import Arrival
from cloud_bridge.registry.models import Certification, Quarantine, Rehearsal, Task
from edge.wire import envelope
from tests.fixtures_cloud import NOW, TestKiosk, TestRegistry

ODD: tuple[Any, ...] = (
    None, True, 0, -1, 2**70, 1e308, float("nan"), float("inf"), "", "\0", "\ud800", "x" * 100_000,
    "9" * 19, [], [[]] * 50, {}, {"utc": 5}, {"utc": "9999-12-31T23:59:59-14:00", "trust": []},
    "0001-01-01T00:00:00+14:00", "<script>", "'; drop table registry_person; --", ["\ud800"],
)  # fmt: skip


def test_mutated_bytes_never_raise(registry: TestRegistry) -> None:
    rng = random.Random(20261123)
    kiosk = registry.kiosk()
    good = [kiosk.record() for _ in range(20)]
    payloads = [_mutated_bytes(rng, rng.choice(good)) for _ in range(2000)]
    _feed(registry, payloads)
    assert Certification.objects.count() == Rehearsal.objects.count() == 0
    assert Quarantine.objects.count() > 0


def test_nonsense_from_an_enrolled_kiosk_never_raises(
    registry: TestRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signature and seal are right; only the content is odd."""
    monkeypatch.setattr(ingest_module, "MAX_KEPT_PER_DEVICE", 10_000)
    rng = random.Random(11262023)
    kiosk = registry.kiosk()
    payloads = [_signed_nonsense(rng, kiosk) for _ in range(1500)]
    _feed(registry, payloads)
    assert Quarantine.objects.filter(reason="body").exists()
    assert not Quarantine.objects.filter(reason="unfileable").exists()
    tasks = Task.objects.exclude(kind__in=("verify", "clock"))
    assert not tasks.exclude(record__outcome__in=("needs_review", "declined")).exists()


def _feed(registry: TestRegistry, payloads: list[bytes]) -> None:
    ingest = registry.ingest
    for at in range(0, len(payloads), 50):
        ingest.ingest([Arrival("k-001", payload) for payload in payloads[at : at + 50]], NOW)


def _mutated_bytes(rng: random.Random, payload: bytes) -> bytes:
    how = rng.randrange(5)
    at = rng.randrange(len(payload))
    if how == 0:
        return payload[:at]
    if how == 1:
        return payload[:at] + rng.randbytes(rng.randrange(1, 9)) + payload[at:]
    if how == 2:
        return payload[:at] + bytes([payload[at] ^ (1 << rng.randrange(8))]) + payload[at + 1 :]
    fields = json.loads(payload)
    name = rng.choice([*fields, "extra"])
    fields[name] = rng.choice(ODD)
    if how == 3:
        fields.pop(rng.choice(list(fields)))
    return json.dumps(fields).encode()


def _signed_nonsense(rng: random.Random, kiosk: TestKiosk) -> bytes:
    plain = kiosk.body(outcome=rng.choice(["passed", "needs_review", "declined", "abandoned"]))
    for _ in range(rng.randrange(1, 4)):
        where: Any = plain
        inner = [name for name, value in plain.items() if isinstance(value, dict)]
        if inner and rng.random() < 0.4:
            where = plain[rng.choice(inner)]
        if where:
            where[rng.choice(list(where))] = rng.choice(ODD)
    header: dict[str, Any] = {"message_id": plain["record_id"]}
    if not isinstance(header["message_id"], str) or "\ud800" in header["message_id"]:
        header["message_id"] = "00000000-0000-4000-8000-000000000000"
    if rng.random() < 0.1:
        header["chain"] = envelope.Chain(
            rng.choice(["", "e" * 65, "\0"]), rng.choice([0, 2**65]), ""
        )
    return kiosk.wrap(json.dumps(plain).encode(), **header)

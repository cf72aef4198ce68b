"""A database of an earlier version comes forward with what it holds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.apps.registry import Apps
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests.fixtures_cloud import NOW

ADDED = datetime(2026, 2, 3, tzinfo=UTC)


def migrate(name: str) -> Apps:
    executor = MigrationExecutor(connection)
    executor.migrate([("registry", name)])
    return MigrationExecutor(connection).loader.project_state([("registry", name)]).apps


def certification(apps: Apps, record_id: str, outcome: str, person: Any, seq: int) -> None:
    apps.get_model("registry", "Certification").objects.create(
        record_id=record_id, outcome=outcome, person=person, device_id="k-1", seq=seq, epoch="e",
        site_name="s", subject_name="n", subject_key="k", subject_sealed=b"", card_kind="resident",
        method="kiosk", attempts=1, receipt_no="r", started={}, finished={}, finished_at=NOW,
        certified_on=NOW.date(), clock_unsure=False, software="x", prev_sha256="", envelope=b"",
        sha256=record_id, filed_at=NOW,
    )  # fmt: skip


def old_registry() -> Apps:
    """Version 3 with a kiosk, a person and three records."""
    apps = migrate("0003_device_health")
    get = apps.get_model
    region = get("registry", "Region").objects.get()
    site = get("registry", "Site").objects.create(name="s", region=region)
    get("registry", "Device").objects.create(kiosk_id="k-1", site=site, card_secret_sealed=b"")
    get("registry", "Device").objects.create(kiosk_id="k-2", site=site, card_secret_sealed=b"")
    entries = get("registry", "AuditEntry").objects
    for number, day in enumerate((ADDED, NOW), start=1):
        entries.create(number=number, at=day, action="device.set", object_id="k-1")
    person = get("registry", "Person").objects.create(
        name="n", number_key="k", number_sealed=b"", region=region, category="dibao"
    )
    certification(apps, "r1", "passed", person, 1)
    certification(apps, "r2", "needs_review", person, 2)
    certification(apps, "r3", "passed", None, 3)
    return apps


def test_what_counted_before_counts_afterwards(empty_database: str) -> None:
    old_registry()
    new = migrate(_latest())
    proofs = new.get_model("registry", "Proof").objects
    assert list(proofs.values_list("record_id", flat=True)) == ["r1"]
    devices = new.get_model("registry", "Device").objects
    assert dict(devices.values_list("kiosk_id", "created_at")) == {"k-1": ADDED, "k-2": None}


def _latest() -> str:
    return max(name for app, name in MigrationExecutor(connection).loader.graph.leaf_nodes()
               if app == "registry")  # fmt: skip

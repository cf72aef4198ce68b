"""A registry with one of everything in one county, and people of another county beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from cloud_bridge import demo
from tests.fixtures_cloud import TestRegistry

OURS, THEIRS = "100101000000", "100102000000"
STREET = "100101001000"
VILLAGE = "100101001001"
SITE = "东风街道便民服务中心"
SOMEBODY = "zhou.village"


@dataclass
class World:
    """`samples`: for each kind of parameter of an address, one thing of `OURS`.

    `secrets`: what nobody of `THEIRS` may ever see: names and ids of what lies in `OURS`.
    """

    registry: TestRegistry
    now: datetime
    region: str = STREET
    village: str = VILLAGE
    samples: dict[str, Any] = field(default_factory=dict)

    @property
    def today(self) -> date:
        from django.utils import timezone

        return timezone.localdate(self.now)

    @property
    def secrets(self) -> tuple[str, ...]:
        names = [row[0] for row in demo.PEOPLE if not row[5].startswith(THEIRS[:6])]
        return (*names, demo.DEMO_NUMBER, "k-001", "k-002", SITE, SOMEBODY)


def build(registry: TestRegistry) -> World:
    from django.utils import timezone

    world = World(registry, timezone.now())
    _visits(world)
    _paper(world)
    _work(world)
    _outward(world)
    _kiosk_events(world)
    _figures(world)
    return world


def _visits(world: World) -> None:
    """A live record, one that needs a person, a rehearsal, junk, a badge and two re-checks."""
    from cloud_bridge.bridge.opening import Arrival
    from cloud_bridge.registry import id_number, rechecks
    from cloud_bridge.registry.models import Certification, Person, Rehearsal, Task

    registry, now = world.registry, world.now
    kiosk, stage = registry.kiosk(), registry.kiosk("k-002", demo=True)
    stamp = kiosk.body()["finished"] | {"utc": now.isoformat()}
    number = id_number.make("100000", demo.PEOPLE[1][1], demo.PEOPLE[1][2])
    review = {"outcome": "needs_review", "reasons": ["not_alike"], "receipt_no": "001-REVIEW"}
    live = [
        kiosk.record(finished=stamp),
        kiosk.record(finished=stamp, id_number=number, name=demo.PEOPLE[1][0], **review),
    ]
    registry.ingest.ingest([Arrival("k-001", payload) for payload in [*live, b"junk"]], now)
    rehearsal = stage.record(finished=stamp, provenance="simulated")
    registry.ingest.ingest([Arrival("k-002", rehearsal)], now)
    row = Rehearsal.objects.get()
    row.witness, row.assisted_reason = "204816", "deaf"
    rechecks.of_record(row, now)
    world.samples |= {
        "person_id": Person.objects.get(name=demo.DEMO_NAME).pk,
        "record_id": Certification.objects.get(outcome="needs_review").pk,
        "rehearsal_id": row.pk,
        "recheck_id": row_id("Recheck"),
        "task_id": Task.objects.get(kind="review").pk,
        "kiosk_id": "k-001",
    }


def row_id(model: str) -> Any:
    from django.apps import apps

    return apps.get_model("registry", model).objects.order_by("pk").first().pk


def _paper(world: World) -> None:
    """An entry with a photograph, a death that waits, a file that was looked at."""
    from cloud_bridge.registry import evidence
    from cloud_bridge.registry.imports import runs, sources
    from cloud_bridge.registry.models import (
        DeathReport,
        ImportChange,
        ImportRun,
        LifeSignal,
        Person,
        Proof,
    )

    now, who = world.now, {"by": SOMEBODY}
    person = Person.objects.get(pk=world.samples["person_id"])
    dead = Person.objects.get(name=demo.PEOPLE[2][0])
    proof = Proof.objects.create(
        person=person, method="visit", on=world.today, at=now, place="东风社区3号", **who
    )
    [sheet] = evidence.keep(proof, [evidence.Sheet("image/jpeg", b"x")], world.registry.vault, now)
    report = DeathReport.objects.create(
        person=dead, died_on=world.today, source="family", entered_by=SOMEBODY, entered_at=now
    )
    head, row = "name,id_number,category,region_code", f"{demo.DEMO_NAME},{demo.DEMO_NUMBER}"
    source = sources.of_bytes("a.csv", f"{head}\n{row},retired,{VILLAGE}\n".encode())
    run = ImportRun(
        kind="people", file_name="a.csv", sha256="0" * 64, at=now, region_id=OURS, full=True, **who
    )
    runs.keep(run, source, world.registry.vault)
    ImportChange.objects.create(run=run, person=person)
    LifeSignal.objects.create(person=person, kind="life", source="医保", on=world.today, run=run)
    world.samples |= {
        "proof_id": proof.pk,
        "evidence_id": sheet.pk,
        "report_id": report.pk,
        "import_id": run.pk,
    }


def _work(world: World) -> None:
    """Staff: a badge, an account with a plan, a setting of a kiosk."""
    from cloud_bridge.registry import badges, kiosk_settings
    from cloud_bridge.registry.badges import NewBadge
    from cloud_bridge.registry.models import Account, Device, Region, SavedFilter, VisitPlan

    registry, now = world.registry, world.now
    place = Region.objects.get(pk=STREET)
    new = NewBadge("高师傅", "technician", place, world.today + timedelta(days=30))
    badge = badges.issue(new, registry.vault, "test", now).badge
    registry.account(SOMEBODY, "worker", STREET)
    account = Account.objects.get(username=SOMEBODY)
    plan = VisitPlan.objects.create(
        name="周三走访", day=world.today, account=account, region=place, made_at=now
    )
    plan.people.add(world.samples["person_id"])
    kept = SavedFilter.objects.create(account=account, name="未认证", query="status=pending")
    devices = Device.objects.filter(pk="k-001")
    for tries in (2, 3):
        change = kiosk_settings.Change({"tries": tries})
        kiosk_settings.apply(devices, change, registry.vault, "test", now)
    world.samples |= {
        "number": badge.number,
        "account_id": account.pk,
        "plan_id": plan.pk,
        "filter_id": kept.pk,
    }


def _figures(world: World) -> None:
    from django.apps import apps

    from cloud_bridge.registry.models import Site

    common = {"day": world.today, "street": STREET}
    for model, fields in (
        ("DayOfProofs", {"method": "kiosk"}),
        ("DayOfChecks", {"site": Site.objects.get(name=SITE), "band": "80+", "software": "x"}),
    ):
        table = apps.get_model("registry", model)
        numbers = [each.name for each in table._meta.concrete_fields if each.name not in common]
        counts = {name: 1 for name in numbers if name not in (*fields, "id")}
        table.objects.create(**common, **fields, **counts)


def _outward(world: World) -> None:
    """Another system's key, and a webhook with something to be told."""
    from cloud_bridge.registry.models import ApiClient, Delivery, Webhook

    made: Mapping[str, Any] = {"region_id": OURS, "made_by": "test", "made_at": world.now}
    client = ApiClient.objects.create(name="民政", key_hash="0" * 64, **made)
    secret = world.registry.vault.seal("secret", "webhook 民政")
    hook = Webhook.objects.create(
        name="民政", url="https://example.cn/told", secret_sealed=secret, **made
    )
    told = Delivery.objects.create(
        webhook=hook, event_id="e-1", event="certified", body={}, made_at=world.now
    )
    world.samples |= {"kind": "people", "form": "csv"}
    world.samples |= {"client_id": client.pk, "webhook_id": hook.pk, "delivery_id": told.pk}


def _kiosk_events(world: World) -> None:
    """What kiosks tell besides records: an opinion, a matter, templates, deeds, a notice."""
    from django.apps import apps

    who = {"device_id": "k-001", "person_id": world.samples["person_id"]}
    named = {"subject_name": demo.DEMO_NAME, "subject_key": "0" * 64, "subject_sealed": b""}
    chained = {"epoch": "e", "prev_sha256": "0" * 64, "envelope": b"", "filed_at": world.now}
    told = {"at": world.now, "simulated": False}
    for seq, (model, fields) in enumerate(
        (
            ("Opinion", {"grievance": "waiting", "number": "9-07", **told}),
            (
                "Matter",
                {**who, **named, "kind": "correction", "proven": True, "software": "x", **told},
            ),
            ("TemplateEvent", {**who, "change": "enrolled", "badge": "204816", **told}),
            ("StaffDeed", {"badge": world.samples["number"], "deed": "looked", **told}),
            ("KioskNotice", {"schema": "x", "body": {}}),
        ),
        start=900,
    ):
        fields = {"device_id": "k-001", "record_id": f"r-{seq}", "seq": seq, **chained, **fields}
        apps.get_model("registry", model).objects.create(sha256=f"{seq:064d}", **fields)
    apps.get_model("registry", "HeldTemplate").objects.create(
        **who, since=world.now, until=world.today, badge="204816"
    )

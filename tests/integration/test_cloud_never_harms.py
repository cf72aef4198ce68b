"""N10: nothing that software can do stops a payment (feature 10).

Every kind of message and every operation of the API is tried, as it should be and with all the
words a hostile sender might think of. Afterwards everybody stands where they stood: in the
table, in what other systems are told, in the list that is exported. All that may appear is work
for staff, and proof that somebody was alive.
"""

from __future__ import annotations

import io
import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import models
from django.test import Client
from django.utils import timezone

import cloud_bridge
import edge
from cloud_bridge import demo
from cloud_bridge.api import door
from cloud_bridge.api.service import api
from cloud_bridge.bridge.opening import Arrival
from cloud_bridge.registry import api_clients, export, id_number, people_list, webhooks
from cloud_bridge.registry.events import TELLABLE, Event
from cloud_bridge.registry.limits import Limit
from cloud_bridge.registry.models import (
    Account,
    Category,
    CycleRule,
    DeathReport,
    Delivery,
    Person,
    Proof,
    Region,
    Task,
)
from cloud_bridge.registry.webhooks import NewWebhook
from edge.wire import envelope, messages, topics
from edge.wire.envelope import Chain, Header, sha256_hex, sign
from edge.wire.messages import MESSAGES
from tests.chaos import samples
from tests.chaos.hostile import Kind
from tests.fixtures_cloud import NOW, TestKiosk, TestRegistry
from tests.integration.test_cloud_worker import Bench, quiet

ROOT = "000000000000"
STOPPING = re.compile(
    r"停发|停保|停止(发放|支付|待遇|保障)|(暂停|取消|终止|扣发|冻结).{0,4}(待遇|发放|支付|保障|低保)|"
    r"suspen[ds]|stop.{0,12}(pay|benefit|allowance)|(cut|withh[eo]ld|terminat|freez|revok)\w*"
    r".{0,12}(pay|benefit|allowance)",
    re.IGNORECASE,
)
NASTY = {
    "status": "dead", "state": "suspended", "dead_since": "2026-01-01", "covered": False,
    "certified": False, "counts": False, "payment": "stop", "suspend": True, "voided": True,
    "category": "none", "last_pass_on": None, "due_by": "2020-01-01", "region": ROOT,
    "to_staff": True, "decided_by": "chen", "approve": "yes",
}  # fmt: skip
OWN_COLUMNS = {"template_withdrawn_at", "last_pass_on"}
"""What a message may change of a person: their own withdrawal, and a later proof of life."""
HARMLESS = {Event.CERTIFIED.value, Event.NEEDS_REVIEW.value}


@dataclass(frozen=True)
class Standing:
    """Where everybody stands, as each of those who look at it sees it."""

    people: dict[str, dict[str, Any]]
    last: dict[str, date | None]
    proofs: dict[int, Any]
    told: dict[str, dict[str, Any]]
    exported: tuple[tuple[str, ...], ...]
    rules: tuple[tuple[Any, ...], ...]
    deaths: int


@dataclass
class Stage:
    registry: TestRegistry
    bench: Bench
    kiosk: TestKiosk
    key: str

    @property
    def client(self) -> Client:
        return Client(headers={"authorization": f"Bearer {self.key}"})

    def standing(self) -> Standing:
        rows = {row["person_id"]: row for row in Person.objects.values()}
        return Standing(
            people={
                pk: {k: v for k, v in row.items() if k not in OWN_COLUMNS}
                for pk, row in rows.items()
            },
            last={pk: row["last_pass_on"] for pk, row in rows.items()},
            proofs=dict(Proof.objects.values_list("pk", "voided_at")),
            told=self._told(),
            exported=tuple(self._exported()),
            rules=tuple(CycleRule.objects.order_by("pk").values_list()),
            deaths=DeathReport.objects.count(),
        )

    def _told(self) -> dict[str, dict[str, Any]]:
        rows = self.client.get("/api/v1/people?limit=200").json()["items"]
        return {row["id"]: row for row in rows}

    def _exported(self) -> Iterator[tuple[str, ...]]:
        account = Account.objects.get(username="chen")
        question, sort = people_list.PeopleQuestion(), people_list.Sort()
        found = people_list.PeopleList(account, question, sort, timezone.localdate())
        statuses = {word: word for word, _label in people_list.STATUSES}
        words = export.Words(
            (), (), dict(Category.choices), statuses, "yes", "no", "?", "rows", "s", "a"
        )
        for row in export.Rows(found, self.registry.vault, words, full=True):
            yield tuple(row)


@pytest.fixture
def stage(registry: TestRegistry) -> Stage:
    """Somebody who is certified, a webhook that wants everything, a key that may do everything."""
    registry.account("chen", "county", "100000000000")
    kiosk, now = registry.kiosk(), timezone.now()
    whole = Region.objects.get(pk=ROOT)
    new = NewWebhook("all", "https://example.com/", TELLABLE, whole)
    webhooks.add(new, (), registry.vault, "test", now)
    every = api_clients.SCOPES
    key = api_clients.add("all", whole, every, registry.vault, "test", now)[1]
    registry.ingest.ingest([Arrival("k-001", kiosk.record())], NOW)
    quiet()
    assert Person.objects.get(name=demo.DEMO_NAME).last_pass_on is not None
    Delivery.objects.all().delete()
    return Stage(registry, Bench(registry), kiosk, key)


def unharmed(before: Standing, after: Standing) -> None:
    assert after.people == before.people
    assert after.rules == before.rules
    assert after.deaths == before.deaths == 0
    for pk, day in before.last.items():
        later = after.last[pk]
        assert day is None or (later and later >= day), "a proof of life was forgotten"
    for pk, voided in before.proofs.items():
        assert after.proofs[pk] == voided, "a proof of life was taken back"
    for pk, row in before.told.items():
        assert row["status"] != "certified" or after.told[pk]["status"] == "certified"
        assert after.told[pk]["status"] != "dead"
        same = ("category", "covered", "region", "dead_since", "name")
        assert [after.told[pk][name] for name in same] == [row[name] for name in same]
    changing = (7, 8)  # day and status, which the lines above look at
    for old, new in zip(sorted(before.exported), sorted(after.exported), strict=True):
        assert [c for n, c in enumerate(new) if n not in changing] == [
            c for n, c in enumerate(old) if n not in changing
        ]
    assert set(Delivery.objects.values_list("event", flat=True)) <= HARMLESS
    assert not STOPPING.search(json.dumps(list(Delivery.objects.values_list("body", flat=True))))


# --- every message


def bodies(kind: Kind) -> Iterator[bytes]:
    """As it should be; live; with everything a hostile sender might add or put in its place."""
    yield kind.body
    try:
        told = json.loads(kind.body)
    except ValueError:
        return
    if not isinstance(told, dict):
        return
    live = told | ({"provenance": "live"} if "provenance" in told else {})
    for outcome in ("needs_review", "declined", "called", "dead", "suspended"):
        if "outcome" in told or outcome == "dead":
            new = live | {"outcome": outcome, "reasons": ["not_alike"], "attempts": 3}
            yield envelope.canonical(_new_id(new))
            yield envelope.canonical(_new_id(new | NASTY))
    yield envelope.canonical(_new_id(live | {name: "dead" for name in NASTY if name in live}))


def _new_id(body: dict[str, Any]) -> dict[str, Any]:
    ids = {name for name in ("record_id", "event_id", "matter_id", "opinion_id") if name in body}
    return body | {name: str(uuid.uuid4()) for name in ids}


def payloads(kiosk: TestKiosk, kind: Kind, body: bytes) -> Iterator[bytes]:
    """In clear and sealed, as a kiosk's own key can make them."""
    yield body
    try:
        told = json.loads(body)
    except ValueError:
        told = {}
    names = ("record_id", "event_id", "matter_id", "opinion_id")
    found = [told[name] for name in names if isinstance(told, dict) and name in told]
    message_id = found[0] if found else str(uuid.uuid4())
    yield kiosk.wrap(body, schema=kind.schema, message_id=message_id)
    chain = Chain(kiosk.epoch, next(kiosk._seqs), kiosk._prev_sha256)
    header = Header(kind.schema, str(uuid.uuid4()), kiosk.kiosk_id, messages.REGISTRY, chain=chain)
    payload = sign(header, body, kiosk.sign_key)
    kiosk._prev_sha256 = sha256_hex(payload)
    yield payload


def test_n10_no_message_of_any_kind_stops_anything(stage: Stage) -> None:
    kinds = [*samples.up(stage.kiosk), *samples.down()]
    assert {kind.schema for kind in kinds} == {message.schema for message in MESSAGES}
    before = stage.standing()
    for kind in kinds:
        leaves = {kind.leaf, topics.RECORD}
        for body in bodies(kind):
            for payload in payloads(stage.kiosk, kind, body):
                for leaf in leaves:
                    stage.bench.link.bring(topics.topic("k-001", leaf), payload)
        while stage.bench.link.queue:
            stage.bench.turn()
        unharmed(before, stage.standing())
    assert Task.objects.filter(kind=Task.Kind.REVIEW).exists(), "what was sent did arrive"
    assert Task.objects.filter(kind=Task.Kind.CORRECTION).exists()
    assert "needs_review" in Delivery.objects.values_list("event", flat=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": "needs_review", "reasons": ["not_alike"], "attempts": 3},
        {"outcome": "declined", "reasons": [], "liveness": None, "consent": None},
        {"outcome": "called", "liveness": None},
        {"name": "别人"},
    ],
)
def test_n10_a_failed_face_of_somebody_not_yet_certified_is_work_for_staff_and_nothing_else(
    stage: Stage, changes: dict[str, Any]
) -> None:
    name, birth, serial = demo.PEOPLE[1][:3]
    number = id_number.make(demo.NUMBER_REGION, birth, serial)
    before = stage.standing()
    record = stage.kiosk.record(**{"name": name, "id_number": number} | changes)
    stage.bench.link.bring(topics.topic("k-001", topics.RECORD), record)
    stage.bench.turn()
    after = stage.standing()
    unharmed(before, after)
    assert after.told == before.told
    assert after.exported == before.exported
    assert after.last == before.last
    assert Task.objects.get(person__name=name).state == Task.State.OPEN


def test_the_test_would_notice(stage: Stage) -> None:
    """If something did harm somebody, `unharmed` says so."""
    before = stage.standing()
    person = Person.objects.filter(name=demo.DEMO_NAME)
    for harm in ({"dead_since": NOW.date()}, {"covered": False}, {"last_pass_on": None}):
        kept = person.values(*harm).get()
        person.update(**harm)
        with pytest.raises(AssertionError):
            unharmed(before, stage.standing())
        person.update(**kept)
    unharmed(before, stage.standing())
    hook = webhooks.Webhook.objects.get()
    webhooks.try_out(hook, stage.registry.vault, "x", NOW)
    Delivery.objects.update(event=Event.DEATH.value)
    with pytest.raises(AssertionError):
        unharmed(before, stage.standing())


# --- every operation


def calls(stage: Stage) -> Iterator[tuple[str, str, str, Any]]:
    """Operation, method, path and body: every one there is, with every other method too."""
    described = api.get_openapi_schema()
    ids = {
        "person_id": Person.objects.get(name=demo.DEMO_NAME).pk, "kiosk_id": "k-001",
        "task_id": Task.objects.get().pk,
    }  # fmt: skip
    for path, methods in described["paths"].items():
        for method, told in methods.items():
            where = path.format(**ids)
            yield told["operationId"], method, where, None
            for body in _hostile_bodies():
                for other in ("post", "put", "patch", "delete"):
                    yield told["operationId"], other, where, body


def _hostile_bodies() -> Iterator[Any]:
    number, today = demo.DEMO_NUMBER, str(timezone.localdate())
    yield NASTY
    yield {"number": number}
    yield {"number": number} | NASTY
    for kind in ("death", "life", "suspend", "stop"):
        rows = [{"number": number, "on": today}]
        yield {"kind": kind, "source": "police", "rows": rows}
        yield {"kind": kind, "source": "police", "rows": rows} | NASTY
        yield {"kind": kind, "source": "police", "rows": [rows[0] | NASTY]}


def test_n10_no_operation_of_the_api_stops_anything(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "CALLS", Limit(10**6, 1))
    monkeypatch.setattr(door, "LOOKUPS", Limit(10**6, 1))
    review = stage.kiosk.record(outcome="needs_review", reasons=["not_alike"])
    stage.registry.ingest.ingest([Arrival("k-001", review)], NOW)
    before, tried, client = stage.standing(), set(), stage.client
    for name, method, path, body in calls(stage):
        response = getattr(client, method)(path, body, content_type="application/json")
        assert response.status_code < 500, (name, method, body)
        assert not STOPPING.search(response.content.decode()), name
        if response.status_code == 200:
            tried.add(name)
    assert tried == set(api.scopes()), "each of them was got through to"
    unharmed(before, stage.standing())
    task = Task.objects.get(kind=Task.Kind.CONFLICT)
    assert task.state == Task.State.OPEN, "a death that somebody reports is a task, and only that"


# --- every word


def test_n10_no_table_can_hold_a_stop() -> None:
    for model in apps.get_app_config("registry").get_models():
        for field in model._meta.get_fields():
            assert not STOPPING.search(field.name), (model, field)
            choices = getattr(field, "choices", None) or ()
            for value, words in choices:
                assert not STOPPING.search(f"{value} {words}"), (model, field)
            if isinstance(field, models.Field):
                assert field.name not in ("paid", "payment", "benefit_state", "paused"), model


def test_n10_no_word_of_the_api_and_no_event_means_a_stop() -> None:
    described = api.get_openapi_schema()
    assert not STOPPING.search(json.dumps(described, ensure_ascii=False))
    assert not any(STOPPING.search(event.value) for event in Event)
    assert set(api_clients.SCOPES) == {
        "people:read", "people:numbers", "certifications:read", "tasks:read", "devices:read",
        "statistics:read", "signals:write",
    }  # fmt: skip


def test_n10_no_text_that_anybody_reads_speaks_of_a_stop() -> None:
    console = Path(cloud_bridge.__file__).parent
    kiosk = Path(edge.__file__).parent / "ui" / "texts"
    files = [
        console / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po",
        *console.rglob("*.html"), *kiosk.glob("*.toml"),
    ]  # fmt: skip
    assert len(files) > 20
    for path in files:
        for number, line in enumerate(io.StringIO(path.read_text("utf-8")), start=1):
            assert not STOPPING.search(line), f"{path.name}:{number}: {line.strip()}"

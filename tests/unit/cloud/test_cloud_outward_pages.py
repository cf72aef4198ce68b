"""The county's pages about other systems: shown once, kept in the region, each step in the log."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from cloud_bridge.registry import webhooks
from cloud_bridge.registry.events import Event, News, tell
from cloud_bridge.registry.models import ApiClient, AuditEntry, Delivery, Person, Region, Webhook
from cloud_bridge.registry.webhooks import NewWebhook
from tests.fixtures_cloud import NOW, TestRegistry
from tests.unit.cloud.test_cloud_console import signed_in

HERE, THERE = "100101000000", "100102000000"


@pytest.fixture
def county(registry: TestRegistry) -> Client:
    return signed_in(registry, "county", HERE)


def page_of(response: Any) -> str:
    return str(response.content.decode())


def test_a_key_is_shown_once_and_opens_the_api(registry: TestRegistry, county: Client) -> None:
    form = {"name": "民政局", "region": HERE, "scopes": ["people:read"]}
    shown = county.post("/api-clients/", form)
    key = re.findall(r"jz_[\w-]{40,}", page_of(shown))[0]
    assert shown["Cache-Control"] == "no-store"
    assert key not in page_of(county.get("/api-clients/"))
    headers = {"authorization": f"Bearer {key}"}
    assert Client(headers=headers).get("/api/v1/people").status_code == 200
    county.post(f"/api-clients/{ApiClient.objects.get().pk}/revoke/")
    assert Client(headers=headers).get("/api/v1/people").status_code == 401
    actions = AuditEntry.objects.filter(object_kind="api-client").values_list("action", flat=True)
    assert list(actions.order_by("number")) == ["api-client.add", "api-client.revoke"]


def test_nobody_makes_a_key_for_another_region(registry: TestRegistry, county: Client) -> None:
    for region in (THERE, "100000000000", "0" * 12, "x" * 12):
        form = {"name": "x", "region": region, "scopes": ["people:read"], "events": ["death"]}
        county.post("/api-clients/", form)
        county.post("/webhooks/", form | {"url": "https://example.com/"})
    county.post("/api-clients/", {"name": "x", "region": HERE, "scopes": ["everything"]})
    assert not ApiClient.objects.exists()
    assert not Webhook.objects.exists()


def test_a_webhook_is_added_tried_switched_off_and_sends_again(
    registry: TestRegistry, county: Client
) -> None:
    form = {"name": "民政局", "region": HERE, "url": "https://example.com/", "events": ["death"]}
    refused = county.post("/webhooks/", form | {"url": "https://10.0.0.1@example.com/"})
    assert "https://" in page_of(refused)
    assert not Webhook.objects.exists()
    secret = re.findall(r"whsec_[\w+/=]{40,}", page_of(county.post("/webhooks/", form)))[0]
    row = Webhook.objects.get()
    assert secret not in page_of(county.get(f"/webhooks/{row.pk}/"))
    county.post(f"/webhooks/{row.pk}/test/")
    told = Delivery.objects.get()
    Delivery.objects.update(next_try_at=None, last_answer="503")
    assert "503" in page_of(county.get(f"/webhooks/{row.pk}/"))
    county.post(f"/webhooks/{row.pk}/deliveries/{told.pk}/resend/")
    assert Delivery.objects.get().next_try_at is not None
    county.post(f"/webhooks/{row.pk}/switch/", {"wanted": "off"})
    assert not Webhook.objects.get().is_active
    person = Person.objects.filter(region__code__startswith="100101").first()
    assert tell([News(Event.DEATH, person.pk, person.region_id)], NOW) == 0


def test_another_countys_webhook_is_not_there(registry: TestRegistry, county: Client) -> None:
    new = NewWebhook("x", "https://example.com/", ["death"], Region.objects.get(pk=THERE))
    row, _ = webhooks.add(new, (), registry.vault, "test", NOW)
    told = webhooks.try_out(row, registry.vault, "test", NOW)
    assert "example.com" not in page_of(county.get("/webhooks/"))
    assert county.get(f"/webhooks/{row.pk}/").status_code == 404
    for path in ("switch", "test", f"deliveries/{told.pk}/resend"):
        assert county.post(f"/webhooks/{row.pk}/{path}/").status_code == 404
    assert Webhook.objects.get().is_active
    assert Delivery.objects.count() == 1

"""Somebody registered as dead at a kiosk: how long until staff see it, over a real broker."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client

from cloud_bridge import config, databases, demo
from cloud_bridge.console.alert_views import EVERY_S
from cloud_bridge.registry.models import Account, Device, Person, Region, Task
from tests.fixtures_broker import KIOSKS, Broker
from tests.integration.test_cloud_broker import Kiosk, bridge, run

pytestmark = pytest.mark.broker
PROMISED_S = 60.0


@pytest.fixture
def ready(broker: Broker) -> Iterator[Broker]:
    """A registry of a site; this process looks into the same database as the bridge."""
    run(broker, "migrate")
    run(broker, "demo-data")
    folder = str(broker.site.kiosk(KIOSKS[0]))
    run(broker, "device", "add", "--id", KIOSKS[0], "--site", "示例", "--keys", folder)
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = _database(broker.site.registry)
    yield broker
    connection.close()
    connection.settings_dict["NAME"] = before


def _database(folder: Path) -> str:
    return str(databases.of(config.load(folder / "registry.toml").database)["NAME"])


def test_f05_from_the_record_to_the_alert_in_less_than_a_minute(ready: Broker) -> None:
    Device.objects.update(simulated_only=False)
    Person.objects.filter(name=demo.DEMO_NAME).update(dead_since=date(2026, 5, 1))
    place = Region.objects.get(code="100101001000")
    clerk = Client(headers={"accept-language": "zh-CN"})
    clerk.get("/sign-in/")  # the console is loaded with its first page
    clerk.force_login(Account.objects.create(username="li", role="worker", region=place))
    quiet = clerk.get("/alerts/")
    assert (quiet.status_code, "登记为死亡" in quiet.content.decode()) == (200, False)
    kiosk = Kiosk(ready, KIOSKS[0])
    try:
        with bridge(ready):
            kiosk.wait_for("roster")
            sent_s = time.monotonic()
            kiosk.send(kiosk.keys.record())
            _until_shown(clerk, sent_s)
            seconds = time.monotonic() - sent_s
    finally:
        kiosk.close()
    assert Task.objects.get(kind="alive").urgent
    print(f"from the record to the alert: {seconds:.2f} s, an open page asks every {EVERY_S} s")
    assert seconds + EVERY_S <= PROMISED_S


def _until_shown(clerk: Client, sent_s: float) -> None:
    while "登记为死亡" not in clerk.get("/alerts/").content.decode():
        assert time.monotonic() < sent_s + PROMISED_S, "no alert within a minute"
        time.sleep(0.05)

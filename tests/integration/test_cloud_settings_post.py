"""Wishes leaving the bridge and reports coming in, around an in-memory link."""

from __future__ import annotations

from cloud_bridge.registry import kiosk_settings
from cloud_bridge.registry.kiosk_settings import Change
from cloud_bridge.registry.models import Device, KioskSettings
from edge.wire import desired, topics
from edge.wire.desired import Reported, SettingsState
from edge.wire.envelope import verify
from tests.fixtures_cloud import NOW, TestRegistry
from tests.integration.test_cloud_worker import Bench

REPORT = Reported(5, 5, SettingsState.TRIAL, (), {"tries": 3}, "0.1.0", "ab", ask="00ff")


def put(registry: TestRegistry, **values: int) -> int:
    device = Device.objects.select_related("site").get(pk="k-001")
    return kiosk_settings.apply([device], Change(values), registry.vault, "gao", NOW)["k-001"]


def test_a_wish_goes_out_signed_and_retained_once(registry: TestRegistry) -> None:
    registry.kiosk()
    bench = Bench(registry)
    version = put(registry, tries=2)
    bench.turn()
    bench.turn()
    (sent,) = [row for row in bench.link.sent if row[0].endswith(topics.DESIRED)]
    assert sent[2]
    (wish,) = bench.opened(topics.DESIRED)
    assert wish.header.recipient == "k-001"
    assert desired.parse_desired(wish.body) == desired.Desired(version, {"tries": 2})
    assert not KioskSettings.objects.get().due


def test_what_the_broker_did_not_take_goes_out_again(registry: TestRegistry) -> None:
    registry.kiosk()
    bench = Bench(registry)
    bench.link.takes = False
    put(registry, tries=2)
    bench.turn()
    bench.link.connection += 1
    bench.link.takes = True
    bench.turn()
    bench.turn()
    assert len(bench.opened(topics.DESIRED)) == 2
    assert not KioskSettings.objects.get().due


def test_a_change_while_one_is_on_its_way_goes_out_too(registry: TestRegistry) -> None:
    registry.kiosk()
    bench = Bench(registry)
    put(registry, tries=2)
    bench.turn()
    newer = put(registry, tries=4)
    bench.turn()
    bench.turn()
    sent = [desired.parse_desired(wish.body).version for wish in bench.opened(topics.DESIRED)]
    assert sent[-1] == newer
    assert KioskSettings.objects.get().version == newer
    assert not KioskSettings.objects.get().due


def test_a_report_is_filed_and_a_question_in_it_answered(registry: TestRegistry) -> None:
    registry.kiosk()
    bench = Bench(registry)
    topic = topics.topic("k-001", topics.REPORTED)
    bench.link.bring(topic, desired.reported_body(REPORT))
    bench.turn()
    assert KioskSettings.objects.get().report["state"] == "trial"
    (answer,) = [told for told in bench.link.told if told[0].endswith(topics.HEARD)]
    heard = verify(answer[1], lambda _: bench.sign_key.public_key())
    assert heard.header.recipient == "k-001"
    assert desired.parse_heard(heard.body).ask == "00ff"


def test_an_odd_report_is_passed_over(registry: TestRegistry) -> None:
    registry.kiosk()
    bench = Bench(registry)
    for odd in (b"", b"{}", b"\xff" * 70_000, desired.reported_body(REPORT)[:-1]):
        bench.link.bring(topics.topic("k-001", topics.REPORTED), odd)
    bench.turn()
    assert not KioskSettings.objects.exists()

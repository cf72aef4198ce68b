"""Lists of badges on their way to the kiosks: sealed, retained, once a day and after a change."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cloud_bridge.registry import badges
from cloud_bridge.registry.models import Badge, Device, Region
from edge.domain.staff import StaffList
from edge.wire import envelope, topics
from edge.wire.staff import parse_staff
from tests.fixtures_cloud import NOW, TODAY, TestKiosk, TestRegistry
from tests.integration.test_cloud_worker import Bench
from tests.unit.cloud.test_cloud_console import PROVINCE


@pytest.fixture
def bench(registry: TestRegistry) -> Bench:
    return Bench(registry)


def issue(registry: TestRegistry, name: str = "高师傅") -> badges.Issued:
    place = Region.objects.get(pk=PROVINCE)
    new = badges.NewBadge(name, "technician", place, TODAY + timedelta(days=100))
    return badges.issue(new, registry.vault, "test", NOW)


def lists(bench: Bench, kiosk: TestKiosk) -> list[StaffList]:
    opened = [
        sealed for sealed in bench.opened(topics.STAFF) if sealed.header.recipient == kiosk.kiosk_id
    ]
    return [parse_staff(envelope.unseal(each.body, each.header, kiosk.open_key)) for each in opened]


def test_a_list_is_sealed_retained_and_sent_once_a_day(
    registry: TestRegistry, bench: Bench
) -> None:
    kiosk = registry.kiosk()
    issued = issue(registry)
    for _ in range(3):
        bench.turn()
    [staff] = lists(bench, kiosk)
    [entry] = staff.entries
    assert entry.badge == issued.badge.number
    assert entry.verifier.holds(issued.pin)
    assert staff.issued == NOW
    [(_, payload, retained)] = [row for row in bench.link.sent if row[0].endswith(topics.STAFF)]
    assert retained
    assert entry.badge.encode() not in payload
    bench.now += timedelta(days=1)
    for _ in range(3):
        bench.turn()
    first, second = lists(bench, kiosk)
    assert second.version > first.version
    assert second.issued == bench.now


def test_a_kiosk_without_badges_learns_that_too(registry: TestRegistry, bench: Bench) -> None:
    kiosk = registry.kiosk()
    bench.turn()
    assert [staff.entries for staff in lists(bench, kiosk)] == [()]


def test_a_badge_revoked_while_a_list_is_on_its_way_goes_out_again(
    registry: TestRegistry, bench: Bench
) -> None:
    kiosk = registry.kiosk()
    badge = issue(registry).badge
    bench.link.takes = False
    bench.turn()
    badges.revoke(badge, registry.vault, "test", NOW)
    bench.turn()
    assert len(lists(bench, kiosk)) == 1, "one at a time"
    bench.link.takes = True
    for _ in range(3):
        bench.turn()
    before, after = lists(bench, kiosk)
    assert (len(before.entries), len(after.entries)) == (1, 0)
    assert after.version > before.version
    assert not Device.objects.get().staff_due


def test_a_list_lost_with_the_connection_is_sent_again(
    registry: TestRegistry, bench: Bench
) -> None:
    kiosk = registry.kiosk()
    bench.link.takes = False
    bench.turn()
    bench.link.connection += 1
    bench.link.takes = True
    for _ in range(3):
        bench.turn()
    assert len(lists(bench, kiosk)) == 2
    assert Device.objects.get().staff_sent_at == bench.now


def test_a_kiosk_with_a_damaged_key_does_not_stop_the_others(
    registry: TestRegistry, bench: Bench
) -> None:
    registry.kiosk("k-001")
    other = registry.kiosk("k-002")
    Device.objects.filter(pk="k-001").update(open_pub="no key")
    for _ in range(2):
        bench.turn()
    assert len(lists(bench, other)) == 1
    assert Badge.objects.count() == 0

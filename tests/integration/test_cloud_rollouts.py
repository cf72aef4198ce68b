"""A release on its way through the fleet, in the registry (feature 14)."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest

from cloud_bridge.fleet import rollouts
from cloud_bridge.fleet.repository import FleetError
from cloud_bridge.fleet.rollout import Policy
from cloud_bridge.registry.keyring import vault
from cloud_bridge.registry.models import AuditEntry, Device, KioskRelease, Rollout
from edge.domain.errors import WireError
from edge.wire.updates import UpdateState, parse_state, state_body
from tests.fixtures_cloud import NOW, TestRegistry

SOAK = timedelta(hours=25)
PLAN = rollouts.Plan(7, "0.7.0", "ab" * 32, Policy())


def fleet_of(registry: TestRegistry, count: int) -> None:
    """So many kiosks at the first one's site."""
    registry.kiosk()
    site = Device.objects.get().site
    Device.objects.bulk_create(
        Device(
            kiosk_id=f"k-{number:04}",
            site=site,
            sign_pub=str(number),
            open_pub="",
            card_secret_sealed=b"",
        )
        for number in range(1, count)
        if number != 1
    )


def begin(plan: rollouts.Plan = PLAN) -> Rollout:
    return rollouts.start(plan, Device.objects.all(), vault(), "chen", NOW)


def answer(kiosk_id: str, good: bool, now: datetime = NOW, serial: int = 7) -> None:
    phase, running = ("confirmed", serial) if good else ("rolled-back", 1)
    rollouts.told(kiosk_id, UpdateState(phase, running, serial, "" if good else "camera"), now)


def assigned(row: Rollout) -> list[str]:
    open_ones = row.kiosks.filter(outcome="").exclude(assigned_at=None)
    return list(open_ones.values_list("device_id", flat=True))


def test_f14_ring_by_ring_to_the_whole_fleet(registry: TestRegistry) -> None:
    fleet_of(registry, 100)
    row, now, seen = begin(), NOW, []
    while row.state == "running":
        fresh = assigned(row)
        seen.append(len(fresh))
        for kiosk_id in fresh:
            answer(kiosk_id, True, now)
        assert rollouts.turn(vault(), now) == [], "a ring rests first"
        now += SOAK
        rollouts.turn(vault(), now)
        row.refresh_from_db()
    assert seen == [1, 4, 15, 30, 49]
    assert row.state == "done"


def test_f14_a_bad_release_is_stopped_and_those_who_wait_keep_theirs(
    registry: TestRegistry,
) -> None:
    fleet_of(registry, 300)
    row = begin()
    kiosks = assigned(row)
    assert len(kiosks) == 3
    for kiosk_id in kiosks[:2]:
        answer(kiosk_id, False)
    rollouts.turn(vault(), NOW)
    row.refresh_from_db()
    assert (row.state, row.why) == ("stopped", "too many failed")
    waiting = KioskRelease.objects.get(device=kiosks[2])
    assert (waiting.serial, waiting.due) == (0, True)
    actions = AuditEntry.objects.filter(action__startswith="rollout.")
    assert set(actions.values_list("action", flat=True)) == {"rollout.start", "rollout.stopped"}


def test_f14_silence_counts_as_failure_until_the_kiosk_speaks(registry: TestRegistry) -> None:
    fleet_of(registry, 100)
    row = begin()
    (kiosk_id,) = assigned(row)
    later = NOW + timedelta(hours=7)
    rollouts.turn(vault(), later)
    assert row.kiosks.get(device=kiosk_id).outcome == "silent"
    answer(kiosk_id, True, later)
    assert row.kiosks.get(device=kiosk_id).outcome == "good"


def test_f14_pause_resume_approve_stop(registry: TestRegistry) -> None:
    fleet_of(registry, 100)
    row = begin(rollouts.Plan(7, "0.7.0", "ab" * 32, Policy(), ask=True))
    for kiosk_id in assigned(row):
        answer(kiosk_id, True)
    later = NOW + SOAK
    assert rollouts.turn(vault(), later) == []
    assert rollouts.waits_for_approval(row, later)
    rollouts.steer(7, "pause", vault(), "chen", later)
    rollouts.steer(7, "approve", vault(), "chen", later)
    assert rollouts.turn(vault(), later) == [], "it is paused"
    rollouts.steer(7, "resume", vault(), "chen", later)
    assert [changed.ring for changed in rollouts.turn(vault(), later)] == [1]
    with pytest.raises(FleetError, match="resume is not possible"):
        rollouts.steer(7, "resume", vault(), "chen", later)
    assert rollouts.steer(7, "stop", vault(), "chen", later).state == "stopped"


def test_f14_one_at_a_time_and_serials_only_grow(registry: TestRegistry) -> None:
    fleet_of(registry, 10)
    begin()
    with pytest.raises(FleetError, match="on its way"):
        begin(rollouts.Plan(8, "0.8.0", "ab" * 32, Policy()))
    rollouts.steer(7, "stop", vault(), "chen", NOW)
    with pytest.raises(FleetError, match="new serial"):
        begin()


def test_what_an_unknown_kiosk_says_is_refused(registry: TestRegistry) -> None:
    """On SQLite its row would fail only at the commit, and everybody else's with it."""
    with pytest.raises(WireError):
        rollouts.told("nobody", UpdateState("idle", 1, 1, ""), NOW)


def test_what_kiosks_say_is_checked() -> None:
    good = UpdateState("trial", 6, 7, "camera")
    assert parse_state(state_body(good)) == good
    bodies = (b"[]", b"{", b'{"phase":"x"}', state_body(UpdateState("trial", -1, 7, "")))
    for body in (*bodies, state_body(UpdateState("trial", 6, 7, "张三"))):
        with pytest.raises(WireError):
            parse_state(body)


def test_f14_in_a_fleet_of_a_thousand_a_bad_release_is_stopped_early(
    registry: TestRegistry,
) -> None:
    fleet_of(registry, 1000)
    chance, row, now = random.Random(5), begin(), NOW
    while row.state == "running":
        for kiosk_id in assigned(row):
            answer(kiosk_id, chance.random() > 0.3, now)
        now += SOAK
        rollouts.turn(vault(), now)
        row.refresh_from_db()
    assert row.state == "stopped"
    assert row.kiosks.exclude(assigned_at=None).count() <= 50

"""Imports, devices, accounts and the audit chain against a real database."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from django.db import IntegrityError

from cloud_bridge import demo
from cloud_bridge.registry import people_import, staff
from cloud_bridge.registry.models import (
    ROOT_REGION,
    Account,
    AuditEntry,
    Device,
    Person,
    Region,
)
from edge.domain.errors import ConfigError
from tests.fixtures_cloud import PASSWORD, TestRegistry


def _number(serial: int) -> str:
    from cloud_bridge.registry import id_number

    return id_number.make("100000", demo.DEMO_BIRTH, serial)


def test_people_are_added_all_or_none(registry: TestRegistry) -> None:
    before = Person.objects.count(), AuditEntry.objects.count()
    new = people_import.NewPerson("丁一", _number(51), "dibao", True, "100101001001")
    with pytest.raises(IntegrityError):
        people_import.add_people([new, new], registry.vault, "test")
    assert (Person.objects.count(), AuditEntry.objects.count()) == before


def test_a_region_covers_what_lies_below_and_nothing_else(registry: TestRegistry) -> None:
    district = Region.objects.get(code="100101000000")
    assert district.covers("100101002201")
    assert not district.covers("100102000000")
    assert not district.covers("100100000000")
    assert Region.objects.get(code=ROOT_REGION).covers("999999999999")
    codes = Region.objects.filter(district.within("code")).values_list("code", flat=True)
    assert all(code.startswith("100101") for code in codes)
    assert len(codes) == 6


def test_a_site_made_for_demonstration_can_only_rehearse(registry: TestRegistry) -> None:
    folder = registry.folder / "kiosks" / "k-001"
    registry.kiosk()
    (folder / "site.toml").write_text('kiosk_id = "k-001"\nmode = "demo"\n')
    new = staff.NewDevice("k-001", "新网点", folder)
    device = staff.set_device(new, registry.vault, "test")
    assert device.simulated_only
    assert device.site.region.code == "100000000000", "the only province"
    with pytest.raises(staff.CommandRefused, match="--live"):
        staff.set_device(dataclasses.replace(new, live=True), registry.vault, "test")


DEMO, LIVE = {"demo": True}, {"live": True}


@pytest.mark.parametrize(
    ("was", "mode", "said", "becomes"),
    [
        (None, "production", {}, "live"),
        (None, "demo", {}, "demo"),
        (None, None, {}, "refused"),
        (None, "", {}, "refused"),
        (None, None, LIVE, "live"),
        (None, None, DEMO, "demo"),
        (None, "production", DEMO, "demo"),
        (None, "demo", LIVE, "refused"),
        (None, None, DEMO | LIVE, "refused"),
        ("demo", None, {}, "refused"),
        ("demo", "production", {}, "demo"),
        ("demo", "production", LIVE, "live"),
        ("demo", None, LIVE, "live"),
        ("demo", "demo", LIVE, "refused"),
        ("live", "production", {}, "live"),
        ("live", None, {}, "refused"),
        ("live", "demo", {}, "demo"),
    ],
)
def test_demonstration_only_ends_by_a_plain_word(
    registry: TestRegistry,
    was: str | None,
    mode: str | None,
    said: dict[str, bool],
    becomes: str,
) -> None:
    folder = registry.folder / "kiosks" / "k-001"
    registry.kiosk(demo=was == "demo")
    if was is None:
        Device.objects.all().delete()
    if mode is not None:
        (folder / "site.toml").write_text(f'mode = "{mode}"\n' if mode else 'language = "zh"\n')
    new = staff.NewDevice("k-001", "新网点", folder, **said)
    if becomes == "refused":
        with pytest.raises(staff.CommandRefused, match="--live"):
            staff.set_device(new, registry.vault, "test")
    else:
        device = staff.set_device(new, registry.vault, "test")
        assert device.simulated_only is (becomes == "demo")
        assert AuditEntry.objects.latest("number").reason == becomes


def test_devices_that_cannot_be_added(registry: TestRegistry) -> None:
    folder = registry.folder / "kiosks" / "k-001"
    registry.kiosk()
    with pytest.raises(staff.CommandRefused, match="--id"):
        staff.set_device(staff.NewDevice("k/1", "s", folder), registry.vault, "t")
    with pytest.raises(staff.CommandRefused, match="region 55"):
        staff.set_device(staff.NewDevice("k-1", "s", folder, "55"), registry.vault, "t")
    (folder / "open.pub").write_text("no key")
    with pytest.raises(ConfigError, match=r"open\.pub"):
        staff.set_device(staff.NewDevice("k-1", "s", folder), registry.vault, "t")
    with pytest.raises(ConfigError, match=r"card\.key"):
        staff.set_device(staff.NewDevice("k-1", "s", Path("/nowhere")), registry.vault, "t")
    assert Device.objects.count() == 1


def test_accounts_want_a_role_a_region_and_a_long_password(registry: TestRegistry) -> None:
    vault = registry.vault
    for role, region, password, why in (
        ("king", ROOT_REGION, PASSWORD, "role 'king': must be one of worker"),
        ("worker", "1", PASSWORD, "region 1: not in this registry"),
        ("worker", ROOT_REGION, "short", "password: "),
        ("worker", ROOT_REGION, "wang-xiaoming", "password: "),
    ):
        with pytest.raises(staff.CommandRefused, match=why):
            staff.set_account("wang-xiaoming", role, region, password, vault, "t")
    staff.set_account("wang-xiaoming", "worker", ROOT_REGION, PASSWORD, vault, "t")
    assert Account.objects.get().check_password(PASSWORD)


def test_generated_passwords_differ_and_are_accepted(registry: TestRegistry) -> None:
    passwords = {staff.generated_password() for _ in range(100)}
    assert len(passwords) == 100
    staff.set_account("a", "worker", ROOT_REGION, passwords.pop(), registry.vault, "t")

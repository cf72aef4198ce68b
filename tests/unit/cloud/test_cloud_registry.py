"""Imports, devices, accounts and the audit chain against a real database."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from django.db import IntegrityError, connection

from cloud_bridge import demo
from cloud_bridge.registry import audit, people_import, staff
from cloud_bridge.registry.models import (
    ROOT_REGION,
    Account,
    AuditEntry,
    Device,
    Household,
    Person,
    Region,
)
from cloud_bridge.registry.people_import import ImportRefused
from edge.domain.errors import ConfigError
from tests.fixtures_cloud import PASSWORD, TestRegistry

HEADER = "name,id_number,category,covered,region_code,household\n"
GOOD = "丁一,11010519491231002X,dibao,是,100101001001,甲-1\n"


def import_text(registry: TestRegistry, text: str | bytes) -> int:
    path = registry.folder / "people.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return people_import.import_people(path, registry.vault, "test")


def refused(registry: TestRegistry, text: str | bytes) -> str:
    before = Person.objects.count(), Household.objects.count(), AuditEntry.objects.count()
    with pytest.raises(ImportRefused) as caught:
        import_text(registry, text)
    after = Person.objects.count(), Household.objects.count(), AuditEntry.objects.count()
    assert after == before, "nothing half-imported"
    return str(caught.value)


def test_people_are_imported_with_a_byte_order_mark_too(registry: TestRegistry) -> None:
    assert import_text(registry, "\ufeff" + HEADER + GOOD) == 1
    person = Person.objects.get(name="丁一")
    assert (person.sex, person.birth.isoformat(), person.category) == ("2", "1949-12-31", "dibao")
    assert person.household.number == "甲-1"
    sealed = registry.vault.open(person.number_sealed, person.person_id)
    assert sealed == "11010519491231002X"


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("丁一", "", "line 3, column name"),
        ("丁一", "a\tb", "line 3, column name"),
        ("002X", "0021", "line 3, column id_number: is not a valid"),
        ("11010519491231002X", demo.DEMO_NUMBER, "line 3, column id_number: is already"),
        ("dibao", "rich", "line 3, column category: must be one of dibao"),
        ("是", "maybe", "line 3, column covered: must be one of yes, no, 是, 否"),
        ("100101001001", "999999999999", "line 3, column region_code"),
        ("甲-1", "x" * 41, "line 3, column household"),
        (",甲-1", "", "line 3, column -: 5 cells instead of 6"),
    ],
)
def test_every_error_has_its_line_and_column(
    registry: TestRegistry, old: str, new: str, where: str
) -> None:
    first = "丁二,100000195001010011,dibao,是,100101001001,\n".replace(
        "100000195001010011", _number(50)
    )
    assert where in refused(registry, HEADER + first + GOOD.replace(old, new))


def _number(serial: int) -> str:
    from cloud_bridge.registry import id_number

    return id_number.make("100000", demo.DEMO_BIRTH, serial)


def test_all_errors_of_a_file_are_told_at_once(registry: TestRegistry) -> None:
    told = refused(registry, HEADER + GOOD.replace("dibao", "x") + GOOD + GOOD)
    assert "line 2, column category" in told
    assert "line 4, column id_number: is already registered or twice" in told
    assert "11010519491231002X" not in told


@pytest.mark.parametrize(
    "content",
    [b"", b"a,b\n", (HEADER + GOOD).encode("gb18030"), HEADER.encode() + b'"open'],
)
def test_files_that_are_no_list(registry: TestRegistry, content: bytes) -> None:
    assert "line 1" in refused(registry, content)


def test_people_are_added_all_or_none(registry: TestRegistry) -> None:
    before = Person.objects.count(), AuditEntry.objects.count()
    new = people_import.NewPerson("丁一", _number(51), "dibao", True, "100101001001")
    with pytest.raises(IntegrityError):
        people_import.add_people([new, new], registry.vault, "test")
    assert (Person.objects.count(), AuditEntry.objects.count()) == before


def test_regions_come_parents_first_and_know_their_level(registry: TestRegistry) -> None:
    path = registry.folder / "regions.csv"
    path.write_text("code,name\n200101001002,戊村\n200100000000,乙市\n200000000000,甲省\n"
                    "200101000000,丙县\n200101001000,丁镇\n")  # fmt: skip
    assert people_import.import_regions(path, registry.vault, "test") == 5
    village = Region.objects.get(code="200101001002")
    assert (village.level, village.parent_id) == (5, "200101001000")
    assert Region.objects.get(code="200000000000").parent_id == ROOT_REGION
    path.write_text("code,name\n300101000000,无省\n12,短\n")
    with pytest.raises(ImportRefused, match="parent region is missing"):
        people_import.import_regions(path, registry.vault, "test")


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


def test_n19_an_untouched_chain_is_whole(registry: TestRegistry) -> None:
    audit.write(registry.vault, "w", "person.view", ("person", "p1"), reason="x" * 500)
    assert audit.first_broken(registry.vault) is None


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE registry_auditentry SET who = 'somebody else' WHERE number = 3",
        "UPDATE registry_auditentry SET at = '2020-01-01 00:00:00' WHERE number = 3",
        "DELETE FROM registry_auditentry WHERE number = 3",
        "UPDATE registry_auditentry SET chain_hash = 'f' WHERE number = 3",
        "UPDATE registry_auditentry SET number = 99 WHERE number = 3",
    ],
)
def test_n19_the_first_broken_entry_is_named(registry: TestRegistry, harm: str) -> None:
    assert AuditEntry.objects.count() > 5
    with connection.cursor() as cursor:
        cursor.execute(harm)
    assert audit.first_broken(registry.vault) == 3


def test_n19_entries_cut_off_the_end_are_missed(registry: TestRegistry) -> None:
    last = AuditEntry.objects.count()
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM registry_auditentry WHERE number = {last}")
    assert audit.first_broken(registry.vault) == last


def test_n19_an_entry_made_without_the_key_is_found(registry: TestRegistry) -> None:
    from cloud_bridge.registry.vault import Vault

    audit.write(Vault(b"\0" * 32), "thief", "person.view", ("person", "p1"))
    assert audit.first_broken(registry.vault) == AuditEntry.objects.count()

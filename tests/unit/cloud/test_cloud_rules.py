"""The pure rules: cycles, chain gaps, id numbers, the vault."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest

from cloud_bridge import demo
from cloud_bridge.registry import cycles, gaps, id_number
from cloud_bridge.registry.vault import Vault, VaultError

D = date.fromisoformat


@pytest.mark.parametrize(
    ("category", "last", "today", "certified", "due"),
    [
        ("dibao", None, "2026-11-23", False, "2026-12-31"),
        ("dibao", "2026-01-01", "2026-11-23", True, "2027-12-31"),
        ("dibao", "2025-12-31", "2026-01-01", False, "2026-12-31"),
        ("dibao", "2020-05-05", "2026-11-23", False, "2026-12-31"),
        ("retired", None, "2026-11-23", False, "2026-12-31"),
        ("retired", "2025-11-23", "2026-11-23", True, "2026-11-23"),
        ("retired", "2025-11-22", "2026-11-23", False, "2026-11-22"),
        ("retired", "2024-02-29", "2024-03-01", True, "2025-02-28"),
        ("retired", "2023-02-28", "2024-02-29", False, "2024-02-28"),
    ],
)
def test_cycles(category: str, last: str | None, today: str, certified: bool, due: str) -> None:
    day = D(last) if last else None
    assert cycles.is_certified(cycles.DEFAULTS[category], day, D(today)) is certified
    assert cycles.due_by(cycles.DEFAULTS[category], day, D(today)) == D(due)


@pytest.mark.parametrize("category", ["dibao", "retired"])
def test_certified_and_not_overdue_are_the_same_for_the_retired(category: str) -> None:
    for back in range(900):
        for today in (D("2026-02-28"), D("2026-11-23"), D("2028-02-29"), D("2029-03-01")):
            last = today - timedelta(days=back)
            certified = cycles.is_certified(cycles.DEFAULTS[category], last, today)
            in_time = cycles.due_by(cycles.DEFAULTS[category], last, today) >= today
            assert certified == in_time if category == "retired" else in_time


@pytest.mark.parametrize(
    ("category", "one", "other", "same"),
    [
        ("dibao", "2026-01-01", "2026-12-31", True),
        ("dibao", "2026-12-31", "2027-01-01", False),
        ("retired", "2026-12-31", "2027-01-01", True),
        ("retired", "2025-11-23", "2026-11-23", True),
        ("retired", "2025-11-22", "2026-11-23", False),
        ("retired", "1970-01-01", "2026-11-23", False),
    ],
)
def test_days_that_differ_in_cycle(category: str, one: str, other: str, same: bool) -> None:
    assert cycles.same_cycle(cycles.DEFAULTS[category], D(one), D(other)) is same
    assert cycles.same_cycle(cycles.DEFAULTS[category], D(other), D(one)) is same


@pytest.mark.parametrize(
    ("category", "last", "today", "done"),
    [
        ("dibao", None, "2026-11-23", False),
        ("dibao", "2026-01-01", "2026-12-31", True),
        ("dibao", "2026-12-31", "2027-01-01", False),
        ("retired", "2026-11-23", "2027-09-23", True),
        ("retired", "2026-11-23", "2027-09-24", False),
        ("retired", "2026-11-23", "2027-11-23", False),
    ],
)
def test_who_may_be_turned_away_as_done(
    category: str, last: str | None, today: str, done: bool
) -> None:
    day = D(last) if last else None
    assert cycles.need_not_come(cycles.DEFAULTS[category], day, D(today)) is done
    assert cycles.is_certified(cycles.DEFAULTS[category], day, D(today)) or not done


def test_gaps_end_empty_for_any_order() -> None:
    for seed in range(50):
        numbers = list(range(1, 40))
        random.Random(seed).shuffle(numbers)
        highest, missing = 0, ()
        for at in range(0, 39, 3):
            highest, missing = gaps.note(highest, missing, numbers[at : at + 3] * 2)
            seen = set(numbers[: at + 3])
            wanted = {n for n in range(1, highest) if n not in seen}
            assert {n for a, b in missing for n in range(a, b + 1)} == wanted
            assert gaps.count(missing) == len(wanted)
        assert (highest, missing) == (39, ())


def test_spans_are_merged_without_counting_what_is_in_them() -> None:
    spans = [[5, 2**61], (1, 2), (3, 3), (9, 9), (2**61 + 2, 2**61 + 2)]
    assert gaps.merged(spans) == ((1, 3), (5, 2**61), (2**61 + 2, 2**61 + 2))
    assert gaps.merged([]) == ()


def test_gaps_stay_bounded_and_forget_none() -> None:
    numbers = range(2, 4000, 2)
    highest, missing = gaps.note(0, (), numbers)
    assert len(missing) == gaps.MAX_RANGES
    for odd in range(1, highest, 2):
        assert any(first <= odd <= last for first, last in missing)


def test_a_hostile_number_costs_one_range() -> None:
    assert gaps.note(1, (), [2**62]) == (2**62, ((2, 2**62 - 1),))


def test_id_numbers_of_the_standard() -> None:
    assert id_number.is_valid("11010519491231002X")  # the example printed in GB 11643
    assert not id_number.is_valid("110105194912310021")
    assert id_number.make("110105", D("1949-12-31"), 2) == "11010519491231002X"
    assert id_number.birth_of("11010519491231002X") == D("1949-12-31")
    assert id_number.sex_of("11010519491231002X") == "2"


@pytest.mark.parametrize(
    "number", ["", "1", "1" * 18, "11010519490231002X", "11010519491231002x", "１" * 18, "X" * 18]
)
def test_numbers_that_are_none(number: str) -> None:
    assert not id_number.is_valid(number)


def test_any_changed_digit_is_noticed() -> None:
    number = demo.DEMO_NUMBER
    for at in range(17):
        for digit in "0123456789":
            other = number[:at] + digit + number[at + 1 :]
            assert id_number.is_valid(other) == (other == number)


def test_the_demo_person_never_changes() -> None:
    assert demo.DEMO_NUMBER == "100000194508150010"
    assert id_number.is_valid(demo.DEMO_NUMBER)
    numbers = [id_number.make(demo.NUMBER_REGION, row[1], row[2]) for row in demo.PEOPLE]
    assert len(set(numbers)) == 12
    assert all(id_number.is_valid(number) for number in numbers)
    assert numbers[0] == demo.DEMO_NUMBER


def test_the_vault_finds_opens_and_binds_to_the_row() -> None:
    vault = Vault(b"\1" * 32)
    sealed = vault.seal("11010519491231002X", "p1")
    assert vault.open(sealed, "p1") == "11010519491231002X"
    assert sealed != vault.seal("11010519491231002X", "p1"), "equal numbers must not look equal"
    assert vault.lookup("11010519491231002x ") == vault.lookup("11010519491231002X")
    for owner, other in (("p2", vault), ("p1", Vault(b"\2" * 32))):
        with pytest.raises(VaultError):
            other.open(sealed, owner)
    for broken in (b"", sealed[:-1], b"x" + sealed[1:]):
        with pytest.raises(VaultError):
            vault.open(broken, "p1")
    assert Vault(b"\2" * 32).lookup("1") != vault.lookup("1")

"""Who may sign in: the list's age, the badge's day, five tries, and a hash that is slow."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from edge.domain import staff
from edge.domain.staff import (
    GOOD_FOR,
    LOCKED_FOR,
    NOBODY,
    TRIES,
    HeldList,
    Permission,
    PinVerifier,
    Refusal,
    StaffEntry,
    StaffList,
    StaffMember,
    Tries,
    badge_of,
    is_expired,
    is_locked,
    one_more,
    refusal_of,
)
from edge.domain.timebase import NS_PER_S, ClockTrust, MonoNs, Stamp

ISSUED = datetime(2026, 11, 1, 3, 0, tzinfo=UTC)
ENTRY = StaffEntry(
    "204816",
    frozenset({Permission.SERVICE}),
    date(2027, 1, 31),
    PinVerifier.of("135790", b"s" * 16),
)
LIST = StaffList(7, ISSUED, (ENTRY,))
HELD = HeldList(LIST, "boot-1", 100 * NS_PER_S)


def at(moment: datetime, trust: ClockTrust = ClockTrust.NTP, boot: str = "boot-1") -> Stamp:
    since = int((moment - ISSUED).total_seconds()) + 100
    return Stamp(moment, MonoNs(since * NS_PER_S), boot, trust)


# --- the PIN ---


def test_only_the_right_pin_holds() -> None:
    assert ENTRY.verifier.holds("135790")
    assert not ENTRY.verifier.holds("135791")
    assert not NOBODY.holds("000000")


def test_equal_pins_leave_different_verifiers() -> None:
    assert PinVerifier.of("135790", b"t" * 16).digest != ENTRY.verifier.digest


def test_a_try_is_slow_and_takes_as_long_for_a_badge_that_is_nobodys() -> None:
    begun = time.perf_counter()
    ENTRY.verifier.holds("000000")
    known = time.perf_counter() - begun
    begun = time.perf_counter()
    NOBODY.holds("000000")
    unknown = time.perf_counter() - begun
    assert known > 0.01
    assert 0.2 < known / unknown < 5


def test_nothing_about_a_badge_stands_in_a_repr() -> None:
    member = StaffMember(ENTRY.badge, ENTRY.permissions)
    told = f"{LIST!r} {HELD!r} {ENTRY!r} {member!r}"
    assert ENTRY.badge not in told
    assert "135790" not in told
    assert repr(ENTRY.verifier.salt) not in told
    assert repr(ENTRY.verifier.digest) not in told


# --- the list ---


def test_without_a_list_nobody_signs_in() -> None:
    assert refusal_of(None, at(ISSUED)) is Refusal.NO_LIST


@pytest.mark.parametrize(
    ("days", "refused"), [(0, None), (29.9, None), (30, None), (30.01, Refusal.OLD_LIST)]
)
def test_a_list_is_good_for_thirty_days(days: float, refused: Refusal | None) -> None:
    now = at(ISSUED + timedelta(days=days))
    assert refusal_of(HELD, now) is refused
    assert refusal_of(HELD, replace(now, boot_id="another boot")) is refused


@pytest.mark.parametrize("trust", [ClockTrust.FLOOR, ClockTrust.UNKNOWN])
def test_a_clock_that_is_not_sure_counts_only_from_boot(trust: ClockTrust) -> None:
    early = replace(at(ISSUED, trust), utc=datetime(2020, 1, 1, tzinfo=UTC))
    assert refusal_of(HELD, early) is None
    late = replace(at(ISSUED + GOOD_FOR + timedelta(minutes=5), trust), utc=ISSUED)
    assert refusal_of(HELD, late) is Refusal.OLD_LIST
    assert refusal_of(HELD, replace(early, boot_id="boot-2")) is Refusal.NO_CLOCK


def test_a_battery_clock_set_back_does_not_make_an_old_list_new() -> None:
    back = at(ISSUED - timedelta(days=300), ClockTrust.RTC, boot="boot-2")
    assert refusal_of(HELD, back) is Refusal.NO_CLOCK


def test_a_badge_ends_with_its_last_day_as_the_hall_counts_days() -> None:
    last = datetime(2027, 1, 31, 15, 59, tzinfo=UTC)  # 23:59 in China
    assert not is_expired(ENTRY, at(last))
    assert is_expired(ENTRY, at(last + timedelta(minutes=1)))
    assert not is_expired(ENTRY, at(last + timedelta(days=9), ClockTrust.UNKNOWN))


# --- tries ---


def tries(count: int, now: Stamp, version: int = 7) -> Tries | None:
    found: Tries | None = None
    for _ in range(count):
        found = one_more(found, version, now)
    return found


def test_the_fifth_wrong_try_locks_the_badge() -> None:
    now = at(ISSUED)
    assert [is_locked(tries(n, now), 7, now) for n in range(TRIES + 1)] == [False] * 5 + [True]


def test_a_lock_ends_with_a_newer_list_and_not_with_the_same_or_an_older_one() -> None:
    now = at(ISSUED)
    locked = tries(TRIES, now)
    assert [is_locked(locked, version, now) for version in (6, 7, 8)] == [True, True, False]
    assert one_more(locked, 8, now).failed == 1


def test_a_lock_ends_after_a_day_on_a_sure_clock_only() -> None:
    now = at(ISSUED)
    locked = tries(TRIES, now)
    assert is_locked(locked, 7, at(ISSUED + LOCKED_FOR - timedelta(seconds=1)))
    assert not is_locked(locked, 7, at(ISSUED + LOCKED_FOR))
    assert is_locked(locked, 7, at(ISSUED + LOCKED_FOR, ClockTrust.UNKNOWN))
    blind = tries(TRIES, at(ISSUED, ClockTrust.UNKNOWN))
    assert is_locked(blind, 7, at(ISSUED + timedelta(days=9)))


def test_waiting_a_day_forgives_no_tries_of_a_badge_that_is_not_locked() -> None:
    four = tries(TRIES - 1, at(ISSUED))
    assert one_more(four, 7, at(ISSUED + LOCKED_FOR)).failed == TRIES


# --- the code on the badge ---


@pytest.mark.parametrize("code", ["jianzai-badge:204816", " jianzai-badge:204816\r\n"])
def test_a_scanned_badge_is_its_number(code: str) -> None:
    assert badge_of(code) == "204816"


@pytest.mark.parametrize(
    "code", ["", "204816", "jianzai-badge:", "jianzai-badge:20481", "jianzai-badge:20481x",
             "jianzai-badge:2048160", "jianzai-badge:２０４８１６", "https://example.org/204816"],
)  # fmt: skip
def test_other_codes_are_no_badges(code: str) -> None:
    assert badge_of(code) is None


def test_what_is_written_down_fits_the_wire() -> None:
    assert all(deed.value.isascii() and len(deed.value) <= 20 for deed in staff.Deed)

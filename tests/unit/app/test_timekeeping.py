"""Clocks that are not believed: a floor, a grade, and a signed correction afterwards."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.app.clock import SystemTime, at
from edge.app.disk import KioskDisk
from edge.domain.timebase import ClockTrust, MonoNs
from edge.wire import messages
from edge.wire.notices import parse_correction
from tests.store_world import Premises

FLOOR = datetime(2026, 11, 23, tzinfo=UTC)
ROOT = Path(__file__).parents[3]


@pytest.fixture
def premises(tmp_path: Path) -> Premises:
    made = Premises(tmp_path)
    made.times.trust = ClockTrust.UNKNOWN
    return made


@pytest.fixture
def disk(premises: Premises) -> Iterator[KioskDisk]:
    with closing(premises.disk()) as opened:
        yield opened


def corrections(premises: Premises, disk: KioskDisk) -> list[dict[str, object]]:
    rows = [row for row in disk.records.all() if row.kind == messages.CLOCK]
    return [dict(premises.seal.facts_of(row.payload) or {}) for row in rows]


def serve(premises: Premises, disk: KioskDisk) -> None:
    premises.commit(disk)
    disk.clock.note(premises.times.now())


def test_e17_the_network_comes_and_the_boot_is_corrected_once(
    premises: Premises, disk: KioskDisk
) -> None:
    serve(premises, disk)
    disk.clock.correct()
    assert corrections(premises, disk) == []
    premises.times.boot_s += 600
    premises.times.utc += timedelta(minutes=10)
    serve(premises, disk)
    premises.times.utc += timedelta(days=3)
    premises.times.trust = ClockTrust.NTP
    for _ in range(2):
        disk.clock.correct()
    [told] = corrections(premises, disk)
    assert told["boot_id"] == "boot-1"
    assert told["offset_ms"] == 3 * 86_400_000
    assert told["utc"] == premises.times.now().iso
    assert disk.verify_chain(premises.seal) is None
    row = list(disk.records.all())[-1]
    assert row.record_id in premises.waiting()  # it is on its way to the registry
    facts = premises.seal.facts_of(row.payload)
    assert facts is not None
    assert parse_correction(messages.canonical(dict(facts))).err_ms == 1000


def test_records_of_a_sure_clock_need_none(premises: Premises, disk: KioskDisk) -> None:
    premises.times.trust = ClockTrust.NTP
    serve(premises, disk)
    disk.clock.correct()
    assert corrections(premises, disk) == []


def test_after_a_reboot_nothing_can_be_said_of_the_boot_before(
    premises: Premises, disk: KioskDisk
) -> None:
    serve(premises, disk)
    premises.times.reboot()
    premises.times.trust = ClockTrust.NTP
    disk.clock.correct()
    assert corrections(premises, disk) == []
    premises.times.trust = ClockTrust.RTC
    serve(premises, disk)
    premises.times.trust = ClockTrust.NTP
    disk.clock.correct()
    [told] = corrections(premises, disk)
    assert told["boot_id"] == premises.times.boot_id


def test_a_kiosk_that_starts_again_in_the_same_boot_still_owes_it(premises: Premises) -> None:
    with closing(premises.disk()) as disk:
        serve(premises, disk)
    premises.times.trust = ClockTrust.NTP
    with closing(premises.disk()) as disk:
        disk.clock.correct()
        assert len(corrections(premises, disk)) == 1


def test_the_floor_is_what_the_network_said_last(premises: Premises, disk: KioskDisk) -> None:
    disk.clock.note_floor(premises.times.now())
    assert disk.clock.floor() is None
    premises.times.trust = ClockTrust.NTP
    disk.keep_house()
    assert disk.clock.floor() == premises.times.utc


def stamp_of(wall: datetime) -> tuple[datetime, ClockTrust]:
    stamp = at(wall, MonoNs(90 * 10**9), "b", FLOOR, ClockTrust.RTC)
    return stamp.utc, stamp.trust


def test_a_clock_behind_the_floor_is_at_least_the_floor_and_the_time_since_boot() -> None:
    assert stamp_of(FLOOR) == (FLOOR, ClockTrust.RTC)
    least = FLOOR + timedelta(seconds=90)
    assert stamp_of(FLOOR - timedelta(seconds=1)) == (least, ClockTrust.FLOOR)
    assert stamp_of(datetime(1970, 1, 1, tzinfo=UTC)) == (least, ClockTrust.FLOOR)


def test_a_floor_is_raised_never_lowered() -> None:
    time = SystemTime()
    time.raise_floor(None)
    time.raise_floor(datetime(2020, 1, 1, tzinfo=UTC))
    assert time.now().trust is not ClockTrust.FLOOR
    time.raise_floor(datetime(2200, 1, 1, tzinfo=UTC))
    assert time.now().trust is ClockTrust.FLOOR
    assert time.now().utc.year == 2200


WALL = {"now", "utcnow", "today", "time", "time_ns", "localtime", "gmtime"}
MAY_ASK_THE_WALL = {
    "edge/app/clock.py": "the one place where the kiosk reads a clock",
    "edge/app/ids.py": "record ids begin with the time, for people; nothing is computed with it",
    "edge/app/doctor_system.py": "tells a technician; decides nothing",
    "edge/evaluate/bench.py": "dates a report",
    "edge/evaluate/cli.py": "dates a report",
}


def wall_clock_readers() -> set[str]:
    """Files that call `datetime.now()`, `date.today()`, `time.time()` and their like."""
    found = set()
    for path in sorted((ROOT / "edge").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            owner = node.func.value
            of_a_module = isinstance(owner, ast.Name) and owner.id in ("datetime", "date", "time")
            if of_a_module and node.func.attr in WALL:
                found.add(str(path.relative_to(ROOT)))
    return found


def test_deadlines_and_limits_know_no_wall_clock() -> None:
    """Whoever may not read one cannot wait by it; all others get `TimeSource` or monotonic time."""
    assert wall_clock_readers() == set(MAY_ASK_THE_WALL)

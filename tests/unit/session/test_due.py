"""The receipt's next date: by the category's own rule, and never from a clock nobody trusts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from edge.domain.cycles import Cycle, due_after
from edge.domain.timebase import ClockTrust, MonoNs, Stamp
from edge.session import effects as fx
from edge.session.events import Button, Judged, Pressed, RecordStored, RosterAnswered
from edge.session.machine import start, step
from edge.session.states import Language, Storing, Watching
from tests.session_world import ENTRY, KEY, LAID_DOWN, World, verdict


def printed_due(cycle: Cycle, *, trust: ClockTrust = ClockTrust.NTP, alike: bool = True) -> object:
    world = World()
    # 18:00 UTC is already the next day in China.
    now = Stamp(datetime(2026, 11, 22, 18, 0, tzinfo=UTC), MonoNs(0), "boot", trust)
    session = start(Language.ZH).session
    effects: list[fx.Effect] = []

    def do(event: object) -> None:
        nonlocal session
        moved = step(session, event, world.context(now=now))  # type: ignore[arg-type]
        session = moved.session
        effects.extend(moved.effects)

    do(LAID_DOWN)
    do(RosterAnswered(KEY, replace(ENTRY, cycle=cycle)))
    for button in (Button.ENTER, Button.APPLY, Button.AGREE):
        do(Pressed(button))
    assert isinstance(session.state, Watching)
    do(Judged(session.state.watch_id, verdict(alike=True if alike else None)))
    do(Pressed(Button.SUBMIT))
    assert isinstance(session.state, Storing)
    do(RecordStored(session.state.record.record_id, True))
    return next(e for e in effects if isinstance(e, fx.PrintReceipt)).due_by


def test_passed_means_the_next_cycle_by_the_categorys_rule() -> None:
    assert printed_due(Cycle.ROLLING) == date(2027, 11, 23)
    assert printed_due(Cycle.CALENDAR) == date(2027, 12, 31)


def test_e17_a_clock_nobody_trusts_promises_no_date() -> None:
    assert printed_due(Cycle.ROLLING, trust=ClockTrust.UNKNOWN) is None


def test_not_yet_decided_means_this_cycle() -> None:
    assert printed_due(Cycle.ROLLING, alike=False) == ENTRY.due_by


@pytest.mark.parametrize(
    ("cycle", "day", "due"),
    [
        (Cycle.ROLLING, date(2024, 2, 29), date(2025, 2, 28)),
        (Cycle.ROLLING, date(2026, 12, 31), date(2027, 12, 31)),
        (Cycle.CALENDAR, date(2026, 1, 1), date(2027, 12, 31)),
    ],
)
def test_due_after(cycle: Cycle, day: date, due: date) -> None:
    assert due_after(cycle, day) == due

"""A world for the machine: fixed clock, counted ids, one invented person."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime

import pytest

from edge.domain.challenge import Action, Prompt, Reason, WatchProgress
from edge.domain.people import CardIdentity, CardKey, CardKind, PersonId, RosterEntry, Sex
from edge.domain.record import Provenance, RecordId, Reference, Score, Verdict
from edge.domain.spelling import Spelling
from edge.domain.timebase import NS_PER_S, ClockTrust, MonoNs, Stamp
from edge.session.events import CardRead
from edge.session.machine import ConsentText, Context, Policy
from edge.session.states import Language

NUMBER = "100000194508150029"
NAME = "测试长者"
KEY = CardKey("a" * 64)
SPELLING = Spelling(
    {"li": "李丽力", "ji": "吉", "si": "四", "wang": "王汪旺" + "往" * 9, "yang": "杨"}
)
ACTIONS = (Action.LEFT, Action.UP, Action.MOUTH, Action.RIGHT)

CARD = CardIdentity(
    kind=CardKind.RESIDENT,
    name=NAME,
    sex=Sex.FEMALE,
    birth=date(1945, 8, 15),
    id_number=NUMBER,
    valid_from=date(2015, 1, 1),
    valid_to=None,
    photo=b"\x01" * 1024,
)
LAID_DOWN = CardRead(CARD, KEY, (), "05.03-20200101-0001234567-0987654321")
ENTRY = RosterEntry(KEY, PersonId("p-1"), "测**者", "离退休", date(2026, 12, 31))


class World:
    """Makes contexts; time moves only when a test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.ids = itertools.count(1)

    def context(self, **changes: object) -> Context:
        stamp = Stamp(datetime(2026, 11, 23, tzinfo=UTC), MonoNs(0), "boot", ClockTrust.NTP)
        values: dict[str, object] = {
            "now": stamp,
            "now_ns": MonoNs(int(self.now_s * NS_PER_S)),
            "new_record_id": lambda: RecordId(f"record-{next(self.ids)}"),
            "new_receipt_no": lambda: f"R-{next(self.ids)}",
            "draw_actions": lambda left_out: ACTIONS,
            "card_key": lambda number: KEY if number == NUMBER else CardKey(f"{number:0>64}"),
            "spelling": SPELLING,
            "ticket": "1-07",
            "kiosk_id": "K-1",
            "site": "测试社区",
            "software": "0.1.0",
            "provenance": Provenance.SIMULATED,
            "policy": Policy(),
            "has_scanner": True,
            "consent_texts": {
                Language.ZH: ConsentText("1", "c" * 64),
                Language.EN: ConsentText("1", "d" * 64),
            },
            "enrol_texts": {
                Language.ZH: ConsentText("e1", "e" * 64),
                Language.EN: ConsentText("e1", "f" * 64),
            },
            "own_texts": {
                Language.ZH: ConsentText("o1", "1" * 64),
                Language.EN: ConsentText("o1", "2" * 64),
            },
        }
        return Context(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture
def world() -> World:
    return World()


def verdict(*, live: bool = True, alike: bool | None = True) -> Verdict:
    """`alike=None`: there was nothing to compare with."""
    likeness = None if alike is None else Score(0.9 if alike else 0.1, 0.5, "m" * 64)
    reasons = () if live and alike else (Reason.NOT_ALIKE if live else Reason.TIMED_OUT,)
    return Verdict(
        live=live,
        actions=ACTIONS,
        liveness=Score(1.0 if live else 0.0, 0.5, "m" * 64),
        likeness=likeness,
        reference=Reference.NONE if alike is None else Reference.CHIP,
        reasons=(Reason.NO_REFERENCE,) if alike is None and live else reasons,
        frames=200,
        seconds=12.0,
    )


def progress(step: int = 1) -> WatchProgress:
    return WatchProgress(Prompt.UP, None, step, len(ACTIONS))

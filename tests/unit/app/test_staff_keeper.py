"""Who waits for an answer of the service thread gets one, and never a better one than there is."""

from __future__ import annotations

from typing import Any

from edge.app.staff import StaffKeeper, StaffParts
from edge.domain.findings import CODES, Status
from edge.domain.timebase import MonoNs
from edge.session.effects import Examine
from edge.session.events import Examined
from edge.session.states import Home, Language, Session


class FallingDesk:
    """A doctor who trips over a bug of his own."""

    def examine(self, *_: Any) -> Any:
        raise ZeroDivisionError("of the test")


def test_a_check_that_breaks_off_is_no_clean_bill_of_health() -> None:
    heard: list[Any] = []
    parts = StaffParts(door=None, desk=FallingDesk())  # type: ignore[arg-type]
    session = Session(Home(), Language.ZH)
    keeper = StaffKeeper(parts, lambda: session, heard.append, lambda: (), lambda: MonoNs(0))
    keeper.order(Examine(7))
    keeper.turn(wait_s=1.0)
    (answer,) = heard
    assert isinstance(answer, Examined)
    assert answer.order_id == 7
    assert [found.part for found in answer.findings] == list(CODES)
    assert {found.status for found in answer.findings} == {Status.FAILED}

"""The pages of somebody's own data and of opinions, as states of the one invented person."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from edge.domain.challenge import Prompt, WatchProgress
from edge.domain.matters import About, Held, HeldProof, MatterKind
from edge.domain.opinions import QUESTIONS, Grievance, Rating
from edge.domain.people import PersonId
from edge.domain.record import RecordId
from edge.session.mine_states import (
    AskingMine,
    Complaint,
    Filing,
    Mine,
    MinePage,
    Print,
    Purpose,
    Said,
    Saying,
    Survey,
    Withdrawing,
)
from edge.session.states import (
    Consenting,
    Language,
    ShowingHistory,
    State,
    Turned,
    Visit,
    Watching,
    Why,
)
from tests.session_world import World

PROOFS = tuple(
    HeldProof(date(year, 4, 9), method, place, "passed", counts=counts, receipt_no=f"K1-{year}")
    for year, method, place, counts in (
        (2026, "kiosk", "桂园社区", False),
        (2025, "data", "桂园街道社保所", True),
        (2024, "kiosk", "桂园社区", True),
        (2023, "visit", "桂园街道社保所", True),
        (2022, "video", "桂园街道社保所", True),
    )
)
HELD = Held("测**者", "retired", "桂园街道桂园社区", date(2026, 12, 31), None, PROOFS)
NUMBER = "7QF3-0XKM-2C9D-V5TA"


def own(visit: Visit, purpose: Purpose = Purpose.MINE) -> Visit:
    """Who proved who they are, and was told everything."""
    return replace(visit, purpose=purpose, proven=RecordId("access"), held=HELD)


def own_states(visit: Visit) -> dict[str, State]:
    proven, context = own(visit), World().context()
    untold = replace(proven, held=None)
    pages = {page: Mine(proven, page) for page in MinePage}
    matter = context.matter(proven, MatterKind.CORRECTION, about=About.NAME)
    gone = context.withdrawal(PersonId("p-1"), Language.ZH)
    printing = replace(pages[MinePage.PRINT], order_id=7)
    filed = replace(pages[MinePage.FILED], number=NUMBER, order_id=7)
    withdrawn = replace(pages[MinePage.WITHDRAWN], number="0A1B2C3D", order_id=7)
    return {
        "mine_this_year": ShowingHistory(replace(visit, purpose=Purpose.MINE)),
        "consent_own": Consenting(replace(visit, purpose=Purpose.MINE)),
        "watch_own": Watching(
            replace(visit, purpose=Purpose.MINE),
            7,
            WatchProgress(Prompt.FRAME_FACE, None, 0, 4),
        ),
        "asking_mine": AskingMine(proven),
        "filing": Filing(proven, matter),
        "mine_withdrawing": Withdrawing(proven, gone, reached=True),
        "mine_menu": pages[MinePage.MENU],
        "mine_data": pages[MinePage.DATA],
        "mine_data_offline": Mine(untold, MinePage.DATA, reached=False),
        "mine_history": pages[MinePage.HISTORY],
        "mine_history_next": replace(pages[MinePage.HISTORY], sheet=1),
        "mine_history_offline": Mine(untold, MinePage.HISTORY, reached=False),
        "mine_history_unknown": Mine(untold, MinePage.HISTORY),
        "mine_papers": pages[MinePage.PAPERS],
        **{f"mine_print_{news.value}": replace(printing, paper=news) for news in Print},
        "mine_correct": pages[MinePage.CORRECT],
        "mine_correct_next": replace(pages[MinePage.CORRECT], sheet=1),
        "mine_sure": replace(pages[MinePage.SURE], about=About.BIRTH),
        "mine_filed": replace(filed, paper=Print.PRINTED),
        "mine_filed_offline": replace(filed, paper=Print.FAILED, online=False),
        "mine_withdraw": pages[MinePage.WITHDRAW],
        "mine_withdrawn": replace(withdrawn, paper=Print.PRINTED, here=True),
        "mine_withdrawn_not_here": replace(withdrawn, paper=Print.FAILED),
        "turned_not_proven": Turned(Why.NOT_PROVEN, visit),
    }


def opinion_states() -> dict[str, State]:
    context = World().context()
    asked = (Survey((Rating.GOOD,) * done) for done in range(len(QUESTIONS)))
    complaint = replace(context.opinion((), Grievance.WAITING, numbered=True), number=NUMBER)
    return {
        **{f"survey_{name}": state for name, state in zip(QUESTIONS, asked, strict=True)},
        "feedback": Complaint(),
        "feedback_next": Complaint(sheet=1),
        "feedback_call_back": Complaint(Grievance.WAITING),
        "saying": Saying(complaint),
        "said": Said(context.opinion((), Grievance.WAITING, numbered=False), online=True),
        "said_number": Said(complaint, online=False, order_id=7, paper=Print.PRINTED),
        "said_no_paper": Said(complaint, online=True, order_id=7, paper=Print.FAILED),
    }

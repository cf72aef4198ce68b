"""Where a session can be while somebody looks at what is kept of them, or says how it was."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from edge.domain.errors import Fault
from edge.domain.matters import About, Matter
from edge.domain.opinions import Grievance, Opinion, Rating
from edge.domain.templates import TemplateEvent

if TYPE_CHECKING:
    from edge.session.states import Visit

ROWS = 4
"""Records that fit on a page that never scrolls."""

ABOUTS = ((About.NAME, About.BIRTH), (About.NUMBER, About.PHONE), (About.ADDRESS, About.OTHER))
GRIEVANCES = ((Grievance.WAITING, Grievance.DEVICE), (Grievance.STAFF, Grievance.OTHER))
"""Two at a time, so that the way to the next ones is the third choice."""


class Purpose(Enum):
    """What the face is for in this visit; everything but `CERTIFY` only proves who it is."""

    CERTIFY = "certify"
    HISTORY = "history"
    MINE = "mine"
    REPRINT = "reprint"


class MinePage(Enum):
    MENU = "menu"
    DATA = "data"
    HISTORY = "history"
    PAPERS = "papers"
    PRINT = "print"
    CORRECT = "correct"
    SURE = "sure"  # that this is what they want to have corrected
    FILED = "filed"
    WITHDRAW = "withdraw"  # what will be deleted, and whether they want that
    WITHDRAWN = "withdrawn"


class Print(Enum):
    """What became of something to be printed."""

    PRINTING = "printing"
    PRINTED = "printed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Filing:
    """Something about this person's own data is on its way to the disk."""

    visit: Visit
    matter: Matter = field(repr=False)


@dataclass(frozen=True, slots=True)
class Withdrawing:
    """This person's template is being deleted."""

    visit: Visit
    event: TemplateEvent = field(repr=False)
    reached: bool


@dataclass(frozen=True, slots=True)
class AskingMine:
    """The registry is being asked for what it keeps of this person."""

    visit: Visit


@dataclass(frozen=True, slots=True)
class Mine:
    """我的信息, for somebody who proved who they are; what the registry told is in the visit.

    `reached`: it told something, if only that there is nothing. `here`: this kiosk had a template.
    """

    visit: Visit
    page: MinePage
    reached: bool = True
    sheet: int = 0
    about: About | None = None
    number: str = ""
    online: bool = True
    order_id: int = 0
    paper: Print | None = None
    fault: Fault | None = None
    here: bool = False


@dataclass(frozen=True, slots=True)
class Survey:
    """问卷调查: the questions answered so far."""

    ratings: tuple[Rating, ...] = ()


@dataclass(frozen=True, slots=True)
class Complaint:
    """投诉反馈: what it is about, then whether somebody shall call back."""

    grievance: Grievance | None = None
    sheet: int = 0


@dataclass(frozen=True, slots=True)
class Saying:
    """An opinion is on its way to the disk."""

    opinion: Opinion


@dataclass(frozen=True, slots=True)
class Said:
    """On the disk. `paper`: what became of the slip with the number, if there is one."""

    opinion: Opinion
    online: bool
    order_id: int = 0
    paper: Print | None = None


MineState = Filing | Withdrawing | AskingMine | Mine
OpinionState = Survey | Complaint | Saying | Said


def sheets(state: Mine) -> int:
    """How many pages this page has, at least one."""
    held = state.visit.held
    if state.page is MinePage.HISTORY and held is not None:
        return max(1, -(-len(held.proofs) // ROWS))
    return len(ABOUTS) if state.page is MinePage.CORRECT else 1

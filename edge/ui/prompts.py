"""Every sentence the kiosk can say, found by asking `view` for every kind of screen.

Nobody keeps a list of prompts: what `view` speaks is a prompt, by its key in the
catalogue. The facts of a site stand in it as the catalogue's own placeholders,
so that a sentence that names the agency is found as one key too.
"""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from edge.domain.challenge import Hint, Prompt, Reason, WatchProgress
from edge.domain.codes import Method, SignedReceipt
from edge.domain.matters import About, Held, HeldProof, Matter, MatterKind
from edge.domain.opinions import QUESTIONS, Grievance, Opinion, Rating
from edge.domain.people import (
    CardFlag,
    CardIdentity,
    CardKey,
    CardKind,
    PastProof,
    PersonId,
    RosterEntry,
    Sex,
)
from edge.domain.record import (
    AssistReason,
    NamedBy,
    Outcome,
    ProofRecord,
    Provenance,
    RecordId,
    Reference,
    Subject,
    Verdict,
)
from edge.domain.staff import StaffMember
from edge.domain.templates import TemplateChange, TemplateEvent
from edge.domain.timebase import ClockTrust, MonoNs, Stamp
from edge.session.assist_states import (
    AssistCard,
    AssistChoice,
    AssistConfirm,
    AssistReasons,
    EnrolConsenting,
    EnrolFailed,
    Enrolled,
    Enrolling,
    EnrolReviewing,
    Vouching,
)
from edge.session.codes_states import (
    AwaitingOwner,
    CheckingCode,
    CodeNews,
    CodeTold,
    CopyNews,
    Reprinting,
    Scanning,
    ScanWay,
)
from edge.session.helping_states import (
    AwaitingHelper,
    CardNews,
    CheckingHelper,
    ConfirmingHelper,
    Helper,
    NamingTarget,
    NumberFault,
    TypingName,
    TypingNumber,
    WhoFor,
)
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
from edge.session.pace_states import Pace
from edge.session.staff_states import Service, ServicePage, StaffChecking, StaffSignIn
from edge.session.states import (
    AskingRegistry,
    AwaitingCard,
    Choosing,
    Confirming,
    Consenting,
    Finished,
    Home,
    Informing,
    Language,
    LookingUp,
    PaperNews,
    Retrying,
    Reviewing,
    Session,
    ShowingHistory,
    State,
    Storing,
    Topic,
    Turned,
    Visit,
    Watching,
    Why,
)
from edge.ui.screen import Facts, Screen
from edge.ui.texts import TextError, catalogue, placeholders
from edge.ui.viewmodel import view

CAPTION_DIFFERS = {
    "not_found.spoken": "the title's words are prescribed (未查到该对象认证信息!) and too stiff to "
    "be said to a person; title, lines and keys say the same",
}
"""Sentences whose words are not on the screen as they are spoken, each with the reason."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One prompt. `words` have `{agency}` and `{phone}` open; `uncaptioned` are its clauses that
    some screen speaks without showing them.
    """

    key: str
    words: str
    uncaptioned: tuple[str, ...] = ()

    @property
    def is_fixed(self) -> bool:
        """Whether every kiosk says the same."""
        return not placeholders(self.words)

    def at(self, site: Facts) -> str:
        """As the kiosk of this site says it."""
        return filled(self.words, site)


def filled(template: str, site: Facts) -> str:
    return template.format(agency=site.agency_name, phone=site.phone)


@cache
def sentences(language: Language) -> tuple[Sentence, ...]:
    """All prompts of a language, by key. Raises `TextError` for spoken words of no catalogue."""
    keys = _keys(language)
    found: dict[str, set[str]] = {}
    for screen in _screens(language):
        bare = uncaptioned(screen)
        for words in screen.spoken.split("\n") if screen.spoken else ():
            if words not in keys:
                raise TextError(f"{screen.name} speaks words of no one key: {words}")
            found.setdefault(keys[words], set()).update(c for c in clauses(words) if c in bare)
    texts = catalogue(language)
    return tuple(Sentence(key, texts[key], tuple(sorted(found[key]))) for key in sorted(found))


def _keys(language: Language) -> Mapping[str, str]:
    """Words → key. Keys for fingers and paper are never spoken and may say the same."""
    counts: dict[str, list[str]] = {}
    for key, words in catalogue(language).items():
        if not key.startswith(("button.", "receipt.")):
            counts.setdefault(words, []).append(key)
    return {words: keys[0] for words, keys in counts.items() if len(keys) == 1}


# --- captions -------------------------------------------------------------------


def uncaptioned(screen: Screen) -> set[str]:
    """Clauses the screen speaks and does not show."""
    shown = _bare(" ".join(_shown(screen)))
    return {clause for clause in clauses(screen.spoken) if _bare(clause) not in shown}


def clauses(words: str) -> list[str]:
    """The parts of a text between marks that make a pause."""
    return [part.strip() for part in re.split(r"[。！？，；.!?,;\n]+", words) if part.strip()]


def _bare(words: str) -> str:
    """What is left without case, spaces, quotes and marks."""
    return re.sub(r"[\W_]+", "", words).lower()


def _shown(screen: Screen) -> Iterator[str]:
    yield from (screen.headline, *screen.lines, screen.advice, screen.hint, screen.note)
    yield from itertools.chain(*screen.fields)


# --- pinyin ---------------------------------------------------------------------


@cache
def pinyin() -> Mapping[str, str]:
    """Our own reading of each Chinese prompt by key: tone numbers, words joined, as it is said."""
    source = files("edge.ui") / "texts" / "zh.pinyin.toml"
    table: dict[str, str] = tomllib.loads(source.read_text(encoding="utf-8"))["prompts"]
    return MappingProxyType(table)


# --- every kind of screen -------------------------------------------------------

_SITE = Facts("", "", agency_name="{agency}", office="{office}", phone="{phone}", simulated=False)
_NOW = MonoNs(0)
_STAMP = Stamp(datetime(2000, 1, 1, tzinfo=UTC), _NOW, "", ClockTrust.UNKNOWN)
_CARD = CardIdentity(CardKind.RESIDENT, "", Sex.UNKNOWN, None, "", None, None)
_DAY = date(2000, 1, 1)
_ENTRY = RosterEntry(
    CardKey(""), PersonId(""), "", "", _DAY, certified_on=_DAY, past=(PastProof(_DAY, ""),)
)
_RECEIPT = SignedReceipt("", "", "", Outcome.PASSED, Method.CHIP, None, None, "", False)
_VISIT = Visit(_CARD, CardKey(""), (), "", _STAMP, _ENTRY)
_HELD = Held("", "", "", _DAY, None, (HeldProof(_DAY, "", "", "passed", counts=True),))
_ENROLMENT = TemplateEvent(
    RecordId(""),
    "",
    TemplateChange.ENROLLED,
    PersonId(""),
    _STAMP,
    Provenance.LIVE,
    "",
)


def _screens(language: Language) -> Iterator[Screen]:
    for state, card_lies, warned in itertools.product(_states(), (False, True), (False, True)):
        deadline = None if isinstance(state, Home) else _NOW
        session = Session(state, language, deadline_ns=deadline, warned=warned, card_lies=card_lies)
        yield view(session, _NOW, _SITE)


def _states() -> Iterator[State]:
    """At least one state for each thing `view` can say."""
    yield from (Home(), AwaitingCard(), AwaitingCard(1), LookingUp(_VISIT), Choosing(_VISIT))
    yield AskingRegistry(_VISIT)
    yield from _helping_states()
    yield from (Confirming(_VISIT), Confirming(replace(_VISIT, flags=tuple(CardFlag))))
    stranger = replace(_VISIT, entry=None)
    yield from (ShowingHistory(_VISIT), ShowingHistory(stranger), Consenting(_VISIT))
    for prompt, hint in itertools.product(Prompt, (None, *Hint)):
        yield Watching(_VISIT, 0, WatchProgress(prompt, hint, 0, 1))
    for reason, exhausted in itertools.product((None, *Reason), (False, True)):
        yield Retrying(_VISIT, _verdict(reason), exhausted)
    yield Pace(Consenting(_VISIT))
    yield Reviewing(_VISIT, _verdict(None))
    yield Storing(_VISIT, _record(Outcome.PASSED))
    for outcome, paper, online in itertools.product(Outcome, PaperNews, (True, False)):
        yield Finished(_VISIT, _record(outcome), online, paper)
    checked = replace(_VISIT, entry=replace(_ENTRY, to_staff=True))
    yield Finished(checked, _record(Outcome.NEEDS_REVIEW), True, PaperNews.PRINTING)
    yield from (Turned(why, _VISIT) for why in Why)
    yield from (Informing(topic, Home()) for topic in Topic)
    yield from (StaffSignIn(), StaffChecking(0, ""), EnrolConsenting(_VISIT))
    yield from (
        EnrolReviewing(_VISIT, _verdict(None)),
        Enrolled(_VISIT, _ENROLMENT, _verdict(None)),
    )
    yield from (EnrolFailed(_VISIT, _verdict(None), exhausted) for exhausted in (True, False))
    yield from (AssistCard(StaffMember("", frozenset())), AssistConfirm(_VISIT))
    yield from (AssistChoice(_VISIT), AssistReasons(_VISIT), Vouching(_VISIT, AssistReason.OTHER))
    yield Enrolling(_VISIT, _ENROLMENT, _verdict(None))
    yield Mine(replace(_VISIT, witness=StaffMember("", frozenset())), MinePage.MENU)
    yield Service(StaffMember("", frozenset()), ServicePage.SOUND)
    yield from _code_states()
    yield from _own_states()


def _helping_states() -> Iterator[State]:
    helper = Helper(_CARD, CardKey(""), (), "", _STAMP)
    yield from (WhoFor(), AwaitingHelper(), AwaitingHelper(1), ConfirmingHelper(helper))
    yield CheckingHelper(helper)
    yield from (NamingTarget(helper, news) for news in (None, *CardNews))
    yield from (TypingNumber(helper, "", fault) for fault in (None, *NumberFault))
    yield from (TypingName(helper, "", missed=missed) for missed in (False, True))
    visit = replace(_VISIT, helper=helper, named_by=NamedBy.TYPED)
    yield from (Confirming(visit), Consenting(visit), Reviewing(visit, _verdict(None)))


def _own_states() -> Iterator[State]:
    """Their own data, and what people say of the service."""
    mine = replace(_VISIT, purpose=Purpose.MINE)
    yield from (ShowingHistory(mine), Consenting(mine), AskingMine(mine))
    for page, held in itertools.product(MinePage, (None, _HELD, replace(_HELD, proofs=()))):
        shown = Mine(replace(mine, held=held), page, about=About.NAME, paper=Print.PRINTED)
        yield from (shown, replace(shown, reached=False))
    yield from (Mine(mine, MinePage.PRINT, paper=paper) for paper in Print)
    filed = Matter(RecordId(""), "", Subject("", "", CardKind.RESIDENT), MatterKind.ACCESS, None,
                   "", None, None, _STAMP, Provenance.LIVE, "")  # fmt: skip
    gone = TemplateEvent(RecordId(""), "", TemplateChange.WITHDRAWN, PersonId(""), _STAMP,
                         Provenance.LIVE, "")  # fmt: skip
    yield from (Filing(mine, filed), Withdrawing(mine, gone, reached=True))
    said = Opinion(RecordId(""), "", (), None, "", _STAMP, Provenance.LIVE, "")
    yield from (Survey((Rating.GOOD,) * done) for done in range(len(QUESTIONS)))
    yield from (Complaint(), Complaint(Grievance.OTHER), Saying(said), Said(said, online=True))


def _code_states() -> Iterator[State]:
    yield from (Scanning(Home(), way) for way in ScanWay)
    yield from (CodeTold(Home(), news, _RECEIPT) for news in CodeNews)
    yield from (CheckingCode(Home(), 0), AwaitingOwner(Home(), ""))
    yield from (Reprinting(Home(), 0, news) for news in CopyNews)


def _verdict(reason: Reason | None) -> Verdict:
    reasons = (reason,) if reason else ()
    return Verdict(False, (), None, None, Reference.NONE, reasons, 0, 0.0)


def _record(outcome: Outcome) -> ProofRecord:
    return ProofRecord(
        record_id=RecordId(""),
        kiosk_id="",
        site="",
        subject=Subject("", "", CardKind.RESIDENT),
        person_id=None,
        outcome=outcome,
        reasons=(),
        consent=None,
        verdict=None,
        attempts=0,
        receipt_no="",
        reader_id="",
        started=_STAMP,
        finished=_STAMP,
        provenance=Provenance.LIVE,
        software="",
    )

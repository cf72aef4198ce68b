"""Every screen there is, as sessions of one invented person, and a keeper that shows them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from edge.domain.challenge import Hint, Prompt, Reason, WatchProgress
from edge.domain.codes import LetterService, Method, SignedReceipt
from edge.domain.errors import Fault
from edge.domain.findings import CODES, Finding, Status, of_state
from edge.domain.health import Condition, DeviceState
from edge.domain.matters import About
from edge.domain.people import CardFlag, CardKey, PastProof
from edge.domain.record import AssistReason, NamedBy, Outcome, ProofRecord, RecordId
from edge.domain.staff import Permission, Refusal, StaffMember
from edge.domain.templates import TemplateChange
from edge.domain.timebase import NS_PER_S, MonoNs
from edge.session.assist_states import (
    REASONS,
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
from edge.session.events import Button, Pressed
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
    option_sheets,
)
from edge.session.machine import Policy, step
from edge.session.mine_states import ABOUTS, Mine, MinePage, Print, Said
from edge.session.pace_states import Pace
from edge.session.staff_states import (
    PowerWish,
    Service,
    ServiceFacts,
    ServicePage,
    SignInStep,
    SlipNews,
    StaffChecking,
    StaffSignIn,
)
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
from edge.ui.findings import told
from edge.ui.screen import Facts
from edge.ui.texts import name_characters
from tests.own_world import HELD, opinion_states, own, own_states
from tests.session_world import CARD, ENTRY, LAID_DOWN, World, verdict

FACTS = Facts(
    terminal_no="0001",
    site="桂园社区",
    agency_name="桂园街道社保所",
    office="桂园社区服务中心",
    phone="0755-12345678",
    simulated=True,
    nearest="柳荫社区，银行对面",
)
NOW = MonoNs(1_000 * NS_PER_S)
IDLE_S = Policy().idle_s

PAST = (
    PastProof(date(2023, 5, 6), "visit"),
    PastProof(date(2024, 4, 9), "kiosk"),
    PastProof(date(2025, 5, 20), "data"),
)
KNOWN = replace(ENTRY, past=PAST)
TO_STAFF_ENTRY = replace(KNOWN, to_staff=True)
DONE = replace(KNOWN, certified_on=date(2026, 3, 1), due_by=date(2027, 3, 31))
VISIT = Visit(LAID_DOWN.card, LAID_DOWN.key, (), LAID_DOWN.reader_id, World().context().now, KNOWN)

TO_STAFF = replace(VISIT, entry=TO_STAFF_ENTRY)


def watching(prompt: Prompt, hint: Hint | None = None, done: int = 1) -> Watching:
    return Watching(VISIT, 7, WatchProgress(prompt, hint, done, 4))


def record(outcome: Outcome) -> ProofRecord:
    """A record as the machine itself makes it, with another outcome written in."""
    world = World()
    asked = Session(Consenting(VISIT), Language.ZH)
    made = step(asked, Pressed(Button.DECLINE), world.context()).session.state
    assert isinstance(made, Storing)
    waits = outcome in (Outcome.DECLINED, Outcome.CALLED)
    ticket = "1-07" if waits else ""
    return replace(made.record, outcome=outcome, receipt_no="K1-000042", ticket=ticket)


def finished(
    outcome: Outcome, paper: PaperNews = PaperNews.PRINTED, *, online: bool = True
) -> Finished:
    return Finished(VISIT, record(outcome), online, paper)


RESULTS = tuple(finished(Outcome.PASSED, paper) for paper in PaperNews)
"""Of people who went on from there."""

BADGE = "204816"
TRIES_OUT = ("camera_picture", "printer_slip", "voice_sound")
"""Parts that need the devices; staff try them on pages of their own."""
TECHNICIAN = StaffMember(BADGE, frozenset(Permission))
CLERK = StaffMember(BADGE, frozenset({Permission.SERVICE, Permission.WITNESS}))
SINCE = "2026-11-23T02:00:00.000Z"
DEVICES = tuple(
    DeviceState(name, condition, detail, SINCE)
    for name, condition, detail in (
        ("camera", Condition.OK, ""),
        ("card_reader", Condition.ABSENT, "/dev/ttyUSB0: no such port"),
        ("disk", Condition.OK, ""),
        ("panel", Condition.HOUSING_OPEN, ""),
        ("printer", Condition.NEAR_END, ""),
        ("voice", Condition.OK, ""),
    )
)
WELL = ServiceFacts(
    devices=tuple(replace(state, condition=Condition.OK, detail="") for state in DEVICES),
    link_up=True,
    link_seen=SINCE,
    waiting=0,
    held=0,
    software="0.1.0",
    models=(
        ("face_detector", "3bc182eb"), ("face_mesh", "2efcb4f4"),
        ("eye_contour", "d1744d2a"), ("face_embedding", "4d2ade98"),
    ),
)  # fmt: skip
UNWELL = replace(WELL, devices=DEVICES, link_up=False, waiting=17, held=2)
FOUND = (
    Finding("models", Status.OK, "well", {"count": 4}),
    Finding("keys", Status.WARNING, "expiring", {"days": 12, "day": "2026-12-05"}),
    Finding("camera_picture", Status.NOT_TRIED, "busy"),
    Finding("clock", Status.OK, "battery", {"time": "2026-11-23 10:00:00"}),
    *(of_state(state) for state in DEVICES[:2]),
)


def on(page: ServicePage, **changes: Any) -> Service:
    return Service(TECHNICIAN, page, **{"facts": UNWELL, **changes})


def staff_states() -> dict[str, State]:
    """Sign-in and service."""
    check, tests = on(ServicePage.CHECK, findings=FOUND), on(ServicePage.TESTS)
    off, restart = (on(ServicePage.CONFIRM, wish=wish) for wish in PowerWish)
    return {
        "staff_badge": StaffSignIn(),
        "staff_badge_typed": StaffSignIn(typed=BADGE[:4]),
        "staff_pin": StaffSignIn(SignInStep.PIN, BADGE, "1357"),
        "staff_wrong": StaffSignIn(SignInStep.PIN, BADGE, refusal=Refusal.WRONG),
        "staff_locked": StaffSignIn(refusal=Refusal.LOCKED),
        "staff_old_list": StaffSignIn(refusal=Refusal.OLD_LIST),
        "staff_checking": StaffChecking(7, BADGE),
        "service_menu": on(ServicePage.MENU),
        "service_menu_well": on(ServicePage.MENU, facts=WELL),
        "service_menu_reading": on(ServicePage.MENU, facts=None),
        "service_devices": on(ServicePage.DEVICES),
        "service_devices_next": on(ServicePage.DEVICES, sheet=1),
        "service_checking": on(ServicePage.CHECK),
        "service_check": check,
        "service_check_next": replace(check, sheet=1),
        "service_tests": tests,
        "service_printing": replace(tests, slip=SlipNews.PRINTING),
        "service_printed": replace(tests, slip=SlipNews.PRINTED),
        "service_print_failed": replace(tests, slip=SlipNews.FAILED, fault=Fault.EMPTY),
        "service_camera": on(ServicePage.CAMERA),
        "service_camera_failed": on(ServicePage.CAMERA, fault=Fault.SILENT),
        "service_sound": on(ServicePage.SOUND, volume=60),
        "service_kiosk": on(ServicePage.KIOSK),
        "service_power": on(ServicePage.POWER),
        "service_confirm_off": off,
        "service_confirm_restart": restart,
        "service_going_off": replace(off, page=ServicePage.GOING),
        "service_going_restart": replace(restart, page=ServicePage.GOING),
    }


PAPER = SignedReceipt(
    kiosk_id="GY-0755-001",
    receipt_no="7QF3-0XKM-2C9D-V5TA",
    name="测**者",
    outcome=Outcome.PASSED,
    method=Method.CHIP,
    day=date(2026, 11, 23),
    due_by=date(2027, 12, 31),
    phone="0755-12345678",
    simulated=False,
)
CODE = "JZ1:" + "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ" * 10
"""As long as a receipt's code is."""


def code_states() -> dict[str, State]:
    """Scanning, what a code is, and a second copy of a receipt."""
    reviewing = Reviewing(VISIT, verdict())
    return {
        "scan": Scanning(reviewing, ScanWay.SCANNER),
        "scan_from_home": Scanning(Home(), ScanWay.SCANNER),
        "scan_notice": Scanning(Home(), ScanWay.NOTICE),
        "scan_camera": Scanning(Home(), ScanWay.CAMERA, 7),
        "code_checking": CheckingCode(Home(), 7),
        "code_genuine": CodeTold(Home(), CodeNews.GENUINE, PAPER, here=True),
        "code_genuine_simulated": CodeTold(
            Home(), CodeNews.GENUINE, replace(PAPER, simulated=True), here=True
        ),
        "code_genuine_elsewhere": CodeTold(
            Home(), CodeNews.GENUINE, replace(PAPER, day=None, due_by=None, simulated=True)
        ),
        **{
            f"code_{news.value}": CodeTold(reviewing, news)
            for news in CodeNews
            if news is not CodeNews.GENUINE
        },
        "reprint_card": AwaitingOwner(Home(), PAPER.receipt_no),
        "reprint_card_again": AwaitingOwner(Home(), PAPER.receipt_no, 1),
        **{f"reprint_{news.value}": Reprinting(Home(), 7, news) for news in CopyNews},
        "await_card_letter": AwaitingCard(service=LetterService.PROOF),
        "finished_code": replace(finished(Outcome.PASSED, PaperNews.FAILED), code=CODE),
        "finished_code_offline": replace(
            finished(Outcome.NEEDS_REVIEW, PaperNews.FAILED, online=False), code=CODE
        ),
    }


HELPER = Helper(
    replace(LAID_DOWN.card, name="王小明", id_number="100000197001010012"),
    CardKey("b" * 64),
    (),
    LAID_DOWN.reader_id,
    VISIT.started,
)
TARGET = replace(VISIT, helper=HELPER)
TYPED = replace(TARGET, named_by=NamedBy.TYPED)


def helping_states() -> dict[str, State]:
    """本人 / 帮亲友, from the choice to the person who is helped."""
    number = LAID_DOWN.card.id_number
    typing = TypingName(HELPER, number, "测", "74")
    picking = TypingName(HELPER, number, "王", options=tuple(name_characters()["shi"]))
    return {
        "who_for": WhoFor(),
        "await_helper": AwaitingHelper(),
        "await_helper_again": AwaitingHelper(1),
        "confirm_helper": ConfirmingHelper(HELPER),
        "confirm_helper_revealed": ConfirmingHelper(HELPER, True),
        "checking_helper": CheckingHelper(HELPER),
        "name_target": NamingTarget(HELPER),
        "name_target_own": NamingTarget(HELPER, CardNews.OWN),
        "name_target_unread": NamingTarget(HELPER, CardNews.UNREAD),
        "type_number": TypingNumber(HELPER, number[:9]),
        **{f"type_number_{f.value}": TypingNumber(HELPER, number, f) for f in NumberFault},
        "type_name": typing,
        "type_name_empty": TypingName(HELPER, number),
        "type_name_missed": replace(typing, missed=True),
        "type_name_pick": picking,
        "type_name_pick_last": replace(picking, sheet=option_sheets(picking) - 1),
        "type_name_syllable": TypingName(HELPER, number, keys="94", options=("xi", "yi", "zi")),
        "type_name_latin": TypingName(HELPER, number, "LI ", latin=True),
        "type_name_letter": TypingName(HELPER, number, "L", options=tuple("GHI"), latin=True),
        "confirm_target": Confirming(TYPED),
        "consent_target": Consenting(TARGET),
        "review_typed": Reviewing(TYPED, verdict(alike=None)),
        "turned_helper_spent": Turned(Why.HELPER_SPENT, helper=HELPER),
    }


HELPED = replace(VISIT, witness=CLERK)
ENROLMENT = replace(
    World().context().template_event(TemplateChange.ENROLLED, ENTRY.person_id, None, BADGE),
    event_id=RecordId("0193a5c4-7e2b-7b11-8000-000000000042"),
    expires=date(2028, 1, 30),
)


def assist_states() -> dict[str, State]:
    """A member of staff serves a resident."""
    return {
        "assist_card": AssistCard(CLERK),
        "assist_card_again": AssistCard(CLERK, 1),
        "assist_confirm": AssistConfirm(HELPED),
        "assist_confirm_revealed": AssistConfirm(HELPED, True),
        "assist_choice": AssistChoice(HELPED),
        **{f"assist_reasons_{n}": AssistReasons(HELPED, n) for n in range(len(REASONS))},
        "vouching": Vouching(HELPED, AssistReason.HOLD_STILL),
        "enrol_consent": EnrolConsenting(HELPED),
        "enrol_review": EnrolReviewing(HELPED, verdict()),
        "enrol_again": EnrolFailed(HELPED, verdict(live=False), False),
        "enrol_exhausted": EnrolFailed(HELPED, verdict(live=False), True),
        "enrolling": Enrolling(HELPED, ENROLMENT, verdict()),
        "enrolled": Enrolled(HELPED, ENROLMENT, verdict()),
        "mine_menu_vouched": Mine(own(HELPED), MinePage.MENU),
    }


def states() -> dict[str, State]:
    """One of each look a screen can have."""
    expired = replace(VISIT, flags=(CardFlag.EXPIRED,))
    return {
        "home": Home(),
        "await_card": AwaitingCard(),
        "await_card_again": AwaitingCard(1),
        "looking_up": LookingUp(VISIT),
        "asking_registry": AskingRegistry(replace(VISIT, entry=None)),
        "confirm": Confirming(VISIT),
        "confirm_revealed": Confirming(VISIT, True),
        "confirm_expired": Confirming(expired),
        "choose": Choosing(VISIT),
        **{f"choose_{done.paper.value}": Choosing(replace(VISIT, result=done)) for done in RESULTS},
        "history": ShowingHistory(VISIT),
        "history_done": ShowingHistory(replace(VISIT, entry=DONE)),
        "history_empty": ShowingHistory(replace(VISIT, entry=ENTRY)),
        "consent": Consenting(VISIT),
        "pace": Pace(Consenting(VISIT)),
        "watch_frame": watching(Prompt.FRAME_FACE, done=0),
        "watch_frame_no_face": watching(Prompt.FRAME_FACE, Hint.NO_FACE, 0),
        **{f"watch_{p.value}": watching(p) for p in Prompt if p is not Prompt.FRAME_FACE},
        "watch_up_hint": watching(Prompt.UP, Hint.TOO_FAR, 2),
        "retry": Retrying(VISIT, verdict(live=False), False),
        "retry_not_alike": Retrying(VISIT, verdict(alike=False), False),
        "retry_exhausted": Retrying(VISIT, verdict(alike=False), True),
        "review": Reviewing(VISIT, verdict()),
        "review_to_staff": Reviewing(VISIT, verdict(alike=None)),
        "storing": Storing(VISIT, record(Outcome.PASSED)),
        "finished_printing": finished(Outcome.PASSED, PaperNews.PRINTING),
        "finished": finished(Outcome.PASSED),
        "finished_no_paper": finished(Outcome.PASSED, PaperNews.FAILED),
        "finished_offline": finished(Outcome.PASSED, online=False),
        "finished_review": finished(Outcome.NEEDS_REVIEW),
        "finished_declined": finished(Outcome.DECLINED),
        "finished_to_staff": replace(
            finished(Outcome.NEEDS_REVIEW, PaperNews.PRINTING), visit=TO_STAFF
        ),
        "turned_not_found": Turned(Why.NOT_FOUND, replace(VISIT, entry=None)),
        "turned_not_reached": Turned(Why.NOT_REACHED, replace(VISIT, entry=None)),
        **{
            f"turned_not_found_{news.value}": Turned(
                Why.NOT_FOUND, replace(VISIT, entry=None), slip=news, order_id=7
            )
            for news in PaperNews
        },
        "turned_already_done": Turned(Why.ALREADY_DONE, replace(VISIT, entry=DONE)),
        "turned_card_unreadable": Turned(Why.CARD_UNREADABLE, fault=Fault.GARBLED),
        "turned_reader_down": Turned(Why.READER_DOWN, fault=Fault.ABSENT),
        "turned_camera_down": Turned(Why.CAMERA_DOWN, VISIT, Fault.SILENT),
        "turned_store_down": Turned(Why.STORE_DOWN, VISIT),
        "turned_out_of_service": Turned(Why.OUT_OF_SERVICE),
        "help": Informing(Topic.HELP, Choosing(VISIT)),
        "help_from_home": Informing(Topic.HELP, Home()),
        "finished_called": finished(Outcome.CALLED),
        **helping_states(),
        **own_states(VISIT),
        **opinion_states(),
        **staff_states(),
        **assist_states(),
        **code_states(),
    }


def session(state: State, language: Language = Language.ZH, **changes: object) -> Session:
    """A session that has just come to this state."""
    waits = isinstance(state, Home) or state == Turned(Why.OUT_OF_SERVICE)
    deadline = None if waits else MonoNs(NOW + IDLE_S * NS_PER_S)
    fresh = Session(state, language, deadline_ns=deadline)
    return replace(fresh, **changes)  # type: ignore[arg-type]


def hurried(state: State, language: Language = Language.ZH) -> Session:
    """The same with 20 seconds left."""
    return session(state, language, deadline_ns=MonoNs(NOW + 20 * NS_PER_S), warned=True)


class Anything(dict[str, object]):
    """Facts as long as they come, for words that need some."""

    def __missing__(self, key: str) -> object:
        known = {"count": 1234, "saved": 1234, "host": "registry.example.gov.cn", "port": 8883}
        known |= {"folder": "/var/lib/jianzai", "file": "/etc/jianzai/registry-sign.pub"}
        return known.get(key, "2026-11-23 10:00:00" if key in ("at", "time") else 123)


def longest_findings(language: Language) -> tuple[Finding, ...]:
    """The three with most to say of all that a check beside the kiosk may find."""
    found = [
        Finding(part, Status.FAILED, code, Anything())
        for part in CODES
        if part not in TRIES_OUT
        for code in CODES[part]
    ]

    def words(finding: Finding) -> int:
        row = told(finding, language)
        return sum(2 if letter > "\u2000" else 1 for letter in row.state + row.fix)

    return tuple(sorted(found, key=words)[-3:])


def gallery(language: Language) -> Iterator[tuple[str, Session]]:
    """Every look, and those that come from the session rather than from its state."""
    looks = states()
    for name, state in looks.items():
        yield name, session(state, language)
    yield (
        "service_longest",
        session(on(ServicePage.CHECK, findings=longest_findings(language)), language),
    )
    yield "home_card_lies", session(Home(), language, card_lies=True)
    yield "await_card_card_lies", session(AwaitingCard(), language, card_lies=True)
    yield "name_target_card_lies", session(looks["name_target"], language, card_lies=True)
    yield "finished_card_lies", session(looks["finished"], language, card_lies=True)
    for name in ("confirm", "choose", "consent", "watch_left", "finished_offline", "type_number"):
        yield f"{name}_hurry", hurried(looks[name], language)
    for lost in (("camera", "printer"), ("voice", "scanner"), ("panel", "card_reader")):
        yield f"home_lost_{lost[0]}", session(Home(), language, lost=lost)


def every_state() -> Iterator[State]:
    """States with every word a catalogue has: each prompt, hint, reason, fault and cause."""
    yield from states().values()
    yield from (watching(prompt, hint) for prompt in Prompt for hint in (None, *Hint))
    reasons = ((), *((reason,) for reason in Reason))
    for found in reasons:
        told = replace(verdict(live=False), reasons=found)
        yield from (Retrying(VISIT, told, exhausted) for exhausted in (False, True))
    for why in Why:
        for fault in (None, *Fault):
            yield from (Turned(why, None, fault), Turned(why, VISIT, fault))
    for outcome in Outcome:
        for paper in PaperNews:
            yield from (finished(outcome, paper, online=online) for online in (True, False))
    for sex in type(CARD.sex):
        yield Confirming(replace(VISIT, card=replace(CARD, sex=sex)))
    yield from (StaffSignIn(refusal=refusal) for refusal in Refusal)
    yield from (Vouching(HELPED, reason) for reason in AssistReason)
    for outcome, method in itertools.product(Outcome, Method):
        told = replace(PAPER, outcome=outcome, method=method)
        yield CodeTold(Home(), CodeNews.GENUINE, told)
    for fault in Fault:
        yield on(ServicePage.TESTS, slip=SlipNews.FAILED, fault=fault)
        yield on(ServicePage.CAMERA, fault=fault)
    unknown = replace(WELL, link_up=False, link_seen="", waiting=None)
    for page in ServicePage:
        for facts in (None, WELL, UNWELL, unknown):
            yield on(page, facts=facts)
            yield Service(CLERK, page, facts=facts)
    for method in ("kiosk", "visit", "video", "data", "staff", "witness", "manual", "pigeon"):
        entry = replace(KNOWN, past=(PastProof(date(2025, 1, 1), method),))
        yield ShowingHistory(replace(VISIT, entry=entry))
        proof = replace(HELD.proofs[0], method=method)
        yield Mine(replace(own(VISIT), held=replace(HELD, proofs=(proof,))), MinePage.HISTORY)
    for category in ("dibao", "tekun", "dibian", "retired", "other"):
        yield Mine(replace(own(VISIT), entry=replace(KNOWN, category=category)), MinePage.DATA)
    yield Mine(replace(own(VISIT), held=replace(HELD, proofs=())), MinePage.HISTORY)
    for about in About:
        yield Mine(own(VISIT), MinePage.SURE, about=about)
    for sheet in range(len(ABOUTS)):
        yield Mine(own(VISIT), MinePage.CORRECT, sheet=sheet)
    for paper in Print:
        yield Mine(own(VISIT), MinePage.FILED, number="1", paper=paper)
        yield Said(World().context().opinion((), None, numbered=True), online=True, paper=paper)


@dataclass
class Picture:
    """As `edge.ports.Picture`."""

    width: int
    height: int
    rgb: bytes = field(repr=False)


LEFT_COLOUR = (70, 110, 150)
RIGHT_COLOUR = (170, 140, 110)


def picture(width: int = 640, height: int = 480) -> Picture:
    """Two plain halves, so that mirroring shows."""
    row = bytes(LEFT_COLOUR) * (width // 2) + bytes(RIGHT_COLOUR) * (width // 2)
    return Picture(width, height, row * height)


class Keeper:
    """A controller that shows what it is told to and remembers what was posted."""

    def __init__(self, shown: Session) -> None:
        self.shown = shown
        self.time_ns = NOW
        self.posted: list[object] = []
        self.frame: Picture | None = picture()

    def session(self) -> Session:
        return self.shown

    def now_ns(self) -> MonoNs:
        return self.time_ns

    def post(self, event: object) -> None:
        self.posted.append(event)

    def preview(self) -> Picture | None:
        return self.frame

    def portrait(self) -> Picture | None:
        return self.frame

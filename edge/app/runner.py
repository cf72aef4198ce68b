"""The thin shell around the pure machine: threads that only post, and one that steps.

    reader   blocks on the card reader, posts CardRead / CardFailed / CardRemoved
    vision   camera and models while a try is running, posts Watched / Judged
    printer  one receipt at a time, posts ReceiptPrinted / ReceiptFailed
    panel    lamp, fill light and switches, if the housing has any; posts Pressed
    staff    looks at badges and PINs, runs the checks of the service screen
    voice    says the newest words, and looks whether the sound card is there
    scanner  waits for codes, if there is one with an eye of its own; posts CodeScanned
             (without one the vision thread looks for them, when somebody asks for it)
    session  takes events one by one, calls `step`, carries out the effects,
             and is the only one that writes to the disk

An exception at the top of a thread becomes an event and a crash line, never a
silent end. `close()` stops them all and says which one did not.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Protocol

from edge.app import correspondence, logs
from edge.app.correspondence import Correspondence
from edge.app.health import HealthBoard
from edge.app.panel import PanelKeeper
from edge.app.scanner import keep_scanning
from edge.app.sealing import Keyring, told_of
from edge.app.speaker import Speaker
from edge.app.staff import StaffKeeper, StaffParts
from edge.app.templates import TemplateBook
from edge.app.timekeeping import TimeKeeper
from edge.domain.errors import (
    DamagedError,
    DeviceError,
    Fault,
    KioskError,
    StoreError,
    WireError,
)
from edge.domain.health import Condition, DeviceState
from edge.domain.matters import Matter
from edge.domain.opinions import Opinion
from edge.domain.people import CardFlag, CardIdentity, CardKey, RosterEntry
from edge.domain.record import ProofRecord, RecordId
from edge.domain.staff import Deed, Refusal
from edge.domain.templates import TemplateEvent
from edge.domain.timebase import NS_PER_S, MonoNs, Stamp, TimeSource
from edge.ports import (
    CardReader,
    Code,
    Eyes,
    Journal,
    Panel,
    Paper,
    PhotoDecoder,
    Picture,
    Position,
    Printer,
    ReceiptItem,
    Scanner,
    Voice,
    WatchOrder,
)
from edge.session import effects as fx
from edge.session.codes_states import CopyNews
from edge.session.events import (
    Button,
    CardFailed,
    CardRead,
    CardRemoved,
    CodeChecked,
    CodeSeen,
    CopyTold,
    DevicesLost,
    Event,
    HelperChecked,
    HelperSpent,
    HistoryAnswered,
    Judged,
    LookUpFailed,
    ReaderBack,
    ReceiptFailed,
    ReceiptPrinted,
    RecordStored,
    RegistryAnswered,
    Reminded,
    RosterAnswered,
    SlipPrinted,
    StaffAnswered,
    StoreBack,
    StoreFailed,
    StoreLost,
    TemplateDeleted,
    TemplateFailed,
    TemplateKept,
    TimerFired,
    VolumeTold,
    Watched,
    WatchFailed,
)
from edge.session.machine import Context, Transition, start, step
from edge.session.staff_states import PowerWish
from edge.session.states import Home, Language, Session, Turned, knows_somebody
from edge.store.receipts import KeptReceipt
from edge.ui.screen import Facts
from edge.wire import messages

log = logging.getLogger("edge.kiosk")

RETRY_S = 2.0
"""How long a thread rests before it tries a broken device again."""
POLL_S = 0.5
"""Longest time a thread is deaf to `close()`."""
CODE_S = 60.0
"""How long the camera stays open for a code that does not come."""
LOOK_S = 2.0
"""How often an idle thread looks whether its device is still there."""

_DEAD = (Fault.ABSENT, Fault.SILENT)
_PAPER = {
    Paper.OK: Condition.OK,
    Paper.NEAR_END: Condition.NEAR_END,
    Paper.OUT: Condition.EMPTY,
}


class Disk(Journal, correspondence.Disk, Protocol):
    """The journal, plus what only the runner does with it."""

    def count(self, name: str) -> None: ...

    def note_health(self, state: DeviceState) -> None: ...

    def forget_health(self) -> None: ...

    def waiting_roster(self) -> bytes | None:
        """A sealed roster that arrived and was neither swapped in nor refused yet."""
        ...

    def refuse_roster(self) -> None:
        """The waiting one cannot be used and never will."""
        ...

    def replace_roster(self, version: int, entries: tuple[RosterEntry, ...]) -> None: ...

    @property
    def clock(self) -> TimeKeeper: ...

    def look(self) -> tuple[Condition, str]:
        """How the disk is, without writing to it; `StoreError` if nothing can be written."""
        ...

    def mend(self) -> None:
        """Do what can be done; `StoreError` while it cannot be used."""
        ...

    def keep_receipt(
        self, receipt_no: str, items: tuple[ReceiptItem, ...], owner: str = ""
    ) -> None:
        """Inside `commit`'s `build` it is written with the record, or not at all."""
        ...

    def kept_receipt(self, receipt_no: str) -> KeptReceipt | None: ...

    def newest_receipt_of(self, owner: CardKey) -> KeptReceipt | None: ...

    def keep_house(self) -> None:
        """Take away what is old, once a day."""
        ...

    def may_help(self, helper: CardKey) -> bool: ...

    def admit(self, helper: CardKey, target: CardKey) -> bool: ...

    def next_ticket(self) -> int: ...

    def take_ticket(self, number: int) -> None: ...


class Settings(Protocol):
    """What the centre may change while the kiosk runs."""

    quiet_s: float

    def prove(self) -> None:
        """The kiosk runs; from time to time. Raises `StoreError`."""
        ...

    def take_in(self) -> bool:
        """Take over what the centre wants; True if only a new start does. Raises `StoreError`."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything a kiosk is made of; `compose` builds it."""

    reader: CardReader
    decoder: PhotoDecoder
    eyes: Eyes
    printer: Printer
    voice: Voice
    disk: Disk
    keyring: Keyring
    time: TimeSource
    facts: Facts
    context: Callable[[Stamp, MonoNs], Context]
    flags: Callable[[CardIdentity, date | None], tuple[CardFlag, ...]]
    receipt: Callable[[ProofRecord, bool, date | None, Language], tuple[ReceiptItem, ...]]
    slip: Callable[[Language], tuple[ReceiptItem, ...]]  # to try out the printer
    sheet: Callable[[fx.DataCopy | fx.Ticket, Language], tuple[ReceiptItem, ...]]
    where_to_ask: Callable[[Language], tuple[ReceiptItem, ...]]
    withdrawal_slip: Callable[[fx.PrintWithdrawal, Language], tuple[ReceiptItem, ...]]
    receipt_copy: Callable[
        [ProofRecord, bool, date | None, Language], tuple[ReceiptItem, ...]
    ]  # the same, marked as a second copy
    spoken: Callable[[Session, MonoNs], str]
    label: Callable[[Session, MonoNs, Button], str]  # what stands on a button of the screen
    codes: Callable[[Picture], list[str]]  # the texts of all codes in view
    panel: Panel | None = None
    fill_light: float = 1.0  # 0..1, while the camera watches
    scanner: Scanner | None = None
    settings: Settings | None = None
    staff: StaffParts | None = None
    templates: TemplateBook | None = None
    lend_volume: Callable[[int], None] | None = None  # louder for a visit; 0: as before


@dataclass(frozen=True, slots=True)
class _Copy:
    """A kept receipt on its way to the printer."""

    order_id: int
    items: tuple[ReceiptItem, ...] = field(repr=False)


def _code_in(items: tuple[ReceiptItem, ...]) -> str:
    return next((item.text for item in items if isinstance(item, Code)), "")


_Slip = fx.PrintSlip | fx.PrintWithdrawal | fx.PrintWhereToAsk | fx.PrintSheet
_Paper = fx.PrintReceipt | _Slip | _Copy


def _id_of(what: Matter | Opinion) -> RecordId:
    return what.matter_id if isinstance(what, Matter) else what.opinion_id


class Runner:
    """Runs one kiosk; the screen reads `session()` and posts what was touched."""

    def __init__(
        self,
        parts: Parts,
        language: Language,
        observe: Callable[[Event | None, Transition], None] | None = None,
        start_again: Callable[[], None] | None = None,
        power: Callable[[PowerWish], None] | None = None,
        fresh_after_s: float = 0.0,
    ) -> None:
        """`start_again` has this process ended and started anew, in its own time; `power` has
        it ended and the machine switched off, or restarted. `fresh_after_s` without anybody, a
        process that served people starts anew; 0: never."""
        self._parts = parts
        self._observe = observe
        self._start_again = start_again
        self._power = power
        self._fresh_after_s = fresh_after_s
        self._served = False
        self._last_event_ns = MonoNs(0)
        self._events: queue.Queue[Event] = queue.Queue()
        self._stop = threading.Event()
        self._armed = threading.Event()
        self._card_lies = False  # only the reader thread looks at it
        self._watches: queue.Queue[fx.Watch | fx.View | fx.LookForCode] = queue.Queue()
        self._pictures = threading.Lock()
        self._wanted_watch: int | None = None
        self._receipts: queue.Queue[_Paper] = queue.Queue()
        self._alarms: dict[type[TimerFired | Reminded], tuple[int, MonoNs]] = {}
        self._preview: Picture | None = None
        self._portrait: Picture | None = None
        self._template = b""  # to compare with, from the order on
        self._face = b""  # what the last try made for a template
        self._said = ""
        self._due_ns: dict[str, MonoNs] = {}
        self._post_office = Correspondence(parts.keyring, parts.disk, parts.time.mono_ns)
        self._blind_tries = 0
        self._told_lost: tuple[str, ...] = ()
        self._ticket = ""
        self.health = HealthBoard(parts.time.now)
        self._speaker = Speaker(parts.voice, self.health, lambda: self._is_due("voice"))
        self._first = start(language)
        self._session = self._first.session
        loops: dict[str, Callable[[], None]] = {
            "session": self._session_loop,
            "reader": self._reader_loop,
            "vision": self._vision_loop,
            "printer": self._printer_loop,
            "voice": self._voice_loop,
        }
        self._staff: StaffKeeper | None = None
        if parts.staff is not None:
            self._staff = StaffKeeper(
                parts.staff, self.session, self.post, self.health.states, self.now_ns
            )
            loops["staff"] = self._staff_loop
        if parts.panel is not None:
            loops["panel"] = self._panel_loop
        if parts.scanner is not None and not parts.scanner.borrows_camera:
            loops["scanner"] = self._scanner_loop
        self._threads = [
            threading.Thread(target=loop, name=name, daemon=True) for name, loop in loops.items()
        ]

    # --- what the screen sees ---

    def session(self) -> Session:
        return self._session

    def now_ns(self) -> MonoNs:
        return self._parts.time.mono_ns()

    def post(self, event: Event) -> None:
        self._events.put(event)

    def preview(self) -> Picture | None:
        return self._preview

    def portrait(self) -> Picture | None:
        return self._portrait

    # --- life ---

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def close(self, timeout_s: float = 5.0) -> list[str]:
        """Stop everything; returns the names of threads that did not stop in time."""
        self._stop.set()
        self._wanted_watch = None
        self._parts.reader.close()
        for thread in self._threads:
            thread.join(timeout_s)
        parts = self._parts
        for device in (parts.printer, parts.voice, parts.panel, parts.scanner):
            if device is not None:
                device.close()
        stuck = [thread.name for thread in self._threads if thread.is_alive()]
        if stuck:
            log.error("threads_stuck names=%s", ",".join(stuck))
        return stuck

    # --- session thread ---

    def _session_loop(self) -> None:
        self._guarded("session", self._begin)
        while not self._stop.is_set():
            self._guarded("session", self._turn)

    def _begin(self) -> None:
        self._forget_health()
        self._take_in_rosters()
        self._take(None, self._first)

    def _turn(self) -> None:
        self._note_health()
        self._look_at_disk()
        self._tell_the_lost()
        self._obey_deletions()
        event = self._post_office.answer() or self._next()
        if event is None:
            self._keep_house()
            self._take_in_rosters()
            self._deal_with_ask()
            self._take_in_settings()
            self._begin_afresh()
            return
        self._last_event_ns = self.now_ns()
        now = self._parts.time.now()
        context = replace(self._parts.context(now, self.now_ns()), ticket=self._next_ticket())
        self._take(event, step(self._session, event, context))

    def _tell_the_lost(self) -> None:
        names = self.health.lost_devices()
        if names != self._told_lost:
            self._told_lost = names
            self.post(DevicesLost(names))

    def _in(self, seconds: float) -> MonoNs:
        return MonoNs(self.now_ns() + int(seconds * NS_PER_S))

    def _next(self) -> Event | None:
        """The next event, or that of a timer, or nothing for a while."""
        wait_s = correspondence.POLL_S if self._post_office.waits else POLL_S
        for fired, (number, due_ns) in self._alarms.items():
            left_s = (due_ns - self.now_ns()) / NS_PER_S
            if left_s <= 0:
                del self._alarms[fired]
                return fired(number)
            wait_s = min(wait_s, left_s)
        with suppress(queue.Empty):
            return self._events.get(timeout=wait_s)
        return None

    def _take(self, event: Event | None, transition: Transition) -> None:
        self._session = transition.session
        self._served = self._served or knows_somebody(self._session.state)
        if self._observe is not None:
            self._observe(event, transition)
        for effect in transition.effects:
            self._carry_out(effect)
        self._speak()

    def _carry_out(self, effect: fx.Effect) -> None:
        """An order that fails in a way nobody thought of must not hold up the ones behind it,
        and a person who waits for its answer must get one."""
        try:
            self._do(effect)
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody is waiting
            logs.crash(log, type(effect).__name__, error)
            match effect:
                case fx.LookUp(key) | fx.CheckHelper(key):
                    self.post(LookUpFailed(key))
                case fx.AskRegistry(key):
                    self.post(RegistryAnswered(key, None, reached=False))
                case fx.AskHistory(key):
                    self.post(HistoryAnswered(key, None, reached=False))
                case fx.Store(record):
                    self.post(StoreFailed(record.record_id))
                case fx.File(what):
                    self.post(StoreFailed(_id_of(what)))
                case fx.PrintSheet(order_id):
                    self.post(SlipPrinted(order_id, Fault.GARBLED))
                case fx.CheckCode(check_id):
                    self.post(CodeChecked(check_id, None, here=False))
                case fx.PrintCopy(order_id):
                    self.post(CopyTold(order_id, CopyNews.FAILED))
                case fx.KeepTemplate(event) | fx.DeleteTemplate(event):
                    self.post(TemplateFailed(event.event_id))
                case fx.Watch(watch_id) | fx.View(watch_id) | fx.LookForCode(watch_id):
                    self.post(WatchFailed(watch_id, Fault.GARBLED))

    def _do(self, effect: fx.Effect) -> None:
        match effect:
            case fx.ArmReader():
                self._armed.set()
            case fx.LookUp(key, helper):
                self._look_up(key, helper)
            case fx.CheckHelper(key):
                self._check_helper(key)
            case fx.AskRegistry(key, id_number):
                self._ask_registry(key, id_number)
            case fx.Watch(watch_id) | fx.View(watch_id) | fx.LookForCode(watch_id):
                self._template, self._face = self._template_for(effect), b""
                self._wanted_watch = watch_id
                self._show(watch_id, preview=None)
                if isinstance(effect, fx.Watch):  # a scan leaves what is being looked through
                    self._show(watch_id, portrait=None)
                self._watches.put(effect)
            case fx.StopWatching():
                self._wanted_watch = None
                self._show(None, preview=None)
            case fx.AskHistory():
                self._ask_history(effect)
            case fx.Store():
                self._store(effect)
            case fx.File(what):
                self._file(what)
            case fx.PrintSheet() | fx.PrintReceipt():
                self._receipts.put(effect)
            case fx.SetTimer(timer, after_s):
                self._alarms[TimerFired] = timer, self._in(after_s)
            case fx.SetReminder(reminder, after_s):
                self._alarms[Reminded] = reminder, self._in(after_s)
            case fx.Repeat():
                self._said = ""
            case fx.Louden(step) if self._parts.lend_volume is not None:
                self._parts.lend_volume(step)
            case fx.SayLabel(button):
                label = self._parts.label(self._session, self.now_ns(), button)
                self._speaker.say(label, self._session.language.value)
            case fx.Forget():
                self._wanted_watch = None
                self._show(None, preview=None, portrait=None)
                self._template = self._face = b""
            case fx.CheckCode(check_id, text):
                self._check_code(check_id, text)
            case fx.PrintCopy():
                self._print_copy(effect)
            case fx.Count(name):
                self._count(name)
            case _:
                self._do_for_staff(effect)

    def _do_for_staff(self, effect: fx.Effect) -> None:
        match effect:
            case fx.CheckStaff(check_id) if self._staff is None:
                self.post(StaffAnswered(check_id, Refusal.NO_LIST, "", None))
            case fx.CheckStaff() | fx.Examine() if self._staff is not None:
                self._staff.order(effect)
            case fx.PrintSlip() | fx.PrintWhereToAsk():
                self._receipts.put(effect)
            case fx.SetVolume(step):
                self.post(VolumeTold(self._parts.voice.volume(step)))
            case fx.NoteDeed(badge, deed):
                self._note_deed(badge, deed)
            case fx.KeepTemplate(event) | fx.DeleteTemplate(event):
                self.post(self._change_template(effect, event))
            case fx.PrintWithdrawal():
                self._receipts.put(effect)
            case fx.Power(wish):
                log.warning("power=%s by=staff", wish.value)
                if self._power is not None:
                    self._power(wish)

    # --- templates ---

    def _template_for(self, effect: fx.Effect) -> bytes:
        """What is kept of the person who is about to be watched; empty if nothing is."""
        book = self._parts.templates
        if book is None or not isinstance(effect, fx.Watch) or effect.person_id is None:
            return b""
        return book.face_of(effect.person_id, self._parts.time.now())

    def _change_template(
        self, effect: fx.KeepTemplate | fx.DeleteTemplate, event: TemplateEvent
    ) -> Event:
        book = self._parts.templates
        try:
            if book is not None and isinstance(effect, fx.DeleteTemplate):
                return TemplateDeleted(event.event_id, book.withdraw(event))
            if book is not None and self._face:
                return self._keep_template(book, event)
        except StoreError as error:
            log.error("template=unchanged error=%s", error)
            self._disk_failed(error)
        return TemplateFailed(event.event_id)

    def _keep_template(self, book: TemplateBook, event: TemplateEvent) -> Event:
        """What was written down and then not kept is taken back: no order would ever find it."""
        face, self._face = self._face, b""
        self._show(None, preview=None, portrait=None)
        try:
            book.keep(event, face)
        except StoreError:
            book.undo(event, self._context().new_record_id())
            raise
        return TemplateKept(event.event_id)

    def _obey_deletions(self) -> None:
        """Also in the middle of a session: it is done within seconds of its arrival."""
        book = self._parts.templates
        if book is None or not self._is_due("deletions"):
            return
        context = self._context()
        try:
            book.obey(lambda change, who: context.template_event(change, who, None))
        except StoreError as error:
            log.error("deletions=undone error=%s", error)  # they wait and are tried again
        except Exception as error:  # noqa: BLE001 - it comes again, and people must be served
            logs.crash(log, "deletions", error)

    def _context(self) -> Context:
        return self._parts.context(self._parts.time.now(), self.now_ns())

    def _note_deed(self, badge: str, deed: Deed) -> None:
        """Into the journal, and so to the registry; the log says what, never whose badge."""
        log.info("staff deed=%s", deed.value)
        event = self._parts.context(self._parts.time.now(), self.now_ns()).staff_event(badge, deed)
        keyring = self._parts.keyring
        try:
            self._parts.disk.commit(
                RecordId(event.event_id),
                messages.STAFF_EVENT,
                lambda position: keyring.deed(event, position),
            )
        except StoreError as error:
            log.error("deed_unwritten deed=%s error=%s", deed.value, error)
            self._disk_failed(error)

    def _next_ticket(self) -> str:
        """What the hall calls: this terminal's number and one of today; kept until it is given."""
        if not self._ticket:
            terminal = self._parts.facts.terminal_no.lstrip("0")[-3:] or "0"
            try:
                self._ticket = f"{terminal}-{self._parts.disk.next_ticket():02d}"
            except StoreError as error:
                log.error("ticket=unknown error=%s", error)
        return self._ticket

    def _check_helper(self, key: CardKey) -> None:
        try:
            self.post(HelperChecked(key, self._parts.disk.may_help(key)))
        except StoreError as error:
            log.error("helper_unchecked error=%s", error)
            self.post(LookUpFailed(key))

    def _look_up(self, key: CardKey, helper: CardKey | None) -> None:
        try:
            disk = self._parts.disk
            if helper is not None and not disk.admit(helper, key):
                self.post(HelperSpent(key))
                return
            self.post(RosterAnswered(key, disk.find(key), disk.link_is_up()))
        except StoreError as error:
            log.error("roster_unreadable error=%s", error)
            self.post(LookUpFailed(key))

    def _ask_registry(self, key: CardKey, id_number: str) -> None:
        try:
            self._post_office.ask(key, id_number)
        except StoreError as error:
            log.error("not_asked error=%s", error)
            self.post(RegistryAnswered(key, None, reached=False))

    def _ask_history(self, order: fx.AskHistory) -> None:
        """Without a link nobody is kept waiting for an answer that cannot come."""
        try:
            if self._parts.disk.link_is_up():
                self._post_office.ask_history(order.key, order.id_number, order.access)
                return
        except StoreError as error:
            log.error("not_asked error=%s", error)
        self.post(HistoryAnswered(order.key, None, reached=False))

    def _file(self, what: Matter | Opinion) -> None:
        """Promised as a record is: on the disk with a row in the outbox, or told to have failed."""
        keyring, record_id = self._parts.keyring, _id_of(what)
        try:
            self._parts.disk.commit(
                record_id, told_of(what)[0], lambda position: keyring.filed(what, position)
            )
        except StoreError as error:
            log.error("filing_failed id=%s error=%s", record_id, error)
            self._disk_failed(error)
            self.post(StoreFailed(record_id))
            return
        log.info("filed id=%s kind=%s", record_id, type(what).__name__.lower())
        self.post(RecordStored(record_id, self._link_is_up()))

    def _store(self, order: fx.Store) -> None:
        """The promise: the screen may say "done" only after this returned without an error.

        The copy of its receipt goes to the disk with the record, both or neither: whatever
        happens before the printer has finished, it can be printed later.
        """
        record, copy = order.record, self._copy_of(order)

        def build(position: Position) -> bytes:
            if copy is not None:
                owner = self._parts.keyring.card_key(record.subject.id_number)
                self._parts.disk.keep_receipt(record.receipt_no, copy, owner)
            return self._parts.keyring.payload(record, position)

        try:
            if record.ticket:
                self._ticket = ""
                self._parts.disk.take_ticket(int(record.ticket.rpartition("-")[2]))
            row = self._parts.disk.commit(record.record_id, "record", build)
        except StoreError as error:
            log.error("store_failed record=%s error=%s", record.record_id, error)
            self._disk_failed(error)
            self.post(StoreFailed(record.record_id))
            return
        log.info("stored record=%s outcome=%s", row.record_id, record.outcome.value)
        self.post(RecordStored(row.record_id, self._link_is_up()))
        self._note_time(record.finished)

    def _copy_of(self, order: fx.Store) -> tuple[ReceiptItem, ...] | None:
        """A receipt that cannot be laid out keeps no record off the disk."""
        language = self._session.language
        try:
            return self._parts.receipt_copy(
                order.record, self._link_is_up(), order.due_by, language
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, the record comes first
            logs.crash(log, "receipt copy", error)
            return None

    def _link_is_up(self) -> bool:
        """What was promised is on the disk; that the disk then fails takes nothing from it."""
        try:
            return self._parts.disk.link_is_up()
        except StoreError as error:
            self._disk_failed(error)
            return False

    def _note_time(self, finished: Stamp) -> None:
        try:
            self._parts.disk.clock.note(finished)
        except StoreError as error:
            log.error("clock_unnoted error=%s", error)

    def _check_code(self, check_id: int, text: str) -> None:
        """A disk that cannot be read only means that there is no copy here."""
        receipt, here = None, False
        try:
            receipt = self._parts.keyring.read_receipt(text)
            here = self._parts.disk.kept_receipt(receipt.receipt_no) is not None
        except WireError as error:
            log.info("code_unproven reason=%s", error.reason)
        except StoreError as error:
            log.error("receipt_unread error=%s", error)
        self.post(CodeChecked(check_id, receipt, here))

    def _print_copy(self, order: fx.PrintCopy) -> None:
        """Printed for whose card it is, and for nobody else."""
        disk, number = self._parts.disk, order.receipt_no
        try:
            kept = disk.kept_receipt(number) if number else disk.newest_receipt_of(order.key)
        except StoreError as error:
            log.error("receipt_unread error=%s", error)
            self.post(CopyTold(order.order_id, CopyNews.FAILED))
            return
        if kept is None:
            self.post(CopyTold(order.order_id, CopyNews.GONE))
        elif kept.owner != order.key:
            self.post(CopyTold(order.order_id, CopyNews.NOT_YOURS))
        else:
            self._receipts.put(_Copy(order.order_id, kept.items))

    def _look_at_disk(self) -> None:
        """One that failed is mended between residents; until it works nobody is served."""
        if not self._is_due("disk"):
            return
        disk, state = self._parts.disk, self._session.state
        try:
            if self.health.is_lost("disk") and not knows_somebody(state):
                disk.mend()
            self.health.report("disk", *disk.look())
        except StoreError as error:
            self._disk_failed(error)
        if self.health.is_lost("disk"):
            self.post(StoreLost())
        elif self._session.store_lost:
            self.post(StoreBack())

    def _disk_failed(self, error: StoreError) -> None:
        fault = Fault.GARBLED if isinstance(error, DamagedError) else Fault.REFUSED
        self.health.lost("disk", DeviceError("disk", fault, str(error)))

    def _keep_house(self) -> None:
        """Between residents: what is old goes, and a clock that was put right is told of."""
        if not isinstance(self._session.state, Home) or not self._is_due("house"):
            return
        self._ticket = ""  # a new day begins anew
        try:
            self._parts.disk.clock.correct()
            self._parts.disk.keep_house()
        except StoreError as error:
            log.error("house=unkept error=%s", error)

    def _count(self, name: str) -> None:
        try:
            self._parts.disk.count(name)
        except StoreError as error:
            log.error("count_failed name=%s error=%s", name, error)

    def _take_in_rosters(self) -> None:
        """Between residents, never during a session."""
        payload = self._waiting_roster()
        if payload is None:
            return
        disk = self._parts.disk
        try:
            roster = self._parts.keyring.roster(payload)
            disk.replace_roster(roster.version, roster.entries)
            log.info("roster version=%d people=%d", roster.version, len(roster.entries))
        except WireError as error:
            log.error("roster_refused error=%s", error)
            disk.refuse_roster()
        except StoreError as error:
            log.error("roster_not_written error=%s", error)  # it waits and is tried again

    def _take_in_settings(self) -> None:
        """When nobody is being served, nothing has happened for a while and no receipt is due."""
        settings = self._parts.settings
        if settings is None or not self._is_due("settings"):
            return
        try:
            settings.prove()
            needs_start = self._is_quiet(settings.quiet_s) and settings.take_in()
        except StoreError as error:
            log.error("settings_not_written error=%s", error)
            return
        if needs_start:
            self._end("settings")

    def _begin_afresh(self) -> None:
        """Bytes of people who have gone may still lie in freed memory; they go with the process.

        Not under a card that was left lying: the next process would take it for a new one.
        """
        if not self._served or not self._fresh_after_s or self._session.card_lies:
            return
        if self._is_quiet(self._fresh_after_s):
            self._end("memory")

    def _end(self, why: str) -> None:
        if self._start_again is None:
            return
        log.info("kiosk=starts_again why=%s", why)
        self._start_again()
        self._stop.wait()  # whoever comes now is served by the next one, from the beginning

    def _is_quiet(self, quiet_s: float) -> bool:
        state = self._session.state
        nobody = isinstance(state, Home | Turned) and not knows_somebody(state)
        rested_s = (self.now_ns() - self._last_event_ns) / NS_PER_S
        return nobody and rested_s >= quiet_s and not self._receipts.unfinished_tasks

    def _deal_with_ask(self) -> None:
        """What the registry misses is queued again, between residents."""
        if not isinstance(self._session.state, Home) or not self._is_due("ask"):
            return
        try:
            self._post_office.deal_with_ask()
        except StoreError as error:
            log.error("ask_unanswered error=%s", error)  # it waits and is tried again

    def _waiting_roster(self) -> bytes | None:
        if not isinstance(self._session.state, Home) or not self._is_due("roster"):
            return None
        try:
            return self._parts.disk.waiting_roster()
        except StoreError as error:
            log.error("roster_unread error=%s", error)
            self._disk_failed(error)
            return None

    def _forget_health(self) -> None:
        """What the kiosk before this one knew of the devices says nothing any more."""
        try:
            self._parts.disk.forget_health()
        except StoreError as error:
            log.error("health_unforgotten error=%s", error)

    def _note_health(self) -> None:
        """Written by this thread alone; what the disk did not take is tried again."""
        try:
            for state in self.health.unwritten():
                self._parts.disk.note_health(state)
                self.health.written(state)
        except StoreError as error:
            self._disk_failed(error)

    def _speak(self) -> None:
        words = self._parts.spoken(self._session, self.now_ns())
        if words == self._said:
            return
        self._said = words
        self._speaker.say(words, self._session.language.value)

    def _is_due(self, device: str) -> bool:
        """True every `LOOK_S`; each device is asked by one thread only."""
        now_ns = self.now_ns()
        if now_ns < self._due_ns.get(device, 0):
            return False
        self._due_ns[device] = MonoNs(now_ns + int(LOOK_S * NS_PER_S))
        return True

    # --- reader thread ---

    def _reader_loop(self) -> None:
        while not self._stop.is_set():
            if not self._armed.wait(POLL_S):
                continue
            try:
                self._serve_card()
            except DeviceError as error:
                self._reader_failed(error)
            except Exception as error:  # noqa: BLE001 - top of a thread
                logs.crash(log, "reader", error)
                self._stop.wait(RETRY_S)

    def _serve_card(self) -> None:
        reader = self._parts.reader
        reader.open()
        if self.health.well("card_reader"):
            self.post(ReaderBack())
        if self._card_lies:  # since before the reader was lost: nobody laid it down now
            self._wait_for_removal()
        while not self._stop.is_set():
            if not reader.wait_for_card(POLL_S):
                continue
            self.post(self._read_card())
            self._card_lies = True
            self._wait_for_removal()
            return

    def _read_card(self) -> CardRead:
        """Apart, so that a card left on the reader is in nobody's memory while it lies there."""
        reader = self._parts.reader
        card = reader.read()
        self._armed.clear()
        now = self._parts.time.now()
        flags = self._parts.flags(card, now.local.date() if now.is_sure else None)
        key = self._parts.keyring.card_key(card.id_number)
        return CardRead(card, key, flags, reader.reader_id())

    def _wait_for_removal(self) -> None:
        while not self._stop.is_set():
            if self._parts.reader.wait_for_removal(POLL_S):
                self._card_lies = False
                self.post(CardRemoved())
                return

    def _reader_failed(self, error: DeviceError) -> None:
        """A reader that works and a card that does not are two things; so are their words."""
        if self._stop.is_set():
            return
        fault = error.fault
        if fault in _DEAD or not self._parts.reader.health().ok:
            self.health.lost("card_reader", error)
            fault = fault if fault in _DEAD else Fault.SILENT
        else:
            log.info("card_unread fault=%s detail=%s", fault.value, error.detail)
        self._armed.clear()
        self.post(CardFailed(fault))
        self._stop.wait(RETRY_S)

    # --- vision thread ---

    def _vision_loop(self) -> None:
        while not self._stop.is_set():
            self._vision_turn()

    def _vision_turn(self) -> None:
        """One order; a loop's own variable would hold the card's photo until the next person."""
        try:
            order = self._watches.get(timeout=POLL_S)
        except queue.Empty:
            self._guarded("vision", self._glance)
            return
        if self._wanted_watch != order.watch_id:
            return
        try:
            self._look(order)
        except DeviceError as error:
            self._blind_tries += 1
            self.health.lost("camera", error)
            self.post(WatchFailed(order.watch_id, error.fault))
        except Exception as error:  # noqa: BLE001 - top of a thread
            logs.crash(log, "vision", error)
            self.post(WatchFailed(order.watch_id, Fault.GARBLED))

    def _look(self, order: fx.Watch | fx.View | fx.LookForCode) -> None:
        match order:
            case fx.Watch():
                self._watch(order)
            case fx.View():
                self._view(order)
            case fx.LookForCode():
                self._look_for_code(order)

    def _glance(self) -> None:
        """At the camera, not through it: it stays closed.

        One that says it is well and still gave no picture twice is believed again
        when it gives one, or was seen to be gone.
        """
        if not self._is_due("camera"):
            return
        health = self._parts.eyes.health()
        if not health.ok:
            self._blind_tries = 0
            fault = health.fault or Fault.ABSENT
            self.health.lost("camera", DeviceError("camera", fault, health.words))
        elif self._blind_tries < 2:
            self.health.well("camera")

    def _guarded(self, thread: str, look: Callable[[], None]) -> None:
        try:
            look()
        except Exception as error:  # noqa: BLE001 - top of a thread
            logs.crash(log, thread, error)
            self._stop.wait(RETRY_S)

    def _watch(self, order: fx.Watch) -> None:
        reference = self._decode(order.photo)
        if self._wanted_watch != order.watch_id:
            return  # left while the photo was decoded: the camera stays closed
        progress = None
        with closing(
            self._parts.eyes.watch(
                WatchOrder(order.actions, reference, order.slow, self._template, order.enrol)
            )
        ) as looks:
            for look in looks:
                self._blind_tries = 0
                self.health.well("camera")
                if self._wanted_watch != order.watch_id:
                    return
                self._show(order.watch_id, preview=look.frame.picture)
                if look.progress != progress:
                    progress = look.progress
                    self.post(Watched(order.watch_id, progress))
                if look.result is not None:
                    self._remember(order.watch_id, look.result.face)
                    self._show(order.watch_id, preview=None, portrait=look.result.portrait)
                    self.post(Judged(order.watch_id, look.result.verdict))
                    return

    def _view(self, order: fx.View) -> None:
        """For staff: what the camera sees goes to the glass and nowhere else."""
        with closing(self._parts.eyes.view()) as frames:
            for frame in frames:
                self._blind_tries = 0
                self.health.well("camera")
                if self._wanted_watch != order.watch_id:
                    return
                self._show(order.watch_id, preview=frame.picture)

    def _look_for_code(self, order: fx.LookForCode) -> None:
        """Each frame goes to the glass and to the reader of codes, and is dropped."""
        end_ns = self.now_ns() + int(CODE_S * NS_PER_S)
        text: str | None = None
        with closing(self._parts.eyes.view()) as frames:
            for frame in frames:
                self._blind_tries = 0
                self.health.well("camera")
                if self._wanted_watch != order.watch_id:
                    return
                self._show(order.watch_id, preview=frame.picture)
                text = next(iter(self._parts.codes(frame.picture)), None)
                if text is not None or self.now_ns() >= end_ns:
                    break
        self.post(CodeSeen(order.watch_id, text))

    def _remember(self, watch_id: int, face: bytes) -> None:
        """What a template would be made of; too late for a try that nobody wants any more."""
        with self._pictures:
            if self._wanted_watch == watch_id:
                self._face = face

    def _show(self, watch_id: int | None, **pictures: Picture | None) -> None:
        """Change what the screen may show; too late for a try that nobody wants any more."""
        with self._pictures:
            if self._wanted_watch != watch_id:
                return
            self._preview = pictures.get("preview", self._preview)
            self._portrait = pictures.get("portrait", self._portrait)

    def _decode(self, photo: bytes) -> Picture | None:
        try:
            return self._parts.decoder.decode(photo) if photo else None
        except DeviceError as error:
            log.warning("photo_failed detail=%s", error.detail)
            return None

    # --- printer thread ---

    def _printer_loop(self) -> None:
        while not self._stop.is_set():
            self._printer_turn()

    def _printer_turn(self) -> None:
        """One order; a loop's own variable would hold the record until the next receipt."""
        try:
            order = self._receipts.get(timeout=POLL_S)
        except queue.Empty:
            self._guarded("printer", self._look_at_printer)
            return
        self.post(self._printed(order))
        self._receipts.task_done()

    def _printed(self, order: _Paper) -> Event:
        if isinstance(order, _Copy):
            return self._print_kept(order)
        if isinstance(order, fx.PrintWithdrawal):
            slip = self._parts.withdrawal_slip
            return self._print_slip(order.order_id, lambda language: slip(order, language))
        if isinstance(order, fx.PrintSheet):
            return self._print_sheet(order)
        if isinstance(order, fx.PrintSlip):
            return self._print_slip(order.order_id, self._parts.slip)
        if isinstance(order, fx.PrintWhereToAsk):
            return self._print_slip(order.order_id, self._parts.where_to_ask)
        return self._print(order)

    def _print_sheet(self, order: fx.PrintSheet) -> Event:
        sheet = self._parts.sheet
        return self._print_slip(order.order_id, lambda language: sheet(order.sheet, language))

    def _look_at_printer(self) -> None:
        """Whether it answers and has paper, before somebody waits for a receipt."""
        if not self._is_due("printer"):
            return
        try:
            self._parts.printer.open()
            paper = self._parts.printer.paper()
        except DeviceError as error:
            self.health.lost("printer", error)
        else:
            self.health.report("printer", _PAPER[paper])

    def _print_slip(
        self, order_id: int, slip: Callable[[Language], tuple[ReceiptItem, ...]]
    ) -> Event:
        try:
            self._parts.printer.open()
            self._parts.printer.print_receipt(slip(self._session.language))
        except KioskError as error:
            return SlipPrinted(order_id, self._printer_failed(error))
        except Exception as error:  # noqa: BLE001 - top of a thread
            logs.crash(log, "printer", error)
            return SlipPrinted(order_id, Fault.GARBLED)
        return SlipPrinted(order_id, None)

    def _print_kept(self, order: _Copy) -> Event:
        try:
            self._parts.printer.open()
            self._parts.printer.print_receipt(order.items)
        except KioskError as error:
            self._printer_failed(error)
            return CopyTold(order.order_id, CopyNews.FAILED)
        except Exception as error:  # noqa: BLE001 - top of a thread
            logs.crash(log, "printer", error)
            return CopyTold(order.order_id, CopyNews.FAILED)
        log.info("receipt_printed_again")
        return CopyTold(order.order_id, CopyNews.PRINTED)

    def _print(self, order: fx.PrintReceipt) -> Event:
        record_id: RecordId = order.record.record_id
        items: tuple[ReceiptItem, ...] = ()
        try:
            language = self._session.language
            items = self._parts.receipt(order.record, order.online, order.due_by, language)
            self._parts.printer.open()
            self._parts.printer.print_receipt(items)
        except KioskError as error:
            return ReceiptFailed(record_id, self._printer_failed(error), _code_in(items))
        except Exception as error:  # noqa: BLE001 - top of a thread
            logs.crash(log, "printer", error)
            return ReceiptFailed(record_id, Fault.GARBLED, _code_in(items))
        log.info("receipt_printed record=%s", record_id)
        return ReceiptPrinted(record_id)

    def _printer_failed(self, error: KioskError) -> Fault:
        log.warning("receipt_failed error=%s", error)
        if not isinstance(error, DeviceError):
            return Fault.GARBLED
        self.health.lost("printer", error)
        return error.fault

    # --- panel thread ---

    def _panel_loop(self) -> None:
        panel = self._parts.panel
        assert panel is not None
        light = self._parts.fill_light
        while not self._stop.is_set():
            try:
                panel.open()
                keeper = PanelKeeper(
                    panel, self.session, self.post, self._panel_felt, self.now_ns, light
                )
                while not self._stop.is_set():
                    keeper.turn()
            except DeviceError as error:
                self.health.lost("panel", error)
                self._stop.wait(RETRY_S)
            except Exception as error:  # noqa: BLE001 - top of a thread
                logs.crash(log, "panel", error)
                self._stop.wait(RETRY_S)

    def _panel_felt(self, condition: Condition) -> None:
        self.health.report("panel", condition)

    # --- staff thread ---

    def _staff_loop(self) -> None:
        keeper = self._staff
        assert keeper is not None
        while not self._stop.is_set():
            self._guarded("staff", keeper.turn)

    # --- voice thread ---

    def _voice_loop(self) -> None:
        while not self._stop.is_set():
            self._guarded("voice", lambda: self._speaker.turn(POLL_S))

    # --- scanner thread ---

    def _scanner_loop(self) -> None:
        scanner = self._parts.scanner
        assert scanner is not None
        while not self._stop.is_set():
            self._guarded(
                "scanner", lambda: keep_scanning(scanner, self.post, self.health, self._stop)
            )
            self._stop.wait(RETRY_S)

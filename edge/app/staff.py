"""Staff at this kiosk: who gets in, and what the service screen is told.

A badge and its PIN are looked at here, off the session's thread, because the hash
is slow on purpose; what was tried is on the disk before the PIN is looked at.
"""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge import __version__
from edge.app import logs, status
from edge.app.config import Config
from edge.app.sealing import Keyring
from edge.domain.errors import StoreError, WireError
from edge.domain.findings import CODES, Finding, Status
from edge.domain.health import DeviceState
from edge.domain.staff import (
    NOBODY,
    Deed,
    HeldList,
    Refusal,
    StaffEntry,
    StaffMember,
    Tries,
    is_expired,
    is_locked,
    one_more,
    refusal_of,
)
from edge.domain.timebase import NS_PER_S, MonoNs, Stamp, TimeSource
from edge.models.manifest import specs
from edge.session.effects import CheckStaff, Examine
from edge.session.events import Event, Examined, FactsTold, StaffAnswered
from edge.session.staff_states import Service, ServiceFacts
from edge.session.states import Language, Session
from edge.store.database import Database
from edge.store.staff import StaffStore
from edge.store.state import SyncState
from edge.wire.staff import parse_staff

log = logging.getLogger("edge.staff")

TURN_S = 0.25
TAKE_IN_S = 2.0
MOST_NOTED = 20
"""So many tries that came to nothing from the outset become deeds, until the next list; then only
a count grows: whoever plays with the keypad fills no disk."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a try, and what to write down: `badge` is empty when it is nobody's."""

    result: StaffMember | Refusal
    badge: str
    deed: Deed | None

    def __repr__(self) -> str:
        return f"Answer({self.deed})"


class StaffDoor:
    """Lets staff in by the registry's list. One thread uses it.

    The list and the tries are kept in memory as well, so that a technician gets in where
    the disk has failed since; the disk alone decides after a new start.
    """

    def __init__(self, store: StaffStore, keyring: Keyring, time: TimeSource) -> None:
        self._store = store
        self._keyring = keyring
        self._time = time
        self._held: HeldList | None = None
        self._tries: dict[str, Tries | None] = {}
        self._hopeless = 0

    def take_in(self) -> None:
        """A list that has come counts from now on. Raises `StoreError`."""
        payload = self._store.waiting()
        if payload is None:
            return
        try:
            body = self._keyring.staff(payload)
            staff = parse_staff(body)
        except WireError as error:
            log.error("staff_list_refused error=%s", error.reason)
            self._store.done()
            return
        now = self._time.now()
        if self._store.replace(staff.version, body, now.boot_id, now.boot_ns):
            self._held, self._tries, self._hopeless = None, {}, 0
            log.info("staff_list version=%d badges=%d", staff.version, len(staff.entries))

    def answer(self, badge: str, pin: str) -> Answer:
        now = self._time.now()
        try:
            held = self._list()
        except StoreError as error:
            log.error("staff_list_unreadable error=%s", error)
            return Answer(Refusal.BROKEN, "", None)
        refusal = refusal_of(held, now)
        if refusal is not None or held is None:
            return Answer(refusal or Refusal.NO_LIST, "", self._at_most(Deed.REFUSED))
        entry = held.staff.find(badge)
        if entry is None:
            return self._stranger(pin)
        return self._known(entry, pin, held, now)

    def _stranger(self, pin: str) -> Answer:
        """As slow and in the same words as a wrong PIN; the number typed is not kept."""
        NOBODY.holds(pin)
        return Answer(Refusal.WRONG, "", self._at_most(Deed.FAILED))

    def _at_most(self, deed: Deed) -> Deed | None:
        self._hopeless += 1
        return deed if self._hopeless <= MOST_NOTED else None

    def _known(self, entry: StaffEntry, pin: str, held: HeldList, now: Stamp) -> Answer:
        badge, version = entry.badge, held.staff.version
        if is_locked(self._tried(badge), version, now):
            return Answer(Refusal.LOCKED, badge, self._at_most(Deed.REFUSED))
        tries = self._count(badge, held, now)
        if not entry.verifier.holds(pin):
            if is_locked(tries, version, now):
                return Answer(Refusal.LOCKED, badge, Deed.LOCKED)
            return Answer(Refusal.WRONG, badge, Deed.FAILED)
        self._keep(badge, None)
        if is_expired(entry, now):
            return Answer(Refusal.EXPIRED, badge, Deed.REFUSED)
        return Answer(StaffMember(badge, entry.permissions), badge, Deed.SIGNED_IN)

    def _list(self) -> HeldList | None:
        if self._held is None:
            kept = self._store.held()
            if kept is not None:
                _, body, boot_id, boot_ns = kept
                self._held = HeldList(parse_staff(body), boot_id, boot_ns)
        return self._held

    def _tried(self, badge: str) -> Tries | None:
        if badge not in self._tries:
            try:
                self._tries[badge] = self._store.tries(badge)
            except StoreError as error:
                log.error("staff_tries_unreadable error=%s", error)
        return self._tries.get(badge)

    def _count(self, badge: str, held: HeldList, now: Stamp) -> Tries:
        tries = one_more(self._tried(badge), held.staff.version, now)
        self._keep(badge, tries)
        return tries

    def _keep(self, badge: str, tries: Tries | None) -> None:
        self._tries[badge] = tries
        try:
            self._store.note_tries(badge, tries)
        except StoreError as error:
            log.error("staff_tries_unwritten error=%s", error)


class KioskDesk:
    """What the service screen is told of this kiosk."""

    def __init__(self, config: Config, database: Database, time: TimeSource) -> None:
        self._config = config
        self._database = database
        self._time = time
        self._models = tuple((name, spec.sha256[:8]) for name, spec in specs().items())

    def facts(self, devices: tuple[DeviceState, ...]) -> ServiceFacts:
        """A database that cannot be read is a fact too."""
        link_up, link_seen, waiting, held = False, "", None, 0
        try:
            known = status.read(self._database, self._time)
            link_up, waiting, held = known.link_up, known.waiting, known.quarantined
            link_seen = SyncState(self._database, self._time).link_last_seen()
        except StoreError as error:
            log.error("facts_unread error=%s", error)
        return ServiceFacts(
            devices, link_up, link_seen, waiting, held, software=__version__, models=self._models
        )

    def examine(self, language: Language, devices: Sequence[DeviceState]) -> tuple[Finding, ...]:
        """The doctor's checks, as far as they leave the devices alone; takes some seconds."""
        from edge.app.doctor import beside

        return beside(self._config, language, devices)


@dataclass(frozen=True, slots=True)
class StaffParts:
    door: StaffDoor
    desk: KioskDesk


class StaffKeeper:
    """Serves staff from a thread of its own, one turn at a time."""

    def __init__(
        self,
        parts: StaffParts,
        session: Callable[[], Session],
        post: Callable[[Event], None],
        devices: Callable[[], tuple[DeviceState, ...]],
        mono_ns: Callable[[], MonoNs],
    ) -> None:
        self._door, self._desk = parts.door, parts.desk
        self._session = session
        self._post = post
        self._devices = devices
        self._mono_ns = mono_ns
        self._take_in_ns = MonoNs(0)
        self._orders: queue.Queue[CheckStaff | Examine] = queue.Queue()

    def order(self, order: CheckStaff | Examine) -> None:
        self._orders.put(order)

    def turn(self, wait_s: float = TURN_S) -> None:
        try:
            order = self._orders.get(timeout=wait_s)
        except queue.Empty:
            self._look()
            return
        match order:
            case CheckStaff(check_id, badge, pin):
                self._post(self._answer(check_id, badge, pin))
            case Examine(order_id):
                self._post(self._examined(order_id))

    def _answer(self, check_id: int, badge: str, pin: str) -> StaffAnswered:
        """Somebody waits for it, whatever goes wrong."""
        try:
            self._take_in()
            answer = self._door.answer(badge, pin)
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody is waiting
            logs.crash(log, "staff door", error)
            answer = Answer(Refusal.BROKEN, "", None)
        return StaffAnswered(check_id, answer.result, answer.badge, answer.deed)

    def _examined(self, order_id: int) -> Examined:
        """Of a doctor who failed it is said of every part: no list would look like no fault."""
        try:
            found = self._desk.examine(self._session().language, self._devices())
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody is waiting
            logs.crash(log, "staff check", error)
            found = tuple(Finding(part, Status.FAILED, "crash") for part in CODES)
        return Examined(order_id, found)

    def _look(self) -> None:
        now_ns = self._mono_ns()
        if now_ns >= self._take_in_ns:
            self._take_in_ns = MonoNs(now_ns + int(TAKE_IN_S * NS_PER_S))
            self._take_in()
        state = self._session().state
        if isinstance(state, Service):
            facts = self._desk.facts(self._devices())
            if facts != state.facts:
                self._post(FactsTold(facts))

    def _take_in(self) -> None:
        try:
            self._door.take_in()
        except StoreError as error:
            log.error("staff_list_not_written error=%s", error)

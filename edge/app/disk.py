"""The kiosk process's disk with everything that keeps it usable.

It never fails to be made: a kiosk whose disk is broken comes up, says on its screen that it
is out of service, and tries again. `mend` is what a start does, and what is done between
residents after something failed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

from edge.app.ids import new_record_id
from edge.app.seal import DeviceSeal
from edge.app.timekeeping import TimeKeeper
from edge.domain.errors import DamagedError, StoreError
from edge.domain.health import Condition
from edge.domain.people import CardKey
from edge.domain.record import RecordId
from edge.domain.timebase import NS_PER_S, TimeSource
from edge.ports import OutboxRow, Position, ReceiptItem
from edge.store.database import Database
from edge.store.helpers import HelperBook, TicketBook
from edge.store.journal import SqliteJournal
from edge.store.ledger import Ledger
from edge.store.proofs import Gone, Proofs
from edge.store.receipts import KeptReceipt, ReceiptBook
from edge.store.recovery import Recovery, Rescue
from edge.store.reserve import Reserve
from edge.store.retention import MAX_DAYS, Retention
from edge.store.templates import TemplateStore
from edge.wire import messages
from edge.wire.notices import NewEpoch, notice_body

log = logging.getLogger("edge.disk")

TRIAL_BYTES = 32 * 1024
DAY_NS = 24 * 60 * 60 * NS_PER_S
LEDGER = "ledger"
RESERVE = "reserve.bin"
TEMPLATES = "templates"


class KioskDisk(SqliteJournal):
    """Implements the runner's `Disk`."""

    def __init__(
        self,
        path: Path,
        data_key: bytes,
        times: TimeSource,
        seal: DeviceSeal,
        *,
        reserve_bytes: int = 0,
        days: int = MAX_DAYS,
    ) -> None:
        folder = path.parent
        ledger = Ledger(folder / LEDGER)
        super().__init__(Database(path, check=False), data_key, times, ledger)
        self._path = path
        self._seal = seal
        self._times = times
        self._reserve = Reserve(folder / RESERVE, reserve_bytes)
        self._has_reserve = reserve_bytes > 0
        self._rescue = Rescue(path, ledger, seal, self._announcement, lambda: times.now().utc)
        self.receipts = ReceiptBook(self.database, data_key)
        self._retention = Retention(self.database, ledger, seal, days)
        self._helpers = HelperBook(self.database, data_key)
        self._tickets = TicketBook(self.database)
        self._reserve_told = False
        self._kept_house: date | None = None
        self.clock = TimeKeeper(self, times, seal)
        self.recovery: Recovery | None = None
        self._start()

    def _start(self) -> None:
        try:
            self.mend()
        except StoreError as error:
            log.error("disk=unusable error=%s", error)

    def mend(self) -> None:
        """Check and save what can be saved. Raises `StoreError` while it cannot be used."""
        self.recovery = self._rescue.make_sound() or self.recovery
        with closing(Database(self._path)) as database:  # made, and brought forward
            _try_to_write(database)
        self.ledger_is_whole = False
        try:
            self.complete_ledger()
        except StoreError as error:
            log.error("ledger=behind error=%s", error)
        self._hold_reserve()

    def commit(
        self, record_id: RecordId, kind: str, build: Callable[[Position], bytes]
    ) -> OutboxRow:
        try:
            return super().commit(record_id, kind, build)
        except StoreError as error:
            log.error("commit=failed error=%s", error)
            if not self._helped(error):
                raise
        return super().commit(record_id, kind, build)

    def _helped(self, error: StoreError) -> bool:
        """Whether it is worth another try: room was made, or the database made anew."""
        if isinstance(error, DamagedError):
            self.mend()
            return True
        released = self._reserve.release()
        if released:
            log.error("disk=full reserve=released")
        return released

    def look(self) -> tuple[Condition, str]:
        """How the disk is, without writing to it. Raises `StoreError` if nothing can be written."""
        self._reserve.need_writable()
        if self._reserve.release():
            log.error("disk=full reserve=released")
        self._hold_reserve()
        self._reserve.need_room()
        if self._has_reserve and not self._reserve.is_held:
            return Condition.STRAINED, "disk nearly full: the reserve is in use"
        if not self.ledger_is_whole:
            return Condition.STRAINED, "the second copy of records cannot be written"
        if self.recovery is not None:
            return Condition.STRAINED, f"database made anew: {self.recovery.reason}"
        return Condition.OK, ""

    def _hold_reserve(self) -> None:
        """Without it the kiosk works as well, and says so."""
        try:
            self._reserve.hold()
        except StoreError as error:
            if not self._reserve_told:
                log.error("reserve=not_held error=%s", error)
            self._reserve_told = True

    def keep_receipt(
        self, receipt_no: str, items: tuple[ReceiptItem, ...], owner: str = ""
    ) -> None:
        """For a second copy. Raises `StoreError`."""
        now = self._times.now()
        day = now.local.date() if now.is_sure else None
        self.receipts.keep(KeptReceipt(receipt_no, day, items, owner))

    def kept_receipt(self, receipt_no: str) -> KeptReceipt | None:
        """Raises `StoreError`."""
        return self.receipts.find(receipt_no)

    def newest_receipt_of(self, owner: CardKey) -> KeptReceipt | None:
        """Raises `StoreError`."""
        return self.receipts.newest_of(owner)

    def may_help(self, helper: CardKey) -> bool:
        """Whether this card may name one more person today. Raises `StoreError`."""
        return self._helpers.may(helper, self._day())

    def admit(self, helper: CardKey, target: CardKey) -> bool:
        """Count a target; False if the card named too many today. Raises `StoreError`."""
        return self._helpers.admit(helper, target, self._day())

    def next_ticket(self) -> int:
        """The number of whoever calls a person next. Raises `StoreError`."""
        return self._tickets.next(self._sure_day())

    def take_ticket(self, number: int) -> None:
        """That number is given now. Raises `StoreError`."""
        self._tickets.take(number, self._sure_day())

    def _day(self) -> str:
        """Where nobody trusts the clock, a day is 24 hours since the machine was switched on."""
        now = self._times.now()
        if now.is_sure:
            return now.local.date().isoformat()
        return f"{now.boot_id} {now.boot_ns // DAY_NS}"

    def _sure_day(self) -> date | None:
        now = self._times.now()
        return now.local.date() if now.is_sure else None

    def keep_house(self) -> None:
        """Once a day, between residents, by a clock that is believed. Raises `StoreError`."""
        now = self._times.now()
        today = now.local.date()
        if not now.is_sure or self._kept_house == today:
            return
        if self._retention.is_due(today):
            self._retention.run(today)
            self._drop_templates(today)
            self._helpers.forget_other_days(self._day())
            self.clock.note_floor(now)
        if not self._retention.is_due(today):
            self._kept_house = today

    def _drop_templates(self, today: date) -> None:
        """Those whose time is over; without the key, which is not needed for this."""
        folder = self._path.parent / TEMPLATES
        if not folder.is_dir():
            return
        with closing(TemplateStore(folder)) as store:
            gone = [row for row in store.expired(today) if store.delete(row.person_id)]
        if gone:
            Proofs(self.database, self._seal).add(Gone("templates", len(gone), today))

    def _announcement(self, done: Recovery) -> tuple[RecordId, Callable[[Position], bytes]]:
        record_id = new_record_id()
        notice = NewEpoch(done.reason, done.old_epoch, done.last_seq, done.salvaged, done.refused)

        def build(position: Position) -> bytes:
            return self._seal.notice(messages.EPOCH, record_id, notice_body(notice), position)

        return record_id, build


def _try_to_write(database: Database) -> None:
    """As much as a record takes; to find out with nobody waiting for it."""
    with database.write() as db:
        db.execute("INSERT OR REPLACE INTO state VALUES ('trial', ?)", ["x" * TRIAL_BYTES])
    with database.write() as db:
        db.execute("DELETE FROM state WHERE name = 'trial'")

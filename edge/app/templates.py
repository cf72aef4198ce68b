"""Face templates at the kiosk: kept, looked up, withdrawn and deleted on the registry's order.

Only the kiosk process has the key and the folder; the process with the network carries the
signed words about a template and never the template.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from edge.app.seal import DeviceSeal
from edge.app.sealing import Keyring
from edge.domain.errors import StoreError, WireError
from edge.domain.people import PersonId
from edge.domain.record import RecordId
from edge.domain.templates import TemplateChange, TemplateEvent
from edge.domain.timebase import Stamp
from edge.ports import OutboxRow, Position
from edge.store.database import Database
from edge.store.deletions import DeletionOrders
from edge.store.proofs import Gone, Proofs
from edge.store.templates import Template, TemplateStore
from edge.wire import messages

log = logging.getLogger("edge.templates")

NewEvent = Callable[[TemplateChange, PersonId], TemplateEvent]


class Disk(Protocol):
    """What of the journal is needed here."""

    @property
    def database(self) -> Database: ...

    def commit(
        self, record_id: RecordId, kind: str, build: Callable[[Position], bytes]
    ) -> OutboxRow: ...


class TemplateBook:
    """Used by the session thread alone. Each use opens the file anew: they are rare.

    `model_sha256`: numbers of another model mean nothing to this one.
    """

    def __init__(
        self, folder: Path, key: bytes, keyring: Keyring, disk: Disk, model_sha256: str
    ) -> None:
        self._folder = folder
        self._key = key
        self._keyring = keyring
        self._disk = disk
        self._model_sha256 = model_sha256
        self._proofs = Proofs(disk.database, DeviceSeal(keyring.kiosk_id, keyring.sign))
        self._orders = DeletionOrders(disk.database)

    def face_of(self, person_id: PersonId, now: Stamp) -> bytes:
        """What to compare with; empty if there is nothing. Nobody is kept from being served."""
        if not self._folder.is_dir():
            return b""
        try:
            with closing(self._open()) as store:
                found = store.find(person_id)
        except StoreError as error:
            log.error("template=unreadable error=%s", error)
            return b""
        if found is None or found.model_sha256 != self._model_sha256:
            return b""
        over = now.is_sure and found.expires < now.local.date()
        return b"" if over else found.embedding

    def keep(self, event: TemplateEvent, face: bytes) -> None:
        """The word first: the registry is to know of each there is. Raises `StoreError`."""
        assert event.expires is not None
        template = Template(event.person_id, self._model_sha256, event.expires, face)
        self._write_down(event)
        with closing(self._open()) as store:
            store.put(template)
        log.info("template=kept")

    def undo(self, event: TemplateEvent, event_id: RecordId) -> None:
        """It was written down and could not be kept. One from before goes first: no order would
        ever come for it. Raises `StoreError`, and then the registry still thinks there is one."""
        self._delete(event)
        change = TemplateChange.DELETED
        self._write_down(replace(event, event_id=event_id, change=change, consent=None))

    def withdraw(self, event: TemplateEvent) -> bool:
        """Gone first, then the word; whether there was one here. Raises `StoreError`."""
        here = self._delete(event)
        self._write_down(event)
        return here

    def obey(self, new_event: NewEvent) -> None:
        """Delete what the registry says, and say so. Raises `StoreError`; then it waits."""
        payload = self._orders.waiting()
        if payload is None:
            return
        try:
            deletions = self._keyring.deletions(payload)
        except WireError as error:
            log.error("deletions_refused error=%s", error.reason)
            self._orders.done()
            return
        if not self._orders.is_new(deletions.version):
            self._orders.done()
            return
        for person_id in deletions.people:
            event = new_event(TemplateChange.DELETED, person_id)
            self._delete(event)
            self._write_down(event)
        self._orders.done(deletions.version)
        log.info("deletions=done count=%d", len(deletions.people))

    def _delete(self, event: TemplateEvent) -> bool:
        """The proof says that one went, not whose: it outlives the template."""
        if not self._folder.is_dir():
            return False
        with closing(self._open()) as store:
            there = store.delete(event.person_id)
        if there:
            self._proofs.add(Gone("templates", 1, event.at.local.date()))
            log.info("template=deleted")
        return there

    def _write_down(self, event: TemplateEvent) -> None:
        self._disk.commit(
            event.event_id,
            messages.TEMPLATE,
            lambda position: self._keyring.template_event(event, position),
        )

    def _open(self) -> TemplateStore:
        return TemplateStore(self._folder, self._key)

"""The kiosk's side of hostile messages: the receiver with real stores, and every opener."""

from __future__ import annotations

import random
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.app.clock import SystemTime
from edge.app.config import load
from edge.app.sealing import Keyring
from edge.domain.errors import WireError
from edge.ports import Incoming
from edge.store.inbox import Inbox
from edge.store.journal import SqliteJournal
from edge.store.letters import Letters
from edge.store.outbox import SqliteOutbox
from edge.store.wishes import WishBox
from edge.sync.receiver import Receiver
from edge.wire import desired, messages, staff, topics
from edge.wire.envelope import unseal, verify
from provisioning.site import Site
from tests.chaos import hostile, samples

MEMORY = Path("/dev/shm")
"""Where a sync to disk costs nothing; there are a hundred thousand messages."""


class Settings:
    """Files wishes as the sync process does; answers about the link are only counted."""

    def __init__(self, box: WishBox) -> None:
        self._box = box
        self.heards = 0

    def wish(self, version: int, payload: bytes) -> bool:
        return self._box.put(version, payload)

    def heard(self, _ask: str) -> None:
        self.heards += 1


class KioskFuzz:
    """Feeds one kiosk; `errors` holds whatever would have ended a thread or a process."""

    def __init__(self, site: Site, kiosk_id: str, registry: Ed25519PrivateKey, seed: int) -> None:
        config = load(site.kiosk(kiosk_id) / "site.toml")
        self.keyring = Keyring.load(config)
        self.errors: Counter[str] = Counter()
        self.taken = self.opened = self.stored = 0
        self._kiosk_id = kiosk_id
        self._chance = random.Random(seed)
        party = hostile.Party("registry", kiosk_id, registry, self.keyring.open.public_key())
        self.kinds = samples.down()
        self.forge = hostile.Forge(self.kinds, party, self._chance)

    def run(self, count: int, step: Callable[[], None]) -> None:
        with ExitStack() as stack:
            folder = stack.enter_context(
                tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
            )
            journal = SqliteJournal(Path(folder) / "fuzz.db", self.keyring.data, SystemTime())
            stack.enter_context(closing(journal))
            receiver = self._receiver(journal)
            for leaf, payload in islice(self.forge, count):
                self._one(receiver, journal, leaf, payload)
                step()

    def _receiver(self, journal: SqliteJournal) -> Receiver:
        times, database = SystemTime(), journal.database
        return Receiver(
            self._kiosk_id,
            self.keyring.registry_sign,
            SqliteOutbox(database, times),
            Inbox(database),
            Letters(database, times),
            Settings(WishBox(database)),
        )

    def _one(self, receiver: Receiver, journal: SqliteJournal, leaf: str, payload: bytes) -> None:
        kiosk_id = self._chance.choice((self._kiosk_id,) * 9 + ("k-666",))
        message = Incoming(topics.topic(kiosk_id, leaf), payload, b"x")
        self._guarded("receiver", lambda: receiver.take(message))
        self.taken += 1
        for name, opener in self._openers(journal).items():
            if leaf.endswith(name):
                self._guarded(name, lambda opener=opener: opener(payload))  # type: ignore[misc]

    def _openers(self, journal: SqliteJournal) -> dict[str, Callable[[bytes], object]]:
        """What the kiosk process does with what the sync process filed."""
        ring = self.keyring

        def roster(payload: bytes) -> None:
            found = ring.roster(payload)
            journal.replace_roster(found.version, found.entries)
            self.stored += 1

        return {
            "roster": roster,
            "answer": lambda payload: ring.answer(payload, "letter"),
            "ask": ring.ask,
            "desired": ring.wish,
            "staff": lambda payload: staff.parse_staff(self._unsealed(payload)),
            "heard": lambda payload: desired.parse_heard(self._unsealed(payload)),
            "ack": lambda payload: messages.parse_acks(self._checked(payload)),
        }

    def _checked(self, payload: bytes) -> bytes:
        return verify(payload, {messages.REGISTRY: self.keyring.registry_sign}.get).body

    def _unsealed(self, payload: bytes) -> bytes:
        told = verify(payload, {messages.REGISTRY: self.keyring.registry_sign}.get)
        return unseal(told.body, told.header, self.keyring.open)

    def _guarded(self, where: str, act: Callable[[], object]) -> None:
        try:
            act()
            self.opened += where != "receiver"
        except WireError:
            pass  # refused, as it should be
        except (Exception, MemoryError, RecursionError) as error:  # noqa: BLE001
            last = traceback.extract_tb(error.__traceback__)[-1]
            at = f"{type(error).__name__} in {where} at {Path(last.filename).name}:{last.name}"
            self.errors[at] += 1

"""Any order of crash, loss, copy, reordering and reboot: each record once, an empty outbox.

The kiosk's side is the real store and the real service; between it and a
registry that signs lies a network that may do anything but forge.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from edge.ports import Incoming
from edge.store.inbox import Inbox
from edge.store.journal import SqliteJournal
from edge.store.letters import Letters
from edge.store.outbox import SqliteOutbox
from edge.store.state import SyncState
from edge.sync.publisher import Pace
from edge.sync.service import SyncService
from edge.wire.messages import Ack, AckStatus
from tests.helpers_sync import (
    KIOSK,
    HandTurnedTime,
    MemoryLink,
    SignedKiosk,
    SmallRegistry,
    record_id,
)

which = st.integers(0, 10_000)


class Delivery(RuleBasedStateMachine):
    """A kiosk, a registry and everything that can happen between them."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="jz-outbox-"))
        self.times = HandTurnedTime()
        self.kiosk = SignedKiosk()
        self.registry = SmallRegistry()
        self.promised: dict[str, str] = {}
        self.up: list[Incoming] = []
        self.down: list[Incoming] = []
        self.link = MemoryLink()
        self.boot()

    def boot(self) -> None:
        """Both processes from what is on the disk; whatever was in memory is gone."""
        self.journal = SqliteJournal(self.folder / "journal.db", b"d" * 32, self.times)
        self.outbox = SqliteOutbox(self.journal.database, self.times)
        self.link = MemoryLink()
        self.service = SyncService(
            self.outbox,
            Inbox(self.journal.database),
            SyncState(self.journal.database, self.times),
            self.link,
            self.registry.public_key,
            KIOSK,
            self.times,
            pace=Pace(window=3, reserve=1),
            letters=Letters(self.journal.database, self.times),
            spread=lambda: 1.0,
        )

    @rule()
    def a_person_finishes(self) -> None:
        name = record_id(len(self.promised))
        row = self.journal.commit(name, "record", self.kiosk.build(name))
        self.promised[name] = row.sha256

    @rule(number=which)
    def the_kiosk_process_commits_again(self, number: int) -> None:
        if self.promised:
            name = record_id(number % len(self.promised))
            row = self.journal.commit(name, "record", self.kiosk.build(name))
            assert row.sha256 == self.promised[name]

    @rule()
    def sync_turns_once(self) -> None:
        self.service.step(0)
        self.up += self.link.sent
        self.link.sent.clear()

    @rule(number=which, again=st.booleans())
    def a_message_reaches_the_registry(self, number: int, again: bool) -> None:
        if self.up:
            index = number % len(self.up)
            message = self.up[index] if again else self.up.pop(index)
            self.down.append(self.registry.take(message.payload, self.kiosk.key.public_key()))

    @rule(number=which, again=st.booleans())
    def an_answer_reaches_the_kiosk(self, number: int, again: bool) -> None:
        if self.down and self.link.up:
            index = number % len(self.down)
            self.link.coming.append(self.down[index] if again else self.down.pop(index))

    @rule(number=which, downwards=st.booleans())
    def a_message_is_lost(self, number: int, downwards: bool) -> None:
        messages = self.down if downwards else self.up
        if messages:
            messages.pop(number % len(messages))

    @rule(number=which)
    def somebody_forges_an_answer(self, number: int) -> None:
        if self.promised:
            name = record_id(number % len(self.promised))
            forged = SmallRegistry().answer([Ack(name, self.promised[name], AckStatus.FILED)])
            wrong = self.registry.answer([Ack(name, "0" * 64, AckStatus.FILED)])
            self.link.coming.extend([forged, wrong])

    @rule(up=st.booleans())
    def the_link_comes_or_goes(self, up: bool) -> None:
        self.link.up = up

    @rule(seconds=st.floats(0, 700))
    def time_passes(self, seconds: float) -> None:
        self.times.boot_s += seconds

    @rule(power_cut=st.booleans())
    def it_dies_and_starts_again(self, power_cut: bool) -> None:
        self.journal.close()
        if power_cut:
            self.times.reboot()
        self.boot()

    @invariant()
    def nothing_promised_is_forgotten(self) -> None:
        waiting = {row[0] for row in self.journal.database.rows(WAITING)}
        assert set(self.promised) <= waiting | set(self.registry.filed)
        assert waiting <= set(self.promised)

    def teardown(self) -> None:
        """With a network that works at last, everything arrives and nothing is left."""
        try:
            self.link.up = True
            rounds = 0
            while self.outbox.depth():
                self.sync_turns_once()
                while self.up:
                    self.a_message_reaches_the_registry(0, again=False)
                while self.down:
                    self.an_answer_reaches_the_kiosk(0, again=False)
                self.times.boot_s += 700
                rounds += 1
                assert rounds < 200
            assert self.registry.filed == self.promised
            assert self.journal.verify_chain() is None
        finally:
            self.journal.close()
            shutil.rmtree(self.folder)


WAITING = "SELECT record_id FROM outbox JOIN records USING (seq)"

TestDelivery = Delivery.TestCase
TestDelivery.settings = settings(
    max_examples=80,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)

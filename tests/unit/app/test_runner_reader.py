"""The card reader's plug is pulled and put in again while the real runner serves people.

A kiosk with a disk and a card reader and nothing else: the other devices are absent.
"""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path

import pytest

from edge.app.clock import SystemTime, mono_ns
from edge.app.compose import card_flags, context_maker, disk_of, facts_of, receipt_maker
from edge.app.config import load
from edge.app.runner import Parts, Runner
from edge.app.sealing import Keyring
from edge.domain.errors import DeviceError, Fault
from edge.domain.record import Provenance
from edge.drivers.idcard_serial import SerialCardReader
from edge.drivers.photo import NoDecoder
from edge.drivers.sim.idcard import SimSam
from edge.drivers.sim.idcard_cards import RESIDENT
from edge.ports import Frame, Health, Look, Paper, ReceiptItem, WatchOrder
from edge.session.events import CardFailed, CardRead, CardRemoved, Event, ReaderBack
from edge.session.machine import Transition
from edge.session.states import Home, Language, Session, Turned, Why
from provisioning.site import make_site

RECOVERY_S = 5.0


class NotFitted:
    """Implements `Printer`, `Voice` and `Eyes` of a kiosk that has none."""

    name = "none"
    provenance = Provenance.SIMULATED

    def open(self) -> None:
        raise DeviceError(self.name, Fault.ABSENT, "not fitted")

    def close(self) -> None: ...

    def health(self) -> Health:
        return Health(False, "not fitted")

    def paper(self) -> Paper:
        raise DeviceError(self.name, Fault.ABSENT, "not fitted")

    def print_receipt(self, items: Sequence[ReceiptItem]) -> None:
        self.open()

    def say(self, words: str, language: str) -> None: ...

    def hush(self) -> None: ...

    def view(self) -> Generator[Frame]:
        self.open()
        yield from ()

    def watch(self, order: WatchOrder) -> Generator[Look]:
        self.open()
        yield from ()


class Desk:
    """A runner, the far end of its reader, and everything that happened in order."""

    def __init__(self, folder: Path) -> None:
        site = make_site(folder / "site", ["K-9"], mode="demo").kiosk("K-9") / "site.toml"
        config = load(site)
        config.database.parent.mkdir(parents=True, exist_ok=True)
        self.sam = SimSam()
        self.events: queue.Queue[Event] = queue.Queue()
        self.states: list[Session] = []
        keyring, none = Keyring.load(config), NotFitted()
        facts = facts_of(config, Provenance.SIMULATED)
        self.journal = disk_of(config, keyring, SystemTime())
        parts = Parts(
            reader=SerialCardReader(self.sam.port, mono_ns=mono_ns),
            decoder=NoDecoder(),
            eyes=none,
            printer=none,
            voice=none,
            disk=self.journal,
            keyring=keyring,
            time=SystemTime(),
            facts=facts,
            context=context_maker(config, facts, keyring),
            flags=card_flags,
            codes=lambda picture: [],
            receipt=receipt_maker(config),
            slip=lambda language: (),
            sheet=lambda sheet, language: (),
            where_to_ask=lambda language: (),
            withdrawal_slip=lambda order, language: (),
            receipt_copy=receipt_maker(config, copy=True),
            spoken=lambda session, now_ns: "",
            label=lambda session, now_ns, button: "",
        )
        self.runner = Runner(parts, Language.ZH, self._saw)

    def _saw(self, event: Event | None, transition: Transition) -> None:
        if event is not None:
            self.events.put(event)

    def expect(self, kind: type[Event]) -> float:
        """Wait for an event; seconds it took. Others in between are passed over."""
        start_s = time.monotonic()
        while not isinstance(self.events.get(timeout=30), kind):
            pass
        return time.monotonic() - start_s

    def until(self, holds: Callable[[Session], bool]) -> None:
        end_s = time.monotonic() + 5
        while not holds(self.runner.session()):
            assert time.monotonic() < end_s, self.runner.session().state
            time.sleep(0.01)

    def close(self) -> None:
        assert self.runner.close() == []
        self.sam.close()
        self.journal.close()


@pytest.fixture
def desk(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Desk]:
    caplog.set_level(logging.INFO, "edge")
    desk = Desk(tmp_path)
    desk.runner.start()
    yield desk
    desk.close()


def about_the_reader(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [m for r, m in zip(caplog.records, caplog.messages, strict=True)
            if "card_reader" in m or r.name.endswith("idcard_serial")]  # fmt: skip


def test_e13_a_plug_pulled_and_put_in_again(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """Words at once, one log line out, tried again and again, one line back within 5 s."""
    desk.until(lambda session: "2001" in desk.sam.log)
    desk.sam.vanish()
    assert desk.expect(CardFailed) < 1.0
    desk.until(lambda session: _apologises(session.state))
    desk.expect(CardFailed)
    assert len(about_the_reader(caplog)) == 1
    desk.sam.come_back()
    assert desk.expect(ReaderBack) < RECOVERY_S
    desk.until(lambda session: isinstance(session.state, Home))
    lost, back = about_the_reader(caplog)
    assert "state=lost fault=absent" in lost
    assert "state=back" in back
    desk.sam.present(RESIDENT)
    assert desk.expect(CardRead) < 1.0


def _apologises(state: object) -> bool:
    return isinstance(state, Turned) and state.why is Why.READER_DOWN


def test_e16_a_card_taken_while_the_reader_was_away_is_known_to_be_gone(desk: Desk) -> None:
    desk.sam.present(RESIDENT)
    desk.expect(CardRead)
    desk.until(lambda session: session.card_lies)
    desk.sam.vanish()
    desk.expect(CardFailed)
    desk.sam.lift()
    desk.sam.come_back()
    assert desk.expect(CardRemoved) < RECOVERY_S
    desk.until(lambda session: not session.card_lies)


def test_e16_a_card_left_lying_does_not_begin_a_second_visit(desk: Desk) -> None:
    """The reader forgets with its power whose card it is; the kiosk must not."""
    desk.sam.use_profile("b")
    desk.sam.present(RESIDENT)
    desk.expect(CardRead)
    desk.sam.vanish()
    desk.expect(CardFailed)
    desk.sam.come_back()
    mark = len(desk.sam.log)
    end_s = time.monotonic() + RECOVERY_S
    while desk.sam.log[mark:].count("2001") < 3:
        assert time.monotonic() < end_s
        time.sleep(0.01)
    assert "3001" not in desk.sam.log[mark:]
    desk.sam.lift()
    desk.expect(CardRemoved)
    desk.sam.present(RESIDENT)
    desk.until(lambda session: "3001" in desk.sam.log[mark:])

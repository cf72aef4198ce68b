"""Back on the first screen no thread of the kiosk remembers anybody, not even in a variable."""

from __future__ import annotations

import gc
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from edge.app.config import Config
from edge.domain.errors import WireError
from edge.domain.people import CardIdentity, PersonId
from edge.domain.record import ProofRecord, Subject
from edge.ports import CheckResult, Frame, Look, Picture, WatchOrder
from edge.session import effects as fx
from edge.session.codes_states import Scanning, ScanWay
from edge.session.events import Button, DevicesLost, TemplateFailed, WatchFailed
from edge.session.states import (
    Confirming,
    Consenting,
    Finished,
    Home,
    Language,
    PaperNews,
    Reviewing,
    Visit,
    Watching,
)
from tests.headless import HeadlessKiosk, make_config
from tests.session_world import World, verdict
from tests.unit.app.test_runner_faults import Proxy, press, running, until, with_parts
from tests.unit.app.test_runner_vision import AHEAD, NOBODY_TOUCHES, SteadyEyes, numbered

pytestmark = pytest.mark.timeout(60)
PERSONAL = (CardIdentity, ProofRecord, Subject, Visit, fx.Watch, fx.PrintReceipt, fx.Store)
PORTRAIT = Picture(1, 1, b"abc")


@pytest.fixture
def config(tmp_path: Path, models_dir: Path) -> Config:
    return make_config(tmp_path, models_dir)


def unseen(config: Config, **parts: Any) -> HeadlessKiosk:
    """A kiosk of which this test keeps nothing that it did."""
    kiosk = HeadlessKiosk(config, NOBODY_TOUCHES, observe=lambda _event, _transition: None)
    return with_parts(kiosk, **parts)


class Memory:
    """Everything about a person that came into being since; samples of other tests do not count."""

    def __init__(self) -> None:
        self._before = self._live()

    def held(self) -> list[str]:
        known = {id(thing) for thing in self._before}
        return sorted(type(thing).__name__ for thing in self._live() if id(thing) not in known)

    def left(self, timeout_s: float = 5.0) -> list[str]:
        """What is held after the threads had time to come round."""
        end_s = time.monotonic() + timeout_s
        while self.held() and time.monotonic() < end_s:
            time.sleep(0.1)
        return self.held()

    @staticmethod
    def _live() -> list[object]:
        gc.collect()
        return [thing for thing in gc.get_objects() if type(thing) in PERSONAL]


def begin(kiosk: HeadlessKiosk) -> None:
    kiosk.world.sam.present(kiosk.world.card)
    until(kiosk, Confirming)
    press(kiosk, Button.ENTER, Button.APPLY)
    until(kiosk, Consenting)


def test_after_a_try_that_was_left_nothing_of_the_person_is_in_memory(config: Config) -> None:
    """The card stays on the reader, where people forget it."""
    eyes, memory = SteadyEyes(), Memory()
    with running(unseen(config, eyes=eyes)) as kiosk:
        begin(kiosk)
        press(kiosk, Button.AGREE)
        until(kiosk, Watching)
        assert eyes.stuck.wait(10)
        assert memory.held() != []
        press(kiosk, Button.HOME)
        until(kiosk, Home)
        eyes.go_on.set()
        assert memory.left() == []


def test_after_a_receipt_nothing_of_the_person_is_in_memory(config: Config) -> None:
    memory = Memory()
    with running(unseen(config)) as kiosk:
        begin(kiosk)
        press(kiosk, Button.DECLINE)
        end_s = time.monotonic() + 20
        while until(kiosk, Finished).paper is PaperNews.PRINTING:
            assert time.monotonic() < end_s
            time.sleep(0.02)
        press(kiosk, Button.EXIT)
        until(kiosk, Home)
        assert memory.left() == []


def test_after_a_try_the_models_own_memory_holds_no_face(config: Config) -> None:
    """With the real eyes: what follows a face through the pictures lets go of it."""
    with running(unseen(config)) as kiosk:
        begin(kiosk)
        press(kiosk, Button.AGREE)
        follower = kiosk.parts.eyes._follower  # type: ignore[attr-defined]
        end_s = time.monotonic() + 30
        while follower._mesh is None:
            assert time.monotonic() < end_s
            time.sleep(0.01)
        press(kiosk, Button.HOME)
        until(kiosk, Home)
        while follower._mesh is not None:
            assert time.monotonic() < end_s
            time.sleep(0.01)


class QuickEyes(SteadyEyes):
    """Good at once; what it sees for codes never ends."""

    def watch(self, order: WatchOrder) -> Generator[Look]:
        yield Look(numbered(1), AHEAD, CheckResult(verdict(), PORTRAIT))

    def view(self) -> Generator[Frame]:
        while True:
            yield numbered(2)


def test_who_looks_for_a_code_finds_their_picture_again(config: Config) -> None:
    """K31: what is submitted is what was looked at."""
    with running(unseen(config, eyes=QuickEyes(), codes=lambda _picture: [])) as kiosk:
        begin(kiosk)
        press(kiosk, Button.AGREE)
        until(kiosk, Reviewing)
        kiosk.runner.post(DevicesLost(("scanner",)))
        press(kiosk, Button.SCAN, Button.USE_CAMERA)
        while until(kiosk, Scanning).way is not ScanWay.CAMERA or kiosk.runner.preview() is None:
            time.sleep(0.01)
        press(kiosk, Button.BACK)
        until(kiosk, Reviewing)
        assert kiosk.runner.portrait() is PORTRAIT
        assert kiosk.runner.preview() is None
        press(kiosk, Button.HOME)
        until(kiosk, Home)
        assert kiosk.runner.portrait() is None


def test_an_order_that_fails_in_no_foreseen_way_is_answered(config: Config) -> None:
    def fails(*_: object) -> None:
        raise WireError("body", "a bug")

    kiosk = unseen(config)
    book = Proxy(kiosk.parts.templates, withdraw=fails, keep=fails, face_of=fails)
    with_parts(kiosk, templates=book)
    answers: list[object] = []
    kiosk.runner.post = answers.append  # type: ignore[method-assign]
    event = World().context().withdrawal(PersonId("p-1"), Language.ZH)
    kiosk.runner._face = b"face"
    kiosk.runner._carry_out(fx.DeleteTemplate(event))
    kiosk.runner._carry_out(fx.KeepTemplate(event))
    kiosk.runner._carry_out(fx.Watch(7, (), b"", person_id=PersonId("p-1")))
    kiosk.world.close()
    kiosk.parts.disk.close()
    assert [type(answer) for answer in answers] == [TemplateFailed, TemplateFailed, WatchFailed]

"""Each device is unplugged and plugged in again while the whole kiosk runs: nothing is wedged.

Words on the screen, one log line out and one back, the board and the disk say the
same, and within five seconds of the plug the kiosk serves as if nothing had been.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from edge.app.config import Config
from edge.app.loudness import KeptVolume
from edge.app.world import World
from edge.domain.errors import StoreError
from edge.domain.health import Condition, DeviceState
from edge.drivers.sim.camera import SimCamera
from edge.drivers.sim.printer import Fault
from edge.drivers.sim.scenario import SCENARIOS
from edge.drivers.sim.voice import SimVoice
from edge.ports import Health
from edge.session.events import Button, CodeScanned, Event, Pressed
from edge.session.machine import Transition
from edge.session.states import Finished, Home, Language, PaperNews, Watching
from edge.store.database import Database
from edge.store.health import HealthTable
from edge.ui.texts import text
from edge.ui.viewmodel import Screen, view
from tests.headless import HeadlessKiosk, make_config

STALE = DeviceState("fan", Condition.ABSENT, "", "2026-11-23T00:00:00.000Z")
RECOVERY_S = 5.0
LOST_S = 10.0

pytestmark = pytest.mark.timeout(120)


class Hall:
    """A kiosk without a window, and somebody who presses what they are told to."""

    def __init__(self, config: Config, caplog: pytest.LogCaptureFixture) -> None:
        self.config = config
        self._caplog = caplog
        self._kiosk = HeadlessKiosk(config, SCENARIOS["good-day"], self._observe)
        self.codes: list[str] = []
        self.runner = self._kiosk.runner
        self.parts = self._kiosk.parts
        self.world: World = self._kiosk.world
        camera = self.parts.eyes._camera  # type: ignore[attr-defined]
        assert isinstance(camera, SimCamera)
        assert isinstance(self.parts.voice, KeptVolume)
        voice = self.parts.voice.voice
        assert isinstance(voice, SimVoice)
        self.camera, self.voice = camera, voice

    def close(self) -> None:
        stuck = self.runner.close()
        self.world.close()
        self.parts.disk.close()  # type: ignore[attr-defined]
        assert stuck == []

    def _observe(self, event: Event | None, _: Transition) -> None:
        if isinstance(event, CodeScanned):
            self.codes.append(event.text)

    def screen(self) -> Screen:
        return view(self.runner.session(), self.runner.now_ns(), self.parts.facts)

    def board(self) -> dict[str, Condition]:
        return {state.device: state.condition for state in self.runner.health.states()}

    def disk(self) -> dict[str, Condition]:
        with closing(Database(self.config.database)) as database:
            return {state.device: state.condition for state in HealthTable(database).all()}

    def lines(self, device: str) -> list[str]:
        return [m for m in self._caplog.messages if m.startswith(f"device={device} ")]

    def everything_logged(self) -> list[str]:
        return self._caplog.messages

    def press(self, button: Button) -> None:
        self.runner.post(Pressed(button))

    def until(self, holds: Callable[[], bool], timeout_s: float = LOST_S) -> float:
        """Seconds it took."""
        start_s = time.monotonic()
        while not holds():
            assert time.monotonic() < start_s + timeout_s, (self.screen().name, self.board())
            time.sleep(0.02)
        return time.monotonic() - start_s

    def is_lost(self, device: str) -> bool:
        return not self.board()[device].works and not self.disk()[device].works

    def is_back(self, device: str) -> bool:
        return self.board()[device].works and self.disk()[device].works

    def go_to_consent(self) -> None:
        self.world.sam.present(self.world.card)
        self.until(lambda: self.screen().name == "confirm")
        for button, name in ((Button.ENTER, "choose"), (Button.APPLY, "consent")):
            self.press(button)
            self.until(lambda name=name: self.screen().name == name)  # type: ignore[misc]

    def decline_and_leave(self) -> PaperNews:
        """The shortest whole visit: a record and a receipt; what became of the paper."""
        self.go_to_consent()
        self.press(Button.DECLINE)
        self.until(lambda: isinstance(self.runner.session().state, Finished))
        self.until(lambda: self._paper() is not PaperNews.PRINTING)
        paper = self._paper()
        self.leave()
        return paper

    def leave(self) -> None:
        self.press(Button.EXIT)
        self.world.sam.lift()
        self.until(lambda: not self.runner.session().card_lies)
        self.until(lambda: isinstance(self.runner.session().state, Home))

    def _paper(self) -> PaperNews:
        state = self.runner.session().state
        assert isinstance(state, Finished)
        return state.paper


@pytest.fixture
def hall(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    models_dir: Path,
    caplog: pytest.LogCaptureFixture,
) -> Iterator[Hall]:
    """Everything is fitted; the scanner is a module of its own, or what the test names."""
    caplog.set_level(logging.INFO, "edge")
    scanner = getattr(request, "param", "sim")
    config = make_config(tmp_path, models_dir)
    devices = replace(config.devices, panel="sim", scanner=scanner)
    made = Hall(replace(config, devices=devices), caplog)
    made.parts.disk.note_health(STALE)
    made.runner.start()
    try:
        everything = {"card_reader", "camera", "printer", "voice", "panel"}
        everything |= {"scanner"} if scanner == "sim" else set()
        made.until(lambda: set(made.board()) >= everything and set(made.disk()) >= everything)
        assert all(condition.works for condition in made.board().values())
        yield made
    finally:
        made.close()


def plugs(hall: Hall) -> dict[str, tuple[Callable[[], None], Callable[[], None]]]:
    return {
        "card_reader": (hall.world.sam.vanish, hall.world.sam.come_back),
        "printer": (hall.world.printer.vanish, hall.world.printer.reconnect),
        "camera": (hall.camera.freeze, lambda: hall.camera.freeze(False)),
        "voice": (hall.voice.vanish, hall.voice.come_back),
        "panel": (hall.world.panel.vanish, hall.world.panel.reconnect),
        "scanner": (hall.world.scanner.vanish, hall.world.scanner.reconnect),
    }


def out_and_back(hall: Hall, *devices: str) -> None:
    for device in devices:
        plugs(hall)[device][0]()
    hall.press(Button.HELP)  # something to say, or nobody would notice a voice that is gone
    hall.until(lambda: all(hall.is_lost(device) for device in devices))
    hall.press(Button.EXIT)
    hall.press(Button.HOME)
    words = words_about(devices)
    hall.until(lambda: words in (hall.screen().title, *hall.screen().lines))
    for device in devices:
        plugs(hall)[device][1]()
    assert hall.until(lambda: all(hall.is_back(d) for d in devices)) <= RECOVERY_S
    hall.press(Button.HOME)
    hall.until(lambda: isinstance(hall.runner.session().state, Home), RECOVERY_S)
    hall.until(lambda: len(hall.screen().lines) == 2)  # the place and its telephone again


def words_about(devices: tuple[str, ...]) -> str:
    """What a person who comes now must find on the screen; without a card reader nothing goes."""
    key = "reader_down.title" if "card_reader" in devices else f"lost.{devices[0]}"
    return text(Language.ZH, key)


@pytest.mark.parametrize(
    "device", ["card_reader", "printer", "camera", "voice", "panel", "scanner"]
)
def test_n15_unplugged_between_two_people(hall: Hall, device: str) -> None:
    out_and_back(hall, device)
    lost, back = hall.lines(device)
    assert "state=lost fault=" in lost
    assert back == f"device={device} state=back"
    others = {name for name in hall.board() if name != device}
    assert [line for name in others for line in hall.lines(name)] == []
    assert hall.decline_and_leave() is PaperNews.PRINTED
    assert len(hall.lines(device)) == 2


def test_n15_everything_unplugged_at_once(hall: Hall) -> None:
    out_and_back(hall, *plugs(hall))
    for device in plugs(hall):
        assert len(hall.lines(device)) == 2, device
    assert hall.decline_and_leave() is PaperNews.PRINTED


def test_e13_a_camera_that_dies_in_the_middle_leads_to_a_person(hall: Hall) -> None:
    hall.go_to_consent()
    hall.press(Button.AGREE)
    hall.until(lambda: hall.runner.preview() is not None)
    hall.camera.freeze()
    hall.until(lambda: hall.screen().title == "本机摄像头暂时不能使用")
    assert Button.CALL_STAFF in {choice.button for choice in hall.screen().buttons}
    hall.until(lambda: hall.is_lost("camera"))
    hall.camera.freeze(False)
    assert hall.until(lambda: hall.is_back("camera")) <= RECOVERY_S
    assert len(hall.lines("camera")) == 2
    hall.leave()
    hall.go_to_consent()
    hall.press(Button.AGREE)
    hall.until(lambda: hall.runner.preview() is not None)
    assert isinstance(hall.runner.session().state, Watching)


def test_a_camera_that_only_says_it_is_well_is_not_believed_for_ever(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(hall.camera, "health", lambda: Health(True, "I am well"))
        hall.camera.freeze()
        for _ in range(2):
            hall.go_to_consent()
            hall.press(Button.AGREE)
            hall.until(lambda: hall.screen().name == "turned_camera_down")
            hall.leave()
        hall.until(lambda: len(hall.lines("camera")) == 3)
        looked = hall.runner._due_ns["camera"]
        hall.until(lambda: hall.runner._due_ns["camera"] != looked)
        assert hall.is_lost("camera")
    hall.camera.freeze(False)
    hall.go_to_consent()
    hall.press(Button.AGREE)
    hall.until(lambda: hall.is_back("camera"))


def test_e12_a_printer_unplugged_in_the_middle_of_a_receipt(hall: Hall) -> None:
    hall.world.printer.add(Fault.VANISH_MID_RECEIPT)
    assert hall.decline_and_leave() is PaperNews.FAILED
    hall.until(lambda: hall.is_lost("printer"))
    hall.world.printer.reconnect()
    hall.world.printer.tear()
    assert hall.until(lambda: hall.is_back("printer")) <= RECOVERY_S
    assert len(hall.lines("printer")) == 2
    assert hall.decline_and_leave() is PaperNews.PRINTED


def test_n15_a_reader_unplugged_during_a_visit_does_not_end_it(hall: Hall) -> None:
    hall.go_to_consent()
    hall.world.sam.vanish()
    hall.until(lambda: hall.is_lost("card_reader"))
    assert hall.screen().name == "consent"
    hall.world.sam.come_back()
    assert hall.until(lambda: hall.is_back("card_reader")) <= RECOVERY_S
    assert len(hall.lines("card_reader")) == 2
    assert hall.screen().name == "consent"
    hall.press(Button.DECLINE)
    hall.until(lambda: isinstance(hall.runner.session().state, Finished))
    hall.leave()


def test_a_code_is_told_to_the_session_before_and_after_the_scanner_was_gone(hall: Hall) -> None:
    code = "K-0001 7f3a"
    hall.world.scanner.show(code)
    hall.until(lambda: hall.codes == [code])
    out_and_back(hall, "scanner")
    hall.world.scanner.show(code)
    hall.until(lambda: hall.codes == [code, code])
    assert isinstance(hall.runner.session().state, Home)
    assert not any(code in line for line in hall.everything_logged())


@pytest.mark.parametrize("hall", ["camera"], indirect=True)
def test_a_scanner_that_borrows_the_camera_does_not_open_it_unasked(hall: Hall) -> None:
    assert hall.parts.scanner is not None
    assert "scanner" not in {thread.name for thread in hall.runner._threads}
    assert hall.decline_and_leave() is PaperNews.PRINTED
    assert hall.camera.delivered == 0
    assert "scanner" not in hall.board()


def test_words_that_could_not_be_heard_are_said_when_the_voice_is_back(hall: Hall) -> None:
    hall.voice.vanish()
    hall.press(Button.START_PROOF)
    hall.until(lambda: hall.is_lost("voice"))
    hall.voice.come_back()
    hall.until(lambda: hall.is_back("voice"))
    words, _ = hall.voice.utterances[-1]
    assert words.startswith("生存认证选择")


def test_a_disk_that_does_not_take_the_health_is_told_once_and_caught_up(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object) -> None:
        raise StoreError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(hall.parts.disk, "note_health", full)
        hall.world.printer.vanish()
        hall.until(lambda: not hall.board()["printer"].works)
        hall.until(lambda: not hall.board()["disk"].works)
        assert hall.disk()["printer"].works
    hall.until(lambda: not hall.disk()["printer"].works)
    hall.world.printer.reconnect()
    hall.until(lambda: hall.is_back("printer") and hall.is_back("disk"))
    assert [line.split(" fault=")[0] for line in hall.lines("disk")] == [
        "device=disk state=lost",
        "device=disk state=back",
    ]


def test_a_kiosk_that_starts_forgets_what_the_last_one_knew(hall: Hall) -> None:
    assert hall.disk().keys() == hall.board().keys()
    assert STALE.device not in hall.disk()

"""Codes at a whole kiosk: real runner, scanner module, camera, printer and disk, no window."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
import zxingcpp
from PIL import Image

from edge.app.config import Config
from edge.drivers.sim.portrait import Rgb
from edge.drivers.sim.printer import Fault
from edge.drivers.sim.resident import EmptyChair
from edge.drivers.sim.scenario import SCENARIOS
from edge.models.runtime import Model
from edge.session.codes_states import CodeNews, CodeTold, CopyNews, Reprinting, Scanning, ScanWay
from edge.session.events import Button, Event, Pressed
from edge.session.machine import Transition
from edge.session.states import (
    AwaitingCard,
    Choosing,
    Consenting,
    Finished,
    Home,
    PaperNews,
    State,
)
from edge.ui.qr import modules
from edge.ui.screen import Layout
from edge.ui.viewmodel import view
from tests.headless import HeadlessKiosk, make_config
from tests.scanner_bench import qr_scene, wait_until

pytestmark = pytest.mark.timeout(150)

T = TypeVar("T")


class Hall:
    """A kiosk that was visited once, in which a test waits for states and touches buttons."""

    def __init__(self, config: Config, *, paper: bool = True) -> None:
        self.changed = threading.Condition()
        self.states: list[State] = []
        scenario = replace(SCENARIOS["no-consent"], paper=paper)
        self.kiosk = HeadlessKiosk(config, scenario, self._observe)
        self.world, self.parts = self.kiosk.world, self.kiosk.parts

    def _observe(self, event: Event | None, transition: Transition) -> None:
        with self.changed:
            self.states.append(transition.session.state)
            self.changed.notify_all()

    def wait(self, kind: type[T], timeout_s: float = 20.0) -> T:
        """The state as soon as it is one of this kind."""
        with self.changed:
            assert self.changed.wait_for(lambda: isinstance(self.states[-1], kind), timeout_s), (
                f"still {self.states[-1]}"
            )
            state = self.states[-1]
        assert isinstance(state, kind)
        return state

    def press(self, button: Button) -> None:
        self.kiosk.runner.post(Pressed(button))

    def receipt(self) -> Finished:
        """What the visit that was played left behind."""
        return next(state for state in reversed(self.states) if isinstance(state, Finished))

    def printed_code(self, folder: Path) -> str:
        """The code on the paper, read from the picture of it."""
        self.world.printer.save_png(folder / "paper.png")
        with Image.open(folder / "paper.png") as picture:
            (code,) = zxingcpp.read_barcodes(picture)
        return str(code.text)


@contextmanager
def visited(config: Config, *, paper: bool = True) -> Iterator[Hall]:
    hall = Hall(config, paper=paper)
    with hall.kiosk:
        hall.kiosk.play()
        hall.wait(Home)
        yield hall


def made(root: Path, models: Path, scanner: str) -> Config:
    config = make_config(root, models)
    return replace(config, devices=replace(config.devices, scanner=scanner))  # type: ignore[arg-type]


def copy_printed(hall: Hall) -> CopyNews:
    with hall.changed:
        assert hall.changed.wait_for(
            lambda: (
                isinstance(hall.states[-1], Reprinting)
                and hall.states[-1].news is not CopyNews.PRINTING
            ),
            20.0,
        )
        state = hall.states[-1]
    assert isinstance(state, Reprinting)
    return state.news


def test_k10_f4_a_receipt_is_scanned_checked_and_printed_again(
    tmp_path: Path, models_dir: Path
) -> None:
    config = made(tmp_path, models_dir, "sim")
    with visited(config) as hall:
        done = hall.receipt()
        assert done.paper is PaperNews.PRINTED
        assert done.code == "", "the paper carries it"
        code = hall.printed_code(tmp_path)
        hall.press(Button.SCAN)
        assert hall.wait(Scanning).way is ScanWay.SCANNER
        hall.world.scanner.show(code)
        told = hall.wait(CodeTold)
        assert told.news is CodeNews.GENUINE
        assert told.here
        assert told.receipt is not None
        assert told.receipt.receipt_no == done.record.receipt_no
        assert told.receipt.name == "王*华"
        assert told.receipt.simulated
        hall.press(Button.REPRINT)
        hall.world.sam.present(hall.world.card)
        assert copy_printed(hall) is CopyNews.PRINTED
        assert "补打的回执（副本）" in hall.world.printer.text
        assert done.record.receipt_no in hall.world.printer.text
        assert hall.printed_code(tmp_path) == code
        hall.world.sam.lift()


def test_f4_a_receipt_with_a_changed_character_is_not_proven(
    tmp_path: Path, models_dir: Path
) -> None:
    with visited(made(tmp_path, models_dir, "sim")) as hall:
        code = hall.printed_code(tmp_path)
        changed = code[:40] + ("A" if code[40] != "A" else "B") + code[41:]
        hall.world.scanner.show(changed)
        told = hall.wait(CodeTold)
        assert (told.news, told.receipt) == (CodeNews.UNPROVEN, None)


def test_another_card_gets_no_copy(tmp_path: Path, models_dir: Path) -> None:
    with visited(made(tmp_path, models_dir, "sim")) as hall:
        printed = hall.world.printer.text
        hall.world.scanner.show(hall.printed_code(tmp_path))
        hall.wait(CodeTold)
        hall.press(Button.REPRINT)
        hall.world.sam.present(replace(hall.world.card, number="100000194508150029"))
        assert copy_printed(hall) is CopyNews.NOT_YOURS
        assert hall.world.printer.text == printed
        hall.world.sam.lift()


def test_e12_the_code_on_the_screen_is_as_good_as_paper(tmp_path: Path, models_dir: Path) -> None:
    with visited(made(tmp_path, models_dir, "sim"), paper=False) as hall:
        done = hall.receipt()
        assert done.paper is PaperNews.FAILED
        shown = next(s for s in reversed(hall.kiosk.screens) if s.name == "finished")
        assert shown.layout is Layout.CODE
        assert shown.code == done.code
        assert any(done.record.receipt_no in line for line in shown.lines)
        size = len(modules(shown.code))
        picture = Image.new("L", (size, size))
        picture.putdata([0 if black else 255 for row in modules(shown.code) for black in row])
        (read,) = zxingcpp.read_barcodes(
            picture.resize((3 * size, 3 * size), Image.Resampling.NEAREST)
        )
        hall.world.printer.clear(Fault.PAPER_OUT)
        hall.world.scanner.show(read.text)
        assert hall.wait(CodeTold).news is CodeNews.GENUINE
        hall.press(Button.REPRINT)
        hall.world.sam.present(hall.world.card)
        assert copy_printed(hall) is CopyNews.PRINTED
        hall.world.sam.lift()


def test_k10_a_notice_letter_leads_straight_to_consent(tmp_path: Path, models_dir: Path) -> None:
    with visited(made(tmp_path, models_dir, "sim")) as hall:
        hall.world.scanner.show("jianzai-letter:proof")
        waiting = hall.wait(AwaitingCard)
        assert waiting.service is not None
        hall.world.sam.present(hall.world.card)
        with hall.changed:
            hall.changed.wait_for(lambda: type(hall.states[-1]).__name__ == "Confirming", 20.0)
        hall.press(Button.ENTER)
        hall.wait(Consenting)
        assert not any(isinstance(s, Choosing) for s in hall.states[hall.states.index(waiting) :])
        hall.world.sam.lift()


class Holding(EmptyChair):
    """Somebody who holds a paper with a code up to the camera."""

    def __init__(self, code: str) -> None:
        super().__init__()
        self._scene = qr_scene(code, size_px=360, top_px=60, left_px=140)

    def picture(self, now_ns: int) -> Rgb:
        return self._scene


def test_without_a_scanner_the_camera_looks_for_codes_and_for_nothing_else(
    tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with visited(made(tmp_path, models_dir, "none")) as hall:
        camera = hall.parts.eyes._camera  # type: ignore[attr-defined]
        looked: list[str] = []
        for name in ("run", "run_on"):
            monkeypatch.setattr(Model, name, lambda *_: looked.append("a model ran"))
        code = hall.printed_code(tmp_path)
        hall.world.room.enter(Holding(code))
        hall.press(Button.SCAN)
        assert hall.wait(Scanning).way is ScanWay.NOTICE
        assert camera.delivered == 0, "the notice comes before the camera"
        hall.press(Button.USE_CAMERA)
        told = hall.wait(CodeTold)
        assert told.news is CodeNews.GENUINE
        assert camera.delivered > 0
        assert looked == [], "no model runs"
        assert hall.kiosk.runner.preview() is None, "frames are dropped"
        assert hall.kiosk.runner.portrait() is None
        assert camera._shut.wait(5.0), "and the camera is closed"
        assert camera.delivered_closed == 0


def test_whoever_leaves_the_camera_scan_closes_the_camera(tmp_path: Path, models_dir: Path) -> None:
    with visited(made(tmp_path, models_dir, "none")) as hall:
        camera = hall.parts.eyes._camera  # type: ignore[attr-defined]
        hall.world.room.leave()
        hall.press(Button.SCAN)
        hall.press(Button.USE_CAMERA)
        with hall.changed:
            hall.changed.wait_for(lambda: getattr(hall.states[-1], "way", None) is ScanWay.CAMERA)
        shown = view(hall.kiosk.runner.session(), hall.kiosk.runner.now_ns(), hall.parts.facts)
        assert shown.shows_preview
        assert wait_until(lambda: camera.delivered > 0)
        hall.press(Button.HOME)
        hall.wait(Home)
        assert camera._shut.wait(5.0)
        assert hall.kiosk.runner.preview() is None

"""What goes wrong behind the session leaves nobody stuck, and nothing open that was given up."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.app.config import Config
from edge.domain.errors import StoreError
from edge.drivers.sim.scenario import SCENARIOS, WISHES
from edge.ports import Picture
from edge.session.events import Button, Pressed
from edge.session.states import Choosing, Confirming, Consenting, Home, Turned, Watching, Why
from tests.headless import HeadlessKiosk, make_config

pytestmark = pytest.mark.timeout(90)
NOBODY_TOUCHES = replace(SCENARIOS["good-day"], wishes=())


@pytest.fixture
def config(tmp_path: Path, models_dir: Path) -> Config:
    return make_config(tmp_path, models_dir)


class Proxy:
    """A part whose chosen methods do something else."""

    def __init__(self, real: Any, **instead: Any) -> None:
        self._real = real
        for name, method in instead.items():
            setattr(self, name, method)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


@contextmanager
def running(kiosk: HeadlessKiosk) -> Iterator[HeadlessKiosk]:
    with kiosk:
        yield kiosk


def until(kiosk: HeadlessKiosk, state: type, timeout_s: float = 20.0) -> Any:
    end = time.monotonic() + timeout_s
    while not isinstance(kiosk.runner.session().state, state):
        assert time.monotonic() < end, kiosk.runner.session().state
        time.sleep(0.01)
    return kiosk.runner.session().state


def press(kiosk: HeadlessKiosk, *buttons: Button) -> None:
    for button in buttons:
        kiosk.runner.post(Pressed(button))


def with_parts(kiosk: HeadlessKiosk, **changes: Any) -> HeadlessKiosk:
    kiosk.parts = replace(kiosk.parts, **changes)
    kiosk.runner._parts = kiosk.parts
    return kiosk


def test_f17_a_try_given_up_while_the_photo_is_decoded_opens_no_camera(config: Config) -> None:
    kiosk = HeadlessKiosk(config, NOBODY_TOUCHES)
    decoding, go_on = threading.Event(), threading.Event()

    def slow(block: bytes) -> Picture | None:
        decoding.set()
        assert go_on.wait(10)
        return None

    decoder = Proxy(kiosk.parts.decoder, decode=slow)
    with running(with_parts(kiosk, decoder=decoder)):
        kiosk.world.sam.present(kiosk.world.card)
        until(kiosk, Confirming)
        press(kiosk, Button.ENTER, Button.APPLY)
        until(kiosk, Consenting)
        press(kiosk, Button.AGREE)
        until(kiosk, Watching)
        assert decoding.wait(10)
        press(kiosk, Button.HOME)
        until(kiosk, Home)
        go_on.set()
        kiosk.runner.close()
        camera = kiosk.parts.eyes._camera  # type: ignore[attr-defined]
        assert camera.delivered == 0


@pytest.mark.parametrize("error", [StoreError("disk"), KeyError("cycle")])
def test_a_roster_that_cannot_be_read_is_said_and_can_be_left(
    config: Config, error: Exception
) -> None:
    kiosk = HeadlessKiosk(config, NOBODY_TOUCHES)

    def fails(_key: object) -> None:
        raise error

    with running(with_parts(kiosk, disk=Proxy(kiosk.parts.disk, find=fails))):
        kiosk.world.sam.present(kiosk.world.card)
        assert until(kiosk, Turned).why is Why.STORE_DOWN
        press(kiosk, Button.EXIT)
        until(kiosk, Home)


@pytest.mark.parametrize("error", [StoreError("disk"), ValueError("a bug")])
def test_an_order_to_delete_that_cannot_be_carried_out_keeps_nobody_waiting(
    config: Config, error: Exception
) -> None:
    """It is looked for every two seconds, and lies on the broker for good."""
    kiosk = HeadlessKiosk(config, NOBODY_TOUCHES)
    tried = threading.Event()

    def fails(_new_event: object) -> None:
        tried.set()
        raise error

    templates = Proxy(kiosk.parts.templates, obey=fails)
    with running(with_parts(kiosk, templates=templates)):
        assert tried.wait(10)
        kiosk.world.sam.present(kiosk.world.card)
        until(kiosk, Confirming)
        press(kiosk, *(Button.ENTER, Button.BACK) * 4, Button.ENTER)  # each would take two seconds
        end_s = time.monotonic() + 8
        while not kiosk.runner._events.empty():
            assert time.monotonic() < end_s
            time.sleep(0.01)
        until(kiosk, Choosing)


@pytest.mark.parametrize("error", [StoreError("full"), ZeroDivisionError()])
def test_a_record_that_cannot_be_written_never_says_done(config: Config, error: Exception) -> None:
    scenario = replace(SCENARIOS["no-consent"], wishes=("不刷脸，人工办理", *WISHES[4:8]))
    kiosk = HeadlessKiosk(config, scenario)

    def fails(*_: object) -> None:
        raise error

    with running(with_parts(kiosk, disk=Proxy(kiosk.parts.disk, commit=fails))):
        assert until(kiosk, Turned).why is Why.STORE_DOWN
        assert kiosk.world.printer.text == ""


def test_a_damaged_roster_row_does_not_stop_the_next_visit(config: Config) -> None:
    kiosk = HeadlessKiosk(config, NOBODY_TOUCHES)
    broken = threading.Event()
    real = kiosk.parts.disk

    def once(key: Any) -> Any:
        if not broken.is_set():
            broken.set()
            raise KeyError("cycle")
        return real.find(key)

    with running(with_parts(kiosk, disk=Proxy(real, find=once))):
        kiosk.world.sam.present(kiosk.world.card)
        until(kiosk, Turned)
        kiosk.world.sam.lift()
        press(kiosk, Button.EXIT)
        until(kiosk, Home)
        end = time.monotonic() + 10
        while kiosk.runner.session().card_lies and time.monotonic() < end:
            time.sleep(0.01)
        kiosk.world.sam.present(kiosk.world.card)
        until(kiosk, Confirming)
        press(kiosk, Button.ENTER)
        until(kiosk, Choosing)

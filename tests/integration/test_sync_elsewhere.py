"""Somebody from another place at a kiosk: card, roster, registry and back, real processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.app import config
from edge.app.clock import SystemTime
from edge.app.sealing import Keyring
from edge.drivers.sim.scenario import SCENARIOS
from edge.session.events import Button, Pressed
from edge.session.states import AskingRegistry, Confirming, Home, Turned, Why
from edge.store.journal import SqliteJournal
from tests.fixtures_broker import KIOSKS, Broker
from tests.headless import HeadlessKiosk

pytestmark = [pytest.mark.broker, pytest.mark.timeout(150)]
ROOT = Path(__file__).parents[2]
PATIENCE_S = 30.0
OTHER_COUNTY = "100102000000"
"""The card's person lives in another one."""


def centre(broker: Broker, *arguments: str) -> list[str]:
    toml = str(broker.site.registry / "registry.toml")
    return [sys.executable, "-m", "cloud_bridge", "--config", toml, *arguments]


@contextmanager
def running(line: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(line, cwd=ROOT, env=os.environ, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def until(reached: Callable[[], Any], what: str) -> Any:
    deadline_s = time.monotonic() + PATIENCE_S
    while not (found := reached()):
        assert time.monotonic() < deadline_s, what
        time.sleep(0.02)
    return found


@pytest.fixture
def site(broker: Broker, models_dir: Path) -> config.Config:
    """A kiosk in another county than its visitor, known to a registry that knows both."""
    folder = broker.site.kiosk(KIOSKS[0])
    device = ("device", "add", "--id", KIOSKS[0], "--site", "临水", "--region", OTHER_COUNTY)
    for words in (("migrate",), ("demo-data",), (*device, "--keys", str(folder))):
        subprocess.run(centre(broker, *words), check=True, cwd=ROOT, capture_output=True)
    loaded = config.load(folder / "site.toml")
    keyring = Keyring.load(loaded)
    with closing(SqliteJournal(loaded.database, keyring.data, SystemTime())) as journal:
        journal.roster.replace(1, [])
    return replace(loaded, models=str(models_dir))


def state_of(kiosk: HeadlessKiosk, kind: type) -> Any:
    def found() -> Any:
        state = kiosk.runner.session().state
        return state if isinstance(state, kind) else None

    return until(found, f"{kind.__name__}, but {kiosk.runner.session().state}")


def again(kiosk: HeadlessKiosk) -> None:
    """The person leaves and comes back."""
    kiosk.world.sam.lift()
    kiosk.runner.post(Pressed(Button.EXIT))
    kiosk.runner.post(Pressed(Button.HOME))
    state_of(kiosk, Home)
    until(lambda: not kiosk.runner.session().card_lies, "the card lifted")
    kiosk.world.sam.present(kiosk.world.card)


def test_e03_somebody_from_another_place_goes_on_if_the_registry_knows_them(
    broker: Broker, site: config.Config
) -> None:
    seen: list[type] = []
    nobody = replace(SCENARIOS["good-day"], wishes=())
    sync = [sys.executable, "-m", "edge", "sync", "--site", str(site.base / "site.toml")]
    with HeadlessKiosk(site, nobody, lambda _, now: seen.append(type(now.session.state))) as kiosk:
        disk = kiosk.parts.disk
        with running(sync):
            with running(centre(broker, "bridge")):
                until(lambda: disk.link_is_up(), "the link")
                until(lambda: disk.roster.version() > 1, "the registry's own roster")  # type: ignore[attr-defined]
                kiosk.world.sam.present(kiosk.world.card)
                found = state_of(kiosk, Confirming).visit.entry
                assert AskingRegistry in seen
                assert (found.masked_name, found.category) == ("王*华", "retired")
            seen.clear()
            again(kiosk)
            start_s = time.monotonic()
            assert state_of(kiosk, Turned).why is Why.NOT_REACHED  # nobody answers
            assert 4 < time.monotonic() - start_s < 15
            assert AskingRegistry in seen
        seen.clear()
        again(kiosk)
        assert state_of(kiosk, Turned).why is Why.NOT_REACHED  # and now nobody is asked
        assert AskingRegistry not in seen
    verified = subprocess.run(
        centre(broker, "audit", "verify"), check=True, cwd=ROOT, capture_output=True, text=True
    )
    assert "whole" in verified.stdout

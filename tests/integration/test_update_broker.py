"""A release over MQTT alone: published, rolled out, fetched piece by piece, confirmed, told."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.update import launcher
from edge.update.agent import CONFIRM_S, Agent, Machine, Phase, Times
from edge.update.download import Shelf
from edge.update.exchange import Exchange
from edge.update.fetch_mqtt import BrokerTree
from edge.update.trust import Trust
from edge.wire import keys
from tests.fixtures_broker import KIOSKS, Broker
from tests.fleet_world import Beside, Centre, wheel

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]
KIOSK = KIOSKS[0]
PATIENCE_S = 60.0
APP = {
    "app/jianzai-1.whl": wheel("hello", __main__="print('one')"),
    "model/face-1.bin": bytes(range(256)) * 2000,
}
_START = """\
import os, sys
os.environ["CLOUD_BRIDGE_CONFIG"] = sys.argv[1]
os.environ["DJANGO_SETTINGS_MODULE"] = "cloud_bridge.settings"
import django
django.setup()
from datetime import UTC, datetime
from cloud_bridge.fleet import rollouts
from cloud_bridge.fleet.rollout import Policy
from cloud_bridge.registry import keyring
from cloud_bridge.registry.models import Device
plan = rollouts.Plan(int(sys.argv[2]), "0.1", sys.argv[3], Policy(soak_s=0.0))
rollouts.start(plan, Device.objects.all(), keyring.vault(), "gao", datetime.now(UTC))
"""
_STATE = _START.partition("from datetime")[0] + (
    "from cloud_bridge.registry.models import Rollout\n"
    "row = Rollout.objects.get()\n"
    "print(row.state, row.kiosks.get().outcome)\n"
)


class Registry:
    """Command line and bridge of the centre, which hands out the tree of releases."""

    def __init__(self, broker: Broker, tree: Path) -> None:
        self._config = broker.site.registry / "registry.toml"
        text = self._config.read_text("utf-8")
        self._config.write_text(f'{text}\n[fleet]\ntree = "{tree}"\n', "utf-8")
        folder = str(broker.site.kiosk(KIOSK))
        self.run("migrate")
        self.run("demo-data")
        self.run("device", "add", "--id", KIOSK, "--site", "示例", "--keys", folder)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "cloud_bridge", "--config", str(self._config), *arguments]

    def run(self, *arguments: str) -> None:
        subprocess.run(self.command(*arguments), check=True, capture_output=True, timeout=60)

    def script(self, text: str, *arguments: str) -> str:
        command = [sys.executable, "-c", text, str(self._config), *arguments]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
        return done.stdout.strip()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def process(stack: ExitStack, command: list[str]) -> None:
    running = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    stack.callback(running.wait, 10)
    stack.callback(running.terminate)


def until(happened: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline_s
        threading.Event().wait(0.05)


def test_f14_a_site_where_only_the_broker_is_reachable_gets_its_release(
    broker: Broker, stack: ExitStack, tmp_path: Path
) -> None:
    centre = Centre(tmp_path / "centre", datetime.now(UTC).replace(microsecond=0))
    manifest = centre.release(1, APP, machines=("x86_64",))
    registry = Registry(broker, centre.folder)
    process(stack, registry.command("bridge"))

    kiosk = broker.site.kiosk(KIOSK)
    folder = kiosk / "update"
    folder.mkdir()
    site = kiosk / "site.toml"
    site.write_text(f'{site.read_text("utf-8")}\n[update]\nfolder = "update"\n', "utf-8")
    process(stack, [sys.executable, "-m", "edge", "sync", "--site", str(site)])
    database_of(site)

    wanted = centre.assign(manifest)
    registry.script(_START, "1", wanted.manifest_sha256)
    registry_key = keys.verifying_key((kiosk / "registry-sign.pub").read_text("ascii"))
    exchange = Exchange(folder, KIOSK, registry_key)
    until(lambda: exchange.assignment() is not None)

    agent, beside, clock = agent_of(tmp_path, folder, centre)
    told = agent.turn(exchange.assignment())
    assert told.phase is Phase.TRIAL, told
    assert beside.restarts == 1
    agent.turn(None)
    clock[0] += CONFIRM_S
    told = agent.turn(None)
    assert told.phase is Phase.CONFIRMED
    assert launcher.serial_of(launcher.load(tmp_path / "state").current) == 1
    exchange.say(told)
    until(lambda: registry.script(_STATE) == "done good")


def database_of(site: Path) -> None:
    """The kiosk process makes it; there is none here."""
    from edge.app.config import load
    from edge.store.database import Database

    config = load(site)
    config.database.parent.mkdir(exist_ok=True)
    Database(config.database).close()


def agent_of(tmp_path: Path, folder: Path, centre: Centre) -> tuple[Agent, Beside, list[float]]:
    root, state = tmp_path / "opt", tmp_path / "state"
    (root / "factory" / "site").mkdir(parents=True)
    state.mkdir()
    clock, beside = [0.0], Beside()

    def now() -> datetime:
        return datetime.now(UTC)

    trust = Trust(tmp_path / "trust", centre.root(), now)
    shelf = Shelf(tmp_path / "shelf", lambda: clock[0])
    agent = Agent(
        (root, state),
        Machine(KIOSK, "x86_64", 5),
        trust,
        shelf,
        [BrokerTree(folder / "fetch.sock")],
        (beside, beside),
        Times(now, lambda: clock[0]),
    )
    return agent, beside, clock

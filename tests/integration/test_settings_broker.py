"""Settings from the centre to a kiosk and back: real broker, bridge, sync process and runner."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.app.clock import mono_ns
from edge.app.compose import compose
from edge.app.config import Config, load
from edge.app.runner import Runner
from edge.app.sealing import Keyring
from edge.app.settings import KioskSettings, SignedWishes
from edge.app.world import make_world
from edge.drivers.sim.scenario import SCENARIOS
from edge.ports import Incoming
from edge.session.events import Button, Pressed
from edge.session.states import Home, Language, visit_of
from edge.store.database import Database
from edge.store.wishes import WishBox
from edge.wire import topics
from tests.fixtures_broker import KIOSKS, Broker, free_port
from tests.integration.test_sync_broker import Peer

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]
KIOSK = KIOSKS[0]
PATIENCE_S = 100.0

_SYNC = """\
import sys
from pathlib import Path
from edge.app import config, logs, sync_process
logs.setup()
sys.exit(sync_process.run(config.load(Path(sys.argv[1])), "test", trial_s=float(sys.argv[2])))
"""

_IN_REGISTRY = """\
import os, sys
os.environ["CLOUD_BRIDGE_CONFIG"] = sys.argv[1]
os.environ["DJANGO_SETTINGS_MODULE"] = "cloud_bridge.settings"
import django
django.setup()
"""

_CENTRE_THAT_KNOWS_MORE = (
    _IN_REGISTRY
    + """\
import json
from datetime import UTC, datetime
from edge.domain import settings
from cloud_bridge.registry import keyring, kiosk_settings
from cloud_bridge.registry.models import Device
kiosk_settings.refusals = lambda change: []  # its definition is not the kiosk's
change = kiosk_settings.Change(json.loads(sys.argv[2]))
kiosk_settings.apply(Device.objects.all(), change, keyring.vault(), "gao", datetime.now(UTC))
"""
)

_PAGE = (
    _IN_REGISTRY
    + """\
from django.conf import settings
settings.ALLOWED_HOSTS = ["*"]
from django.test import Client
from cloud_bridge.registry import keyring, staff
staff.set_account("gao", "operator", "0" * 12, "correct horse battery", keyring.vault(), "test")
client = Client(headers={"accept-language": "zh-CN"})
client.post("/sign-in/", {"username": "gao", "password": "correct horse battery"})
sys.stdout.buffer.write(client.get("/devices/k-001/settings/").content)
"""
)


class Centre:
    """The registry's command line, and its bridge as a process."""

    def __init__(self, broker: Broker) -> None:
        config = broker.site.registry / "registry.toml"
        self._config = str(config)
        self._database = config.parent / tomllib.loads(config.read_text())["database"]
        self.run("migrate")
        self.run("demo-data")
        folder = str(broker.site.kiosk(KIOSK))
        self.run("device", "add", "--id", KIOSK, "--site", "示例", "--keys", folder)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "cloud_bridge", "--config", self._config, *arguments]

    def run(self, *arguments: str) -> str:
        return _output(self.command(*arguments))

    def script(self, text: str, *arguments: str) -> str:
        return _output([sys.executable, "-c", text, self._config, *arguments])

    def shown(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("settings", "show", KIOSK, "--json"))
        return found

    def until(self, state: str, what: Callable[[], object] = lambda: None) -> dict[str, Any]:
        """What is shown once the newest wish stands so; `what` is done meanwhile."""
        deadline_s = time.monotonic() + PATIENCE_S
        while (found := self._standing()) != state:
            what()
            assert time.monotonic() < deadline_s, found
            threading.Event().wait(0.05)
        return self.shown()

    def _standing(self) -> str:
        """The kiosk's word on the newest wish, from the registry's file: quick to ask often."""
        with closing(sqlite3.connect(self._database)) as registry:
            rows = registry.execute("SELECT version, report FROM registry_kiosksettings").fetchall()
        for version, report in rows:
            told = json.loads(report)
            if told and told["seen"] == version:
                return str(told["state"])
        return ""


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextlib.contextmanager
def bridge(centre: Centre) -> Iterator[None]:
    process = subprocess.Popen(centre.command("bridge"), stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


class Sync:
    """The sync process under somebody like systemd: started again whenever it ends by itself."""

    def __init__(self, site_file: Path, trial_s: float) -> None:
        self._command = [sys.executable, "-c", _SYNC, str(site_file), str(trial_s)]
        self._process = self._started()
        self.ends: list[int] = []

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, stderr=subprocess.DEVNULL)

    def look(self) -> None:
        code = self._process.poll()
        if code is not None:
            self.ends.append(code)
            self._process = self._started()

    def kill(self) -> None:
        """As a power cut would."""
        self._process.kill()
        self._process.wait(10)
        self._process = self._started()

    def close(self) -> None:
        self._process.kill()
        self._process.wait(10)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def centre(broker: Broker, stack: ExitStack) -> Centre:
    running = Centre(broker)
    stack.enter_context(bridge(running))
    return running


@pytest.fixture
def site(broker: Broker) -> Config:
    return load(broker.site.kiosk(KIOSK) / "site.toml")


class Judge:
    """The kiosk process's part alone: it takes over what is wanted as soon as it is asked."""

    def __init__(self, site: Config) -> None:
        self._database = Database(site.database)
        self.settings = KioskSettings(site, mono_ns)
        self.settings.wishes = SignedWishes(WishBox(self._database), Keyring.load(site).wish)
        self.settings.start()

    def look(self) -> None:
        self.settings.take_in()

    def close(self) -> None:
        self._database.close()


def started(site: Config, stack: ExitStack, trial_s: float) -> tuple[Judge, Sync]:
    site.database.parent.mkdir(exist_ok=True)
    judge = stack.enter_context(closing(Judge(site)))
    sync = stack.enter_context(closing(Sync(site.base / "site.toml", trial_s)))
    return judge, sync


def test_a_wish_in_the_middle_of_a_visit_waits_for_its_end(
    centre: Centre, site: Config, models_dir: Path, stack: ExitStack
) -> None:
    site.database.parent.mkdir(exist_ok=True)
    settings = KioskSettings(site, mono_ns, quiet_s=0.3)
    config = replace(settings.start(), models=str(models_dir))
    world = stack.enter_context(closing(make_world(SCENARIOS["good-day"], mono_ns, 384)))
    parts = compose(config, world, settings)
    stack.callback(parts.disk.close)  # type: ignore[attr-defined]
    runner = Runner(parts, Language.ZH)
    runner.start()
    stack.callback(runner.close)
    stack.enter_context(closing(Sync(site.base / "site.toml", 300)))
    centre.until("applied")

    world.sam.present(world.card)
    _until(lambda: visit_of(runner.session().state) is not None)
    before = settings.policy()
    values = {"tries": 9, "screen.idle_s": 120, "devices.volume": 35, "screen.brightness": 5}
    centre.script(_CENTRE_THAT_KNOWS_MORE, json.dumps(values))
    shown = centre.until("waiting-for-idle")
    assert visit_of(runner.session().state) is not None
    assert settings.policy() == before
    assert shown["applied"] == 0

    world.sam.lift()
    runner.post(Pressed(Button.HOME))
    _until(lambda: isinstance(runner.session().state, Home))
    shown = centre.until("refused")
    assert shown["applied"] == shown["wanted"]
    assert settings.policy() == replace(before, idle_s=120)
    assert parts.voice.volume(0) == 35
    lines = {line["key"]: line for line in shown["settings"]}
    assert lines["devices.volume"]["told"] == 35
    assert lines["tries"]["refused"] == {"key": "tries", "reason": "range", "detail": "1..5"}
    assert lines["tries"]["told"] == before.tries
    page = centre.script(_PAGE)
    for words in ("部分被拒绝", "超出允许范围", "1..5", "终端不认识此设置项", "screen.brightness"):
        assert words in page, words


def _until(happened: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline_s
        threading.Event().wait(0.05)


def test_an_address_nobody_answers_at_comes_back_by_itself(
    centre: Centre, site: Config, stack: ExitStack
) -> None:
    judge, sync = started(site, stack, trial_s=4)
    centre.until("applied", sync.look)
    centre.run("settings", "set", KIOSK, f"broker.port={free_port()}", "tries=2")

    def look() -> None:
        judge.look()
        sync.look()

    shown = centre.until("rolled-back", look)
    lines = {line["key"]: line for line in shown["settings"]}
    assert lines["broker.port"]["refused"]["reason"] == "no_word"
    assert lines["broker.port"]["told"] == site.broker.port
    assert lines["tries"]["told"] == 2
    assert sync.ends == [75, 75]  # to try it, and to come back


def test_a_power_cut_in_the_middle_of_a_trial_ends_it_all_the_same(
    centre: Centre, site: Config, stack: ExitStack
) -> None:
    judge, sync = started(site, stack, trial_s=6)
    centre.until("applied", sync.look)
    centre.run("settings", "set", KIOSK, f"broker.port={free_port()}")

    def look() -> None:
        judge.look()
        before = len(sync.ends)
        sync.look()
        if len(sync.ends) == before + 1 == 1:
            sync.kill()

    shown = centre.until("rolled-back", look)
    assert shown["settings"][-2]["told"] == site.broker.port


def test_an_address_at_which_the_registry_answers_stays_and_an_old_wish_changes_nothing(
    broker: Broker, centre: Centre, site: Config, stack: ExitStack
) -> None:
    judge, sync = started(site, stack, trial_s=90)
    box = WishBox(stack.enter_context(closing(Database(site.database, create=False))))
    tries: list[int] = []

    def look() -> None:
        judge.look()
        sync.look()
        tries.append(judge.settings.policy().tries)

    centre.until("applied", look)
    other = {"localhost": "127.0.0.1", "127.0.0.1": "localhost"}[site.broker.host]
    centre.run("settings", "set", KIOSK, f"broker.host={other}", "tries=2")
    shown = centre.until("applied", look)
    lines = {line["key"]: line for line in shown["settings"]}
    assert lines["broker.host"]["told"] == other
    assert sync.ends == [75]

    old = box.newest()
    assert old is not None
    centre.run("settings", "set", KIOSK, "tries=4")
    centre.until("applied", look)
    tries.clear()
    peer = Peer(broker.site.registry, "bridge", broker.port, "bridge")
    assert peer.publish(Incoming(topics.topic(KIOSK, topics.DESIRED), old[1])) == 0
    peer.close()
    centre.run("settings", "set", KIOSK, "tries=5")
    centre.until("applied", look)
    assert set(tries) == {4, 5}  # and never 2 again

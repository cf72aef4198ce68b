"""The process with the camera has no network: it works where there is none, and opens none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from edge.app.config import Config
from edge.drivers.sim.scenario import SCENARIOS
from tests.headless import HeadlessKiosk, make_config

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def config(tmp_path: Path, models_dir: Path) -> Config:
    return make_config(tmp_path, models_dir)


def test_a_visit_needs_no_network_at_all(config: Config, models_dir: Path) -> None:
    unshare = [shutil.which("unshare") or "unshare", "--map-root-user", "--net"]
    if subprocess.run([*unshare, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("this machine does not let us make a network namespace")
    script = str(ROOT / "tests" / "tools" / "visit.py")
    site = str(config.base / "site.toml")
    done = subprocess.run(
        [*unshare, sys.executable, script, site, str(models_dir), "no-consent"],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Finished" in done.stdout


def test_a_visit_opens_no_internet_socket(config: Config) -> None:
    before = sockets()
    seen: set[object] = set()
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            seen.update(sockets() - before)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        with HeadlessKiosk(config, SCENARIOS["no-consent"]) as kiosk:
            kiosk.play()
    finally:
        over.set()
        watcher.join()
    assert seen == set()


def sockets() -> set[object]:
    return set(psutil.Process().net_connections(kind="inet"))

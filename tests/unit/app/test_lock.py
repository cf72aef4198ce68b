"""One process has the devices, and however it ends they are free again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.app.config import Config, load
from edge.app.lock import InUseError, devices_of, path_of
from provisioning.site import make_site

HOLD = """
import sys
from pathlib import Path
from edge.app.config import load
from edge.app.lock import devices_of
with devices_of(load(Path(sys.argv[1])), wait=True):
    print("mine", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load(make_site(tmp_path / "site", ["K-9"]).kiosk("K-9") / "site.toml")


def started(config: Config) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLD, str(config.base / "site.toml")]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@contextmanager
def held(config: Config) -> Iterator[subprocess.Popen[str]]:
    """Another process has the devices."""
    with started(config) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "mine\n"
        yield other
        other.kill()
        other.communicate()


def test_the_devices_are_had_by_one_and_its_number_is_told(config: Config) -> None:
    with held(config) as other:
        with pytest.raises(InUseError) as caught, devices_of(config):
            pass
        assert caught.value.pid == other.pid
    with devices_of(config):
        assert path_of(config).read_text() == str(os.getpid())


def test_a_killed_owner_leaves_nothing_behind(config: Config) -> None:
    with held(config) as other:
        other.send_signal(signal.SIGKILL)
        other.wait()
        with devices_of(config):
            pass


def test_a_kiosk_waits_for_a_doctor(config: Config) -> None:
    with devices_of(config):
        waiting = started(config)
        assert waiting.stderr is not None
        assert "waiting=yes" in waiting.stderr.readline()
    out, _ = waiting.communicate("\n", timeout=10)
    assert out == "mine\n"


def test_a_failed_try_does_not_free_what_another_has(config: Config) -> None:
    with held(config):
        for _ in range(2):
            with pytest.raises(InUseError), devices_of(config):
                pass

"""`--hardware` works before there is hardware: the whole way, up to a simulator on a real cable."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.alsa_bench import SoundCards, needs_alsa, needs_espeak
from tests.tools.rehearse_hardware import BENCHES

ROOT = Path(__file__).parents[2]

needs_script = pytest.mark.skipif(
    shutil.which("script") is None, reason="Debian package bsdutils is not installed"
)


@pytest.mark.parametrize(
    "device",
    [
        pytest.param(name, marks=[needs_alsa, needs_espeak] if name == "voice" else [])
        for name in BENCHES
    ],
)
def test_the_suite_of_a_device_passes_on_hardware_that_behaves(device: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.tools.rehearse_hardware", device, "-p", "no:cacheprovider"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    found = re.search(r"(\d+) passed", done.stdout)
    assert found, done.stdout
    assert int(found[1]) >= 5
    assert "needs a" not in done.stdout


@needs_script
@needs_alsa
@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 1)])
def test_the_person_is_asked_at_the_terminal_and_believed(
    answer: str, code: int, tmp_path: Path
) -> None:
    cards = SoundCards(tmp_path)
    suite = "tests/conformance/test_voice.py -k 'hardware and returns_at_once'"
    command = f"{sys.executable} -m pytest {suite} --hardware voice=Desk -p no:cacheprovider -q"
    done = subprocess.run(
        ["script", "-qec", command, "/dev/null"],
        cwd=ROOT,
        env=os.environ | {"ALSA_CONFIG_PATH": str(cards.config)},
        input=f"{answer}\n".encode(),
        stdout=subprocess.PIPE,
        timeout=120,
        check=False,
    )
    os.close(cards.pipe)
    shown = done.stdout.decode()
    assert "Did you hear" in shown
    assert done.returncode == code, shown

"""What a kiosk process does not load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
LOADED = """
import sys
from edge.app import kiosk, run_cli
from edge.drivers import idcard_serial, printer_escpos
from edge.models import watcher
from edge.ui import kivy_app
print(*sys.modules)
"""


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_kiosk_has_no_simulated_people_and_no_tools_in_its_memory() -> None:
    loaded = set(python("-c", LOADED).stdout.split())
    assert "edge.app.runner" in loaded
    unwanted = ("edge.drivers.sim", "edge.evaluate", "edge.models.build", "edge.app.cli")
    assert [name for name in sorted(loaded) if name.startswith(unwanted)] == []
    assert not loaded & {"matplotlib", "scipy", "skimage", "fontTools", "urllib.request"}


def test_run_says_what_is_wrong_with_its_site_file(tmp_path: Path) -> None:
    done = python("-m", "edge", "run", "--site", str(tmp_path / "site.toml"))
    assert done.returncode == 2
    assert "no such file" in done.stderr

"""The table of `make conformance` counts what pytest saw, and a failure fails."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]

CONFTEST = """
from pathlib import Path
from tests.tools.conformance_table import Counts

def pytest_configure(config):
    config.pluginmanager.register(Counts(Path("out/report.json"), ["toaster=/dev/toast"]))
"""

SUITE = """
import pytest

@pytest.fixture(params=["sim", "real", ("usb", 2)])
def toaster(request):
    if request.param == "real":
        pytest.skip("no toaster on this desk")
    yield request.param
    assert request.param != ("usb", 2) or not BURNT

BURNT = {burnt}

@pytest.mark.parametrize("slices", [1, 2])
def test_toasts(toaster, slices):
    assert not (BURNT and toaster == "sim" and slices == 2)

def test_alone():
    pass
"""


def run(folder: Path, *, burnt: bool) -> tuple[int, str, dict[str, Any]]:
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_toaster.py").write_text(SUITE.format(burnt=burnt))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", "/dev/null", "--rootdir", ".", "."],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, json.loads((folder / "out/report.json").read_text())


def counts(report: dict[str, Any]) -> dict[str, tuple[int, int, int]]:
    return {
        row["implementation"]: (row["passed"], row["failed"], row["skipped"])
        for row in report["rows"]
        if row["device"] == "toaster"
    }


def test_every_implementation_has_its_row(tmp_path: Path) -> None:
    code, out, report = run(tmp_path, burnt=False)
    assert code == 0
    assert counts(report) == {
        "sim": (2, 0, 0),
        "real": (0, 0, 2),
        "usb-2": (2, 0, 0),
        "(driver alone)": (1, 0, 0),
    }
    assert (report["passed"], report["failed"], report["skipped"]) == (5, 0, 2)
    assert report["hardware"] == ["toaster=/dev/toast"]
    assert "no toaster on this desk" in out


def test_a_failure_in_a_test_or_after_it_is_counted_and_fails(tmp_path: Path) -> None:
    code, _, report = run(tmp_path, burnt=True)
    assert code == 1
    assert counts(report)["sim"] == (1, 1, 0)
    assert counts(report)["usb-2"] == (2, 2, 0)
    assert report["failed"] == 3

"""Switching off from the service screen: an exit code that the kiosk's unit understands."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from edge.app.exits import EXIT_OK, EXIT_POWER_OFF, EXIT_RESTART, EXIT_START_AGAIN
from edge.app.kiosk import POWER_CODES
from edge.session.staff_states import PowerWish

UNIT = Path(__file__).parents[3] / "systemd" / "edge-kiosk.service"


def service() -> configparser.SectionProxy:
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(UNIT.read_text("utf-8"))
    return unit["Service"]


def after_exit(code: int, folder: Path) -> str:
    """What the unit's own line asks of systemctl when the kiosk ends with this code."""
    told, fake = folder / "told", folder / "systemctl"
    fake.write_text(f'#!/bin/sh\necho "$@" > "{told}"\n')
    fake.chmod(0o755)
    line = service()["ExecStopPost"]
    assert line.startswith("+"), "outside the cage of the kiosk's user"
    command = [part.replace("$$", "$") for part in shlex.split(line.removeprefix("+"))]
    env = {"PATH": f"{folder}:{os.environ['PATH']}", "EXIT_STATUS": str(code)}
    assert subprocess.run(command, env=env, check=False, timeout=10).returncode == 0
    return told.read_text().strip() if told.exists() else ""


@pytest.mark.parametrize(
    ("wish", "command"), [(PowerWish.OFF, "poweroff"), (PowerWish.RESTART, "reboot")]
)
def test_the_unit_does_what_staff_asked_for(wish: PowerWish, command: str, tmp_path: Path) -> None:
    assert after_exit(POWER_CODES[wish], tmp_path) == command


@pytest.mark.parametrize("code", [EXIT_OK, 1, 2, EXIT_START_AGAIN, 139])
def test_no_other_end_of_the_kiosk_switches_anything_off(code: int, tmp_path: Path) -> None:
    assert after_exit(code, tmp_path) == ""


def test_the_unit_counts_them_as_success_and_starts_nothing_again() -> None:
    ours = {str(EXIT_POWER_OFF), str(EXIT_RESTART)}
    assert ours <= set(re.split(r"\s+", service()["SuccessExitStatus"]))
    assert set(service()["RestartPreventExitStatus"].split()) == ours
    assert str(EXIT_START_AGAIN) not in service()["RestartPreventExitStatus"]

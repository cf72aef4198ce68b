"""The lock file: everything pinned with hashes, and a wheel for every machine we promise."""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements.lock"


@pytest.mark.parametrize("platform", ["aarch64-manylinux_2_36", "x86_64-manylinux_2_36"])
@pytest.mark.parametrize("python", ["3.11", "3.13"])
def test_wheels_alone_are_enough(tmp_path: Path, platform: str, python: str) -> None:
    """glibc 2.36 is that of Debian 12 and of the Raspberry Pi OS made from it."""
    command = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "install",
        "--dry-run",
        "--quiet",
        "--system-certs",
    ]
    where = ["--python-platform", platform, "--python-version", python, "--target", str(tmp_path)]
    what = ["--only-binary", ":all:", "--require-hashes", "-r", str(LOCK)]
    done = subprocess.run([*command, *where, *what], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_requirement_of_setup_cfg_is_pinned_with_a_hash() -> None:
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    texts = [settings["options"]["install_requires"], *settings["options.extras_require"].values()]
    wanted = {re.split(r"[ <>=;[]", line)[0] for text in texts for line in text.split("\n") if line}
    lock = LOCK.read_text(encoding="utf-8")
    pinned = set(re.findall(r"^([\w.-]+)==[^\\]+\\\n    --hash=sha256:", lock, re.MULTILINE))
    assert {name.lower() for name in wanted} <= pinned


def test_the_lock_names_no_place_to_download_from() -> None:
    assert "://" not in LOCK.read_text(encoding="utf-8")

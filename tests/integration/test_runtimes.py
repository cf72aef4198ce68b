"""The models compute the same under every runtime and interpreter the product accepts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools.runtimes_check import ENVIRONMENTS, NOT_AT_HAND

SCRIPT = Path(__file__).parents[1] / "tools" / "runtimes_check.py"
pytestmark = pytest.mark.timeout(180)


@pytest.mark.usefixtures("models_dir")
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_another_runtime_computes_the_same(name: str) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), name], capture_output=True, text=True, check=False
    )
    if done.returncode == NOT_AT_HAND:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout + done.stderr

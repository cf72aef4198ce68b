"""`make demo` as a newcomer sees it: every process, a real window, real pictures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.timeout(240), pytest.mark.broker, pytest.mark.window, pytest.mark.browser]

BAND_YELLOW = (255, 212, 0)


def demo(out: Path, *arguments: str, models: Path) -> tuple[dict[str, Any], str]:
    env = {key: value for key, value in os.environ.items() if "DISPLAY" not in key}
    done = subprocess.run(
        [sys.executable, "-m", "provisioning", "demo", "--out", str(out), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**env, "JIANZAI_MODELS": str(models)},
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((out / "summary.json").read_text(encoding="utf-8")), done.stdout


def colours(path: Path) -> set[tuple[int, int, int]]:
    with Image.open(path) as picture:
        return {tuple(pixel) for pixel in picture.convert("RGB").get_flattened_data()}  # type: ignore[misc]


def processes_of(out: Path) -> list[psutil.Process]:
    return [
        p for p in psutil.process_iter(["cmdline"]) if str(out) in " ".join(p.info["cmdline"] or [])
    ]


def test_k01_k41_the_main_job_on_real_processes(tmp_path: Path, models_dir: Path) -> None:
    out = tmp_path / "out"
    summary, said = demo(out, models=models_dir)
    expected = {
        "outcome": "passed",
        "provenance": "SIMULATED",
        "registry": "filed",
        "receipt": "printed",
    }
    assert {key: summary[key] for key in expected} == expected
    for name in ("liveness", "likeness"):
        assert summary["scores"][name] >= summary["thresholds"][name]
        assert len(summary["model_sha256"][name]) == 64
    assert summary["record_id"] in said
    assert summary["registry_record"]["record_id"] == summary["record_id"]
    assert summary["seconds"]["kiosk:watching"] > 0
    names = " ".join(summary["screens"])
    for screen in ("home", "await-card", "confirm", "choose", "consent", "watch", "review"):
        assert screen in names
    for screen in summary["screens"]:
        seen = colours(out / screen)
        assert BAND_YELLOW in seen, f"{screen} does not say that it is simulated"
        assert len(seen) > 50, f"{screen} is blank"
    assert len(colours(out / "console.png")) > 50
    assert len(colours(out / "receipt.png")) > 10
    assert processes_of(out) == []


def test_e11_the_record_arrives_when_the_broker_does(tmp_path: Path, models_dir: Path) -> None:
    summary, _ = demo(tmp_path / "out", "--scenario", "broker-gone", models=models_dir)
    assert (summary["online"], summary["registry"]) == (False, "filed")


def test_wrong_words_are_refused_before_anything_starts(tmp_path: Path) -> None:
    for arguments in (["--scenario", "rain"], ["--camera", "rain"], ["--camera", "file:/none"]):
        command = [sys.executable, "-m", "provisioning", "demo", "--out", str(tmp_path / "o")]
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr

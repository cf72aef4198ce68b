"""The key ceremony and a release, as the commands do it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cloud_bridge.cli import main


@pytest.fixture
def build(tmp_path: Path) -> Path:
    for name, content in (("app/a-1-py3-none-any.whl", "a"), ("model/face-1.bin", "m")):
        path = tmp_path / "build" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path / "build"


def fleet(tmp_path: Path, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(["fleet", words[0], "--fleet", str(tmp_path / "fleet"), "--json", *words[1:]]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_f14_from_keys_to_a_published_release(
    tmp_path: Path, build: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(fleet(tmp_path, capsys, "keys")["keys"]) == 10
    fleet(tmp_path, capsys, "sign")
    fleet(tmp_path, capsys, "publish")
    told = fleet(tmp_path, capsys, "release", str(build), "--version", "0.2.0")
    assert (told["serial"], told["parts"]) == (1, 2)
    assert main(["fleet", "publish", "--fleet", str(tmp_path / "fleet")]) == 1
    assert "targets (0 of 2)" in capsys.readouterr().err
    fleet(tmp_path, capsys, "sign", "targets-1", "targets-2", "app-1", "model-1")
    assert fleet(tmp_path, capsys, "publish")["newest"] == 1
    assert fleet(tmp_path, capsys, "status")["timestamp"]["version"] == 2
    for path in (tmp_path / "fleet").glob("*.pem"):
        assert path.stat().st_mode & 0o077 == 0


def test_a_file_that_changed_without_a_new_name_is_refused(
    tmp_path: Path, build: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["keys"], ["sign"], ["publish"], ["release", str(build), "--version", "1"]):
        fleet(tmp_path, capsys, *words)
    for words in (["sign"], ["publish"]):
        fleet(tmp_path, capsys, *words)
    (build / "model" / "face-1.bin").write_text("other")
    words = ["fleet", "release", "--fleet", str(tmp_path / "fleet"), str(build), "--version", "2"]
    assert main(words) == 1
    assert "name with its version" in capsys.readouterr().err


def test_commands_of_the_registry_say_that_they_need_its_file(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["migrate"]) == 2
    assert "--config is missing" in capsys.readouterr().err

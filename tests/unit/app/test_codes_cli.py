"""`python -m edge verify-receipt`: offline, with one published key, from text or a picture."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from edge.app.cli import main
from edge.wire import keys
from tests.paper_bench import GOLDEN, REGISTRY, code_of, record

CODE = code_of(record())


@pytest.fixture
def key(tmp_path: Path) -> str:
    """All that somebody needs who checks receipts."""
    path = tmp_path / "registry-sign.pub"
    path.write_text(keys.encode_key(REGISTRY.public_key().public_bytes_raw()))
    return str(path)


def test_f4_a_receipt_verifies_with_the_published_key_alone(
    key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify-receipt", CODE, "--key", key, "--lang", "zh"]) == 0
    shown = capsys.readouterr().out
    for part in ("王*明", "验证成功", "2026-11-23", "2027-11-30", "0757-83990000", "身份证照片"):
        assert part in shown
    assert "王小明" not in shown


def test_f4_a_photograph_of_the_paper_will_do(
    key: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with Image.open(GOLDEN / "passed-58mm.png") as paper:
        askew = paper.convert("RGB").rotate(4, expand=True, fillcolor="white")
    photo = tmp_path / "photo.jpg"
    askew.resize((askew.width * 2 // 3, askew.height * 2 // 3)).save(photo)
    assert main(["verify-receipt", "--image", str(photo), "--key", key, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["genuine"], told["receipt_no"]) == (True, record().receipt_no)


def test_f4_a_changed_character_is_not_proven(key: str, capsys: pytest.CaptureFixture[str]) -> None:
    changed = CODE[:-1] + ("A" if CODE[-1] != "A" else "B")
    assert main(["verify-receipt", changed, "--key", key, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["genuine"] is False
    assert main(["verify-receipt", changed, "--key", key]) == 1
    assert "not proven" in capsys.readouterr().out


def test_a_picture_without_a_code_and_a_key_that_is_none(key: str, tmp_path: Path) -> None:
    Image.new("RGB", (200, 200), "white").save(tmp_path / "blank.png")
    assert main(["verify-receipt", "--image", str(tmp_path / "blank.png"), "--key", key]) == 1
    (tmp_path / "no.png").write_text("no picture")
    assert main(["verify-receipt", "--image", str(tmp_path / "no.png"), "--key", key]) == 2
    assert main(["verify-receipt", CODE, "--key", str(tmp_path / "no.png")]) == 2

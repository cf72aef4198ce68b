"""Every receipt as text and as paper, compared with what was accepted.

After looking at the new pictures: `ACCEPT_RECEIPTS=1 pytest tests/golden/receipts`.
Dots depend on FreeType and on the font: elsewhere the texts are still compared.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image, features

from edge.domain.record import Outcome
from edge.ports import ReceiptItem
from tests.paper_bench import CODE, GOLDEN, code_of, desk, record, situations, slip

ACCEPT = os.environ.get("ACCEPT_RECEIPTS") == "1"
HASHES = GOLDEN / "pixels.json"
FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")


def cases() -> Iterator[tuple[str, int, tuple[ReceiptItem, ...]]]:
    for columns, width in ((32, "58mm"), (48, "80mm")):
        for name, items in situations(columns).items():
            yield f"{name}-{width}", columns, items
        review = record(Outcome.NEEDS_REVIEW)
        code = code_of(review)
        english = slip(review, columns=columns, language="en", online=False, code=code)
        yield f"english-{width}", columns, english


CASES = {name: (columns, items) for name, columns, items in cases()}


def made_with() -> dict[str, str]:
    font = hashlib.sha256(FONT.read_bytes()).hexdigest() if FONT.exists() else "absent"
    return {"freetype": str(features.version("freetype2")), "font_sha256": font}


def accepted() -> dict[str, dict[str, str]]:
    if not HASHES.exists():
        return {"made_with": made_with(), "pixels": {}}
    loaded: dict[str, dict[str, str]] = json.loads(HASHES.read_text("utf-8"))
    return loaded


def pixel_hash(path: Path) -> str:
    with Image.open(path) as picture:
        head = f"{picture.mode} {picture.width}x{picture.height} ".encode()
        return hashlib.sha256(head + picture.tobytes()).hexdigest()


def accept(name: str, text: str, picture: Path) -> None:
    now = accepted()
    now["made_with"] = made_with()
    now["pixels"] = dict(sorted({**now["pixels"], name: pixel_hash(picture)}.items()))
    HASHES.write_text(json.dumps(now, indent=1) + "\n", "utf-8")
    (GOLDEN / f"{name}.txt").write_text(text, "utf-8")
    (GOLDEN / f"{name}.png").write_bytes(picture.read_bytes())


@pytest.mark.parametrize("name", CASES)
def test_k36_receipt_is_as_accepted(name: str, tmp_path: Path) -> None:
    columns, items = CASES[name]
    picture = tmp_path / f"{name}.png"
    with desk(columns) as at:
        at.driver.print_receipt(items)
        text = at.sim.text + "\n"
        at.sim.save_png(picture)
        assert at.sim.oddities == ()
    if ACCEPT:
        accept(name, text, picture)
    assert text == (GOLDEN / f"{name}.txt").read_text("utf-8")
    if accepted()["made_with"] != made_with():
        pytest.skip("another FreeType or font than the pictures were made with: texts compared")
    assert pixel_hash(picture) == accepted()["pixels"][name], f"look at {picture}"


@pytest.mark.parametrize("width", ["58mm", "80mm"])
def test_an_independent_reader_reads_the_printed_code(width: str) -> None:
    with Image.open(GOLDEN / f"passed-{width}.png") as picture:
        found = zxingcpp.read_barcodes(picture)
    assert [(code.text, code.ec_level) for code in found] == [(CODE.text, "M")]


def test_no_golden_is_missing_or_left_over() -> None:
    pictures = {path.stem for path in GOLDEN.glob("*.png")}
    texts = {path.stem for path in GOLDEN.glob("*.txt")}
    assert pictures == texts == set(accepted()["pixels"]) == set(CASES)


def test_committed_pictures_are_the_hashed_ones() -> None:
    for name, expected in accepted()["pixels"].items():
        assert pixel_hash(GOLDEN / f"{name}.png") == expected, name

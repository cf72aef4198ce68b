"""The small form of `make receipts` and of the receipt benchmark."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from PIL import Image

TOOLS = Path(__file__).parents[1] / "tools"


def run(tool: str, *arguments: str) -> str:
    command = [sys.executable, str(TOOLS / tool), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_pictures_page_and_report_of_one_kind_of_receipt(tmp_path: Path) -> None:
    run("receipt_pictures.py", "--only", "passed", "--out", str(tmp_path))
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))["receipts"]
    assert len(report) == 8  # two languages, two widths, as text and as pictures
    page = (tmp_path / "index.html").read_text("utf-8")
    for receipt in report:
        assert (receipt["codes"], receipt["codes_read"]) == (1, 1)
        assert f'src="{receipt["picture"]}"' in page
        with Image.open(tmp_path / receipt["picture"]) as picture:
            assert list(picture.size) == receipt["pixels"]


def test_bytes_of_a_receipt_are_ready_in_time() -> None:
    rows = json.loads(run("bench_receipt.py", "--json", "--rounds", "5"))
    assert {(row["what"], row["width"]) for row in rows} == {
        (f"{kind}{code}", width)
        for kind in ("text", "raster")
        for code in ("", " with QR")
        for width in ("58mm", "80mm")
    }
    for row in rows:
        assert row["p50_ms"] <= row["p95_ms"] <= row["limit_ms"]
        assert row["line_s_9600"] == round(row["bytes"] / 960, 2)

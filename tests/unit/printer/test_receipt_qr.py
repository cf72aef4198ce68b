"""QR codes as dots: judged by a reader that shares no code with the writer."""

from __future__ import annotations

from pathlib import Path

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from edge.domain.errors import DeviceError, Fault
from edge.drivers.receipt_qr import draw_code
from edge.ports import Code
from tests.paper_bench import desk

ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def picture(text: str, paper_dots: int) -> Image.Image:
    """The code as printed, black on white."""
    row_bytes, rows = draw_code(text, paper_dots)
    size = (row_bytes * 8, len(rows) // row_bytes)
    return Image.frombytes("1", size, rows).convert("L").point(lambda dot: 255 - dot)


def read(image: Image.Image) -> list[str]:
    return [code.text for code in zxingcpp.read_barcodes(image)]


@given(st.text(ALPHANUMERIC, min_size=1, max_size=400) | st.text("生存认证㐂𠮷éß", min_size=1))
@settings(max_examples=30, deadline=None)
def test_feature4_every_text_is_read_back(text: str) -> None:
    for paper_dots in (384, 576):
        assert read(picture(text, paper_dots)) == [text]


@pytest.mark.parametrize(
    ("characters", "paper_dots", "modules", "dots"),
    [(10, 384, 29, 6), (250, 384, 61, 6), (400, 384, 73, 5), (400, 576, 73, 6), (900, 384, 101, 3)],
)
def test_modules_are_as_large_as_fits_but_not_wasteful(
    characters: int, paper_dots: int, modules: int, dots: int
) -> None:
    """`modules` is the size of the smallest fitting version at level M, plus twice four."""
    image = picture("A" * characters, paper_dots)
    assert image.height == modules * dots
    assert image.height <= image.width < image.height + 8


def test_four_white_modules_around() -> None:
    image = picture("A", 384)
    dark = Image.eval(image, lambda dot: 255 - dot).getbbox()
    assert dark == (24, 24, 150, 150)  # 21 modules of 6 dots, the quiet zone 24 dots


@pytest.mark.parametrize("characters", [2400, 9000])
def test_too_much_text_is_refused_before_anything_is_printed(characters: int) -> None:
    with desk() as at:
        with pytest.raises(DeviceError) as caught:
            at.driver.print_receipt([Code("A" * characters)])
        assert (caught.value.fault, caught.value.retry) == (Fault.REFUSED, False)
        assert at.sim.sheets == ()


@pytest.mark.parametrize("kind", ["serial", "tcp", "usb"])
def test_the_code_comes_whole_through_every_cable(kind: str, tmp_path: Path) -> None:
    with desk(kind=kind) as at:
        at.driver.print_receipt([Code("HTTPS://EXAMPLE.ORG/R/1", "扫码")])
        assert at.sim.oddities == ()
        assert at.sim.text.splitlines()[-1] == "扫码"
        at.sim.save_png(tmp_path / "paper.png")
    with Image.open(tmp_path / "paper.png") as paper:
        assert read(paper) == ["HTTPS://EXAMPLE.ORG/R/1"]

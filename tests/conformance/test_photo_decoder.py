"""What every decoder of the chip's photo keeps: a picture of the right shape, or none, at once."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge.drivers.photo import NoDecoder
from edge.drivers.photo_vendor import VendorDecoder
from edge.drivers.sim.photo import SimPhotoDecoder, encode_portrait
from edge.drivers.sim.portrait import ADMIRAL, card_portrait
from edge.ports import PhotoDecoder, Picture
from tests.leftovers import open_files

LIMIT_S = 3.0
LIBRARY = """
#include <string.h>
int unpack(char *src, char *dst, int code) { memset(dst, 120, 38556); return 1; }
"""


def good_block() -> bytes:
    pixels = card_portrait(ADMIRAL)
    return encode_portrait(Picture(pixels.shape[1], pixels.shape[0], pixels.tobytes()))


@pytest.fixture(params=["none", "vendor", "sim"])
def decoder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PhotoDecoder]:
    descriptors = open_files()
    if request.param == "vendor":
        gcc = shutil.which("gcc")
        if gcc is None:
            pytest.skip("no gcc here to build a library that stands in for a vendor's")
        library = tmp_path / "libphoto.so"
        build = [gcc, "-shared", "-fPIC", "-x", "c", "-", "-o", str(library)]
        subprocess.run(build, input=LIBRARY.encode(), check=True)
        yield VendorDecoder(library, 708)
    else:
        yield NoDecoder() if request.param == "none" else SimPhotoDecoder()
    assert open_files() == descriptors


def test_a_picture_has_the_shape_of_a_card_portrait_or_there_is_none(decoder: PhotoDecoder) -> None:
    picture = decoder.decode(good_block())
    assert (picture is None) == isinstance(decoder, NoDecoder)
    if picture is not None:
        assert (picture.width, picture.height) == (102, 126)
        assert len(picture.rgb) == 102 * 126 * 3


def test_any_block_is_answered_in_time_and_never_with_an_exception(decoder: PhotoDecoder) -> None:
    noise = np.random.default_rng(5)
    blocks = [b"", bytes(1024), b"\xff" * 1024, good_block()[:500], bytes(5000)]
    blocks += [noise.bytes(1024) for _ in range(3)]
    for block in blocks:
        started = time.monotonic()
        decoder.decode(block)
        assert time.monotonic() - started < LIMIT_S


def test_it_says_what_it_is(decoder: PhotoDecoder) -> None:
    assert decoder.name
    assert decoder.provenance.name in ("LIVE", "SIMULATED")

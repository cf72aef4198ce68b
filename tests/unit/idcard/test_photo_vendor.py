"""A vendor's photo library that behaves, crashes, hangs or scribbles: built here, run for real."""

from __future__ import annotations

import logging
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from edge.app.compose import photo_decoder
from edge.app.config import load
from edge.domain.errors import ConfigError
from edge.domain.record import Provenance
from edge.drivers import photo_worker
from edge.drivers.photo_vendor import BMP_SIZE, HEIGHT, RAW_SIZE, WIDTH, VendorDecoder
from edge.ports import Picture
from provisioning.site import make_site
from tests.leftovers import open_files

GCC = shutil.which("gcc")
pytestmark = pytest.mark.skipif(GCC is None, reason="needs gcc to build a library to decode with")

BLOCK = bytes(range(256)) * 4
HEAD = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
"""
# The pixel at x, y is red = x, green = y, blue = the block's first byte + code.
BMP = """
int unpack(char *src, char *dst, int code) {
    unsigned char head[54] = {'B', 'M', 0xCE, 0x97, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0,
                              102, 0, 0, 0, 126, 0, 0, 0, 1, 0, 24};
    memcpy(dst, head, 54);
    for (int y = 0; y < 126; y++)
        for (int x = 0; x < 102; x++) {
            char *p = dst + 54 + (125 - y) * 308 + 3 * x;
            p[0] = src[0] + code, p[1] = y, p[2] = x;
        }
    printf("decoded a photo\\n");
    return 1;
}
"""
RAW = """
int unpack(char *src, char *dst, int code) {
    char *p = dst + 38556;
    for (int y = 0; y < 126; y++)
        for (int x = 0; x < 102; x++)
            *--p = src[0] + code, *--p = y, *--p = x;
    return 0;
}
"""
CRASH = "int unpack(char *src, char *dst, int code) { *(volatile char *)0 = 1; return 1; }"
ABORT = "int unpack(char *src, char *dst, int code) { abort(); }"
QUIT = "int unpack(char *src, char *dst, int code) { exit(%d); }"
HANG = "int unpack(char *src, char *dst, int code) { for (;;) sleep(1); }"
WRITES = "int unpack(char *src, char *dst, int code) { memset(dst, 7, %d); return 1; }"
CORE_LIMIT = """
#include <sys/resource.h>
int unpack(char *src, char *dst, int code) {
    struct rlimit limit;
    getrlimit(RLIMIT_CORE, &limit);
    exit(limit.rlim_cur == 0 ? 88 : 77);
}
"""
BAD_BMP = "int unpack(char *src, char *dst, int code) { memset(dst, 7, 38862); return 1; }"

Build = Callable[[str], Path]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    def compiled(code: str) -> Path:
        library = tmp_path / "libphoto.so"
        library.unlink(missing_ok=True)
        command = [str(GCC), "-w", "-shared", "-fPIC", "-x", "c", "-", "-o", str(library)]
        subprocess.run(command, input=(HEAD + code).encode(), check=True)
        return library

    return compiled


def pixel(picture: Picture, x: int, y: int) -> tuple[int, ...]:
    at = 3 * (y * picture.width + x)
    return tuple(bytes(picture.rgb[at : at + 3]))


@pytest.mark.parametrize("code", [BMP, RAW], ids=["bmp", "raw"])
def test_a_good_library_gives_an_upright_picture_in_true_colours(build: Build, code: str) -> None:
    decoder = VendorDecoder(build(code), 200)
    picture = decoder.decode(b"\x05" + BLOCK[1:])
    assert picture is not None
    assert (picture.width, picture.height, len(picture.rgb)) == (WIDTH, HEIGHT, RAW_SIZE)
    for x, y in ((0, 0), (101, 0), (0, 125), (37, 80)):
        assert pixel(picture, x, y) == (x, y, 205)
    assert decoder.health().ok
    assert decoder.provenance is Provenance.LIVE


def test_the_name_a_cpp_compiler_gives_is_found(build: Build) -> None:
    decoder = VendorDecoder(build(BMP.replace("unpack", "_Z6unpackPcS_i")), 708)
    assert decoder.decode(BLOCK) is not None


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (CRASH, "crashed (signal 11)"),
        (ABORT, "crashed (signal 6)"),
        (QUIT % 0, "wrong size"),
        (QUIT % 77, "exit code 77"),
        (WRITES % 0, "wrong size"),
        (WRITES % 38_000, "wrong size"),
        (WRITES % (BMP_SIZE + 40), "wrong size"),
        (WRITES % 3_000_000, "crashed"),
        (BAD_BMP, "not a portrait"),
        (BMP.replace("102, 0, 0, 0, 126", "126, 0, 0, 0, 102"), "not a portrait"),
        ("int depack(char *src) { return 1; }", "no function unpack"),
    ],
)
def test_a_bad_library_is_a_card_without_a_photo(
    build: Build, code: str, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    decoder = VendorDecoder(build(code), 708)
    with caplog.at_level(logging.INFO, "edge"):
        assert [decoder.decode(BLOCK) for _ in range(3)] == [None] * 3
    assert words in decoder.health().words
    assert decoder.health().fix
    assert [words in line for line in caplog.messages] == [True], "one line, not a stream"


def test_a_library_that_hangs_is_ended(build: Build) -> None:
    decoder = VendorDecoder(build(HANG), 708, limit_s=0.5)
    start_s = time.monotonic()
    assert decoder.decode(BLOCK) is None
    assert time.monotonic() - start_s < 1.5
    assert "hangs for more than 0.5 s" in decoder.health().words


def test_it_ends_itself_when_nobody_is_left_to_end_it(build: Build) -> None:
    """The worker alone, as after the kiosk was killed in the middle of a photo."""
    command = [sys.executable, "-I", "-S", photo_worker.__file__, str(build(HANG)), "708", "1"]
    orphan = subprocess.run(command, input=BLOCK, check=False, timeout=10)
    assert orphan.returncode == -14


@pytest.mark.parametrize("words", [b"", b"this is no library"])
def test_a_library_that_is_none(tmp_path: Path, words: bytes) -> None:
    library = tmp_path / "libphoto.so"
    if words:
        library.write_bytes(words)
    decoder = VendorDecoder(library, 708)
    assert not decoder.health().ok
    assert decoder.decode(BLOCK) is None
    assert "cannot be loaded" in decoder.health().words


def test_it_is_said_when_it_works_again(build: Build, caplog: pytest.LogCaptureFixture) -> None:
    decoder = VendorDecoder(build(CRASH), 708)
    with caplog.at_level(logging.INFO, "edge"):
        assert decoder.decode(BLOCK) is None
        build(BMP)
        assert decoder.decode(BLOCK) is not None
        assert decoder.decode(BLOCK) is not None
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.INFO]


def test_a_crash_leaves_no_picture_of_the_memory_behind(build: Build) -> None:
    """A core file would hold the photo: none is written, even where they are switched on."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    if hard == 0:
        pytest.skip("core files are forbidden here anyway")
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    try:
        decoder = VendorDecoder(build(CORE_LIMIT), 708)
        decoder.decode(BLOCK)
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
    assert "exit code 88" in decoder.health().words


def test_no_process_and_no_descriptor_is_left(build: Build) -> None:
    before = open_files(), psutil.Process().children()
    for code in (CRASH, HANG, BMP):
        VendorDecoder(build(code), 708, limit_s=0.3).decode(BLOCK)
    assert (open_files(), psutil.Process().children()) == before


def test_a_site_file_names_it(tmp_path: Path, build: Build) -> None:
    library = build(RAW)
    path = make_site(tmp_path / "site", ["K-9"], mode="production").kiosk("K-9") / "site.toml"
    words = f'photo_decoder = "vendor"\nphoto_library = "{library}"\nphoto_code = 752\n'
    path.write_text(f"{path.read_text()}\n[devices]\n{words}")
    decoder = photo_decoder(load(path))
    assert decoder.name == "vendor"
    picture = decoder.decode(bytes(1024))
    assert picture is not None
    assert pixel(picture, 1, 2) == (1, 2, 752 % 256)
    path.write_text(path.read_text().replace("photo_library", "# photo_library"))
    with pytest.raises(ConfigError, match=r"needs devices\.photo_library"):
        load(path)

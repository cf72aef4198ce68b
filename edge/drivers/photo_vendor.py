"""The chip's photo decoded by a licensed vendor library, in a process that may die.

Such a library is a closed `int unpack(char *src, char *dst, int code)` made for
other machines: it may crash, hang or scribble. So every picture gets a process of
its own (`photo_worker`, about 20 ms), which is ended after `LIMIT_S`. Whatever goes
wrong is a card without a photo, with which the kiosk works too.

What comes back is the picture in one of two forms, told apart by their size:

======  =============================================================================
bytes   form
======  =============================================================================
38,862  a BMP file: header of 54, then 126 rows of 102 pixels, each filled up to 308
38,556  pixels only, the whole picture back to front: the last byte is the blue of
        the pixel at the top left (as the one public client for this form reads it)
======  =============================================================================
"""

from __future__ import annotations

import io
import logging
import subprocess
import sys
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from edge.domain.record import Provenance
from edge.drivers import photo_worker
from edge.ports import Health, Picture

log = logging.getLogger(__name__)

WIDTH, HEIGHT = 102, 126
BMP_SIZE = 38_862
RAW_SIZE = WIDTH * HEIGHT * 3
LIMIT_S = 2.0
FIX = "ask the reader's vendor for the decoder of this processor, and look at devices.photo_library"

_WHY = {
    photo_worker.EXIT_LIBRARY: "the library cannot be loaded",
    photo_worker.EXIT_FUNCTION: "the library has no function unpack",
    photo_worker.EXIT_SIZE: "the library wrote a picture of a wrong size",
}


class _Failed(Exception):
    """Why there is no picture; never leaves this file."""


class VendorDecoder:
    """Implements `PhotoDecoder`.

    `code` is the third argument of `unpack`; public clients pass 708 or 752.
    The log gets one line when decoding breaks and one when it works again, however
    many cards come in between.
    """

    name = "vendor"
    provenance = Provenance.LIVE

    def __init__(self, library: Path, code: int, *, limit_s: float = LIMIT_S) -> None:
        self._library = library.absolute()
        self._code = code
        self._limit_s = limit_s
        self._health = Health(False, "no photo decoded yet", FIX)
        if not self._library.is_file():
            self._health = Health(False, f"no library at {self._library}", FIX)

    def health(self) -> Health:
        """As of the last photo."""
        return self._health

    def decode(self, block: bytes) -> Picture | None:
        try:
            picture = _picture(self._run(block))
        except _Failed as why:
            self._tell(Health(False, str(why), FIX))
            return None
        self._tell(Health(True, f"photos decoded by {self._library.name}"))
        return picture

    def _tell(self, health: Health) -> None:
        if health != self._health:
            level = logging.INFO if health.ok else logging.WARNING
            log.log(level, "photo_decoder ok=%s detail=%s", health.ok, health.words)
        self._health = health

    def _run(self, block: bytes) -> bytes:
        """Block in, picture out. Isolated (`-I -S`): nothing from the environment is loaded."""
        worker = [sys.executable, "-I", "-S", photo_worker.__file__]
        limit_s = str(int(self._limit_s) + 1)
        command = [*worker, str(self._library), str(self._code), limit_s]
        try:
            done = subprocess.run(
                command,
                input=block,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=self._limit_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise _Failed(f"the library hangs for more than {self._limit_s:g} s") from None
        except OSError as error:
            raise _Failed(f"no process for it ({type(error).__name__})") from None
        if done.returncode:
            raise _Failed(_why(done.returncode))
        return done.stdout


def _why(returncode: int) -> str:
    if returncode < 0:
        return f"the library crashed (signal {-returncode})"
    return _WHY.get(returncode, f"the library ended its process (exit code {returncode})")


def _picture(coded: bytes) -> Picture:
    if len(coded) == RAW_SIZE:
        image = Image.frombytes("RGB", (WIDTH, HEIGHT), coded[::-1], "raw", "BGR")
    elif len(coded) == BMP_SIZE:
        image = _from_bmp(coded)
    else:
        raise _Failed(_WHY[photo_worker.EXIT_SIZE])
    return Picture(WIDTH, HEIGHT, image.tobytes())


def _from_bmp(coded: bytes) -> Image.Image:
    no_portrait = _Failed("the library wrote something that is not a portrait")
    try:
        with Image.open(io.BytesIO(coded), formats=["BMP"]) as image:
            portrait = image.convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError):
        raise no_portrait from None
    if portrait.size != (WIDTH, HEIGHT):
        raise no_portrait
    return portrait

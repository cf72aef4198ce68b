"""A stand-in for the licensed photo coding: a WebP that fits into the 1,024-byte block.

Only simulated cards carry it. The block is padded with zeros; a WebP file says
its own size, so nothing else is needed to read it back.
"""

from __future__ import annotations

import io

from PIL import Image, ImageOps, UnidentifiedImageError

from edge.domain.record import Provenance
from edge.ports import Picture

BLOCK_SIZE = 1024
WIDTH, HEIGHT = 102, 126  # what the real coding decodes to
_SCALES = (1.0, 0.75, 0.5, 0.25)
_BEST_QUALITY = 95


def encode_portrait(portrait: Picture) -> bytes:
    """Cut to the shape of a card portrait, as good as 1,024 bytes allow, padded to exactly that."""
    picture = Image.frombytes("RGB", (portrait.width, portrait.height), bytes(portrait.rgb))
    picture = ImageOps.fit(picture, (WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    for scale in _SCALES:
        smaller = picture.resize((round(WIDTH * scale), round(HEIGHT * scale)))
        coded = _best_webp(smaller)
        if coded:
            return coded.ljust(BLOCK_SIZE, b"\0")
    raise ValueError("this picture does not fit into a photo block at any size")


class SimPhotoDecoder:
    """Implements `PhotoDecoder` for blocks made here."""

    name = "sim-webp"
    provenance = Provenance.SIMULATED

    def decode(self, block: bytes) -> Picture | None:
        if block[:4] != b"RIFF" or block[8:12] != b"WEBP":
            return None
        try:
            with Image.open(io.BytesIO(block), formats=["WEBP"]) as coded:
                picture = coded.convert("RGB").resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
        except (UnidentifiedImageError, OSError, ValueError, EOFError):
            return None  # a block that was damaged is a card without a photo
        return Picture(WIDTH, HEIGHT, picture.tobytes())


def _best_webp(picture: Image.Image) -> bytes:
    """The highest quality that fits, found by halving; empty if not even the lowest does."""
    best, low, high = b"", 0, _BEST_QUALITY
    while low <= high:
        quality = (low + high) // 2
        coded = _webp(picture, quality)
        if len(coded) <= BLOCK_SIZE:
            best, low = coded, quality + 1
        else:
            high = quality - 1
    return best


def _webp(picture: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=quality, method=6)
    return out.getvalue()

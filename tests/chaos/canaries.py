"""Planted secrets, all the ways they may be written, and a search through bytes for them.

A secret is found as it is, in the encodings that are used for Chinese text, in base64 at any
alignment, in hex, escaped, and inside base64 and inside compressed data.
"""

from __future__ import annotations

import base64
import binascii
import bz2
import json
import lzma
import re
import urllib.parse
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

CHARSETS = ("utf-8", "utf-16-le", "utf-16-be", "gb18030")
WINDOW_BYTES = 24
MAX_PLAIN_BYTES = 32 * 1024 * 1024
_BASE64_RUN = re.compile(rb"[A-Za-z0-9+/_-]{40,}={0,2}")
_MAGIC = re.compile(rb"\x1f\x8b\x08|\xfd7zXZ\x00|x[\x01\x5e\x9c\xda]|BZh[1-9]1AY")


@dataclass(frozen=True, slots=True)
class Canary:
    """One secret: `forms` are the byte strings of which none may turn up, by spelling."""

    name: str
    forms: dict[str, bytes] = field(repr=False)


def of_text(name: str, text: str) -> Canary:
    forms = {charset: text.encode(charset) for charset in CHARSETS}
    forms["json"] = json.dumps(text)[1:-1].encode()
    forms["repr"] = repr(text.encode())[2:-1].encode()
    forms["percent"] = urllib.parse.quote(text).encode()
    for charset in CHARSETS:
        forms |= {f"{charset} {how}": raw for how, raw in _wrapped(text.encode(charset)).items()}
    return Canary(name, forms)


def of_bytes(name: str, data: bytes) -> Canary:
    """Pieces of binary data: whoever writes the whole writes these."""
    forms: dict[str, bytes] = {}
    for at, piece in _pieces(data):
        forms[f"at {at}"] = piece
        forms |= {f"at {at} {how}": raw for how, raw in _wrapped(piece).items()}
    return Canary(name, forms)


def _pieces(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Three pieces that are not just the same byte again and again."""
    found = 0
    for at in range(0, len(data) - WINDOW_BYTES, WINDOW_BYTES):
        piece = data[at : at + WINDOW_BYTES]
        if len(set(piece)) >= WINDOW_BYTES // 3:
            yield at, piece
            found += 1
        if found == 3:
            return


def _wrapped(raw: bytes) -> dict[str, bytes]:
    """Hex, and what is left of base64 when it begins one or two bytes earlier."""
    forms = {"hex": binascii.hexlify(raw), "HEX": binascii.hexlify(raw).upper()}
    for shift in range(3):
        text = base64.b64encode(bytes(shift) + raw)
        first = (shift * 8 + 5) // 6
        last = (shift + len(raw)) * 8 // 6
        forms[f"base64+{shift}"] = text[first:last]
    return forms


class Scanner:
    """Looks for canaries; `hits` counts by canary, `places` says where the first ones were."""

    def __init__(self, canaries: Iterable[Canary]) -> None:
        self._names = {form: canary.name for canary in canaries for form in canary.forms.values()}
        longest_first = sorted(self._names, key=len, reverse=True)
        self._any = re.compile(b"|".join(map(re.escape, longest_first)))

    def find(self, data: bytes) -> Counter[str]:
        """How often each canary is in there, also inside base64 and compressed data."""
        found = self._plain(data)
        for inner in _inside(data):
            found += self._plain(inner)
        return found

    def find_in_file(self, path: Path) -> Counter[str]:
        try:
            return self.find(path.read_bytes())
        except FileNotFoundError:  # a write-ahead log that was just taken over
            return Counter()

    def _plain(self, data: bytes) -> Counter[str]:
        return Counter(self._names[match.group()] for match in self._any.finditer(data))


def _inside(data: bytes) -> Iterator[bytes]:
    yield from _unpacked(data)
    for run in _BASE64_RUN.finditer(data):
        text = run.group().rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
        plain = base64.b64decode(text[: len(text) // 4 * 4])
        yield plain
        yield from _unpacked(plain)


def _unpacked(data: bytes) -> Iterator[bytes]:
    """Whatever can be decompressed from wherever a compressed stream may begin."""
    for start in _MAGIC.finditer(data):
        plain = _decompressed(data[start.start() :])
        if len(plain) > WINDOW_BYTES:
            yield plain


def _decompressed(data: bytes) -> bytes:
    """As far as it goes; nothing if it was no compressed stream after all."""
    try:
        if data.startswith(b"\xfd7zXZ"):
            return lzma.LZMADecompressor().decompress(data, MAX_PLAIN_BYTES)
        if data.startswith(b"BZh"):
            return bz2.BZ2Decompressor().decompress(data, MAX_PLAIN_BYTES)
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(data, MAX_PLAIN_BYTES)
    except (lzma.LZMAError, zlib.error, OSError, EOFError):
        return b""

"""Photographs and papers that show a visit or call: what is let in, and in what form it is kept.

What a file is, its content says; its name and what the browser calls it count for nothing. A
picture is decoded and written anew, small enough to look at and without what the camera wrote
into it (place, time, owner). A PDF is kept as it is and only ever given out as a download.
"""

from __future__ import annotations

import hashlib
import io
import re
import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from PIL import Image, ImageOps

from cloud_bridge.registry.models import Evidence, Proof
from cloud_bridge.registry.vault import Vault

MAX_FILES = 6
MAX_FILE_BYTES = 10 * 1024 * 1024
MAX_UPLOAD_BYTES = 30 * 1024 * 1024
MAX_PIXELS = 64_000_000
MAX_PIXELS_WHOLE = 25_000_000
"""For formats that can only be decoded at full size: about 100 MB while it lasts."""
MAX_SIDE_PX = 2400
JPEG, PDF = "image/jpeg", "application/pdf"
ENDINGS = {JPEG: "jpg", PDF: "pdf"}

_FORMATS = ("JPEG", "PNG", "WEBP")
_ODD = (
    *(OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, ArithmeticError),
    *(struct.error, zlib.error, Image.DecompressionBombError, Image.DecompressionBombWarning),
)
"""Whatever Pillow makes of bytes that are no picture."""
_PDF = re.compile(rb"%PDF-[12]\.[0-9]")
_ACTIVE = re.compile(rb"/(JavaScript|JS|Launch|EmbeddedFiles?|RichMedia|XFA|OpenAction|AA)\b")
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")


class NotEvidence(Exception):
    """Cannot be kept; `word` is one of the console's labels."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


@dataclass(frozen=True, slots=True)
class Sheet:
    """One photograph or paper as it is kept."""

    media_type: str
    content: bytes = field(repr=False)


def clean(content: bytes) -> Sheet:
    """Raises `NotEvidence`."""
    if len(content) > MAX_FILE_BYTES:
        raise NotEvidence("too_large")
    if content.startswith(b"%PDF-"):
        return _pdf(content)
    return Sheet(JPEG, _redrawn(content))


def _pdf(content: bytes) -> Sheet:
    """Names may be written with escapes; what lies compressed inside is not looked at."""
    if not _PDF.match(content) or b"%%EOF" not in content[-2048:]:
        raise NotEvidence("unreadable")
    plain = _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), content)
    if _ACTIVE.search(plain):
        raise NotEvidence("active")
    return Sheet(PDF, content)


def _redrawn(content: bytes) -> bytes:
    """The picture alone, upright, as a JPEG without anything that was written beside it."""
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
            _check_size(picture, _most_pixels(picture))
            picture.draft("RGB", (MAX_SIDE_PX, MAX_SIDE_PX))
            _check_size(picture, MAX_PIXELS_WHOLE)  # a long and narrow one is not made smaller
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except _ODD as error:
        raise NotEvidence("unreadable") from error
    upright.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX))
    bare = Image.new("RGB", upright.size)
    bare.paste(upright)
    written = io.BytesIO()
    bare.save(written, "JPEG", quality=85)
    return written.getvalue()


def _most_pixels(picture: Image.Image) -> int:
    """A progressive JPEG is kept whole while it is decoded, however small it becomes."""
    by_rows = picture.format == "JPEG" and "progressive" not in picture.info
    return MAX_PIXELS if by_rows else MAX_PIXELS_WHOLE


def _check_size(picture: Image.Image, most: int) -> None:
    """Before a single pixel is decoded: a few bytes can promise gigabytes."""
    if picture.width * picture.height > most:
        raise NotEvidence("too_many_pixels")
    if min(picture.size) < 2:
        raise NotEvidence("unreadable")


def keep(proof: Proof, sheets: Iterable[Sheet], vault: Vault, now: datetime) -> Sequence[Evidence]:
    """Seal and save; the same sheet twice is one."""
    by_hash = {hashlib.sha256(sheet.content).hexdigest(): sheet for sheet in sheets}
    rows = [
        Evidence(
            proof=proof,
            media_type=sheet.media_type,
            sha256=sha256,
            size_bytes=len(sheet.content),
            content_sealed=vault.seal_bytes(sheet.content, _owner(proof.pk, sha256)),
            added_by=proof.by,
            added_at=now,
        )
        for sha256, sheet in by_hash.items()
    ]
    return Evidence.objects.bulk_create(rows)


def content_of(row: Evidence, vault: Vault) -> bytes:
    """Raises `VaultError`."""
    return vault.open_bytes(row.content_sealed, _owner(row.proof_id, row.sha256))


def _owner(proof_id: int, sha256: str) -> str:
    return f"proof {proof_id} {sha256}"

"""Numbers that nobody can guess."""

from __future__ import annotations

import secrets
import time
import uuid

from edge.domain.record import RecordId

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U, so that a number read over the telephone survives."""


def new_record_id() -> RecordId:
    """A UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then 74 random bits."""
    millis = time.time_ns() // 1_000_000
    value = (millis & (1 << 48) - 1) << 80 | 0x7 << 76 | secrets.randbits(12) << 64
    return RecordId(str(uuid.UUID(int=value | 0b10 << 62 | secrets.randbits(62))))


def new_receipt_no() -> str:
    """80 random bits in four groups of four, for example `7QF3-0XKM-2C9D-V5TA`."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(16))
    return "-".join(letters[i : i + 4] for i in range(0, 16, 4))

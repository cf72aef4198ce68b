"""Key files: 32 raw bytes as one line of base64, and the card key made from an id number.

Which private key lies where, and who may read it, is told in `docs/security.md`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from edge.domain.errors import WireError
from edge.domain.people import CardKey

KEY_BYTES = 32


def encode_key(raw: bytes) -> str:
    return base64.b64encode(raw).decode() + "\n"


def decode_key(text: str) -> bytes:
    """Raises `WireError("key")` unless the text is 32 bytes in base64."""
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise WireError("key", "not base64") from error
    if len(raw) != KEY_BYTES:
        raise WireError("key", f"{len(raw)} bytes instead of {KEY_BYTES}")
    return raw


def signing_key(text: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(decode_key(text))


def verifying_key(text: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(decode_key(text))


def opening_key(text: str) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(decode_key(text))


def sealing_key(text: str) -> X25519PublicKey:
    return X25519PublicKey.from_public_bytes(decode_key(text))


def card_key(id_number: str, secret: bytes) -> CardKey:
    """HMAC-SHA256 of the number in upper case; a plain hash of so few numbers hides nothing."""
    digest = hmac.new(secret, b"jianzai card key 1\n" + id_number.upper().encode(), hashlib.sha256)
    return CardKey(digest.hexdigest())

"""Encryption at rest under the device's data key; the only place in the store that knows how."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from edge.domain.errors import StoreError

NONCE_BYTES = 12


class SealedError(StoreError):
    """A value that does not open: another key, another place or a changed byte."""


class Vault:
    """ChaCha20-Poly1305; a sealed value is nonce, then ciphertext with its tag.

    `place` says where a value belongs: moved elsewhere it does not open.
    """

    def __init__(self, data_key: bytes) -> None:
        self._cipher = ChaCha20Poly1305(data_key)

    def seal(self, plain: bytes, place: str) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Raises `SealedError`."""
        nonce, rest = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, rest, place.encode())
        except (InvalidTag, ValueError) as error:
            raise SealedError("a stored value does not open with this device's data key") from error

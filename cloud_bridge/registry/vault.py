"""Id numbers and card secrets at rest: encrypted and findable, with a key outside the database.

From `id.key` four keys are derived, for finding, for encrypting, for the audit
chain and for recovery codes. A stolen database without that file holds no number: a keyed
hash cannot be enumerated without the key. Note that 6 + 4 shown digits and a
full day of birth make up a whole number, so the masked form is not stored
either and the console never shows both.
"""

from __future__ import annotations

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from cloud_bridge.registry.id_number import normalise

_NONCE_BYTES = 12


class VaultError(Exception):
    """Something stored cannot be opened with this key, or belongs to another row."""


class Vault:
    """Holds the derived keys; make one per process with `settings_vault()`."""

    def __init__(self, secret: bytes) -> None:
        self._find = _derive(secret, b"find")
        self._cipher = ChaCha20Poly1305(_derive(secret, b"seal"))
        self._audit = _derive(secret, b"audit")
        self.broker_group = _derive(secret, b"broker group").hex()
        """Under which the bridge's workers share what comes up. Nobody else may know it: who
        joined them would get a share, and the broker, which gives it to nobody else, drops it."""
        self._door = _derive(secret, b"door")

    def lookup(self, number: str) -> str:
        """Keyed hash of an id number: 64 hex digits, the same for the same number."""
        return _hmac(self._find, normalise(number).encode())

    def seal(self, text: str, owner: str) -> bytes:
        """Encrypt for one row: `owner` is that row's id, and opening needs it again."""
        return self.seal_bytes(text.encode(), owner)

    def seal_bytes(self, content: bytes, owner: str) -> bytes:
        """The same for a photograph or a file."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, owner.encode())

    def open(self, sealed: bytes, owner: str) -> str:
        """Raises `VaultError`."""
        return self.open_bytes(sealed, owner).decode()

    def open_bytes(self, sealed: bytes, owner: str) -> bytes:
        """Raises `VaultError`."""
        sealed = bytes(sealed)
        try:
            return self._cipher.decrypt(
                sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], owner.encode()
            )
        except (InvalidTag, ValueError) as error:
            raise VaultError("cannot be opened with this key") from error

    def audit_hash(self, previous: str, entry: bytes) -> str:
        """Link of the audit chain; only a holder of the key can make a new one."""
        return _hmac(self._audit, previous.encode() + b"\n" + entry)

    def door_hash(self, text: str) -> str:
        """Keyed hash of something random that opens a door."""
        return _hmac(self._door, text.encode())


def _derive(secret: bytes, purpose: bytes) -> bytes:
    return HKDFExpand(SHA256(), 32, b"jianzai registry 1 " + purpose).derive(secret)


def _hmac(key: bytes, message: bytes) -> str:
    return hmac.new(key, message, hashlib.sha256).hexdigest()

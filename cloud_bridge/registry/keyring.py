"""The registry's own keys, read from the files the configuration names, each when first needed."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.conf import settings

from cloud_bridge.config import Keys, read_key
from cloud_bridge.registry.vault import Vault
from edge.wire import keys


def _files() -> Keys:
    files: Keys = settings.REGISTRY.keys
    return files


@cache
def vault() -> Vault:
    """Needs only `id`; the console gets along with this one."""
    return Vault(keys.decode_key(read_key(_files().id)))


def sign_key() -> Ed25519PrivateKey:
    return keys.signing_key(read_key(_files().sign))


@cache
def sign_pub() -> Ed25519PublicKey:
    """The published half, beside `sign`; all it takes to check receipts."""
    return keys.verifying_key(published())


def published() -> str:
    return read_key(_files().sign.with_suffix(".pub"))


def seal_key() -> X25519PrivateKey:
    return keys.opening_key(read_key(_files().seal))

"""Every message on the wire: a signed envelope around a body.

    {"body": base64, "chain": {"epoch": …, "prev": …, "seq": …} or null,
     "from": …, "id": …, "schema": …, "sig": base64, "to": …, "v": 1}

as canonical JSON: UTF-8, keys sorted, no blanks. `sig` is Ed25519 over the
same JSON without `sig`, behind a fixed prefix so that a signature made for
something else can never be passed off as one of ours. Fields we do not know
are covered by the signature and kept.

A body that names a person is sealed: HPKE (RFC 9180, base mode, DHKEM-X25519,
HKDF-SHA256, ChaCha20-Poly1305) to the one party that may read it, with the
header as `info`, so that a sealed body cannot be moved to another envelope.
Broker, sync process and a thief with the card see only bytes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from edge.domain.errors import WireError

MAX_ENVELOPE_BYTES = 512 * 1024
_PREFIX = b"jianzai envelope 1\n"
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_TEXT_FIELDS = ("schema", "id", "from", "to")


@dataclass(frozen=True, slots=True)
class Chain:
    """Place in the sender's chain: `seq` counts from 1 without gaps within `epoch`."""

    epoch: str
    seq: int
    prev_sha256: str


@dataclass(frozen=True, slots=True)
class Header:
    """Everything of an envelope but its body; holds nothing that names a person."""

    schema: str
    message_id: str
    sender: str
    recipient: str
    version: int = 1
    chain: Chain | None = None

    def context(self) -> bytes:
        """What binds a sealed body to this envelope (HPKE `info`)."""
        return _PREFIX + canonical(
            [self.schema, self.version, self.message_id, self.sender, self.recipient]
        )


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope whose signature was checked."""

    header: Header
    body: bytes = field(repr=False)
    unknown: Mapping[str, Any] = field(default_factory=dict, repr=False)


def canonical(value: Any) -> bytes:
    """The one JSON form of a value: sorted keys, no blanks, UTF-8."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def sha256_hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def seal(plain: bytes, header: Header, recipient_key: X25519PublicKey) -> bytes:
    """Encrypt a body so that only the holder of the matching private key can read it."""
    return _SUITE.encrypt(plain, recipient_key, info=header.context())


def unseal(sealed: bytes, header: Header, private_key: X25519PrivateKey) -> bytes:
    """Open a sealed body. Raises `WireError("seal")` if it is not for us or was moved."""
    try:
        return _SUITE.decrypt(sealed, private_key, info=header.context())
    except (InvalidTag, ValueError) as error:
        raise WireError("seal", "body cannot be opened with this key") from error


def sign(header: Header, body: bytes, key: Ed25519PrivateKey) -> bytes:
    """The finished bytes of an envelope."""
    fields = _fields(header, body)
    fields["sig"] = base64.b64encode(key.sign(_PREFIX + canonical(fields))).decode()
    return canonical(fields)


def verify(payload: bytes, key_of: Callable[[str], Ed25519PublicKey | None]) -> Envelope:
    """Check form and signature; `key_of` knows the senders' public keys.

    Raises `WireError` with reason `size`, `form`, `sender` or `signature`.
    """
    fields = _parse(payload)
    signature = _decoded(fields.get("sig"))
    _need_canonical(fields, signature, payload)
    del fields["sig"]
    key = key_of(fields["from"])
    if key is None:
        raise WireError("sender", "no public key for this sender")
    try:
        key.verify(signature, _PREFIX + canonical(fields))
    except InvalidSignature as error:
        raise WireError("signature", "does not match the sender's key") from error
    return _envelope(fields)


def _fields(header: Header, body: bytes) -> dict[str, Any]:
    chain = header.chain
    return {
        "body": base64.b64encode(body).decode(),
        "chain": chain and {"epoch": chain.epoch, "prev": chain.prev_sha256, "seq": chain.seq},
        "from": header.sender,
        "id": header.message_id,
        "schema": header.schema,
        "to": header.recipient,
        "v": header.version,
    }


def _need_canonical(fields: dict[str, Any], signature: bytes, payload: bytes) -> None:
    """One envelope has one form: whoever re-spaced it, or used the spare bits of its base64,
    would leave the signature whole and change the hash that acknowledgements are about."""
    try:
        form = canonical(fields | {"sig": base64.b64encode(signature).decode()})
    except (UnicodeEncodeError, RecursionError) as error:
        raise WireError("form", "has no canonical form") from error
    if form != payload:
        raise WireError("form", "not the canonical form")


def _parse(payload: bytes) -> dict[str, Any]:
    if len(payload) > MAX_ENVELOPE_BYTES:
        raise WireError("size", f"{len(payload)} bytes, at most {MAX_ENVELOPE_BYTES}")
    try:
        fields = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise WireError("form", "not JSON") from error
    if not isinstance(fields, dict):
        raise WireError("form", "not an object")
    if not all(isinstance(fields.get(name), str) for name in _TEXT_FIELDS):
        raise WireError("form", "schema, id, from and to must be texts")
    if type(fields.get("v")) is not int:
        raise WireError("form", "v must be a number")
    return fields


def _envelope(fields: dict[str, Any]) -> Envelope:
    header = Header(
        schema=fields.pop("schema"),
        message_id=fields.pop("id"),
        sender=fields.pop("from"),
        recipient=fields.pop("to"),
        version=fields.pop("v"),
        chain=_chain(fields.pop("chain", None)),
    )
    return Envelope(header, _decoded(fields.pop("body", None)), fields)


def _chain(value: Any) -> Chain | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise WireError("form", "chain must be an object")
    epoch, seq, prev = value.get("epoch"), value.get("seq"), value.get("prev")
    if not isinstance(epoch, str) or type(seq) is not int or not isinstance(prev, str):
        raise WireError("form", "chain needs epoch, seq and prev")
    return Chain(epoch, seq, prev)


def _decoded(value: Any) -> bytes:
    if not isinstance(value, str):
        raise WireError("form", "body and sig must be base64 texts")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise WireError("form", "not base64") from error

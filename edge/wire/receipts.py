"""The code on a receipt: a short signed text that anybody with one published key can check.

    JZ1: base32 of    body | kiosk's public key, 32 | certificate, 64 | signature, 64

    body    1, the version                             1 byte
            outcome, with 80 hex for simulated         1 byte
            method                                     1 byte
            day, and until when to come again          2 bytes each: days since 2000, 0 for none
            kiosk, number, masked name, phone          each its length, 1 byte, then UTF-8

The registry certifies each kiosk's key once, so its own public key is all it takes, and no
network. `certificate` is Ed25519 over kiosk and key by the registry, `signature` is the
kiosk's over all before it; both behind a prefix of their own, so that nothing signed for
another purpose passes for one. Base32 in capitals fits the dense mode of a QR code. One
receipt has one text: every changed character fails, also in the spare bits of base32.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import date, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from edge.domain.codes import RECEIPT_PREFIX, Method, SignedReceipt
from edge.domain.errors import WireError
from edge.domain.record import Outcome

CERTIFICATE_BYTES = 64
_SIGNATURE_BYTES, _KEY_BYTES = 64, 32
_TAIL_BYTES = _KEY_BYTES + CERTIFICATE_BYTES + _SIGNATURE_BYTES
_MAX_TEXT = 1500  # characters; the longest name there is takes half of it
_VERSION = 1
_SIMULATED = 0x80
_EPOCH = date(2000, 1, 1)
_RECEIPT = b"jianzai receipt 1\n"
_CERTIFICATE = b"jianzai receipt key 1\n"
_OUTCOMES = {
    Outcome.PASSED: 1,
    Outcome.NEEDS_REVIEW: 2,
    Outcome.DECLINED: 3,
    Outcome.CALLED: 4,
}
_METHODS = {Method.CHIP: 1, Method.TEMPLATE: 2, Method.STAFF: 3, Method.WITNESS: 4}
_OUTCOME_OF = {number: outcome for outcome, number in _OUTCOMES.items()}
_METHOD_OF = {number: method for method, number in _METHODS.items()}


def certify(kiosk_id: str, key: Ed25519PublicKey, registry: Ed25519PrivateKey) -> bytes:
    """The registry's word that receipts of this kiosk are signed with this key."""
    return registry.sign(_certified(kiosk_id, key.public_bytes_raw()))


def encode_certificate(certificate: bytes) -> str:
    return base64.b64encode(certificate).decode() + "\n"


def decode_certificate(text: str) -> bytes:
    """Raises `WireError("certificate")`."""
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise WireError("certificate", "not base64") from error
    if len(raw) != CERTIFICATE_BYTES:
        raise WireError("certificate", f"{len(raw)} bytes instead of {CERTIFICATE_BYTES}")
    return raw


def write_receipt(receipt: SignedReceipt, key: Ed25519PrivateKey, certificate: bytes) -> str:
    """The code's text. Raises `WireError("text")` if a part is too long for it."""
    public = key.public_key().public_bytes_raw()
    said = _body(receipt) + public + certificate
    return RECEIPT_PREFIX + _base32(said + key.sign(_RECEIPT + said))


def read_receipt(text: str, registry: Ed25519PublicKey) -> SignedReceipt:
    """What the paper says, if every character of it is as a certified kiosk wrote it.

    Raises `WireError` with reason `form`, `certificate`, `signature` or `version`.
    """
    raw = _raw(text)
    said, signature = raw[:-_SIGNATURE_BYTES], raw[-_SIGNATURE_BYTES:]
    body, tail = said[: len(raw) - _TAIL_BYTES], said[len(raw) - _TAIL_BYTES :]
    public, certificate = tail[:_KEY_BYTES], tail[_KEY_BYTES:]
    if body[:1] != bytes([_VERSION]):
        raise WireError("version", "written by a newer program, or not a receipt")
    receipt = _parse(_Reader(body[1:]))
    _check(registry, certificate, _certified(receipt.kiosk_id, public), "certificate")
    _check(Ed25519PublicKey.from_public_bytes(public), signature, _RECEIPT + said, "signature")
    return receipt


def _check(key: Ed25519PublicKey, signature: bytes, said: bytes, reason: str) -> None:
    try:
        key.verify(signature, said)
    except InvalidSignature as error:
        raise WireError(reason, "does not hold") from error


def _certified(kiosk_id: str, public: bytes) -> bytes:
    return _CERTIFICATE + _short(kiosk_id) + public


# --- bytes and characters --------------------------------------------------------


def _base32(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=")


def _raw(text: str) -> bytes:
    letters = text.removeprefix(RECEIPT_PREFIX)
    if letters == text or len(text) > _MAX_TEXT:
        raise WireError("form", "not the code of a receipt")
    try:
        raw = base64.b32decode(letters + "=" * (-len(letters) % 8))
    except (binascii.Error, ValueError) as error:
        raise WireError("form", "not base32") from error
    if _base32(raw) != letters or len(raw) <= _TAIL_BYTES:
        raise WireError("form", "not the one form of a receipt")
    return raw


def _body(receipt: SignedReceipt) -> bytes:
    outcome = _OUTCOMES[receipt.outcome] | (_SIMULATED if receipt.simulated else 0)
    head = bytes([_VERSION, outcome, _METHODS[receipt.method]])
    days = b"".join(_day(day) for day in (receipt.day, receipt.due_by))
    texts = (receipt.kiosk_id, receipt.receipt_no, receipt.name, receipt.phone)
    return head + days + b"".join(map(_short, texts))


def _day(day: date | None) -> bytes:
    days = (day - _EPOCH).days if day else 0
    if not 0 <= days < 2**16:
        raise WireError("text", "a day outside 2000..2179")
    return days.to_bytes(2)


def _short(text: str) -> bytes:
    raw = text.encode()
    if len(raw) > 255:
        raise WireError("text", "too long for the code of a receipt")
    return bytes([len(raw)]) + raw


@dataclass(slots=True)
class _Reader:
    """What is left of a body."""

    rest: bytes

    def take(self, count: int) -> bytes:
        taken, self.rest = self.rest[:count], self.rest[count:]
        if len(taken) < count:
            raise WireError("form", "cut off")
        return taken

    def number(self) -> int:
        return self.take(1)[0]

    def text(self) -> str:
        try:
            return self.take(self.number()).decode()
        except UnicodeDecodeError as error:
            raise WireError("form", "not a text") from error

    def day(self) -> date | None:
        days = int.from_bytes(self.take(2))
        return _EPOCH + timedelta(days=days) if days else None


def _parse(reader: _Reader) -> SignedReceipt:
    flags, how = reader.number(), reader.number()
    outcome, method = _OUTCOME_OF.get(flags & ~_SIMULATED), _METHOD_OF.get(how)
    if outcome is None or method is None:
        raise WireError("version", "a word of a newer program")
    day, due_by = reader.day(), reader.day()
    kiosk_id, receipt_no, name, phone = (reader.text() for _ in range(4))
    if reader.rest:
        raise WireError("form", "more than a receipt")
    return SignedReceipt(
        kiosk_id, receipt_no, name, outcome, method, day, due_by, phone, bool(flags & _SIMULATED)
    )

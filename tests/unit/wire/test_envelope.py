"""Envelopes: what is signed stays as it was, what is sealed is for one reader, in one place."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.domain.errors import WireError
from edge.wire.envelope import (
    MAX_ENVELOPE_BYTES,
    Chain,
    Envelope,
    Header,
    canonical,
    seal,
    sign,
    unseal,
    verify,
)

KIOSK = Ed25519PrivateKey.generate()
REGISTRY = X25519PrivateKey.generate()
HEADER = Header("jianzai.record", "r-1", "K-1", "registry", chain=Chain("e", 7, "ab"))
BODY = seal("王建华 100000194508150010".encode(), HEADER, REGISTRY.public_key())
PAYLOAD = sign(HEADER, BODY, KIOSK)


def opened(payload: bytes) -> Envelope:
    return verify(payload, lambda sender: KIOSK.public_key() if sender == "K-1" else None)


def reason(payload: bytes) -> str:
    with pytest.raises(WireError) as caught:
        opened(payload)
    return caught.value.reason


def test_what_was_signed_and_sealed_comes_out_again() -> None:
    envelope = opened(PAYLOAD)
    assert envelope.header == HEADER
    assert unseal(envelope.body, envelope.header, REGISTRY) == "王建华 100000194508150010".encode()


def test_f09_nothing_personal_is_readable_or_in_a_repr() -> None:
    for number in ("100000194508150010", "王建华"):
        assert number.encode() not in PAYLOAD
        assert number not in repr(opened(PAYLOAD))


def test_two_envelopes_of_the_same_body_do_not_look_alike() -> None:
    assert seal(b"same", HEADER, REGISTRY.public_key()) != seal(
        b"same", HEADER, REGISTRY.public_key()
    )


@pytest.mark.parametrize(
    "other",
    [
        replace(HEADER, message_id="r-2"),
        replace(HEADER, sender="K-2"),
        replace(HEADER, recipient="K-1"),
        replace(HEADER, schema="jianzai.roster"),
        replace(HEADER, version=2),
    ],
)
def test_a_sealed_body_cannot_be_moved_to_another_envelope(other: Header) -> None:
    with pytest.raises(WireError, match="seal"):
        unseal(BODY, other, REGISTRY)


def test_a_body_is_for_one_reader() -> None:
    with pytest.raises(WireError, match="seal"):
        unseal(BODY, HEADER, X25519PrivateKey.generate())
    with pytest.raises(WireError, match="seal"):
        unseal(BODY[:-1], HEADER, REGISTRY)
    with pytest.raises(WireError, match="seal"):
        unseal(b"", HEADER, REGISTRY)


@pytest.mark.parametrize("field", ["body", "chain", "from", "id", "schema", "to", "v"])
def test_no_field_can_be_changed_or_taken_out(field: str) -> None:
    fields = json.loads(PAYLOAD)
    fields[field] = {"v": 2, "chain": None, "from": "K-1 "}.get(field, "QUJD")
    assert reason(canonical(fields)) in ("signature", "sender")
    del fields[field]
    assert reason(canonical(fields)) in ("signature", "form")


def test_a_field_we_do_not_know_is_covered_and_kept() -> None:
    fields = json.loads(PAYLOAD) | {"weather": "sunny"}
    assert reason(canonical(fields)) == "signature"
    del fields["sig"]
    key_of = KIOSK.public_key()
    newer = {**fields}
    signature = KIOSK.sign(b"jianzai envelope 1\n" + canonical(newer))
    import base64

    newer["sig"] = base64.b64encode(signature).decode()
    assert verify(canonical(newer), lambda _: key_of).unknown == {"weather": "sunny"}


def test_an_envelope_has_one_form_only() -> None:
    fields = json.loads(PAYLOAD)
    assert reason(json.dumps(fields, sort_keys=True).encode()) == "form"
    assert reason(b" " + PAYLOAD) == "form"
    spare = fields["sig"][:-3] + chr(ord(fields["sig"][-3]) + 1) + "=="
    assert reason(canonical(fields | {"sig": spare})) == "form"
    assert reason(PAYLOAD.replace(b"r-1", b"\\ud800")) == "form"


def test_strangers_and_giants_are_refused() -> None:
    stranger = sign(replace(HEADER, sender="K-9"), BODY, KIOSK)
    assert reason(stranger) == "sender"
    assert reason(b" " * (MAX_ENVELOPE_BYTES + 1)) == "size"
    assert reason(b"[" * 100_000) == "form"


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_an_envelope_or_a_wire_error(junk: bytes) -> None:
    with pytest.raises(WireError):
        opened(junk)


@settings(max_examples=400, deadline=None)
@given(st.integers(0, len(PAYLOAD) - 1), st.integers(1, 255))
def test_one_flipped_byte_never_passes(place: int, flip: int) -> None:
    damaged = bytearray(PAYLOAD)
    damaged[place] ^= flip
    with pytest.raises(WireError):
        opened(bytes(damaged))

"""The code on a receipt: it says what the paper says, and no changed character passes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.domain.codes import Method, SignedReceipt
from edge.domain.errors import WireError
from edge.domain.record import Outcome
from edge.wire import receipts
from edge.wire.receipts import certify, read_receipt, write_receipt

REGISTRY = Ed25519PrivateKey.from_private_bytes(b"r" * 32)
KIOSK = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
OTHER = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
PUBLISHED = REGISTRY.public_key()
RECEIPT = SignedReceipt(
    kiosk_id="FS-0757-012",
    receipt_no="7QF3-0XKM-2C9D-V5TA",
    name="王*明",
    outcome=Outcome.PASSED,
    method=Method.CHIP,
    day=date(2026, 11, 23),
    due_by=date(2027, 11, 30),
    phone="0757-83990000",
    simulated=False,
)
CERTIFICATE = certify(RECEIPT.kiosk_id, KIOSK.public_key(), REGISTRY)
CODE = write_receipt(RECEIPT, KIOSK, CERTIFICATE)
ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
"""What the dense mode of a QR code holds; all of it may be printed over a letter."""


def reason_of(text: str) -> str:
    with pytest.raises(WireError) as caught:
        read_receipt(text, PUBLISHED)
    return caught.value.reason


def test_f4_the_code_says_what_the_paper_says() -> None:
    assert read_receipt(CODE, PUBLISHED) == RECEIPT
    assert set(CODE) <= set(ALPHANUMERIC)
    assert len(CODE) <= 366, "a QR code of 61 modules at correction M"


def test_f4_every_changed_character_fails() -> None:
    for place, letter in enumerate(CODE):
        for other in {*ALPHANUMERIC, letter.lower(), "我"} - {letter}:
            with pytest.raises(WireError):
                read_receipt(CODE[:place] + other + CODE[place + 1 :], PUBLISHED)


def test_f4_a_character_too_few_or_too_many_fails() -> None:
    for place in range(len(CODE) + 1):
        reason_of(CODE[:place] + CODE[place + 1 :] if place < len(CODE) else "")
        for extra in ("A", "2", "=", " "):
            reason_of(CODE[:place] + extra + CODE[place:])


def test_spare_bits_of_base32_have_one_form() -> None:
    """The last letter of most lengths has bits that decode to nothing."""
    name = next(n for n in ("王*明", "王**明", "王***明") if _spare_bits(replace(RECEIPT, name=n)))
    code = write_receipt(replace(RECEIPT, name=name), KIOSK, CERTIFICATE)
    ends = {reason_of(code[:-1] + letter) for letter in set(ALPHANUMERIC[:36]) - {code[-1]}}
    assert "form" in ends


def _spare_bits(receipt: SignedReceipt) -> bool:
    letters = len(write_receipt(receipt, KIOSK, CERTIFICATE)) - len("JZ1:")
    return letters * 5 % 8 != 0


def test_a_key_that_the_registry_never_certified_proves_nothing() -> None:
    assert reason_of(write_receipt(RECEIPT, OTHER, CERTIFICATE)) == "certificate"
    own = certify(RECEIPT.kiosk_id, OTHER.public_key(), OTHER)
    assert reason_of(write_receipt(RECEIPT, OTHER, own)) == "certificate"


def test_a_kiosk_cannot_sign_for_another() -> None:
    forged = write_receipt(replace(RECEIPT, kiosk_id="FS-0757-013"), KIOSK, CERTIFICATE)
    assert reason_of(forged) == "certificate"


def test_a_receipt_of_a_newer_program_is_told_apart() -> None:
    newer = receipts._body(RECEIPT).replace(b"\x01", b"\x02", 1)
    said = newer + KIOSK.public_key().public_bytes_raw() + CERTIFICATE
    code = "JZ1:" + receipts._base32(said + KIOSK.sign(receipts._RECEIPT + said))
    assert reason_of(code) == "version"


def test_nobody_is_named_in_a_repr() -> None:
    assert "王" not in repr(RECEIPT)


def test_what_does_not_fit_is_refused_when_it_is_written() -> None:
    for changed in ({"name": "*" * 256}, {"day": date(1999, 12, 31)}, {"day": date(2180, 1, 1)}):
        with pytest.raises(WireError, match="text"):
            write_receipt(replace(RECEIPT, **changed), KIOSK, CERTIFICATE)  # type: ignore[arg-type]


def test_a_certificate_file_is_one_line_and_damage_is_told() -> None:
    line = receipts.encode_certificate(CERTIFICATE)
    assert receipts.decode_certificate(line) == CERTIFICATE
    for damaged in ("", "!", line[:-10]):
        with pytest.raises(WireError, match="certificate"):
            receipts.decode_certificate(damaged)


days = st.none() | st.dates(date(2000, 1, 2), date(2179, 1, 1))
short = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(
    st.builds(
        SignedReceipt,
        kiosk_id=short,
        receipt_no=short,
        name=short,
        outcome=st.sampled_from(Outcome),
        method=st.sampled_from(Method),
        day=days,
        due_by=days,
        phone=short,
        simulated=st.booleans(),
    )
)
@settings(max_examples=100, deadline=None)
def test_every_receipt_comes_back_as_it_was(receipt: SignedReceipt) -> None:
    certificate = certify(receipt.kiosk_id, KIOSK.public_key(), REGISTRY)
    assert read_receipt(write_receipt(receipt, KIOSK, certificate), PUBLISHED) == receipt


@given(st.binary(max_size=400) | st.binary(max_size=200).map(lambda raw: b"\x01" + raw))
@settings(max_examples=300, deadline=None)
def test_random_bytes_are_never_a_receipt(raw: bytes) -> None:
    reason_of("JZ1:" + receipts._base32(raw))


@given(st.text(max_size=500) | st.text(ALPHANUMERIC, max_size=500).map(lambda rest: "JZ1:" + rest))
@settings(max_examples=300, deadline=None)
def test_random_text_is_never_a_receipt(text: str) -> None:
    reason_of(text)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_f4_no_change_of_its_bytes_passes_even_if_signed_again(data: st.DataObject) -> None:
    """Whoever holds a kiosk's key, but no word of the registry for it, cannot change a byte."""
    said = bytearray(receipts._raw(CODE)[: -receipts._SIGNATURE_BYTES])
    place = data.draw(st.integers(0, len(said) - 1))
    said[place] ^= data.draw(st.integers(1, 255))
    code = "JZ1:" + receipts._base32(bytes(said) + OTHER.sign(receipts._RECEIPT + bytes(said)))
    reason_of(code)

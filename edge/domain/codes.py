"""Codes that people hold before the scanner: receipts that prove themselves, notice letters.

A letter's code names a service and nobody. A receipt's code says what the paper says
and is signed; `edge.wire.receipts` reads and writes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import Enum

from edge.domain.record import Outcome, ProofRecord, Reference

RECEIPT_PREFIX = "JZ1:"
LETTER_PREFIX = "jianzai-letter:"
"""What the code of a notice letter begins with; the service follows, never a name or number."""


class LetterService(Enum):
    """What a notice letter asks somebody to come for."""

    PROOF = "proof"


def letter_of(text: str) -> LetterService | None:
    """The service a notice letter names; `None` for any other code or a service of tomorrow."""
    if not text.strip().startswith(LETTER_PREFIX):
        return None
    named = text.strip().removeprefix(LETTER_PREFIX)
    return next((service for service in LetterService if service.value == named), None)


def letter_code(service: LetterService) -> str:
    return LETTER_PREFIX + service.value


def is_receipt(text: str) -> bool:
    """Whether it claims to be one; only its signature says that it is."""
    return text.strip().startswith(RECEIPT_PREFIX)


class Method(Enum):
    """How a receipt says it was done."""

    CHIP = "chip"
    TEMPLATE = "template"
    STAFF = "staff"
    WITNESS = "witness"


def method_of(record: ProofRecord) -> Method:
    if record.witness:
        return Method.WITNESS
    if record.outcome is Outcome.DECLINED or record.verdict is None:
        return Method.STAFF
    return _METHODS[record.verdict.reference]


_METHODS = {
    Reference.CHIP: Method.CHIP,
    Reference.TEMPLATE: Method.TEMPLATE,
    Reference.NONE: Method.STAFF,
}


@dataclass(frozen=True, slots=True)
class SignedReceipt:
    """What a receipt says. `day` is `None` where no clock was believed, `due_by` where the
    registry told none. `name` is masked.
    """

    kiosk_id: str
    receipt_no: str
    name: str = field(repr=False)
    outcome: Outcome
    method: Method
    day: date | None
    due_by: date | None
    phone: str
    simulated: bool

"""Whether a receipt is genuine, for anybody who has it; never more than stands on the paper."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cloud_bridge.registry.models import Certification, FiledRecord, Rehearsal
from edge.domain.codes import RECEIPT_PREFIX, SignedReceipt, is_receipt
from edge.domain.errors import WireError
from edge.domain.people import mask_name
from edge.wire.receipts import read_receipt

_ALPHABET = frozenset("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
_READ_AS = str.maketrans("OIL", "011", " -\t\r\n")
"""Crockford's base 32: what nobody writes is read as what it looks like."""
_LETTERS = 16
_GROUP = 4
LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Seen:
    """What is said of a receipt.

    `signed`: its own code was checked, else only the number. `filed`: the registry has the
    record; a kiosk without a network brings it later. `method` is told by the code alone.
    """

    number: str
    signed: bool
    filed: bool
    simulated: bool
    outcome: str
    name: str = field(repr=False)
    kiosk_id: str = ""
    method: str = ""
    day: date | None = None
    due_by: date | None = None
    phone: str = ""


def check(text: str, registry: Ed25519PublicKey) -> Seen | None:
    """A receipt by its code or by its number; None for anything that cannot be confirmed.

    Which of the many reasons it is, is not told: damage and forgery look alike.
    """
    if len(text) > LONGEST:
        return None
    if is_receipt(text):
        return _by_code("".join(text.split()), registry)
    return _by_number(text)


def _by_code(text: str, registry: Ed25519PublicKey) -> Seen | None:
    letters = text.removeprefix(RECEIPT_PREFIX)
    try:
        receipt = read_receipt(RECEIPT_PREFIX + letters, registry)
    except WireError:
        return None
    row = _find(receipt.receipt_no, simulated=receipt.simulated)
    return _signed(receipt, filed=row is not None and row.device_id == receipt.kiosk_id)


def _signed(receipt: SignedReceipt, *, filed: bool) -> Seen:
    return Seen(
        number=receipt.receipt_no,
        signed=True,
        filed=filed,
        simulated=receipt.simulated,
        outcome=receipt.outcome.value,
        name=receipt.name,
        kiosk_id=receipt.kiosk_id,
        method=receipt.method.value,
        day=receipt.day,
        due_by=receipt.due_by,
        phone=receipt.phone,
    )


def _by_number(text: str) -> Seen | None:
    """80 random bits: who has it has seen the paper. Both tables are always asked."""
    number = grouped(text)
    found = [_find(number, simulated=simulated) for simulated in (False, True)]
    row = next((each for each in found if each is not None), None)
    if row is None:
        return None
    return Seen(
        number=row.receipt_no,
        signed=False,
        filed=True,
        simulated=isinstance(row, Rehearsal),
        outcome=row.outcome,
        name=mask_name(row.subject_name) if row.subject_name else "",
        kiosk_id=row.device_id,
        day=None if row.clock_unsure else row.certified_on,
    )


def grouped(text: str) -> str:
    """As it stands on the paper, `7QF3-0XKM-2C9D-V5TA`; empty if it cannot be one."""
    letters = text.upper().translate(_READ_AS) if text.isascii() else ""
    if len(letters) != _LETTERS or not _ALPHABET.issuperset(letters):
        return ""
    return "-".join(letters[i : i + _GROUP] for i in range(0, _LETTERS, _GROUP))


def _find(number: str, *, simulated: bool) -> FiledRecord | None:
    table = Rehearsal if simulated else Certification
    rows = table.objects.defer("envelope").filter(receipt_no=number)
    found = list(rows[:2])
    return found[0] if number and len(found) == 1 else None

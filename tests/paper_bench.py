"""What the tests of receipt and printer share: records, texts, a printer with its driver."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.domain.challenge import Action
from edge.domain.codes import SignedReceipt, method_of
from edge.domain.people import CardKind, PersonId, mask_name
from edge.domain.record import (
    Outcome,
    ProofRecord,
    Provenance,
    RecordId,
    Reference,
    Score,
    Subject,
    Verdict,
)
from edge.domain.timebase import ClockTrust, MonoNs, Stamp
from edge.drivers.printer_cables import Cable, UsbCable, by_address
from edge.drivers.printer_escpos import EscposPrinter
from edge.drivers.receipt import Office, compose
from edge.drivers.sim.printer import SimPrinter
from edge.ports import Code, ReceiptItem
from edge.session.states import Language
from edge.ui.texts import catalogue
from edge.wire.receipts import certify, write_receipt

GOLDEN = Path(__file__).parent / "golden" / "receipts"
WORDS = {language.value: catalogue(language) for language in Language}
OFFICE = Office("佛山市社会保险基金管理局禅城分局", "0757-83990000", "012")
NEXT_DUE = date(2027, 11, 30)
DOTS = {32: 384, 48: 576}


def record(
    outcome: Outcome = Outcome.PASSED,
    *,
    name: str = "王小明",
    number: str = "11010119491231002X",
    reference: Reference = Reference.CHIP,
    provenance: Provenance = Provenance.LIVE,
    trust: ClockTrust = ClockTrust.NTP,
) -> ProofRecord:
    waits = outcome in (Outcome.DECLINED, Outcome.CALLED)
    finished = Stamp(datetime(2026, 11, 23, 3, 4, 5, tzinfo=UTC), MonoNs(1), "boot", trust)
    return ProofRecord(
        record_id=RecordId("0192f0c1-2345-7000-8000-000000000000"),
        kiosk_id="FS-0757-012",
        site="foshan-chancheng",
        subject=Subject(name, number, CardKind.RESIDENT),
        person_id=PersonId("p-1"),
        outcome=outcome,
        reasons=(),
        consent=None,
        verdict=None if waits else _verdict(reference),
        attempts=1,
        receipt_no="FS012-20261123-0007",
        reader_id="",
        started=finished,
        finished=finished,
        provenance=provenance,
        software="test",
        ticket="12-07" if waits else "",
    )


def _verdict(reference: Reference) -> Verdict:
    score = Score(0.9, 0.5, "0" * 64)
    return Verdict(True, (Action.LEFT, Action.UP), score, score, reference, (), 100, 9.0)


def slip(
    proof: ProofRecord,
    *,
    columns: int = 32,
    language: str = "zh",
    online: bool = True,
    next_due: date | None = NEXT_DUE,
    copy: bool = False,
    code: str = "",
) -> tuple[ReceiptItem, ...]:
    return compose(
        proof,
        WORDS[language],
        online=online,
        columns=columns,
        office=OFFICE,
        next_due=next_due,
        copy=copy,
        code=code,
    )


REGISTRY = Ed25519PrivateKey.from_private_bytes(b"r" * 32)
_KIOSK = Ed25519PrivateKey.from_private_bytes(b"k" * 32)


def code_of(proof: ProofRecord, next_due: date | None = NEXT_DUE) -> str:
    """The signed code, as a kiosk writes it that `REGISTRY` has certified."""
    told = SignedReceipt(
        proof.kiosk_id,
        proof.receipt_no,
        mask_name(proof.subject.name),
        proof.outcome,
        method_of(proof),
        proof.finished.local.date() if proof.finished.is_sure else None,
        next_due,
        OFFICE.phone,
        proof.provenance is Provenance.SIMULATED,
    )
    return write_receipt(told, _KIOSK, certify(proof.kiosk_id, _KIOSK.public_key(), REGISTRY))


CODE = Code(code_of(record()), WORDS["zh"]["receipt.code"])


def situations(columns: int, language: str = "zh") -> dict[str, tuple[ReceiptItem, ...]]:
    """Every kind of receipt there is, by a name for it."""
    review, declined = Outcome.NEEDS_REVIEW, Outcome.DECLINED

    def made(proof: ProofRecord, **how: Any) -> tuple[ReceiptItem, ...]:
        code = code_of(proof, how.get("next_due", NEXT_DUE))
        return slip(proof, columns=columns, language=language, **{"code": code, **how})

    return {
        "passed": made(record()),
        "passed-template": made(record(reference=Reference.TEMPLATE)),
        "passed-offline": made(record(), online=False, next_due=None),
        "needs-review": made(record(review), next_due=None),
        "needs-review-offline": made(record(review), online=False, next_due=None),
        "called": made(record(Outcome.CALLED), next_due=None, code=""),
        "declined": made(record(declined), next_due=None),
        "simulated": made(record(provenance=Provenance.SIMULATED)),
        "clock-unsure": made(record(trust=ClockTrust.FLOOR)),
        "rare-name": made(record(name="㐂小𠮷")),
        "copy": made(record(), copy=True),
        "without-code": made(record(), code=""),
    }


@dataclass
class Desk:
    """A driver and the printer at the other end of its cable."""

    driver: EscposPrinter
    sim: SimPrinter


def hurried_ns() -> int:
    """A clock forty times as fast, for tests in which a printer never answers."""
    return time.monotonic_ns() * 40


def cable_to(sim: SimPrinter, kind: str = "serial") -> Cable:
    """The driver's own way to this printer; USB as far up as libusb."""
    if kind == "usb":
        return UsbCable(sim.port, lambda _: sim.usb_endpoints())
    return by_address(sim.port)


@contextmanager
def desk(
    columns: int = 32,
    *,
    kind: str = "serial",
    hurried: bool = False,
    cutter: bool = True,
    pictures: bool = False,
) -> Iterator[Desk]:
    """`kind` of cable: `serial` (a pseudo-terminal), `tcp` or `usb`."""
    sim = SimPrinter(DOTS[columns], cutter=cutter, tcp=kind == "tcp", usb=kind == "usb")
    driver = EscposPrinter(
        cable_to(sim, kind),
        mono_ns=hurried_ns if hurried else time.monotonic_ns,
        columns=columns,
        cutter=cutter,
        pictures=pictures,
    )
    try:
        driver.open()
        yield Desk(driver, sim)
    finally:
        driver.close()
        sim.close()

"""What was printed, line by line, so that staff can print it once more: masked and encrypted."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from edge.domain.errors import StoreError
from edge.ports import Code, Line, ReceiptItem, Rule
from edge.store.database import Database
from edge.store.vault import Vault


@dataclass(frozen=True, slots=True)
class KeptReceipt:
    """A second copy; `day`: when the first was printed, `None` while no clock was believed."""

    receipt_no: str
    day: date | None
    items: tuple[ReceiptItem, ...] = field(repr=False)


class ReceiptBook:
    """Who has no `data_key` sees how many receipts there are, on which days, and no more."""

    def __init__(self, database: Database, data_key: bytes) -> None:
        self._database = database
        self._vault = Vault(data_key)

    def keep(self, receipt: KeptReceipt) -> None:
        """Numbers are random: no two are the same."""
        sealed = self._vault.seal(_encode(receipt.items), _place(receipt.receipt_no))
        with self._database.write() as db:
            db.execute(
                "INSERT INTO receipts (receipt_no, day, sealed) VALUES (?, ?, ?)",
                [receipt.receipt_no, receipt.day.isoformat() if receipt.day else "", sealed],
            )

    def latest(self, limit: int = 10) -> list[KeptReceipt]:
        """Newest first."""
        rows = self._database.rows(
            "SELECT receipt_no, day, sealed FROM receipts ORDER BY number DESC LIMIT ?", [limit]
        )
        return [self._opened(*row) for row in rows]

    def find(self, receipt_no: str) -> KeptReceipt | None:
        """By its number as printed; small letters do."""
        row = self._database.row(
            "SELECT receipt_no, day, sealed FROM receipts WHERE receipt_no = ?",
            [receipt_no.strip().upper()],
        )
        return self._opened(*row) if row else None

    def _opened(self, receipt_no: str, day: str, sealed: bytes) -> KeptReceipt:
        items = _decode(self._vault.open(sealed, _place(receipt_no)))
        return KeptReceipt(receipt_no, date.fromisoformat(day) if day else None, items)


def _place(receipt_no: str) -> str:
    return f"receipt {receipt_no}"


def _encode(items: Sequence[ReceiptItem]) -> bytes:
    """Compressed, because most of a receipt is the same words every time."""
    rows = json.dumps([_row(item) for item in items], ensure_ascii=False)
    return zlib.compress(rows.encode())


def _row(item: ReceiptItem) -> list[Any]:
    match item:
        case Line(text, big, bold, centred):
            return ["line", text, big, bold, centred]
        case Code(text, caption):
            return ["code", text, caption]
        case Rule():
            return ["rule"]


def _decode(plain: bytes) -> tuple[ReceiptItem, ...]:
    try:
        return tuple(_item(*row) for row in json.loads(zlib.decompress(plain)))
    except (ValueError, TypeError, KeyError, zlib.error) as error:
        raise StoreError("a kept receipt is not of a kind this program knows") from error


_KINDS: dict[str, Any] = {"line": Line, "code": Code, "rule": Rule}


def _item(kind: str, *values: Any) -> ReceiptItem:
    item: ReceiptItem = _KINDS[kind](*values)
    return item

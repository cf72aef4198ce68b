"""What was printed, line by line, so that it can be printed once more: masked and encrypted.

Whose a receipt is lies inside what is encrypted: who finds the file does not even learn which
of them belong together.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from edge.domain.errors import StoreError
from edge.domain.people import CardKey
from edge.ports import Code, Line, ReceiptItem, Rule
from edge.store.database import Database
from edge.store.vault import Vault


@dataclass(frozen=True, slots=True)
class KeptReceipt:
    """A second copy; `day`: when the first was printed, `None` while no clock was believed.

    `owner`: the key of the card it is about, empty on receipts from before that was kept.
    """

    receipt_no: str
    day: date | None
    items: tuple[ReceiptItem, ...] = field(repr=False)
    owner: str = field(repr=False, default="")


class ReceiptBook:
    """Who has no `data_key` sees how many receipts there are, on which days, and no more."""

    def __init__(self, database: Database, data_key: bytes) -> None:
        self._database = database
        self._vault = Vault(data_key)

    def keep(self, receipt: KeptReceipt) -> None:
        """Numbers are random: no two are the same."""
        sealed = self._vault.seal(_encode(receipt), _place(receipt.receipt_no))
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

    def newest_of(self, owner: CardKey) -> KeptReceipt | None:
        """The last one of this card. Opens one after the other: a kiosk holds a month's."""
        rows = self._database.rows(
            "SELECT receipt_no, day, sealed FROM receipts ORDER BY number DESC"
        )
        opened = (self._opened(*row) for row in rows)
        return next((kept for kept in opened if kept.owner == owner), None)

    def _opened(self, receipt_no: str, day: str, sealed: bytes) -> KeptReceipt:
        items, owner = _decode(self._vault.open(sealed, _place(receipt_no)))
        return KeptReceipt(receipt_no, date.fromisoformat(day) if day else None, items, owner)


def _place(receipt_no: str) -> str:
    return f"receipt {receipt_no}"


def _encode(receipt: KeptReceipt) -> bytes:
    """Compressed, because most of a receipt is the same words every time."""
    fields = {"owner": receipt.owner, "items": [_row(item) for item in receipt.items]}
    return zlib.compress(json.dumps(fields, ensure_ascii=False).encode())


def _row(item: ReceiptItem) -> list[Any]:
    match item:
        case Line(text, big, bold, centred):
            return ["line", text, big, bold, centred]
        case Code(text, caption):
            return ["code", text, caption]
        case Rule():
            return ["rule"]


def _decode(plain: bytes) -> tuple[tuple[ReceiptItem, ...], str]:
    """Items and owner; a list alone is a receipt from before owners were kept."""
    try:
        fields = json.loads(zlib.decompress(plain))
        if isinstance(fields, list):
            fields = {"owner": "", "items": fields}
        return tuple(_item(*row) for row in fields["items"]), str(fields["owner"])
    except (ValueError, TypeError, KeyError, zlib.error) as error:
        raise StoreError("a kept receipt is not of a kind this program knows") from error


_KINDS: dict[str, Any] = {"line": Line, "code": Code, "rule": Rule}


def _item(kind: str, *values: Any) -> ReceiptItem:
    item: ReceiptItem = _KINDS[kind](*values)
    return item

"""Receipts kept for a second copy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from edge.domain.errors import StoreError
from edge.ports import Code, Line, ReceiptItem, Rule
from edge.store.database import Database
from edge.store.receipts import KeptReceipt, ReceiptBook

KEY = b"d" * 32
ITEMS: tuple[ReceiptItem, ...] = (
    Line("生存认证凭条", big=True, bold=True, centred=True),
    Rule(),
    Line("姓名：王*华"),
    Code("https://example.invalid/r", "扫码查询"),
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(tmp_path / "journal.db")) as opened:
        yield opened


def kept(number: int) -> KeptReceipt:
    return KeptReceipt(f"7QF3-{number:04d}", date(2026, 11, number), ITEMS)


def test_a_receipt_is_found_by_its_number_however_it_is_typed(database: Database) -> None:
    book = ReceiptBook(database, KEY)
    for number in range(1, 13):
        book.keep(kept(number))
    assert book.find(" 7qf3-0007 ") == kept(7)
    assert book.find("7QF3-9999") is None
    assert book.latest(3) == [kept(12), kept(11), kept(10)]


def test_without_the_key_it_is_only_known_that_there_was_one(
    database: Database, tmp_path: Path
) -> None:
    ReceiptBook(database, KEY).keep(kept(1))
    assert "王" not in repr(kept(1))
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert "王".encode() not in content
    with pytest.raises(StoreError, match="does not open"):
        ReceiptBook(database, b"x" * 32).find(kept(1).receipt_no)
    with database.write() as db:
        db.execute("UPDATE receipts SET receipt_no = 'OTHER'")
    with pytest.raises(StoreError, match="does not open"):
        ReceiptBook(database, KEY).find("OTHER")

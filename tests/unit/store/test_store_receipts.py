"""Receipts kept for a second copy."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from edge.domain.errors import StoreError
from edge.domain.people import CardKey
from edge.ports import Code, Line, ReceiptItem, Rule
from edge.store.database import Database
from edge.store.receipts import KeptReceipt, ReceiptBook
from edge.store.vault import Vault

KEY = b"d" * 32
WANG, LI = CardKey("a" * 64), CardKey("b" * 64)
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


def test_the_newest_receipt_of_a_card_is_found_by_its_key(database: Database) -> None:
    book = ReceiptBook(database, KEY)
    for number in range(1, 7):
        book.keep(replace(kept(number), owner=WANG if number % 2 else LI))
    assert book.newest_of(WANG) == replace(kept(5), owner=WANG)
    assert book.newest_of(LI) == replace(kept(6), owner=LI)
    assert book.newest_of(CardKey("e" * 64)) is None


def test_whose_they_are_is_not_in_the_file(database: Database, tmp_path: Path) -> None:
    ReceiptBook(database, KEY).keep(replace(kept(1), owner=WANG))
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert WANG.encode() not in content
    assert WANG not in repr(replace(kept(1), owner=WANG))


def test_a_receipt_from_before_owners_were_kept_is_still_read(database: Database) -> None:
    plain = zlib.compress('[["line", "姓名：王*华", false, false, false]]'.encode())
    sealed = Vault(KEY).seal(plain, "receipt OLD-1")
    with database.write() as db:
        db.execute("INSERT INTO receipts VALUES (1, 'OLD-1', '2026-11-01', ?)", [sealed])
    old = ReceiptBook(database, KEY).find("OLD-1")
    assert old == KeptReceipt("OLD-1", date(2026, 11, 1), (Line("姓名：王*华"),))
    assert ReceiptBook(database, KEY).newest_of(WANG) is None


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

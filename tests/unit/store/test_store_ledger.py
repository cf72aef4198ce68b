"""The second file of records: whole lines or none."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from edge.domain.errors import StoreError
from edge.domain.record import RecordId
from edge.store.ledger import Copy, Ledger
from tests.store_world import unlistable


def copy(number: int, size: int = 100) -> Copy:
    return Copy(RecordId(f"r-{number}"), "record", bytes([number % 256, 10, 32, 0]) + bytes(size))


def numbers(ledger: Ledger) -> list[int]:
    return [int(each.record_id.removeprefix("r-")) for each in ledger.read()]


def test_what_was_appended_is_read_in_order_by_whoever_opens_it(tmp_path: Path) -> None:
    with closing(Ledger(tmp_path / "ledger", segment_bytes=500)) as ledger:
        for number in range(9):
            ledger.append([copy(number)])
        assert list(ledger.read()) == [copy(number) for number in range(9)]
        assert len(ledger.segments()) > 2
        assert all(path.stat().st_mode & 0o777 == 0o600 for path in ledger.segments())
    with closing(Ledger(tmp_path / "ledger", segment_bytes=500)) as again:
        again.append([copy(9)])
        assert numbers(again) == list(range(10))


def test_every_line_is_flushed_before_append_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (synced.append(os.fstat(fd).st_size), real(fd)))
    with closing(Ledger(tmp_path / "ledger")) as ledger:
        ledger.append([copy(1)])
        assert synced[-1] == ledger.segments()[0].stat().st_size > 0


@pytest.mark.parametrize("cut", range(1, 220, 7))
def test_a_torn_line_is_passed_over_and_the_next_begins_afresh(tmp_path: Path, cut: int) -> None:
    with closing(Ledger(tmp_path)) as ledger:
        ledger.append([copy(1), copy(2)])
    [segment] = Ledger(tmp_path).segments()
    os.truncate(segment, segment.stat().st_size - cut)
    with closing(Ledger(tmp_path)) as ledger:
        left = numbers(ledger)
        ledger.append([copy(3)])
        assert left in ([], [1], [1, 2])
        assert numbers(ledger) == [*left, 3]


@pytest.mark.parametrize("place", range(0, 400, 13))
def test_a_spoilt_byte_costs_one_line(tmp_path: Path, place: int) -> None:
    with closing(Ledger(tmp_path)) as ledger:
        ledger.append([copy(1), copy(2), copy(3)])
    [segment] = Ledger(tmp_path).segments()
    content = bytearray(segment.read_bytes())
    content[place] ^= 0x01
    segment.write_bytes(content)
    left = list(Ledger(tmp_path).read())
    assert len(left) >= 1
    assert all(each in (copy(1), copy(2), copy(3)) for each in left)


def test_lines_that_are_not_wanted_go_with_their_bytes(tmp_path: Path) -> None:
    with closing(Ledger(tmp_path, segment_bytes=1000)) as ledger:
        secret = Copy(RecordId("r-0"), "record", b"0123456789" * 30)
        ledger.append([secret])
        for number in range(1, 8):
            ledger.append([copy(number)])
        kept = {path: path.stat().st_ino for path in ledger.segments()[1:]}
        assert ledger.keep(lambda each: each.record_id != "r-0") == 1
        assert numbers(ledger) == list(range(1, 8))
        assert {path: path.stat().st_ino for path in ledger.segments()[1:]} == kept
        on_disk = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert b"MDEyMzQ1Njc4OTAx" not in on_disk
        assert ledger.keep(lambda _: False) == 7
        assert ledger.is_empty()
        assert list(tmp_path.iterdir()) == []
        ledger.append([copy(9)])
        assert numbers(ledger) == [9]


def test_what_the_system_complains_about_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "ledger").write_text("a file where the folder should be")
    with closing(Ledger(tmp_path / "ledger")) as ledger, pytest.raises(StoreError, match="ledger"):
        ledger.append([copy(1)])


def test_a_folder_that_cannot_be_listed_is_not_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Ledger(tmp_path / "ledger")) as ledger:
        assert ledger.is_empty()  # none was ever written
        ledger.append([copy(1)])
        with monkeypatch.context() as patched:
            unlistable(patched, ledger.folder)
            for use in (ledger.is_empty, ledger.segments, lambda: ledger.keep(lambda _: False)):
                with pytest.raises(StoreError, match="Permission denied"):
                    use()
        assert numbers(ledger) == [1]

"""What is old goes, with a signed word in its place, and its bytes are really gone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest

from edge.app.disk import KioskDisk
from edge.domain.errors import StoreError
from edge.domain.timebase import ClockTrust
from edge.ports import Line, OutboxRow
from edge.store.audit import BrokenEntry
from edge.store.outbox import SqliteOutbox
from edge.store.proofs import Gone, Proofs
from edge.store.recovery import set_aside
from edge.store.retention import Retention
from tests.store_world import Premises, unlistable


@pytest.fixture
def premises(tmp_path: Path) -> Premises:
    return Premises(tmp_path)


@pytest.fixture
def disk(premises: Premises) -> Iterator[KioskDisk]:
    with closing(premises.disk()) as opened:
        yield opened


def acknowledge(premises: Premises, disk: KioskDisk, *rows: OutboxRow) -> None:
    outbox = SqliteOutbox(disk.database, premises.times)
    assert all(outbox.acknowledged(row.record_id, row.sha256) for row in rows)


def day(premises: Premises, disk: KioskDisk, days: int = 0) -> None:
    """Some days pass, and the kiosk does its housekeeping on the last of them."""
    premises.times.pass_days(days)
    disk.keep_house()


def seqs(disk: KioskDisk) -> list[int]:
    return [row.seq for row in disk.records.all()]


def test_acknowledged_records_go_after_thirty_days_and_the_audit_passes(
    premises: Premises, disk: KioskDisk
) -> None:
    rows = premises.commit(disk, 3)
    acknowledge(premises, disk, *rows)
    day(premises, disk)
    [last] = premises.commit(disk)
    day(premises, disk, 30)
    assert seqs(disk) == [1, 2, 3, 4]  # thirty whole days
    day(premises, disk, 1)
    assert seqs(disk) == [4]
    assert disk.verify_chain(premises.seal) is None
    [proof] = Proofs(disk.database, premises.seal).all()
    assert (proof["what"], proof["count"], proof["first"], proof["last"]) == ("records", 3, 1, 3)
    assert proof["sha256"] == rows[2].sha256
    assert {copy.record_id for copy in premises.ledger.read()} == {last.record_id}
    premises.commit(disk)
    assert disk.verify_chain(premises.seal) is None


def test_nothing_of_them_is_left_in_any_file(premises: Premises, disk: KioskDisk) -> None:
    rows = premises.commit(disk, 40)
    disk.keep_receipt("R-1", (Line("王*华"),))
    sealed = disk.database.rows("SELECT sealed FROM receipts")[0][0]
    traces = [row.payload[100:160] for row in rows]
    content = premises.everything_on_disk()
    assert all(trace in content for trace in [*traces, sealed])
    acknowledge(premises, disk, *rows)
    day(premises, disk)
    day(premises, disk, 31)
    content = premises.everything_on_disk()
    assert not any(trace in content for trace in [*traces, sealed])
    assert disk.database.rows("SELECT * FROM settled") == []


def test_while_somebody_reads_the_log_cannot_be_emptied_and_it_is_tried_again(
    premises: Premises, disk: KioskDisk
) -> None:
    rows = premises.commit(disk, 5)
    acknowledge(premises, disk, *rows)
    day(premises, disk)
    disk.database.rows("PRAGMA busy_timeout = 10")
    with closing(sqlite3.connect(premises.path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM records").fetchone()
        day(premises, disk, 31)
        assert rows[0].payload[100:160] in premises.everything_on_disk()
        reader.execute("ROLLBACK")
    disk.keep_house()
    assert rows[0].payload[100:160] not in premises.everything_on_disk()


def test_what_still_waits_stays_and_what_is_behind_it_goes(
    premises: Premises, disk: KioskDisk
) -> None:
    rows = premises.commit(disk, 5)
    acknowledge(premises, disk, rows[0], rows[2], rows[3])
    day(premises, disk)
    day(premises, disk, 31)
    assert seqs(disk) == [2, 5]
    assert disk.verify_chain(premises.seal) is None
    acknowledge(premises, disk, rows[1], rows[4])
    day(premises, disk, 1)
    day(premises, disk, 31)
    assert seqs(disk) == []
    assert disk.verify_chain(premises.seal) is None
    [row] = premises.commit(disk)
    assert seqs(disk) == [6]
    entry = premises.seal.entry_of(row.payload)
    assert entry is not None
    assert entry.position.prev_sha256 == rows[4].sha256
    assert disk.verify_chain(premises.seal) is None


def test_a_record_that_was_asked_for_again_waits_anew(premises: Premises, disk: KioskDisk) -> None:
    [row] = premises.commit(disk)
    acknowledge(premises, disk, row)
    day(premises, disk)
    disk.send_again(disk.epoch, [1])
    day(premises, disk, 20)
    acknowledge(premises, disk, row)
    day(premises, disk, 1)
    day(premises, disk, 29)
    assert seqs(disk) == [1]
    day(premises, disk, 2)
    assert seqs(disk) == []


@pytest.mark.parametrize("trust", [ClockTrust.UNKNOWN, ClockTrust.FLOOR])
def test_by_a_clock_that_is_not_believed_nothing_goes(
    premises: Premises, disk: KioskDisk, trust: ClockTrust
) -> None:
    acknowledge(premises, disk, *premises.commit(disk, 2))
    day(premises, disk)
    premises.times.trust = trust
    day(premises, disk, 400)
    assert seqs(disk) == [1, 2]


def test_fewer_days_may_be_configured_never_more(premises: Premises) -> None:
    for days, kept in ((5, 5), (30, 30), (400, 30)):
        with closing(premises.disk(days=days)) as disk:
            acknowledge(premises, disk, *premises.commit(disk))
            day(premises, disk, 1)
            day(premises, disk, kept)
            assert disk.records.count() == 1
            day(premises, disk, 1)
            assert disk.records.count() == 0


def test_records_go_through_retention_alone(premises: Premises, disk: KioskDisk) -> None:
    rows = premises.commit(disk, 3)
    acknowledge(premises, disk, *rows)
    with pytest.raises(StoreError, match="append-only"), disk.database.write() as db:
        db.execute("DELETE FROM records WHERE seq = 1")
    day(premises, disk)
    day(premises, disk, 31)
    for sql in ("DELETE FROM proofs", "UPDATE proofs SET last = 99"):
        with pytest.raises(StoreError, match="append-only"), disk.database.write() as db:
            db.execute(sql)


def test_an_unacknowledged_record_cannot_be_taken_away(premises: Premises, disk: KioskDisk) -> None:
    premises.commit(disk, 2)
    Proofs(disk.database, premises.seal).add(Gone("records", 2, date(2026, 11, 23), 1, 2))
    with pytest.raises(StoreError, match="FOREIGN KEY"), disk.database.write() as db:
        db.execute("DELETE FROM records")


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("DELETE FROM proofs", BrokenEntry(1, "missing")),
        ("UPDATE proofs SET last = 4", BrokenEntry(1, "taken away without a signed word")),
        ("UPDATE proofs SET payload = x'00'", BrokenEntry(1, "taken away without a signed word")),
        ("DELETE FROM records WHERE seq = 4", BrokenEntry(4, "missing")),
        ("DELETE FROM records", BrokenEntry(4, "missing")),
        ("UPDATE records SET payload = x'00' WHERE seq = 5", BrokenEntry(5, "changed")),
        (
            "UPDATE records SET prev_sha256 = 'f' WHERE seq = 4",
            BrokenEntry(4, "does not follow the entry before it"),
        ),
    ],
)
def test_tampering_shows_after_pruning_too(
    premises: Premises, disk: KioskDisk, sql: str, found: BrokenEntry
) -> None:
    acknowledge(premises, disk, *premises.commit(disk, 3))
    day(premises, disk)
    premises.commit(disk, 3)
    day(premises, disk, 31)
    assert seqs(disk) == [4, 5, 6]
    with closing(sqlite3.connect(premises.path)) as intruder:
        for name in ("records_never_change", "records_never_go", "proofs_never_change"):
            intruder.execute(f"DROP TRIGGER {name}")
        intruder.execute("DROP TRIGGER proofs_never_go")
        intruder.execute(sql)
        intruder.commit()
    assert disk.verify_chain(premises.seal) == found


def test_a_record_signed_anew_by_another_key_shows(premises: Premises, disk: KioskDisk) -> None:
    rows = premises.commit(disk, 2)
    other = Premises(premises.folder / "other")
    place = premises.seal.entry_of(rows[1].payload)
    assert place is not None
    forged = other.build(rows[1].record_id)(place.position)
    with closing(sqlite3.connect(premises.path)) as intruder:
        intruder.create_function("sha", 0, lambda: __import__("hashlib").sha256(forged).hexdigest())
        intruder.execute("DROP TRIGGER records_never_change")
        intruder.execute("UPDATE records SET payload = ?, sha256 = sha() WHERE seq = 2", [forged])
        intruder.commit()
    assert disk.verify_chain() is None  # without the key nobody can tell
    assert disk.verify_chain(premises.seal) == BrokenEntry(2, "not signed by this kiosk")


def test_receipts_go_after_thirty_days_also_those_of_an_unsure_day(
    premises: Premises, disk: KioskDisk
) -> None:
    disk.keep_receipt("SURE", ())
    premises.times.trust = ClockTrust.UNKNOWN
    disk.keep_receipt("UNSURE", ())
    assert [kept.day for kept in disk.receipts.latest()] == [None, date(2026, 11, 23)]
    premises.times.trust = ClockTrust.NTP
    day(premises, disk, 5)
    day(premises, disk, 26)
    assert [kept.receipt_no for kept in disk.receipts.latest()] == ["UNSURE"]
    day(premises, disk, 5)
    assert disk.receipts.latest() == []
    assert [proof["what"] for proof in Proofs(disk.database, premises.seal).all()] == [
        "receipts",
        "receipts",
    ]


def test_damaged_databases_go_thirty_days_after_they_were_set_aside(premises: Premises) -> None:
    premises.fill(3)
    premises.path.write_bytes(b"damaged" * 1000)
    with closing(premises.disk()) as disk:
        day(premises, disk)
        day(premises, disk, 30)
        assert len(set_aside(premises.path)) == 1
        day(premises, disk, 1)
        assert set_aside(premises.path) == []
        assert b"damageddamaged" not in premises.everything_on_disk()
        [proof] = Proofs(disk.database, premises.seal).all()
        assert (proof["what"], proof["count"]) == ("quarantine", 1)


@pytest.mark.parametrize("stuck", ["", "-wal"])
def test_a_damaged_database_that_cannot_be_destroyed_takes_no_word_back(
    premises: Premises, stuck: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        premises.fill(1)
        premises.path.write_bytes(b"damaged" * 1000)
    with closing(premises.disk()) as disk:
        first, second = set_aside(premises.path)
        wal = Path(f"{second}-wal")
        wal.write_bytes(b"its log")
        day(premises, disk)
        with monkeypatch.context() as patched:
            refuse_to_unlink(patched, Path(f"{second}{stuck}"))
            for _ in range(2):
                with pytest.raises(StoreError, match="Input/output"):
                    day(premises, disk, 31)
        assert set_aside(premises.path) == [second]  # what is left is found again
        assert wal.exists() == bool(stuck)
        assert quarantine_proofs(premises, disk) == [1, 1]  # each word before its deed
        day(premises, disk)
        assert not list(first.parent.iterdir())
        assert quarantine_proofs(premises, disk) == [1, 1]
        assert disk.database.rows("SELECT * FROM state WHERE name LIKE 'aside %'") == []


def quarantine_proofs(premises: Premises, disk: KioskDisk) -> list[int]:
    proofs = Proofs(disk.database, premises.seal).all()
    return [proof["count"] for proof in proofs if proof["what"] == "quarantine"]


def refuse_to_unlink(monkeypatch: pytest.MonkeyPatch, stuck: Path) -> None:
    real = Path.unlink

    def unlink(self: Path, missing_ok: bool = False) -> None:
        if self == stuck:
            raise OSError(5, "Input/output error")
        real(self, missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)


def test_counters_begin_anew(premises: Premises, disk: KioskDisk) -> None:
    day(premises, disk)
    disk.count("abandoned")
    day(premises, disk, 30)
    assert disk.counts() == {"abandoned": 1}
    day(premises, disk, 1)
    assert disk.counts() == {}


def test_saved_records_go_like_others(premises: Premises) -> None:
    premises.fill(4)
    premises.path.unlink()
    with closing(premises.disk()) as disk:
        outbox = SqliteOutbox(disk.database, premises.times)
        acknowledge(premises, disk, *outbox.due(9))
        day(premises, disk)
        day(premises, disk, 31)
        assert seqs(disk) == []
        assert disk.verify_chain(premises.seal) is None
        assert disk.verify_chain() is None
    with closing(premises.disk()) as again:
        assert again.recovery is None
        premises.commit(again)
        assert again.verify_chain(premises.seal) is None


def test_a_power_cut_between_ledger_and_rows_is_finished_the_next_day(
    premises: Premises, disk: KioskDisk
) -> None:
    rows = premises.commit(disk, 2)
    acknowledge(premises, disk, *rows)
    day(premises, disk)
    premises.ledger.keep(lambda _: False)  # as far as it came
    disk.close()
    with closing(premises.disk()) as again:
        assert seqs(again) == [1, 2]
        day(premises, again, 31)
        assert seqs(again) == []
        assert premises.ledger.is_empty()


def test_a_day_is_run_once(premises: Premises, disk: KioskDisk) -> None:
    retention = Retention(disk.database, premises.ledger, premises.seal)
    today = date(2026, 11, 23)
    assert retention.is_due(today)
    assert retention.run(today) == []
    assert not retention.is_due(today)
    assert retention.is_due(today + timedelta(days=1))


def test_the_proofs_of_an_older_chain_let_no_record_of_this_one_go(premises: Premises) -> None:
    with closing(premises.disk()) as disk:
        acknowledge(premises, disk, *premises.commit(disk, 3))
        day(premises, disk)
        premises.commit(disk, 20)
        day(premises, disk, 31)
        disk.database.forget_deleted()
    content = bytearray(premises.path.read_bytes())
    [*_, last] = premises.ledger.read()
    place = content.index(last.payload[:60]) // 2048 * 2048
    content[place : place + 2048] = b"\xff" * 2048
    premises.path.write_bytes(content)
    with closing(premises.disk()) as disk:
        assert disk.recovery is not None
        assert len(Proofs(disk.database, premises.seal).all()) == 1  # carried over
        premises.commit(disk, 3)
        with disk.database.write() as db:
            db.execute("DELETE FROM outbox")
        with pytest.raises(StoreError, match="append-only"), disk.database.write() as db:
            db.execute("DELETE FROM records WHERE seq = 1")
        assert disk.verify_chain(premises.seal) is None


def saved_and_acknowledged(premises: Premises, disk: KioskDisk) -> None:
    acknowledge(premises, disk, *SqliteOutbox(disk.database, premises.times).due(9))
    day(premises, disk)


def test_while_the_ledger_cannot_be_listed_no_record_goes(
    premises: Premises, monkeypatch: pytest.MonkeyPatch
) -> None:
    premises.fill(4)
    premises.path.unlink()
    with closing(premises.disk()) as disk:
        saved_and_acknowledged(premises, disk)
        with monkeypatch.context() as patched:
            unlistable(patched, premises.ledger.folder)
            with pytest.raises(StoreError, match="Permission"):
                day(premises, disk, 31)
        assert seqs(disk) == [-4, -3, -2, -1, 1]
        assert Proofs(disk.database, premises.seal).all() == []


def test_a_copy_of_a_saved_record_that_was_taken_away_does_not_bring_it_back(
    premises: Premises,
) -> None:
    """Proved by the place it was signed for too, which is all that its copy names."""
    premises.fill(4)
    with closing(premises.disk()) as disk:
        old = disk.epoch
    copies = list(premises.ledger.read())
    premises.path.unlink()
    with closing(premises.disk()) as disk:
        epoch = disk.epoch
        saved_and_acknowledged(premises, disk)
        day(premises, disk, 31)
        assert seqs(disk) == []
        assert disk.send_again(old, [1, 4, 5]) == ([1, 4], [5])
    premises.ledger.append(copies)
    with closing(premises.disk()) as again:
        assert (again.recovery, again.epoch) == (None, epoch)
        assert seqs(again) == []
        assert again.verify_chain(premises.seal) is None

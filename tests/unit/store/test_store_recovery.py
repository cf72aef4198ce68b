"""A database that is damaged, gone or older than it should be, and what is saved of it."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from edge.domain.errors import StoreError
from edge.domain.people import CardKey
from edge.store.audit import EPOCH_KIND, BrokenEntry
from edge.store.database import PAGE_BYTES, Database
from edge.store.outbox import SqliteOutbox
from edge.store.recovery import last_recovery, set_aside
from edge.store.schema import STEPS
from tests.helpers_sync import entry
from tests.store_world import Premises, unlistable


@pytest.fixture
def premises(tmp_path: Path) -> Premises:
    return Premises(tmp_path)


def garbage_header(path: Path) -> None:
    spoil(path, 0, 4096)


def spoil(path: Path, where: int, size: int) -> None:
    content = bytearray(path.read_bytes())
    content[where : where + size] = os.urandom(size)
    path.write_bytes(content)


def spoil_page_of(path: Path, payload: bytes) -> None:
    spoil(path, path.read_bytes().index(payload[:60]) // 4096 * 4096, 4096)


DAMAGE: dict[str, Callable[[Path], None]] = {
    "header": garbage_header,
    "page": lambda path: spoil(path, 5 * 4096, 4096),
    "truncated": lambda path: os.truncate(path, path.stat().st_size // 2 // 4096 * 4096 + 100),
    "empty": lambda path: os.truncate(path, 0),
    "gone": Path.unlink,
    "text": lambda path: path.write_text("no database at all\n" * 5000),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_e14_every_record_is_saved_and_sent_again(
    premises: Premises, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    promised = premises.fill(40)
    with closing(Database(premises.path)) as database:
        old_epoch = database.row("SELECT value FROM state WHERE name = 'epoch'")
        assert old_epoch is not None
        database.forget_deleted()
    damaged = premises.path.read_bytes()
    DAMAGE[name](premises.path)
    with closing(premises.disk()) as disk:
        recovery = disk.recovery
        assert recovery is not None
        assert (recovery.salvaged, recovery.refused, recovery.last_seq) == (40, 0, 40)
        assert recovery.old_epoch == old_epoch[0] != disk.epoch
        assert last_recovery(disk.database) == recovery
        assert disk.verify_chain(premises.seal) is None
        due = SqliteOutbox(disk.database, premises.times).due(100)
        assert [row.payload for row in due[:-1]] == list(promised.values())  # oldest first
        assert due[-1].kind == EPOCH_KIND
        facts = premises.seal.facts_of(due[-1].payload)
        assert facts is not None
        assert (facts["salvaged"], facts["last_seq"]) == (40, 40)
        [row] = premises.commit(disk)
        assert disk.verify_chain(premises.seal) is None
    assert "database=made_anew" in caplog.text
    if name != "gone":
        [aside] = set_aside(premises.path)
        assert aside.stat().st_size != len(damaged) or aside.read_bytes() != damaged
    with closing(premises.disk()) as again:  # no loop: the next start finds nothing to do
        assert again.recovery is None
        assert row.record_id in premises.waiting()


def test_with_the_ledger_gone_as_well_what_can_be_read_is_saved(premises: Premises) -> None:
    promised = list(premises.fill(60).values())
    shutil.rmtree(premises.ledger.folder)
    spoil_page_of(premises.path, promised[29])
    with closing(premises.disk()) as disk:
        assert disk.recovery is not None
        assert 50 <= disk.recovery.salvaged < 60
        assert disk.verify_chain(premises.seal) is None


def test_a_row_that_this_kiosk_did_not_sign_is_not_saved(premises: Premises) -> None:
    premises.fill(3)
    stranger = Premises(premises.folder / "other")
    stranger.folder.mkdir()
    foreign = stranger.fill(1)
    premises.ledger.append(stranger.ledger.read())
    garbage_header(premises.path)
    with closing(premises.disk()) as disk:
        assert disk.recovery is not None
        assert (disk.recovery.salvaged, disk.recovery.refused) == (3, 1)
    assert not set(foreign) & set(premises.waiting())


def test_an_older_copy_that_was_put_back_gets_the_rest_from_the_ledger(premises: Premises) -> None:
    """Also what is left when a spoilt write-ahead log is passed over by SQLite without a word."""
    premises.fill(5)
    kept = premises.path.read_bytes()
    more = premises.fill(4)
    premises.path.write_bytes(kept)
    with closing(premises.disk()) as disk:
        assert disk.recovery is None
        assert disk.verify_chain(premises.seal) is None
        assert set(more) <= set(premises.waiting())
        assert [row.seq for row in disk.records.all()] == list(range(1, 10))


def test_records_lost_with_a_spoilt_write_ahead_log_come_back(premises: Premises) -> None:
    with closing(premises.disk()) as disk:
        premises.commit(disk, 3)
        disk.database.forget_deleted()
        late = premises.commit(disk, 3)
        wal = Path(f"{premises.path}-wal")
        copy = premises.folder / "cut"
        shutil.copytree(premises.folder, copy, ignore=shutil.ignore_patterns("*-shm"))
        assert wal.stat().st_size > 0
    spoil(copy / "journal.db-wal", 0, 4000)
    cut = Premises(copy, premises.times, premises.key)
    with closing(cut.disk()) as disk:
        assert disk.recovery is None
        assert disk.verify_chain(premises.seal) is None
    assert {row.record_id for row in late} <= set(cut.waiting())


def test_a_database_that_forked_from_the_ledger_is_set_aside_and_nothing_is_lost(
    premises: Premises,
) -> None:
    premises.fill(2)
    kept = premises.path.read_bytes()
    first = premises.fill(2)
    folder = premises.ledger.folder
    folder.rename(premises.folder / "away")
    premises.path.write_bytes(kept)
    second = premises.fill(1)  # another record at the place of one in the ledger
    shutil.rmtree(folder)
    (premises.folder / "away").rename(folder)
    with closing(premises.disk()) as disk:
        assert disk.recovery is not None
        assert disk.recovery.reason == "older"
        assert disk.verify_chain(premises.seal) is None
    assert set(first) | set(second) <= set(premises.waiting())


def test_a_second_damage_saves_what_the_first_one_saved(premises: Premises) -> None:
    promised = premises.fill(4)
    garbage_header(premises.path)
    promised |= premises.fill(3)
    garbage_header(premises.path)
    with closing(premises.disk()) as disk:
        assert disk.recovery is not None
        assert disk.recovery.salvaged == 8  # with the notice of the first
        assert disk.verify_chain(premises.seal) is None
        assert [row.seq for row in disk.records.all()] == [*range(-8, 0), 1]
    assert set(promised) <= set(premises.waiting())
    assert len(set_aside(premises.path)) == 2


def test_the_roster_the_receipts_and_the_count_of_starts_are_carried_over(
    premises: Premises,
) -> None:
    with closing(premises.disk()) as disk:
        rows = premises.commit(disk, 30)
        disk.replace_roster(7, [entry(1)])
        disk.keep_receipt("7QF3", ())
        with disk.database.write() as db:
            db.execute("INSERT INTO state VALUES ('boot_seq', '41')")
        disk.database.forget_deleted()
    spoil_page_of(premises.path, rows[14].payload)
    with closing(premises.disk()) as disk:
        assert disk.recovery is not None
        assert disk.recovery.salvaged == 30
        assert disk.find(entry(1).key) == entry(1)
        assert disk.find(CardKey("0" * 64)) is None
        assert disk.roster.version() == 7
        assert [kept.receipt_no for kept in disk.receipts.latest()] == ["7QF3"]
        assert disk.database.row("SELECT value FROM state WHERE name = 'boot_seq'") == ("41",)


@pytest.mark.parametrize("moved", [1, 2, 3])
def test_a_power_cut_on_the_way_costs_only_the_way(
    premises: Premises, moved: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process is gone after the first, second, third renaming, and starts again."""
    promised = premises.fill(5)
    with closing(Database(premises.path)) as database:
        database.rows("SELECT 1")
        Path(f"{premises.path}-wal").touch()
        garbage_header(premises.path)
    Path(f"{premises.path}-wal").write_bytes(b"left over")
    renamed: list[str] = []
    real = Path.rename

    class PowerCut(BaseException):
        pass

    def rename(self: Path, target: Path) -> Path:
        if len(renamed) == moved:
            raise PowerCut
        renamed.append(self.name)
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with suppress(PowerCut):
        premises.disk().close()
    monkeypatch.undo()
    with closing(premises.disk()) as disk:
        assert disk.verify_chain(premises.seal) is None
    assert set(promised) <= set(premises.waiting())


def test_when_it_cannot_be_set_aside_the_kiosk_stays_up_and_tries_again(
    premises: Premises, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    promised = premises.fill(2)
    garbage_header(premises.path)

    def refuse(self: Path, target: Path) -> Path:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "rename", refuse)
    with closing(premises.disk()) as disk:
        assert "disk=unusable" in caplog.text
        with pytest.raises(StoreError):
            premises.commit(disk)
        with pytest.raises(StoreError, match="Read-only"):
            disk.mend()
        monkeypatch.undo()
        disk.mend()
        [row] = premises.commit(disk)
        assert disk.verify_chain(premises.seal) is None
    assert {*promised, row.record_id} <= set(premises.waiting())


def test_damage_while_people_are_served_is_mended_and_the_record_is_written(
    premises: Premises,
) -> None:
    with closing(premises.disk()) as disk:
        premises.commit(disk, 50)
        disk.database.forget_deleted()
        spoil(premises.path, 4096, premises.path.stat().st_size - 4096)
        disk.database.close()
        [row] = premises.commit(disk)
        assert disk.recovery is not None
        assert disk.recovery.salvaged == 50
        assert disk.verify_chain(premises.seal) is None
    assert row.record_id in premises.waiting()


def test_a_newer_database_is_neither_used_nor_set_aside(
    premises: Premises, caplog: pytest.LogCaptureFixture
) -> None:
    premises.fill(1)
    Database(premises.path, [*STEPS, ("999_future", ["CREATE TABLE later (x)"])]).close()
    with closing(premises.disk()) as disk:
        assert "newer program (version 999_future" in caplog.text
        with pytest.raises(StoreError, match="newer program"):
            disk.mend()
    assert set_aside(premises.path) == []


def test_a_saved_record_that_was_taken_away_or_changed_shows(premises: Premises) -> None:
    premises.fill(3)
    garbage_header(premises.path)
    with closing(premises.disk()) as disk:
        with closing(sqlite3.connect(premises.path)) as intruder:
            intruder.execute("DROP TRIGGER records_never_go")
            intruder.execute("DELETE FROM records WHERE seq = -3")
            intruder.commit()
        assert disk.verify_chain(premises.seal) == BrokenEntry(-3, "missing")


def test_a_new_kiosk_has_nothing_to_recover(premises: Premises) -> None:
    with closing(premises.disk()) as disk:
        assert disk.recovery is None
        assert disk.records.count() == 0


def test_while_the_ledger_cannot_be_listed_no_database_is_made(
    premises: Premises, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    promised = premises.fill(3)
    premises.path.unlink()
    with monkeypatch.context() as patched:
        unlistable(patched, premises.ledger.folder)
        premises.disk().close()
    assert "disk=unusable" in caplog.text
    assert not premises.path.exists()
    with closing(premises.disk()) as disk:
        assert disk.recovery is not None
        assert (disk.recovery.reason, disk.recovery.salvaged) == ("missing", 3)
    assert set(promised) <= set(premises.waiting())


def test_a_roster_that_was_saved_in_part_gives_way_to_the_same_one_whole(
    premises: Premises,
) -> None:
    """The retained message brings the same version; the saved part serves until it comes."""
    people = [entry(number) for number in range(60)]
    with closing(premises.disk()) as disk:
        premises.commit(disk, 2)
        disk.replace_roster(7, people)
        disk.database.forget_deleted()
        middle = disk.database.rows("SELECT sealed FROM roster ORDER BY card_key")[30][0]
    place = premises.path.read_bytes().index(middle) // PAGE_BYTES * PAGE_BYTES
    spoil(premises.path, place, PAGE_BYTES)
    with closing(premises.disk()) as disk:
        assert disk.recovery is not None
        assert 0 < sum(disk.find(each.key) is not None for each in people) < 60
        disk.replace_roster(6, [])
        disk.replace_roster(7, people)
        assert [disk.find(each.key) for each in people] == people
        disk.replace_roster(7, [])  # in force as a whole from now on
        assert disk.find(people[0].key) == people[0]


def test_while_the_quarantine_cannot_be_listed_no_database_is_made(
    premises: Premises, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the ledger, what was set aside is all that knows of the records."""
    promised = premises.fill(20)
    spoil_page_of(premises.path, list(promised.values())[9])
    with monkeypatch.context() as patched:
        cut_power_after(patched, 1)
        premises.disk().close()
    shutil.rmtree(premises.ledger.folder)
    with monkeypatch.context() as patched:
        unlistable(patched, premises.folder / "quarantine")
        premises.disk().close()
    assert not premises.path.exists()
    premises.disk().close()
    assert len(set(promised) & set(premises.waiting())) >= 10


def test_places_of_the_old_chain_are_found_when_they_are_asked_for(premises: Premises) -> None:
    with closing(premises.disk()) as disk:
        rows, old = premises.commit(disk, 3), disk.epoch
    premises.path.unlink()
    with closing(premises.disk()) as disk:
        outbox = SqliteOutbox(disk.database, premises.times)
        for row in outbox.due(9):
            outbox.acknowledged(row.record_id, row.sha256)
        assert disk.send_again(old, [2, 3, 4]) == ([], [4])
        assert [row.payload for row in outbox.due(9)] == [row.payload for row in rows[1:]]


@pytest.mark.parametrize("moved", [1, 2])
def test_a_log_that_a_power_cut_left_behind_follows_its_database(
    premises: Premises, moved: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest records are in it alone; the sync process still has the database open."""
    with closing(premises.disk()) as disk, closing(sqlite3.connect(premises.path)) as sync:
        rows = premises.commit(disk, 20)
        disk.database.forget_deleted()
        late = premises.commit(disk, 2)
        sync.execute("SELECT count(*) FROM records").fetchone()
        spoil_page_of(premises.path, rows[9].payload)
        with monkeypatch.context() as patched:
            cut_power_after(patched, moved)
            premises.disk().close()
        cut = Premises(premises.folder / "cut", premises.times, premises.key)
        shutil.copytree(premises.folder, cut.folder)
    shutil.rmtree(cut.ledger.folder)
    cut.disk().close()
    [aside] = set_aside(cut.path)
    assert {row.record_id for row in late} <= set(cut.waiting())
    assert all(path.name.startswith(aside.name) for path in aside.parent.iterdir())


def cut_power_after(monkeypatch: pytest.MonkeyPatch, moved: int) -> None:
    renamed: list[Path] = []
    real = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if len(renamed) == moved:
            raise OSError(5, "the power went")
        renamed.append(self)
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)


def test_a_log_without_any_database_is_set_aside_where_retention_finds_it(
    premises: Premises,
) -> None:
    premises.fill(2)
    premises.path.unlink()
    Path(f"{premises.path}-wal").write_bytes(b"left over")
    with closing(premises.disk()) as disk:
        assert disk.recovery is not None
        assert disk.recovery.salvaged == 2
        assert disk.verify_chain(premises.seal) is None
    [aside] = set_aside(premises.path)
    assert all(path.name.startswith(aside.name) for path in aside.parent.iterdir())

"""Full, read-only and broken disks: a reserve, plain words, and nothing half-written."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edge.app.disk import KioskDisk
from edge.domain.errors import StoreError
from edge.domain.health import Condition
from edge.ports import OutboxRow
from edge.store.reserve import NEEDED_BYTES, SCANT_BYTES, Reserve
from tests.store_world import Premises

MB = 1024 * 1024
ROOT = Path(__file__).parents[3]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here; RLIMIT_FSIZE stands in below")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill_up(folder: Path, leave: int = 0) -> None:
    with (folder / "somebody else's").open("wb") as file:
        size = os.statvfs(folder)
        os.posix_fallocate(file.fileno(), 0, size.f_bavail * size.f_frsize - leave)


def test_e14_on_a_full_disk_service_goes_on_in_the_reserve(small: Path) -> None:
    premises = Premises(small)
    with closing(premises.disk(reserve_bytes=8 * MB)) as disk:
        assert disk.look() == (Condition.OK, "")
        fill_up(small)
        rows = premises.commit(disk, 50)
        condition, words = disk.look()
        assert condition is Condition.STRAINED
        assert "reserve is in use" in words
        assert disk.ledger_is_whole
        (small / "somebody else's").unlink()
        assert disk.look() == (Condition.OK, "")  # taken again
        assert disk.verify_chain(premises.seal) is None
    assert {row.record_id for row in rows} == set(premises.waiting())


def commit_until_it_fails(premises: Premises, disk: KioskDisk, kept: list[OutboxRow]) -> None:
    for _ in range(1000):
        kept += premises.commit(disk)


def test_with_the_reserve_used_up_too_nothing_is_promised_or_half_written(small: Path) -> None:
    premises = Premises(small)
    with closing(premises.disk(reserve_bytes=8 * MB)) as disk:
        fill_up(small)
        premises.commit(disk)
        fill_up(small)
        kept: list[OutboxRow] = []
        with pytest.raises(StoreError):
            commit_until_it_fails(premises, disk, kept)
        with pytest.raises(StoreError, match="full"):
            disk.look()
        with pytest.raises(StoreError):
            disk.mend()
        assert disk.verify_chain(premises.seal) is None
        assert disk.records.count() == len(kept) + 1
        (small / "somebody else's").unlink()
        disk.mend()
        premises.commit(disk)
        assert disk.verify_chain(premises.seal) is None
        assert disk.ledger_is_whole
        assert len(list(premises.ledger.read())) == len(kept) + 2


def test_a_disk_that_became_read_only_is_said_before_anybody_begins(small: Path) -> None:
    premises = Premises(small)
    with closing(premises.disk()) as disk:
        premises.commit(disk, 3)
        disk.close()
        subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
        try:
            with pytest.raises(StoreError, match="read-only"):
                disk.look()
            with pytest.raises(StoreError):
                premises.commit(disk)
            with pytest.raises(StoreError):
                disk.mend()
            premises.disk().close()  # a kiosk that starts now comes up, and says so
        finally:
            subprocess.run(["mount", "-o", "remount,rw", str(small)], check=True)
        disk.mend()
        assert disk.look() == (Condition.OK, "")
        premises.commit(disk)
        assert disk.verify_chain(premises.seal) is None
        assert disk.records.count() == 4


LIMITED = """
import resource, signal, sys
from contextlib import closing
from pathlib import Path
from edge.domain.errors import StoreError
from tests.store_world import Premises
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

key = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
premises = Premises(Path(sys.argv[1]), key=key)
with closing(premises.disk()) as disk:
    premises.commit(disk, 3)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
    kept, failed = 3, 0
    for _ in range(60):
        try:
            premises.commit(disk)
            kept += 1
        except StoreError:
            failed += 1
    assert failed, "the limit was never met"
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    disk.mend()
    premises.commit(disk)
    assert disk.verify_chain(premises.seal) is None
    assert disk.records.count() == kept + 1, (disk.records.count(), kept)
    assert len(list(premises.ledger.read())) == kept + 1
    print("kept", kept, "refused", failed)
"""


@pytest.mark.parametrize("limit", [90_000, 140_000])
def test_where_files_cannot_grow_records_are_whole_or_not_there(tmp_path: Path, limit: int) -> None:
    """The kernel refuses in the middle of a write, as a worn card does."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path), str(limit)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_reserve_is_really_taken_and_leaves_room(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "reserve.bin", 3 * MB)
    assert reserve.hold()
    assert reserve.is_held
    status = (tmp_path / "reserve.bin").stat()
    assert status.st_size == 3 * MB
    assert status.st_blocks * 512 >= 3 * MB
    assert not reserve.release()  # there is room enough
    assert NEEDED_BYTES < SCANT_BYTES < 3 * SCANT_BYTES


def test_on_a_small_disk_no_reserve_is_taken(small: Path) -> None:
    assert not Reserve(small / "reserve.bin", 20 * MB).hold()
    assert not (small / "reserve.bin").exists()
    assert not Reserve(small / "reserve.bin", 0).hold()

"""Room kept free by filling it: given up when the disk is full, so that service goes on."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from edge.domain.errors import StoreError
from edge.store.ledger import sync_folder

SCANT_BYTES = 4 * 1024 * 1024
"""Less than this free, and a write that failed may have failed for want of room."""

NEEDED_BYTES = 256 * 1024
"""What a record, its copy and the write-ahead log may take."""


class Reserve:
    """A file of `size_bytes` that holds nothing. A size of 0 is no reserve."""

    def __init__(self, path: Path, size_bytes: int) -> None:
        self._path = path
        self._size = size_bytes

    @property
    def is_held(self) -> bool:
        return self._size > 0 and self._taken() >= self._size

    def hold(self) -> bool:
        """Take the room, unless that would leave too little; False if it is not held."""
        if self.is_held:
            return True
        if self._size == 0 or self.free_bytes() < self._size + 2 * SCANT_BYTES:
            return False
        try:
            self._fill()
        except OSError as error:
            with suppress(OSError):
                self._path.unlink()
            raise StoreError(f"{self._path}: {error.strerror}") from error
        return True

    def release(self) -> bool:
        """Give the room up if it is short; True if there is more than before."""
        if not self._taken() or not self.is_scant():
            return False
        try:
            self._path.unlink()
            sync_folder(self._path.parent)
        except OSError as error:
            raise StoreError(f"{self._path}: {error.strerror}") from error
        return True

    def is_scant(self) -> bool:
        return self.free_bytes() < SCANT_BYTES

    def need_writable(self) -> None:
        """Raises `StoreError` if the file system was mounted read-only, as after an error."""
        try:
            flags = os.statvfs(self._path.parent).f_flag
        except OSError as error:
            raise StoreError(f"{self._path.parent}: {error.strerror}") from error
        if flags & os.ST_RDONLY:
            raise StoreError(f"{self._path.parent}: read-only file system")

    def need_room(self) -> None:
        """Raises `StoreError` if the next record might not find room."""
        if self.free_bytes() < NEEDED_BYTES:
            raise StoreError(f"{self._path.parent}: disk full")

    def free_bytes(self) -> int:
        """What this process may still fill."""
        try:
            return shutil.disk_usage(self._path.parent).free
        except OSError as error:
            raise StoreError(f"{self._path.parent}: {error.strerror}") from error

    def _taken(self) -> int:
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise StoreError(f"{self._path}: {error.strerror}") from error

    def _fill(self) -> None:
        """Really taken: a hole in a file would reserve nothing."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, self._size)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

"""SQLite's own disk, recorded and broken from outside: a VFS around the one in use.

`sqlite3` is linked to a shared libsqlite3, so a VFS registered there through ctypes
serves the product's own code. Files are really written; every write, truncation,
deletion and sync is noted besides, so that `tests.chaos.cuts` can tell what a power
cut would have left. Real syncs are skipped: the model decides what they are worth.
"""

from __future__ import annotations

import ctypes
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, c_char_p, c_int, c_int64, c_void_p
from dataclasses import dataclass, field
from pathlib import Path

from edge.store.ledger import Copy, Ledger

OK = 0
FULL = 13
"""SQLITE_FULL: no space left."""
IOERR_WRITE = 10 | 3 << 8
IOERR_FSYNC = 10 | 4 << 8
IOERR_TRUNCATE = 10 | 6 << 8
READONLY = 8

_METHODS = ("xClose", "xRead", "xWrite", "xTruncate", "xSync", "xFileSize", "xLock", "xUnlock",
            "xCheckReservedLock", "xFileControl", "xSectorSize", "xDeviceCharacteristics",
            "xShmMap", "xShmLock", "xShmBarrier", "xShmUnmap", "xFetch", "xUnfetch")  # fmt: skip
_CALLS = ("xOpen", "xDelete", "xAccess", "xFullPathname", "xDlOpen", "xDlError", "xDlSym",
          "xDlClose", "xRandomness", "xSleep", "xCurrentTime", "xGetLastError",
          "xCurrentTimeInt64", "xSetSystemCall", "xGetSystemCall", "xNextSystemCall")  # fmt: skip


class _Methods(ctypes.Structure):
    """`sqlite3_io_methods`, version 3."""

    _fields_ = [("iVersion", c_int), *((name, c_void_p) for name in _METHODS)]


class _Vfs(ctypes.Structure):
    """`sqlite3_vfs`, version 3."""

    _fields_ = [
        ("iVersion", c_int),
        ("szOsFile", c_int),
        ("mxPathname", c_int),
        ("pNext", c_void_p),
        ("zName", c_char_p),
        ("pAppData", c_void_p),
        *((name, c_void_p) for name in _CALLS),
    ]


_Open = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
_Delete = CFUNCTYPE(c_int, c_void_p, c_char_p, c_int)
_Close = CFUNCTYPE(c_int, c_void_p)
_Write = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_Truncate = CFUNCTYPE(c_int, c_void_p, c_int64)
_Sync = CFUNCTYPE(c_int, c_void_p, c_int)


@dataclass(frozen=True, slots=True)
class Written:
    path: str
    offset: int
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Truncated:
    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Deleted:
    path: str
    synced: bool


@dataclass(frozen=True, slots=True)
class Synced:
    """`folder`: with the file's bytes went the names in its folder, deleted ones too."""

    path: str
    folder: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """Not the disk's: something the program has told the world at this moment."""

    what: str
    name: str


Event = Written | Truncated | Deleted | Synced | Said


class Disk:
    """Notes what happens below `folder`; `fault` may answer an operation with an error code."""

    def __init__(self) -> None:
        self.folder = ""
        self.events: list[Event] | None = None
        self.fault: Callable[[str, str], int] = lambda operation, path: OK
        self._library = ctypes.CDLL(_library())
        self._library.sqlite3_vfs_find.restype = c_void_p
        self._files: dict[int, tuple[str, _Methods]] = {}
        self._wrapped: dict[int, _Methods] = {}
        self._new: set[int] = set()  # journals and logs whose first sync takes the folder along
        self._keep = self._callbacks()
        self._base_at = self._library.sqlite3_vfs_find(None)
        self._base = _Vfs.from_address(self._base_at)
        self._ours = _Vfs.from_buffer_copy(self._base)
        self._ours.zName = b"recorded"
        self._ours.xOpen, self._ours.xDelete = self._address("xOpen"), self._address("xDelete")

    def register(self) -> None:
        """From now on every connection that is opened goes through here."""
        assert self._library.sqlite3_vfs_register(ctypes.byref(self._ours), 1) == OK

    def unregister(self) -> None:
        """Connections that are still open go on through here; new ones do not."""
        self._library.sqlite3_vfs_unregister(ctypes.byref(self._ours))
        self._library.sqlite3_vfs_register(c_void_p(self._base_at), 1)

    def open_files(self) -> int:
        return len(self._files)

    def say(self, what: str, name: str) -> None:
        if self.events is not None:
            self.events.append(Said(what, name))

    def wrote(self, path: str, offset: int, data: bytes) -> None:
        """A file that is not SQLite's grew, and was synced with the name it bears."""
        self._note(Written(path, offset, data))
        self._note(Synced(path, folder=True))

    def _note(self, event: Event) -> None:
        if self.events is not None:
            self.events.append(event)

    def _ours_path(self, path: bytes | None) -> str:
        """Path below `folder`, or nothing."""
        text = os.fsdecode(path or b"")
        return text if self.folder and text.startswith(self.folder) else ""

    def _failure(self, operation: str, file: int) -> int:
        path = self._files[file][0]
        return self.fault(operation, path) if path else OK

    # --- callbacks: called by SQLite, must not raise ---

    def _callbacks(self) -> dict[str, object]:
        return {
            "xOpen": _Open(self._open),
            "xDelete": _Delete(self._delete),
            "xClose": _Close(self._close),
            "xWrite": _Write(self._write),
            "xTruncate": _Truncate(self._truncate),
            "xSync": _Sync(self._sync),
        }

    def _address(self, name: str) -> int | None:
        return ctypes.cast(self._keep[name], c_void_p).value  # type: ignore[arg-type]

    def _open(self, _vfs: int, name: int, file: int, flags: int, out: int) -> int:
        answer: int = _Open(self._base.xOpen)(self._base_at, name, file, flags, out)
        methods_at = c_void_p.from_address(file)
        if answer == OK and methods_at.value:
            path = self._ours_path(ctypes.string_at(name) if name else None)
            base = _Methods.from_address(methods_at.value)
            self._files[file] = path, base
            if path.endswith(("-wal", "-journal")):
                self._new.add(file)
            methods_at.value = ctypes.addressof(self._wrap(methods_at.value, base))
        return answer

    def _wrap(self, at: int, base: _Methods) -> _Methods:
        if at not in self._wrapped:
            methods = self._wrapped[at] = _Methods.from_buffer_copy(base)
            for name in ("xClose", "xWrite", "xTruncate", "xSync"):
                setattr(methods, name, self._address(name))
        return self._wrapped[at]

    def _delete(self, _vfs: int, name: bytes, sync: int) -> int:
        path = self._ours_path(name)
        code = self.fault("delete", path) if path else OK
        if code:
            return code
        answer: int = _Delete(self._base.xDelete)(self._base_at, name, 0)
        if path and answer == OK:
            self._note(Deleted(path, bool(sync)))
        return answer

    def _close(self, file: int) -> int:
        _, base = self._files.pop(file)
        self._new.discard(file)
        answer: int = _Close(base.xClose)(file)
        return answer

    def _write(self, file: int, data: int, size: int, offset: int) -> int:
        path, base = self._files[file]
        code = self._failure("write", file)
        if code:
            return code
        if path and self.events is not None:
            self.events.append(Written(path, offset, ctypes.string_at(data, size)))
        answer: int = _Write(base.xWrite)(file, data, size, offset)
        return answer

    def _truncate(self, file: int, size: int) -> int:
        path, base = self._files[file]
        code = self._failure("truncate", file)
        if code:
            return code
        if path:
            self._note(Truncated(path, size))
        answer: int = _Truncate(base.xTruncate)(file, size)
        return answer

    def _sync(self, file: int, flags: int) -> int:
        path, base = self._files[file]
        if not path:
            answer: int = _Sync(base.xSync)(file, flags)
            return answer
        code = self._failure("sync", file)
        if code == OK:
            self._note(Synced(path, file in self._new))
            self._new.discard(file)
        return code


_DISK: list[Disk] = []


@contextmanager
def recorded(folder: Path) -> Iterator[Disk]:
    """The disk under everything that is opened below `folder` inside the block."""
    if not _DISK:  # the library keeps pointers to it: one for the life of the process
        _DISK.append(Disk())
    disk = _DISK[0]
    disk.folder, disk.events = f"{folder}{os.sep}", []
    disk.fault = lambda operation, path: OK
    disk.register()
    try:
        with _second_file_on(disk):
            yield disk
        assert not disk.open_files(), "databases were left open"
    finally:
        disk.unregister()
        disk.folder, disk.events = "", None


@contextmanager
def _second_file_on(disk: Disk) -> Iterator[None]:
    """What is added to the second file is noted like what SQLite writes."""
    real = Ledger.append

    def append(ledger: Ledger, copies: Iterable[Copy]) -> None:
        before = {path: path.stat().st_size for path in ledger.segments()}
        real(ledger, copies)
        for path in ledger.segments():
            at = before.get(path, 0)
            if path.stat().st_size > at:
                disk.wrote(str(path), at, path.read_bytes()[at:])

    Ledger.append = append  # type: ignore[method-assign]
    try:
        yield
    finally:
        Ledger.append = real  # type: ignore[method-assign]


def at_write(folder: str, number: int, then: Callable[[], None]) -> None:
    """Call `then` before the `number`-th write below `folder` from now on; see `recorded`."""
    left = [number]

    def count(operation: str, path: str) -> int:
        left[0] -= operation == "write" and path.startswith(folder)
        if left[0] == 0:
            then()
        return OK

    _DISK[0].fault = count


def _library() -> str:
    """The file of the libsqlite3 that `sqlite3` of this process uses."""
    sqlite3.connect(":memory:").close()
    for line in Path("/proc/self/maps").read_text(encoding="ascii").splitlines():
        if "libsqlite3" in line:
            return line.split(maxsplit=5)[5]
    raise RuntimeError("sqlite3 is not linked to a shared libsqlite3 here")

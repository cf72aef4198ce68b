"""The second file: every committed record once more, one line each, for the day the first is lost.

    <kind> <record id> <payload in base64> <sha256 of the line so far>

Lines are only ever added, in segments of bounded size, each written through to
the disk. A line that was torn or spoilt is passed over; the next begins afresh.
Nothing reads it while the database is sound; see `edge.store.recovery`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from edge.domain.errors import StoreError
from edge.domain.record import RecordId

SEGMENT_BYTES = 256 * 1024
"""Some sixty records: what is given up at once when the oldest have gone."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One record's finished bytes."""

    record_id: RecordId
    kind: str
    payload: bytes = field(repr=False)


class Ledger:
    """One thread writes; whoever reads finds whole lines only. Raises `StoreError`."""

    def __init__(self, folder: Path, segment_bytes: int = SEGMENT_BYTES) -> None:
        self.folder = folder
        self._segment_bytes = segment_bytes
        self._descriptor: int | None = None

    def append(self, copies: Iterable[Copy]) -> None:
        """Write them through; on the disk when this returns."""
        lines = b"".join(map(_line, copies))
        if not lines:
            return
        with self._normalised():
            try:
                descriptor = self._open()
                _write_all(descriptor, lines)
                os.fsync(descriptor)
            except BaseException:
                self.close()  # what was torn is closed off before the next line
                raise

    def read(self) -> Iterator[Copy]:
        """Every whole line, oldest first."""
        for segment in self.segments():
            yield from self._read(segment)

    def is_empty(self) -> bool:
        return next(self.read(), None) is None

    def keep(self, wanted: Callable[[Copy], bool]) -> int:
        """Give up all other lines; returns how many. Segments that lose none are not touched."""
        self.close()
        return sum(self._thin_out(segment, wanted) for segment in self.segments())

    def segments(self) -> list[Path]:
        """Oldest first. A folder that cannot be listed is no empty one (`glob` would say so)."""
        with self._normalised():
            try:
                names = os.listdir(self.folder)
            except (FileNotFoundError, NotADirectoryError):
                return []
        return sorted(self.folder / name for name in names if name.endswith(".lines"))

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _read(self, segment: Path) -> Iterator[Copy]:
        with self._normalised():
            content = segment.read_bytes()
        for line in content.split(b"\n"):
            copy = _parse(line)
            if copy is not None:
                yield copy

    def _thin_out(self, segment: Path, wanted: Callable[[Copy], bool]) -> int:
        copies = list(self._read(segment))
        kept = [copy for copy in copies if wanted(copy)]
        if len(kept) == len(copies) and copies:
            return 0
        with self._normalised():
            if kept:
                _replace(segment, b"".join(map(_line, kept)))
            else:
                _overwrite(segment)
                segment.unlink()
            sync_folder(self.folder)
        return len(copies) - len(kept)

    def _open(self) -> int:
        """The newest segment if it has room, else the next."""
        if self._descriptor is not None:
            if os.fstat(self._descriptor).st_size < self._segment_bytes:
                return self._descriptor
            self.close()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        segment, torn = self._newest()
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._descriptor = os.open(segment, flags, 0o600)
        sync_folder(self.folder)
        if torn:
            _write_all(self._descriptor, b"\n")
        return self._descriptor

    def _newest(self) -> tuple[Path, bool]:
        """Where to write, and whether its last line was torn."""
        segments = self.segments()
        number = int(segments[-1].stem) if segments else 0
        if segments and segments[-1].stat().st_size < self._segment_bytes:
            content = segments[-1].read_bytes()
            return segments[-1], not content.endswith(b"\n") and bool(content)
        return self.folder / f"{number + 1:06d}.lines", False

    @contextmanager
    def _normalised(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(f"{self.folder}: {error.strerror}") from error


def sync_folder(folder: Path) -> None:
    """A file that was made, renamed or removed is so after a power cut too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _line(copy: Copy) -> bytes:
    payload = base64.b64encode(copy.payload).decode()
    line = f"{copy.kind} {copy.record_id} {payload}".encode()
    return line + b" " + hashlib.sha256(line).hexdigest().encode() + b"\n"


def _parse(line: bytes) -> Copy | None:
    words, _, checksum = line.rpartition(b" ")
    if hashlib.sha256(words).hexdigest().encode() != checksum:
        return None
    try:
        kind, record_id, payload = words.decode("ascii").split(" ")
        return Copy(RecordId(record_id), kind, base64.b64decode(payload, validate=True))
    except (ValueError, binascii.Error):
        return None  # whole, but not written by us


def _write_all(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _overwrite(path: Path) -> None:
    """The bytes in place; what a flash card keeps of the old ones is beyond any program."""
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        _write_all(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    old = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        draft.replace(path)
        os.pwrite(old, bytes(os.fstat(old).st_size), 0)
        os.fsync(old)
    finally:
        os.close(old)

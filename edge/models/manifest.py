"""The list of models: where each comes from and which hash its file must have."""

from __future__ import annotations

import hashlib
import os
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from edge.domain.errors import ModelError

HOW_TO_BUILD = "run: python -m edge models build"
_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Archive:
    """A published package that holds model data; only its data files are ever used.

    With an `address` it is the data file itself, and not a package.
    """

    project: str
    version: str
    file: str
    sha256: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One model. `input_shape` is N, height, width, channels; values lie in `value_range`."""

    name: str
    what: str
    archive: Archive
    member: str
    member_sha256: str
    licence: str
    convert: str
    sha256: str
    input_shape: tuple[int, ...]
    colour: str
    value_range: tuple[float, float]
    output_shapes: tuple[tuple[int, ...], ...]

    @property
    def file(self) -> str:
        return f"{self.name}.tflite"


@cache
def specs() -> dict[str, ModelSpec]:
    """All models that a kiosk needs by name, in the order of the manifest."""
    return _table("models")


@cache
def optional_specs() -> dict[str, ModelSpec]:
    """The models that somebody may add."""
    return _table("optional")


def spec_of(name: str) -> ModelSpec:
    return (specs() | optional_specs())[name]


def _table(kind: str) -> dict[str, ModelSpec]:
    tables = tomllib.loads((_HERE / "manifest.toml").read_text(encoding="utf-8"))
    archives = {name: Archive(project=name, **row) for name, row in tables["archives"].items()}
    return {name: _spec(name, row, archives) for name, row in tables[kind].items()}


def _spec(name: str, row: dict[str, Any], archives: dict[str, Archive]) -> ModelSpec:
    return ModelSpec(
        name=name,
        what=row["what"],
        archive=archives[row["archive"]],
        member=row["member"],
        member_sha256=row["member_sha256"],
        licence=row["licence"],
        convert=row["convert"],
        sha256=row["sha256"],
        input_shape=tuple(row["input"]),
        colour=row["colour"],
        value_range=(row["range"][0], row["range"][1]),
        output_shapes=tuple(tuple(shape) for shape in row["outputs"]),
    )


def default_dir() -> Path:
    """`$JIANZAI_MODELS`, or `.cache/models` beside the `edge` package."""
    named = os.environ.get("JIANZAI_MODELS")
    return Path(named) if named else _HERE.parents[1] / ".cache" / "models"


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def read_verified(models_dir: Path, spec: ModelSpec) -> bytes:
    """The bytes of a built model. Raises `ModelError` if missing or not the pinned file."""
    path = models_dir / spec.file
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{path}: cannot be read ({error.strerror}), expected sha256 {spec.sha256}; "
            f"{HOW_TO_BUILD}"
        ) from error
    found = sha256_of(data)
    if found != spec.sha256:
        raise ModelError(
            f"{path}: expected sha256 {spec.sha256}, found {found}; delete it and {HOW_TO_BUILD}"
        )
    return data

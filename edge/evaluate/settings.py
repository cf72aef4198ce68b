"""The folder `evaluation/`: who belongs to which half, and how much may be accepted."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.domain.errors import ConfigError

DEVELOPMENT, REPORT = "development", "report"
HERE = Path(__file__).parents[2] / "evaluation"


@dataclass(frozen=True, slots=True)
class Splits:
    """Development data chose the thresholds; the report is made of everything else."""

    people: tuple[str, ...]
    clips: tuple[str, ...]
    last_seed: int

    def half_of_person(self, name: str) -> str:
        return DEVELOPMENT if name in self.people else REPORT

    def half_of_clip(self, name: str) -> str:
        return DEVELOPMENT if name in self.clips else REPORT

    def first_seed(self, half: str) -> int:
        return 0 if half == DEVELOPMENT else self.last_seed + 1


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest share of each kind that may be accepted, and of the living that may not."""

    attacks: Mapping[str, float]
    bpcer: float
    false_breaks: float


def read_splits(folder: Path) -> Splits:
    table = read_toml(folder / "splits.toml")
    row = table["development"]
    return Splits(tuple(row["people"]), tuple(row["clips"]), int(row["seeds"][1]))


def read_limits(folder: Path) -> Limits:
    table = read_toml(folder / "limits.toml")
    living = table["live"]
    return Limits(table["attacks"], living["bpcer"], living["false_breaks"])


def read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(str(path), f"cannot be read: {error}") from error


def data_folder() -> Path | None:
    """What `EVAL_DATA` names, if it is there."""
    named = os.environ.get("EVAL_DATA")
    folder = Path(named) if named else None
    return folder if folder and folder.is_dir() else None

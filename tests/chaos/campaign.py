"""What all campaigns of `make chaos` share: their size, their progress, their report.

A campaign is a module of `tests.chaos.campaigns` named in `CAMPAIGNS`. Its
`run(size, progress)` plays it and returns the section of the report that bears its
name: plain numbers and words, and under `broken` one sentence for each promise that was
not kept; under `not_run`, one for each part for which this machine lacks something. It starts
and ends its own servers, on 127.0.0.1, and leaves nothing behind.
"""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

SEED = 20261123
CAMPAIGNS: tuple[str, ...] = (
    "power_cuts",
    "disk_full",
    "kills",
    "offline",
    "clocks",
    "real_kiosk",
    "network",
    "isolation",
    "canaries",
    "fuzz",
    "drain",
)

Section = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Size:
    """Short or full; `seed` decides every draw."""

    full: bool = False
    seed: int = SEED

    def of(self, short: int, full: int) -> int:
        """How many of something: `short` in `make test`, `full` in `make chaos FULL=1`."""
        return full if self.full else short


class Progress(Protocol):
    """Where a campaign says how far it is."""

    def expect(self, steps: int) -> None:
        """So many (more) steps are to come; called before they are made."""
        ...

    def step(self, done: int = 1) -> None: ...


class Quiet:
    """Nobody watches."""

    def expect(self, steps: int) -> None: ...

    def step(self, done: int = 1) -> None: ...


def title(name: str) -> str:
    """First line of the campaign's own description."""
    return (_module(name).__doc__ or name).splitlines()[0]


def play(name: str, size: Size, progress: Progress) -> Section:
    """One campaign; its section with date, size, seed and duration in front."""
    started = datetime.now(UTC)
    start_s = time.monotonic()
    run: Callable[[Size, Progress], Section] = _module(name).run
    found = run(size, progress)
    head = {
        "started": started.isoformat(timespec="seconds"),
        "form": "full" if size.full else "short",
        "seed": size.seed,
        "seconds": round(time.monotonic() - start_s, 1),
    }
    return head | {"broken": []} | found


def merge(path: Path, sections: dict[str, Section], about: dict[str, Any]) -> dict[str, Any]:
    """Write `sections` into the report at `path`; what another run found there stays."""
    older = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    kept = {name: older[name] for name in CAMPAIGNS if name in older}
    found = kept | sections
    report = about | {name: found[name] for name in CAMPAIGNS if name in found}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return report


def broken(sections: dict[str, Section]) -> Sequence[str]:
    """One line for each promise that did not hold."""
    return [f"{name}: {words}" for name, found in sections.items() for words in found["broken"]]


def not_run(sections: dict[str, Section]) -> Sequence[str]:
    """One line for each part that this machine cannot play."""
    return [f"{name}: {words}" for name, found in sections.items()
            for words in found.get("not_run", ())]  # fmt: skip


def _module(name: str) -> Any:
    return importlib.import_module(f"tests.chaos.campaigns.{name}")

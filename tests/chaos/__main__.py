"""Break it on purpose: power cuts, kills, full disks, days offline, a hostile network.

examples:
  python -m tests.chaos                          all campaigns, short form (3 minutes at most)
  python -m tests.chaos --full                   all campaigns, full form (30 minutes at most)
  python -m tests.chaos --only kills --full      one campaign; the report keeps the others'
  python -m tests.chaos --only power_cuts --seed 7
  python -m tests.chaos --list                   which campaigns there are

The report says date, seed, size and duration of each campaign. Exit code 1 if a promise
was broken.
"""

from __future__ import annotations

import argparse
import logging
import os
import platform
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from edge import __version__
from tests.chaos import campaign
from tests.chaos.campaign import CAMPAIGNS, SEED, Section, Size

ROOT = Path(__file__).parents[2]


class Bar:
    """One campaign's line on the terminal."""

    def __init__(self, bars: Progress, name: str) -> None:
        self._bars = bars
        self._expected = self._made = 0
        self._task = bars.add_task(name, total=None)

    def expect(self, steps: int) -> None:
        self._expected += steps
        self._bars.update(self._task, total=self._expected)

    def step(self, done: int = 1) -> None:
        self._made += done
        self._bars.advance(self._task, done)

    def finish(self) -> None:
        """A campaign may need fewer steps than it expected, or a few more."""
        self._bars.update(self._task, total=self._made)


def main() -> int:
    args = _arguments()
    if args.list:
        print("\n".join(f"{name:14} {campaign.title(name)}" for name in CAMPAIGNS))
        return 0
    logging.getLogger("edge").setLevel(logging.CRITICAL)  # what goes wrong here is meant to
    about = _about()
    sections = _play(args.only or CAMPAIGNS, Size(args.full, args.seed))
    campaign.merge(args.out, sections, about)
    _tell(sections, args.out)
    return 1 if campaign.broken(sections) else 0


def _play(names: tuple[str, ...] | list[str], size: Size) -> dict[str, Section]:
    columns = (TextColumn("{task.description:14}"), BarColumn(), MofNCompleteColumn(),
               TimeElapsedColumn())  # fmt: skip
    sections = {}
    with Progress(*columns) as bars:
        for name in names:
            bar = Bar(bars, name)
            sections[name] = campaign.play(name, size, bar)
            bar.finish()
    return sections


def _tell(sections: dict[str, Section], out: Path) -> None:
    for name, found in sections.items():
        figures = ", ".join(f"{key} {value}" for key, value in found.items() if _short(value))
        print(f"{name:14} {figures}")
    print(f"report         {out}")
    for words in campaign.not_run(sections):
        print(f"NOT RUN        {words}", file=sys.stderr)
    for words in campaign.broken(sections):
        print(f"BROKEN         {words}", file=sys.stderr)


def _short(value: object) -> bool:
    return isinstance(value, int | float)


def _about() -> dict[str, Any]:
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "software": f"jianzai {__version__}",
        "commit": _commit(),
        "machine": {
            "cores": os.cpu_count(),
            "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
        },
    }


def _commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return told.stdout.strip() or "unknown"


def _arguments() -> argparse.Namespace:
    words = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    words.add_argument("--full", action="store_true", help="as many as the promises name")
    words.add_argument("--only", action="append", choices=CAMPAIGNS, metavar="NAME",
                       help="this campaign; may be given more than once")  # fmt: skip
    words.add_argument("--seed", type=int, default=SEED, help="decides every draw (%(default)s)")
    words.add_argument("--out", type=Path, default=Path("chaos/report.json"), metavar="FILE",
                       help="where the report goes (%(default)s)")  # fmt: skip
    words.add_argument("--list", action="store_true", help="name the campaigns and end")
    return words.parse_args()


if __name__ == "__main__":
    sys.exit(main())

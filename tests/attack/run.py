"""`make attack`: every attack and a campaign of cuts, with a report.

python -m tests.attack.run [--kills 2000] [--out attack]
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import track

from tests.attack.attacks import ATTACKS
from tests.attack.cuts import campaign
from tests.attack.world import Outcome, World, fast_folder, outcome, snapshot_of


def attacks() -> list[Outcome]:
    found = []
    for name in track(sorted(ATTACKS), "attacks", console=Console(stderr=True)):
        with tempfile.TemporaryDirectory(dir=fast_folder()) as folder:
            world = World(Path(folder))
            before = snapshot_of(world)
            found.append(outcome(name, world, ATTACKS[name](world), before))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("attack"))
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    found = attacks()
    cuts = campaign(options.kills, options.seed)
    report = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "total": len(found),
        "refused": sum(row.refused for row in found),
        "attacks": [
            {"name": row.name, "refused": row.refused, "reason": row.reason} for row in found
        ],
        "interrupted": cuts,
    }
    options.out.mkdir(exist_ok=True)
    path = options.out / "report.json"
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    for row in found:
        if not row.refused:
            sys.stdout.write(f"NOT REFUSED  {row.name}: {row.reason}\n")
    sys.stdout.write(f"{report['refused']} of {report['total']} attacks refused; cuts: {cuts}\n")
    whole = report["refused"] == report["total"] and not (cuts["bricked"] or cuts["two_releases"])
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main())

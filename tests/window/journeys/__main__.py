"""Play journeys in one window: how they went as JSON on the last line.

python -m tests.window.journeys GROUP [NAME...] [--pictures FOLDER] [--models FOLDER]
"""

from __future__ import annotations

import argparse
import importlib
import json
import tempfile
from dataclasses import asdict
from pathlib import Path

from tests.window.journeys.hall import Folders, Glass, Journey, Played, made, play


def journeys_of(group: str) -> dict[str, Journey]:
    module = importlib.import_module(f"tests.window.journeys.{group}")
    found: dict[str, Journey] = module.journey.all
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("group")
    parser.add_argument("names", nargs="*")
    for folder in ("pictures", "data", "models"):
        parser.add_argument(f"--{folder}", type=Path)
    told = parser.parse_args()
    wanted = [j for j in journeys_of(told.group).values() if not told.names or j.name in told.names]
    played: list[Played] = []
    with tempfile.TemporaryDirectory(prefix="journeys-") as name:
        folders = Folders(told.data or Path(name), told.pictures, told.models)

        def through() -> None:
            for journey in wanted:
                played.append(play(glass, journey, folders))

        glass = Glass(made(Path(name) / "window"), through)
        glass.run()
    print(json.dumps([asdict(one) for one in played], ensure_ascii=False))


if __name__ == "__main__":
    main()

"""`python -m edge run` by itself: a kiosk's memory holds no simulators and no tools for models.

With camera pictures, networks and a window it is the largest process of a small board.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from edge.app import config, logs
from edge.app.exits import exit_code


def main(argv: Sequence[str]) -> int:
    words = argparse.ArgumentParser(prog="python -m edge run")
    words.add_argument("--site", type=Path, required=True, help="the kiosk's site.toml")
    args = words.parse_args(argv)
    logs.setup()
    return exit_code(lambda: run(args.site))


def run(site: Path) -> int:
    from edge.app import kiosk

    return kiosk.run(config.load(site))

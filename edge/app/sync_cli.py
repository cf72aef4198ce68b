"""`python -m edge sync` by itself: the process with the network loads nothing of the kiosk's.

A megabyte matters there: it runs beside camera and models on a small board.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from edge import __version__
from edge.app import config, logs
from edge.app.exits import exit_code


def main(argv: Sequence[str]) -> int:
    words = argparse.ArgumentParser(prog="python -m edge sync")
    words.add_argument("--site", type=Path, required=True, help="the kiosk's site.toml")
    args = words.parse_args(argv)
    logs.setup()
    return exit_code(lambda: run(args.site))


def run(site: Path) -> int:
    # sqlite-utils loads numpy where it finds it, for kinds of columns nobody has here: 10 MB.
    sys.modules.setdefault("numpy", None)  # type: ignore[arg-type]
    from edge.app import sync_process

    return sync_process.run(config.load(site), __version__)

"""`python -m cloud_bridge seed`: an invented county in an empty registry."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]

EXIT_OK, EXIT_FAILED = 0, 1
_WIDTH = 40


def add_parser(commands: _Commands) -> None:
    words = "fill an empty registry with an invented county, to try things on"
    parser = commands.add_parser("seed", help=words, description=words)
    parser.add_argument("--people", type=int, default=10_000, help="how many (default 10000)")
    parser.add_argument("--seed", type=int, default=1, help="another number, other people")
    parser.add_argument(
        "--today", type=date.fromisoformat, help="the day it is made for (default: today)"
    )
    parser.set_defaults(run=_seed)


def _seed(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from cloud_bridge.registry import keyring, seed

    wish = seed.Wish(options.people, options.seed, options.today or timezone.localdate())
    began_s = time.monotonic()
    try:
        made = seed.fill(wish, keyring.vault(), _bar)
    except seed.SeedRefused as refused:
        print(f"cloud_bridge: seed: {refused}", file=sys.stderr)
        return EXIT_FAILED
    seconds = time.monotonic() - began_s
    print(
        f"seed: {made.people} people in {made.communities} communities, {made.proofs} proofs, "
        f"{made.records} kiosk records in {seconds:.0f} s ({made.people / seconds:.0f} people/s)"
    )
    print("sign in with an account of yours: account add NAME --role county --region 100101000000")
    return EXIT_OK


def _bar(made: int, people: int) -> None:
    """A line that grows where somebody looks on, and nothing in a log file."""
    if not sys.stderr.isatty():
        return
    full = _WIDTH * made // people
    end = "\n" if made == people else ""
    print(f"\r[{'#' * full}{'.' * (_WIDTH - full)}] {made}/{people}", end=end, file=sys.stderr)

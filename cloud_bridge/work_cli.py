"""`python -m cloud_bridge overdue` and `figures`: what a timer has to call now and then."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]

EXIT_OK = 0


def add_parser(commands: _Commands) -> None:
    words = "tasks for people whose date went by; may be run as often as one likes"
    overdue = commands.add_parser("overdue", help=words, description=words)
    overdue.set_defaults(run=_overdue)
    words = "count what the dashboards show, as far as it has changed"
    figures = commands.add_parser("figures", help=words, description=words)
    figures.add_argument("--anew", action="store_true", help="count everything again")
    figures.set_defaults(run=_figures)


def _overdue(_options: argparse.Namespace) -> int:
    from django.utils import timezone

    from cloud_bridge.registry import keyring, overdue

    done = overdue.run(keyring.vault(), timezone.now())
    print(f"overdue: {done.opened} tasks opened, {done.closed} closed")
    return EXIT_OK


def _figures(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from cloud_bridge.registry import figures

    days = figures.refresh(timezone.now(), anew=options.anew, told=_bar)
    print(f"figures: {days} days counted")
    return EXIT_OK


def _bar(done: int, days: int) -> None:
    """A line that grows where somebody looks on, and nothing in a log file."""
    if sys.stderr.isatty():
        print(f"\rday {done}/{days}", end="\n" if done == days else "", file=sys.stderr)

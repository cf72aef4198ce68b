"""`python -m cloud_bridge cycles`: how often people of each category come."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]

EXIT_OK, EXIT_USAGE = 0, 2
WHO = "command line"


def add_parser(commands: _Commands) -> None:
    words = "how often people of each category come"
    group = commands.add_parser("cycles", help=words, description=words)
    actions = group.add_subparsers(required=True, metavar="COMMAND")
    listing = actions.add_parser(
        "list", help="the rules in force", description="the rules in force"
    )
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(run=_list)
    words = "change one rule; kiosks are told at once"
    setting = actions.add_parser("set", help=words, description=words)
    setting.add_argument("category")
    setting.add_argument("--cycle", choices=("calendar", "rolling"))
    setting.add_argument("--early", type=int, metavar="DAYS", help="before the due date")
    setting.add_argument("--grace", type=int, metavar="DAYS", help="after the due date")
    setting.set_defaults(run=_set)


def _list(options: argparse.Namespace) -> int:
    from cloud_bridge.registry.models import CycleRule

    rules = {
        category: {
            "cycle": rule.cycle.value,
            "early_days": rule.early_days,
            "grace_days": rule.grace_days,
        }
        for category, rule in CycleRule.all_rules().items()
    }
    if options.json:
        print(json.dumps(rules, indent=2))
        return EXIT_OK
    for category, rule in rules.items():
        days = f"early {rule['early_days']:3} grace {rule['grace_days']}"
        print(f"{category:8} {rule['cycle']:9} {days}")
    return EXIT_OK


def _set(options: argparse.Namespace) -> int:
    """What is not said stays as it is."""
    from cloud_bridge.registry import cycle_rules, keyring
    from cloud_bridge.registry.cycle_rules import RuleRefused
    from cloud_bridge.registry.cycles import DEFAULTS, Rule
    from cloud_bridge.registry.models import ROOT_REGION, CycleRule
    from edge.domain.cycles import Cycle

    known = CycleRule.all_rules().get(options.category, DEFAULTS["dibao"])
    rule = Rule(
        Cycle(options.cycle) if options.cycle else known.cycle,
        known.early_days if options.early is None else options.early,
        known.grace_days if options.grace is None else options.grace,
    )
    try:
        changed = cycle_rules.set_rule(options.category, rule, keyring.vault(), WHO, ROOT_REGION)
    except RuleRefused as refused:
        print(refused, file=sys.stderr)
        return EXIT_USAGE
    print("changed" if changed else "as it was")
    return EXIT_OK

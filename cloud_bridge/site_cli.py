"""`python -m cloud_bridge site`: how the places where kiosks stand are found."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]

EXIT_OK, EXIT_USAGE, EXIT_UNKNOWN = 0, 2, 3
LONGEST = 120


def add_parser(commands: _Commands) -> None:
    words = "places where kiosks stand"
    parser = commands.add_parser("site", help=words, description=words)
    group = parser.add_subparsers(required=True, metavar="COMMAND")
    address = group.add_parser("address", help="say how a site is found; everybody may read it")
    address.add_argument("name")
    address.add_argument("address", help="street and house; empty text: none")
    address.set_defaults(run=_address)


def _complain(message: str, code: int) -> int:
    print(f"cloud_bridge: {message}", file=sys.stderr)
    return code


def _address(options: argparse.Namespace) -> int:
    from cloud_bridge.registry import audit, keyring
    from cloud_bridge.registry.models import Site

    text = options.address.strip()
    if len(text) > LONGEST or not (text.isprintable() or not text):
        return _complain(f"the address must be at most {LONGEST} printable characters", EXIT_USAGE)
    site = Site.objects.filter(name=options.name).first()
    if site is None:
        return _complain(f"site {options.name}: not in this registry", EXIT_UNKNOWN)
    site.address = text
    site.save(update_fields=["address"])
    target, place = ("site", str(site.pk)), site.region_id
    audit.write(keyring.vault(), "command line", "site.set", target, region_code=place)
    print(f"site {site.name}: {text or '-'}")
    return EXIT_OK

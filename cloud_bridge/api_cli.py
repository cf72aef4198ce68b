"""`python -m cloud_bridge api-client`: keys of other systems."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]

EXIT_OK, EXIT_USAGE, EXIT_UNKNOWN = 0, 2, 3
WHO = "command line"


def add_parser(commands: _Commands) -> None:
    words = "keys for other systems, see docs/api.md"
    parser = commands.add_parser("api-client", help=words, description=words)
    group = parser.add_subparsers(required=True, metavar="COMMAND")
    add = group.add_parser("add", help="add a client; its key is printed once")
    add.add_argument("name")
    add.add_argument("--region", default="0" * 12, help="12-digit code (default: everything)")
    add.add_argument("--scopes", nargs="+", required=True, metavar="SCOPE")
    add.set_defaults(run=_add)
    listing = group.add_parser("list", help="all clients, without their keys")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(run=_list)
    revoke = group.add_parser("revoke", help="close a client's key for good")
    revoke.add_argument("name")
    revoke.set_defaults(run=_revoke)


def _complain(message: str, code: int) -> int:
    print(f"cloud_bridge: {message}", file=sys.stderr)
    return code


def _add(options: argparse.Namespace) -> int:
    from cloud_bridge.registry import api_clients, keyring
    from cloud_bridge.registry.models import Region

    region = Region.objects.filter(code=options.region).first()
    if region is None:
        return _complain(f"region {options.region}: not in this registry", EXIT_USAGE)
    try:
        row, key = api_clients.add(
            options.name, region, options.scopes, keyring.vault(), WHO, datetime.now(UTC)
        )
    except api_clients.ClientRefused as refused:
        why = {
            "name": "the name must be 1 to 50 printable characters",
            "taken": "there is a client of this name",
            "scopes": f"unknown scope; there are: {' '.join(api_clients.SCOPES)}",
        }
        return _complain(why[str(refused)], EXIT_USAGE)
    print(f"client {row.name}: {' '.join(row.scopes)}, region {row.region_id}")
    print(f"key: {key}")
    return EXIT_OK


def _list(options: argparse.Namespace) -> int:
    from cloud_bridge.registry.models import ApiClient

    rows = [
        {
            "name": row.name,
            "region": row.region_id,
            "scopes": row.scopes,
            "active": row.is_active,
            "used_at": row.used_at.isoformat(timespec="seconds") if row.used_at else None,
        }
        for row in ApiClient.objects.order_by("name")
    ]
    if options.json:
        print(json.dumps(rows, indent=2))
        return EXIT_OK
    for each in rows:
        state = "active" if each["active"] else "revoked"
        print(f"{each['name']:24} {state:8} {each['region']} {each['used_at'] or '-'}")
        print(f"{'':24} {' '.join(each['scopes'])}")
    return EXIT_OK


def _revoke(options: argparse.Namespace) -> int:
    from cloud_bridge.registry import api_clients, keyring
    from cloud_bridge.registry.models import ApiClient

    row = ApiClient.objects.filter(name=options.name).first()
    if row is None:
        return _complain(f"client {options.name}: not in this registry", EXIT_UNKNOWN)
    api_clients.revoke(row, keyring.vault(), WHO)
    print(f"client {row.name}: revoked")
    return EXIT_OK

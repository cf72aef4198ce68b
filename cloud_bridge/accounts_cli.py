"""Accounts from the command line: any role, any region; what the console does, and more."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloud_bridge.registry.models import Account

    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]

EXIT_OK, EXIT_USAGE = 0, 2
ROLES = ("worker", "supervisor", "county", "auditor", "operator")
WHO = "command line"


def add_parser(commands: _Commands) -> None:
    words = "staff accounts"
    group = commands.add_parser("account", help=words, description=words)
    actions = group.add_subparsers(required=True, metavar="COMMAND")
    _add_setting(actions)
    for name, help_words, active in (
        ("disable", "shut an account out at once", False),
        ("enable", "let a disabled account in again", True),
    ):
        _named(actions, name, help_words, _switch).set_defaults(active=active)
    _named(actions, "new-password", "make a password and print it; unlocks too", _new_password)
    _named(actions, "forget-phone", "forget second factor and recovery codes", _forget_phone)
    words = "all accounts, without passwords"
    parser = actions.add_parser("list", help=words, description=words)
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=_list)


def _add_setting(actions: _Commands) -> None:
    parser = _named(actions, "add", "add an account, or change it and its password", _add)
    parser.add_argument("--role", required=True, choices=ROLES)
    parser.add_argument("--region", default="0" * 12, help="12-digit code (default: everything)")
    parser.add_argument(
        "--password-stdin", action="store_true", help="read it; otherwise one is made and printed"
    )


def _named(actions: _Commands, name: str, words: str, run: Any) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=words, description=words)
    parser.add_argument("name")
    parser.set_defaults(run=run)
    return parser


def _add(options: argparse.Namespace) -> int:
    """Either way the password has passed through other hands and must be changed."""
    from cloud_bridge.registry import keyring, staff

    given = sys.stdin.readline().rstrip("\n") if options.password_stdin else ""
    password = given if options.password_stdin else staff.generated_password()
    who = (options.name, options.role, options.region, password)
    try:
        staff.set_account(*who, keyring.vault(), WHO, must_change=True)
    except staff.CommandRefused as error:
        return _complain(str(error))
    print(f"account {options.name}: {options.role}, region {options.region}")
    if not options.password_stdin:
        print(f"password: {password}")
    return EXIT_OK


def _switch(options: argparse.Namespace) -> int:
    from cloud_bridge.registry import keyring, staff

    try:
        staff.set_active(options.name, options.active, keyring.vault(), WHO)
    except staff.CommandRefused as error:
        return _complain(str(error))
    print(f"account {options.name}: {'enabled' if options.active else 'disabled'}")
    return EXIT_OK


def _new_password(options: argparse.Namespace) -> int:
    from cloud_bridge.registry import accounts, keyring

    if (account := _found(options.name)) is None:
        return _complain(f"account {options.name}: not in this registry")
    print(f"password: {accounts.reset_password(account, keyring.vault(), WHO)}")
    return EXIT_OK


def _forget_phone(options: argparse.Namespace) -> int:
    from cloud_bridge.registry import keyring, second_factor

    if (account := _found(options.name)) is None:
        return _complain(f"account {options.name}: not in this registry")
    second_factor.reset(account, keyring.vault(), WHO)
    print(f"account {options.name}: the next sign-in asks for a phone")
    return EXIT_OK


def _list(options: argparse.Namespace) -> int:
    from cloud_bridge.registry.models import Account

    rows = [_told(row) for row in Account.objects.order_by("username")]
    if options.json:
        print(json.dumps(rows, indent=2))
        return EXIT_OK
    for row in rows:
        state = "active" if row["active"] else "disabled"
        factor = "second factor" if row["second_factor"] else "password only"
        print(row["name"], row["role"], row["region"], state, factor, row["last_sign_in"] or "-")
    return EXIT_OK


def _told(row: Account) -> dict[str, Any]:
    return {
        "name": row.username,
        "role": row.role,
        "region": row.region_id,
        "active": row.is_active,
        "second_factor": row.totp_since is not None,
        "last_sign_in": row.last_login.isoformat() if row.last_login else None,
    }


def _found(name: str) -> Account | None:
    from cloud_bridge.registry.models import Account

    account: Account | None = Account.objects.filter(username=name).first()
    return account


def _complain(message: str) -> int:
    print(f"cloud_bridge: {message}", file=sys.stderr)
    return EXIT_USAGE

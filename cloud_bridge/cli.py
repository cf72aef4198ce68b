"""The centre's command line."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cloud_bridge import (
    accounts_cli,
    api_cli,
    audit_cli,
    bridge_cli,
    config,
    cycles_cli,
    fleet_cli,
    imports_cli,
    kiosk_settings_cli,
    seed_cli,
    site_cli,
    webhook_cli,
    work_cli,
)
from edge.domain.errors import ConfigError

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_UNKNOWN = 3

_EXAMPLES = """\
examples:
  python -m cloud_bridge --config site/registry/registry.toml migrate
  python -m cloud_bridge --config site/registry/registry.toml demo-data
  python -m cloud_bridge --config … device add --id K --site 东风街道 --keys site/kiosks/K
  python -m cloud_bridge --config … bridge
  python -m cloud_bridge --config … console --port 8080
  python -m cloud_bridge --config … records show 01890a5d-ac96-774b-bcce-b302099a8057 --json

exit codes: 0 done, 1 failed, 2 wrong use or configuration, 3 record or arrival unknown
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    if not options.needs_config:
        return int(options.run(options))
    if options.config is None:
        return _complain("--config is missing: the path of registry.toml", EXIT_USAGE)
    try:
        config.load(options.config)
        _set_up_django(options.config)
        return int(options.run(options))
    except ConfigError as error:
        return _complain(str(error), EXIT_USAGE)
    except KeyboardInterrupt:
        return EXIT_OK


def _set_up_django(path: Path) -> None:
    os.environ["CLOUD_BRIDGE_CONFIG"] = str(path)
    os.environ["DJANGO_SETTINGS_MODULE"] = "cloud_bridge.settings"
    import django

    django.setup()


def _complain(message: str, code: int) -> int:
    print(f"cloud_bridge: {message}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cloud_bridge",
        description="The registry: files the kiosks' records and shows them to staff.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, help="path of registry.toml")
    parser.set_defaults(needs_config=True)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _simple(commands, "migrate", "bring the database to this program's version", _migrate)
    bridge_cli.add_parser(commands)
    _add_console(commands)
    accounts_cli.add_parser(commands)
    _add_device(commands)
    _add_staff(commands)
    imports_cli.add_parsers(commands)
    _add_roster(commands)
    _add_records(commands)
    _add_quarantine(commands)
    kiosk_settings_cli.add_parser(commands)
    work_cli.add_parser(commands)
    api_cli.add_parser(commands)
    webhook_cli.add_parser(commands)
    site_cli.add_parser(commands)
    seed_cli.add_parser(commands)
    audit_cli.add_parser(commands)
    cycles_cli.add_parser(commands)
    fleet_cli.add_parser(commands)
    _simple(commands, "demo-data", "invented people, regions and accounts", _demo_data)
    return parser


if TYPE_CHECKING:
    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_Run = Callable[[argparse.Namespace], int]


def _simple(commands: _Commands, name: str, words: str, run: _Run) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=words, description=words)
    parser.set_defaults(run=run)
    return parser


def _group(commands: _Commands, name: str, words: str) -> _Commands:
    parser = commands.add_parser(name, help=words, description=words)
    return parser.add_subparsers(required=True, metavar="COMMAND")


def _add_console(commands: _Commands) -> None:
    parser = _simple(commands, "console", "serve the staff console until SIGTERM", _console)
    parser.add_argument("--host", help="address to listen on (default: from registry.toml)")
    parser.add_argument("--port", type=int, help="port (default: from registry.toml)")
    parser.add_argument("--workers", type=int, default=1, help="processes, of four threads each")


def _add_device(commands: _Commands) -> None:
    group = _group(commands, "device", "kiosks")
    parser = _simple(group, "add", "add a kiosk or replace its keys", _device_add)
    parser.add_argument("--id", required=True, help="kiosk id, as in its certificate")
    parser.add_argument("--site", required=True, help="name of the site; made if new")
    parser.add_argument("--keys", required=True, type=Path, help="folder of the kiosk's keys")
    parser.add_argument("--region", help="region the site serves (default: the only province)")
    parser.add_argument(
        "--demo", action="store_true", help="may never file a live record (mode = demo implies it)"
    )
    parser.add_argument(
        "--live",
        action="store_true",
        help="files live records; needed where site.toml is missing, and to end --demo",
    )


def _add_staff(commands: _Commands) -> None:
    group = _group(commands, "staff", "badges and PINs for the kiosks' service screen")
    parser = _simple(group, "issue", "issue a badge; number and PIN are printed once", _staff_issue)
    parser.add_argument("name", help="of the member of staff")
    parser.add_argument("--role", default="technician", choices=("clerk", "technician"))
    parser.add_argument("--region", default="0" * 12, help="12-digit code (default: everything)")
    parser.add_argument("--days", type=int, default=365, help="how long it is valid, 1..366")
    for name, words, run in (
        ("reset", "give a badge a new PIN; it is printed once", _staff_reset),
        ("revoke", "revoke a badge for good", _staff_revoke),
    ):
        parser = _simple(group, name, words, run)
        parser.add_argument("number", help="number of the badge, see `staff list`")
    parser = _simple(group, "list", "all badges, without PINs", _staff_list)
    parser.add_argument("--json", action="store_true")


def _add_roster(commands: _Commands) -> None:
    group = _group(commands, "roster", "rosters")
    parser = _simple(group, "push", "let the bridge send rosters anew", _roster_push)
    parser.add_argument("--device", help="only this kiosk")


def _add_records(commands: _Commands) -> None:
    group = _group(commands, "records", "filed records")
    parser = _simple(group, "list", "the newest records", _records_list)
    parser.add_argument("--limit", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    parser = _simple(group, "show", "what became of one record; exit 3 if unknown", _records_show)
    parser.add_argument("record_id")
    parser.add_argument("--json", action="store_true")


def _add_quarantine(commands: _Commands) -> None:
    group = _group(commands, "quarantine", "what arrived but was not filed")
    parser = _simple(group, "list", "the newest arrivals kept aside", _quarantine_list)
    parser.add_argument("--limit", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    for name, words, run in (
        ("show", "one arrival; exit 3 if unknown", _quarantine_show),
        (
            "refile",
            "check one again and file it; exit 1 if it still may not be",
            _quarantine_refile,
        ),
    ):
        parser = _simple(group, name, words, run)
        parser.add_argument("id", type=int, help="number of the arrival, see `quarantine list`")
        parser.add_argument("--json", action="store_true")


def _migrate(_options: argparse.Namespace) -> int:
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    print("database is up to date")
    return EXIT_OK


def _console(options: argparse.Namespace) -> int:
    from django.conf import settings

    from cloud_bridge.config import is_loopback
    from cloud_bridge.console.server import Serving, serve
    from cloud_bridge.registry import keyring

    keyring.vault()
    console = settings.REGISTRY.console
    host, port = options.host or console.host, options.port or console.port
    if not console.public_origin and not is_loopback(host):
        why = "other machines could reach it and sign in over a plain line; put a proxy with TLS"
        why += ' in front and set [console] public_origin = "https://…"'
        return _complain(f"console host {host}: {why}", EXIT_USAGE)
    proxy = console.proxy if console.public_origin else ""
    try:
        serving = Serving(host, port, proxy, options.workers)
        serve(serving, lambda: print(f"console on http://{host}:{port}/", flush=True))
    except OSError as error:
        return _complain(f"cannot listen on {host}:{port}: {error.strerror}", EXIT_FAILED)
    return EXIT_OK


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _device_add(options: argparse.Namespace) -> int:
    from cloud_bridge.registry import keyring, staff

    new = staff.NewDevice(
        options.id, options.site, options.keys, options.region, options.demo, options.live
    )
    try:
        device = staff.set_device(new, keyring.vault(), "command line")
    except staff.CommandRefused as error:
        return _complain(str(error), EXIT_USAGE)
    kind = "demonstration only" if device.simulated_only else "live"
    print(f"device {device.kiosk_id}: {device.site.name}, serves {device.site.region}, {kind}")
    return EXIT_OK


def _staff_issue(options: argparse.Namespace) -> int:
    from datetime import timedelta

    from django.utils import timezone

    from cloud_bridge.registry import badges, keyring
    from cloud_bridge.registry.models import Region

    region = Region.objects.filter(code=options.region).first()
    if region is None:
        return _complain(f"region {options.region}: not in this registry", EXIT_USAGE)
    if not 1 <= options.days <= badges.LONGEST_DAYS:
        return _complain(f"--days: 1..{badges.LONGEST_DAYS}", EXIT_USAGE)
    until = timezone.localdate() + timedelta(days=options.days)
    new = badges.NewBadge(options.name, options.role, region, until)
    try:
        issued = badges.issue(new, keyring.vault(), "command line", timezone.now())
    except badges.BadgeRefused as refused:
        why = {
            "again": "has a badge for this region already; use `staff reset`",
            "full": "a kiosk there has as many badges as it can hold; revoke some first",
        }[str(refused)]
        return _complain(f"staff {options.name}: {why}", EXIT_USAGE)
    return _print_pin(issued)


def _staff_reset(options: argparse.Namespace) -> int:
    from cloud_bridge.registry import badges, keyring
    from cloud_bridge.registry.models import Badge

    badge = Badge.objects.filter(pk=options.number, revoked_at=None).first()
    if badge is None:
        return _complain(f"staff {options.number}: no valid badge of this number", EXIT_USAGE)
    return _print_pin(badges.reset(badge, keyring.vault(), "command line"))


def _print_pin(issued: Any) -> int:
    badge = issued.badge
    print(f"badge {badge.number}: {badge.role}, region {badge.region_id}, to {badge.valid_until}")
    print(f"PIN: {issued.pin}")
    return EXIT_OK


def _staff_revoke(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from cloud_bridge.registry import badges, keyring
    from cloud_bridge.registry.models import Badge

    badge = Badge.objects.filter(pk=options.number).first()
    if badge is None:
        return _complain(f"staff {options.number}: no badge of this number", EXIT_USAGE)
    badges.revoke(badge, keyring.vault(), "command line", timezone.now())
    print(f"badge {badge.number}: revoked")
    return EXIT_OK


def _staff_list(options: argparse.Namespace) -> int:
    from cloud_bridge.registry.models import Badge

    rows = [
        {
            "number": badge.number,
            "name": badge.name,
            "role": badge.role,
            "region": badge.region_id,
            "valid_until": badge.valid_until.isoformat(),
            "revoked": badge.revoked_at is not None,
        }
        for badge in Badge.objects.order_by("region_id", "name", "number")
    ]
    if options.json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        for row in rows:
            print(*row.values())
    return EXIT_OK


def _roster_push(options: argparse.Namespace) -> int:
    from cloud_bridge.registry import rosters
    from cloud_bridge.registry.models import Device

    rows = Device.objects.filter(**({"pk": options.device} if options.device else {}))
    due = rosters.send_anew(rows)
    if options.device and not due:
        return _complain(f"device {options.device}: not in this registry", EXIT_USAGE)
    print(f"{due} rosters due; the bridge sends them")
    return EXIT_OK


def _records_list(options: argparse.Namespace) -> int:
    from cloud_bridge.registry import lookup

    rows = lookup.newest(options.limit)
    if options.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        for row in rows:
            print(row.record_id, row.filed_at, row.provenance, row.outcome, row.kiosk_id)
    return EXIT_OK


def _records_show(options: argparse.Namespace) -> int:
    from cloud_bridge.registry import lookup

    status = lookup.record_status(options.record_id)
    fields = asdict(status)
    if options.json:
        print(json.dumps(fields, indent=2))
    else:
        for name, value in fields.items():
            if value:
                print(f"{name:13} {value}")
    return EXIT_UNKNOWN if status.status == lookup.UNKNOWN else EXIT_OK


def _quarantine_list(options: argparse.Namespace) -> int:
    from cloud_bridge.bridge import quarantine

    items = quarantine.newest(options.limit)
    if options.json:
        print(json.dumps([asdict(item) for item in items], indent=2))
    else:
        for item in items:
            print(item.id, item.last_seen_at, item.reason, item.kiosk_id or "-", item.record_id)
    return EXIT_OK


def _quarantine_show(options: argparse.Namespace) -> int:
    from cloud_bridge.bridge import quarantine
    from cloud_bridge.registry.models import Quarantine

    row = Quarantine.objects.filter(pk=options.id).first()
    if row is None:
        return _complain(f"quarantine {options.id}: no such arrival", EXIT_UNKNOWN)
    _print_fields(asdict(quarantine.item(row)) | {"header": quarantine.header(row)}, options.json)
    return EXIT_OK


def _quarantine_refile(options: argparse.Namespace) -> int:
    from datetime import UTC, datetime

    from cloud_bridge.bridge import quarantine
    from cloud_bridge.bridge.ingest import Ingest
    from cloud_bridge.registry import keyring
    from cloud_bridge.registry.models import Quarantine

    row = Quarantine.objects.filter(pk=options.id).first()
    if row is None:
        return _complain(f"quarantine {options.id}: no such arrival", EXIT_UNKNOWN)
    vault = keyring.vault()
    ingest = Ingest(keyring.seal_key(), vault)
    why = quarantine.refile(row, ingest, vault, "command line", datetime.now(UTC))
    told = {"id": options.id, "record_id": row.record_id, "status": why or "filed"}
    _print_fields(told, options.json)
    return EXIT_FAILED if why else EXIT_OK


def _print_fields(fields: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(fields, indent=2))
    else:
        for name, value in fields.items():
            print(f"{name:13} {value if isinstance(value, (str, int)) else json.dumps(value)}")


def _demo_data(_options: argparse.Namespace) -> int:
    from cloud_bridge.registry import demo_data, keyring

    passwords = demo_data.fill(keyring.vault())
    print("invented people, regions and accounts are in the registry")
    for name, password in passwords.items():
        print(f"{name}  {password}")
    issued = demo_data.badge(keyring.vault())
    print(f"kiosk-badge  {issued.badge.number}  PIN {issued.pin}")
    return EXIT_OK

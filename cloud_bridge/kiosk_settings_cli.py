"""`python -m cloud_bridge settings`: what the centre wants of its kiosks' settings."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from edge.domain.settings import SETTINGS, Refusal, Value, from_text

if TYPE_CHECKING:
    from cloud_bridge.registry.kiosk_settings import Change, Line
    from cloud_bridge.registry.models import Device

    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]

EXIT_OK, EXIT_USAGE, EXIT_UNKNOWN = 0, 2, 3
WHO = "command line"

_EXAMPLES = """\
examples:
  … settings show K-0001
  … settings set K-0001 devices.volume=60 screen.idle_s=240 --dry-run
  … settings set --region 100101000000 agency.phone=12345
  … settings unset --all broker.keepalive_s
  … settings undo K-0001

Without --dry-run the bridge sends a change at once; a kiosk takes it over when nobody is there.
"""


class WrongUse(Exception):
    """The command line says something that cannot be done; the message says what instead."""


class UnknownKiosk(Exception):
    """No such kiosk in this registry."""


def add_parser(commands: _Commands) -> None:
    words = "kiosks' settings: what is wanted, what is in force"
    parser = commands.add_parser(
        "settings",
        help=words,
        description=words,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    group = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_one(group, "show", "wanted, in force and refused, key by key; exit 3 if unknown", _show)
    _add_one(group, "history", "every change, newest first", _history)
    _add_some(group, "set", "[KIOSK] KEY=VALUE …", "want these values", _set)
    _add_some(group, "unset", "[KIOSK] KEY …", "want the site file's own values again", _unset)
    undo = _add_one(group, "undo", "the version before the newest again", _undo)
    undo.add_argument("--to", type=int, metavar="VERSION", help="or this one; 0: the site file's")
    _add_switches(undo)


_Run = Callable[[argparse.Namespace], int]


def _add(group: _Commands, name: str, words: str, run: _Run) -> argparse.ArgumentParser:
    parser = group.add_parser(name, help=words, description=words)
    parser.set_defaults(run=lambda options: _guarded(run, options))
    parser.add_argument("--json", action="store_true")
    return parser


def _add_one(group: _Commands, name: str, words: str, run: _Run) -> argparse.ArgumentParser:
    parser = _add(group, name, words, run)
    parser.add_argument("kiosk", metavar="KIOSK")
    return parser


def _add_some(group: _Commands, name: str, shape: str, words: str, run: _Run) -> None:
    parser = _add(group, name, words, run)
    parser.add_argument("words", nargs="+", metavar=shape)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--all", action="store_true", help="every kiosk of the registry")
    which.add_argument("--region", metavar="CODE", help="every kiosk that serves this region")
    _add_switches(parser)


def _add_switches(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="only say what would change")


def _guarded(run: _Run, options: argparse.Namespace) -> int:
    from cloud_bridge.registry.kiosk_settings import SettingsRefused, UnknownVersion

    try:
        return run(options)
    except WrongUse as error:
        return _complain(str(error), EXIT_USAGE)
    except UnknownKiosk as error:
        return _complain(f"device {error}: not in this registry", EXIT_UNKNOWN)
    except UnknownVersion as error:
        return _complain(
            f"version {error}: this kiosk never had it; see `settings history`", EXIT_UNKNOWN
        )
    except SettingsRefused as error:
        for why in error.refused:
            _complain(_refused_words(why), EXIT_USAGE)
        return _complain("nothing was changed", EXIT_USAGE)


def _complain(message: str, code: int) -> int:
    print(f"cloud_bridge: {message}", file=sys.stderr)
    return code


def _refused_words(why: Refusal) -> str:
    if why.reason == "unknown":
        near = f"; did you mean {why.detail}?" if why.detail else ""
        return f"{why.key}: no such setting{near} There are: {', '.join(SETTINGS)}"
    return f"{why.key}: must be {why.detail}"


# --- what is asked for


def _device(kiosk_id: str) -> Device:
    from cloud_bridge.registry.models import Device

    rows = Device.objects.select_related("site")
    device: Device | None = rows.filter(pk=kiosk_id).first()
    if device is None:
        raise UnknownKiosk(kiosk_id)
    return device


def _targets(options: argparse.Namespace) -> tuple[list[Device], list[str]]:
    """The kiosks meant, and the words that say what is to change."""
    from cloud_bridge.registry.models import Device, Region

    rows = Device.objects.select_related("site").order_by("pk")
    if options.all:
        return list(rows), options.words
    if options.region:
        region = Region.objects.filter(code=options.region).first()
        if region is None:
            raise WrongUse(f"region {options.region}: not in this registry")
        return list(rows.filter(region.within("site__region_id"))), options.words
    if len(options.words) < 2:
        raise WrongUse("say which kiosk (or --all, or --region CODE) and what to change")
    return [_device(options.words[0])], options.words[1:]


def _pairs(words: Sequence[str]) -> dict[str, Value]:
    pairs = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals:
            raise WrongUse(f"{word!r}: say KEY=VALUE, for example devices.volume=60")
        pairs[key] = from_text(key, text)
    return pairs


# --- commands


def _set(options: argparse.Namespace) -> int:
    from cloud_bridge.registry.kiosk_settings import Change

    devices, words = _targets(options)
    return _change(options, devices, Change(_pairs(words)))


def _unset(options: argparse.Namespace) -> int:
    from cloud_bridge.registry.kiosk_settings import Change

    devices, words = _targets(options)
    return _change(options, devices, Change({}, frozenset(words)))


def _change(options: argparse.Namespace, devices: Sequence[Device], change: Change) -> int:
    from cloud_bridge.registry import keyring, kiosk_settings

    refused = kiosk_settings.refusals(change)
    if refused:
        raise kiosk_settings.SettingsRefused(refused)
    plans = {}
    for device in devices:
        before = kiosk_settings.wanted(device)
        plans[device.kiosk_id] = kiosk_settings.differences(before, change.over(before))
    versions: dict[str, int] = {}
    if not options.dry_run:
        now = datetime.now(UTC)
        versions = kiosk_settings.apply(devices, change, keyring.vault(), WHO, now)
    _tell_plans(options, plans, versions)
    return EXIT_OK


def _undo(options: argparse.Namespace) -> int:
    from cloud_bridge.registry import keyring, kiosk_settings

    device = _device(options.kiosk)
    version = kiosk_settings.previous_version(device) if options.to is None else options.to
    before = kiosk_settings.wanted(device)
    old = kiosk_settings.history(device).filter(version=version).first()
    if old is None and version:
        raise kiosk_settings.UnknownVersion(version)
    plans = {device.kiosk_id: kiosk_settings.differences(before, old.values if old else {})}
    versions = {}
    if not options.dry_run:
        made = kiosk_settings.go_back(device, version, keyring.vault(), WHO, datetime.now(UTC))
        versions = {device.kiosk_id: made} if made else {}
    _tell_plans(options, plans, versions)
    return EXIT_OK


def _show(options: argparse.Namespace) -> int:
    from cloud_bridge.registry import kiosk_settings
    from cloud_bridge.registry.models import KioskSettings

    device = _device(options.kiosk)
    row = KioskSettings.objects.filter(device=device).first()
    report = row.report if row else {}
    facts: dict[str, Any] = {
        "kiosk": device.kiosk_id,
        "wanted": row.version if row else 0,
        "sent": bool(row and row.sent_at and not row.due),
        "seen": report.get("seen", 0),
        "applied": report.get("applied", 0),
        "state": report.get("state", ""),
        "reported_at": row.reported_at.isoformat() if row and row.reported_at else "",
        "software": report.get("software", ""),
        "config_sha256": report.get("config_sha256", ""),
    }
    lines = kiosk_settings.lines(device)
    if options.json:
        print(json.dumps(facts | {"settings": [asdict(line) for line in lines]}, indent=2))
        return EXIT_OK
    for name, value in facts.items():
        print(f"{name:14} {value if value != '' else '-'}")
    print(f"\n{'setting':26} {'wanted':20} {'in force':20} refused")
    for line in lines:
        print(_line_words(line))
    return EXIT_OK


def _line_words(line: Line) -> str:
    cells = ["-" if value is None else str(value) for value in (line.wanted, line.told)]
    why = line.refused
    refused = f"{why.reason} {why.detail}".strip() if why else ""
    return f"{line.key:26} {cells[0]:20} {cells[1]:20} {refused}".rstrip()


def _history(options: argparse.Namespace) -> int:
    from cloud_bridge.registry import kiosk_settings

    rows = [
        {
            "version": row.version,
            "at": row.made_at.isoformat(),
            "by": row.made_by,
            "back_to": row.back_to,
            "changed": row.changed,
        }
        for row in kiosk_settings.history(_device(options.kiosk))
    ]
    if options.json:
        print(json.dumps(rows, indent=2))
        return EXIT_OK
    for row in rows:
        back = "" if row["back_to"] is None else f"  (back to {row['back_to']})"
        print(f"{row['version']}  {row['at']}  {row['by']}{back}")
        _print_changes(row["changed"])
    return EXIT_OK


def _tell_plans(
    options: argparse.Namespace,
    plans: dict[str, list[dict[str, Value | None]]],
    versions: dict[str, int],
) -> None:
    """`version` 0: nothing was written, because nothing changes or it was a dry run."""
    told = [
        {"kiosk": kiosk_id, "version": versions.get(kiosk_id, 0), "changed": changed}
        for kiosk_id, changed in plans.items()
    ]
    if options.json:
        print(json.dumps(told, indent=2))
        return
    for kiosk_id, changed in plans.items():
        state = f"version {versions[kiosk_id]}" if kiosk_id in versions else "as it is"
        print(f"{kiosk_id}: {'would change' if options.dry_run and changed else state}")
        _print_changes(changed)


def _print_changes(changes: Sequence[dict[str, Value | None]]) -> None:
    for change in changes:
        words = ["site file's" if change[n] is None else change[n] for n in ("before", "after")]
        print(f"    {change['key']}: {words[0]} -> {words[1]}")

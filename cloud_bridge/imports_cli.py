"""`python -m cloud_bridge people|regions|signals import` and `imports`: files taken in and back."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloud_bridge.registry.imports.runs import Order
    from cloud_bridge.registry.models import ImportRun

    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]

EXIT_OK, EXIT_REFUSED, EXIT_USAGE, EXIT_UNKNOWN = 0, 1, 2, 3
WHO = "command line"
SHOWN = 50
_TELL_EVERY = 5000

_EXAMPLES = """\
examples:
  … regions import regions.csv
  … people import roster.xlsx --dry-run
  … people import roster.csv --full --region 100101000000
  … signals import hospital.csv --kind life
  … imports undo 12 --why "wrong month"

A file is taken in as a whole or not at all. exit codes: 0 done, 1 refused (nothing was changed),
2 wrong use, 3 no such import
"""


def add_parsers(commands: _Commands) -> None:
    _add_file(commands, "people", "people: new ones are added, known ones changed", _people)
    _add_file(commands, "regions", "regions (codes of 6, 9 or 12 digits)", _regions)
    signals = _add_file(commands, "signals", "signs of life, or deaths, of other offices", _signals)
    signals.add_argument("--kind", required=True, choices=("life", "death"))
    group = _group(commands, "imports", "what was imported, and how to take it back")
    listing = _add(group, "list", "the newest imports", _list)
    listing.add_argument("--limit", type=int, default=20)
    undo = _add(group, "undo", "take an import back as a whole", _undo)
    undo.add_argument("number", type=int, help="see `imports list`")
    undo.add_argument("--why", required=True, help="is kept in the audit log")
    undo.add_argument("--yes", action="store_true", help="do not ask")


_Run = Callable[[argparse.Namespace], int]


def _group(commands: _Commands, name: str, words: str) -> _Commands:
    parser = commands.add_parser(
        name,
        help=words,
        description=words,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser.add_subparsers(required=True, metavar="COMMAND")


def _add(group: _Commands, name: str, words: str, run: _Run) -> argparse.ArgumentParser:
    parser = group.add_parser(name, help=words, description=words)
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)
    return parser


def _add_file(commands: _Commands, name: str, words: str, run: _Run) -> argparse.ArgumentParser:
    group = _group(commands, name, words)
    parser = _add(group, "import", f"import {words} from a CSV or XLSX file", run)
    parser.add_argument("file", type=Path)
    parser.add_argument("--region", default="0" * 12, help="nothing outside of it (12 digits)")
    parser.add_argument("--dry-run", action="store_true", help="only say what would happen")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    if name == "people":
        parser.add_argument("--full", action="store_true", help="count people that are not in it")
    return parser


def _complain(message: str, code: int) -> int:
    print(f"cloud_bridge: {message}", file=sys.stderr)
    return code


def _people(options: argparse.Namespace) -> int:
    from cloud_bridge.registry.models import ImportRun

    return _import(options, ImportRun.Kind.PEOPLE)


def _regions(options: argparse.Namespace) -> int:
    from cloud_bridge.registry.models import ImportRun

    return _import(options, ImportRun.Kind.REGIONS)


def _signals(options: argparse.Namespace) -> int:
    from cloud_bridge.registry.models import ImportRun

    return _import(options, ImportRun.Kind(options.kind))


def _import(options: argparse.Namespace, kind: Any) -> int:
    from django.utils import translation

    from cloud_bridge.registry.models import Region

    region = Region.objects.filter(pk=options.region).first()
    if region is None:
        return _complain(f"region {options.region}: not in this registry", EXIT_USAGE)
    try:
        with translation.override("en"):
            return _through(options, _order(options, kind, region))
    except OSError as error:
        return _complain(f"{options.file}: {error.strerror}", EXIT_USAGE)


def _order(options: argparse.Namespace, kind: Any, region: Any) -> Order:
    from django.utils import timezone

    from cloud_bridge.registry import keyring
    from cloud_bridge.registry.imports import sources
    from cloud_bridge.registry.imports.judging import Scope
    from cloud_bridge.registry.imports.runs import Order

    scope = Scope(region, keyring.vault(), timezone.localdate())
    source = sources.of_path(options.file)
    full = getattr(options, "full", False)
    return Order(source, kind, scope, WHO, full, sources.COMMAND_LINE)


def _through(options: argparse.Namespace, order: Order) -> int:
    """Looked at, and taken in if nothing speaks against it."""
    from django.utils import timezone

    from cloud_bridge.registry.imports import runs
    from cloud_bridge.registry.imports.faults import ImportRefused

    run = runs.look(order, timezone.now(), _bar("looked at"))
    if run.faults:
        return _tell_faults(options, run)
    if options.dry_run:
        return _tell(options, run, "would be imported; nothing was changed")
    if _has_doubt(options, run):
        return _complain("nothing imported", EXIT_OK)
    try:
        runs.apply(run, order, timezone.now(), _bar("imported", run.rows))
    except ImportRefused as refused:
        return _complain(f"{options.file}: nothing imported\n{refused}", EXIT_REFUSED)
    return _tell(options, run, "imported")


def _has_doubt(options: argparse.Namespace, run: ImportRun) -> bool:
    """Somebody at the keyboard is asked; a script has decided already."""
    if options.yes or not sys.stdin.isatty():
        return False
    _print_counts(run)
    return input("import it? [y/N] ").strip().lower() not in ("y", "yes")


def _bar(words: str, rows: int = 0) -> Callable[[int], None]:
    """A line that grows, for whoever watches; nothing where nobody does."""

    def tell(done: int) -> None:
        if sys.stderr.isatty() and (done % _TELL_EVERY == 0 or done == rows):
            share = f" [{'#' * (20 * done // rows):20}] {100 * done // rows} %" if rows else ""
            print(
                f"\r{done} rows {words}{share}", end="\n" if done == rows else "", file=sys.stderr
            )

    return tell


def _tell_faults(options: argparse.Namespace, run: ImportRun) -> int:
    from cloud_bridge.registry.imports.faults import Fault

    if options.json:
        print(json.dumps(_fields(run) | {"errors": run.errors}, indent=2))
    more = run.faults - SHOWN
    lines = [str(Fault(*error)) for error in run.errors[:SHOWN]]
    lines += [f"and {more} more"] if more > 0 else []
    return _complain("\n".join([f"{options.file}: nothing imported", *lines]), EXIT_REFUSED)


def _tell(options: argparse.Namespace, run: ImportRun, words: str) -> int:
    if options.json:
        print(json.dumps(_fields(run), indent=2, ensure_ascii=False))
    else:
        print(f"{run.rows} {run.kind} {words}")
        _print_counts(run)
    return EXIT_OK


_COUNTS = ("rows", "added", "changed", "unchanged", "unknown", "missing", "faults")


def _print_counts(run: ImportRun) -> None:
    print(", ".join(f"{name} {number}" for name in _COUNTS if (number := getattr(run, name))))


def _fields(run: ImportRun) -> dict[str, Any]:
    names = ("kind", "state", "file_name", "sha256", *_COUNTS, "by")
    fields = {name: str(getattr(run, name)) for name in names if name not in _COUNTS}
    times = {"at": run.at, "applied_at": run.applied_at, "undone_at": run.undone_at}
    return {
        "import": run.pk,
        **fields,
        **{name: getattr(run, name) for name in _COUNTS},
        **{name: at.isoformat() if at else "" for name, at in times.items()},
    }


def _list(options: argparse.Namespace) -> int:
    from cloud_bridge.registry.models import ImportRun

    rows = [_fields(run) for run in ImportRun.objects.order_by("-pk")[: options.limit]]
    if options.json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        for row in rows:
            print(row["import"], row["at"], row["kind"], row["state"], row["added"], row["changed"])
    return EXIT_OK


def _undo(options: argparse.Namespace) -> int:
    from django.utils import timezone, translation

    from cloud_bridge.registry import keyring
    from cloud_bridge.registry.imports import undo
    from cloud_bridge.registry.models import ImportRun

    run = ImportRun.objects.filter(pk=options.number).first()
    if run is None:
        return _complain(f"import {options.number}: no such import", EXIT_UNKNOWN)
    if not options.yes and sys.stdin.isatty():
        _print_counts(run)
        if input("take it back? [y/N] ").strip().lower() not in ("y", "yes"):
            return _complain("nothing undone", EXIT_OK)
    try:
        undo.undo(run, keyring.vault(), WHO, options.why, timezone.now())
    except undo.UndoRefused as refused:
        with translation.override("en"):
            lines = [f"  {b.object_id}: {undo.WORDS[b.word]}" for b in refused.blockers]
        why = "\n".join(lines) or f"it is {run.state}"
        return _complain(f"import {run.pk}: nothing undone\n{why}", EXIT_REFUSED)
    return _tell(options, run, "taken back")

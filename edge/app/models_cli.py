"""`python -m edge models build|fetch|verify|list`: the model files, made and checked."""

from __future__ import annotations

import argparse
import json
import sys
import urllib.request
from pathlib import Path
from typing import Any

from edge.domain.errors import ModelError
from edge.models.build import build
from edge.models.manifest import (
    Archive,
    ModelSpec,
    default_dir,
    optional_specs,
    read_verified,
    specs,
)

EXIT_OK = 0
EXIT_MODEL = 2
FETCH_TIMEOUT_S = 60.0
MAX_FETCHED_BYTES = 64 * 1024 * 1024
OPTIONAL = {"minifasnet": ("minifasnet_near", "minifasnet_wide")}


def add_parser(subparsers: Any) -> None:
    """Add `models` to the main command; the chosen function is in `args.run`."""
    models = subparsers.add_parser("models", help="build, verify or list the model files")
    kinds = models.add_subparsers(dest="models_command", required=True)
    _add_build(kinds)
    _add_fetch(kinds)
    for name, run, text in (
        ("verify", run_verify, "check every model file against the manifest; exit code 2 if bad"),
        ("list", run_list, "say where each model comes from and under which licence"),
    ):
        command = kinds.add_parser(name, help=text)
        _add_dir(command)
        command.add_argument("--json", action="store_true", help="answer in JSON")
        command.set_defaults(run=run)


def _add_build(kinds: Any) -> None:
    command = kinds.add_parser("build", help="fetch, check and convert the model files")
    _add_dir(command)
    command.add_argument(
        "--from", dest="from_dir", type=Path, metavar="DIR", help="take files from DIR, offline"
    )
    command.set_defaults(run=run_build)


def _add_fetch(kinds: Any) -> None:
    command = kinds.add_parser(
        "fetch",
        help="add models that a kiosk can do without",
        description="minifasnet: tells skin from paper and glass. The check does not ask it yet; "
        "when it does, its word is advice. Taken from its public address, or from a folder with "
        "the .pth or .tflite files.",
        epilog="examples: python -m edge models fetch minifasnet\n"
        "          python -m edge models fetch minifasnet --from /media/stick",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("name", choices=sorted(OPTIONAL))
    _add_dir(command)
    command.add_argument(
        "--from", dest="from_dir", type=Path, metavar="DIR", help="take files from DIR, offline"
    )
    command.set_defaults(run=run_fetch)


def _add_dir(command: argparse.ArgumentParser) -> None:
    text = "folder of the built models (default: $JIANZAI_MODELS or .cache/models)"
    command.add_argument("--dir", dest="models_dir", type=Path, metavar="DIR", help=text)


def run_build(args: argparse.Namespace) -> int:
    try:
        target = build(args.models_dir, args.from_dir, _say)
    except ModelError as error:
        _complain(error)
        return EXIT_MODEL
    _say(f"all models are in {target}")
    return EXIT_OK


def run_fetch(args: argparse.Namespace) -> int:
    wanted = [optional_specs()[name] for name in OPTIONAL[args.name]]
    try:
        target = build(args.models_dir, args.from_dir, _say, wanted=wanted, fetch=download)
    except ModelError as error:
        _complain(error)
        return EXIT_MODEL
    _say(f"{args.name} is in {target}")
    return EXIT_OK


def download(archive: Archive, folder: Path) -> None:
    """The file from its public address; its hash is checked by whoever asked for it."""
    try:
        with urllib.request.urlopen(archive.address, timeout=FETCH_TIMEOUT_S) as answer:
            data = answer.read(MAX_FETCHED_BYTES)
    except OSError as error:
        raise ModelError(
            f"{archive.address}: cannot be fetched ({error}); fetch {archive.file} elsewhere, "
            "put it into a folder and name that with --from"
        ) from error
    (folder / archive.file).write_bytes(data)


def run_verify(args: argparse.Namespace) -> int:
    models_dir = args.models_dir or default_dir()
    rows = [_checked(models_dir, spec) for spec in _at_hand(models_dir)]
    bad = [row for row in rows if not row["ok"]]
    if args.json:
        _say(json.dumps({"dir": str(models_dir), "models": rows}, indent=2))
    else:
        for row in rows:
            _say(f"{'ok ' if row['ok'] else 'BAD'} {row['name']} {row['problem'] or row['sha256']}")
    return EXIT_MODEL if bad else EXIT_OK


def _at_hand(models_dir: Path) -> list[ModelSpec]:
    """All that must be there, and what was added."""
    added = [spec for spec in optional_specs().values() if (models_dir / spec.file).exists()]
    return [*specs().values(), *added]


def _checked(models_dir: Path, spec: ModelSpec) -> dict[str, Any]:
    problem = ""
    try:
        read_verified(models_dir, spec)
    except ModelError as error:
        problem = str(error)
    return {"name": spec.name, "ok": not problem, "sha256": spec.sha256, "problem": problem}


def run_list(args: argparse.Namespace) -> int:
    rows = [_described(spec, needed=True) for spec in specs().values()]
    rows += [_described(spec, needed=False) for spec in optional_specs().values()]
    if args.json:
        _say(json.dumps(rows, indent=2))
        return EXIT_OK
    for row in rows:
        added = "" if row["needed"] else " (added on request)"
        _say(f"{row['name']}: {row['what']}{added}")
        _say(f"  from {row['project']} {row['version']}, {row['member']}")
        _say(f"  licence {row['licence']}, sha256 {row['sha256']}")
    return EXIT_OK


def _described(spec: ModelSpec, *, needed: bool) -> dict[str, Any]:
    return {
        "name": spec.name,
        "needed": needed,
        "what": spec.what,
        "project": spec.archive.project,
        "version": spec.archive.version,
        "member": spec.member,
        "licence": spec.licence,
        "file": spec.file,
        "sha256": spec.sha256,
        "input": spec.input_shape,
        "colour": spec.colour,
        "range": spec.value_range,
        "outputs": spec.output_shapes,
    }


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _complain(error: ModelError) -> None:
    sys.stderr.write(f"error: {error}\n")

"""`python -m edge models build|verify|list`: the model files, made and checked."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from edge.domain.errors import ModelError
from edge.models.build import build
from edge.models.manifest import ModelSpec, default_dir, read_verified, specs

EXIT_OK = 0
EXIT_MODEL = 2


def add_parser(subparsers: Any) -> None:
    """Add `models` to the main command; the chosen function is in `args.run`."""
    models = subparsers.add_parser("models", help="build, verify or list the model files")
    kinds = models.add_subparsers(dest="models_command", required=True)
    _add_build(kinds)
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


def run_verify(args: argparse.Namespace) -> int:
    models_dir = args.models_dir or default_dir()
    rows = [_checked(models_dir, spec) for spec in specs().values()]
    bad = [row for row in rows if not row["ok"]]
    if args.json:
        _say(json.dumps({"dir": str(models_dir), "models": rows}, indent=2))
    else:
        for row in rows:
            _say(f"{'ok ' if row['ok'] else 'BAD'} {row['name']} {row['problem'] or row['sha256']}")
    return EXIT_MODEL if bad else EXIT_OK


def _checked(models_dir: Path, spec: ModelSpec) -> dict[str, Any]:
    problem = ""
    try:
        read_verified(models_dir, spec)
    except ModelError as error:
        problem = str(error)
    return {"name": spec.name, "ok": not problem, "sha256": spec.sha256, "problem": problem}


def run_list(args: argparse.Namespace) -> int:
    rows = [_described(spec) for spec in specs().values()]
    if args.json:
        _say(json.dumps(rows, indent=2))
        return EXIT_OK
    for row in rows:
        _say(f"{row['name']}: {row['what']}")
        _say(f"  from {row['project']} {row['version']}, {row['member']}")
        _say(f"  licence {row['licence']}, sha256 {row['sha256']}")
    return EXIT_OK


def _described(spec: ModelSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
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

"""`python -m edge evaluate`: the evaluation bench, and one recording through the check."""

from __future__ import annotations

import argparse
import json
import os
from datetime import date
from pathlib import Path
from typing import Any

from edge.domain.errors import ConfigError
from edge.models.build import build
from edge.models.manifest import default_dir

EXIT_OK, EXIT_FAILED, EXIT_INSUFFICIENT = 0, 1, 3

EXAMPLES = """\
examples:
  EVAL_DATA=~/faces python -m edge evaluate              about ten minutes on two cores
  EVAL_DATA=~/faces python -m edge evaluate --full       about three hours; may be interrupted
  python -m edge evaluate --count 40                     a smaller report
  python -m edge evaluate --kind swap --count 500        a closer look at one kind; no report
  python -m edge evaluate --clip me.mp4 --expect live    one recording of anybody
  python -m edge evaluate --clip print.mkv --expect attack --json
  python -m edge evaluate --verify ~/faces/people        a folder with a folder for each person
  python -m edge evaluate --freeze "nods of 16 degrees count, chosen on development seeds"

A recording is live with at least one turn and one nod that have depth, by one person in one
piece; attack if it shows what no living person does; otherwise insufficient. Turn the head to
one side, back, nod, back, each held for half a second; the face near enough that the eyes are
60 pixels apart.

exit codes: 0 no limit is exceeded, or the recording is what was expected; 1 a limit is exceeded,
or the recording is the opposite; 2 wrong use or files; 3 the recording is insufficient
"""


def add_parser(subparsers: Any) -> None:
    command = subparsers.add_parser(
        "evaluate",
        help="try the camera check with attacks, living people and recordings",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = command.add_mutually_exclusive_group()
    what.add_argument("--clip", type=Path, metavar="FILE", help="judge one recording")
    what.add_argument("--verify", type=Path, metavar="DIR", help="compare the people of a folder")
    what.add_argument("--freeze", metavar="WHY", help="freeze today's thresholds, and say why")
    command.add_argument("--expect", choices=("live", "attack"), help="what the recording shows")
    command.add_argument("--full", action="store_true", help="the long form; may be interrupted")
    command.add_argument("--kind", action="append", default=[], help="only this; again for more")
    command.add_argument("--count", type=int, metavar="N", help="sessions of each kind")
    command.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N")
    command.add_argument("--folder", type=Path, metavar="DIR", help="default: evaluation/")
    command.add_argument("--json", action="store_true", help="print JSON, and nothing else")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from edge.evaluate import settings

    if (args.clip is None) != (args.expect is None):
        raise ConfigError("evaluate", "--clip and --expect belong together")
    folder = args.folder or settings.HERE
    if args.freeze:
        return _freeze(folder, args.freeze)
    if args.clip:
        return _clip(args.clip, args.expect, as_json=args.json)
    if args.verify:
        return _verify(args.verify)
    return _bench(args, folder)


def _freeze(folder: Path, why: str) -> int:
    from edge.evaluate import thresholds

    numbers = thresholds.of_the_product()
    print(f"frozen: {thresholds.freeze(folder, numbers, date.today(), why)}")
    return EXIT_OK


def _clip(path: Path, expected: str, *, as_json: bool) -> int:
    from edge.evaluate import bench, clip

    found = clip.Judge(build()).judge(path)
    verdict = found.judgement.value
    row = {"clip": path.name, "expected": expected, **bench.as_json(found)}
    print(json.dumps(row) if as_json else _clip_words(row))
    if found.judgement is clip.Judgement.INSUFFICIENT:
        return EXIT_INSUFFICIENT
    return EXIT_OK if verdict == expected else EXIT_FAILED


def _clip_words(row: dict[str, Any]) -> str:
    steps = [f"  {_step_words(step)}" for step in row["steps"]] or ["  none"]
    reasons = ", ".join(row["reasons"]) or "none"
    share = f"{100 * row['with_face']:.0f} % of {row['frames']} frames show a face"
    return "\n".join(
        [
            f"verdict: {row['verdict']} (expected: {row['expected']})",
            f"seen: {share}, {row['seconds']:.1f} s; neutral: {row['neutral']}",
            "movements:",
            *steps,
            f"reasons: {reasons}",
        ]
    )


def _step_words(step: dict[str, Any]) -> str:
    depth = "" if step["depth"] is None else f", {step['depth']:.1f} times the depth needed"
    return f"{step['action']} until {step['at_s']:.1f} s{depth}"


def _verify(folder: Path) -> int:
    from edge.evaluate.bench import VERIFY_SEED
    from edge.evaluate.verification import read_people, verify

    sets = verify(read_people(folder), build(), seed=VERIFY_SEED)
    print(json.dumps({name: one.figures() for name, one in sets.items()}, indent=1))
    return EXIT_OK


def _bench(args: argparse.Namespace, folder: Path) -> int:
    from rich.console import Console

    from edge.evaluate.bench import Bench, need_kinds

    kinds = need_kinds(args.kind)
    bench = Bench(
        folder=folder,
        models_dir=build(),
        cache=default_dir().parent / "evaluation",
        full=args.full,
        workers=args.workers,
        count=args.count,
        kinds=kinds,
        console=Console(stderr=True, quiet=args.json),
    )
    figures = bench.look() if args.kind else bench.run()
    print(json.dumps(figures, indent=1) if args.json or args.kind else _summary(figures, folder))
    blocked = figures["gate"]["blocked_by"]
    return EXIT_FAILED if blocked else EXIT_OK


def _summary(figures: dict[str, Any], folder: Path) -> str:
    rows = [
        f"{kind:20} {row['accepted']:5} of {row['attempts']:6} accepted,"
        f" 95 % {100 * row['ci95'][0]:.2f} to {100 * row['ci95'][1]:.2f} %"
        for kind, row in figures["attacks"].items()
    ]
    live = figures["live"]
    rows.append(f"{'living, refused':20} {live['refused']:5} of {live['sessions']:6}")
    for row in figures["gate"]["blocked_by"]:
        rows.append(f"BLOCKED: {row['what']} {row['measured']:.4f}, limit {row['limit']}")
    if not figures["gate"]["enough"]:
        rows.append("too few sessions for a release")
    return "\n".join([*rows, f"written: {folder / 'report.html'}"])

"""`python -m edge`: the kiosk's commands.

Exit codes: 0 done, 1 it ran and failed, 2 wrong use, configuration or models, 75 settings from
the centre have changed and the program shall be started again.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TypeAlias

from edge import __version__
from edge.app import (
    codes_cli,
    logs,
    models_cli,
    records_cli,
    run_cli,
    status,
    sync_cli,
    voice_cli,
)
from edge.app import config as site
from edge.app.clock import SystemTime
from edge.app.exits import EXIT_OK, exit_code
from edge.domain.errors import ConfigError
from edge.drivers.sim.scenario import SCENARIOS
from edge.evaluate import cli as evaluate_cli
from edge.session.states import Language
from edge.store.database import Database

EXAMPLES = """\
examples:
  python -m edge models build
  python -m edge run --site /etc/jianzai/site.toml
  python -m edge sync --site /etc/jianzai/site.toml
  python -m edge simulate --site site/kiosks/K-0001/site.toml --scenario paper-out
  python -m edge status --site /etc/jianzai/site.toml --json
  python -m edge doctor --site /etc/jianzai/site.toml --only printer
  python -m edge audit verify --site /etc/jianzai/site.toml
  python -m edge receipt --site /etc/jianzai/site.toml --print
  python -m edge verify-receipt --image photo.jpg --key registry-sign.pub

exit codes: 0 done, 1 ran and failed, 2 wrong use, configuration or models,
            75 new settings: start it again (systemd does)
"""


def main(argv: Sequence[str] | None = None) -> int:
    args = parser().parse_args(argv)
    logs.setup(args.log_level)
    return exit_code(lambda: int(args.run(args)))


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m edge",
        description="The proof-of-life kiosk.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"jianzai {__version__}")
    top.add_argument("--log-level", default="INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR"))
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    _add_run(commands)
    _add_simulate(commands)
    _add_sync(commands)
    _add_status(commands)
    _add_doctor(commands)
    records_cli.add_parser(commands)
    codes_cli.add_parser(commands)
    models_cli.add_parser(commands)
    voice_cli.add_parser(commands)
    evaluate_cli.add_parser(commands)
    fonts = commands.add_parser("fonts", help="prepare the fonts of the screen")
    fonts.set_defaults(run=_fonts)
    return top


Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _add_site(command: argparse.ArgumentParser) -> None:
    command.add_argument("--site", type=Path, required=True, metavar="FILE", help="the site file")


def _add_run(commands: Commands) -> None:
    command = commands.add_parser("run", help="run the kiosk on its real devices")
    _add_site(command)
    command.set_defaults(run=_run)


def _add_simulate(commands: Commands) -> None:
    days = "\n".join(f"  {name:14} {day.words}" for name, day in SCENARIOS.items())
    command = commands.add_parser(
        "simulate",
        help="run the kiosk on simulated devices, with somebody in front of it",
        epilog=f"scenarios:\n{days}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_site(command)
    command.add_argument("--scenario", default="good-day", choices=SCENARIOS)
    command.add_argument("--out", type=Path, default=Path("demo-out"), help="folder for pictures")
    command.add_argument("--stay", action="store_true", help="stay up when the visit is over")
    command.add_argument(
        "--yourself",
        action="store_true",
        help="you touch the screen; the card carries a picture taken of you, in memory only",
    )
    command.add_argument(
        "--make-disk",
        action="store_true",
        help="only make the kiosk's database, which the sync process waits for",
    )
    command.set_defaults(run=_simulate)


def _add_sync(commands: Commands) -> None:
    command = commands.add_parser("sync", help="carry records to the registry, rosters back")
    _add_site(command)
    command.set_defaults(run=_sync)


def _add_status(commands: Commands) -> None:
    command = commands.add_parser("status", help="how the link, the roster and the outbox are")
    _add_site(command)
    command.add_argument("--json", action="store_true")
    command.set_defaults(run=_status)


def _add_doctor(commands: Commands) -> None:
    command = commands.add_parser(
        "doctor",
        help="check each part: what is wrong, and what to do",
        epilog="exit codes: 0 nothing failed, 1 something failed, 2 configuration",
    )
    _add_site(command)
    command.add_argument("--json", action="store_true", help="one JSON object, no questions")
    command.add_argument(
        "--yes", action="store_true", help="do not ask before noise, paper and camera: do it"
    )
    command.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="PART",
        help="card_reader, printer, ...; again for more",
    )
    command.add_argument("--lang", choices=("zh", "en"), help="default: the language of the site")
    command.set_defaults(run=_doctor)


def _run(args: argparse.Namespace) -> int:
    return run_cli.run(args.site)


def _simulate(args: argparse.Namespace) -> int:
    from edge.app.simulate import make_disk, simulate

    if args.make_disk:
        return make_disk(site.load(args.site))
    return simulate(
        site.load(args.site),
        args.scenario,
        args.out,
        stay=args.stay,
        yourself=args.yourself,
    )


def _sync(args: argparse.Namespace) -> int:
    return sync_cli.run(args.site)


def _status(args: argparse.Namespace) -> int:
    config = site.load(args.site)
    if not config.database.exists():
        raise ConfigError(str(config.database), "no database yet; the kiosk has never run here")
    with closing(Database(config.database)) as database:
        facts = status.read(database, SystemTime())
    print(json.dumps(asdict(facts)) if args.json else status.words(facts))
    return EXIT_OK


def _doctor(args: argparse.Namespace) -> int:
    from edge.app.doctor import Order, ask_at_terminal, doctor
    from edge.app.layers import in_force

    if args.log_level == "INFO":
        logs.setup("ERROR")  # the table says it better
    config = in_force(site.load(args.site))
    language = Language(args.lang or config.language)
    order = Order(language, tuple(args.only), args.json, args.yes)
    somebody_there = sys.stdin.isatty() and not args.json
    return doctor(config, order, sys.stdout, ask_at_terminal if somebody_there else None)


def _fonts(args: argparse.Namespace) -> int:  # noqa: ARG001
    from edge.ui.fonts import fonts

    prepared = fonts()
    print(f"fonts are ready: {prepared.regular}, {prepared.bold}")
    return EXIT_OK

"""`python -m provisioning`: sites for kiosks, and the demonstration.

Exit codes: 0 done, 1 it ran and failed, 2 wrong use or configuration.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from edge.domain.errors import ConfigError, KioskError
from provisioning import demo
from provisioning.site import make_site, revoke

EXAMPLES = """\
examples:
  python -m provisioning demo
  python -m provisioning demo --scenario paper-out --out /tmp/demo
  python -m provisioning demo --camera webcam --stay
  python -m provisioning site --root site --kiosk K-0001 --kiosk K-0002 --mode production
"""


def main(argv: Sequence[str] | None = None) -> int:
    args = parser().parse_args(argv)
    try:
        return int(args.run(args))
    except ConfigError as error:
        print(f"provisioning: {error}", file=sys.stderr)
        return 2
    except KioskError as error:
        print(f"provisioning: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("provisioning: stopped", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m provisioning",
        description="Make a site's keys and settings, or show the whole product on this machine.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    _add_demo(commands)
    _add_site(commands)
    _add_revoke(commands)
    return top


def _add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "demo", help="run the main job on simulated hardware, real models, broker and registry"
    )
    command.add_argument("--scenario", default="good-day", help="see `python -m edge simulate -h`")
    command.add_argument("--camera", default="resident", help="resident, webcam, or file:PATH")
    command.add_argument("--out", type=Path, default=Path("demo-out"), help="folder for results")
    command.add_argument("--stay", action="store_true", help="keep everything up until Ctrl-C")
    command.set_defaults(
        run=lambda args: demo.run(args.scenario, args.camera, args.out, stay=args.stay)
    )


def _add_site(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("site", help="make keys, certificates and settings of a site")
    command.add_argument("--root", type=Path, required=True, help="folder; what is there is kept")
    command.add_argument("--kiosk", action="append", required=True, metavar="ID")
    command.add_argument("--name", default="示范社区服务中心", help="name of the place")
    command.add_argument("--broker-port", type=int, default=8883)
    command.add_argument("--mode", choices=("production", "demo"), default="production")
    command.set_defaults(run=_site)


def _add_revoke(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("revoke", help="shut a stolen kiosk out of the broker")
    command.add_argument("--root", type=Path, required=True, help="the site's folder")
    command.add_argument("--kiosk", required=True, metavar="ID")
    command.set_defaults(run=_revoke)


def _revoke(args: argparse.Namespace) -> int:
    print(f"written: {revoke(args.root, args.kiosk)}")
    print("start the broker anew: a reload (SIGHUP) keeps out who comes, not who is connected")
    return 0


def _site(args: argparse.Namespace) -> int:
    site = make_site(
        args.root, args.kiosk, broker_port=args.broker_port, site_name=args.name, mode=args.mode
    )
    print(f"site folder: {site.root}")
    return 0

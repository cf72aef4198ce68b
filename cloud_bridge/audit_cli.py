"""`audit`: is the log whole, and what is printed of it once a day."""

from __future__ import annotations

import argparse
import sys
import textwrap
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloud_bridge.registry.models import AuditCheckpoint

    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: _Commands) -> None:
    parser = commands.add_parser("audit", help="the audit log", description="the audit log")
    group = parser.add_subparsers(required=True, metavar="COMMAND")
    words = "check chains and checkpoints; names the first broken entry; exit 1 if there is one"
    verify = group.add_parser("verify", help=words, description=words)
    verify.add_argument("--digest", help="also find this printed digest, or its beginning")
    verify.set_defaults(run=_verify)
    words = "bind all chains together with a signature now; the bridge does so by itself"
    group.add_parser("checkpoint", help=words, description=words).set_defaults(run=_checkpoint)
    words = "print a day's last checkpoint, to be kept on paper"
    digest = group.add_parser("digest", help=words, description=words)
    digest.add_argument("--day", type=date.fromisoformat, help="YYYY-MM-DD (default: the newest)")
    digest.set_defaults(run=_digest)


def _verify(options: argparse.Namespace) -> int:
    from cloud_bridge.registry import audit, keyring
    from cloud_bridge.registry.models import AuditCheckpoint

    broken = audit.first_broken(keyring.vault(), keyring.sign_key().public_key())
    if broken is not None:
        return _complain(f"audit log is broken at {broken}")
    print("audit log is whole")
    if options.digest:
        wanted = "".join(options.digest.split())
        row = AuditCheckpoint.objects.filter(sha256__startswith=wanted).first()
        if row is None:
            return _complain(f"digest {wanted}: not in this log, which was put back or exchanged")
        print(f"digest found: checkpoint {row.number} of {row.at.isoformat(timespec='seconds')}")
    return 0


def _checkpoint(_options: argparse.Namespace) -> int:
    from django.utils import timezone

    from cloud_bridge.registry import audit, keyring

    row = audit.checkpoint(keyring.vault(), keyring.sign_key(), timezone.now())
    print(f"checkpoint {row.number}" if row else "nothing was written since the last checkpoint")
    return 0


def _digest(options: argparse.Namespace) -> int:
    from cloud_bridge.registry.models import AuditCheckpoint

    rows = AuditCheckpoint.objects.order_by("-number")
    if options.day:
        rows = rows.filter(at__gte=_start(options.day), at__lt=_start(options.day, 1))
    row = rows.first()
    if row is None:
        return _complain(
            "no checkpoint yet" if not options.day else f"{options.day}: no checkpoint"
        )
    print(_paper(row))
    return 0


def _start(day: date, later: int = 0) -> datetime:
    from edge.domain.timebase import CHINA

    return datetime.combine(day + timedelta(days=later), time(), CHINA)


def _paper(row: AuditCheckpoint) -> str:
    """Groups of four, to be compared by eye."""
    from edge.domain.timebase import CHINA

    lines = textwrap.wrap(row.sha256, 16)
    groups = "\n".join("  " + " ".join(textwrap.wrap(line, 4)) for line in lines)
    at = row.at.astimezone(CHINA).isoformat(sep=" ", timespec="seconds")
    entries = sum(place for _, place, _ in row.heads)
    return (
        f"健在 audit log 审计日志\ncheckpoint 检查点  {row.number}\nmade 生成时间  {at}\n"
        f"entries 条数  {entries}\nsignature 签名  {row.signature}\n摘要 digest\n{groups}"
    )


def _complain(message: str) -> int:
    print(f"cloud_bridge: {message}", file=sys.stderr)
    return 1

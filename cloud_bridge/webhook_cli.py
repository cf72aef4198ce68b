"""`python -m cloud_bridge webhooks` sends; `webhook …` says to whom."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloud_bridge.registry.models import Webhook

    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]

EXIT_OK, EXIT_USAGE, EXIT_UNKNOWN = 0, 2, 3
WHO = "command line"
SHOWN = 50

_WHY = {
    "name": "the name must be 1 to 60 printable characters",
    "taken": "there is a webhook of this name",
    "events": "unknown event; see --help",
    "url": "must be https://… without a user; plain http only to 127.0.0.1 where [webhooks] "
    "networks allows it",
}


def add_parser(commands: _Commands) -> None:
    words = "send what other systems are to be told, until SIGTERM"
    run = commands.add_parser("webhooks", help=words, description=words)
    run.set_defaults(run=_run)
    words = "who is told of certified, needs_review, death and their reversals"
    parser = commands.add_parser("webhook", help=words, description=words)
    group = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_add(group)
    _listing(group, "list", "all webhooks, without their secrets", _list)
    for name, words, active in (
        ("disable", "tell it nothing any more", False),
        ("enable", "tell it again, from now on", True),
    ):
        switch = _one(group, name, words, _switch)
        switch.set_defaults(active=active)
    _one(group, "test", "send it an event that says nothing", _test)
    log = _listing(group, "deliveries", "the newest deliveries of one webhook", _deliveries)
    log.add_argument("name")
    again = group.add_parser("resend", help="send one delivery again")
    again.add_argument("id", type=int, help="number of the delivery, see `webhook deliveries`")
    again.set_defaults(run=_resend)


def _add_add(group: _Commands) -> None:
    parser = group.add_parser("add", help="add a webhook; its secret is printed once")
    parser.add_argument("name")
    parser.add_argument("url", help="https://…")
    parser.add_argument("--region", default="0" * 12, help="12-digit code (default: everything)")
    parser.add_argument(
        "--events",
        nargs="+",
        required=True,
        metavar="EVENT",
        help="certified certification.voided needs_review death death.reversed",
    )
    parser.set_defaults(run=_add)


def _one(group: _Commands, name: str, words: str, run: Any) -> argparse.ArgumentParser:
    parser = group.add_parser(name, help=words, description=words)
    parser.add_argument("name")
    parser.set_defaults(run=run)
    return parser


def _listing(group: _Commands, name: str, words: str, run: Any) -> argparse.ArgumentParser:
    parser = group.add_parser(name, help=words, description=words)
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)
    return parser


def _complain(message: str, code: int) -> int:
    print(f"cloud_bridge: {message}", file=sys.stderr)
    return code


def _run(_options: argparse.Namespace) -> int:
    from django.conf import settings

    from cloud_bridge.registry import keyring
    from cloud_bridge.webhooks.sender import Sender

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    Sender(keyring.vault(), settings.REGISTRY.webhooks.networks).run(stop)
    return EXIT_OK


def _add(options: argparse.Namespace) -> int:
    from django.conf import settings

    from cloud_bridge.registry import keyring, webhooks
    from cloud_bridge.registry.models import Region

    region = Region.objects.filter(code=options.region).first()
    if region is None:
        return _complain(f"region {options.region}: not in this registry", EXIT_USAGE)
    new = webhooks.NewWebhook(options.name, options.url, options.events, region)
    networks = settings.REGISTRY.webhooks.networks
    try:
        row, secret = webhooks.add(new, networks, keyring.vault(), WHO, datetime.now(UTC))
    except webhooks.WebhookRefused as refused:
        return _complain(_WHY[str(refused)], EXIT_USAGE)
    print(f"webhook {row.name}: {' '.join(row.events)}, region {row.region_id}")
    print(f"secret: {secret}")
    return EXIT_OK


def _found(name: str) -> Webhook | None:
    from cloud_bridge.registry.models import Webhook

    row: Webhook | None = Webhook.objects.filter(name=name).first()
    return row


def _unknown(name: str) -> int:
    return _complain(f"webhook {name}: not in this registry", EXIT_UNKNOWN)


def _switch(options: argparse.Namespace) -> int:
    from cloud_bridge.registry import keyring, webhooks

    row = _found(options.name)
    if row is None:
        return _unknown(options.name)
    webhooks.switch(row, options.active, keyring.vault(), WHO)
    print(f"webhook {row.name}: {'enabled' if options.active else 'disabled'}")
    return EXIT_OK


def _test(options: argparse.Namespace) -> int:
    from cloud_bridge.registry import keyring, webhooks

    row = _found(options.name)
    if row is None:
        return _unknown(options.name)
    delivery = webhooks.try_out(row, keyring.vault(), WHO, datetime.now(UTC))
    print(f"delivery {delivery.pk}: waits for `cloud_bridge webhooks`")
    return EXIT_OK


def _list(options: argparse.Namespace) -> int:
    from cloud_bridge.registry.models import Webhook

    rows = [
        {
            "name": row.name,
            "url": row.url,
            "events": row.events,
            "region": row.region_id,
            "active": row.is_active,
        }
        for row in Webhook.objects.order_by("name")
    ]
    if options.json:
        print(json.dumps(rows, indent=2))
        return EXIT_OK
    for each in rows:
        state = "active" if each["active"] else "off"
        print(f"{each['name']:24} {state:7} {each['region']} {each['url']}")
        print(f"{'':24} {' '.join(each['events'])}")
    return EXIT_OK


def _deliveries(options: argparse.Namespace) -> int:
    row = _found(options.name)
    if row is None:
        return _unknown(options.name)
    rows = [
        {
            "id": each.pk,
            "event": each.event,
            "at": each.made_at.isoformat(timespec="seconds"),
            "tries": each.tries,
            "state": each.state,
            "answer": each.last_answer,
        }
        for each in row.deliveries.order_by("-pk")[:SHOWN]
    ]
    if options.json:
        print(json.dumps(rows, indent=2))
        return EXIT_OK
    for told in rows:
        print("  ".join(str(value) for value in told.values()))
    return EXIT_OK


def _resend(options: argparse.Namespace) -> int:
    from cloud_bridge.registry import keyring, webhooks
    from cloud_bridge.registry.models import Delivery

    row = Delivery.objects.select_related("webhook").filter(pk=options.id).first()
    if row is None:
        return _complain(f"delivery {options.id}: not in this registry", EXIT_UNKNOWN)
    webhooks.send_again(row, keyring.vault(), WHO, datetime.now(UTC))
    print(f"delivery {row.pk}: waits for `cloud_bridge webhooks`")
    return EXIT_OK

"""Keys, webhooks and addresses on the command line; and the process that sends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler

import pytest
from django.utils import timezone

from cloud_bridge.cli import main
from cloud_bridge.registry import webhooks
from cloud_bridge.registry.models import ApiClient, AuditEntry, Delivery, Site, Webhook
from tests.fixtures_cloud import TestRegistry, copy_keys
from tests.unit.cloud.test_cloud_webhooks import Receiver, add, receiver, signature

__all__ = ["receiver"]


def run(registry: TestRegistry, *arguments: str) -> int:
    return main(["--config", str(registry.config), *arguments])


def test_a_key_is_printed_once_and_revoked(
    registry: TestRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    scopes = ("people:read", "tasks:read")
    assert run(registry, "api-client", "add", "民政", "--scopes", *scopes) == 0
    key = capsys.readouterr().out.rsplit("key: ", 1)[1].strip()
    assert run(registry, "api-client", "list", "--json") == 0
    told = capsys.readouterr().out
    assert json.loads(told)[0]["scopes"] == list(scopes)
    assert key not in told
    assert run(registry, "api-client", "list") == 0
    assert run(registry, "api-client", "add", "民政", "--scopes", "people:read") == 2
    assert run(registry, "api-client", "add", "x", "--scopes", "everything") == 2
    assert "signals:write" in capsys.readouterr().err
    there = ("--region", "999999999999", "--scopes", "people:read")
    assert run(registry, "api-client", "add", "x", *there) == 2
    assert run(registry, "api-client", "revoke", "民政") == 0
    assert run(registry, "api-client", "revoke", "nobody") == 3
    assert not ApiClient.objects.get().is_active


def test_a_webhook_from_its_adding_to_its_log(
    registry: TestRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    new = ("webhook", "add", "民政", "https://example.com/told", "--events", "certified", "death")
    assert run(registry, *new) == 0
    assert "secret: whsec_" in capsys.readouterr().out
    assert run(registry, *new) == 2
    assert run(registry, "webhook", "add", "x", "http://10.0.0.1/", "--events", "death") == 2
    assert run(registry, "webhook", "add", "x", "https://example.com/", "--events", "money") == 2
    assert "unknown event" in capsys.readouterr().err
    for word in ("test", "disable", "enable"):
        assert run(registry, "webhook", word, "民政") == 0
        assert run(registry, "webhook", word, "nobody") == 3
    for words in (("list",), ("deliveries", "民政")):
        assert run(registry, "webhook", *words) == 0
        capsys.readouterr()
        assert run(registry, "webhook", *words, "--json") == 0
        rows = json.loads(capsys.readouterr().out)
        assert len(rows) == 1
        assert "whsec_" not in str(rows)
    row = Delivery.objects.get()
    assert run(registry, "webhook", "resend", str(row.pk)) == 0
    assert run(registry, "webhook", "resend", "999") == 3
    assert Webhook.objects.get().is_active
    actions = AuditEntry.objects.filter(object_kind="webhook").values_list("action", flat=True)
    assert set(actions) == {
        "webhook.add", "webhook.test", "webhook.off", "webhook.on", "webhook.resend",
    }  # fmt: skip


def test_a_site_says_where_it_is(registry: TestRegistry) -> None:
    registry.kiosk()
    name = Site.objects.get().name
    assert run(registry, "site", "address", name, "东风路 1 号") == 0
    assert Site.objects.get().address == "东风路 1 号"
    assert run(registry, "site", "address", name, "x" * 121) == 2
    assert run(registry, "site", "address", "nowhere", "x") == 3


def test_the_process_sends_and_leaves_when_it_is_told(
    registry: TestRegistry, receiver: Receiver
) -> None:
    """All of it for real: command, database, signature, a server at the other end."""
    copy_keys(registry.folder)
    config = registry.folder / "registry.toml"
    config.write_text(registry.toml + '[webhooks]\nnetworks = ["127.0.0.0/8"]\n')
    arrived = threading.Event()

    def take(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(204)
        handler.end_headers()
        arrived.set()

    receiver.answers = take
    row, secret = add(registry, receiver.url)
    webhooks.try_out(row, registry.vault, "test", timezone.now())
    command = [sys.executable, "-m", "cloud_bridge", "--config", str(config), "webhooks"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert arrived.wait(60)
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=30)
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, told) == (0, "")
    headers, body = receiver.got[0]
    assert headers["webhook-signature"] == signature(secret, headers, body)
    assert Delivery.objects.get().state == "delivered"

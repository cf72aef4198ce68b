"""Whom the console believes about who is behind a proxy."""

from __future__ import annotations

from typing import Any

import pytest

from cloud_bridge.console.server import believing

NGINX = "127.0.0.1"


def seen(peer: str, proxy: str = NGINX, **headers: str) -> dict[str, Any]:
    """What the console sees of a request that came from `peer`."""
    found: dict[str, Any] = {}

    def application(environ: dict[str, Any], _start: object) -> list[bytes]:
        found.update(environ)
        return []

    environ = {"REMOTE_ADDR": peer} | {f"HTTP_X_FORWARDED_{key}": v for key, v in headers.items()}
    believing(proxy, application)(environ, lambda *_: None)
    return found


def test_the_proxy_is_believed() -> None:
    environ = seen(NGINX, PROTO="https", FOR="203.0.113.9")
    assert environ["HTTP_X_FORWARDED_PROTO"] == "https"
    assert environ["REMOTE_ADDR"] == "203.0.113.9"


@pytest.mark.parametrize("proxy", [NGINX, ""])
def test_nobody_else_is_believed(proxy: str) -> None:
    environ = seen("192.0.2.7", proxy, PROTO="https", FOR="203.0.113.9", HOST="evil.example")
    assert environ == {"REMOTE_ADDR": "192.0.2.7"}


def test_a_client_cannot_claim_another_address() -> None:
    """The proxy adds what it has seen after whatever the client has sent."""
    assert seen(NGINX, FOR="10.0.0.1, 203.0.113.9")["REMOTE_ADDR"] == "203.0.113.9"
    assert seen(NGINX, FOR="not an address")["REMOTE_ADDR"] == NGINX
    assert seen(NGINX, FOR="2001:db8::1")["REMOTE_ADDR"] == "2001:db8::1"

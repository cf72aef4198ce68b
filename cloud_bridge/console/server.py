"""waitress around the console; the only file that knows it."""

from __future__ import annotations

import signal
from collections.abc import Callable

import waitress

from cloud_bridge.wsgi import application

_PROTO = "x-forwarded-proto"


def serve(host: str, port: int, proxy: str, ready: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT. Raises OSError if the port cannot be had.

    `proxy`: address of the one whose word on https is believed; empty if there is none.
    """
    behind = {"trusted_proxy": proxy, "trusted_proxy_headers": {_PROTO}} if proxy else {}
    server = waitress.create_server(
        application,
        host=host,
        port=port,
        threads=4,
        ident=None,
        clear_untrusted_proxy_headers=True,
        **behind,
    )
    signal.signal(signal.SIGTERM, _leave)
    ready()
    try:
        server.run()  # returns on SystemExit and KeyboardInterrupt
    finally:
        server.close()


def _leave(*_details: object) -> None:
    raise SystemExit(0)

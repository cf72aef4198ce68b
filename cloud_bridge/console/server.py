"""waitress around the console; the only file that knows it."""

from __future__ import annotations

import signal
from collections.abc import Callable

import waitress

from cloud_bridge.wsgi import application


def serve(host: str, port: int, ready: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT. Raises OSError if the port cannot be had."""
    server = waitress.create_server(
        application,
        host=host,
        port=port,
        threads=4,
        ident=None,
        clear_untrusted_proxy_headers=True,
    )
    signal.signal(signal.SIGTERM, _leave)
    ready()
    try:
        server.run()  # returns on SystemExit and KeyboardInterrupt
    finally:
        server.close()


def _leave(*_details: object) -> None:
    raise SystemExit(0)

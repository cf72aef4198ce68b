"""gunicorn around the console; the only file that knows it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from cloud_bridge.wsgi import application

Environ = dict[str, Any]
Wsgi = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

THREADS = 4
GRACE_S = 30  # for downloads that are under way when the console is told to stop
BACKLOG = 128

_SAID_BY_PROXIES = ("HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST")


@dataclass(frozen=True, slots=True)
class Serving:
    """`proxy`: address of the one whose word on https and on the client is believed, or empty.

    `workers`: processes, of four threads each.
    """

    host: str
    port: int
    proxy: str = ""
    workers: int = 1


def serve(serving: Serving, ready: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT, then leave. Raises OSError if the port cannot be had."""
    family = socket.AF_INET6 if ":" in serving.host else socket.AF_INET
    where = (serving.host, serving.port)
    listener = socket.create_server(where, family=family, backlog=BACKLOG)
    _Server(serving, listener.detach(), ready).run()


def believing(proxy: str, inner: Wsgi) -> Wsgi:
    """What proxies say is heard from `proxy` only: the scheme, and who is behind it."""

    def outer(environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        said = {name: environ.pop(name, "") for name in _SAID_BY_PROXIES}
        if proxy and environ.get("REMOTE_ADDR") == proxy:
            environ["HTTP_X_FORWARDED_PROTO"] = said["HTTP_X_FORWARDED_PROTO"]
            environ["REMOTE_ADDR"] = _client(said["HTTP_X_FORWARDED_FOR"]) or proxy
        return inner(environ, start)

    return outer


def _client(said: str) -> str:
    """The last address is the one the proxy itself has seen; those before it anybody may claim."""
    try:
        return str(ip_address(said.rpartition(",")[2].strip()))
    except ValueError:
        return ""


class _Server(BaseApplication):
    """`listener`: the number of an open socket, which is its own from here on."""

    def __init__(self, serving: Serving, listener: int, ready: Callable[[], None]) -> None:
        self._serving = serving
        self._listener = listener
        self._ready = ready
        super().__init__()

    def load_config(self) -> None:
        settings: dict[str, Any] = {
            "bind": f"fd://{self._listener}",
            "workers": self._serving.workers,
            "worker_class": "gthread",
            "threads": THREADS,
            "preload_app": True,
            "graceful_timeout": GRACE_S,
            "control_socket_disable": True,
            "forwarded_allow_ips": "",
            "forwarder_headers": "",
            "secure_scheme_headers": {},
            "loglevel": "error",
            "logger_class": _Log,
            "when_ready": lambda _arbiter: self._ready(),
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Wsgi:
        return believing(self._serving.proxy, application)


class _Log(Logger):
    """Into the project's own log, which names nobody."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True

    def exception(self, msg: str, *args: object, **kwargs: Any) -> None:
        """Without the address asked for: a name may be part of it."""
        del msg, args
        super().exception("a request failed outside of the console's pages", **kwargs)

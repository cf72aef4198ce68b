"""One POST to a stranger: bounded in time and size, follows nothing, believes nothing."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cloud_bridge.webhooks.guard import Forbidden, Network, Target, parse, resolve

CONNECT_S = 5.0
WHOLE_S = 10.0
"""For everything together: a receiver that trickles byte by byte is cut off, too."""
_GONE = 410
_AGENT = "jianzai-webhooks/1"


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` 0: there was none; `word` is what the log of deliveries shows."""

    status: int
    word: str

    @property
    def taken(self) -> bool:
        return 200 <= self.status < 300

    @property
    def wants_no_more(self) -> bool:
        return self.status == _GONE


def post(url: str, body: bytes, headers: Mapping[str, str], allowed: Sequence[Network]) -> Answer:
    """Never raises for what the far end does. A redirect is an answer that was not taken."""
    try:
        target = resolve(parse(url, allowed), allowed)
        return _post(target, body, headers)
    except Forbidden as error:
        return Answer(0, f"forbidden: {error}")
    except ssl.SSLError as error:
        return Answer(0, f"tls: {error.reason or 'failed'}"[:60].lower())
    except TimeoutError:
        return Answer(0, "timed out")
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        return Answer(0, f"{type(error).__name__}"[:60])


def _post(target: Target, body: bytes, headers: Mapping[str, str]) -> Answer:
    connection = _connection(target)
    watch = threading.Timer(WHOLE_S, _cut, [connection.sock])
    watch.start()
    try:
        connection.request("POST", target.path, body, _headers(headers))
        status = connection.getresponse().status
        return Answer(status, str(status))
    finally:
        watch.cancel()
        watch.join()
        connection.close()


def _headers(own: Mapping[str, str]) -> dict[str, str]:
    fixed = {"Content-Type": "application/json", "User-Agent": _AGENT, "Connection": "close"}
    return {**fixed, **own}


def _connection(target: Target) -> http.client.HTTPConnection:
    """Connected to the address that was looked at; the certificate has to be the name's."""
    raw = socket.create_connection((target.address, target.port), CONNECT_S)
    connection = http.client.HTTPConnection(target.host, target.port, timeout=WHOLE_S)
    try:
        raw.settimeout(WHOLE_S)
        if target.secure:
            context = ssl.create_default_context()
            raw = context.wrap_socket(raw, server_hostname=target.host)
    except BaseException:
        raw.close()
        raise
    connection.sock = raw
    return connection


def _cut(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it is closed already

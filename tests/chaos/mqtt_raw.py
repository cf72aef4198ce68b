"""Enough MQTT 5 to do what a decent client never does, written from the standard.

Bytes out, bytes in; no queue, no thread, no second try.
"""

from __future__ import annotations

import socket
import ssl
import struct
from dataclasses import dataclass, field
from pathlib import Path

CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK = 2, 3, 4, 5, 6, 7, 9, 11
PINGRESP, DISCONNECT = 13, 14
NOT_AUTHORISED = 0x87
SESSION_TAKEN_OVER = 0x8E


@dataclass(frozen=True, slots=True)
class Packet:
    kind: int
    flags: int
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Will:
    topic: bytes
    payload: bytes
    retain: bool = False


def number(value: int) -> bytes:
    """A variable byte integer."""
    out = bytearray()
    while True:
        value, digit = divmod(value, 128)
        out.append(digit | (128 if value else 0))
        if not value:
            return bytes(out)


def text(raw: bytes) -> bytes:
    return struct.pack(">H", len(raw)) + raw


def packet(kind: int, flags: int, body: bytes) -> bytes:
    return bytes([kind << 4 | flags]) + number(len(body)) + body


def connect(
    client_id: bytes,
    *,
    will: Will | None = None,
    user: bytes = b"",
    clean: bool = True,
    expiry_s: int = 0,
) -> bytes:
    flags = (0x02 if clean else 0) | (0x80 if user else 0)
    if will:
        flags |= 0x04 | 0x08 | (0x20 if will.retain else 0)
    properties = b"\x11" + struct.pack(">I", expiry_s)
    body = text(b"MQTT") + bytes([5, flags]) + struct.pack(">H", 60)
    body += number(len(properties)) + properties + text(client_id)
    if will:
        body += number(0) + text(will.topic) + text(will.payload)
    return packet(1, 0, body + (text(user) if user else b""))


def publish(
    topic: bytes,
    payload: bytes,
    *,
    qos: int = 1,
    mid: int = 1,
    retain: bool = False,
    alias: int = 0,
) -> bytes:
    properties = b"\x23" + struct.pack(">H", alias) if alias else b""
    body = text(topic) + (struct.pack(">H", mid) if qos else b"")
    body += number(len(properties)) + properties + payload
    return packet(PUBLISH, qos << 1 | (1 if retain else 0), body)


def subscribe(topic: bytes, *, mid: int = 1, qos: int = 1) -> bytes:
    return packet(8, 2, struct.pack(">H", mid) + number(0) + text(topic) + bytes([qos]))


def unsubscribe(topic: bytes, *, mid: int = 1) -> bytes:
    return packet(10, 2, struct.pack(">H", mid) + number(0) + text(topic))


def puback(mid: int) -> bytes:
    return packet(PUBACK, 0, struct.pack(">H", mid))


def reason(answer: Packet) -> int:
    """Reason code of a PUBACK, PUBREC, SUBACK, CONNACK or DISCONNECT; 0 if it has none."""
    at = {CONNACK: 1, DISCONNECT: 0}.get(answer.kind, 2)
    if answer.kind in (SUBACK, UNSUBACK):
        return answer.body[-1]
    return answer.body[at] if len(answer.body) > at else 0


def message(arrived: Packet) -> tuple[str, bytes, int]:
    """Topic, payload and packet number (0 at QoS 0) of a PUBLISH without long properties."""
    size = struct.unpack(">H", arrived.body[:2])[0]
    topic, rest = arrived.body[2 : 2 + size], arrived.body[2 + size :]
    mid = 0
    if arrived.flags & 0x06:
        mid, rest = struct.unpack(">H", rest[:2])[0], rest[2:]
    return topic.decode(), rest[1 + rest[0] :], mid


class Peer:
    """One TLS connection to a broker, with a certificate of the site's authority."""

    def __init__(self, port: int, folder: Path, stem: str, *, timeout_s: float = 10.0) -> None:
        context = ssl.create_default_context(cafile=folder / "ca.crt")
        context.load_cert_chain(folder / f"{stem}.crt", folder / f"{stem}.key")
        plain = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self._socket = context.wrap_socket(plain, server_hostname="localhost")
        except OSError:
            plain.close()
            raise
        self._buffer = bytearray()
        self.ended = False

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, raw: bytes) -> None:
        self._socket.sendall(raw)

    def receive(self, timeout_s: float | None = None) -> Packet | None:
        """The next packet, or None when the connection ended or nothing came in time."""
        if timeout_s is not None:
            self._socket.settimeout(timeout_s)
        try:
            while not (got := self._take()):
                self._buffer += self._more()
        except TimeoutError:
            return None
        except OSError:
            self.ended = True
            return None
        return got

    def _more(self) -> bytes:
        chunk = self._socket.recv(65536)
        if not chunk:
            raise ConnectionResetError("closed by the broker")
        return chunk

    def close(self) -> None:
        """Without a farewell, so that a will is due."""
        self._socket.close()

    def _take(self) -> Packet | None:
        size, at = 0, 1
        while True:
            if len(self._buffer) <= at:
                return None
            size |= (self._buffer[at] & 127) << 7 * (at - 1)
            at += 1
            if not self._buffer[at - 1] & 128:
                break
        if len(self._buffer) < at + size:
            return None
        first, body = self._buffer[0], bytes(self._buffer[at : at + size])
        del self._buffer[: at + size]
        return Packet(first >> 4, first & 15, body)

"""A broker of somebody who means harm: the right certificate, and anything but MQTT behind it."""

from __future__ import annotations

import random
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.chaos import mqtt_raw as mqtt

TOPICS = (
    b"jz/v1/d/k-001/dn/ack", b"jz/v1/d/k-001/up/rec", b"jz/v1/d//dn/", b"\xff\xfe",
    b"\xed\xa0\x80", b"x" * 60_000, b"a\0b", b"",
)  # fmt: skip
CONNACK = mqtt.packet(mqtt.CONNACK, 0, b"\0\0\0")


class FalseBroker:
    """Accepts with TLS, mostly says yes to CONNECT, and then says what `chance` comes upon."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.connections = self.packets = 0
        self._chance = random.Random(seed)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(folder / "server.crt", folder / "server.key")
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(0.2)
        self.port = int(self._server.getsockname()[1])
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="false-broker")
        self._thread.start()

    def __enter__(self) -> FalseBroker:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._server.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            with suppress(TimeoutError):
                plain, _ = self._server.accept()
                with plain, suppress(OSError):
                    self._serve(plain)

    def _serve(self, plain: socket.socket) -> None:
        plain.settimeout(2.0)
        with self._tls.wrap_socket(plain, server_side=True) as tls:
            self.connections += 1
            tls.recv(65536)
            if self._chance.random() < 0.9:
                tls.sendall(CONNACK)
            for _ in range(self._chance.randrange(1, 12)):
                tls.sendall(self._chance.choice(self._ways())())
                self.packets += 1

    def _ways(self) -> tuple[Callable[[], bytes], ...]:
        chance = self._chance
        topic = chance.choice(TOPICS)
        return (
            lambda: mqtt.publish(topic, chance.randbytes(50), qos=chance.choice((0, 1, 2, 3))),
            lambda: mqtt.publish(topic, b"{}", alias=chance.randrange(65536)),
            lambda: mqtt.packet(chance.randrange(16), chance.randrange(16), chance.randbytes(20)),
            lambda: mqtt.packet(mqtt.PUBLISH, 2, b"\xff\xff" + chance.randbytes(30)),
            lambda: mqtt.packet(mqtt.PUBLISH, 2, b"\0\1a\0\1" + _property(chance) + b"x"),
            lambda: mqtt.packet(mqtt.SUBACK, 0, b"\0\1" + _property(chance)),
            lambda: mqtt.packet(mqtt.PUBACK, 0, struct.pack(">H", chance.randrange(65536))),
            lambda: mqtt.packet(mqtt.PUBACK, 0, b"\0\1\xfe" + _property(chance)),
            lambda: mqtt.packet(mqtt.CONNACK, 0, b"\0" + bytes([chance.randrange(256)]) + b"\0"),
            lambda: mqtt.packet(mqtt.CONNACK, 0, b"\0\0" + _property(chance)),
            lambda: mqtt.packet(mqtt.DISCONNECT, 0, bytes([chance.randrange(256)])),
            lambda: b"\x30\xff\xff\xff\x7f" + chance.randbytes(40),
            lambda: b"\x30\xff\xff\xff\xff\xff" + chance.randbytes(40),
            lambda: chance.randbytes(chance.randrange(1, 200)),
        )


def _property(chance: random.Random) -> bytes:
    """Properties with lengths that do not fit, kinds that do not exist, texts that are none."""
    body = bytes([chance.randrange(256)]) + chance.randbytes(chance.randrange(8))
    return bytes([chance.choice((0, len(body), len(body) + 3, 127))]) + body

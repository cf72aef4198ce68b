"""MQTT 5 over mutual TLS: paho behind `edge.ports.Link`.

There is no network thread that could die unnoticed. The owner's own calls of
`incoming()` drive connecting, sending and receiving; paho's callbacks run
inside that call and only take notes. An exception in one costs the connection,
never the process, and never a message: what the broker was not told we have,
it sends again. paho's own queue and its reconnecting stay unused: each connection is
a new client, so what the old one had not sent is gone and comes again from
the outbox.
"""

from __future__ import annotations

import logging
import random
import select
import ssl
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from paho.mqtt import client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge.domain.errors import ConfigError
from edge.ports import Incoming
from edge.sync.publisher import backoff_s
from edge.wire import topics
from edge.wire.messages import Presence, presence_body

_log = logging.getLogger(__name__)

KEEPALIVE_S = 120  # each sign of life costs some 200 bytes on a mobile line
CONNECT_TIMEOUT_S = 5.0
SESSION_EXPIRY_S = 3 * 24 * 3600
WILL_DELAY_S = 30  # a short break is not worth telling
WINDOW = 20  # messages not yet confirmed, each way
MAX_PACKET_BYTES = 1024 * 1024  # larger ones the broker must keep
STEADY_S = 10.0  # a connection that lasted this long was a good one
WITH_WILL = 4  # DISCONNECT reason: the broker shall publish the will


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the broker is, and who we are to it; `kiosk_id` is the certificate's CN."""

    kiosk_id: str
    host: str
    port: int
    ca: Path
    cert: Path
    key: Path
    keepalive_s: int = KEEPALIVE_S


class MqttLink:
    """Implements `edge.ports.Link`; one thread owns it.

    `trouble` says in a few words why there is no link, empty while it is up.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        online: Presence,
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._endpoint = endpoint
        self._presence = topics.topic(endpoint.kiosk_id, topics.PRESENCE)
        self._answers = topics.topic(endpoint.kiosk_id, topics.ANSWER)
        self._online = presence_body(online)
        self._offline = presence_body(replace(online, online=False))
        self._monotonic_s = monotonic_s
        self._pause = pause
        self._tls = _tls(endpoint)
        self._arrived: deque[Incoming] = deque()
        self._under_way: set[int] = set()
        self._client: Any = None
        self._hello: int | None = None  # number of our first message on this connection
        self._up_since_s: float | None = None
        self._doomed = ""  # why the connection has to go, said inside a callback
        self._running = False
        self._failures = 0
        self._retry_at_s = 0.0
        self._told_down = False
        self.trouble = "not started"

    def start(self) -> None:
        """Allow connecting; the first `incoming()` does it."""
        self._running = True

    def stop(self) -> None:
        """Close the connection such that the broker tells the registry."""
        self._running = False
        if self._client is not None:
            self._doomed = "stopped"
            goodbye = ReasonCode(PacketTypes.DISCONNECT, identifier=WITH_WILL)
            self._guarded(lambda: self._client.disconnect(goodbye))

    def connected(self) -> bool:
        """True once the broker took our first message, so that the access rules hold, too."""
        return self._up_since_s is not None

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        if not self._has_room():
            return False
        self._guarded(lambda: self._publish(topic, payload, retain))
        return self.connected()

    def request(self, topic: str, payload: bytes, correlation: bytes, expires_s: int) -> bool:
        if not self._has_room():
            return False
        told = Properties(PacketTypes.PUBLISH)
        told.ResponseTopic = self._answers
        told.CorrelationData = correlation
        told.MessageExpiryInterval = expires_s
        self._guarded(lambda: self._publish(topic, payload, False, told))
        return self.connected()

    def _has_room(self) -> bool:
        return self.connected() and len(self._under_way) < WINDOW

    def incoming(self, timeout_s: float) -> Incoming | None:
        """The next message, at most `timeout_s` from now; this call is what drives the network.

        Connecting to a broker that does not answer may take `CONNECT_TIMEOUT_S` longer.
        """
        until_s = self._monotonic_s() + timeout_s
        while self._running and not self._arrived:
            left_s = until_s - self._monotonic_s()
            self._drive(max(0.0, left_s))
            if left_s <= 0:
                break
        return self._arrived.popleft() if self._arrived else None

    def _drive(self, timeout_s: float) -> None:
        """Connect, wait for the next try, or move bytes: whichever is due."""
        wait_s = self._retry_at_s - self._monotonic_s()
        if self._client is not None:
            self._guarded(lambda: self._turn(timeout_s))
        elif wait_s <= 0:
            self._guarded(self._connect)
        else:
            self._pause(min(timeout_s, wait_s))

    def _guarded(self, act: Callable[[], object]) -> None:
        """Do something with paho; whatever it raises ends the connection and nothing else."""
        try:
            act()
        except OSError as error:
            self._doomed = f"{type(error).__name__}: {error.strerror or error}"
        except Exception as error:  # noqa: BLE001  a bug in a callback must not end the process
            where = traceback.extract_tb(error.__traceback__)[-1]
            _log.error(
                "link=error type=%s at=%s:%s", type(error).__name__, where.name, where.lineno
            )
            self._doomed = type(error).__name__
        if self._client is not None and (self._doomed or self._client.socket() is None):
            self._close(self._doomed or "connection lost")

    def _close(self, why: str) -> None:
        client, self._client = self._client, None
        socket = client.socket()
        if socket is not None:
            socket.close()
        now_s = self._monotonic_s()
        steady = self._up_since_s is not None and now_s - self._up_since_s >= STEADY_S
        self._failures = 0 if steady else self._failures
        self._retry_at_s = now_s + backoff_s(self._failures, random.uniform(0.5, 1.5))
        self._failures += 1
        self._tell_down(why)
        self._up_since_s, self._hello, self._doomed = None, None, ""
        self._under_way.clear()

    def _tell_down(self, why: str) -> None:
        """One warning per outage; a new reason during it is worth a line, the same one is not."""
        if not self._told_down:
            _log.warning("link=lost reason=%r", why)
        elif why != self.trouble:
            _log.info("link=still_lost reason=%r", why)
        self._told_down, self.trouble = True, why

    def _tell_up(self) -> None:
        self._up_since_s = self._monotonic_s()
        self._told_down, self.trouble = False, ""
        _log.info("link=up broker=%s:%d", self._endpoint.host, self._endpoint.port)

    def _connect(self) -> None:
        self._client = self._new_client()
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = SESSION_EXPIRY_S
        properties.ReceiveMaximum = WINDOW
        properties.MaximumPacketSize = MAX_PACKET_BYTES
        self._client.connect(
            self._endpoint.host,
            self._endpoint.port,
            keepalive=self._endpoint.keepalive_s,
            clean_start=False,
            properties=properties,
        )

    def _new_client(self) -> Any:
        client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2,
            client_id=self._endpoint.kiosk_id,
            protocol=mqtt.MQTTv5,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_inflight_messages_set(WINDOW)
        client.tls_set_context(self._tls)
        will = Properties(PacketTypes.WILLMESSAGE)
        will.WillDelayInterval = WILL_DELAY_S
        client.will_set(self._presence, self._offline, qos=1, retain=True, properties=will)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect
        return client

    def _turn(self, timeout_s: float) -> None:
        """Wait for the socket and let paho read, write and keep the connection alive."""
        client = self._client
        socket = client.socket()
        waiting = [socket] if client.want_write() else []
        # Bytes already decrypted are invisible to select.
        patience_s = 0.0 if socket.pending() else timeout_s
        readable, writable, _ = select.select([socket], waiting, [], patience_s)
        if readable or socket.pending():
            client.loop_read()
        if writable:
            client.loop_write()
        client.loop_misc()

    def _publish(
        self, topic: str, payload: bytes, retain: bool, told: Properties | None = None
    ) -> int:
        info = self._client.publish(topic, payload, qos=1, retain=retain, properties=told)
        if info.rc != mqtt.MQTT_ERR_SUCCESS:
            self._doomed = self._doomed or str(mqtt.error_string(info.rc))
        self._under_way.add(info.mid)
        return int(info.mid)

    def _on_connect(self, client: Any, _data: Any, _flags: Any, reason: Any, _more: Any) -> None:
        if reason.is_failure:
            self._doomed = f"broker refused the connection: {reason}"
            return
        client.subscribe(topics.down_filter(self._endpoint.kiosk_id), qos=1)
        self._hello = self._publish(self._presence, self._online, retain=True)

    def _on_subscribe(self, _client: Any, _data: Any, _mid: int, reasons: Any, _more: Any) -> None:
        if any(reason.is_failure for reason in reasons):
            self._doomed = "broker refused the subscription"

    def _on_publish(self, _client: Any, _data: Any, mid: int, reason: Any, _more: Any) -> None:
        """A confirmation frees the window and says nothing about the registry."""
        self._under_way.discard(mid)
        if reason.is_failure:  # 135, not authorised: on this connection nothing will get through
            self._doomed = f"broker refused a message: {reason}"
        elif mid == self._hello and not self.connected():
            self._tell_up()

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
        correlation = getattr(message.properties, "CorrelationData", b"")
        self._arrived.append(Incoming(message.topic, message.payload, correlation))

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, why: Any, _more: Any) -> None:
        self._doomed = self._doomed or f"disconnected: {why}"


class _TidySocket(ssl.SSLSocket):
    """Closed at once when the handshake fails; paho would leave that to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def _tls(endpoint: Endpoint) -> ssl.SSLContext:
    """Our certificate for them, their name checked against our authority, TLS 1.3."""
    try:
        context = ssl.create_default_context(cafile=endpoint.ca)
        context.load_cert_chain(endpoint.cert, endpoint.key)
    except OSError as error:
        raise ConfigError(
            str(endpoint.cert), f"certificate, its key or {endpoint.ca.name} is not usable: {error}"
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.sslsocket_class = _TidySocket
    return context

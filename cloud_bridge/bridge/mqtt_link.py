"""paho behind a small face; the only file of the centre that knows it.

No thread of paho's: `poll` runs its loop in the caller's thread, so a
callback can kill nothing unseen and a slow database simply slows the
reading. An exception in one costs the connection and nothing else. A message
is acknowledged to the broker by the caller, after the commit; after a
reconnect the broker sends unacknowledged ones again.
"""

from __future__ import annotations

import logging
import random
import ssl
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from cloud_bridge.config import Broker
from edge.wire import messages, topics
from edge.wire.envelope import MAX_ENVELOPE_BYTES

log = logging.getLogger(__name__)

SESSION_EXPIRY_S = 300
"""As long as a worker is away, the broker keeps its share for it and gives that to nobody else.
What is forgotten then comes again: kiosks keep their records until the registry's word."""
RECEIVE_MAXIMUM = 200
KEEPALIVE_S = 30
FIRST_BACKOFF_S = 0.5
LAST_BACKOFF_S = 30.0
LINGER_S = 0.002
"""A batch is closed when nothing more came for this long: a kiosk with a small window waits
for its answers, and waiting for more of it would wait in vain."""
MAX_QUEUED = 10_000
_LED = sorted(
    {f"{topics.ROOT}/+/{it.leaf}" for it in messages.MESSAGES if it.goes_up}
    - {topics.RECORD_FILTER}
)
"""What only one worker hears: there is little of it, and how often a kiosk may ask is counted."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message; `ticket` is for `done` and dies with the connection."""

    topic: str
    payload: bytes = field(repr=False)
    ticket: tuple[int, int, int]
    correlation: bytes = b""


@dataclass(frozen=True, slots=True)
class Published:
    """A message on its way; `arrived` once the broker has taken it.

    `lost`: the connection it went out on is gone, so that nobody will ever say.
    """

    arrived: Callable[[], bool]
    lost: Callable[[], bool]


class Link(Protocol):
    """What those who send to kiosks need of MQTT; `MqttLink` is one, a test may be another."""

    @property
    def connected(self) -> bool: ...

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> Published | None: ...


class MqttLink:
    """Connects by itself, again and again, with a growing pause.

    All workers of a `group` share the records; whoever leads hears everything else too.
    """

    def __init__(self, broker: Broker, group: str, client_id: str = "bridge") -> None:
        self._broker = broker
        self._records = f"$share/{group}/{topics.RECORD_FILTER}"
        self._leading = False
        self._queue: deque[Incoming] = deque()
        self._connection = 0
        self._up = False
        self._broken = False
        self._backoff_s = FIRST_BACKOFF_S
        self._next_try = 0.0
        self._outage_logged = False
        self._client = self._new_client(client_id)

    def _new_client(self, client_id: str) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=mqtt.MQTTv5,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        client.max_queued_messages_set(MAX_QUEUED)
        client.tls_set_context(_tls(self._broker))
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        return client

    @property
    def connected(self) -> bool:
        return self._up

    def poll(self, timeout_s: float, limit: int) -> list[Incoming]:
        """What arrives together within `timeout_s`, at most `limit` messages."""
        deadline = time.monotonic() + timeout_s
        while (had := len(self._queue)) < limit:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                break
            self._guarded_turn(min(left_s, LINGER_S) if had else left_s)
            if had and len(self._queue) == had:
                break
        return [self._queue.popleft() for _ in range(min(limit, len(self._queue)))]

    def done(self, message: Incoming) -> None:
        """Tell the broker that it may forget this message."""
        connection, mid, qos = message.ticket
        if qos and connection == self._connection and self._up:
            self._client.ack(mid, qos)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> Published | None:
        """Hand a message to the broker; None when there is no connection."""
        return self._publish(topic, payload, retain, None)

    def tell(self, topic: str, payload: bytes, expires_s: int, correlation: bytes = b"") -> None:
        """Say something that nobody waits for after `expires_s`; `correlation` names the question.

        On a topic that is the caller's choice: the one a question names may be anybody's.
        """
        told = Properties(PacketTypes.PUBLISH)
        told.CorrelationData = correlation
        told.MessageExpiryInterval = expires_s
        self._publish(topic, payload, False, told)

    def _publish(
        self, topic: str, payload: bytes, retain: bool, told: Properties | None
    ) -> Published | None:
        if not self._up:
            return None
        info = self._client.publish(topic, payload, qos=1, retain=retain, properties=told)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return None
        connection = self._connection
        return Published(
            arrived=lambda: connection == self._connection and info.is_published(),
            lost=lambda: connection != self._connection,
        )

    def lead(self, leading: bool) -> None:
        """Hear what is not shared, or hear it no more."""
        if leading != self._leading:
            self._leading = leading
            if self._up:
                self._subscribe()

    def _subscribe(self) -> None:
        self._client.subscribe(self._records, qos=1)
        if self._leading:
            self._client.subscribe([(name, SubscribeOptions(qos=1)) for name in _LED])
        else:
            # A session outlives its process; before there were several, one heard everything.
            self._client.unsubscribe([topics.BRIDGE_FILTER, *_LED])

    def close(self) -> None:
        """Leave without closing the session: the broker keeps what comes meanwhile."""
        if self._up:
            self._client.disconnect()
            self._client.loop(0.1)
        self._up = False

    def _guarded_turn(self, left_s: float) -> None:
        """Whatever paho or one of our callbacks raises, another connection is made."""
        try:
            self._turn(left_s)
        except Exception as error:  # noqa: BLE001  a bug in a callback must not end the bridge
            where = traceback.extract_tb(error.__traceback__)[-1]
            name = type(error).__name__
            log.error("link error type=%s at=%s:%s", name, where.name, where.lineno)
            self._abandon(name)

    def _abandon(self, why: str) -> None:
        """Without a goodbye: the broker keeps everything we did not acknowledge."""
        socket = self._client.socket()
        if socket is not None:
            socket.close()
        self._broken = True
        self._lost(why)

    def _turn(self, left_s: float) -> None:
        if self._client.socket() is None or self._broken:
            self._reconnect(left_s)
            return
        code = self._client.loop(min(left_s, 0.5))
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._lost(code)

    def _reconnect(self, left_s: float) -> None:
        wait_s = self._next_try - time.monotonic()
        if wait_s > 0:
            time.sleep(min(wait_s, left_s))
            return
        self._next_try = time.monotonic() + self._backoff_s * random.uniform(0.5, 1.5)
        self._backoff_s = min(self._backoff_s * 2, LAST_BACKOFF_S)
        try:
            self._broken = False
            self._client.connect(
                self._broker.host,
                self._broker.port,
                keepalive=KEEPALIVE_S,
                clean_start=False,
                properties=_connect_properties(),
            )
        except (OSError, ssl.SSLError) as error:
            self._lost(type(error).__name__)

    def _lost(self, why: object) -> None:
        """Once per outage; trying again is silent."""
        self._up = False
        if not self._outage_logged:
            log.warning("broker unreachable: %s", why)
            self._outage_logged = True

    def _on_connect(
        self, _client: mqtt.Client, _data: object, _flags: object, *rest: object
    ) -> None:
        reason = rest[0]
        if getattr(reason, "is_failure", False):
            self._lost(reason)
            return
        self._connection += 1
        self._queue.clear()  # the broker sends again what was not acknowledged
        self._up = True
        self._backoff_s = FIRST_BACKOFF_S
        self._outage_logged = False
        self._subscribe()
        log.info("broker connected")

    def _on_disconnect(self, *_details: object) -> None:
        self._up = False

    def _on_message(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        ticket = (self._connection, message.mid, message.qos)
        correlation = getattr(message.properties, "CorrelationData", b"")
        self._queue.append(Incoming(message.topic, message.payload, ticket, correlation))


def _tls(broker: Broker) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(broker.ca))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(str(broker.cert), str(broker.key))
    return context


def _connect_properties() -> Properties:
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = SESSION_EXPIRY_S
    properties.ReceiveMaximum = RECEIVE_MAXIMUM
    properties.MaximumPacketSize = 2 * MAX_ENVELOPE_BYTES
    return properties

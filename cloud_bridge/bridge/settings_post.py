"""Wishes about settings on their way to the kiosks, and the kiosks' reports on their way here."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import transaction

from cloud_bridge.bridge.mqtt_link import Published
from cloud_bridge.registry import kiosk_settings
from cloud_bridge.registry.models import SettingsVersion
from edge.wire import desired, envelope, messages, topics
from edge.wire.desired import Desired, Heard
from edge.wire.envelope import Header

log = logging.getLogger(__name__)

AT_ONCE = 500
"""A second; a change for all kiosks of a province must not hold up their records."""


class Link(Protocol):
    @property
    def connected(self) -> bool: ...

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> Published | None: ...

    def tell(
        self, topic: str, payload: bytes, expires_s: int, correlation: bytes = b""
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class _Sent:
    version: int
    published: Published


class SettingsPost:
    """Used by the worker, in its own thread."""

    def __init__(self, link: Link, sign_key: Ed25519PrivateKey) -> None:
        self._link = link
        self._sign_key = sign_key
        self._under_way: dict[str, _Sent] = {}

    def turn(self, now: datetime) -> None:
        """Send what is due; what the broker has taken is due no longer."""
        with transaction.atomic():
            self._settle(now)
        if not self._link.connected:
            self._under_way.clear()
            return
        due = kiosk_settings.to_send().exclude(pk__in=self._under_way)
        for kiosk_id, version in due.values_list("pk", "version")[:AT_ONCE]:
            self._send(kiosk_id, version)

    def _send(self, kiosk_id: str, version: int) -> None:
        row = SettingsVersion.objects.get(device_id=kiosk_id, version=version)
        header = Header(messages.DESIRED, f"desired-{version}", messages.REGISTRY, kiosk_id)
        body = desired.desired_body(Desired(version, row.values))
        payload = envelope.sign(header, body, self._sign_key)
        topic = topics.topic(kiosk_id, topics.DESIRED)
        published = self._link.publish(topic, payload, retain=True)
        if published:
            self._under_way[kiosk_id] = _Sent(version, published)

    def _settle(self, now: datetime) -> None:
        for kiosk_id, sent in list(self._under_way.items()):
            if sent.published.arrived():
                del self._under_way[kiosk_id]
                kiosk_settings.sent(kiosk_id, sent.version, now)
                log.info("settings sent kiosk=%s version=%d", kiosk_id, sent.version)
            elif sent.published.lost():
                del self._under_way[kiosk_id]  # still due, so it goes out again

    def reported(self, kiosk_id: str, payload: bytes, now: datetime) -> None:
        """File a report and, if the kiosk asks so, say that it was heard. Raises `WireError`."""
        report = desired.parse_reported(payload)
        kiosk_settings.store_report(kiosk_id, report, now)
        if report.ask:
            topic = topics.topic(kiosk_id, topics.HEARD)
            heard = self._heard(kiosk_id, report.ask)
            transaction.on_commit(lambda: self._link.tell(topic, heard, messages.HEARD_S))

    def _heard(self, kiosk_id: str, ask: str) -> bytes:
        header = Header(messages.HEARD, str(uuid.uuid4()), messages.REGISTRY, kiosk_id)
        return envelope.sign(header, desired.heard_body(Heard(ask)), self._sign_key)

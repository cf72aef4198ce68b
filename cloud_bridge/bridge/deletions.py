"""The lists of templates to be deleted on their way to the kiosks: sealed, signed, retained.

A list is everything that a kiosk has still to delete, so that whatever it missed stands in the
next one; it is sent at once when it changes, and shrinks as the kiosk says what it has done.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import transaction

from cloud_bridge.bridge.mqtt_link import Link, Published
from cloud_bridge.registry import templates
from cloud_bridge.registry.models import Device
from edge.domain.errors import WireError
from edge.wire import envelope, keys, messages, topics
from edge.wire.envelope import Header
from edge.wire.templates import Deletions as Body
from edge.wire.templates import deletions_body

log = logging.getLogger(__name__)

AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class _Sent:
    version: int
    published: Published


class Deletions:
    """Sends what is due; the worker calls `turn` now and then, in its own thread."""

    def __init__(self, link: Link, sign_key: Ed25519PrivateKey) -> None:
        self._link = link
        self._sign_key = sign_key
        self._under_way: dict[str, _Sent] = {}

    def turn(self, now: datetime) -> None:
        self._settle()
        if not self._link.connected:
            self._under_way.clear()
            return
        due = Device.objects.filter(forget_due=True).exclude(pk__in=self._under_way)
        for device in due[:AT_ONCE]:
            self._send(device, now)

    def _send(self, device: Device, now: datetime) -> None:
        version = _next_version(device, now)
        try:
            payload = sealed_list(device, version, self._sign_key)
        except WireError as error:
            log.error("no deletions kiosk=%s problem=%s", device.kiosk_id, error.reason)
            Device.objects.filter(pk=device.pk).update(forget_due=False)
            return
        topic = topics.topic(device.kiosk_id, topics.FORGET)
        published = self._link.publish(topic, payload, retain=True)
        if published:
            self._under_way[device.kiosk_id] = _Sent(version, published)

    def _settle(self) -> None:
        """What the broker has taken is no longer due, unless it changed meanwhile."""
        for kiosk_id, sent in list(self._under_way.items()):
            if sent.published.arrived():
                del self._under_way[kiosk_id]
                rows = Device.objects.filter(pk=kiosk_id, forget_version=sent.version)
                rows.update(forget_due=False)
                log.info("deletions sent kiosk=%s version=%d", kiosk_id, sent.version)
            elif sent.published.lost():
                del self._under_way[kiosk_id]  # still due, so it goes out again


def sealed_list(device: Device, version: int, sign_key: Ed25519PrivateKey) -> bytes:
    """Whose templates this kiosk has to delete, for its eyes only."""
    header = Header(messages.FORGET, f"forget-{version}", messages.REGISTRY, device.kiosk_id)
    body = deletions_body(Body(version, templates.to_delete(device)))
    sealed = envelope.seal(body, header, keys.sealing_key(device.open_pub))
    return envelope.sign(header, sealed, sign_key)


def _next_version(device: Device, now: datetime) -> int:
    """As of rosters: the time in seconds, never the same twice. It stays due until it arrived."""
    with transaction.atomic():
        rows = Device.objects.filter(pk=device.pk)
        last: int = rows.values_list("forget_version", flat=True).get()
        version = max(int(now.timestamp()), last + 1)
        rows.update(forget_version=version, forget_due=True)
    return version

"""The lists of staff badges on their way to the kiosks: sealed, signed, retained, one a day.

A list is good for thirty days at a kiosk, so one goes out every day even when
nothing has changed, and at once when a badge was issued, changed or revoked.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import transaction

from cloud_bridge.bridge.mqtt_link import Link, Published
from cloud_bridge.registry import badges
from cloud_bridge.registry.models import Device
from cloud_bridge.registry.vault import Vault
from edge.domain.errors import WireError
from edge.domain.staff import StaffList
from edge.wire import envelope, keys, messages, staff, topics
from edge.wire.envelope import Header

log = logging.getLogger(__name__)

AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class _Sent:
    version: int
    day: date
    published: Published


class StaffLists:
    """Sends what is due; the worker calls `turn` now and then, in its own thread."""

    def __init__(self, link: Link, vault: Vault, sign_key: Ed25519PrivateKey) -> None:
        self._link = link
        self._vault = vault
        self._sign_key = sign_key
        self._under_way: dict[str, _Sent] = {}

    def turn(self, now: datetime, today: date) -> None:
        self._settle(now)
        if not self._link.connected:
            self._under_way.clear()
            return
        due = badges.to_send(today).exclude(pk__in=self._under_way)
        for device in due.select_related("site")[:AT_ONCE]:
            self._send(device, now, today)

    def _send(self, device: Device, now: datetime, today: date) -> None:
        version = _next_version(device, now)
        try:
            payload = sealed_list(device, version, now, today, self._vault, self._sign_key)
        except WireError as error:
            log.error("no staff list kiosk=%s problem=%s", device.kiosk_id, error.reason)
            Device.objects.filter(pk=device.pk).update(staff_due=False, staff_day=today)
            return
        topic = topics.topic(device.kiosk_id, topics.STAFF)
        published = self._link.publish(topic, payload, retain=True)
        if published:
            self._under_way[device.kiosk_id] = _Sent(version, today, published)

    def _settle(self, now: datetime) -> None:
        """What the broker has taken is no longer due, unless badges changed meanwhile."""
        for kiosk_id, sent in list(self._under_way.items()):
            if sent.published.arrived():
                del self._under_way[kiosk_id]
                rows = Device.objects.filter(pk=kiosk_id, staff_version=sent.version)
                rows.update(staff_due=False, staff_day=sent.day, staff_sent_at=now)
                log.info("staff list sent kiosk=%s version=%d", kiosk_id, sent.version)
            elif sent.published.lost():
                del self._under_way[kiosk_id]  # still due, so it goes out again


def sealed_list(
    device: Device,
    version: int,
    now: datetime,
    today: date,
    vault: Vault,
    sign_key: Ed25519PrivateKey,
) -> bytes:
    """Everybody who may sign in at this kiosk, for its eyes only."""
    entries, damaged = badges.entries(device, vault, today)
    if damaged:
        log.error("damaged badges kiosk=%s count=%d", device.kiosk_id, damaged)
    header = Header(messages.STAFF, f"staff-{version}", messages.REGISTRY, device.kiosk_id)
    body = staff.staff_body(StaffList(version, now, tuple(entries)))
    return envelope.sign(
        header, envelope.seal(body, header, keys.sealing_key(device.open_pub)), sign_key
    )


def _next_version(device: Device, now: datetime) -> int:
    """As of rosters: the time in seconds, never the same twice. It stays due until it arrived."""
    with transaction.atomic():
        rows = Device.objects.filter(pk=device.pk)
        last: int = rows.values_list("staff_version", flat=True).get()
        version = max(int(now.timestamp()), last + 1)
        rows.update(staff_version=version, staff_due=True)
    return version

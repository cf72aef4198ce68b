"""The registry's word for records that staff filed out of the quarantine, on its way down.

Sent to kiosks that are there only: the broker forgets what waits for one that is switched
off for weeks. A word that comes twice changes nothing at the kiosk.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cloud_bridge.bridge import dispatch
from cloud_bridge.bridge.ingest import Reply
from cloud_bridge.bridge.mqtt_link import Link, Published
from cloud_bridge.registry.models import OwedAck
from edge.wire import topics
from edge.wire.messages import Ack, AckStatus

log = logging.getLogger(__name__)

AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class _Sent:
    rows: tuple[int, ...]
    published: Published


class OwedAcks:
    """Used by the worker, in its own thread."""

    def __init__(self, link: Link, sign_key: Ed25519PrivateKey) -> None:
        self._link = link
        self._sign_key = sign_key
        self._under_way: dict[str, _Sent] = {}

    def turn(self) -> None:
        self._settle()
        if not self._link.connected:
            self._under_way.clear()
            return
        rows = OwedAck.objects.filter(device__online=True)
        by_kiosk: dict[str, list[OwedAck]] = defaultdict(list)
        for row in rows.exclude(device__in=self._under_way).order_by("pk")[:AT_ONCE]:
            by_kiosk[row.device_id].append(row)
        for kiosk_id, owed in by_kiosk.items():
            self._send(kiosk_id, owed)

    def _send(self, kiosk_id: str, owed: list[OwedAck]) -> None:
        acks = [Ack(row.record_id, row.sha256, AckStatus.FILED) for row in owed]
        replies = [Reply(kiosk_id, ack) for ack in acks]
        payload = dispatch.ack_envelopes(replies, self._sign_key)[kiosk_id]
        published = self._link.publish(topics.topic(kiosk_id, topics.ACK), payload)
        if published:
            self._under_way[kiosk_id] = _Sent(tuple(row.pk for row in owed), published)

    def _settle(self) -> None:
        """What the broker has taken is owed no longer."""
        for kiosk_id, sent in list(self._under_way.items()):
            if sent.published.arrived():
                OwedAck.objects.filter(pk__in=sent.rows).delete()
                del self._under_way[kiosk_id]
                log.info("owed acks sent kiosk=%s number=%d", kiosk_id, len(sent.rows))
            elif sent.published.lost():
                del self._under_way[kiosk_id]  # still owed, so it goes out again

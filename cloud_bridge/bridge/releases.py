"""Releases between registry and kiosks: assignments down, states up, pieces on request."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import transaction

from cloud_bridge.bridge import chunks
from cloud_bridge.bridge.mqtt_link import Incoming, Published
from cloud_bridge.fleet import rollouts
from cloud_bridge.registry.models import KioskRelease
from cloud_bridge.registry.vault import Vault
from edge.wire import envelope, messages, topics
from edge.wire.envelope import Header
from edge.wire.releases import Assignment, Window, assignment_body
from edge.wire.updates import parse_state

log = logging.getLogger(__name__)

AT_ONCE = 500
JUDGE_EVERY = timedelta(seconds=10)


class Link(Protocol):
    @property
    def connected(self) -> bool: ...

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> Published | None: ...

    def tell(
        self, topic: str, payload: bytes, expires_s: int, correlation: bytes = b""
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class _Sent:
    seq: int
    published: Published


class Releases:
    """Used by the worker, in its own thread. `tree`: what `fleet publish` writes."""

    def __init__(
        self, link: Link, vault: Vault, sign_key: Ed25519PrivateKey, tree: Path | None
    ) -> None:
        self._link = link
        self._vault = vault
        self._sign_key = sign_key
        self._tree = tree
        self._under_way: dict[str, _Sent] = {}
        self._judged_at: datetime | None = None

    def turn(self, now: datetime) -> None:
        """Judge what is on its way now and then, and send what is due."""
        if self._judged_at is None or abs(now - self._judged_at) >= JUDGE_EVERY:
            self._judged_at = now
            for row in rollouts.turn(self._vault, now):
                log.info("rollout=%d state=%s ring=%d", row.serial, row.state, row.ring)
        with transaction.atomic():
            self._settle(now)
        if not self._link.connected:
            self._under_way.clear()
            return
        due = rollouts.to_send().exclude(pk__in=self._under_way).select_related("rollout")
        for row in due[:AT_ONCE]:
            self._send(row, now)

    def told(self, kiosk_id: str, payload: bytes, now: datetime) -> None:
        """File what a kiosk says of its update. Raises `WireError`."""
        rollouts.told(kiosk_id, parse_state(payload), now)

    def give(self, kiosk_id: str, message: Incoming) -> None:
        """Answer with a piece of a release. Raises `WireError`."""
        payload = chunks.answer(self._tree, message.payload)
        topic = topics.topic(kiosk_id, topics.CHUNK)
        self._link.tell(topic, payload, messages.FETCH_S, message.correlation)

    def _send(self, row: KioskRelease, now: datetime) -> None:
        header = Header(
            messages.ASSIGNMENT, f"assignment-{row.seq}", messages.REGISTRY, row.device_id
        )
        body = assignment_body(_assignment(row, now))
        payload = envelope.sign(header, body, self._sign_key)
        topic = topics.topic(row.device_id, topics.ASSIGNMENT)
        published = self._link.publish(topic, payload, retain=True)
        if published:
            self._under_way[row.device_id] = _Sent(row.seq, published)

    def _settle(self, now: datetime) -> None:
        for kiosk_id, sent in list(self._under_way.items()):
            if sent.published.arrived():
                del self._under_way[kiosk_id]
                rollouts.sent(kiosk_id, sent.seq, now)
            elif sent.published.lost():
                del self._under_way[kiosk_id]  # still due, so it goes out again


def _assignment(row: KioskRelease, now: datetime) -> Assignment:
    rollout = row.rollout
    return Assignment(
        kiosk_id=row.device_id,
        seq=row.seq,
        serial=row.serial,
        manifest_sha256=row.manifest_sha256,
        ring=rollout.ring if rollout else 0,
        issued_at=now,
        not_before=now,
        defer_until=now + timedelta(days=rollout.defer_days if rollout else 0),
        window=Window(rollout.window_begins, rollout.window_ends) if rollout else Window(),
    )

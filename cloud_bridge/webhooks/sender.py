"""Takes word that is due to whoever asked for it, tries again, and gives up after three days.

At least once: a receiver tells repeats by `webhook-id`. `sequence` rises within one webhook;
the order in which events arrive is not promised.
"""

from __future__ import annotations

import json
import logging
import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from django.db import OperationalError, connection

from cloud_bridge.registry import audit, limits
from cloud_bridge.registry.models import Delivery, Webhook
from cloud_bridge.registry.vault import Vault, VaultError
from cloud_bridge.registry.webhooks import secret_of
from cloud_bridge.webhooks import signing
from cloud_bridge.webhooks.guard import Network
from cloud_bridge.webhooks.post import Answer, post

log = logging.getLogger(__name__)

WAITS = tuple(timedelta(seconds=s) for s in (10, 60, 300, 1800, 7200, 21600, 43200))
"""Between tries; the last one again and again, each a tenth longer or shorter."""
GIVE_UP = timedelta(days=3)
KEPT = timedelta(days=30)
CLAIM = timedelta(minutes=2)
"""So long nobody else takes what one process has in its hands."""
PER_ROUND = 20  # deliveries of one webhook
AT_ONCE = 8  # webhooks
IDLE_S = 1.0
HOUSEKEEPING = timedelta(hours=1)

Post = Callable[[str, bytes, dict[str, str], Sequence[Network]], Answer]


@dataclass(frozen=True, slots=True)
class Parcel:
    """All that a thread needs; it never asks the database."""

    delivery: Delivery
    url: str
    body: bytes
    secret: str


class Sender:
    """`jitter` returns 0..1."""

    def __init__(
        self,
        vault: Vault,
        allowed: Sequence[Network],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        send: Post = post,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._vault = vault
        self._allowed = allowed
        self._now = now
        self._send = send
        self._jitter = jitter
        self._cleaned_at: datetime | None = None

    def run(self, stop: threading.Event) -> None:
        """Until `stop`. A database that is away for a while costs a round."""
        while not stop.is_set():
            try:
                tried = self.round()
                self._clean()
            except OperationalError as error:
                log.error("database away error=%s", type(error).__name__)
                connection.close()
                tried = 0
            if not tried:
                stop.wait(IDLE_S)
        connection.close()

    def round(self) -> int:
        """Try once what is due; returns how many were tried."""
        parcels = self._claim()
        groups = [list(rows) for _, rows in groupby(parcels, lambda p: p.delivery.webhook_id)]
        if not groups:
            return 0
        with ThreadPoolExecutor(min(len(groups), AT_ONCE), "webhook") as pool:
            for answers in pool.map(self._send_group, groups):
                for parcel, answer in answers:
                    self._note(parcel.delivery, answer)
        return len(parcels)

    def _claim(self) -> list[Parcel]:
        """Due rows that no other process took meanwhile, by webhook and age."""
        now = self._now()
        due = Delivery.objects.filter(next_try_at__lte=now, webhook__is_active=True)
        parcels = []
        for webhook in Webhook.objects.filter(pk__in=due.values("webhook")).order_by("pk"):
            rows = due.filter(webhook=webhook).order_by("pk")[:PER_ROUND]
            parcels += [self._parcel(row, webhook) for row in rows if _take(row, now)]
        return [parcel for parcel in parcels if parcel is not None]

    def _parcel(self, row: Delivery, webhook: Webhook) -> Parcel | None:
        try:
            secret = secret_of(webhook, self._vault)
        except VaultError:
            log.error("damaged row webhook=%s", webhook.pk)
            return None
        return Parcel(row, webhook.url, body_of(row), secret)

    def _send_group(self, parcels: Sequence[Parcel]) -> list[tuple[Parcel, Answer | None]]:
        """One after the other. After the first that is not taken the rest waits for its turn."""
        answers: list[tuple[Parcel, Answer | None]] = []
        failed = False
        for parcel in parcels:
            answer = None if failed else self._try(parcel)
            failed = failed or not (answer and answer.taken)
            answers.append((parcel, answer))
        return answers

    def _try(self, parcel: Parcel) -> Answer:
        event_id, at = parcel.delivery.event_id, int(self._now().timestamp())
        headers = signing.headers(parcel.secret, event_id, at, parcel.body)
        return self._send(parcel.url, parcel.body, headers, self._allowed)

    def _note(self, row: Delivery, answer: Answer | None) -> None:
        now = self._now()
        rows = Delivery.objects.filter(pk=row.pk)
        if answer is None:
            rows.update(next_try_at=now)
            return
        tries = row.tries + 1
        told: dict[str, Any] = {"tries": tries, "last_answer": answer.word[:60]}
        if answer.taken:
            rows.update(**told, delivered_at=now, next_try_at=None)
            return
        rows.update(**told, next_try_at=self._next_try(row.made_at, tries, now))
        log.warning("webhook=%s delivery=%s not taken: %s", row.webhook_id, row.pk, answer.word)
        if answer.wants_no_more:
            self._switch_off(row.webhook_id)

    def _next_try(self, made_at: datetime, tries: int, now: datetime) -> datetime | None:
        """None: given up."""
        wait = WAITS[min(tries, len(WAITS)) - 1] * (0.9 + 0.2 * self._jitter())
        return now + wait if now + wait <= made_at + GIVE_UP else None

    def _switch_off(self, webhook_id: int) -> None:
        """The receiver said 410: it is gone for good."""
        row = Webhook.objects.get(pk=webhook_id)
        if Webhook.objects.filter(pk=webhook_id, is_active=True).update(is_active=False):
            target = ("webhook", str(webhook_id))
            audit.write(
                self._vault, audit.SYSTEM, "webhook.gone", target, region_code=row.region_id
            )

    def _clean(self) -> None:
        now = self._now()
        if self._cleaned_at is not None and now < self._cleaned_at + HOUSEKEEPING:
            return
        self._cleaned_at = now
        Delivery.objects.filter(made_at__lt=now - KEPT).delete()
        limits.forget_dry(now)


def body_of(row: Delivery) -> bytes:
    """The same bytes at every try."""
    told = {
        "id": row.event_id,
        "type": row.event,
        "timestamp": row.made_at.astimezone(UTC).isoformat(timespec="seconds"),
        "sequence": row.pk,
        "data": row.body,
    }
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


def _take(row: Delivery, now: datetime) -> bool:
    """Whoever changes the row first has it."""
    mine = Delivery.objects.filter(pk=row.pk, next_try_at=row.next_try_at)
    return bool(mine.update(next_try_at=now + CLAIM))

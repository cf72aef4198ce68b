"""What other systems are told: a row for each webhook, in the transaction of the change itself.

Either the change and the word of it are both there, or neither is. Bodies name a person by the
opaque id alone. Sending is `cloud_bridge.webhooks`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from cloud_bridge.registry.models import Delivery, Webhook


class Event(Enum):
    """Every word there is. None of them says what becomes of a payment: none ever may."""

    CERTIFIED = "certified"
    VOIDED = "certification.voided"
    NEEDS_REVIEW = "needs_review"
    DEATH = "death"
    DEATH_REVERSED = "death.reversed"
    TEST = "test"


TELLABLE = tuple(event.value for event in Event if event is not Event.TEST)
"""What a webhook may ask for; a test goes to the one that is tried."""


@dataclass(frozen=True, slots=True)
class News:
    """One event. `person_id` is empty where nobody of the registry is meant."""

    event: Event
    person_id: str
    region_code: str
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def data(self) -> dict[str, Any]:
        return {"person": self.person_id or None, "region": self.region_code, **self.facts}


def somebody_listens() -> bool:
    return bool(Webhook.objects.filter(is_active=True).exists())


def tell(news: Iterable[News], now: datetime) -> int:
    """Leave word for every webhook that asked for it; returns how many rows that made.

    To be called inside the transaction that makes the news true. `news` is only gone through
    if somebody listens.
    """
    webhooks = list(Webhook.objects.filter(is_active=True).select_related("region"))
    told = list(news) if webhooks else []
    rows = [row for webhook in webhooks for row in _wanted(webhook, told, now)]
    Delivery.objects.bulk_create(rows, batch_size=1000)
    return len(rows)


def _wanted(webhook: Webhook, told: Sequence[News], now: datetime) -> list[Delivery]:
    region, events = webhook.region, webhook.events
    wanted = (n for n in told if n.event.value in events and region.covers(n.region_code))
    return [delivery(webhook, each, now) for each in wanted]


def delivery(webhook: Webhook, news: News, now: datetime) -> Delivery:
    """The row of one event for one webhook; not saved yet."""
    return Delivery(
        webhook=webhook,
        event_id=str(uuid.uuid4()),
        event=news.event.value,
        body=news.data,
        made_at=now,
        next_try_at=now,
    )

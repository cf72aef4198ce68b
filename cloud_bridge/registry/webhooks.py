"""Webhooks as the county keeps them: added, tried, switched off; their log, and sending again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from cloud_bridge.registry import audit, events
from cloud_bridge.registry.events import TELLABLE, Event, News
from cloud_bridge.registry.models import Delivery, Region, Webhook
from cloud_bridge.registry.vault import Vault
from cloud_bridge.webhooks import guard, signing
from cloud_bridge.webhooks.guard import Network

NAME_CHARACTERS = 60


class WebhookRefused(Exception):
    """Cannot be added; the word says why: `name`, `taken`, `events` or `url`."""


@dataclass(frozen=True, slots=True)
class NewWebhook:
    name: str
    url: str
    events: Iterable[str]
    region: Region


@transaction.atomic
def add(
    new: NewWebhook, allowed: Sequence[Network], vault: Vault, who: str, now: datetime
) -> tuple[Webhook, str]:
    """The webhook and its secret, which is shown once and kept sealed. Raises `WebhookRefused`."""
    wanted = sorted(set(new.events))
    if not new.name.strip() or len(new.name) > NAME_CHARACTERS or not new.name.isprintable():
        raise WebhookRefused("name")
    if not wanted or not set(wanted) <= set(TELLABLE):
        raise WebhookRefused("events")
    try:
        guard.parse(new.url, allowed)
    except guard.Forbidden as error:
        raise WebhookRefused("url") from error
    secret = signing.new_secret()
    row = Webhook(name=new.name.strip(), url=new.url, events=wanted, region=new.region, made_by=who)
    row.made_at, row.secret_sealed = now, vault.seal(secret, _owner(row))
    _save(row)
    _write(vault, who, "webhook.add", row, " ".join(wanted))
    return row, secret


def _save(row: Webhook) -> None:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise WebhookRefused("taken") from error


def secret_of(row: Webhook, vault: Vault) -> str:
    """Raises `VaultError`."""
    return vault.open(row.secret_sealed, _owner(row))


def _owner(row: Webhook) -> str:
    return f"webhook {row.name}"


@transaction.atomic
def switch(row: Webhook, active: bool, vault: Vault, who: str) -> bool:
    """False if it was so before. What happens while it is off is told to nobody later."""
    changed = Webhook.objects.filter(pk=row.pk, is_active=not active).update(is_active=active)
    if changed:
        _write(vault, who, "webhook.on" if active else "webhook.off", row)
    return bool(changed)


@transaction.atomic
def try_out(row: Webhook, vault: Vault, who: str, now: datetime) -> Delivery:
    """Leave word of nothing at all."""
    news = News(Event.TEST, "", row.region_id)
    delivery = events.delivery(row, news, now)
    delivery.save(force_insert=True)
    _write(vault, who, "webhook.test", row)
    return delivery


@transaction.atomic
def send_again(row: Delivery, vault: Vault, who: str, now: datetime) -> None:
    """The same event under the same id and the same bytes, once more."""
    Delivery.objects.filter(pk=row.pk).update(next_try_at=now, delivered_at=None)
    _write(vault, who, "webhook.resend", row.webhook, row.event_id)


def seen_by(account: Any) -> Any:
    rows = Webhook.objects.filter(account.region.within("region_id"))
    return rows.select_related("region").order_by("-is_active", "name")


def _write(vault: Vault, who: str, action: str, row: Webhook, reason: str = "") -> None:
    target = ("webhook", str(row.pk))
    audit.write(vault, who, action, target, reason=reason, region_code=row.region_id)

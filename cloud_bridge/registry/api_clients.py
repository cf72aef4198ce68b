"""Other government systems that may ask: each with a key of its own, a region, and scopes.

A key is shown once. What is kept is its SHA-256: with 256 random bits there is nothing to guess
from it, and a stolen database opens no door.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from cloud_bridge.registry import audit
from cloud_bridge.registry.models import ApiClient, Region
from cloud_bridge.registry.vault import Vault

SCOPES: Mapping[str, str] = {
    "people:read": _("Persons: name, masked number, status"),
    "people:numbers": _("Whole id numbers, each look with a reason"),
    "certifications:read": _("Proofs of life"),
    "tasks:read": _("Tasks of staff"),
    "devices:read": _("Kiosks and how they are"),
    "statistics:read": _("Counts by region"),
    "signals:write": _("Report that somebody is alive or has died"),
}
KEY_PREFIX = "jz_"
NAME_CHARACTERS = 50


class ClientRefused(Exception):
    """A client cannot be added; the word says why: `name`, `taken` or `scopes`."""


@transaction.atomic
def add(
    name: str, region: Region, scopes: Iterable[str], vault: Vault, who: str, now: datetime
) -> tuple[ApiClient, str]:
    """The client and its key, which is kept nowhere."""
    wanted = sorted(set(scopes))
    if not name.strip() or len(name) > NAME_CHARACTERS or not name.isprintable():
        raise ClientRefused("name")
    if not wanted or not set(wanted) <= set(SCOPES):
        raise ClientRefused("scopes")
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    row = ApiClient(
        name=name.strip(), key_hash=hash_of(key), region=region, scopes=wanted, made_by=who
    )
    row.made_at = now
    _save(row)
    _write(vault, who, "api-client.add", row, " ".join(wanted))
    return row, key


def _save(row: ApiClient) -> None:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise ClientRefused("taken") from error


@transaction.atomic
def revoke(row: ApiClient, vault: Vault, who: str) -> bool:
    """For good. False if it was revoked before."""
    revoked = ApiClient.objects.filter(pk=row.pk, is_active=True).update(is_active=False)
    if revoked:
        _write(vault, who, "api-client.revoke", row)
    return bool(revoked)


def by_key(key: str) -> ApiClient | None:
    """Found by an index over hashes: how long that takes tells nothing of the key."""
    rows = ApiClient.objects.filter(key_hash=hash_of(key), is_active=True)
    found: ApiClient | None = rows.select_related("region").first()
    return found


def hash_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def seen_by(account: Any) -> Any:
    rows = ApiClient.objects.filter(account.region.within("region_id"))
    return rows.select_related("region").order_by("-is_active", "name")


def _write(vault: Vault, who: str, action: str, row: ApiClient, reason: str = "") -> None:
    target = ("api-client", str(row.pk))
    audit.write(vault, who, action, target, reason=reason, region_code=row.region_id)

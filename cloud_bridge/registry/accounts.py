"""Accounts as their county looks after them: no role and no region beyond one's own.

Auditors and fleet operators are none of a county's: whoever watches it, and whoever holds its
machines, are appointed from the command line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F

from cloud_bridge.registry import audit, staff
from cloud_bridge.registry.models import Account, Region
from cloud_bridge.registry.vault import Vault

GRANTS: Mapping[str, tuple[str, ...]] = {"county": ("worker", "supervisor", "county")}
"""What a role may make accounts of."""


class AccountRefused(Exception):
    """An account cannot be made as asked; the message is a word of the page."""


@dataclass(frozen=True, slots=True)
class NewAccount:
    name: str
    role: str
    region: Region


def roles_given_by(account: Account) -> tuple[str, ...]:
    return GRANTS.get(account.role, ())


def managed_by(account: Account) -> Any:
    """Accounts that this one looks after; never itself."""
    rows = Account.objects.filter(account.region.within("region_id"))
    rows = rows.filter(role__in=roles_given_by(account)).exclude(pk=account.pk)
    return rows.select_related("region").order_by("region_id", "role", "username")


@transaction.atomic
def add(new: NewAccount, by: Account, vault: Vault) -> tuple[Account, str]:
    """A new account and its first password. Raises `AccountRefused`: `beyond` or `again`."""
    if new.role not in roles_given_by(by) or not by.region.covers(new.region.code):
        raise AccountRefused("beyond")
    if new.name == audit.SYSTEM:
        raise AccountRefused("again")
    password = staff.generated_password()
    account = Account(username=new.name, role=new.role, region=new.region, must_change=True)
    account.set_password(password)
    try:
        with transaction.atomic():
            account.save(force_insert=True)
    except IntegrityError as error:
        raise AccountRefused("again") from error
    _write(account, vault, by.username, "account.set", f"{new.role} {new.region.code}")
    return account, password


@transaction.atomic
def reset_password(account: Account, vault: Vault, who: str) -> str:
    """A new first password; the account is unlocked, and its sessions end."""
    password = staff.generated_password()
    account.set_password(password)
    account.must_change = True
    account.failed_tries, account.locked_until = 0, None
    account.save()
    end_sessions(account)
    _write(account, vault, who, "account.reset")
    return password


def end_sessions(account: Account) -> None:
    Account.objects.filter(pk=account.pk).update(door_stamp=F("door_stamp") + 1)


def _write(account: Account, vault: Vault, who: str, action: str, reason: str = "") -> None:
    target, place = ("account", account.username), account.region_id
    audit.write(vault, who, action, target, reason=reason, region_code=place)

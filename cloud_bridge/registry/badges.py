"""Badges and PINs for staff at kiosks: issued, given a new PIN, revoked; each change audited.

A PIN is returned once, to be shown once. What is kept is a slow salted hash of it,
encrypted with the registry's key, so that neither a copy of the database nor the key
alone gives anybody a PIN to try.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from cloud_bridge.registry import audit
from cloud_bridge.registry.models import ROOT_REGION, Account, Badge, Device, Region, Role
from cloud_bridge.registry.vault import Vault, VaultError
from edge.domain.staff import (
    BADGE_DIGITS,
    CODE_PREFIX,
    PIN_DIGITS,
    SALT_BYTES,
    Permission,
    PinVerifier,
    StaffEntry,
)
from edge.domain.timebase import CHINA
from edge.wire.staff import MAX_BADGES

LONGEST_DAYS = 366
PERMISSIONS = {
    Badge.Role.CLERK: frozenset({Permission.SERVICE, Permission.WITNESS}),
    Badge.Role.TECHNICIAN: frozenset({Permission.SERVICE, Permission.POWER}),
}


class BadgeRefused(Exception):
    """A badge cannot be issued or changed as asked; the message is a word of the labels."""


@dataclass(frozen=True, slots=True)
class NewBadge:
    """What was asked for. `valid_until` is the last day."""

    name: str
    role: str
    region: Region
    valid_until: date


@dataclass(frozen=True, slots=True)
class Issued:
    """A badge and its PIN; the PIN exists here and on the screen or paper it is shown on."""

    badge: Badge
    pin: str

    def __repr__(self) -> str:
        return "Issued()"


@transaction.atomic
def issue(new: NewBadge, vault: Vault, who: str, now: datetime) -> Issued:
    """Raises `BadgeRefused`: `again` if somebody of this name has one there already, `full` if
    some kiosk there has as many badges as one list may hold."""
    same = Badge.objects.filter(name=new.name, region=new.region, revoked_at=None)
    if same.exists():
        raise BadgeRefused("again")
    if _most_at_a_kiosk(new.region, now.astimezone(CHINA).date()) >= MAX_BADGES:
        raise BadgeRefused("full")
    number, pin = _unused_number(), new_pin()
    badge = Badge.objects.create(
        number=number,
        name=new.name,
        role=new.role,
        region=new.region,
        valid_until=new.valid_until,
        verifier_sealed=_sealed(pin, number, vault),
        issued_by=who,
        issued_at=now,
    )
    _changed(badge, "badge.issue", vault, who, f"{new.role} {new.valid_until}")
    return Issued(badge, pin)


@transaction.atomic
def reset(badge: Badge, vault: Vault, who: str) -> Issued:
    """A new PIN; the one before it ends with the next list."""
    if badge.revoked_at is not None:
        raise BadgeRefused("revoked")
    pin = new_pin()
    badge.verifier_sealed = _sealed(pin, badge.number, vault)
    badge.save()
    _changed(badge, "badge.reset", vault, who)
    return Issued(badge, pin)


@transaction.atomic
def revoke(badge: Badge, vault: Vault, who: str, now: datetime) -> bool:
    """False if it was revoked before. Its number is never given to anybody else."""
    rows = Badge.objects.filter(pk=badge.pk, revoked_at=None)
    if not rows.update(revoked_at=now, verifier_sealed=b""):
        return False
    badge.refresh_from_db()
    _changed(badge, "badge.revoke", vault, who)
    return True


def new_pin() -> str:
    """One of a million, made here: nobody chooses their own, so none is easier than another."""
    return "".join(secrets.choice("0123456789") for _ in range(PIN_DIGITS))


def code_of(badge: Badge) -> str:
    """What the code on the badge says; the PIN is no part of it."""
    return f"{CODE_PREFIX}{badge.number}"


def entries(device: Device, vault: Vault, today: date) -> tuple[list[StaffEntry], int]:
    """The badges that count at a kiosk, and how many have damaged rows and are left out."""
    found, damaged = [], 0
    for badge in serving(device).filter(valid_until__gte=today).order_by("number"):
        try:
            verifier = _verifier(badge, vault)
        except (VaultError, ValueError, KeyError, TypeError):
            damaged += 1
            continue
        permissions = PERMISSIONS[Badge.Role(badge.role)]
        found.append(StaffEntry(badge.number, permissions, badge.valid_until, verifier))
    return found, damaged


def serving(device: Device) -> Any:
    """Badges of the region the kiosk serves, and of the regions above it."""
    codes = [row.code for row in Region.objects.all() if row.covers(device.site.region_id)]
    return Badge.objects.filter(revoked_at=None, region__in=codes)


def may_give(account: Account, role: str) -> bool:
    """Whether an account may hand out a badge of this role, or a new PIN for one.

    A clerk's badge certifies people: who looks after machines must not make one for themselves.
    """
    supervises = account.role in (Role.SUPERVISOR, Role.COUNTY)
    return supervises or Badge.Role(role) is Badge.Role.TECHNICIAN


def may_witness(number: str, region_id: str, at: datetime) -> bool:
    """Whether this badge could vouch for people at a kiosk there, at that time."""
    badge = Badge.objects.select_related("region").filter(number=number).first()
    if badge is None or not badge.region.covers(region_id):
        return False
    ended = badge.revoked_at is not None and badge.revoked_at <= at
    valid = badge.issued_at <= at and at.astimezone(CHINA).date() <= badge.valid_until
    return valid and not ended and Permission.WITNESS in PERMISSIONS[Badge.Role(badge.role)]


def seen_by(account: Account) -> Any:
    rows = Badge.objects.filter(account.region.within("region_id")).select_related("region")
    return rows.order_by("revoked_at", "region_id", "name", "number")


def kiosks_of(badge: Badge) -> Any:
    """Where the badge opens the service screen."""
    return Device.objects.filter(badge.region.within("site__region_id"))


def to_send(today: date) -> Any:
    """Kiosks whose list has to go out: something changed, or today's was not sent yet."""
    return Device.objects.filter(Q(staff_due=True) | ~Q(staff_day=today))


def latest(today: date) -> date:
    """The last day a badge may be issued for."""
    return today + timedelta(days=LONGEST_DAYS)


def _changed(badge: Badge, action: str, vault: Vault, who: str, reason: str = "") -> None:
    # The version moves too: a list just on its way does not count as this one.
    kiosks_of(badge).update(staff_due=True, staff_version=F("staff_version") + 1)
    target = ("badge", badge.number)
    audit.write(vault, who, action, target, reason=reason, region_code=badge.region_id)


def _most_at_a_kiosk(region: Region, today: date) -> int:
    """The most badges that count in any one place of a region, wherever its kiosks are put.

    A place has those of its own region and of all above; a kiosk refuses a longer list whole.
    """
    valid = Badge.objects.filter(revoked_at=None, valid_until__gte=today)
    number = Counter(valid.values_list("region_id", flat=True))
    places = {region.code, *filter(region.covers, number)}
    return max(sum(number[above] for above in _line(code)) for code in places)


def _line(code: str) -> Iterator[str]:
    """A region's code and those of all above it."""
    while code != ROOT_REGION:
        yield code
        code = Region.parent_code(code)
    yield ROOT_REGION


def _unused_number() -> str:
    """Random, so that knowing one says nothing about the others; never 0 in front."""
    while True:
        number = str(secrets.randbelow(9 * 10 ** (BADGE_DIGITS - 1)) + 10 ** (BADGE_DIGITS - 1))
        if not Badge.objects.filter(number=number).exists():
            return number


def _sealed(pin: str, number: str, vault: Vault) -> bytes:
    made = PinVerifier.of(pin, secrets.token_bytes(SALT_BYTES))
    salt, digest = (base64.b64encode(part).decode() for part in (made.salt, made.digest))
    text = json.dumps({"salt": salt, "digest": digest, "n": made.n, "r": made.r, "p": made.p})
    return vault.seal(text, f"badge {number}")


def _verifier(badge: Badge, vault: Vault) -> PinVerifier:
    row = json.loads(vault.open(badge.verifier_sealed, f"badge {badge.number}"))
    salt, digest = (base64.b64decode(row[name]) for name in ("salt", "digest"))
    return PinVerifier(salt, digest, row["n"], row["r"], row["p"])

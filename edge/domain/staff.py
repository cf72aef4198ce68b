"""Staff at a kiosk: badges and PINs, who may sign in, and what is written down of them. Pure.

The registry sends every kiosk the list of its badges, so that somebody can sign in
where there is no network. A PIN has a million values: what protects it is that a
kiosk counts tries, and that each try costs a slow hash.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum

from edge.domain.record import Provenance
from edge.domain.timebase import NS_PER_S, Stamp

BADGE_DIGITS = 6
PIN_DIGITS = 6
TRIES = 5
"""So often a PIN may be wrong; then the badge is locked at that kiosk."""
LOCKED_FOR = timedelta(hours=24)
"""A locked badge opens again after this long, or with the next list from the registry."""
GOOD_FOR = timedelta(days=30)
"""A list counts for this long from its issue."""
CLOCK_SLACK = timedelta(minutes=10)
CODE_PREFIX = "jianzai-badge:"
"""What the code on a badge begins with; the number follows, never the PIN."""

SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**15, 8, 1
"""32 MiB and about a tenth of a second on a desktop, three times that on a Pi."""
SALT_BYTES = 16
DIGEST_BYTES = 32
_SCRYPT_MEMORY_BYTES = 192 * 1024 * 1024


class Permission(Enum):
    """What a badge opens; words a kiosk does not know are left out."""

    SERVICE = "service"  # look, test, volume
    WITNESS = "witness"  # vouch for residents, enrol and delete their templates
    POWER = "power"  # switch off, restart


@dataclass(frozen=True, slots=True)
class PinVerifier:
    """scrypt of a PIN. Tells whether a PIN is right, and nothing else in reasonable time."""

    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)
    n: int = SCRYPT_N
    r: int = SCRYPT_R
    p: int = SCRYPT_P

    @classmethod
    def of(cls, pin: str, salt: bytes) -> PinVerifier:
        """`salt` is `SALT_BYTES` of chance, never used twice."""
        return cls(salt, _scrypt(pin, salt, SCRYPT_N, SCRYPT_R, SCRYPT_P))

    def holds(self, pin: str) -> bool:
        found = _scrypt(pin, self.salt, self.n, self.r, self.p)
        return hmac.compare_digest(found, self.digest)


NOBODY = PinVerifier(bytes(SALT_BYTES), bytes(DIGEST_BYTES))
"""Holds for no PIN; a badge that is not on the list takes as long as one that is."""


def _scrypt(pin: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    memory = _SCRYPT_MEMORY_BYTES
    return hashlib.scrypt(pin.encode(), salt=salt, n=n, r=r, p=p, maxmem=memory, dklen=DIGEST_BYTES)


@dataclass(frozen=True, slots=True)
class StaffEntry:
    """One badge, without the name of who wears it. `valid_until` is its last day."""

    badge: str = field(repr=False)
    permissions: frozenset[Permission]
    valid_until: date
    verifier: PinVerifier


@dataclass(frozen=True, slots=True)
class StaffList:
    """Everybody who may sign in at one kiosk; replaces the list before it as a whole."""

    version: int
    issued: datetime
    entries: tuple[StaffEntry, ...] = field(repr=False)

    def find(self, badge: str) -> StaffEntry | None:
        return next((entry for entry in self.entries if entry.badge == badge), None)


@dataclass(frozen=True, slots=True)
class HeldList:
    """A list, and when it came to this kiosk on the clock that counts from boot."""

    staff: StaffList
    boot_id: str
    boot_ns: int


@dataclass(frozen=True, slots=True)
class StaffMember:
    """Who is signed in."""

    badge: str = field(repr=False)
    permissions: frozenset[Permission]

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions


class Refusal(Enum):
    """Why somebody cannot sign in; an unknown badge and a wrong PIN are one answer."""

    SHORT = "short"  # not all digits were typed
    WRONG = "wrong"
    LOCKED = "locked"
    EXPIRED = "expired"  # the badge
    NO_LIST = "no_list"
    OLD_LIST = "old_list"
    NO_CLOCK = "no_clock"  # and the list is from before the machine was switched on
    BROKEN = "broken"  # the kiosk's disk


def refusal_of(held: HeldList | None, now: Stamp) -> Refusal | None:
    """What stands against the list as a whole.

    A clock that is not sure, or behind the list's own signed time, says nothing of its
    age. Then a list counts that came since the machine was switched on, for as long.
    """
    if held is None:
        return Refusal.NO_LIST
    if now.is_sure and now.utc >= held.staff.issued - CLOCK_SLACK:
        age = now.utc - held.staff.issued
    elif now.boot_id == held.boot_id:
        age = timedelta(seconds=(now.boot_ns - held.boot_ns) / NS_PER_S)
    else:
        return Refusal.NO_CLOCK
    return Refusal.OLD_LIST if age > GOOD_FOR else None


def is_expired(entry: StaffEntry, now: Stamp) -> bool:
    return now.is_sure and now.local.date() > entry.valid_until


@dataclass(frozen=True, slots=True)
class Tries:
    """Wrong PINs of one badge since its last right one, under one version of the list.

    `until` ends a lock by the clock; `None` when the clock was not sure.
    """

    version: int
    failed: int
    until: datetime | None = None


def is_locked(tries: Tries | None, version: int, now: Stamp) -> bool:
    if tries is None or tries.failed < TRIES:
        return False
    return not _is_over(tries, version, now)


def one_more(tries: Tries | None, version: int, now: Stamp) -> Tries:
    """The count after another try; it is written down before the PIN is looked at."""
    before = 0 if tries is None or _is_over(tries, version, now) else tries.failed
    return Tries(version, before + 1, now.utc + LOCKED_FOR if now.is_sure else None)


def _is_over(tries: Tries, version: int, now: Stamp) -> bool:
    waited = tries.until is not None and now.is_sure and now.utc >= tries.until
    return version > tries.version or (waited and tries.failed >= TRIES)


def badge_of(code: str) -> str | None:
    """The number on a scanned badge; `None` for any other code."""
    number = code.strip().removeprefix(CODE_PREFIX)
    whole = code.strip().startswith(CODE_PREFIX) and len(number) == BADGE_DIGITS
    return number if whole and number.isascii() and number.isdigit() else None


class Deed(Enum):
    """What is written down of staff at a kiosk, and sent to the registry's audit log."""

    SIGNED_IN = "signed_in"
    FAILED = "failed"
    LOCKED = "locked"
    REFUSED = "refused"  # the badge's day is over, or the list's
    CHECKED = "checked"
    PRINTED = "printed"
    LOOKED = "looked"  # through the camera
    ASSISTED = "assisted"  # began to serve a resident
    VOLUME = "volume"
    POWER_OFF = "power_off"
    RESTART = "restart"
    SIGNED_OUT = "signed_out"


@dataclass(frozen=True, slots=True)
class StaffEvent:
    """One deed; `badge` is empty when the number typed is nobody's."""

    event_id: str
    kiosk_id: str
    badge: str = field(repr=False)
    deed: Deed
    at: Stamp
    provenance: Provenance
    software: str

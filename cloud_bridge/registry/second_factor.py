"""The second factor: six digits from a phone (RFC 6238), or a recovery code from paper.

The secret is encrypted with a key outside the database, recovery codes are kept as keyed hashes:
a copy of the database opens nobody's door. A code counts once; so does every step of time before
the one it belongs to.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlencode

from django.db import transaction
from django.db.models import F
from django_otp.oath import TOTP

from cloud_bridge.registry import audit
from cloud_bridge.registry.models import Account, RecoveryCode
from cloud_bridge.registry.vault import Vault, VaultError

ISSUER = "健在 Jianzai"
SECRET_BYTES = 20  # as RFC 4226 recommends; what phones expect
STEP_S = 30
DIGITS = 6
DRIFT_STEPS = 1  # a phone may be half a minute early or late
RECOVERY_CODES = 10
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_LETTERS = 12  # 59 random bits


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a phone needs: `uri` for its camera, `key` to be typed, in groups of four."""

    uri: str
    key: str

    def __repr__(self) -> str:
        return "Enrolment()"


def has(account: Account) -> bool:
    return account.totp_since is not None


def codes_left(account: Account) -> int:
    return int(account.recovery_codes.filter(used_at=None).count())


def enrolment(account: Account, vault: Vault) -> Enrolment:
    """The secret that waits for its first code; the same until that has come."""
    if has(account):
        raise ValueError("this account has a second factor")
    secret = _opened(account, vault) or _new_secret(account, vault)
    key = base64.b32encode(secret).decode()
    label = quote(f"{ISSUER}:{account.username}")
    query = urlencode({"secret": key, "issuer": ISSUER}, quote_via=quote)
    groups = " ".join(key[n : n + 4] for n in range(0, len(key), 4))
    return Enrolment(f"otpauth://totp/{label}?{query}", groups)


@transaction.atomic
def enrol(account: Account, code: str, vault: Vault, now: datetime) -> Sequence[str] | None:
    """Take over the phone that shows this code; returns recovery codes, or None if it is wrong."""
    step = _step_of(account, code, vault, now)
    if has(account) or step is None:
        return None
    _moved(account, totp_since=now, totp_step=step)
    _write(account, vault, account.username, "factor.set")
    return _fresh_codes(account, vault)


def accepts(account: Account, code: str, vault: Vault, now: datetime) -> bool:
    """Whether it is the phone's code of now or an unused recovery code; it is used up by that."""
    if not has(account):
        return False
    step = _step_of(account, code, vault, now)
    if step is None:
        return _takes_recovery(account, code, vault, now)
    rows = Account.objects.filter(pk=account.pk, totp_step__lt=step)
    return bool(rows.update(totp_step=step))


@transaction.atomic
def new_codes(account: Account, vault: Vault) -> Sequence[str]:
    """Ten new recovery codes; those before are worth nothing from now on."""
    _write(account, vault, account.username, "factor.codes")
    return _fresh_codes(account, vault)


@transaction.atomic
def reset(account: Account, vault: Vault, who: str) -> None:
    """Forget phone and recovery codes and end every session; the next sign-in asks for a phone."""
    account.recovery_codes.all().delete()
    _moved(account, totp_sealed=b"", totp_since=None, totp_step=0)
    _write(account, vault, who, "factor.reset")


def _new_secret(account: Account, vault: Vault) -> bytes:
    secret = secrets.token_bytes(SECRET_BYTES)
    account.totp_sealed = vault.seal(secret.hex(), _owner(account))
    account.save(update_fields=["totp_sealed"])
    return secret


def _opened(account: Account, vault: Vault) -> bytes:
    """Empty if there is none, or none that this key opens: then only recovery codes are left."""
    try:
        return bytes.fromhex(vault.open(account.totp_sealed, _owner(account)))
    except VaultError:
        return b""


def _owner(account: Account) -> str:
    return f"totp {account.pk}"


def _step_of(account: Account, code: str, vault: Vault, now: datetime) -> int | None:
    """The step of time whose code this is, if it is a new one close to now."""
    digits, secret = code.replace(" ", ""), _opened(account, vault)
    if not secret or len(digits) != DIGITS or not digits.isascii() or not digits.isdecimal():
        return None
    clock = TOTP(secret, step=STEP_S, digits=DIGITS)
    clock.time = int(now.timestamp())
    fits = clock.verify(int(digits), tolerance=DRIFT_STEPS, min_t=account.totp_step + 1)
    return int(clock.t()) if fits else None


def _takes_recovery(account: Account, code: str, vault: Vault, now: datetime) -> bool:
    rows = RecoveryCode.objects.filter(account=account, used_at=None)
    taken = rows.filter(code_hash=_hash(account, code, vault)).update(used_at=now)
    if taken:
        _write(account, vault, account.username, "factor.recovery")
    return bool(taken)


def _fresh_codes(account: Account, vault: Vault) -> Sequence[str]:
    codes = [_new_code() for _ in range(RECOVERY_CODES)]
    account.recovery_codes.all().delete()
    rows = [RecoveryCode(account=account, code_hash=_hash(account, c, vault)) for c in codes]
    RecoveryCode.objects.bulk_create(rows)
    return codes


def _new_code() -> str:
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(_LETTERS))
    return "-".join(letters[n : n + 4] for n in range(0, _LETTERS, 4))


def _hash(account: Account, code: str, vault: Vault) -> str:
    letters = code.lower().replace("-", "").replace(" ", "")
    return vault.door_hash(f"{account.pk} {letters}")


def _moved(account: Account, **values: object) -> None:
    """Write these columns, and end the account's sessions."""
    Account.objects.filter(pk=account.pk).update(door_stamp=F("door_stamp") + 1, **values)
    account.refresh_from_db()


def _write(account: Account, vault: Vault, who: str, action: str) -> None:
    target = ("account", account.username)
    audit.write(vault, who, action, target, region_code=account.region_id)

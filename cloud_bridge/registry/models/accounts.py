"""Who works here, and in whose name other systems ask."""

from __future__ import annotations

import hashlib

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.translation import gettext_lazy as _

from cloud_bridge.registry.models.regions import Region


class Role(models.TextChoices):
    WORKER = "worker", _("Village case worker")
    SUPERVISOR = "supervisor", _("Street supervisor")
    COUNTY = "county", _("County administrator")
    AUDITOR = "auditor", _("Auditor")
    OPERATOR = "operator", _("Fleet operator")


class AccountManager(BaseUserManager):
    def get_by_natural_key(self, username: str) -> Account:
        account: Account = self.get(username=username)
        return account


class Account(AbstractBaseUser):
    """A member of staff: one role, one region, nothing outside it."""

    username = models.CharField(max_length=60, unique=True)
    role = models.CharField(max_length=12, choices=Role)
    region = models.ForeignKey(Region, models.PROTECT, related_name="+")
    is_active = models.BooleanField(default=True)
    failed_tries = models.IntegerField(default=0)
    locked_until = models.DateTimeField(null=True)
    must_change = models.BooleanField(default=False)
    """The password came from somebody else and opens nothing but the page that changes it."""
    door_stamp = models.IntegerField(default=0)
    """Raised to end every session of the account."""
    totp_sealed = models.BinaryField(default=bytes)
    totp_since = models.DateTimeField(null=True)
    """None while the phone has not shown its first code."""
    totp_step = models.BigIntegerField(default=0)
    """The 30 seconds whose code was used last; it and all before it are refused."""

    USERNAME_FIELD = "username"
    objects = AccountManager()

    def get_session_auth_hash(self) -> str:
        """What a session has to match: ends with the password, and with `door_stamp`."""
        stamped = f"{super().get_session_auth_hash()} {self.door_stamp}"
        return hashlib.sha256(stamped.encode()).hexdigest()


class RecoveryCode(models.Model):
    """Opens the door once where the phone is lost; kept as a keyed hash."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="recovery_codes")
    code_hash = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["account", "code_hash"], name="one_row_per_code"),
        )


class DoorTally(models.Model):
    """How many wrong tries came lately from one address or one browser; it runs dry with time."""

    key = models.CharField(max_length=64, primary_key=True)
    level = models.FloatField()
    at = models.DateTimeField()


class SavedFilter(models.Model):
    """A question that somebody asks of the list again and again; holds no id number."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="filters")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=500)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["account", "name"], name="one_filter_per_name"),
        )


class ApiClient(models.Model):
    """Another government system: one region, the scopes it was given, and a key kept as a hash."""

    name = models.CharField(max_length=60, unique=True)
    key_hash = models.CharField(max_length=64, unique=True)
    region = models.ForeignKey(Region, models.PROTECT, related_name="+")
    scopes = models.JSONField(default=list)
    is_active = models.BooleanField(default=True)
    made_by = models.CharField(max_length=60)
    made_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

"""Who works here, and in whose name other systems ask."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.translation import gettext_lazy as _

from cloud_bridge.registry.models.regions import Region


class Role(models.TextChoices):
    WORKER = "worker", _("Case worker")
    SUPERVISOR = "supervisor", _("Supervisor")
    TECHNICIAN = "technician", _("Technician")
    AUDITOR = "auditor", _("Auditor")


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

    USERNAME_FIELD = "username"
    objects = AccountManager()


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

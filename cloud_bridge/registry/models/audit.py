"""The log of looks and changes."""

from __future__ import annotations

from django.db import models


class AuditHead(models.Model):
    """Number and hash of the last audit entry: cutting entries off the end shows too."""

    number = models.BigIntegerField(default=0)
    chain_hash = models.CharField(max_length=64, default="0" * 64)


class AuditEntry(models.Model):
    """Who looked at or changed what. Chained by `chain_hash`; written by `registry.audit` only."""

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    who = models.CharField(max_length=60)
    action = models.CharField(max_length=30, db_index=True)
    object_kind = models.CharField(max_length=20)
    object_id = models.CharField(max_length=64, db_index=True)
    reason = models.CharField(max_length=200, blank=True)
    region_code = models.CharField(max_length=12, db_index=True)
    chain_hash = models.CharField(max_length=64)

"""The log of looks and changes."""

from __future__ import annotations

from django.db import models


class AuditHead(models.Model):
    """Last place and hash of one of the chains: cutting entries off the end shows too.

    There are `registry.audit.CHAINS` of them, always, so that several can be written at once
    and none can be taken away unseen. `seal` covers the row with the registry's key.
    """

    number = models.BigIntegerField(default=0)
    chain_hash = models.CharField(max_length=64)
    seal = models.CharField(max_length=64, default="")


class AuditEntry(models.Model):
    """Who looked at or changed what; written by `registry.audit` only.

    `number` says in which order entries came, roughly and with holes; `place` in its `chain` has
    none, and `chain_hash` covers everything before it there.
    """

    number = models.BigAutoField(primary_key=True)
    chain = models.IntegerField(default=1)
    place = models.BigIntegerField()
    at = models.DateTimeField()
    who = models.CharField(max_length=60)
    action = models.CharField(max_length=30, db_index=True)
    object_kind = models.CharField(max_length=20)
    object_id = models.CharField(max_length=64, db_index=True)
    reason = models.CharField(max_length=200, blank=True)
    region_code = models.CharField(max_length=12, db_index=True)
    chain_hash = models.CharField(max_length=64)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["chain", "place"], name="auditentry_place"),)


class AuditCheckpoint(models.Model):
    """How far every chain had come at one moment, signed; names the hash of the one before.

    `heads`: rows of chain, place and hash. Its `sha256` is what is printed once a day: paper
    that nobody at the database can change.
    """

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    heads = models.JSONField()
    previous = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64)
    signature = models.CharField(max_length=100)

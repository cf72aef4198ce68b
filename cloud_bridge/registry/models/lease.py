"""Who does what only one process may do."""

from __future__ import annotations

from django.db import models


class Lease(models.Model):
    """One row per office; its `holder` has it until `until`, or may be followed at once."""

    name = models.CharField(max_length=20, primary_key=True)
    holder = models.CharField(max_length=60, blank=True)
    until = models.DateTimeField(null=True)

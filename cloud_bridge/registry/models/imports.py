"""Files that were taken in, and what each changed, so that it can be undone."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from cloud_bridge.registry.models.people import Person


class ImportRun(models.Model):
    """One file. Looked at first, then applied as a whole or not at all, and undone as a whole.

    `content_sealed`: the file itself between the look and the decision, empty afterwards.
    `errors`: the first of `faults` rows of line, column and what is wrong (words of
    `registry.imports.faults`); never what stands in the cell. `unknown`: rows about nobody of this
    registry. `full`: the file is the region's whole roster, and `missing` people are not in it.
    """

    class Kind(models.TextChoices):
        PEOPLE = "people", _("People")
        REGIONS = "regions", _("Regions")
        LIFE = "life", _("Signs of life")
        DEATH = "death", _("Deaths")

    class State(models.TextChoices):
        LOOKED_AT = "looked_at", _("Looked at, not applied")
        APPLIED = "applied", _("Applied")
        UNDONE = "undone", _("Undone")
        DROPPED = "dropped", _("Dropped")

    kind = models.CharField(max_length=8, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.LOOKED_AT)
    file_name = models.CharField(max_length=120)
    sha256 = models.CharField(max_length=64)
    content_sealed = models.BinaryField(default=b"")
    rows = models.IntegerField(default=0)
    added = models.IntegerField(default=0)
    changed = models.IntegerField(default=0)
    unchanged = models.IntegerField(default=0)
    unknown = models.IntegerField(default=0)
    full = models.BooleanField(default=False)
    missing = models.IntegerField(default=0)
    faults = models.IntegerField(default=0)
    errors = models.JSONField(default=list)
    by = models.CharField(max_length=60)
    at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)
    undone_by = models.CharField(max_length=60, blank=True)
    undone_at = models.DateTimeField(null=True)
    region = models.ForeignKey("registry.Region", models.PROTECT, related_name="+")


class ImportChange(models.Model):
    """What an import did to one person, or to one region: exactly one of them is set.

    `before` holds the changed columns, None if it is new.
    """

    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="changes")
    person = models.ForeignKey(Person, models.CASCADE, null=True, related_name="+")
    region = models.ForeignKey("registry.Region", models.CASCADE, null=True, related_name="+")
    before = models.JSONField(null=True)

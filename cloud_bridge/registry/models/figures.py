"""What the dashboards count, added up by day and street; `registry.figures` writes it anew."""

from __future__ import annotations

from django.db import models

from cloud_bridge.registry.models.devices import Site
from cloud_bridge.registry.models.proofs import Proof


class DayOfProofs(models.Model):
    """How many proofs of one day and method count, of people of one street (12-digit code)."""

    day = models.DateField()
    street = models.CharField(max_length=12)
    method = models.CharField(max_length=8, choices=Proof.Method)
    proofs = models.IntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["day", "street", "method"], name="one_sum_of_proofs"),
        )


class DayOfChecks(models.Model):
    """Checks by camera that arrived on one day, of people of one street.

    `passed` of `checks` succeeded, in `tries` tries. `session_s` from the first screen to the
    last in `sessions` of them whose clock tells, `camera_s` before the camera in `looks` of them.
    `people` had none before in that calendar year; added up within a year it is never more than
    there were people.
    """

    day = models.DateField()
    street = models.CharField(max_length=12)
    site = models.ForeignKey(Site, models.CASCADE, related_name="+")
    band = models.CharField(max_length=8)
    software = models.CharField(max_length=120)
    people = models.IntegerField()
    checks = models.IntegerField()
    passed = models.IntegerField()
    tries = models.IntegerField()
    sessions = models.IntegerField()
    session_s = models.FloatField()
    looks = models.IntegerField()
    camera_s = models.FloatField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["day", "street", "site", "band", "software"], name="one_sum_of_checks"
            ),
        )


class FiguresMark(models.Model):
    """Up to when everything that was filed is in the figures."""

    counted_to = models.DateTimeField(null=True)

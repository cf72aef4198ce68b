"""Releases on their way through the fleet."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from cloud_bridge.registry.models.devices import Device


class Rollout(models.Model):
    """One release for many kiosks, ring by ring.

    `policy`: the fields of `cloud_bridge.fleet.rollout.Policy`. `approved_ring`: no ring beyond it
    opens before somebody says so. `ring_at`: when the open ring was opened.
    """

    class State(models.TextChoices):
        RUNNING = "running", pgettext_lazy("rollout", "Running")
        PAUSED = "paused", pgettext_lazy("rollout", "Paused")
        STOPPED = "stopped", pgettext_lazy("rollout", "Stopped")
        DONE = "done", pgettext_lazy("rollout", "Done")

    serial = models.IntegerField(unique=True)
    version = models.CharField(max_length=40)
    manifest_sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING, db_index=True)
    policy = models.JSONField()
    window_begins = models.IntegerField(default=0)
    window_ends = models.IntegerField(default=0)
    defer_days = models.IntegerField(default=7)
    ring = models.IntegerField(default=0)
    ring_at = models.DateTimeField()
    approved_ring = models.IntegerField()
    started_by = models.CharField(max_length=60)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    why = models.CharField(max_length=200, blank=True)


class RolloutKiosk(models.Model):
    """What a roll-out means for one kiosk. `assigned_at` is empty before its ring opens."""

    class Outcome(models.TextChoices):
        OPEN = "", _("No word yet")
        GOOD = "good", _("Runs it")
        FAILED = "failed", _("Went back or refused it")
        SILENT = "silent", _("Said nothing")

    rollout = models.ForeignKey(Rollout, models.CASCADE, related_name="kiosks")
    device = models.ForeignKey(Device, models.CASCADE, related_name="rollouts")
    ring = models.IntegerField()
    assigned_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=8, choices=Outcome, blank=True)
    word = models.CharField(max_length=40, blank=True)
    told_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["rollout", "device"], name="one_place_in_a_rollout"),
        )


class KioskRelease(models.Model):
    """What one kiosk shall run and what it last said that it runs.

    `due`: the assignment `seq` is still to be sent. The report is unsigned, so it moves a roll-out
    and is shown, but makes no kiosk install anything.
    """

    device = models.OneToOneField(
        Device, models.CASCADE, primary_key=True, related_name="release_row"
    )
    seq = models.BigIntegerField(default=0)
    serial = models.IntegerField(default=0)
    manifest_sha256 = models.CharField(max_length=64, blank=True)
    rollout = models.ForeignKey(Rollout, models.SET_NULL, null=True, related_name="+")
    due = models.BooleanField(default=False)
    sent_at = models.DateTimeField(null=True)
    running = models.IntegerField(default=0)
    phase = models.CharField(max_length=20, blank=True)
    word = models.CharField(max_length=40, blank=True)
    told_at = models.DateTimeField(null=True)

"""Staff at the kiosks: their badges and what they did."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from cloud_bridge.registry.models.devices import Device
from cloud_bridge.registry.models.regions import Region


class Badge(models.Model):
    """What a member of staff signs in with at a kiosk; good in one region and on its kiosks.

    `number` is printed on the badge, `verifier_sealed` stands for the PIN (see
    `registry.badges`) and is empty once the badge is revoked.
    """

    class Role(models.TextChoices):
        CLERK = "clerk", _("Clerk: serves residents, looks, tests, volume")
        TECHNICIAN = "technician", _("Technician: may also switch off")

    number = models.CharField(max_length=12, primary_key=True)
    name = models.CharField(max_length=60)
    role = models.CharField(max_length=12, choices=Role)
    region = models.ForeignKey(Region, models.PROTECT, related_name="+")
    valid_until = models.DateField()
    verifier_sealed = models.BinaryField()
    issued_by = models.CharField(max_length=60)
    issued_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)


class StaffDeed(models.Model):
    """What staff did at a kiosk, signed by it; also in the audit log. `badge` may be nobody's."""

    record_id = models.CharField(max_length=36, primary_key=True)
    device = models.ForeignKey(Device, models.PROTECT, related_name="+")
    badge = models.CharField(max_length=12, blank=True, db_index=True)
    deed = models.CharField(max_length=20)
    at = models.DateTimeField()
    simulated = models.BooleanField()
    epoch = models.CharField(max_length=64)
    seq = models.BigIntegerField()
    prev_sha256 = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64)
    envelope = models.BinaryField()
    filed_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["device", "epoch", "seq"], name="staffdeed_place"),
        )

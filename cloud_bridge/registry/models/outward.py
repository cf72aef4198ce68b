"""What is told to other systems."""

from __future__ import annotations

from django.db import models

from cloud_bridge.registry.models.regions import Region


class Webhook(models.Model):
    """Where another system wants to be told, and of what; signed with a secret of its own."""

    name = models.CharField(max_length=60, unique=True)
    url = models.CharField(max_length=300)
    secret_sealed = models.BinaryField()
    events = models.JSONField(default=list)
    region = models.ForeignKey(Region, models.PROTECT, related_name="+")
    is_active = models.BooleanField(default=True)
    made_by = models.CharField(max_length=60)
    made_at = models.DateTimeField()


class Delivery(models.Model):
    """One event for one webhook, tried until it is taken or given up."""

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    event_id = models.CharField(max_length=36)
    event = models.CharField(max_length=30)
    body = models.JSONField()
    made_at = models.DateTimeField()
    tries = models.IntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, db_index=True)
    delivered_at = models.DateTimeField(null=True)
    last_answer = models.CharField(max_length=60, blank=True)

    @property
    def state(self) -> str:
        """`delivered`, `waits` or `given_up`."""
        if self.delivered_at is not None:
            return "delivered"
        return "waits" if self.next_try_at is not None else "given_up"

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["webhook", "event_id"], name="one_delivery_per_event"),
        )

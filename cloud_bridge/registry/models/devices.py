"""Kiosks, where they stand, and what they told of themselves."""

from __future__ import annotations

from django.db import models

from cloud_bridge.registry.gaps import Gaps, count, without
from cloud_bridge.registry.models.regions import Region
from edge.wire.messages import EPOCH


class Site(models.Model):
    """Where kiosks stand, and whose people they serve. `address`: as somebody would find it."""

    name = models.CharField(max_length=60, unique=True)
    address = models.CharField(max_length=120, blank=True)
    region = models.ForeignKey(Region, models.PROTECT, related_name="sites")


class Device(models.Model):
    """One kiosk.

    `simulated_only`: a demonstration kiosk; whatever it signs, it may never
    file a LIVE record. `card_secret_sealed` is the kiosk's own key for card
    keys, needed to write its roster. `health` is what the kiosk last said of its devices
    (rows of `edge.wire.messages.DeviceHealth`), `health_at` when that changed here.

    `staff_due`: the list of badges is to be sent now; `staff_day` the day it was last sent for.

    `forget_due`: its list of templates to be deleted has changed and is to be sent.

    `throttled`: how many of its messages were dropped unread, because it sent too many.

    `roster_due`: to be sent now. `roster_stale`: to be sent when the last one is some
    minutes old. `roster_day`: the day it was written for; who has to come changes with the day.
    """

    kiosk_id = models.CharField(max_length=64, primary_key=True)
    site = models.ForeignKey(Site, models.PROTECT, related_name="devices")
    sign_pub = models.CharField(max_length=64)
    open_pub = models.CharField(max_length=64)
    card_secret_sealed = models.BinaryField()
    simulated_only = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True, null=True)
    online = models.BooleanField(default=False)
    boot_seq = models.BigIntegerField(default=0)
    seen_at = models.DateTimeField(null=True)
    software = models.CharField(max_length=120, blank=True)
    roster_due = models.BooleanField(default=False)
    roster_stale = models.BooleanField(default=False)
    roster_day = models.DateField(null=True)
    roster_version = models.BigIntegerField(default=0)
    roster_sent_at = models.DateTimeField(null=True)
    roster_problem = models.CharField(max_length=200, blank=True)
    staff_due = models.BooleanField(default=True)
    staff_day = models.DateField(null=True)
    staff_version = models.BigIntegerField(default=0)
    staff_sent_at = models.DateTimeField(null=True)
    forget_due = models.BooleanField(default=False)
    forget_version = models.BigIntegerField(default=0)
    quarantine_dropped = models.BigIntegerField(default=0)
    throttled = models.BigIntegerField(default=0)
    throttled_at = models.DateTimeField(null=True)
    health = models.JSONField(default=list)
    health_at = models.DateTimeField(null=True)

    @property
    def roster_alarm(self) -> tuple[str, str]:
        """What is wrong with its roster: word and details, or two empty texts."""
        word, _, details = self.roster_problem.partition(" ")
        return word, details

    @property
    def later_chain(self) -> ChainState | None:
        """The newest chain, if it is not the kiosk's first: its database was made anew."""
        chains = sorted(self.chains.all(), key=lambda chain: chain.pk)
        return chains[-1] if len(chains) > 1 else None

    @property
    def recovery(self) -> KioskNotice | None:
        """The newest word that its database was damaged, if it ever was."""
        told = [notice for notice in self.notices.all() if notice.schema == EPOCH]
        return max(told, key=lambda notice: notice.filed_at, default=None)

    @property
    def unwell(self) -> list[dict[str, object]]:
        """Its devices that want somebody's hand, also those that still work."""
        return [part for part in self.health if part["word"] != "ok"]


class KioskSettings(models.Model):
    """The newest wish about one kiosk's settings, and what the kiosk last said to it.

    `due`: the wish is still to be sent. `report` holds the fields of
    `edge.wire.desired.Reported`; it is unsigned, so it is shown and never relied on.
    """

    device = models.OneToOneField(
        Device, models.CASCADE, primary_key=True, related_name="settings_row"
    )
    version = models.BigIntegerField(default=0)
    due = models.BooleanField(default=False)
    sent_at = models.DateTimeField(null=True)
    report = models.JSONField(default=dict)
    reported_at = models.DateTimeField(null=True)


class SettingsVersion(models.Model):
    """One wish, never changed: the whole of it, what was new in it, and by whom.

    `back_to`: the version whose values were taken again, 0 for the site file's own.
    """

    device = models.ForeignKey(Device, models.CASCADE, related_name="settings_versions")
    version = models.BigIntegerField()
    values = models.JSONField(default=dict)
    changed = models.JSONField(default=list)
    back_to = models.BigIntegerField(null=True)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=60)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["device", "version"], name="one_wish_per_version"),
        )


class ChainState(models.Model):
    """How far a kiosk's chain of one epoch has come, and what is missing.

    `gone`: the part of it that the kiosk says, signed, it no longer has. `tip_seq`: the last
    place where something is filed, `sure_seq` that of the last record whose clock was believed
    (finished `sure_at`); 0 where there is none, null where nobody has looked yet.
    """

    device = models.ForeignKey(Device, models.CASCADE, related_name="chains")
    epoch = models.CharField(max_length=64)
    began_at = models.DateTimeField(null=True)
    highest = models.BigIntegerField(default=0)
    missing = models.JSONField(default=list)
    gone = models.JSONField(default=list)
    tip_seq = models.BigIntegerField(null=True)
    tip_sha256 = models.CharField(max_length=64, blank=True)
    sure_seq = models.BigIntegerField(null=True)
    sure_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["device", "epoch"], name="one_state_per_epoch"),
        )

    @property
    def gaps(self) -> Gaps:
        return tuple((first, last) for first, last in self.missing)

    @property
    def missing_count(self) -> int:
        return count(self.gaps)

    @property
    def gone_count(self) -> int:
        return count(self.gaps) - count(without(self.gaps, self.gone))


class KioskNotice(models.Model):
    """What a kiosk told of itself, signed, in the chain of its records (`edge.wire.notices`).

    `about`: which chain came before a new one, or in which boot the clock was wrong.
    """

    record_id = models.CharField(max_length=36, primary_key=True)
    device = models.ForeignKey(Device, models.PROTECT, related_name="notices")
    schema = models.CharField(max_length=40)
    about = models.CharField(max_length=64, blank=True, db_index=True)
    body = models.JSONField()
    epoch = models.CharField(max_length=64)
    seq = models.BigIntegerField()
    prev_sha256 = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64)
    envelope = models.BinaryField()
    filed_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["device", "epoch", "seq"], name="kiosknotice_place"),
        )


class OwedAck(models.Model):
    """The registry's word for a record that staff filed out of the quarantine.

    The kiosk was told that it was put aside and keeps it without sending it again; the
    bridge sends this word when the kiosk is there, and drops the row.
    """

    device = models.ForeignKey(Device, models.CASCADE, related_name="owed_acks")
    record_id = models.CharField(max_length=36)
    sha256 = models.CharField(max_length=64)


class Quarantine(models.Model):
    """An arrival that was not filed. The same bytes again only raise `times`."""

    device = models.ForeignKey(Device, models.CASCADE, null=True, related_name="quarantined")
    kiosk_id = models.CharField(max_length=64, blank=True)
    record_id = models.CharField(max_length=36, blank=True, db_index=True)
    reason = models.CharField(max_length=30)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.BigIntegerField()
    payload = models.BinaryField()
    times = models.BigIntegerField(default=1)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["kiosk_id", "sha256"], name="once_per_payload"),
        )

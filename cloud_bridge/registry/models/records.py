"""What kiosks filed."""

from __future__ import annotations

from django.db import models

from cloud_bridge.registry.models.devices import Device
from cloud_bridge.registry.models.people import Person


class FiledRecord(models.Model):
    """What both kinds of record hold; the envelope is kept as evidence of the signature.

    `certified_on` is the day the record counts for: the kiosk's own day, or the day of
    filing if the kiosk's clock cannot be believed (`clock_unsure`, see `bridge.clocks`).
    `helper_key` is empty where nobody helped (see `registry.helpers`), `subject_key` where
    somebody called staff before any card said who they are; `ticket` is what they are called by.
    """

    record_id = models.CharField(max_length=36, primary_key=True)
    device = models.ForeignKey(Device, models.PROTECT, related_name="+", db_index=False)
    site_name = models.CharField(max_length=120)
    subject_name = models.CharField(max_length=120)
    subject_key = models.CharField(max_length=64, db_index=True)
    subject_sealed = models.BinaryField()
    helper_key = models.CharField(max_length=64, blank=True, db_index=True)
    helper_sealed = models.BinaryField(default=b"")
    named_by = models.CharField(max_length=20, default="card")
    ticket = models.CharField(max_length=20, blank=True)
    witness = models.CharField(max_length=12, blank=True, db_index=True)
    assisted_reason = models.CharField(max_length=20, blank=True)
    card_kind = models.CharField(max_length=20)
    flags = models.JSONField(default=list)
    method = models.CharField(max_length=20)
    outcome = models.CharField(max_length=20)
    reasons = models.JSONField(default=list)
    attempts = models.IntegerField()
    receipt_no = models.CharField(max_length=60)
    reader_id = models.CharField(max_length=60, blank=True)
    consent = models.JSONField(null=True)
    liveness = models.JSONField(null=True)
    started = models.JSONField()
    finished = models.JSONField()
    finished_at = models.DateTimeField()
    certified_on = models.DateField()
    clock_unsure = models.BooleanField()
    software = models.CharField(max_length=120)
    epoch = models.CharField(max_length=64)
    seq = models.BigIntegerField()
    prev_sha256 = models.CharField(max_length=64)
    envelope = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    filed_at = models.DateTimeField(db_index=True)

    class Meta:
        abstract = True
        constraints = (
            models.UniqueConstraint(fields=["device", "epoch", "seq"], name="%(class)s_place"),
        )
        # A kiosk without a clock is asked each time for its last record that had one.
        indexes: tuple[models.Index, ...] = (
            models.Index(
                fields=["device", "epoch", "seq"],
                condition=models.Q(clock_unsure=False),
                name="%(class)s_sure",
            ),
            models.Index(fields=["receipt_no"], name="%(class)s_receipt"),
        )


class Certification(FiledRecord):
    """A record about somebody who stood there.

    It certifies its person by a `Proof`. `doubts` (words of `registry.doubts`) say why a
    passed one does not.
    """

    person = models.ForeignKey(
        Person, models.PROTECT, null=True, related_name="certifications", db_index=False
    )
    doubts = models.JSONField(default=list)

    class Meta(FiledRecord.Meta):
        indexes = (
            *FiledRecord.Meta.indexes,
            models.Index(fields=["person", "certified_on"], name="certification_last"),
        )

    @property
    def counts(self) -> bool:
        """Whether it certifies its person."""
        proof = getattr(self, "proof", None)
        return proof is not None and proof.voided_at is None


class Rehearsal(FiledRecord):
    """A record made with at least one simulated device. Proves nothing about anybody.

    `person` has no way back: `person.certifications` can never lead here.
    """

    person = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")


class Matter(models.Model):
    """What somebody did with their own data at a kiosk, signed by it.

    `proven`: the camera check passed; `about` and `number` only for a correction. `consent` is
    what was agreed to before the camera opened, `liveness` what the check found. `badge`: of the
    member of staff who vouched for them instead.
    """

    record_id = models.CharField(max_length=36, primary_key=True)
    device = models.ForeignKey(Device, models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, models.PROTECT, null=True, related_name="matters")
    badge = models.CharField(max_length=20, blank=True)
    subject_name = models.CharField(max_length=120)
    subject_key = models.CharField(max_length=64, db_index=True)
    subject_sealed = models.BinaryField()
    kind = models.CharField(max_length=20)
    about = models.CharField(max_length=20, blank=True)
    number = models.CharField(max_length=60, blank=True)
    proven = models.BooleanField()
    consent = models.JSONField(null=True)
    liveness = models.JSONField(null=True)
    at = models.DateTimeField()
    simulated = models.BooleanField()
    software = models.CharField(max_length=120)
    epoch = models.CharField(max_length=64)
    seq = models.BigIntegerField()
    prev_sha256 = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64)
    envelope = models.BinaryField()
    filed_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["device", "epoch", "seq"], name="matter_place"),
        )


class Opinion(models.Model):
    """What somebody said of the service; there is no column for who.

    `ratings` of a questionnaire, or a `grievance`; whoever wants to be answered holds `number`.
    """

    record_id = models.CharField(max_length=36, primary_key=True)
    device = models.ForeignKey(Device, models.PROTECT, related_name="+")
    ratings = models.JSONField(default=list)
    grievance = models.CharField(max_length=20, blank=True)
    number = models.CharField(max_length=60, blank=True, db_index=True)
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
            models.UniqueConstraint(fields=["device", "epoch", "seq"], name="opinion_place"),
        )


class TemplateEvent(models.Model):
    """What became of a face template at a kiosk, signed by it. The template never comes here."""

    record_id = models.CharField(max_length=36, primary_key=True)
    device = models.ForeignKey(Device, models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, models.PROTECT, null=True, related_name="template_events")
    change = models.CharField(max_length=20)
    badge = models.CharField(max_length=12, blank=True, db_index=True)
    consent = models.JSONField(null=True)
    expires = models.DateField(null=True)
    card_alike = models.BooleanField(null=True)
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
            models.UniqueConstraint(fields=["device", "epoch", "seq"], name="templateevent_place"),
        )


class HeldTemplate(models.Model):
    """One kiosk has, or had, somebody's template.

    `wanted_gone_at`: the kiosk is told to delete it until it says that it has (`gone_at`).
    """

    device = models.ForeignKey(Device, models.CASCADE, related_name="held_templates")
    person = models.ForeignKey(Person, models.CASCADE, related_name="held_templates")
    since = models.DateTimeField()
    until = models.DateField()
    badge = models.CharField(max_length=12)
    wanted_gone_at = models.DateTimeField(null=True)
    gone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["device", "person"], name="one_template_per_kiosk"),
        )

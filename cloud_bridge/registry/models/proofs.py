"""What makes somebody 已认证, what says otherwise, and deaths."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from cloud_bridge.registry.models.imports import ImportRun
from cloud_bridge.registry.models.people import Person
from cloud_bridge.registry.models.records import Certification


class LifeSignal(models.Model):
    """Another office knew, on a day, that somebody was alive, or that they had died.

    One of an import that was undone counts no more, and the same may come again with another.
    """

    class Kind(models.TextChoices):
        LIFE = "life", _("Alive")
        DEATH = "death", _("Dead")

    person = models.ForeignKey(Person, models.PROTECT, related_name="signals")
    kind = models.CharField(max_length=8, choices=Kind)
    source = models.CharField(max_length=60)
    on = models.DateField()
    run = models.ForeignKey(ImportRun, models.PROTECT, related_name="signals")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["person", "kind", "source", "on", "run"], name="one_signal_a_day"
            ),
        )


class Proof(models.Model):
    """That somebody was alive on a day, and how that is known. Voided ones count no more.

    Exactly one of these stands behind it: a kiosk's `record` (`MANUAL` where staff looked at a
    doubtful one), a `signal`, or what a member of staff entered after a visit or call: `place`,
    and `evidence` or the reason (`exemption`) why there is none. `at`: since when it is known
    here; `by`: the account that entered it, empty for kiosks and signals.
    """

    class Method(models.TextChoices):
        KIOSK = "kiosk", _("At a kiosk")
        VISIT = "visit", _("Home visit")
        VIDEO = "video", _("Video call")
        DATA = "data", _("Data of another office")
        MANUAL = "manual", _("Kiosk, confirmed by staff")

    person = models.ForeignKey(Person, models.PROTECT, related_name="proofs", db_index=False)
    method = models.CharField(max_length=8, choices=Method)
    on = models.DateField()
    at = models.DateTimeField(db_index=True)
    by = models.CharField(max_length=60, blank=True)
    record = models.OneToOneField(Certification, models.PROTECT, null=True, related_name="proof")
    signal = models.OneToOneField(LifeSignal, models.PROTECT, null=True, related_name="proof")
    place = models.CharField(max_length=120, blank=True)
    exemption = models.CharField(max_length=200, blank=True)
    note = models.CharField(max_length=200, blank=True)
    voided_at = models.DateTimeField(null=True)
    voided_by = models.CharField(max_length=60, blank=True)
    void_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=["person", "on"], name="proof_person_on"),
            models.Index(fields=["on"], name="proof_on"),
            models.Index(fields=["by", "id"], condition=~models.Q(by=""), name="proof_by"),
            models.Index(
                fields=["voided_at"],
                condition=models.Q(voided_at__isnull=False),
                name="proof_voided",
            ),
        )


class Evidence(models.Model):
    """A photograph or paper that shows a visit or call. Sealed: it shows a person."""

    proof = models.ForeignKey(Proof, models.PROTECT, related_name="evidence")
    media_type = models.CharField(max_length=40)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.BigIntegerField()
    content_sealed = models.BinaryField()
    added_by = models.CharField(max_length=60)
    added_at = models.DateTimeField()


class DeathReport(models.Model):
    """That somebody died, said by one member of staff and approved by another.

    `Person.dead_since` follows `died_on` once it is approved, and is empty again when undone.
    `undo_reason`: why it was taken back, or not approved.
    """

    class Source(models.TextChoices):
        CERTIFICATE = "certificate", _("Medical certificate of death")
        POLICE = "police", _("Household register (police)")
        FUNERAL = "funeral", _("Funeral parlour")
        FAMILY = "family", _("Family")
        COMMITTEE = "committee", _("Village or residents' committee")

    class State(models.TextChoices):
        WAITING = "waiting", _("Waits for a second person")
        APPROVED = "approved", _("Approved")
        REFUSED = "refused", _("Not approved")
        UNDONE = "undone", _("Taken back")

    person = models.ForeignKey(Person, models.PROTECT, related_name="deaths")
    died_on = models.DateField()
    source = models.CharField(max_length=12, choices=Source)
    note = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    entered_by = models.CharField(max_length=60)
    entered_at = models.DateTimeField()
    decided_by = models.CharField(max_length=60, blank=True)
    decided_at = models.DateTimeField(null=True)
    undone_by = models.CharField(max_length=60, blank=True)
    undone_at = models.DateTimeField(null=True)
    undo_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["person"],
                condition=models.Q(state__in=["waiting", "approved"]),
                name="one_death_per_person",
            ),
        )

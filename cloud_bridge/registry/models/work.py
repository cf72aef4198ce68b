"""What a person on the staff has to do."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from cloud_bridge.registry.models.devices import Device
from cloud_bridge.registry.models.people import Person
from cloud_bridge.registry.models.proofs import LifeSignal, Proof
from cloud_bridge.registry.models.records import Certification
from cloud_bridge.registry.models.regions import Region


class Task(models.Model):
    """Something a person on the staff has to do: `urgent` ones first, `low` ones last.

    It comes of a `record`, of a `matter` that somebody had with their own data, of a `signal`, of
    an entry (`proof`) that a second look found fault with, or of nothing but a day that went by:
    `due_on`, by which somebody should have come.

    `claimed_by`: whoever is on it, so that nobody does it a second time.
    """

    class Kind(models.TextChoices):
        REVIEW = "review", _("Check needs a person")
        DECLINED = "declined", _("Declined the face, wants staff")
        VERIFY = "verify", _("Passed, but has to be verified")
        CLOCK = "clock", _("Passed, but the day is unsure")
        CALL = "call", _("Called staff at a kiosk")
        CORRECTION = "correction", _("Says that something kept of them is wrong")
        ALIVE = "alive", _("Was at a kiosk, registered as dead")
        CONFLICT = "conflict", _("Another office says otherwise")
        OVERDUE = "overdue", _("Past the due date")

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("task", "Open")
        DONE = "done", _("Done")

    kind = models.CharField(max_length=12, choices=Kind)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    low = models.BooleanField(default=False)
    urgent = models.BooleanField(default=False)
    person = models.ForeignKey(Person, models.PROTECT, null=True, related_name="tasks")
    record = models.OneToOneField(Certification, models.PROTECT, null=True, related_name="task")
    matter = models.OneToOneField("Matter", models.PROTECT, null=True, related_name="task")
    signal = models.OneToOneField(LifeSignal, models.PROTECT, null=True, related_name="task")
    proof = models.OneToOneField(Proof, models.PROTECT, null=True, related_name="task")
    region = models.ForeignKey(Region, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    due_on = models.DateField(null=True)
    claimed_by = models.CharField(max_length=60, blank=True)
    claimed_at = models.DateTimeField(null=True)
    done_by = models.CharField(max_length=60, blank=True)
    done_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=["-state", "-urgent", "low", "created_at"], name="task_queue"),
        )
        constraints = (
            models.UniqueConstraint(fields=["person", "due_on"], name="once_overdue_per_cycle"),
        )

    @property
    def name_on_card(self) -> str:
        """Empty where no card was read."""
        if self.matter is not None:
            return str(self.matter.subject_name)
        return str(self.record.subject_name) if self.record and self.record.subject_key else ""

    @property
    def site_name(self) -> str:
        """Where somebody was; empty where nobody was anywhere."""
        if self.record is not None:
            return str(self.record.site_name)
        return str(self.matter.device.site.name) if self.matter else ""

    @property
    def paper_number(self) -> str:
        """What stands on the paper that the person has, if they have one."""
        if self.record is not None:
            return str(self.record.receipt_no)
        return str(self.matter.number) if self.matter else ""


class Recheck(models.Model):
    """Something that rests on one member of staff at a kiosk; somebody else looks at each.

    `record_id` is that of the record or of the enrolment, or made up for an entry (`proof`);
    `simulated` ones are looked at too, and certify nobody either way.
    """

    class Kind(models.TextChoices):
        WITNESS = "witness", _("Vouched for at a kiosk")
        ENROLMENT = "enrolment", _("Template enrolled at a kiosk")
        ENTRY = "entry", _("Entered after a visit or call")

    class Finding(models.TextChoices):
        OPEN = "", pgettext_lazy("task", "Open")
        IN_ORDER = "in_order", _("In order")
        NOT_IN_ORDER = "not_in_order", _("Not in order")

    kind = models.CharField(max_length=12, choices=Kind)
    record_id = models.CharField(max_length=36, unique=True)
    simulated = models.BooleanField()
    person = models.ForeignKey(Person, models.PROTECT, null=True, related_name="rechecks")
    device = models.ForeignKey(Device, models.PROTECT, null=True, related_name="+")
    badge = models.CharField(max_length=12, blank=True, db_index=True)
    proof = models.OneToOneField(Proof, models.PROTECT, null=True, related_name="recheck")
    reason = models.CharField(max_length=20, blank=True)
    region = models.ForeignKey(Region, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    finding = models.CharField(max_length=12, choices=Finding, blank=True, db_index=True)
    checked_by = models.CharField(max_length=60, blank=True)
    checked_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=200, blank=True)


class VisitPlan(models.Model):
    """Whom somebody means to visit on a day."""

    name = models.CharField(max_length=60)
    day = models.DateField()
    account = models.ForeignKey("registry.Account", models.PROTECT, related_name="visit_plans")
    region = models.ForeignKey(Region, models.PROTECT, related_name="+")
    people = models.ManyToManyField(Person, related_name="visit_plans")
    made_at = models.DateTimeField()

"""The tables.

Two rules are in the shape of the tables themselves. Simulated records lie in
a table of their own (`Rehearsal`), so that no question about the living can
count one by forgetting a condition. And no table has a column that stops a
payment: a check that failed can only become a `Task`.
"""

from __future__ import annotations

import secrets
from datetime import date

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from cloud_bridge.registry import cycles
from cloud_bridge.registry.gaps import Gaps, count, without
from edge.wire.messages import EPOCH

ROOT_REGION = "0" * 12


def new_person_id() -> str:
    """Opaque: says nothing about the person and cannot be guessed."""
    return "p" + secrets.token_hex(12)


class Category(models.TextChoices):
    DIBAO = "dibao", _("Minimum living allowance")
    TEKUN = "tekun", _("Extreme hardship")
    DIBIAN = "dibian", _("Marginal family")
    RETIRED = "retired", _("Retired")


class Role(models.TextChoices):
    WORKER = "worker", _("Case worker")
    SUPERVISOR = "supervisor", _("Supervisor")
    TECHNICIAN = "technician", _("Technician")
    AUDITOR = "auditor", _("Auditor")


class Region(models.Model):
    """One node of province → city → county → street → community.

    `code` is the 12-digit statistical code (2 + 2 + 2 + 3 + 3, zeros where
    nothing follows). A subtree is a range of codes, so scoping needs no joins.
    """

    class Level(models.IntegerChoices):
        COUNTRY = 0, _("Country")
        PROVINCE = 1, _("Province")
        CITY = 2, _("City")
        COUNTY = 3, _("County or district")
        STREET = 4, _("Street or township")
        COMMUNITY = 5, _("Community or village")

    code = models.CharField(max_length=12, primary_key=True)
    name = models.CharField(max_length=60)
    level = models.IntegerField(choices=Level)
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")

    _DIGITS = (0, 2, 4, 6, 9, 12)

    def __str__(self) -> str:
        return str(self.name)

    @classmethod
    def level_of(cls, code: str) -> int:
        """Level of a code by its trailing zeros."""
        return next(n for n, digits in enumerate(cls._DIGITS) if not code[digits:].strip("0"))

    @classmethod
    def parent_code(cls, code: str) -> str:
        digits = cls._DIGITS[max(cls.level_of(code) - 1, 0)]
        return code[:digits].ljust(12, "0")

    @property
    def last_code(self) -> str:
        """The highest code below this region."""
        return str(self.code)[: self._DIGITS[self.level]].ljust(12, "9")

    def covers(self, code: str) -> bool:
        return bool(self.code <= code <= self.last_code)

    def within(self, field: str) -> models.Q:
        """Condition: the region code in `field` lies in this subtree."""
        return models.Q(**{f"{field}__gte": self.code, f"{field}__lte": self.last_code})


class AccountManager(BaseUserManager):
    def get_by_natural_key(self, username: str) -> Account:
        account: Account = self.get(username=username)
        return account


class Account(AbstractBaseUser):
    """A member of staff: one role, one region, nothing outside it."""

    username = models.CharField(max_length=60, unique=True)
    role = models.CharField(max_length=12, choices=Role)
    region = models.ForeignKey(Region, models.PROTECT, related_name="+")
    is_active = models.BooleanField(default=True)
    failed_tries = models.IntegerField(default=0)
    locked_until = models.DateTimeField(null=True)

    USERNAME_FIELD = "username"
    objects = AccountManager()


class Household(models.Model):
    """People who live together; helpers are looked up here."""

    number = models.CharField(max_length=40, unique=True)


class PersonQuerySet(models.QuerySet):
    def seen_by(self, account: Account) -> PersonQuerySet:
        return self.filter(account.region.within("region_id"))

    def eligible(self) -> PersonQuerySet:
        """Covered themselves, or living together with somebody who is (共同生活成员, M11)."""
        covered = Person.objects.filter(covered=True, household=models.OuterRef("household"))
        to_look_at = models.Q(dead_since__isnull=False)  # staff have to, should they come
        return self.filter(models.Q(covered=True) | models.Exists(covered) | to_look_at)

    def with_last_pass(self) -> PersonQuerySet:
        """Adds `last_pass`: day of the latest certification that counts, or None."""
        counting = Certification.objects.filter(person=models.OuterRef("pk"), counts=True)
        latest = counting.order_by("-certified_on").values("certified_on")[:1]
        return self.annotate(last_pass=models.Subquery(latest))

    def certified(self, today: date) -> PersonQuerySet:
        """Those who are 已认证 today; needs `with_last_pass`."""
        return self.filter(_certified_condition(today))

    def pending(self, today: date) -> PersonQuerySet:
        return self.exclude(pk__in=self.certified(today).values("pk"))


def _certified_condition(today: date) -> models.Q:
    condition = models.Q()
    for category in Category.values:
        start = cycles.cycle_start(category, today)
        condition |= models.Q(category=category, last_pass__gte=start)
    return condition


class Person(models.Model):
    """Somebody whose proof of life is expected.

    The number is found by `number_key` and read from `number_sealed`, both
    made by the vault. The name is in clear, because staff search by it.

    `dead_since`: the day somebody is registered to have died. Nothing stops by it here: whoever
    then stands before a kiosk is looked at by staff at once.

    `template_withdrawn_at`: they took back what they agreed to; whatever was enrolled before goes.
    """

    person_id = models.CharField(max_length=32, primary_key=True, default=new_person_id)
    name = models.CharField(max_length=60, db_index=True)
    number_key = models.CharField(max_length=64, unique=True)
    number_sealed = models.BinaryField()
    sex = models.CharField(max_length=1)
    birth = models.DateField(null=True)
    category = models.CharField(max_length=12, choices=Category)
    covered = models.BooleanField(default=True)
    dead_since = models.DateField(null=True)
    template_withdrawn_at = models.DateTimeField(null=True)
    region = models.ForeignKey(Region, models.PROTECT, related_name="people")
    household = models.ForeignKey(Household, models.SET_NULL, null=True, related_name="members")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PersonQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=["region", "name"], name="person_region_name"),)

    def last_pass_day(self) -> date | None:
        if hasattr(self, "last_pass"):
            day: date | None = self.last_pass
            return day
        counting = self.certifications.filter(counts=True)
        return counting.aggregate(day=models.Max("certified_on"))["day"]

    def is_certified(self, today: date) -> bool:
        return cycles.is_certified(self.category, self.last_pass_day(), today)

    def due_by(self, today: date) -> date:
        return cycles.due_by(self.category, self.last_pass_day(), today)


class Site(models.Model):
    """Where kiosks stand, and whose people they serve."""

    name = models.CharField(max_length=60, unique=True)
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

    `gone`: the part of it that the kiosk says, signed, it no longer has.
    """

    device = models.ForeignKey(Device, models.CASCADE, related_name="chains")
    epoch = models.CharField(max_length=64)
    began_at = models.DateTimeField(null=True)
    highest = models.BigIntegerField(default=0)
    missing = models.JSONField(default=list)
    gone = models.JSONField(default=list)

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


class FiledRecord(models.Model):
    """What both kinds of record hold; the envelope is kept as evidence of the signature.

    `certified_on` is the day the record counts for: the kiosk's own day, or the day of
    filing if the kiosk's clock cannot be believed (`clock_unsure`, see `bridge.clocks`).
    `helper_key` is empty where nobody helped (see `registry.helpers`), `subject_key` where
    somebody called staff before any card said who they are; `ticket` is what they are called by.
    """

    record_id = models.CharField(max_length=36, primary_key=True)
    device = models.ForeignKey(Device, models.PROTECT, related_name="+")
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
        )


class Certification(FiledRecord):
    """A record about somebody who stood there.

    `counts`: it certifies its person by itself. `doubts` (words of `registry.doubts`) say
    why a passed one does not.
    """

    person = models.ForeignKey(Person, models.PROTECT, null=True, related_name="certifications")
    counts = models.BooleanField(default=False)
    doubts = models.JSONField(default=list)

    class Meta(FiledRecord.Meta):
        indexes = (
            *FiledRecord.Meta.indexes,
            models.Index(fields=["person", "counts", "certified_on"], name="certification_last"),
        )


class Rehearsal(FiledRecord):
    """A record made with at least one simulated device. Proves nothing about anybody.

    `person` has no way back: `person.certifications` can never lead here.
    """

    person = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")


class Task(models.Model):
    """Something a person on the staff has to do: `urgent` ones first, `low` ones last.

    It comes of a `record`, or of a `matter` that somebody had with their own data.
    """

    class Kind(models.TextChoices):
        REVIEW = "review", _("Check needs a person")
        DECLINED = "declined", _("Declined the face, wants staff")
        VERIFY = "verify", _("Passed, but has to be verified")
        CLOCK = "clock", _("Passed, but the day is unsure")
        CALL = "call", _("Called staff at a kiosk")
        CORRECTION = "correction", _("Says that something kept of them is wrong")
        ALIVE = "alive", _("Was at a kiosk, registered as dead")

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
    region = models.ForeignKey(Region, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    done_by = models.CharField(max_length=60, blank=True)
    done_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=200, blank=True)

    @property
    def name_on_card(self) -> str:
        """Empty where no card was read."""
        if self.matter is not None:
            return str(self.matter.subject_name)
        return str(self.record.subject_name) if self.record and self.record.subject_key else ""

    @property
    def site_name(self) -> str:
        return str(self.record.site_name if self.record else self.matter.device.site.name)

    @property
    def paper_number(self) -> str:
        """What stands on the paper that the person has."""
        return str(self.record.receipt_no if self.record else self.matter.number)


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


class OwedAck(models.Model):
    """The registry's word for a record that staff filed out of the quarantine.

    The kiosk was told that it was put aside and keeps it without sending it again; the
    bridge sends this word when the kiosk is there, and drops the row.
    """

    device = models.ForeignKey(Device, models.CASCADE, related_name="owed_acks")
    record_id = models.CharField(max_length=36)
    sha256 = models.CharField(max_length=64)


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


class Recheck(models.Model):
    """Something that rests on one member of staff at a kiosk; somebody else looks at each.

    `record_id` is that of the record or of the enrolment; `simulated` ones are looked at too,
    and certify nobody either way.
    """

    class Kind(models.TextChoices):
        WITNESS = "witness", _("Vouched for at a kiosk")
        ENROLMENT = "enrolment", _("Template enrolled at a kiosk")

    class Finding(models.TextChoices):
        OPEN = "", pgettext_lazy("task", "Open")
        IN_ORDER = "in_order", _("In order")
        NOT_IN_ORDER = "not_in_order", _("Not in order")

    kind = models.CharField(max_length=12, choices=Kind)
    record_id = models.CharField(max_length=36, unique=True)
    simulated = models.BooleanField()
    person = models.ForeignKey(Person, models.PROTECT, null=True, related_name="rechecks")
    device = models.ForeignKey(Device, models.PROTECT, related_name="+")
    badge = models.CharField(max_length=12, db_index=True)
    reason = models.CharField(max_length=20, blank=True)
    region = models.ForeignKey(Region, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    finding = models.CharField(max_length=12, choices=Finding, blank=True, db_index=True)
    checked_by = models.CharField(max_length=60, blank=True)
    checked_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=200, blank=True)


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


class AuditHead(models.Model):
    """Number and hash of the last audit entry: cutting entries off the end shows too."""

    number = models.BigIntegerField(default=0)
    chain_hash = models.CharField(max_length=64, default="0" * 64)


class AuditEntry(models.Model):
    """Who looked at or changed what. Chained by `chain_hash`; written by `registry.audit` only."""

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    who = models.CharField(max_length=60)
    action = models.CharField(max_length=30, db_index=True)
    object_kind = models.CharField(max_length=20)
    object_id = models.CharField(max_length=64, db_index=True)
    reason = models.CharField(max_length=200, blank=True)
    region_code = models.CharField(max_length=12, db_index=True)
    chain_hash = models.CharField(max_length=64)

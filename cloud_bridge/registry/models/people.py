"""People whose proof of life is expected, and how often."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from datetime import date

from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from cloud_bridge.registry import cycles
from cloud_bridge.registry.cycles import Rule
from cloud_bridge.registry.models.accounts import Account
from cloud_bridge.registry.models.regions import Region
from edge.domain.cycles import Cycle


class Category(models.TextChoices):
    DIBAO = "dibao", _("Minimum living allowance")
    TEKUN = "tekun", _("Extreme hardship")
    DIBIAN = "dibian", _("Marginal family")
    RETIRED = "retired", _("Retired")


RULES_KEPT_S = 5.0
"""A changed rule is in force everywhere after this time: each process asks so often."""


class CycleRule(models.Model):
    """How often people of a category come, how early they may, and how late is not yet overdue.

    Read by `all_rules`, written by `registry.cycle_rules`.
    """

    category = models.CharField(max_length=12, primary_key=True, choices=Category)
    cycle = models.CharField(max_length=10, choices=[(c.value, c.value) for c in Cycle])
    early_days = models.IntegerField()
    grace_days = models.IntegerField()

    _kept: tuple[str, float, Mapping[str, Rule]] = ("", 0.0, {})

    @classmethod
    def all_rules(cls) -> Mapping[str, Rule]:
        """By category. One question to the database for a page or a batch, not one a row."""
        name, until_s, rules = CycleRule._kept
        here, now_s = str(connection.settings_dict["NAME"]), time.monotonic()
        if name != here or now_s >= until_s:
            rows = cls.objects.values_list("category", "cycle", "early_days", "grace_days")
            told = {word: Rule(Cycle(cycle), *days) for word, cycle, *days in rows}
            rules = {**cycles.DEFAULTS, **told}
            CycleRule._kept = (here, now_s + RULES_KEPT_S, rules)
        return rules

    @classmethod
    def forget(cls) -> None:
        """This process asks again at once."""
        CycleRule._kept = ("", 0.0, {})


def new_person_id() -> str:
    """Opaque: says nothing about the person and cannot be guessed."""
    return "p" + secrets.token_hex(12)


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

    def certified(self, today: date) -> PersonQuerySet:
        """Those who are 已认证 today."""
        return self.filter(_certified_condition(today))

    def pending(self, today: date) -> PersonQuerySet:
        return self.filter(models.Q(last_pass_on=None) | ~_certified_condition(today))


def _certified_condition(today: date) -> models.Q:
    condition = models.Q()
    for category, rule in CycleRule.all_rules().items():
        start = cycles.cycle_start(rule, today)
        condition |= models.Q(category=category, last_pass_on__gte=start)
    return condition


_FILTERED = ("category", "covered", "dead_since")


class Person(models.Model):
    """Somebody whose proof of life is expected.

    The number is found by `number_key` and read from `number_sealed`, both
    made by the vault. The name is in clear, because staff search by it.

    `dead_since`: the day somebody is registered to have died. Nothing stops by it here: whoever
    then stands before a kiosk is looked at by staff at once.

    `last_pass_on`: day of the latest proof that was not voided; kept by `registry.standing`.

    `template_withdrawn_at`: they took back what they agreed to; whatever was enrolled before goes.
    """

    person_id = models.CharField(max_length=32, primary_key=True, default=new_person_id)
    name = models.CharField(max_length=60)
    number_key = models.CharField(max_length=64, unique=True)
    number_sealed = models.BinaryField()
    sex = models.CharField(max_length=1)
    birth = models.DateField(null=True)
    category = models.CharField(max_length=12, choices=Category)
    covered = models.BooleanField(default=True)
    last_pass_on = models.DateField(null=True)
    dead_since = models.DateField(null=True)
    template_withdrawn_at = models.DateTimeField(null=True)
    region = models.ForeignKey(Region, models.PROTECT, related_name="people", db_index=False)
    household = models.ForeignKey(Household, models.SET_NULL, null=True, related_name="members")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PersonQuerySet.as_manager()

    class Meta:
        # For `registry.people_list`, which explains them: an order each, or a rare filter, and
        # behind it every column that the list is filtered by.
        indexes = (
            models.Index(
                fields=["region", "name", "person_id", "last_pass_on", *_FILTERED],
                name="person_by_place",
            ),
            models.Index(
                fields=["name", "person_id", "region", "last_pass_on", *_FILTERED],
                name="person_by_name",
            ),
            models.Index(
                fields=["last_pass_on", "person_id", "region", "name", *_FILTERED],
                name="person_by_day",
            ),
            models.Index(
                fields=["region", "name", "person_id", "last_pass_on", *_FILTERED],
                name="person_dead",
                condition=models.Q(dead_since__isnull=False),
            ),
            models.Index(
                fields=["region", "name", "person_id", "last_pass_on", *_FILTERED],
                name="person_uncovered",
                condition=models.Q(covered=False),
            ),
            models.Index(  # `registry.due` counts a whole county by it
                fields=["region", "category", "last_pass_on", "birth", "created_at"],
                name="person_due",
                condition=models.Q(covered=True, dead_since__isnull=True),
            ),
        )

    @property
    def rule(self) -> Rule:
        return CycleRule.all_rules()[self.category]

    def is_certified(self, today: date) -> bool:
        return cycles.is_certified(self.rule, self.last_pass_on, today)

    def due_by(self, today: date) -> date:
        return cycles.due_by(self.rule, self.last_pass_on, today)

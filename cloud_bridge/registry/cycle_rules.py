"""The county says how often people of a category come. In force everywhere within seconds."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q

from cloud_bridge.registry import audit, rosters
from cloud_bridge.registry.cycles import Rule
from cloud_bridge.registry.models import Category, CycleRule, Device, Person, Region
from cloud_bridge.registry.vault import Vault
from edge.domain.cycles import Cycle
from edge.wire.messages import MAX_EARLY_DAYS

MAX_EARLY = {Cycle.CALENDAR: MAX_EARLY_DAYS, Cycle.ROLLING: 364}
"""A rolling cycle that opened a year early would send nobody away, ever."""
MAX_GRACE = 180


class RuleRefused(Exception):
    """Not a rule that makes sense, or not theirs to make; the text says what is allowed."""


def may_set(region: Region) -> bool:
    """A rule holds for everybody of a category, so for nobody outside of the region it is made in.

    Where several counties share a registry, none of them decides for the others.
    """
    outside = Q(region_id__lt=region.code) | Q(region_id__gt=region.last_code)
    return not Person.objects.filter(outside).exists()


@transaction.atomic
def set_rule(category: str, rule: Rule, vault: Vault, who: str, region_code: str) -> bool:
    """False if nothing changed. The kiosks' rosters tell who has to come: they go out anew."""
    _check(category, rule)
    if not may_set(Region.objects.get(pk=region_code)):
        raise RuleRefused("rules hold for the whole registry: there are people of other regions")
    CycleRule.forget()
    if CycleRule.all_rules()[category] == rule:
        return False
    words = {
        "cycle": rule.cycle.value,
        "early_days": rule.early_days,
        "grace_days": rule.grace_days,
    }
    CycleRule.objects.update_or_create(category=category, defaults=words)
    CycleRule.forget()
    rosters.send_anew(Device.objects.all())
    reason = f"{rule.cycle.value} early {rule.early_days} grace {rule.grace_days}"
    audit.write(
        vault, who, "cycle.set", ("cycle", category), reason=reason, region_code=region_code
    )
    return True


def _check(category: str, rule: Rule) -> None:
    if category not in Category.values:
        raise RuleRefused(f"category {category!r}: must be one of {', '.join(Category.values)}")
    most = MAX_EARLY[rule.cycle]
    if not 0 <= rule.early_days <= most:
        raise RuleRefused(f"early days of this cycle: 0 to {most}")
    if not 0 <= rule.grace_days <= MAX_GRACE:
        raise RuleRefused(f"grace days: 0 to {MAX_GRACE}")

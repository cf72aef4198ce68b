"""Visits that somebody means to make on a day, and how far they have come.

A visit is done when a proof of the person came in after the plan was made; how is for
`registry.visits` and the kiosks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, F

from cloud_bridge.registry import audit, queries
from cloud_bridge.registry.models import (
    ROOT_REGION,
    Account,
    Person,
    Proof,
    Region,
    Role,
    VisitPlan,
)
from cloud_bridge.registry.vault import Vault

MOST = 100
"""People on one plan: nobody visits more in a day."""
GOERS = (Role.WORKER, Role.SUPERVISOR, Role.COUNTY)


@dataclass(frozen=True, slots=True)
class NewPlan:
    name: str
    day: date
    account: Account
    region: Region


def seen_by(account: Account) -> Any:
    """The newest days first."""
    rows = VisitPlan.objects.filter(account.region.within("region_id"))
    rows = rows.select_related("account", "region").annotate(number=Count("people"))
    return rows.order_by("-day", "-pk")


def goers(region: Region) -> Any:
    """Who may see everybody of a region, and so may be sent there."""
    above = [ROOT_REGION, *queries.line(region.code)]
    rows = Account.objects.filter(region__in=above, role__in=GOERS, is_active=True)
    return rows.order_by("username")


@transaction.atomic
def make(
    new: NewPlan, people: Sequence[Person], vault: Vault, who: str, now: datetime
) -> VisitPlan:
    plan = VisitPlan.objects.create(
        name=new.name, day=new.day, account=new.account, region=new.region, made_at=now
    )
    plan.people.set(people[:MOST])
    reason = f"{new.day} {new.account.username}, {len(people)} people"
    _audit(plan, "plan.make", vault, who, reason)
    return plan


@transaction.atomic
def remove(plan: VisitPlan, vault: Vault, who: str) -> None:
    _audit(plan, "plan.remove", vault, who)
    plan.delete()


def may_remove(plan: VisitPlan, account: Account) -> bool:
    own = bool(plan.account_id == account.pk)
    return own or account.role in (Role.SUPERVISOR, Role.COUNTY)


def visited(plans: Sequence[VisitPlan]) -> dict[int, dict[str, Proof]]:
    """For each plan who is done, with the first proof since; one question for all of them."""
    done: dict[int, dict[str, Proof]] = {plan.pk: {} for plan in plans}
    rows = Proof.objects.filter(
        person__visit_plans__in=list(done),
        at__gte=F("person__visit_plans__made_at"),
        voided_at=None,
    )
    for proof in rows.annotate(plan=F("person__visit_plans")).order_by("at", "pk"):
        done[proof.plan].setdefault(proof.person_id, proof)
    return done


def _audit(plan: VisitPlan, action: str, vault: Vault, who: str, reason: str = "") -> None:
    target = ("plan", str(plan.pk))
    audit.write(vault, who, action, target, reason=reason, region_code=plan.region_id)

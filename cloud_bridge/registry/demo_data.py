"""Puts the invented people of `cloud_bridge.demo` into the registry; may be run again."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from cloud_bridge import demo
from cloud_bridge.registry import badges, id_number, people_import, staff
from cloud_bridge.registry.badges import Issued, NewBadge
from cloud_bridge.registry.models import Badge, Person, Region
from cloud_bridge.registry.people_import import NewPerson
from cloud_bridge.registry.vault import Vault

WHO = "demo-data"


@transaction.atomic
def fill(vault: Vault) -> Mapping[str, str]:
    """Returns the demo accounts with fresh passwords."""
    people_import.add_regions(demo.REGIONS, vault, WHO)
    known = set(Person.objects.values_list("number_key", flat=True))
    missing = [new for new in invented_people() if vault.lookup(new.number) not in known]
    people_import.add_people(missing, vault, WHO)
    passwords = {name: staff.generated_password() for name, _, _ in demo.ACCOUNTS}
    for name, role, region in demo.ACCOUNTS:
        staff.set_account(name, role, region, passwords[name], vault, WHO)
    return passwords


@transaction.atomic
def badge(vault: Vault) -> Issued:
    """The demonstration's badge with a fresh PIN."""
    name, role, region = demo.BADGE
    known = Badge.objects.filter(name=name, region_id=region, revoked_at=None).first()
    if known is not None:
        return badges.reset(known, vault, WHO)
    place = Region.objects.get(pk=region)
    new = NewBadge(name, role, place, badges.latest(timezone.localdate()))
    return badges.issue(new, vault, WHO, timezone.now())


def invented_people() -> list[NewPerson]:
    return [
        NewPerson(
            name=name,
            number=id_number.make(demo.NUMBER_REGION, birth, serial),
            category=category,
            covered=covered,
            region_code=region,
            household=household,
        )
        for name, birth, serial, category, covered, region, household in demo.PEOPLE
    ]

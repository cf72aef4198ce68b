"""People and regions that a program knows; files of them are read by `registry.imports`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from cloud_bridge.registry import audit, doubts, id_number, rosters
from cloud_bridge.registry.models import Household, Person, Region, new_person_id
from cloud_bridge.registry.vault import Vault


@dataclass(frozen=True, slots=True)
class NewPerson:
    name: str = field(repr=False)
    number: str = field(repr=False)
    category: str
    covered: bool
    region_code: str
    household: str = ""


@transaction.atomic
def add_people(people: Sequence[NewPerson], vault: Vault, who: str) -> int:
    """Add people that were checked, and link records that came before them."""
    for new in people:
        person_id = new_person_id()
        person = Person.objects.create(
            person_id=person_id,
            name=new.name,
            number_key=vault.lookup(new.number),
            number_sealed=vault.seal(new.number, person_id),
            sex=id_number.sex_of(new.number),
            birth=id_number.birth_of(new.number),
            category=new.category,
            covered=new.covered,
            region_id=new.region_code,
            household=_household(new.household),
        )
        doubts.link_earlier(person, timezone.now())
        audit.write(vault, who, "person.add", ("person", person_id), region_code=new.region_code)
    rosters.send_anew(rosters.serving(new.region_code for new in people))
    return len(people)


@transaction.atomic
def add_regions(regions: Iterable[tuple[str, str]], vault: Vault, who: str) -> int:
    """Add `(code, name)` pairs, parents first."""
    added = 0
    for code, name in sorted(regions):
        values = {
            "name": name,
            "level": Region.level_of(code),
            "parent_id": Region.parent_code(code),
        }
        Region.objects.update_or_create(code=code, defaults=values)
        audit.write(vault, who, "region.set", ("region", code), region_code=code)
        added += 1
    return added


def _household(number: str) -> Household | None:
    return Household.objects.get_or_create(number=number)[0] if number else None

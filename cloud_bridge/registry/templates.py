"""Which kiosk holds whose face template, and who wants theirs deleted. The templates stay there.

Kiosks tell in any order and late, so each word is weighed by when it was said, not by when it
came: an enrolment that arrives after the withdrawal that followed it is ordered away at once.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from cloud_bridge.registry import audit, badges
from cloud_bridge.registry.models import Device, FiledRecord, HeldTemplate, Person, TemplateEvent
from cloud_bridge.registry.vault import Vault
from edge.domain.people import PersonId
from edge.domain.record import Reference
from edge.domain.templates import TemplateChange


def take_in(event: TemplateEvent, believed: bool, vault: Vault, now: datetime) -> None:
    """What a change at a kiosk means for all of them. `believed`: its moment is the kiosk's own."""
    match TemplateChange(event.change):
        case TemplateChange.ENROLLED:
            _enrolled(event, believed, now)
        case TemplateChange.WITHDRAWN:
            _gone(event)
            if event.person is not None:
                _withdrawn(event.person, event.at, now)
        case TemplateChange.DELETED:
            _gone(event)
    _audit(event, vault, now)


@transaction.atomic
def withdraw(person: Person, vault: Vault, who: str, reason: str, now: datetime) -> int:
    """At a counter; how many kiosks are told to delete theirs."""
    told = _withdrawn(person, now, now)
    target = ("person", person.pk)
    audit.write(
        vault, who, "template.withdraw", target, reason=reason, region_code=person.region_id
    )
    return told


def held(person: Person, today: date) -> Any:
    """Where somebody's template lies now, as far as the kiosks have told."""
    rows = HeldTemplate.objects.filter(person=person, gone_at=None, until__gte=today)
    return rows.select_related("device__site").order_by("since")


def enrolment_of(row: FiledRecord) -> TemplateEvent | None:
    """The enrolment that a record rests on which was compared with a template.

    By the order of the kiosk's chain: its clock may be wrong.
    """
    if row.person is None or (row.liveness or {}).get("reference") != Reference.TEMPLATE.value:
        return None
    rows = TemplateEvent.objects.filter(device_id=row.device_id, person=row.person)
    rows = rows.filter(change=TemplateChange.ENROLLED.value)
    here: TemplateEvent | None = (
        rows.filter(epoch=row.epoch, seq__lt=row.seq).order_by("-seq").first()
    )
    return here or rows.exclude(epoch=row.epoch).order_by("-filed_at").first()


def is_well_vouched(event: TemplateEvent) -> bool:
    """Whether the badge of an enrolment could vouch for people there and then."""
    return badges.may_witness(event.badge, event.device.site.region_id, event.at)


def order(row: HeldTemplate, now: datetime) -> None:
    """This one template is to go."""
    HeldTemplate.objects.filter(pk=row.pk, wanted_gone_at=None).update(wanted_gone_at=now)
    _make_due(Q(pk=row.device_id))


def to_delete(device: Device) -> tuple[PersonId, ...]:
    """Everybody whose template this kiosk was told to delete and did not yet say that it has."""
    rows = HeldTemplate.objects.filter(device=device, gone_at=None).exclude(wanted_gone_at=None)
    return tuple(PersonId(pk) for pk in rows.order_by("person_id").values_list("person", flat=True))


def _enrolled(event: TemplateEvent, believed: bool, now: datetime) -> None:
    person = event.person
    if person is None or _was_undone(event):
        return
    ordered = HeldTemplate.objects.filter(device=event.device, person=person, gone_at=None)
    was_ordered = ordered.exclude(wanted_gone_at=None).exists()
    withdrawn = person.template_withdrawn_at
    anew = withdrawn is None or _is_later(event, believed, withdrawn)
    gone = not anew or not is_well_vouched(event)
    HeldTemplate.objects.update_or_create(
        device=event.device,
        person=person,
        defaults={
            "since": event.at,
            "until": event.expires,
            "badge": event.badge,
            "wanted_gone_at": now if gone else None,
            "gone_at": None,
        },
    )
    if gone or was_ordered:  # an order for the one before it is no order for this one
        _make_due(Q(pk=event.device_id))


def _is_later(event: TemplateEvent, believed: bool, withdrawn: datetime) -> bool:
    """Whether they enrolled after they last withdrew. A clock nobody believes does not tell, and
    then it goes, unless the kiosk's own chain has that withdrawal before it."""
    if believed:
        return bool(event.at > withdrawn)
    before = TemplateEvent.objects.filter(device=event.device, person=event.person)
    before = before.filter(epoch=event.epoch, seq__lt=event.seq)
    here = before.filter(change=TemplateChange.WITHDRAWN.value).order_by("-seq").first()
    return here is not None and here.at >= withdrawn


def _was_undone(event: TemplateEvent) -> bool:
    """Whether the same kiosk told, further on in its chain, that it has none any more."""
    later = TemplateEvent.objects.filter(device=event.device, person=event.person)
    later = later.filter(epoch=event.epoch, seq__gt=event.seq)
    return bool(later.exclude(change=TemplateChange.ENROLLED.value).exists())


def _gone(event: TemplateEvent) -> None:
    """The kiosk has none of theirs; unless it told, further on, of a newer one."""
    newer = TemplateEvent.objects.filter(device=event.device, person=event.person)
    newer = newer.filter(epoch=event.epoch, seq__gt=event.seq)
    if newer.filter(change=TemplateChange.ENROLLED.value).exists():
        return
    rows = HeldTemplate.objects.filter(device=event.device, person=event.person, gone_at=None)
    if rows.update(gone_at=event.at):
        _make_due(Q(pk=event.device_id))


def _withdrawn(person: Person, at: datetime, now: datetime) -> int:
    before = person.template_withdrawn_at
    person.template_withdrawn_at = max(at, before) if before else at
    person.save(update_fields=["template_withdrawn_at"])
    rows = HeldTemplate.objects.filter(person=person, gone_at=None, since__lte=at)
    told: int = rows.filter(wanted_gone_at=None).update(wanted_gone_at=now)
    if told:
        _make_due(Q(held_templates__in=rows))
    return told


def _make_due(which: Q) -> None:
    # The version moves too: a list just on its way does not count as this one.
    kiosks = Device.objects.filter(which).values("pk")
    rows = Device.objects.filter(pk__in=kiosks)
    rows.update(forget_due=True, forget_version=F("forget_version") + 1)


def _audit(event: TemplateEvent, vault: Vault, now: datetime) -> None:
    when = event.at.isoformat(timespec="seconds")
    badge = f" badge {event.badge}" if event.badge else ""
    region = event.person.region_id if event.person else event.device.site.region_id
    audit.write(
        vault,
        f"kiosk {event.device_id}"[:60],
        f"template.{event.change}",
        ("person", event.person_id) if event.person else ("device", event.device_id),
        reason=f"{when}{badge}{' simulated' if event.simulated else ''}",
        region_code=region,
        at=now,
    )
